"""A plan from a file that somebody else made: grids drawn as areas, or a table of blocks and grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.text import Text
from gis.errors import InvalidInput, Problem
from gis.files.formulas import unguard
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
_GRID_FIELDS: Final = ("kind", "name_zh", "name_en", "community_code", "beat_code", "positions_count")
_NAMED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """How a file is read as a plan.

    Attributes
    ----------
    crs
        What coordinates are in, where the file does not say it.
    code, block
        Fields that hold the code of a grid, and of a block. A file with the latter is an assignment table. As the
        export of a plan writes them when not given.
    layer, encoding
        Of a file that has several, or whose text says nothing about it.
    """

    crs: str | None = None
    code: str | None = None
    block: str = "block_code"
    layer: str | None = None
    encoding: str | None = None


def from_file(
    store: Store, city: CityRow, path: Path, *, title: str, desk: str, note: str = "", how: PlanFile | None = None
) -> tuple[PlanRow, dict[str, Any]]:
    """Write down a draft as a file has it: of areas, each block goes to the grid that holds most of it.

    Parameters
    ----------
    path
        Areas with the code of each grid, or a table with the codes of blocks and grids, in any format that an import
        takes; other fields are not read. A code of a grid in force keeps its kind, names and beat.

    Returns
    -------
    plan, report
        The draft, and how well the file fits: ``kind`` (``drawing`` or ``assignment``), ``blocks_count``,
        ``blocks_without_grid_count``, ``grids_count``, ``grids_new`` (codes that are not in force), and of a drawing
        what `gis.plans.fit.Fit.report` says besides.

    Raises
    ------
    InvalidInput
        The file cannot be read as areas with codes or as an assignment of the city's blocks; names everything that is
        wrong with it. Or the city has no blocks.
    UnsupportedMedia, TooLarge
        As an import.
    """
    how = how or PlanFile()
    blocks = read_frame(store, city, "blocks")
    if blocks.empty:
        raise InvalidInput(
            "the city has no blocks; import them first: a plan assigns blocks to grids",
            zh="城市还没有单元网格，请先导入：方案把单元网格划入网格",
        )
    with open_file(path, ReadOptions(layer=how.layer, encoding=how.encoding)) as reading:
        names = reading.names
    if how.block in names:
        assigned = _table(path, names, blocks["code"].astype(str).tolist(), how)
        report: dict[str, Any] = {"kind": "assignment"}
    else:
        code = how.code or "code"
        others = tuple(name for name in names if name != code)
        options = FileOptions(crs=how.crs, mapping={"code": code}, skip=others, layer=how.layer, encoding=how.encoding)
        drawn = read_whole(path, DRAWING, city.profile, codes={}, options=options)
        found = fit(blocks.to_crs(city.profile.metric_crs), drawn.to_crs(city.profile.metric_crs))
        assigned, report = found.assignment, {"kind": "drawing", **found.report}
    known = {row["code"]: row for row in read_frame(store, city, "grids").to_dict("records")}
    codes = sorted({code for code in assigned.values() if code is not None})
    plan = create(
        store, city, title=title, desk=desk, note=note, blocks=assigned,
        grids=[_grid(code, known.get(code, {})) for code in codes],
    )  # fmt: skip
    return plan, {
        **report,
        "blocks_count": len(assigned),
        "blocks_without_grid_count": sum(grid is None for grid in assigned.values()),
        "grids_count": len(codes),
        "grids_new": [code for code in codes if code not in known],
    }


def _table(path: Path, names: tuple[str, ...], blocks: list[str], how: PlanFile) -> dict[str, str | None]:
    """Return block code -> grid code of every block of the city as a table has it; None for one that it leaves out."""
    code = how.code or "grid_code"
    if code not in names:
        problem = Problem("missing_column", "no field holds the code of a block's grid", code, zh="缺少网格编码字段")
        raise InvalidInput("the table is no assignment of blocks", [problem], zh="该表不是单元网格的划分表")
    others = tuple(name for name in names if name not in (how.block, code))
    rows: list[pd.DataFrame] = []
    with open_file(path, ReadOptions(drop=others, layer=how.layer, encoding=how.encoding)) as reading:
        for chunk in reading.chunks:
            table = chunk.fields.select([how.block, code]).to_pandas().set_axis(["block", "grid"], axis=1)
            rows.append(table.assign(row=chunk.rows, trouble=chunk.troubles))
        guarded = reading.format.guarded
    whole = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["block", "grid", "row", "trouble"])
    for column in ("block", "grid"):
        texts = pd.Series([_text(value) for value in whole[column]], index=whole.index, dtype=object)
        whole[column] = unguard(texts.astype("str")).astype(object).where(texts.notna(), None) if guarded else texts
    _refuse_wrong_rows(whole, set(blocks), how.block)
    said = dict(zip(whole["block"], whole["grid"], strict=True))
    return {block: said.get(block) for block in blocks}


def _refuse_wrong_rows(table: pd.DataFrame, known: set[str], field: str) -> None:
    blank = table["block"].isna()
    again = table["block"].duplicated() & ~blank
    faults = (
        ("unreadable_row", "the row cannot be read", "该行无法读取", table["trouble"].notna()),
        ("missing_value", "the row names no block", "该行没有单元网格编码", blank),
        (
            "not_unique",
            "the block stands in the table already",
            "该单元网格在表中重复",
            again,
        ),
        ("unknown_block", "the city has no such block", "城市没有该单元网格", ~blank & ~table["block"].isin(known)),
    )
    problems = [
        Problem(
            kind, en, field, tuple(table.loc[wrong, "row"].head(_NAMED).astype(int)), int(wrong.sum()), zh=zh
        )
        for kind, en, zh, wrong in faults
        if wrong.any()
    ]  # fmt: skip
    if problems:
        raise InvalidInput("the table is no assignment of blocks", problems, zh="该表不是单元网格的划分表")


def _text(value: object) -> str | None:
    """Return a code as the table means it, None for an empty one; whole numbers without a point."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    return text or None


def _grid(code: str, row: Mapping[str, Any]) -> Grid:
    return Grid(code, **{name: row[name] for name in _GRID_FIELDS if name in row and pd.notna(row[name])})
