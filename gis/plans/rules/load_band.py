"""The load of a comprehensive grid lies within the band; beyond the hard limit it fails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Severity, Subject, Violation, bounds_of
from gis.plans.task import DEDICATED


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids above or below the band; dedicated ones and those without a block have none."""
    plan, policy = subject.plan, subject.policy
    held = plan.grid != NONE
    load = np.bincount(plan.grid[held], subject.workload.load[held], minlength=plan.grids_count)
    for position, members in enumerate(subject.members()):
        grid = plan.grids[position]
        if grid.kind == DEDICATED or not members.size:
            continue
        amount = round(float(load[position]))
        low, high = policy.soft_least_households, policy.soft_most_households
        if low <= load[position] <= high:
            continue
        severity: Severity = "broken" if load[position] > policy.hard_most_households else "warning"
        above = load[position] > high
        limit = policy.hard_most_households if severity == "broken" else high if above else low
        yield Violation(
            severity,
            Text(
                f"网格 {grid.code} 的工作量 {amount} {'高于' if above else '低于'} {limit:g}",
                f"grid {grid.code} has a load of {amount}, {'above' if above else 'below'} {limit:g}",
            ),
            grids=(grid.code,),
            bounds=bounds_of(subject.blocks, members),
            suggestion=Text("分出单元网格，或拆分网格", "Give blocks away, or split it")
            if above
            else Text("划入单元网格，或与相邻网格合并", "Take blocks over, or merge it with a neighbour"),
            extent=abs(float(load[position]) - limit),
        )


RULE = Rule("load_band", Text("工作量在区间内", "Loads within the band"), check)
