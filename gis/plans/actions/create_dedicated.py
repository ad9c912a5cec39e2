"""Carve a dedicated grid out of comprehensive ones: a campus, a park, a business district."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gis.errors import PlanRuleBroken
from gis.plans.codes import next_code
from gis.plans.draft import Delta, Draft
from gis.plans.guard import guarded
from gis.plans.plan import Flip, Grid
from gis.plans.task import DEDICATED


def create_dedicated(
    draft: Draft,
    blocks: Sequence[str],
    *,
    name_zh: str = "",
    name_en: str = "",
    taken_codes: Collection[str] = (),
) -> Delta:
    """Return the change that makes a dedicated grid of some blocks; a grid that they are all of becomes dedicated.

    Raises
    ------
    PlanRuleBroken
        They do not hang together, lie in several communities, tear a grid apart, or something is locked.
    """
    plan = draft.plan
    chosen = list(dict.fromkeys(blocks))
    if not chosen:
        raise PlanRuleBroken("a dedicated grid needs at least one block", zh="专属网格至少需要一个单元网格")
    at = draft.blocks.positions(chosen)
    owners = {plan.grid_of(code) for code in chosen}
    only = next(iter(owners))
    if len(owners) == 1 and only is not None and plan.blocks_in(only).size == len(chosen):
        old = plan.grids[plan.position(only)]
        named = replace(old, kind=DEDICATED, name_zh=name_zh or old.name_zh, name_en=name_en or old.name_en)
        return guarded(draft, Delta(grids=() if named == old else ((old, named),)))
    community = str(draft.blocks.communities[at[0]])
    code = next_code(community, {*taken_codes, *(grid.code for grid in plan.grids)})
    beats = {plan.grids[plan.position(owner)].beat_code for owner in owners if owner is not None}
    beat = beats.pop() if len(beats) == 1 else ""
    new = Grid(code, community, DEDICATED, beat, name_zh, name_en)
    flips = tuple(Flip(block, plan.grid_of(block), code) for block in chosen)
    return guarded(draft, Delta(flips=flips, grids=((None, new),)))
