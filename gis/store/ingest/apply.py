"""The one transaction that makes an import visible: rows are added or changed only where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.frame import FrameSpec
from gis.store.cities import CityRow
from gis.store.frames import raise_version
from gis.store.ingest import edited, ledger
from gis.store.ingest.stage import accuse
from gis.store.placing import AREA_FRAMES, area_of, place
from gis.store.spatial import normal
from gis.store.tables import FRAME_TABLES, STAGE_TABLES


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the waiting rows; `kept` were edited here since, and are as their source gave them before."""

    inserted: int
    updated: int
    unchanged: int
    kept: int = 0


def apply(connection: sa.Connection, city: CityRow, spec: FrameSpec, *, batch_id: int, source: str) -> Applied:
    """Take the waiting rows of a batch over into their frame and empty the waiting table.

    A row is known by its source and `source_id`. One that differs in nothing is not touched; one that does gets the
    next version number; the frame's version is raised when any row was.
    """
    table, stage = FRAME_TABLES[spec.id], STAGE_TABLES[spec.id]
    kept = edited.hold_back(connection, city, spec, batch_id=batch_id, source=source)
    closed = _close_versions(connection, city, spec, batch_id=batch_id, source=source)
    content = [*spec.names, "geom"]
    # The areas themselves are placed afterwards, with all that lies in them.
    placed = {} if spec.id in AREA_FRAMES.values() else {"area_id": area_of(spec.id, stage, city.id)}
    waiting = (
        sa.select(
            sa.literal(city.id, sa.SmallInteger),
            sa.literal(source),
            sa.literal(batch_id, sa.BigInteger),
            *(stage.c[name] for name in content),
            *placed.values(),
        )
        .where(stage.c.batch_id == batch_id)
        .order_by(*([stage.c.valid_from] if "valid_from" in stage.c else []), stage.c.row_number)
    )
    insert = pg.insert(table).from_select(["city_id", "source", "batch_id", *content, *placed], waiting)
    changeable = [name for name in content if name != spec.key]
    upsert = insert.on_conflict_do_update(
        index_elements=[table.c.city_id, table.c.source, table.c[spec.key]],
        set_={
            **{name: insert.excluded[name] for name in (*changeable, *placed)},
            "batch_id": insert.excluded.batch_id,
            "version": table.c.version + 1,
        },
        where=sa.or_(*(_differs(table.c[name], insert.excluded[name]) for name in changeable)),
    )
    # A row that was inserted has no deleting transaction yet.
    touched = upsert.returning((sa.literal_column("xmax") == sa.literal_column("0")).label("is_new")).cte("touched")
    inserted, changed = connection.execute(
        sa.select(
            sa.func.count().filter(touched.c.is_new),
            sa.func.count().filter(~touched.c.is_new),
        ).select_from(touched)
    ).one()
    waited = connection.scalar(sa.select(sa.func.count()).where(stage.c.batch_id == batch_id)) or 0
    ledger.empty_stage(connection, batch_id, spec.id)
    if inserted or changed or closed:
        raise_version(connection, city.id, spec.id)
        if spec.id in {*AREA_FRAMES.values(), "grids"}:
            place(connection, city.id, [spec.id])
    return Applied(inserted, changed, waited - inserted - changed, kept)


def _differs(old: sa.ColumnElement[Any], new: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return whether a value changed; a geometry written from another corner or as one part of many did not."""
    if old.key != "geom":
        return old.is_distinct_from(new)
    return sa.case((old.is_distinct_from(new), normal(old).is_distinct_from(normal(new))), else_=sa.false())


def withheld_count(connection: sa.Connection, spec: FrameSpec, batch_id: int) -> int:
    """Return how many waiting rows have their place withheld."""
    stage = STAGE_TABLES[spec.id]
    if "location_withheld" not in stage.c:
        return 0
    query = sa.select(sa.func.count()).where(stage.c.batch_id == batch_id, stage.c.location_withheld)
    return connection.scalar(query) or 0


def accuse_overlaps(connection: sa.Connection, city: CityRow, spec: FrameSpec, *, batch_id: int, source: str) -> int:
    """Turn rows whose validity would overlap another version of the same code into errors; return how many."""
    if not {"valid_from", "valid_to"} <= set(spec.names):
        return 0
    table, stage = FRAME_TABLES[spec.id], STAGE_TABLES[spec.id]
    twin, again = stage.alias("twin"), stage.alias("again")
    in_force = sa.func.daterange(stage.c.valid_from, stage.c.valid_to)
    backwards = stage.c.valid_to <= stage.c.valid_from
    total = accuse(
        connection, batch_id, spec,
        _sentence(stage, "valid_to", "ends_before_it_begins", "the last day lies before the first").where(
            stage.c.batch_id == batch_id, backwards
        ),
    )  # fmt: skip
    total += accuse(
        connection, batch_id, spec,
        _sentence(stage, "valid_from", "versions_overlap", "two rows have this code on the same days").where(
            stage.c.batch_id == batch_id,
            sa.exists(
                sa.select(twin.c.row_number).where(
                    twin.c.batch_id == batch_id,
                    twin.c.code == stage.c.code,
                    twin.c.row_number != stage.c.row_number,
                    sa.func.daterange(twin.c.valid_from, twin.c.valid_to).op("&&")(in_force),
                )
            ),
        ),
    )  # fmt: skip
    replaced = sa.exists(
        sa.select(again.c.row_number).where(
            again.c.batch_id == batch_id, again.c[spec.key] == table.c[spec.key], table.c.source == source
        )
    )
    closing = sa.and_(table.c.source == source, table.c.valid_from < stage.c.valid_from)
    total += accuse(
        connection, batch_id, spec,
        _sentence(
            stage, "valid_from", "versions_overlap",
            "the city has this code for the same days already, from another source or a later version",
        ).where(
            stage.c.batch_id == batch_id,
            sa.exists(
                sa.select(table.c.id).where(
                    table.c.city_id == city.id,
                    table.c.code == stage.c.code,
                    sa.func.daterange(table.c.valid_from, table.c.valid_to).op("&&")(in_force),
                    ~replaced,
                    ~closing,
                )
            ),
        ),
    )  # fmt: skip
    return total


def _sentence(stage: sa.Table, name: str, code: str, message: str) -> sa.Select[Any]:
    return sa.select(stage.c.row_number, sa.literal(name), sa.literal(code), sa.literal(message))


def _close_versions(connection: sa.Connection, city: CityRow, spec: FrameSpec, *, batch_id: int, source: str) -> int:
    """End the versions that a new version of the same code follows, on its first day; return how many."""
    if not {"valid_from", "valid_to"} <= set(spec.names):
        return 0
    table, stage = FRAME_TABLES[spec.id], STAGE_TABLES[spec.id]
    next_day = (
        sa.select(sa.func.min(stage.c.valid_from))
        .where(stage.c.batch_id == batch_id, stage.c.code == table.c.code, stage.c.valid_from > table.c.valid_from)
        .scalar_subquery()
    )
    ended = connection.execute(
        table.update()
        .where(
            table.c.city_id == city.id,
            table.c.source == source,
            next_day.is_not(None),
            sa.or_(table.c.valid_to.is_(None), table.c.valid_to > next_day),
        )
        .values(valid_to=next_day, version=table.c.version + 1, batch_id=batch_id)
    )
    return ended.rowcount
