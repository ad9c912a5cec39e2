"""A grid hangs together without crossing a river, a barrier road or the border of its community."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gis.contract.text import Text
from gis.kernels.block_graph import Bools
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Subject, Violation, bounds_of, codes_of


def check(subject: Subject) -> Iterator[Violation]:
    """Name the lighter pieces of grids in several pieces: each is a place to look at.

    Water joins nothing, and so is no piece of its own. A piece that is alone behind barriers is a warning: no plan
    can do better.
    """
    blocks, plan = subject.blocks, subject.plan
    dry = np.flatnonzero(~blocks.watery & (plan.grid != NONE))
    piece = blocks.open_graph.pieces(plan.grid)
    load = subject.workload.load
    weight = np.bincount(piece[dry], load[dry], minlength=piece.max(initial=0) + 1)
    area = np.bincount(piece[dry], blocks.graph.area_m2[dry], minlength=weight.size)
    for position, members in enumerate(subject.members()):
        mine = members[~blocks.watery[members]]
        pieces = np.unique(piece[mine])
        if pieces.size < 2:  # noqa: PLR2004 - one piece hangs together
            continue
        heaviest = max(pieces, key=lambda p: (weight[p], area[p]))
        code = plan.grids[position].code
        for lighter in pieces[pieces != heaviest]:
            there = mine[piece[mine] == lighter]
            alone, mend = _way_out(subject, piece == lighter)
            yield Violation(
                "warning" if alone else "broken",
                Text(
                    f"网格 {code} 不连片：{there.size} 个单元网格与主体分离",
                    f"grid {code} does not hang together: {there.size} block(s) lie apart from the rest",
                ),
                grids=(code,),
                blocks=codes_of(blocks, there),
                bounds=bounds_of(blocks, there),
                suggestion=mend,
            )


def _way_out(subject: Subject, mine: Bools) -> tuple[bool, Text]:
    """Return whether a piece (n,) is alone behind barriers, and what would mend it."""
    graph, plan = subject.blocks.open_graph, subject.plan
    across = mine[graph.tail] & ~mine[graph.neighbour]
    if not across.any():
        return True, Text("被障碍隔开，无其他网格可划入", "Nothing can: it is alone behind barriers")
    grids, border = plan.grid[graph.neighbour[across]], graph.border_m[across]
    if not (grids != NONE).any():
        return False, Text("划入相邻网格，或连接起来", "Give them to a neighbouring grid, or join them")
    beside = plan.grids[int(np.bincount(grids[grids != NONE], border[grids != NONE]).argmax())].code
    return False, Text(f"划入相邻网格 {beside}，或连接起来", f"Give them to grid {beside}, or join them")


RULE = Rule("contiguous", Text("网格连片", "A grid hangs together"), check)
