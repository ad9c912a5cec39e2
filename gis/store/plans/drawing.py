"""A plan from a file of grids that somebody else drew."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pandas as pd

from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.text import Text
from gis.errors import InvalidInput
from gis.files.read import ReadOptions, open_file
from gis.files.whole import FileOptions, read_whole
from gis.plans.fit import fit
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import read_frame
from gis.store.plans.book import Grid, PlanRow, create

DRAWING: Final = FrameSpec(
    "drawing",
    Text("网格草图", "Drawn grids"),
    (Column("code", "code", Text("网格编码", "Grid code"), required=True),),
    AREAS,
    key="code",
)


def from_drawing(
    store: Store, city: CityRow, path: Path, *, title: str, desk: str, crs: str | None = None
) -> tuple[PlanRow, dict[str, Any]]:
    """Write down a draft of drawn grids: each block goes to the grid that holds most of it.

    Parameters
    ----------
    path
        Areas with a field ``code``, in any format that an import takes; other fields are not read. A code of a grid in
        force keeps its kind, names and beat.
    crs
        What the coordinates are in, where the file does not say it.

    Returns
    -------
    plan, report
        The draft, and how well the drawing follows the blocks (`gis.plans.fit.Fit.report`).

    Raises
    ------
    InvalidInput
        The file cannot be read as areas with codes, or the city has no blocks.
    """
    with open_file(path, ReadOptions()) as reading:
        others = tuple(name for name in reading.names if name != "code")
    drawn = read_whole(path, DRAWING, city.profile, codes={}, options=FileOptions(crs=crs, skip=others))
    blocks = read_frame(store, city, "blocks")
    if blocks.empty:
        raise InvalidInput(
            "the city has no blocks; import them first: a plan assigns blocks to grids",
            zh="城市还没有单元网格，请先导入：方案把单元网格划入网格",
        )
    found = fit(blocks.to_crs(city.profile.metric_crs), drawn.to_crs(city.profile.metric_crs))
    known = {row["code"]: row for row in read_frame(store, city, "grids").to_dict("records")}
    codes = sorted({code for code in found.assignment.values() if code is not None})
    grids = [_grid(code, known.get(code, {})) for code in codes]
    return create(store, city, title=title, desk=desk, blocks=found.assignment, grids=grids), found.report


def _grid(code: str, row: dict[str, Any]) -> Grid:
    names = ("kind", "name_zh", "name_en", "community_code", "beat_code", "positions_count")
    return Grid(code, **{name: row[name] for name in names if name in row and pd.notna(row[name])})
