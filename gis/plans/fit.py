"""A plan drawn elsewhere as areas, taken over as an assignment of blocks, with an account of how well it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import InvalidInput, Problem

CLEAN_SHARE: Final = 0.99
"""A block with at least this share of its area in one grid follows the drawing; the rest is how borders were drawn."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Blocks assigned to drawn grids, and where the drawing does not follow the blocks.

    Attributes
    ----------
    assignment
        Block code -> the grid that holds most of it, None for a block that no grid touches.
    blocks : (n,) rows
        ``code``, ``grid_code``, ``inside_share`` (0-1 of the block's area in that grid), ``households_count``.
    """

    assignment: dict[str, str | None]
    blocks: pd.DataFrame

    @property
    def report(self) -> dict[str, Any]:
        """How well the drawing fits, in numbers and with the blocks that it cuts, the worst first."""
        loose = self.blocks["grid_code"].isna()
        cut = ~loose & (self.blocks["inside_share"] < CLEAN_SHARE)
        worst = self.blocks[cut].sort_values(["inside_share", "code"]).head(100)
        households = self.blocks["households_count"].sum()
        return {
            "blocks_count": len(self.blocks),
            "blocks_without_grid_count": int(loose.sum()),
            "blocks_cut_count": int(cut.sum()),
            "households_in_cut_blocks_share": float(
                self.blocks.loc[cut, "households_count"].sum() / households if households else 0.0
            ),
            "grids_count": int(self.blocks["grid_code"].nunique()),
            "cut_blocks": [
                {"block": row.code, "grid": row.grid_code, "inside_share": round(float(row.inside_share), 4)}
                for row in worst.itertuples()
            ],
        }


def fit(blocks: gpd.GeoDataFrame, drawn: gpd.GeoDataFrame) -> Fit:
    """Assign each block to the drawn grid that holds most of it.

    Parameters
    ----------
    blocks : (n,) rows
        ``code`` and areas in metres, ``households_count`` where known.
    drawn : (k,) rows
        ``code`` and areas in the same CRS; rows of one code are one grid.

    Raises
    ------
    InvalidInput
        A drawn area has no code or is no valid area, or nothing of the drawing touches a block.

    Examples
    --------
    >>> from shapely import box
    >>> squares = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)], crs=4549)
    >>> half = gpd.GeoDataFrame({"code": ["g"]}, geometry=[box(0, 0, 13, 10)], crs=4549)
    >>> found = fit(squares, half)
    >>> found.assignment, found.report["blocks_cut_count"]
    ({'a': 'g', 'b': 'g'}, 1)
    """
    _refuse_what_is_no_grid(drawn)
    grids = drawn[["code", "geometry"]].dissolve("code")
    shapes, areas = blocks.geometry.to_numpy(), grids.geometry.to_numpy()
    block, grid = shapely.STRtree(areas).query(shapes, predicate="intersects")
    shared = shapely.area(shapely.intersection(shapes[block], areas[grid]))
    table = pd.DataFrame({"block": block, "grid": grid, "shared": shared})
    # Of two grids with the same share the one with the lower code.
    best = table[table["shared"] > 0].sort_values(["block", "shared", "grid"], ascending=[True, False, True])
    best = best.drop_duplicates("block").set_index("block")
    if best.empty:
        raise InvalidInput(
            "no drawn grid touches a block: is the file of this city, and in the CRS that was declared?",
            zh="图中没有网格与单元网格相交：文件是否属于本市，坐标系是否正确？",
        )
    held = np.full(len(blocks), -1)
    held[best.index] = best["grid"]
    inside = np.zeros(len(blocks))
    inside[best.index] = best["shared"]
    assigned = [None if k < 0 else str(grids.index[k]) for k in held]
    households = blocks.get("households_count", pd.Series(0, index=blocks.index))
    rows = pd.DataFrame(
        {
            "code": blocks["code"].to_numpy(),
            "grid_code": pd.Series(assigned, dtype=object),
            "inside_share": inside / shapely.area(shapes),
            "households_count": np.asarray(households.fillna(0), dtype=np.int64),
        }
    )
    return Fit(dict(zip(rows["code"], assigned, strict=True)), rows)


def _refuse_what_is_no_grid(drawn: gpd.GeoDataFrame) -> None:
    problems = []
    if "code" not in drawn.columns or drawn["code"].isna().any():
        problems.append(
            Problem("missing_value", "every drawn area needs the code of its grid", "code", zh="每个图形都须有网格编码")
        )
    shapes = drawn.geometry
    polygonal = shapes.geom_type.isin(["Polygon", "MultiPolygon"])
    if not polygonal.all():
        problems.append(
            Problem(
                "wrong_geometry_type", "a grid is an area", "geometry", count=int((~polygonal).sum()), zh="网格须为面"
            )
        )
    elif not shapes.is_valid.all():
        crossed = int((~shapes.is_valid).sum())
        problems.append(
            Problem("invalid_geometry", "an area crosses or touches itself", "geometry", count=crossed, zh="图形自相交")
        )
    if problems:
        raise InvalidInput("the drawing cannot be taken over", problems, zh="无法采用该图")
