"""Statements for the asynchronous driver: built with SQLAlchemy Core, compiled once, run as prepared statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.asyncpg import dialect

from gis.contract.frame import Kind
from gis.errors import InvalidInput, NotFound, Problem
from gis.store.engine import Plan, Scope, Store

_DIALECT: Final[sa.Dialect] = dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False, slots=True)
class Statement:
    """SQL text with ``$1`` places, and what goes into each.

    Attributes
    ----------
    names
        Name of the parameter at each place.
    constants
        Values of those parameters that are part of the statement itself.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    async def row(self, connection: asyncpg.Connection, values: Mapping[str, object]) -> Any:
        """Run it and return its first row, None when there is none.

        Without parallel workers, which a query that is asked for one row only never gets: to start them takes longer
        than a page or a tile, and many are asked for at the same time.

        Raises
        ------
        NotFound
            The table has never been made.
        InvalidInput
            A filter computes a number that is too large.
        """
        with _named():
            return await connection.fetchrow(self.sql, *self._places(values))

    async def row_of_workers(self, connection: asyncpg.Connection, values: Mapping[str, object]) -> Any:
        """Do the same with parallel workers, for what reads a good part of a big table."""
        with _named():
            rows = await connection.fetch(self.sql, *self._places(values))
        return rows[0] if rows else None

    async def value(
        self, store: Store, scope: Scope, values: Mapping[str, object], *, timeout_s: float, plan: Plan = "each"
    ) -> Any:
        """Return the one value of a statement of one row and one column, see `Store.value`."""
        with _named():
            return await store.value(scope, self.sql, self._places(values), timeout_s=timeout_s, plan=plan)

    def _places(self, values: Mapping[str, object]) -> list[object]:
        return [self.constants[name] if name in self.constants else values[name] for name in self.names]


@contextmanager
def _named() -> Iterator[None]:
    """Give names to what a query that is right in itself can run into."""
    try:
        yield
    except asyncpg.UndefinedTableError:
        raise NotFound("this service has no results yet") from None
    except asyncpg.NumericValueOutOfRangeError:
        problem = Problem("number_out_of_range", "computes a number that is too large", "filter")
        raise InvalidInput("the query is not valid", [problem]) from None


def compiled(query: sa.Select[Any]) -> Statement:
    """Return the statement of a query; every named ``bindparam`` in it must be given at each run."""
    result = query.compile(dialect=_DIALECT)
    names = tuple(result.positiontup or ())
    constants = {name: result.params[name] for name in names if not result.binds[name].required}
    return Statement(result.string, names, constants)


def plain(column: sa.ColumnElement[Any], kind: Kind) -> sa.ColumnElement[Any]:
    """Return a column as JSON and vector tiles hold it: instants as RFC 3339 in UTC, dates as ISO 8601, both text.

    The connections of `Store.reading` and `Store.value` write times as ISO 8601 has it but for the letter between date
    and time. Putting that in costs half of what the database's own JSON does.
    """
    if kind == "instant":
        at = sa.cast(sa.func.timezone("UTC", column), sa.Text)
        return sa.func.replace(at, sa.literal_column("' '"), sa.literal_column("'T'"), type_=sa.Text).concat("Z")
    return sa.cast(column, sa.Text) if kind == "date" else column
