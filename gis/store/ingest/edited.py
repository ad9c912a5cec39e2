"""Rows that were edited here by hand, when their source is imported again.

An edit is kept as long as the source says of the row what it said before the edit. A row that the source has changed
since is taken from the source, and the report of the import names it: nothing is lost without a word.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.frame import FrameSpec
from gis.store.cities import CityRow
from gis.store.spatial import normal
from gis.store.tables import EDITED_ROWS, FRAME_TABLES, IMPORT_ERRORS, STAGE_TABLES

CODE = "edit_overwritten"
"""Of the warning about a row whose edit gave way to its source."""


def content_md5(table: sa.FromClause, spec: FrameSpec) -> sa.ColumnElement[str]:
    """Return the digest of a row's content, the same in a frame's table and in its waiting table."""
    columns: list[sa.ColumnElement[Any]] = []
    for column in spec.columns:
        if column.name != spec.key:
            have = table.c[column.name]
            # As text an instant depends on the clock of the session, unless it is told.
            columns.append(sa.func.timezone("UTC", have) if column.kind == "instant" else have)
    row = sa.func.row(*columns, normal(table.c.geom))
    return sa.func.md5(sa.cast(row, sa.Text))


def remember(connection: sa.Connection, city_id: int, spec: FrameSpec, key: int, *, is_removed: bool) -> None:
    """Keep what the source last said of a row, in the transaction that edits it and before it does."""
    table = FRAME_TABLES[spec.id]
    as_it_is = sa.select(
        table.c.city_id,
        sa.literal(spec.id),
        table.c.source,
        table.c[spec.key],
        content_md5(table, spec),
        sa.literal(is_removed),
    ).where(table.c.city_id == city_id, table.c.id == key)
    names = ["city_id", "frame", "source", "source_id", "content_md5", "is_removed"]
    insert = pg.insert(EDITED_ROWS).from_select(names, as_it_is)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=list(EDITED_ROWS.primary_key),
            # The digest stays: it is the source's word, and the row holds an earlier edit by now.
            set_={"is_removed": sa.literal(is_removed), "edited_at": sa.func.now()},
        )
    )


def note_conflicts(connection: sa.Connection, city: CityRow, spec: FrameSpec, *, batch_id: int, source: str) -> None:
    """Name the waiting rows that will take the place of an edit, as warnings of the batch."""
    stage = STAGE_TABLES[spec.id]
    edited = sa.literal("was edited here; the source has changed it since, and what the source says is taken")
    removed = sa.literal("was removed here; the source has changed it since, so it is back")
    found = (
        sa.select(
            sa.literal(batch_id, sa.BigInteger),
            stage.c.row_number,
            sa.literal(spec.key),
            sa.literal(CODE),
            sa.case((EDITED_ROWS.c.is_removed, removed), else_=edited),
        )
        .select_from(stage)
        .where(*_joined(stage, city, spec, batch_id, source), content_md5(stage, spec) != EDITED_ROWS.c.content_md5)
    )
    names = ["batch_id", "row_number", "field", "code", "message"]
    connection.execute(pg.insert(IMPORT_ERRORS).from_select(names, found).on_conflict_do_nothing())


def hold_back(connection: sa.Connection, city: CityRow, spec: FrameSpec, *, batch_id: int, source: str) -> int:
    """Take out the waiting rows that say what they said before an edit, forget the edits that give way.

    Returns
    -------
    int
        How many edits are kept.
    """
    stage = STAGE_TABLES[spec.id]
    mine = _joined(stage, city, spec, batch_id, source)
    kept = connection.execute(
        stage.delete().where(*mine, content_md5(stage, spec) == EDITED_ROWS.c.content_md5)
    ).rowcount
    connection.execute(EDITED_ROWS.delete().where(*mine))
    return kept


def _joined(
    stage: sa.Table, city: CityRow, spec: FrameSpec, batch_id: int, source: str
) -> tuple[sa.ColumnElement[Any], ...]:
    return (
        stage.c.batch_id == batch_id,
        EDITED_ROWS.c.city_id == city.id,
        EDITED_ROWS.c.frame == spec.id,
        EDITED_ROWS.c.source == source,
        EDITED_ROWS.c.source_id == stage.c[spec.key],
    )
