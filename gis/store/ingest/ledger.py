"""The ledger of imports: who is at work on which file, how far, and with what result."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.errors import Conflict, NotFound
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.ingest.report import ImportReport
from gis.store.tables import IMPORT_BATCHES, IMPORT_ERRORS, STAGE_TABLES

FRAME_WAIT_S = 120.0
"""How long an import waits for another one into the same frame."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One import as the ledger knows it."""

    id: int
    frame: str
    source: str
    state: str
    rows_read: int
    rows_bad: int
    report: ImportReport | None
    started_at: dt.datetime
    applied_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RowError:
    """One problem of one row."""

    row_number: int
    field: str
    code: str
    message: str


@contextmanager
def lease(store: Store, city: CityRow, key: str) -> Iterator[sa.Connection]:
    """Hold the right to work on one file while the block runs; its transaction is also the one that applies.

    The right ends with the process that has it, however it ends.

    Raises
    ------
    Conflict
        Another importer is at work on this file.
    """
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_lock("file", city, key)))):
            raise Conflict("this file is being imported by another process at this moment")
        yield connection


def wait_for_frame(connection: sa.Connection, city: CityRow, frame_id: str) -> None:
    """Wait until no other import applies to the frame; they would lock rows in different orders.

    Raises
    ------
    Conflict
        The other one takes too long; what has been read so far is kept.
    """
    deadline = time.monotonic() + FRAME_WAIT_S
    # Asking again and again, because a server ends a statement that waits for a lock.
    while not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_lock("frame", city, frame_id)))):
        if time.monotonic() > deadline:
            raise Conflict(f"another import is being applied to {frame_id}: start this one again, it goes on from here")
        time.sleep(0.2)


def _lock(what: str, city: CityRow, name: str) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(f"wangge import {what} {city.id} {name}", 0)


def finished(store: Store, city: CityRow, frame_id: str, key: str) -> BatchRow | None:
    """Return the applied import of just this file, unless a later one of the same source came over it."""
    later = IMPORT_BATCHES.alias("later")
    with store.transaction(city.scope, read_only=True) as connection:
        row = connection.execute(
            _of_key(city, frame_id, key).where(
                IMPORT_BATCHES.c.state == "applied",
                ~sa.exists(
                    sa.select(later.c.id).where(
                        later.c.city_id == IMPORT_BATCHES.c.city_id,
                        later.c.frame == IMPORT_BATCHES.c.frame,
                        later.c.source == IMPORT_BATCHES.c.source,
                        later.c.applied_at > IMPORT_BATCHES.c.applied_at,
                    )
                ),
            )
        ).one_or_none()
    return None if row is None else _row(row)


def open_batch(
    store: Store, city: CityRow, frame_id: str, *, key: str, source: str, options: dict[str, Any]
) -> BatchRow:
    """Return the batch of a file, new or as far as an earlier try came; one that ended starts anew."""
    new = pg.insert(IMPORT_BATCHES).values(
        city_id=city.id, frame=frame_id, source=source, content_sha256=key, options=options, state="loading"
    )
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        connection.execute(new.on_conflict_do_nothing())
        row = connection.execute(_of_key(city, frame_id, key)).one()
        if row.state in ("loading", "staged"):
            return _row(row)
        restart(connection, row.id, frame_id)
        return _row(connection.execute(_of_key(city, frame_id, key)).one())


def restart(connection: sa.Connection, batch_id: int, frame_id: str) -> None:
    """Forget how far a batch came."""
    empty_stage(connection, batch_id, frame_id)
    connection.execute(IMPORT_ERRORS.delete().where(IMPORT_ERRORS.c.batch_id == batch_id))
    connection.execute(
        IMPORT_BATCHES.update()
        .where(IMPORT_BATCHES.c.id == batch_id)
        .values(state="loading", rows_read=0, rows_bad=0, report=None, applied_at=None, started_at=sa.func.now())
    )


def advance(connection: sa.Connection, batch_id: int, *, before: int, rows: int, bad: int) -> None:
    """Record that `rows` more have been read, in the transaction that keeps them.

    Raises
    ------
    Conflict
        The batch is not where this importer left it.
    """
    moved = connection.execute(
        IMPORT_BATCHES.update()
        .where(
            IMPORT_BATCHES.c.id == batch_id,
            IMPORT_BATCHES.c.state == "loading",
            IMPORT_BATCHES.c.rows_read == before,
        )
        .values(rows_read=before + rows, rows_bad=IMPORT_BATCHES.c.rows_bad + bad)
    )
    if moved.rowcount != 1:
        raise Conflict("another process has gone on with this import")


def settle(connection: sa.Connection, batch_id: int, *, state: str, report: ImportReport) -> None:
    """Record the outcome of a batch."""
    applied_at = sa.func.clock_timestamp() if state == "applied" else None
    connection.execute(
        IMPORT_BATCHES.update()
        .where(IMPORT_BATCHES.c.id == batch_id)
        .values(state=state, rows_bad=report.rows_bad, report=report.as_dict(), applied_at=applied_at)
    )


def empty_stage(connection: sa.Connection, batch_id: int, frame_id: str) -> None:
    """Take the rows of a batch out of the waiting table."""
    stage = STAGE_TABLES[frame_id]
    connection.execute(stage.delete().where(stage.c.batch_id == batch_id))


def batches(store: Store, city: CityRow, *, limit: int = 100) -> list[BatchRow]:
    """Return the imports of a city, the latest first."""
    query = _batches().where(IMPORT_BATCHES.c.city_id == city.id).order_by(IMPORT_BATCHES.c.id.desc()).limit(limit)
    with store.transaction(city.scope, read_only=True) as connection:
        return [_row(row) for row in connection.execute(query)]


def batch(store: Store, city: CityRow, batch_id: int) -> BatchRow:
    """Return one import of a city; `NotFound` when there is none of that number."""
    query = _batches().where(IMPORT_BATCHES.c.city_id == city.id, IMPORT_BATCHES.c.id == batch_id)
    with store.transaction(city.scope, read_only=True) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no import {batch_id}")
    return _row(row)


def row_errors(store: Store, city: CityRow, batch_id: int, *, limit: int = 1000, after_row: int = 0) -> list[RowError]:
    """Return the problems of an import's rows in the order of the file, of rows beyond `after_row`."""
    batch(store, city, batch_id)
    columns = IMPORT_ERRORS.c
    query = (
        sa.select(columns.row_number, columns.field, columns.code, columns.message)
        .where(columns.batch_id == batch_id, columns.row_number > after_row)
        .order_by(columns.row_number, columns.field, columns.code)
        .limit(limit)
    )
    with store.transaction(city.scope, read_only=True) as connection:
        return [RowError(*row) for row in connection.execute(query)]


def _batches() -> sa.Select[Any]:
    return sa.select(
        IMPORT_BATCHES.c.id,
        IMPORT_BATCHES.c.frame,
        IMPORT_BATCHES.c.source,
        IMPORT_BATCHES.c.state,
        IMPORT_BATCHES.c.rows_read,
        IMPORT_BATCHES.c.rows_bad,
        IMPORT_BATCHES.c.report,
        IMPORT_BATCHES.c.started_at,
        IMPORT_BATCHES.c.applied_at,
    )


def _of_key(city: CityRow, frame_id: str, key: str) -> sa.Select[Any]:
    columns = IMPORT_BATCHES.c
    return _batches().where(columns.city_id == city.id, columns.frame == frame_id, columns.content_sha256 == key)


def _row(row: sa.Row[Any]) -> BatchRow:
    report = None if row.report is None else ImportReport.from_dict(row.report)
    return BatchRow(
        row.id, row.frame, row.source, row.state, row.rows_read, row.rows_bad, report, row.started_at, row.applied_at
    )
