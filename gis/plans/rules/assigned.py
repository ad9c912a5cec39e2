"""Every block belongs to a grid, and every grid has blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the blocks that lie in no grid, by community, and the grids without a block."""
    blocks, plan = subject.blocks, subject.plan
    loose = np.flatnonzero(plan.grid == NONE)
    for community in np.unique(blocks.communities[loose].astype(str)):
        mine = loose[blocks.communities[loose] == community]
        yield Violation(
            "incomplete",
            Text(f"{mine.size} 个单元网格未划入任何网格", f"{mine.size} block(s) belong to no grid"),
            blocks=codes_of(blocks, mine),
            bounds=bounds_of(blocks, mine),
            suggestion=Text("划入同社区的相邻网格", "Give them to a neighbouring grid of the same community"),
            extent=mine.size,
        )
    held = np.bincount(plan.grid[plan.grid != NONE], minlength=plan.grids_count)
    for position in np.flatnonzero(held == 0):
        code = plan.grids[position].code
        yield Violation(
            "incomplete",
            Text(f"网格 {code} 没有单元网格", f"grid {code} has no block"),
            grids=(code,),
            suggestion=Text("划入单元网格，或从方案中移除", "Give it blocks, or take it out of the plan"),
        )


RULE = Rule("assigned", Text("每个单元网格恰属一个网格", "Every block in exactly one grid"), check)
