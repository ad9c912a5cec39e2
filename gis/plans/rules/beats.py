"""A police beat is a union of whole grids: every grid names one, or none does."""

from __future__ import annotations

from collections.abc import Iterator

from gis.contract.text import Text
from gis.plans.rule import Rule, Subject, Violation, bounds_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids without a beat, in a city whose other grids have one."""
    plan = subject.plan
    if not any(grid.beat_code for grid in plan.grids):
        return
    for grid, members in zip(plan.grids, subject.members(), strict=True):
        if members.size and not grid.beat_code:
            yield Violation(
                "warning",
                Text(f"网格 {grid.code} 未划入警格", f"grid {grid.code} belongs to no beat"),
                grids=(grid.code,),
                bounds=bounds_of(subject.blocks, members),
                suggestion=Text("沿用原网格的警格", "Take the beat of the grid it came from"),
            )


RULE = Rule("beats", Text("警格由整网格组成", "Beats of whole grids"), check)
