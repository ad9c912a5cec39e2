"""Chunks of rows into the waiting table, and the judgements that need the whole file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.frame import FrameSpec
from gis.files.faults import Fault
from gis.store import wire
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Store
from gis.store.tables import IMPORT_ERRORS, STAGE_TABLES


def keep_rows(connection: sa.Connection, batch_id: int, spec: FrameSpec, frame: gpd.GeoDataFrame) -> None:
    """Copy good rows, index row number, into the waiting table of their frame."""
    if frame.empty:
        return
    columns: dict[str, pa.Array] = {
        "batch_id": pa.array(np.full(len(frame), batch_id, dtype=np.int64)),
        "row_number": pa.array(frame.index.to_numpy(dtype=np.int64)),
    }
    columns |= wire.arrow(spec, frame)
    wire.copy(connection, STAGE_TABLES[spec.id], columns)


def keep_faults(connection: sa.Connection, batch_id: int, faults: Iterable[Fault]) -> None:
    """Copy what is wrong with rows into the ledger, one entry a row, column and code."""
    rows: dict[tuple[int, str, str], str] = {}
    for fault in faults:
        for number, text in zip(fault.rows.tolist(), fault.sentences(), strict=True):
            rows.setdefault((number, fault.field, fault.code), text)
    if not rows:
        return
    numbers, fields, codes = zip(*rows, strict=True)
    columns = {
        "batch_id": pa.array(np.full(len(rows), batch_id, dtype=np.int64)),
        "row_number": pa.array(numbers, pa.int64()),
        "field": pa.array(fields, pa.string()),
        "code": pa.array(codes, pa.string()),
        "message": pa.array(list(rows.values()), pa.string()),
    }
    wire.insert(connection, IMPORT_ERRORS, columns)


def survey(store: Store, spec: FrameSpec) -> None:
    """Count the waiting rows for the planner, which would take a table filled a moment ago for an empty one.

    They were kept in transactions of their own, and only its owner may count the rows of a table.
    """
    analyze = sa.schema.DDL("ANALYZE %(fullname)s")  # type: ignore[no-untyped-call]
    with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
        connection.execute(analyze.against(STAGE_TABLES[spec.id]))


def number_equal_contents(connection: sa.Connection, batch_id: int, spec: FrameSpec) -> None:
    """Tell rows with equal content apart by a serial, so that each has an identifier of its own."""
    stage = STAGE_TABLES[spec.id]
    serial = sa.func.row_number().over(partition_by=stage.c.source_id, order_by=stage.c.row_number)
    numbered = sa.select(stage.c.row_number, serial.label("serial")).where(stage.c.batch_id == batch_id).cte("numbered")
    connection.execute(
        stage.update()
        .where(stage.c.batch_id == batch_id, stage.c.row_number == numbered.c.row_number, numbered.c.serial > 1)
        .values(source_id=stage.c.source_id + "-" + sa.cast(numbered.c.serial, sa.Text))
    )


def dissolve(connection: sa.Connection, batch_id: int, spec: FrameSpec, column: str) -> int:
    """Unite the areas of rows that have the same value in `column`; return how many rows were taken up by others.

    Rows that differ in anything else than their identifier stay apart, with an error each.
    """
    stage = STAGE_TABLES[spec.id]
    mine, key = stage.c.batch_id == batch_id, stage.c[column]
    others = [stage.c[c.name] for c in spec.columns if c.name not in (column, spec.key)]
    content = sa.cast(sa.func.row(*others), sa.Text) if others else sa.literal("")
    groups = (
        sa.select(
            key.label("key"),
            sa.func.min(stage.c.row_number).label("first"),
            sa.func.array_agg(stage.c.row_number).label("rows"),
            sa.func.ST_Union(stage.c.geom).label("geom"),
            (sa.func.min(content) == sa.func.max(content)).label("same"),
        )
        .where(mine, key.is_not(None))
        .group_by(key)
        .having(sa.func.count() > 1)
        .cte("groups")
    )
    accuse(
        connection,
        batch_id,
        spec,
        sa.select(
            stage.c.row_number,
            sa.literal(column),
            sa.literal("dissolve_differs"),
            sa.literal("rows to be united differ in another column: rows ")
            + sa.func.array_to_string(groups.c.rows, ", "),
        ).where(mine, key == groups.c.key, ~groups.c.same),
    )
    united = stage.update().where(mine, stage.c.row_number == groups.c.first).values(geom=groups.c.geom)
    connection.execute(united)
    twin = stage.alias("twin")
    removed = connection.execute(
        stage.delete().where(
            mine,
            sa.exists(
                sa.select(twin.c.row_number).where(
                    twin.c.batch_id == batch_id, twin.c[column] == key, twin.c.row_number < stage.c.row_number
                )
            ),
        )
    )
    return removed.rowcount


def accuse_duplicates(connection: sa.Connection, batch_id: int, spec: FrameSpec) -> int:
    """Turn rows that share an identifier into errors that name one another; return how many rows."""
    stage = STAGE_TABLES[spec.id]
    key, number = stage.c[spec.key], stage.c.row_number
    before = sa.func.lag(number).over(partition_by=key, order_by=number)
    after = sa.func.lead(number).over(partition_by=key, order_by=number)
    twin = sa.func.coalesce(before, after)
    rows = sa.select(number, twin.label("twin")).where(stage.c.batch_id == batch_id).subquery()
    return accuse(
        connection,
        batch_id,
        spec,
        sa.select(
            rows.c.row_number,
            sa.literal(spec.key),
            sa.literal("duplicate_identifier"),
            sa.literal("the same identifier stands in row ") + sa.cast(rows.c.twin, sa.Text),
        ).where(rows.c.twin.is_not(None)),
    )


def accuse(connection: sa.Connection, batch_id: int, spec: FrameSpec, accused: sa.Select[Any]) -> int:
    """Move rows (row number, field, code, message) from the waiting table to the errors; return how many."""
    stage = STAGE_TABLES[spec.id]
    columns = ["row_number", "field", "code", "message", "batch_id"]
    found = IMPORT_ERRORS.insert().from_select(columns, accused.add_columns(sa.literal(batch_id, sa.BigInteger)))
    numbers = connection.execute(found.returning(IMPORT_ERRORS.c.row_number)).scalars().all()
    if numbers:
        connection.execute(
            stage.delete().where(
                stage.c.batch_id == batch_id, stage.c.row_number == sa.any_(sa.cast(numbers, pg.ARRAY(sa.BigInteger)))
            )
        )
    return len(set(numbers))
