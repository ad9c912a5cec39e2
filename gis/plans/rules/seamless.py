"""The grids cover the city without gap or overlap: their blocks do, to the millimetre."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.graph import coverage_problems
from gis.plans.rule import Rule, Subject, Violation, bounds_of


def check(subject: Subject) -> Iterator[Violation]:
    """Say where borders of blocks overlap, do not match or leave a gap narrower than the policy allows."""
    blocks = subject.blocks
    for problem in coverage_problems(blocks.shapes, blocks.codes, gap_width_m=subject.policy.gap_width_m):
        rows = tuple(row - 1 for row in problem.rows)
        yield Violation(
            "broken",
            Text(f"网格之间有缝隙或重叠（{problem.count or 1} 处）", problem.message),
            blocks=tuple(str(blocks.codes[row]) for row in rows),
            bounds=bounds_of(blocks, np.array(rows)) if rows else None,
            extent=problem.count or 1,
        )


RULE = Rule("seamless", Text("无缝覆盖", "Seamless coverage"), check, about="blocks")
