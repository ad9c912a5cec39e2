"""Cut a block in two along a line; both halves stay in its grid and take their households with them."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops
from shapely.geometry.base import BaseGeometry

from gis.errors import PlanRuleBroken
from gis.plans.draft import Delta, Draft
from gis.plans.graph import BlockRow
from gis.plans.guard import guarded
from gis.plans.nodes import with_nodes
from gis.plans.plan import Flip

LEAST_M2 = 1.0
"""A piece smaller than this was cut off by accident."""


def split_block(draft: Draft, block: str, line: BaseGeometry, *, buildings: gpd.GeoDataFrame | None = None) -> Delta:
    """Return the change that cuts a block along a line in metres.

    The neighbours get the corners where the cut meets their borders, so that blocks still match corner for corner.

    Parameters
    ----------
    buildings
        Places with `households_count` (one each where there is no such column). Households and residents go with them;
        by area where no building lies in the block.

    Raises
    ------
    PlanRuleBroken
        The line does not cut the block into exactly two, or the block or its grid is locked.
    """
    blocks, plan = draft.blocks, draft.plan
    old = blocks.row(block)
    grid = plan.grid_of(block)
    highlight = [] if grid is None else [grid]
    if grid in plan.locked_grids:
        raise PlanRuleBroken(f"grid {grid} is locked; unlock it first", highlight, zh=f"网格 {grid} 已锁定，请先解锁")
    halves = _halves(old.shape, line)
    if len(halves) != 2:  # noqa: PLR2004 - in two
        raise PlanRuleBroken(
            f"the line cuts block {block} into {len(halves)} pieces, not into two",
            highlight,
            zh=f"分割线把单元网格 {block} 分成 {len(halves)} 块，而不是两块",
        )
    codes = [f"{block}-{i}" for i in (1, 2)]
    if taken := [code for code in codes if code in blocks.place]:
        raise PlanRuleBroken(f"there is a block {taken[0]} already", highlight, zh=f"已有单元网格 {taken[0]}")
    share = _share_of_first(halves, buildings, blocks.crs)
    counts = [_divided(n, share) for n in (old.households_count, old.residents_count)]
    new = [
        BlockRow(code, old.community_code, shapely.to_wkb(half), counts[0][i], counts[1][i])
        for i, (code, half) in enumerate(zip(codes, halves, strict=True))
    ]
    changes: list[tuple[BlockRow | None, BlockRow | None]] = [(old, None), *((None, row) for row in new)]
    changes += _neighbours(draft, block, halves)
    flips = (Flip(block, grid, None), *(Flip(code, None, grid) for code in codes))
    return guarded(draft, Delta(flips=flips, blocks=tuple(changes)))


def _halves(shape: BaseGeometry, line: BaseGeometry) -> list[BaseGeometry]:
    """Return the pieces of an area that a line cuts it into, from north-west to south-east."""
    pieces = [piece for piece in shapely.ops.split(shape, line).geoms if piece.area >= LEAST_M2]
    middles = [piece.representative_point() for piece in pieces]
    return [pieces[i] for i in sorted(range(len(pieces)), key=lambda i: middles[i].x - middles[i].y)]


def _share_of_first(halves: list[BaseGeometry], buildings: gpd.GeoDataFrame | None, crs: str) -> float:
    areas = shapely.area(halves)
    if buildings is not None and not buildings.empty:
        metric = buildings.to_crs(crs)
        counts = metric["households_count"].to_numpy(float) if "households_count" in metric.columns else 1.0
        places = shapely.point_on_surface(metric.geometry.to_numpy())
        held = [float((shapely.intersects(half, places) * counts).sum()) for half in halves]
        if sum(held) > 0:
            return held[0] / sum(held)
    return float(areas[0] / areas.sum())


def _divided(count: int, share: float) -> tuple[int, int]:
    first = round(count * share)
    return first, count - first


def _neighbours(draft: Draft, block: str, halves: list[BaseGeometry]) -> list[tuple[BlockRow | None, BlockRow | None]]:
    """Return the blocks around, with the new corners in their borders."""
    blocks = draft.blocks
    at = int(blocks.positions([block])[0])
    corners = np.unique(np.concatenate([shapely.get_coordinates(half) for half in halves]), axis=0)
    known = {tuple(xy) for xy in shapely.get_coordinates(blocks.shapes[at]).tolist()}
    new = np.array([xy for xy in corners.tolist() if tuple(xy) not in known]).reshape(-1, 2)
    changes: list[tuple[BlockRow | None, BlockRow | None]] = []
    for other in blocks.graph.neighbour[blocks.graph.first[at] : blocks.graph.first[at + 1]]:
        shape = with_nodes(blocks.shapes[other], new)
        if shape is not None:
            old = blocks.row(str(blocks.codes[other]))
            changes.append((old, replace(old, wkb=shapely.to_wkb(shape))))
    return changes
