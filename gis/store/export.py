"""A frame of a city, or the result of a run, to a file; importing it again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import psycopg
import sqlalchemy as sa

from gis.contract.result import Result
from gis.contract.service import service
from gis.errors import InvalidInput, Problem, StoreUnavailable
from gis.files.rows import Rows, rows_of
from gis.files.write import About, write_file, write_rows
from gis.store import wire
from gis.store.cities import CityRow
from gis.store.clauses import bound, clauses
from gis.store.cql2 import Filter
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.query import ItemQuery
from gis.store.relations import Relation, Source, frame_relation, result_relation
from gis.store.results import get

PART_ROWS: Final = 10_000
"""Rows that stand in memory at a time while a file is written."""


def export_frame(store: Store, city: CityRow, frame_id: str, path: Path, *, where: Filter | None = None) -> Path:
    """Write one frame of a city, of grids those in force today; the format goes by the file's ending.

    With a filter, only the rows that pass it. Only the columns of the contract leave the house, geometry in
    EPSG:4326, instants in UTC.

    Returns
    -------
    Path
        Where it was written, see `gis.files.write.write_rows`.

    Raises
    ------
    NotFound
        There is no frame of that name.
    UnsupportedMedia, InvalidInput, TooLarge
        The format is not written here, or cannot hold these rows.
    """
    relation = frame_relation(frame_id)
    spec = relation.source.spec
    with matching(store, city, relation, spec.names, ItemQuery(where=where)) as rows:
        return write_rows(path, rows, spec, about(frame_id, spec.title.en, city))


def export_run(store: Store, city: CityRow, run_id: int, path: Path, *, where: Filter | None = None) -> Path:
    """Write the features of a run, or those of them that pass a filter; as `export_frame`."""
    declared = service(get(store, city, run_id).service)
    relation = result_relation(declared, run_id)
    with matching(store, city, relation, declared.output.names, ItemQuery(where=where)) as rows:
        return write_rows(path, rows, declared.output, about(declared.id, declared.title.en, city))


@contextmanager
def matching(
    store: Store, city: CityRow, relation: Relation, columns: Sequence[str], query: ItemQuery
) -> Iterator[Rows]:
    """Give those columns of all rows of a relation that pass a filter, whatever its page, part by part.

    Geometry in EPSG:4326. The rows are read while the block lasts, and at most `PART_ROWS` of them at a time.

    Raises
    ------
    InvalidInput
        The filter reads another property than `columns`, or a value is of a wrong kind.
    NotFound
        The service never ran.
    StoreUnavailable
        Rows of a kind came in that were not there a moment before; asking again helps.
    """
    relation = relation.within(city.scope)
    source = relation.source
    values = bound(relation, city.scope, query, columns)
    met = clauses(source, query.shape)
    with _number_problems(), store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        known = connection.execute(_facts(source, met), values).one()
        kinds = frozenset(kind.removeprefix("ST_") for kind in known.kinds or () if kind is not None)
        facts = Rows(iter(()), kinds, placeless=bool(known.placeless), count=known.rows_count)
        parts = wire.read_parts(
            connection, source.spec, source.table, *met, values=values, only=columns, part_rows=PART_ROWS
        )
        yield Rows(_as_known(parts, facts), kinds, facts.placeless, facts.count)


def _facts(source: Source, met: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    kind = sa.func.ST_GeometryType(source.geom)
    return (
        sa.select(
            sa.func.count().label("rows_count"),
            sa.func.array_agg(kind.distinct()).label("kinds"),
            sa.func.bool_or(source.geom.is_(None)).label("placeless"),
        )
        .select_from(source.table)
        .where(*met)
    )


def _as_known(parts: Iterator[gpd.GeoDataFrame], facts: Rows) -> Iterator[gpd.GeoDataFrame]:
    """Yield the parts as long as they are what the file was begun for; the transaction sees what others commit."""
    for part in parts:
        found = rows_of(part)
        if not found.kinds <= facts.kinds or (found.placeless and not facts.placeless):
            raise StoreUnavailable("the rows changed while the file was begun; ask again")
        yield part


@contextmanager
def _number_problems() -> Iterator[None]:
    """Let a filter whose sum is too large be the asker's problem."""
    try:
        yield
    except (psycopg.errors.NumericValueOutOfRange, sa.exc.DataError) as error:
        if isinstance(error, sa.exc.DataError) and not isinstance(error.orig, psycopg.errors.NumericValueOutOfRange):
            raise
        problem = Problem("number_out_of_range", "computes a number that is too large", "filter")
        raise InvalidInput("the query is not valid", [problem]) from None


def export_result(result: Result, path: Path, *, city: CityRow) -> Path:
    """Write the features of a run; as `export_frame`."""
    declared = service(result.service)
    return write_file(path, result.features, declared.output, about(result.service, declared.title.en, city))


def about(layer: str, title: str, city: CityRow, *, masking: str = "") -> About:
    """Return what a file of a city's layer says about itself."""
    profile = city.profile
    return About(layer, f"{title}, {profile.title.en}", profile.attribution, profile.synthetic, masking)
