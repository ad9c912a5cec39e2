"""Every key unit and every open incident lies in a block, and so in exactly one grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from gis.contract.text import Text
from gis.plans.places import block_of, grid_of
from gis.plans.plan import NONE
from gis.plans.rule import Rule, Subject, Violation

NAMED = 5


def check(subject: Subject) -> Iterator[Violation]:
    """Name the key units outside all blocks, and the open incidents in no grid; a border belongs to one of both sides.

    Key units in a block without a grid are the business of another rule. Places whose location is withheld or unknown
    can lie nowhere, and are not asked about.
    """
    for zh, en, frame in (
        ("重点单位", "key unit(s)", subject.key_units),
        ("未办结事件", "open incident(s)", subject.open_incidents),
    ):
        if frame is None:
            continue
        metric = frame.to_crs(subject.blocks.crs)
        metric = metric[~(metric.geometry.isna() | metric.geometry.is_empty)]
        block = block_of(subject.blocks, metric)
        outside = block == NONE
        loose = ~outside & (grid_of(subject.plan, block) == NONE) & (frame is subject.open_incidents)
        for rows, astray in ((outside, True), (loose, False)):
            lost = metric[rows]
            if lost.empty:
                continue
            west, south, east, north = shapely.total_bounds(lost.geometry.to_numpy()).tolist()
            named = ", ".join(lost["source_id"].astype(str).head(NAMED)) + (", ..." if len(lost) > NAMED else "")
            yield Violation(
                "warning" if astray else "incomplete",
                Text(f"{len(lost)} 个{zh}不在任何网格内：{named}", f"{len(lost)} {en} lie in no grid: {named}"),
                blocks=tuple(sorted({str(subject.blocks.codes[b]) for b in np.unique(block[rows]) if b != NONE})),
                bounds=(west, south, east, north),
                suggestion=Text("核对位置，或改进地块范围", "Check where they are, or the outline of the blocks")
                if astray
                else Text("把所在单元网格划入网格", "Give the block that holds them a grid"),
                extent=len(lost),
            )


RULE = Rule("places", Text("位置有归属", "Places in one grid"), check)
