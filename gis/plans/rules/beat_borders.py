"""A grid that reaches over the border of a beat in force moves that border."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.history import carried
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids with blocks that belong to another beat in the plan in force than the grid names."""
    if subject.base is None:
        return
    blocks, plan = subject.blocks, subject.plan
    before = carried(subject.base, blocks)
    was = np.array([*(grid.beat_code for grid in before.grids), ""], dtype=object)[before.grid]
    now = np.array([*(grid.beat_code for grid in plan.grids), ""], dtype=object)[plan.grid]
    astray = (was != now) & (was != "") & (now != "") & (plan.grid != NONE)
    for position in np.unique(plan.grid[astray]):
        mine = np.flatnonzero(astray & (plan.grid == position))
        grid, households = plan.grids[position], int(blocks.households[mine].sum())
        others = ", ".join(sorted(set(was[mine])))
        yield Violation(
            "warning",
            Text(
                f"警格 {others} 的 {mine.size} 个单元网格（{households} 户）随网格 {grid.code} 转入 {grid.beat_code}",
                f"{mine.size} block(s) with {households} households leave beat {others} for {grid.beat_code} "
                f"with grid {grid.code}",
            ),
            grids=(grid.code,),
            blocks=codes_of(blocks, mine),
            bounds=bounds_of(blocks, mine),
            suggestion=Text(
                "调整警格边界，或把它们留在原警格的网格内",
                "Let the beat's border follow, or leave them with a grid of their beat",
            ),
        )


RULE = Rule("beat_borders", Text("警格边界不变", "Beats keep their borders"), check)
