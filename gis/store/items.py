"""Pages of features as GeoJSON, written by the database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import aggregate_order_by

from gis.crs import Reference, is_metric
from gis.errors import NotFound
from gis.store.boxes import Bounds
from gis.store.clauses import bound, clauses
from gis.store.engine import API_TIMEOUT_S, Scope, Store
from gis.store.query import LONLAT_SRID, MAX_KEY, ItemQuery, QueryShape
from gis.store.relations import Relation, Source
from gis.store.statement import Statement, compiled, plain

DIGITS: Final = 7
"""Decimals of a degree in GeoJSON: about a centimetre."""
METRE_DIGITS: Final = 3
COUNTED: Final = 10_000
"""Counts are exact up to here; counting on costs more than the page."""
EXTENT_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One page of features.

    Attributes
    ----------
    features
        A JSON array of GeoJSON features, as text.
    counted
        How many features pass the filter on all pages together; of more than 10,000, 10,001.
    next_token
        What continues after this page as `ItemQuery.after`; None on the last one.
    """

    features: str
    returned: int
    counted: int
    next_token: str | None

    @property
    def matched(self) -> int | None:
        """How many features pass the filter on all pages together; None when more than 10,000 do."""
        return self.counted if self.counted <= COUNTED else None


@dataclass(frozen=True, slots=True)
class Item:
    """One feature.

    Attributes
    ----------
    feature
        GeoJSON, as text.
    version
        Of the feature, raised with each of its changes; what was computed never changes and stays at 1.
    """

    feature: str
    version: int


@dataclass(frozen=True, slots=True)
class Extent:
    """Where and when the features of a relation are.

    Attributes
    ----------
    bounds
        None where no feature has a geometry.
    period
        First and last instant; None where time plays no part.
    count
        Features in all, those without a geometry included.
    """

    bounds: Bounds | None
    period: tuple[dt.datetime, dt.datetime] | None
    count: int


async def page(
    store: Store,
    scope: Scope,
    relation: Relation,
    columns: Sequence[str],
    query: ItemQuery,
    *,
    counted: int | None = None,
) -> ItemPage:
    """Return one page of features in the order of their keys.

    Parameters
    ----------
    columns
        The properties that may leave the server, and the only ones that the query may filter by.
    counted
        `ItemPage.counted` of an earlier page of the same rows and filter, so that they need not be counted again.

    Raises
    ------
    InvalidInput
        The filter names another property or a value of a wrong kind, or the page token is of another filter.
    """
    relation = relation.within(scope)
    values = bound(relation, scope, query, columns)
    values |= {"after": query.position(relation.name), "limit": query.limit}
    shape = query.shape
    statement = _page_statement(relation.source, tuple(columns), shape)
    filtered = shape._replace(after=False, srid=LONLAT_SRID, north_first=False)
    features, last, found = await statement.value(store, scope, values, timeout_s=API_TIMEOUT_S)
    if counted is None and (shape.after or found > query.limit):
        count = _count_statement(relation.source, filtered)
        counted = await count.value(store, scope, values, timeout_s=API_TIMEOUT_S)
    return ItemPage(
        features=f"[{features or ''}]",
        returned=min(found, query.limit),
        counted=found if counted is None else counted,
        next_token=query.token(relation.name, last) if found > query.limit else None,
    )


async def item(
    store: Store,
    scope: Scope,
    relation: Relation,
    columns: Sequence[str],
    key: int,
    *,
    crs: Reference | None = None,
) -> Item:
    """Return one feature, its geometry in degrees or in the system asked for.

    Raises
    ------
    NotFound
        There is none with that key in the scope.
    """
    row, relation = None, relation.within(scope)
    if 0 < key <= MAX_KEY:
        async with store.reading(scope) as connection:
            values = {**relation.values(scope), "key": key}
            shape = ItemQuery(crs=crs).shape
            row = await _item_statement(relation.source, tuple(columns), shape).row(connection, values)
    if row is None:
        raise NotFound(f"there is no feature {key}")
    return Item(str(row["feature"]), row["version"])


async def extent(store: Store, scope: Scope, relation: Relation) -> Extent:
    """Return where and when the features of a relation are, and how many; reads every row."""
    relation = relation.within(scope)
    async with store.reading(scope, timeout_s=EXTENT_TIMEOUT_S) as connection:
        row = await _extent_statement(relation.source).row_of_workers(connection, relation.values(scope))
    return Extent(
        bounds=None if row["west"] is None else (row["west"], row["south"], row["east"], row["north"]),
        period=None if row["first"] is None else (row["first"], row["last"]),
        count=row["count"],
    )


def feature(source: Source, columns: Sequence[str], shape: QueryShape) -> sa.ColumnElement[Any]:
    """Return the SQL of one GeoJSON feature."""
    properties = (part for name in columns for part in (_text(name), _property(source, name)))
    return func.json_build_object(
        *(_text("type"), _text("Feature")),
        *(_text("id"), source.id),
        *(_text("geometry"), sa.cast(_geojson(source, shape), sa.JSON)),
        *(_text("properties"), func.json_build_object(*properties)),
    )


def _geojson(source: Source, shape: QueryShape) -> sa.ColumnElement[Any]:
    """Return the SQL of a geometry in the reference system and order of axes that are asked for."""
    geometry: sa.ColumnElement[Any] = source.geom
    if shape.srid != LONLAT_SRID:
        geometry = func.ST_Transform(geometry, sa.literal_column(str(int(shape.srid))))
    if shape.north_first:
        geometry = func.ST_FlipCoordinates(geometry)
    digits = METRE_DIGITS if is_metric(shape.srid) else DIGITS
    # Without a "crs" member of its own: the header Content-Crs says it.
    return func.ST_AsGeoJSON(geometry, sa.literal_column(str(digits)), sa.literal_column("0"))


def _text(constant: str) -> sa.ColumnElement[str]:
    return sa.cast(sa.literal(constant), sa.Text)


def _property(source: Source, name: str) -> sa.ColumnElement[Any]:
    return plain(source.table.c[name], source.spec.column(name).kind)


@lru_cache(maxsize=512)
def _page_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    limit = sa.bindparam("limit", type_=sa.BigInteger)
    rows = (
        sa.select(source.id.label("id"), feature(source, columns, shape).label("feature"))
        .where(*clauses(source, shape))
        .order_by(source.id)
        .limit(limit + 1)  # one more tells whether there is a next page
    )
    if shape.after:
        rows = rows.where(source.id > sa.bindparam("after", type_=sa.BigInteger))
    # Numbered after the limit: numbering is what would have all rows of a box sorted for a page of a hundred.
    some = rows.subquery("some")
    found = sa.select(some, func.row_number().over(order_by=some.c.id).label("place")).subquery("found")
    on_page = found.c.place <= limit
    joined = func.string_agg(sa.cast(found.c.feature, sa.Text), aggregate_order_by(_text(","), found.c.id))
    page = func.row(joined.filter(on_page), func.max(found.c.id).filter(on_page), func.count(found.c.id))
    return compiled(sa.select(page.label("page")))


@lru_cache(maxsize=512)
def _count_statement(source: Source, shape: QueryShape) -> Statement:
    some = sa.select(sa.literal(1).label("one")).where(*clauses(source, shape)).limit(COUNTED + 1).subquery("some")
    return compiled(sa.select(func.count().label("counted")).select_from(some))


@lru_cache(maxsize=64)
def _item_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    wanted = source.id == sa.bindparam("key", type_=sa.BigInteger)
    version = source.table.c.version if "version" in source.table.c else sa.literal_column("1")
    found = sa.select(feature(source, columns, shape).label("feature"), version.label("version"))
    return compiled(found.where(*source.fixed, wanted))


@lru_cache(maxsize=64)
def _extent_statement(source: Source) -> Statement:
    box = func.ST_Extent(source.geom)
    first, last = (sa.null(), sa.null()) if source.time is None else (func.min(source.time), func.max(source.time))
    sides = {"west": func.ST_XMin, "south": func.ST_YMin, "east": func.ST_XMax, "north": func.ST_YMax}
    return compiled(
        sa.select(
            *(side(box).label(name) for name, side in sides.items()),
            first.label("first"),
            last.label("last"),
            func.count().label("count"),
        )
        .select_from(source.table)
        .where(*source.fixed)
    )
