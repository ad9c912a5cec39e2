"""A code stays with its households, and never comes back once its grid has ended."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.history import carried
from gis.plans.plan import NONE, relabelled
from gis.plans.rule import Rule, Subject, Violation, bounds_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids with a code of the past, and those whose households mostly come from another grid's code."""
    blocks, plan, members = subject.blocks, subject.plan, subject.members()
    known = frozenset() if subject.base is None else frozenset(grid.code for grid in subject.base.plan.grids)
    for grid, mine in zip(plan.grids, members, strict=True):
        if grid.code in subject.retired_codes - known:
            yield Violation(
                "broken",
                Text(f"编码 {grid.code} 曾属于已撤销的网格", f"the code {grid.code} belonged to a grid that has ended"),
                grids=(grid.code,),
                bounds=bounds_of(blocks, mine) if mine.size else None,
                suggestion=Text("改用本社区下一个未用过的编码", "Use the next code that its community never used"),
            )
    for position, best in _better_names(subject):
        code = plan.grids[position].code
        yield Violation(
            "warning",
            Text(
                f"网格 {code} 的住户多数来自 {best}",
                f"grid {code} continues {best}: together the codes would stay with more households",
            ),
            grids=(code, best),
            bounds=bounds_of(blocks, members[position]),
            suggestion=Text(f"改用编码 {best}", f"Give it the code {best}"),
        )


def _better_names(subject: Subject) -> Iterator[tuple[int, str]]:
    """Give the grids that have an old code, but the wrong one, with the code that they continue."""
    if subject.base is None:
        return
    blocks, plan, before = subject.blocks, subject.plan, carried(subject.base, subject.blocks)
    held = plan.grid != NONE
    names = relabelled(
        plan.grid[held],
        before.grid[held],
        blocks.households[held].astype(np.float64),
        grids_count=plan.grids_count,
        base_count=before.grids_count,
    )
    old = {grid.code for grid in before.grids}
    used = np.bincount(plan.grid[held], minlength=plan.grids_count) > 0
    for position in np.flatnonzero((names != NONE) & used):
        best = before.grids[names[position]].code
        if plan.grids[position].code in old - {best}:
            yield int(position), best


RULE = Rule("code_history", Text("编码稳定", "Codes that stay"), check)
