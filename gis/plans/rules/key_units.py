"""Every key unit lies in exactly one grid, and one that asks for a dedicated grid has it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.places import block_of, grid_of
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of
from gis.plans.task import DEDICATED


def check(subject: Subject) -> Iterator[Violation]:
    """Name the key units that lie in no grid, and the campuses whose grid is not dedicated."""
    units = subject.key_units
    if units is None or units.empty:
        return
    blocks, plan, policy = subject.blocks, subject.plan, subject.policy
    block = block_of(blocks, units)
    grid = grid_of(plan, block)
    loose = np.flatnonzero((block != NONE) & (grid == NONE))
    if loose.size:
        held = np.unique(block[loose])
        yield Violation(
            "incomplete",
            Text(f"{loose.size} 个重点单位不在任何网格内", f"{loose.size} key unit(s) lie in no grid"),
            blocks=codes_of(blocks, held),
            bounds=bounds_of(blocks, held),
            extent=loose.size,
        )
    asked = units["kind"].isin(policy.dedicated_kinds).to_numpy() & (grid != NONE)
    for position in np.unique(block[asked]):
        whole = blocks.graph.area_m2[position] >= policy.dedicated_least_area_m2
        home = plan.grids[plan.grid[position]]
        if whole and blocks.households[position] <= policy.dedicated_most_households and home.kind != DEDICATED:
            code = str(blocks.codes[position])
            yield Violation(
                "warning",
                Text(
                    f"单元网格 {code} 宜设专属网格（{home.code} 为综合网格）",
                    f"block {code} asks for a dedicated grid ({home.code} is a comprehensive one)",
                ),
                grids=(home.code,),
                blocks=(code,),
                bounds=bounds_of(blocks, np.array([position])),
                suggestion=Text("为其新建专属网格", "Make a dedicated grid of it"),
            )


RULE = Rule("key_units", Text("重点单位有归属", "Key units in their grids"), check)
