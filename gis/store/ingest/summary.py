"""The errors of a batch as a person reads them: one entry a code and column, with counts and the first rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.frame import EXAMPLE_ROWS
from gis.errors import Problem
from gis.files.convert import NOTES
from gis.files.faults import SHOWN_MESSAGES
from gis.store.tables import IMPORT_BATCHES, IMPORT_ERRORS

WARNING_CODES = (*NOTES, "place_dropped", "edit_overwritten")
"""Codes of rows that are taken all the same."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the ledger holds about the rows of a batch."""

    rows_read: int
    rows_bad: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def summary(connection: sa.Connection, batch_id: int) -> Summary:
    """Return the errors of a batch grouped by column and code."""
    columns = IMPORT_ERRORS.c
    mine = columns.batch_id == batch_id
    is_warning = columns.code.in_(WARNING_CODES)
    groups = connection.execute(
        sa.select(
            columns.code,
            columns.field,
            sa.func.count().label("total"),
            _first(columns.row_number, SHOWN_MESSAGES).label("rows"),
            _first(columns.message, SHOWN_MESSAGES, by=columns.row_number).label("messages"),
            sa.func.count(sa.distinct(columns.message)).label("distinct"),
            is_warning.label("is_warning"),
        )
        .where(mine)
        .group_by(columns.code, columns.field)
        .order_by(sa.func.min(columns.row_number), columns.field, columns.code)
    ).all()
    rows_bad = connection.scalar(sa.select(sa.func.count(sa.distinct(columns.row_number))).where(mine, ~is_warning))
    rows_read = connection.scalar(sa.select(IMPORT_BATCHES.c.rows_read).where(IMPORT_BATCHES.c.id == batch_id))
    problems = tuple(_problem(row) for row in groups if not row.is_warning)
    warnings = tuple(_problem(row) for row in groups if row.is_warning)
    return Summary(rows_read or 0, rows_bad or 0, problems, warnings)


def _first(column: sa.Column[Any], count: int, *, by: sa.Column[Any] | None = None) -> sa.ColumnElement[Any]:
    order = column if by is None else by
    return sa.func.array_agg(pg.aggregate_order_by(column, order), type_=pg.ARRAY(column.type))[1:count]


def _problem(row: sa.Row[Any]) -> Problem:
    """Return one problem; where its sentences differ, each of the first rows brings its own."""
    if row.distinct == 1:
        return Problem(row.code, row.messages[0], row.field, tuple(row.rows[:EXAMPLE_ROWS]), row.total)
    texts = [f"row {number}: {text}" for number, text in zip(row.rows, row.messages, strict=True)]
    more = f"; and {row.total - len(texts)} more" if row.total > len(texts) else ""
    return Problem(row.code, "; ".join(texts) + more, row.field, tuple(row.rows[:EXAMPLE_ROWS]), row.total)
