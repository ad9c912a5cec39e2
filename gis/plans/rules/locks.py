"""What is locked has not changed since the plan in force."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.history import carried, grid_names
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the blocks that are locked, or whose grid is, and that have another grid than in the plan in force."""
    if subject.base is None:
        return
    blocks, plan, base = subject.blocks, subject.plan, subject.base.plan
    was, now = grid_names(carried(subject.base, blocks))[:-1], grid_names(plan)[:-1]
    grids = list(base.locked_grids | plan.locked_grids)
    locked = np.isin(was, grids) | np.isin(now, grids)
    locked |= np.isin(blocks.codes, list(base.locked_blocks | plan.locked_blocks))
    moved = locked & (was != now)
    for old, new in sorted(set(zip(was[moved], now[moved], strict=True))):
        mine = np.flatnonzero(moved & (was == old) & (now == new))
        yield Violation(
            "broken",
            Text(
                f"{mine.size} 个已锁定的单元网格由 {old or '无网格'} 改划到 {new or '无网格'}",
                f"{mine.size} locked block(s) went from {old or 'no grid'} to {new or 'no grid'}",
            ),
            grids=tuple(code for code in (old, new) if code),
            blocks=codes_of(blocks, mine),
            bounds=bounds_of(blocks, mine),
            suggestion=Text("退回原网格，或先解锁", "Give them back, or unlock them first"),
        )


RULE = Rule("locks", Text("锁定不变", "Locks kept"), check)
