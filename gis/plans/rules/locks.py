"""What is locked has not changed since the plan in force."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.kernels.block_graph import Bools
from gis.plans.history import carried, grid_names
from gis.plans.plan import Plan
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the blocks that are locked, or whose grid is, and that have another grid than in the plan in force.

    A lock of the plan in force that still holds is broken so. One that the draft has undone, or has set itself after
    the blocks had moved, is a warning: whoever approves the plan should know.
    """
    if subject.base is None:
        return
    blocks, plan, base = subject.blocks, subject.plan, subject.base.plan
    was, now = grid_names(carried(subject.base, blocks))[:-1], grid_names(plan)[:-1]
    before, still = _held(blocks.codes, was, now, base), _held(blocks.codes, was, now, plan)
    moved = (before | still) & (was != now)
    for old, new in sorted(set(zip(was[moved], now[moved], strict=True))):
        mine = np.flatnonzero(moved & (was == old) & (now == new))
        kept = bool((before & still)[mine].any())
        yield Violation(
            "broken" if kept else "warning",
            Text(
                f"{mine.size} 个已锁定的单元网格由 {old or '无网格'} 改划到 {new or '无网格'}",
                f"{mine.size} locked block(s) went from {old or 'no grid'} to {new or 'no grid'}",
            ),
            grids=tuple(code for code in (old, new) if code),
            blocks=codes_of(blocks, mine),
            bounds=bounds_of(blocks, mine),
            suggestion=Text("退回原网格，或先解锁", "Give them back, or unlock them first")
            if kept
            else Text("确认这是有意的改动", "Make sure that this is meant"),
            extent=mine.size,
        )


def _held(codes: np.ndarray, was: np.ndarray, now: np.ndarray, plan: Plan) -> Bools:
    """Return which blocks (n,) a lock of a plan holds, by themselves or by the grid they come from or go to."""
    grids = list(plan.locked_grids)
    held = np.isin(was, grids) | np.isin(now, grids) | np.isin(codes, list(plan.locked_blocks))
    return np.asarray(held, dtype=bool)


RULE = Rule("locks", Text("锁定不变", "Locks kept"), check)
