"""Lock grids, blocks, or all blocks of an area against every change; or unlock them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.plans.draft import Delta, Draft, Lock


def lock(draft: Draft, *, grids: Sequence[str] = (), blocks: Sequence[str] = ()) -> Delta:
    """Return the change that locks what is not locked yet."""
    return _set(draft, grids, blocks, locked=True)


def unlock(draft: Draft, *, grids: Sequence[str] = (), blocks: Sequence[str] = ()) -> Delta:
    """Return the change that unlocks what is locked."""
    return _set(draft, grids, blocks, locked=False)


def blocks_within(draft: Draft, area: BaseGeometry) -> tuple[str, ...]:
    """Return the codes of the blocks whose middle lies in an area in metres: what a lock of the area locks."""
    shapely.prepare(area)
    inside = shapely.contains(area, shapely.point_on_surface(draft.blocks.shapes))
    return tuple(str(code) for code in draft.blocks.codes[np.flatnonzero(inside)])


def _set(draft: Draft, grids: Sequence[str], blocks: Sequence[str], *, locked: bool) -> Delta:
    plan = draft.plan
    for grid in grids:
        plan.position(grid)
    draft.blocks.positions(blocks)
    changed = [Lock("grid", g, locked) for g in dict.fromkeys(grids) if (g in plan.locked_grids) != locked]
    changed += [Lock("block", b, locked) for b in dict.fromkeys(blocks) if (b in plan.locked_blocks) != locked]
    return Delta(locks=tuple(changed))
