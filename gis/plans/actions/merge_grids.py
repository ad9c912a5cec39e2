"""Make one grid of several."""

from __future__ import annotations

from collections.abc import Sequence

from gis.errors import PlanRuleBroken
from gis.plans.draft import Delta, Draft
from gis.plans.guard import guarded
from gis.plans.plan import Flip


def merge_grids(draft: Draft, grids: Sequence[str], into: str) -> Delta:
    """Return the change that gives all blocks of some grids to another one, which stays; the others end.

    Raises
    ------
    PlanRuleBroken
        They do not touch, lie in different communities, or are locked.
    """
    plan = draft.plan
    ending = [code for code in dict.fromkeys(grids) if code != into]
    if not ending:
        raise PlanRuleBroken(f"there is nothing to merge into grid {into}", [into], zh=f"没有可并入网格 {into} 的网格")
    plan.position(into)
    flips = [Flip(str(plan.codes[at]), code, into) for code in ending for at in plan.blocks_in(code)]
    ended = tuple((plan.grids[plan.position(code)], None) for code in ending)
    return guarded(draft, Delta(flips=tuple(flips), grids=ended))
