"""Move a corner that blocks share, in every block that has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from gis.errors import PlanRuleBroken
from gis.plans.draft import Delta, Draft
from gis.plans.graph import BlockRow
from gis.plans.guard import guarded
from gis.plans.nodes import SAME_M, with_moved_node


def move_node(draft: Draft, at: tuple[float, float], to: tuple[float, float]) -> Delta:
    """Return the change that moves the corner nearest to `at`, in metres, to another place.

    Raises
    ------
    PlanRuleBroken
        No block has a corner there; it lies on the outline of the city or between communities, whose borders a plan
        does not move; blocks would cross one another; or a block is locked.
    """
    blocks = draft.blocks
    point = np.array(at, dtype=np.float64)
    near = shapely.STRtree(blocks.shapes).query(shapely.Point(at), predicate="dwithin", distance=SAME_M)
    changes: list[tuple[BlockRow | None, BlockRow | None]] = []
    for position in np.sort(near):
        shape = with_moved_node(blocks.shapes[position], point, np.array(to, dtype=np.float64))
        if shape is not None:
            old = blocks.row(str(blocks.codes[position]))
            changes.append((old, replace(old, wkb=shapely.to_wkb(shape))))
    rows = [old for old, _ in changes if old is not None]
    grids = sorted({grid for row in rows if (grid := draft.plan.grid_of(row.code)) is not None})
    if not rows:
        raise PlanRuleBroken(
            f"no block has a corner at {at[0]:.2f}, {at[1]:.2f}", zh=f"{at[0]:.2f}, {at[1]:.2f} 处没有单元网格的角点"
        )
    if len({row.community_code for row in rows}) > 1:
        raise PlanRuleBroken(
            "the corner lies between communities, whose borders a plan does not move",
            grids,
            zh="该角点位于社区之间，方案不移动社区边界",
        )
    if locked := sorted(set(grids) & draft.plan.locked_grids):
        raise PlanRuleBroken(
            f"grid {locked[0]} is locked; unlock it first", locked, zh=f"网格 {locked[0]} 已锁定，请先解锁"
        )
    try:
        return guarded(draft, Delta(blocks=tuple(changes)))
    except PlanRuleBroken as error:
        raise PlanRuleBroken(str(error), error.grids or grids, zh=error.zh) from error
