"""Adding to the log and reading it: through functions of the database, the only ones that reach its table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.errors import InvalidInput, Problem
from gis.store.audit.anchor import Anchor
from gis.store.audit.asker import Asker, Trail, trail
from gis.store.audit.entry import Action, Entry, Row
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Store
from gis.store.statement import compiled

LEAST_MONTHS: Final = 6
"""Logs are kept at least so long (Cybersecurity Law, Art. 21)."""
PIECE: Final = 10_000
_MOST: Final = {"object": 300, "filter": 2000, "purpose": 200, "account": 200}
_COLUMNS: Final = (
    sa.column("seq", sa.BigInteger),
    sa.column("at", sa.DateTime(timezone=True)),
    sa.column("account_id", sa.BigInteger),
    sa.column("account", sa.Text),
    sa.column("role", sa.Text),
    sa.column("action", sa.Text),
    sa.column("object", sa.Text),
    sa.column("city_id", sa.Integer),
    sa.column("areas", pg.ARRAY(sa.Integer)),
    sa.column("bbox", sa.Text),
    sa.column("filter", sa.Text),
    sa.column("rows_count", sa.BigInteger),
    sa.column("purpose", sa.Text),
    sa.column("request_id", sa.Text),
    sa.column("detail", sa.Text),
    sa.column("previous", sa.LargeBinary),
    sa.column("hash", sa.LargeBinary),
)
_GIVEN: Final = tuple(
    column for column in _COLUMNS if column.name not in {"seq", "at", "previous", "hash"}
)  # in the order of audit.append
_APPEND: Final = sa.select(sa.func.audit.append(*(sa.bindparam(c.name, type_=c.type) for c in _GIVEN)))


def _append_all() -> str:
    """Return the statement that appends many rows, given as one array a column; those of arrays as text."""
    as_given = [sa.column(c.name, sa.Text if isinstance(c.type, pg.ARRAY) else c.type) for c in _GIVEN]
    row = (
        sa.func.unnest(*(sa.bindparam(c.name, type_=pg.ARRAY(c.type)) for c in as_given))
        .table_valued(*as_given)
        .render_derived()
    )
    appended = sa.func.audit.append(*(sa.cast(row.c[c.name], c.type) for c in _GIVEN))
    return compiled(sa.select(sa.func.count(appended))).sql


_APPEND_ALL: Final = _append_all()


def record(where: Store | sa.Connection, entry: Entry, *, by: Asker | None = None) -> None:
    """Write an entry down on behalf of the asker at hand.

    Parameters
    ----------
    where
        A connection, so that the entry stands in the transaction of what it tells of: then as its last statement, for
        until that transaction ends nobody else can write into the log. A store, for a short transaction of its own.
    by
        Somebody else than the asker at hand: an account that is just signing in.

    Raises
    ------
    StoreUnavailable
        The log cannot be written.
    """
    mine = trail()
    values = _values(entry, by or mine.asker)
    if isinstance(where, Store):
        with where.transaction(NO_CITY) as connection:
            connection.execute(_APPEND, values)
    else:
        where.execute(_APPEND, values)
    mine.written += 1


async def record_all(store: Store, entries: Iterable[tuple[Entry, Trail]]) -> None:
    """Write entries down in one transaction and one round trip, each on behalf of its own asker: all or none.

    Raises
    ------
    StoreUnavailable
        The log cannot be written.
    """
    known = list(entries)
    if not known:
        return
    rows = [_values(entry, mine.asker) for entry, mine in known]
    columns = [[_apart(row[column.name]) for row in rows] for column in _GIVEN]
    await store.call(NO_CITY, _APPEND_ALL, columns)
    for _, mine in known:
        mine.written += 1


def _apart(value: Any) -> Any:
    """Return a value of a column, a list as the database writes it."""
    return f"{{{','.join(map(str, value))}}}" if isinstance(value, list) else value


def _values(entry: Entry, asker: Asker) -> dict[str, Any]:
    given: dict[str, Any] = {
        "account_id": asker.account_id,
        "account": asker.account,
        "role": asker.role,
        "action": entry.action,
        "object": entry.object,
        "city_id": entry.city_id,
        "areas": None if asker.areas is None else list(asker.areas),
        "bbox": entry.bbox,
        "filter": entry.filter,
        "rows_count": entry.rows_count,
        "purpose": asker.purpose,
        "request_id": asker.request_id or None,
        "detail": orjson.dumps(dict(entry.detail), option=orjson.OPT_SORT_KEYS).decode(),
    }
    return {
        name: _storable(value, _MOST.get(name)) if isinstance(value, str) else value for name, value in given.items()
    }


def _storable(text: str, most: int | None) -> str:
    """Return a text as the database can hold it, cut: an address that somebody made up may hold anything."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")[:most]


def read(
    store: Store,
    *,
    actions: Sequence[Action] | None = None,
    city_id: int | None = None,
    areas: Sequence[int] | None = None,
    actor: str | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Row]:
    """Return rows of the log, the newest first.

    Parameters
    ----------
    areas
        Only what was done in a scope within these areas; all of the city when None.
    before
        Only rows before this number: how a next page begins.
    """
    given = [actions, city_id, areas, actor, since, until, before, None, limit]
    with store.transaction(NO_CITY, read_only=True) as connection:
        return _rows(connection, given)


def walk(store: Store, *, after: int) -> list[Row]:
    """Return the next rows of the chain in their order, the first ones after number `after`."""
    with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        return _rows(connection, [None, None, None, None, None, None, None, after, PIECE])


_READ_TYPES: Final[tuple[Any, ...]] = (
    pg.ARRAY(sa.Text), sa.Integer, pg.ARRAY(sa.Integer), sa.Text, sa.DateTime(timezone=True),
    sa.DateTime(timezone=True), sa.BigInteger, sa.BigInteger, sa.Integer,
)  # fmt: skip


def _rows(connection: sa.Connection, given: Sequence[Any]) -> list[Row]:
    places = [
        sa.cast(list(value) if isinstance(value, tuple) else value, kind)
        for value, kind in zip(given, _READ_TYPES, strict=True)
    ]
    found = sa.func.audit.read(*places).table_valued(*_COLUMNS, name="found")
    return [_row(row) for row in connection.execute(sa.select(*(found.c[column.name] for column in _COLUMNS)))]


def _row(found: sa.Row[Any]) -> Row:
    values = {field.name: getattr(found, field.name) for field in fields(Row)}
    areas = None if values["areas"] is None else tuple(values["areas"])
    return Row(**{**values, "areas": areas, "previous": bytes(values["previous"]), "hash": bytes(values["hash"])})


def head(store: Store) -> Anchor:
    """Return the end of the chain, to be kept outside; number 0 while the log is empty."""
    newest = read(store, limit=1)
    at = dt.datetime.now(dt.UTC)
    return Anchor(newest[0].seq, newest[0].hash, at) if newest else Anchor(0, bytes(32), at)


def retain(store: Store, *, months: int) -> int:
    """Take away what is older than some months, from the front of the chain alone; return how many rows went.

    A row tells of it and holds the hash that the rest goes on from.

    Raises
    ------
    InvalidInput
        Fewer months than logs must be kept.
    """
    if months < LEAST_MONTHS:
        problem = Problem("too_few_months", f"must be {LEAST_MONTHS} or more (Cybersecurity Law, Art. 21)", "months")
        raise InvalidInput("the log must be kept longer", [problem])
    asker = trail().asker
    keep_from = sa.func.now() - sa.func.make_interval(0, months)
    given = (asker.account_id, asker.account, asker.role, asker.request_id)
    kinds = (sa.BigInteger, sa.Text, sa.Text, sa.Text)
    places: list[Any] = [sa.cast(value, kind) for value, kind in zip(given, kinds, strict=True)]
    with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
        return int(connection.scalar(sa.select(sa.func.audit.retain(keep_from, *places))) or 0)
