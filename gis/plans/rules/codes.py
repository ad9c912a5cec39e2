"""The code of a grid has the form that the city gives it, and begins with its community."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gis.contract.text import Text
from gis.plans.rule import Rule, Subject, Violation


def check(subject: Subject) -> Iterator[Violation]:
    """Name the grids whose code has another form, or begins with another community's."""
    pattern = subject.grid_code_pattern
    for grid in subject.plan.grids:
        if re.fullmatch(pattern, grid.code) is None:
            yield Violation(
                "broken",
                Text(f"网格编码 {grid.code} 不符合 {pattern}", f"the grid code {grid.code} does not match {pattern}"),
                grids=(grid.code,),
                suggestion=Text("改用社区编码加顺序号", "Use the community's code and a serial"),
            )
        elif len(grid.code) > len(grid.community_code) > 0 and not grid.code.startswith(grid.community_code):
            yield Violation(
                "warning",
                Text(
                    f"网格编码 {grid.code} 不以所属社区 {grid.community_code} 开头",
                    f"the grid code {grid.code} does not begin with its community {grid.community_code}",
                ),
                grids=(grid.code,),
            )


RULE = Rule("codes", Text("编码规范", "Codes of the right form"), check)
