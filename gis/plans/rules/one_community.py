"""A grid lies inside one community."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids that reach into another community, with the blocks that do."""
    blocks, plan = subject.blocks, subject.plan
    for position, members in enumerate(subject.members()):
        names, which, counts = np.unique(
            blocks.communities[members].astype(str), return_inverse=True, return_counts=True
        )
        if names.size < 2:  # noqa: PLR2004 - one community is as it should be
            continue
        grid = plan.grids[position]
        own = grid.community_code if grid.community_code in names else names[counts.argmax()]
        strangers = members[names[which] != own]
        yield Violation(
            "broken",
            Text(
                f"网格 {grid.code} 跨越 {names.size} 个社区",
                f"grid {grid.code} lies in {names.size} communities",
            ),
            grids=(grid.code,),
            blocks=codes_of(blocks, strangers),
            bounds=bounds_of(blocks, strangers),
            suggestion=Text("把外社区的单元网格还给所在社区", "Give the blocks back to a grid of their own community"),
            extent=strangers.size,
        )


RULE = Rule("one_community", Text("网格不跨社区", "A grid inside one community"), check)
