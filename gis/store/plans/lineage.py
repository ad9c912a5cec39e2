"""Which grid became which: the record that carries history across a change of boundaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.plans.book import held
from gis.store.tables import PLAN_LINEAGE

Kind = Literal["same", "reshaped", "split", "merged", "new", "ended"]


@dataclass(frozen=True, slots=True)
class Lineage:
    """Households of one old grid that one new grid takes over; an empty code stands for none."""

    old_code: str
    new_code: str
    kind: Kind
    households_count: int


def lineage(store: Store, city: CityRow, plan_id: int) -> list[Lineage]:
    """Return which grid became which when the plan was published; nothing before."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        table = PLAN_LINEAGE
        columns = [table.c[name] for name in Lineage.__slots__]
        query = sa.select(*columns).where(table.c.plan_id == plan_id).order_by(table.c.old_code, table.c.new_code)
        return [Lineage(*row) for row in connection.execute(query)]


def relate(*, old: Sequence[str | None], new: Sequence[str | None], households: Sequence[int]) -> list[Lineage]:
    """Return which grid became which, from what each block (n,) belonged to and belongs to.

    A pair is ``same`` when neither grid has blocks of another, ``split`` or ``merged`` when one side has only this
    one, ``reshaped`` otherwise; ``new`` and ``ended`` where one side is none.

    Examples
    --------
    >>> rows = relate(old=["a", "a", "b"], new=["a", "c", "b"], households=[1, 2, 3])
    >>> [(row.old_code, row.new_code, row.kind) for row in rows]
    [('a', 'a', 'split'), ('a', 'c', 'split'), ('b', 'b', 'same')]
    """
    moved: Counter[tuple[str, str]] = Counter()
    for before, after, count in zip(old, new, households, strict=True):
        moved[before or "", after or ""] += count
    sources, targets = Counter(pair[1] for pair in moved), Counter(pair[0] for pair in moved)

    def kind(before: str, after: str) -> Kind:
        if not before or not after:
            return "new" if after else "ended"
        one_source, one_target = sources[after] == 1, targets[before] == 1
        if one_source and one_target:
            return "same"
        return "split" if one_source else "merged" if one_target else "reshaped"

    return [Lineage(*pair, kind(*pair), moved[pair]) for pair in sorted(moved) if pair != ("", "")]
