"""No action leaves a plan worse than the rules of its structure allow: it happens whole, or not at all."""

from __future__ import annotations

import numpy as np

from gis.errors import FrameMismatch, PlanRuleBroken
from gis.kernels.block_graph import Ints
from gis.plans.draft import Delta, Draft


def guarded(draft: Draft, delta: Delta) -> Delta:
    """Return the change if the draft keeps its structure under it.

    Locked blocks and grids stay; every block keeps a grid; no grid that is touched is empty, in more pieces than it was
    or in more communities; blocks still fit together. What was broken before may stay broken: mending it takes several
    steps.

    Raises
    ------
    PlanRuleBroken
        Names the grids to highlight; the draft is as it was.
    Conflict, NotFound
        The change does not begin with this draft.
    """
    _check_locks(draft, delta)
    try:
        after = draft.apply(delta)
    except FrameMismatch as error:
        raise PlanRuleBroken(str(error), zh=_said_zh(error)) from error
    lost = [flip.block for flip in delta.flips if flip.new is None and flip.block in after.blocks.place]
    if lost:
        raise PlanRuleBroken(
            f"{lost[0]} would have no grid; every block belongs to one",
            _grids_of(delta),
            zh=f"{lost[0]} 将不属于任何网格；每个单元网格都须有网格",
        )
    reshaped = {after.plan.grid_of(row.code) for _, row in delta.blocks if row is not None}
    for code in sorted(_grids_of(delta) | {code for code in reshaped if code is not None}):
        _check_grid(draft, after, code)
    return delta


def _said_zh(error: FrameMismatch) -> str:
    return "；".join([error.zh, *(problem.zh for problem in error.problems)])


def _grids_of(delta: Delta) -> set[str]:
    """Return the codes of all grids that a change touches."""
    flips = {code for flip in delta.flips for code in (flip.old, flip.new) if code is not None}
    return flips | {grid.code for pair in delta.grids for grid in pair if grid is not None}


def _check_locks(draft: Draft, delta: Delta) -> None:
    plan = draft.plan
    renamed = {old for old, _ in delta.renamed}
    locked = {code for flip in delta.flips for code in (flip.old, flip.new) if code in plan.locked_grids}
    locked |= {old.code for old, _ in delta.grids if old is not None and old.code in plan.locked_grids - renamed}
    if locked:
        raise PlanRuleBroken(
            f"grid {min(locked)} is locked; unlock it first", sorted(locked), zh=f"网格 {min(locked)} 已锁定，请先解锁"
        )
    touched = {flip.block for flip in delta.flips} | {old.code for old, _ in delta.blocks if old is not None}
    if held := sorted(touched & plan.locked_blocks):
        grids = {plan.grid_of(block) for block in held} - {None}
        raise PlanRuleBroken(
            f"block {held[0]} is locked; unlock it first",
            sorted(filter(None, grids)),
            zh=f"单元网格 {held[0]} 已锁定，请先解锁",
        )


def _check_grid(before: Draft, after: Draft, code: str) -> None:
    """Raise when a grid is empty, or in more pieces or communities than before."""
    if not _has(after, code):
        return
    now = after.plan.blocks_in(code)
    if not now.size:
        raise PlanRuleBroken(
            f"grid {code} would have no block; merge it into another one instead",
            [code],
            zh=f"网格 {code} 将没有单元网格；请改为并入其他网格",
        )
    was = before.plan.blocks_in(code) if _has(before, code) else np.empty(0, np.int64)
    allowed = max(_pieces(before, was), 1)
    if (pieces := _pieces(after, now)) > allowed:
        raise PlanRuleBroken(
            f"grid {code} would be in {pieces} pieces", [code], zh=f"网格 {code} 将分为不相连的 {pieces} 块"
        )
    communities = np.unique(before.blocks.communities[was].astype(str)).size
    names = np.unique(after.blocks.communities[now].astype(str))
    if names.size > max(communities, 1):
        raise PlanRuleBroken(
            f"grid {code} would lie in several communities: {', '.join(names)}",
            [code],
            zh=f"网格 {code} 将跨越多个社区：{'、'.join(names)}",
        )


def _has(draft: Draft, code: str) -> bool:
    return any(grid.code == code for grid in draft.plan.grids)


def _pieces(draft: Draft, mine: Ints) -> int:
    """Return in how many pieces some blocks are; water is none, unless there is nothing else."""
    if not mine.size:
        return 0
    piece = draft.blocks.open_graph.part(mine).components()
    dry = ~draft.blocks.watery[mine]
    return int(np.unique(piece[dry] if dry.any() else piece).size)
