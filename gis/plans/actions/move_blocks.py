"""Give blocks to a grid: a stroke of the brush, a lasso, a single block; or back to where they were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gis.plans.draft import Delta, Draft
from gis.plans.guard import guarded
from gis.plans.plan import Flip


def move_blocks(draft: Draft, blocks: Sequence[str], to: str) -> Delta:
    """Return the change that gives some blocks to one grid; those it has already stay.

    Raises
    ------
    PlanRuleBroken
        A grid would be torn apart, emptied or reach into another community, or something is locked.
    NotFound
        There is no such block or grid.
    """
    draft.plan.position(to)
    return reassign(draft, dict.fromkeys(blocks, to))


def reassign(draft: Draft, grids: Mapping[str, str]) -> Delta:
    """Return the change that gives each block to a grid of its own: a proposal taken over, a selection erased."""
    for code in set(grids.values()):
        draft.plan.position(code)
    flips = [Flip(block, draft.plan.grid_of(block), to) for block, to in grids.items()]
    return guarded(draft, Delta(flips=tuple(flip for flip in flips if flip.old != flip.new)))
