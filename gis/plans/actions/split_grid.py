"""Make two grids of one: along a line, or by itself into two halves as even as can be."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.errors import PlanRuleBroken
from gis.kernels.block_graph import Bools, Floats, Ints
from gis.plans.codes import next_code
from gis.plans.division import in_two
from gis.plans.draft import Delta, Draft
from gis.plans.guard import guarded
from gis.plans.plan import Flip, Grid


def split_grid(draft: Draft, grid: str, load: Floats, *, taken_codes: Collection[str] = (), seed: int = 0) -> Delta:
    """Return the change that splits a grid into two halves of loads as even as its blocks allow.

    The heavier half keeps the code; the other gets the next one that its community never had.

    Parameters
    ----------
    load : (n,)
        Of each block.
    taken_codes
        Codes of grids that have ended.

    Raises
    ------
    PlanRuleBroken
        It has one block only, is in pieces, or something is locked.
    """
    mine = _divisible(draft, grid)
    part = draft.blocks.open_graph.part(mine)
    if part.components().any():
        raise PlanRuleBroken(
            f"grid {grid} is in pieces; mend that before it is split", [grid], zh=f"网格 {grid} 不连片，请先修复再拆分"
        )
    return _split(draft, grid, mine[in_two(part, load[mine], seed=seed) == 1], load, taken_codes)


def split_grid_by_line(
    draft: Draft, grid: str, line: BaseGeometry, load: Floats, *, taken_codes: Collection[str] = ()
) -> Delta:
    """Return the change that splits a grid along a line in metres: each block goes with the side that its middle is on.

    Raises
    ------
    PlanRuleBroken
        All blocks lie on one side, a side would not hang together, or something is locked.
    """
    mine = _divisible(draft, grid)
    left = _left_of(line, shapely.point_on_surface(draft.blocks.shapes[mine]))
    if left.all() or not left.any():
        raise PlanRuleBroken(
            f"all blocks of grid {grid} lie on one side of the line", [grid], zh=f"网格 {grid} 的单元网格都在线的同一侧"
        )
    return _split(draft, grid, mine[left], load, taken_codes)


def _divisible(draft: Draft, grid: str) -> Ints:
    mine = draft.plan.blocks_in(grid)
    if mine.size <= 1:
        raise PlanRuleBroken(
            f"grid {grid} has a single block; split the block instead",
            [grid],
            zh=f"网格 {grid} 只有一个单元网格，请改为拆分该单元网格",
        )
    return mine


def _split(draft: Draft, grid: str, one: Ints, load: Floats, taken_codes: Collection[str]) -> Delta:
    plan = draft.plan
    old = plan.grids[plan.position(grid)]
    mine = plan.blocks_in(grid)
    other = np.setdiff1d(mine, one)
    leaving = one if load[one].sum() <= load[other].sum() else other
    community = old.community_code or str(draft.blocks.communities[mine[0]])
    code = next_code(community, {*taken_codes, *(g.code for g in plan.grids)})
    new = Grid(code, community, old.kind, old.beat_code)
    flips = tuple(Flip(str(plan.codes[at]), grid, code) for at in leaving)
    return guarded(draft, Delta(flips=flips, grids=((None, new),)))


def _left_of(line: BaseGeometry, points: np.ndarray) -> Bools:
    """Return which points (p,) lie to the left of a line, as seen along it; its ends go on for ever."""
    path = shapely.get_coordinates(line)
    path = path[np.append(True, (np.diff(path, axis=0) != 0).any(axis=1))]
    if len(path) <= 1:
        raise PlanRuleBroken("a line needs two different corners", zh="分割线至少需要两个不同的点")
    reach = 1e3 * max(float(np.ptp(path, axis=0).max()), *np.ptp(shapely.get_coordinates(points), axis=0), 1.0)
    for end, inner in ((0, 1), (-1, -2)):
        step = path[end] - path[inner]
        path[end] = path[end] + step / np.hypot(*step) * reach
    # The nearest piece of the line says which side a point is on; at a corner, the turn of both pieces.
    xy = shapely.get_coordinates(points)
    start, step = path[:-1], np.diff(path, axis=0)
    along = np.clip(((xy[:, None] - start) * step).sum(-1) / (step**2).sum(-1), 0.0, 1.0)
    off = xy[:, None] - (start + along[..., None] * step)
    nearest = (off**2).sum(-1).argmin(axis=1)
    a, b = start[nearest], step[nearest]
    return np.asarray(b[:, 0] * (xy[:, 1] - a[:, 1]) - b[:, 1] * (xy[:, 0] - a[:, 0]) > 0)
