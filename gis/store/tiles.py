"""Vector tiles, written by the database from the stored EPSG:3857 geometry.

Areas and lines too small to be seen are left out. Points are never left out: where a tile holds more than a cap of
them, it holds one point a cell instead, and each says in ``n`` how many features it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.dialects import postgresql as pg

from gis.errors import NotFound
from gis.store import spatial
from gis.store.clauses import bound, clauses
from gis.store.engine import TILE_TIMEOUT_S, Scope, Store
from gis.store.query import ItemQuery, QueryShape
from gis.store.relations import Drawn, Relation, Source
from gis.store.statement import Statement, compiled, plain

MAX_ZOOM: Final = 22
EXTENT: Final = 4096
"""Units along the side of a tile."""
BUFFER: Final = 64
"""Units around the tile that are drawn too, so that a symbol or an outline is not cut at the border."""
FEATURE_CAP: Final = 5_000
"""Points that a tile holds one by one."""
CELLS: Final = 64
"""Cells along the side of a crowded tile: 8 pixels each on a tile of 512."""
COUNT_PROPERTY: Final = "n"
SEEN: Final = 2
"""Units: an area or line smaller than this in both directions is not seen (a quarter of a pixel)."""
LABELLED: Final = 64
"""Units: an area smaller than this in both directions has no room for a word (8 pixels)."""

_WORLD_M: Final = 20037508.342789244
_SIDES: Final = ("tile_west", "tile_south", "tile_east", "tile_north")
_WIDE_SIDES: Final = ("wide_west", "wide_south", "wide_east", "wide_north")
_OWN_SIDES: Final = ("own_west", "own_south", "own_east", "own_north")


async def tile(  # noqa: PLR0917 - the address of a tile is three numbers
    store: Store,
    scope: Scope,
    relation: Relation,
    columns: Sequence[str],
    z: int,
    x: int,
    y: int,
    query: ItemQuery,
    layer_name: str,
    *,
    drawn: Drawn | None = None,
    label_columns: Sequence[str] | None = None,
    cap: int = FEATURE_CAP,
) -> bytes:
    """Return a Mapbox vector tile of the WebMercatorQuad matrix; empty bytes where nothing is.

    Parameters
    ----------
    columns
        The properties that may leave the server, and the only ones that the query may filter by. The feature id is
        the row's key.
    query
        Its filter; limit and position play no part.
    layer_name
        Name of the main source layer. Areas have a second one, ``<name>_label``, with one point an area: in the tile
        that the point lies in, and only there.
    drawn
        How the features are drawn; by default as their contract says. Drawn as points, an area or a line is its
        middle.
    label_columns
        Properties of the second source layer; all of `columns` by default, none at all: no such layer.
    cap
        More points than this are counted by cells.

    Raises
    ------
    NotFound
        There is no such tile.
    InvalidInput
        The filter names another property or a value of a wrong kind.
    """
    relation = relation.within(scope)
    values = {
        **bound(relation, scope, query, columns),
        **_bounds(z, x, y),
        "layer": layer_name,
        "label_layer": f"{layer_name}_label",
        "cap": cap,
    }
    labels = tuple(dict.fromkeys(columns if label_columns is None else label_columns))
    shape = query.shape._replace(after=False)
    source, wanted, kind = relation.source, tuple(columns), drawn or relation.source.drawn
    async with store.reading(scope, timeout_s=TILE_TIMEOUT_S) as connection:
        if kind != "point":
            shapes = _shape_statement(source, wanted, shape, labels if kind == "polygon" else ())
            return bytes((await shapes.row(connection, values))["tile"])
        singles = (await _point_statement(source, wanted, shape).row(connection, values))["tile"]
        if singles is not None:
            return bytes(singles)
        return bytes((await _cell_statement(source, wanted, shape).row(connection, values))["tile"])


def _bounds(z: int, x: int, y: int) -> dict[str, float]:
    """Return the sides of a tile in EPSG:3857: as they are, with the buffer, and of what it owns; and its units.

    A tile owns the points that get whole coordinates from 0 to 4095 in it, so its own sides lie half a unit off. A side
    that two tiles share is the same number in both: each point is owned by exactly one tile.
    """
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise NotFound(f"there is no tile {z}/{y}/{x}")
    width = 2 * _WORLD_M / 2**z
    unit = width / EXTENT
    west, east = x * width - _WORLD_M, (x + 1) * width - _WORLD_M
    south, north = _WORLD_M - (y + 1) * width, _WORLD_M - y * width
    out, half = BUFFER * unit, unit / 2
    return {
        **dict(zip(_SIDES, (west, south, east, north), strict=True)),
        **dict(zip(_WIDE_SIDES, (west - out, south - out, east + out, north + out), strict=True)),
        **dict(zip(_OWN_SIDES, (west - half, south + half, east - half, north + half), strict=True)),
        "cell": width / CELLS,
        "unit": unit,
        "seen": SEEN * unit,
        "labelled": LABELLED * unit,
    }


@lru_cache(maxsize=512)
def _shape_statement(source: Source, columns: tuple[str, ...], shape: QueryShape, labels: tuple[str, ...]) -> Statement:
    """Return the statement of a tile of areas or lines, with labels where any of their columns is given."""
    main = _mvt(_shapes(source, columns, shape), "layer")
    if labels:
        main = main.op("||")(_mvt(_labels(source, labels, shape), "label_layer"))
    return compiled(sa.select(main.label("tile")))


@lru_cache(maxsize=512)
def _point_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    """Return the statement of a tile of points one by one: NULL where they are too many."""
    cap = sa.bindparam("cap", type_=sa.BigInteger)
    some = (
        sa.select(source.id.label("id"), _point(source).label("point"), *_properties(source, columns))
        .where(*clauses(source, shape), source.geom_3857.op("&&")(_box(_WIDE_SIDES)))
        .limit(cap + 1)
        .cte("some")
    )
    count = sa.select(func.count()).select_from(some).scalar_subquery()
    points = sa.select(some.c.id, _in_tile(some.c.point).label("geom"), *(some.c[name] for name in columns))
    return compiled(sa.select(sa.case((count <= cap, _mvt(points.cte("points"), "layer"))).label("tile")))


@lru_cache(maxsize=512)
def _cell_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    """Return the statement of a tile of one point a cell."""
    return compiled(sa.select(_mvt(_cells(source, columns, shape), "layer").label("tile")))


def _mvt(features: sa.CTE, layer: str) -> sa.ColumnElement[bytes]:
    """Return a source layer of rows (id, geom, properties); empty bytes where there are none."""
    layer_name = sa.bindparam(layer, type_=sa.Text)
    encoded = func.ST_AsMVT(
        features.table_valued(), layer_name, EXTENT, sa.literal("geom", sa.Text), sa.literal("id", sa.Text)
    )
    # Rows whose geometry is NULL are left out by ST_AsMVT itself; asking for them would compute each geometry twice.
    layer_bytes = sa.select(encoded).scalar_subquery()
    return func.coalesce(sa.type_coerce(layer_bytes, sa.LargeBinary), sa.cast(sa.literal_column("''"), pg.BYTEA))


def _shapes(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.CTE:
    """Return areas or lines, none finer than the tile can show."""
    outline = func.ST_Simplify(source.geom_3857, _number("unit"), sa.true())  # true: a thin one stays
    return (
        sa.select(source.id.label("id"), _in_tile(outline).label("geom"), *_properties(source, columns))
        .where(*clauses(source, shape), source.geom_3857.op("&&")(_box(_WIDE_SIDES)), _at_least(source, "seen"))
        .cte("shapes")
    )


def _labels(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.CTE:
    """Return a point inside each area that has room for a word, in the one tile that the point lies in."""
    anchors = (
        sa.select(
            source.id.label("id"),
            func.ST_PointOnSurface(source.geom_3857).label("anchor"),
            *_properties(source, columns),
        )
        .where(*clauses(source, shape), source.geom_3857.op("&&")(_box(_OWN_SIDES)), _at_least(source, "labelled"))
        .cte("anchors")
        .prefix_with("MATERIALIZED")  # else the anchor is computed once a use
    )
    return (
        sa.select(anchors.c.id, _in_tile(anchors.c.anchor).label("geom"), *(anchors.c[name] for name in columns))
        .where(_is_owned(func.ST_X(anchors.c.anchor), func.ST_Y(anchors.c.anchor)))
        .cte("labels")
    )


def _cells(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.CTE:
    """Return one point a cell, in the middle of the features it stands for."""
    # Read a million times on a small scale: OFFSET 0 keeps each expression from being computed once a use.
    once: sa.ColumnClause[int] = sa.literal_column("0", sa.Integer)
    placed = (
        sa.select(source.id.label("id"), _point(source).label("point"))
        .where(*clauses(source, shape), source.geom_3857.op("&&")(_box(_OWN_SIDES)))
        .offset(once)
        .subquery("placed")
    )
    spread = (
        sa.select(placed.c.id, func.ST_X(placed.c.point).label("x"), func.ST_Y(placed.c.point).label("y"))
        .offset(once)
        .subquery("spread")
    )
    column = func.floor((spread.c.x - _number("own_west")) / _number("cell"))
    row = func.floor((spread.c.y - _number("own_south")) / _number("cell"))
    # No WHERE: it would make the planner expect a handful of rows, and sort a million.
    cell = sa.case((_is_owned(spread.c.x, spread.c.y), sa.cast(column * CELLS + row, sa.Integer)))
    counted = (
        sa.select(
            func.min(spread.c.id).label("first"),
            func.count().label(COUNT_PROPERTY),
            (func.sum(spread.c.x) / func.count()).label("x"),
            (func.sum(spread.c.y) / func.count()).label("y"),
        )
        .group_by(cell)
        .having(cell.is_not(None))
        .cte("counted")
    )
    # A cell of one feature is that feature, with all it says.
    alone = sa.select(source.id.label("id"), *_properties(source, columns)).where(*source.fixed).subquery("alone")
    middle = func.ST_SetSRID(func.ST_MakePoint(counted.c.x, counted.c.y), sa.literal_column(str(spatial.TILE_SRID)))
    is_alone = sa.and_(alone.c.id == counted.c.first, counted.c[COUNT_PROPERTY] == 1)
    return (
        sa.select(
            alone.c.id,
            _in_tile(middle).label("geom"),
            counted.c[COUNT_PROPERTY],
            *(alone.c[name] for name in columns),
        )
        .select_from(counted.outerjoin(alone, is_alone))
        .cte("cells")
    )


def _point(source: Source) -> sa.ColumnElement[Any]:
    """Return the one point that a feature is drawn at."""
    if source.spec.geometry == {"Point"}:
        return source.geom_3857
    return sa.case(
        (func.ST_Dimension(source.geom_3857) == 0, source.geom_3857), else_=func.ST_PointOnSurface(source.geom_3857)
    )


def _in_tile(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a geometry in the units of the tile, cut at the buffer; NULL where nothing of it is left."""
    return func.ST_AsMVTGeom(geometry, _box(_SIDES), EXTENT, BUFFER, sa.true())


def _is_owned(x: sa.ColumnElement[float], y: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Return whether a point belongs to this tile and to no other one."""
    west, south, east, north = map(_number, _OWN_SIDES)
    return sa.and_(x >= west, x < east, y > south, y <= north)


def _at_least(source: Source, size: str) -> sa.ColumnElement[bool]:
    shape = source.geom_3857
    return sa.or_(
        func.ST_XMax(shape) - func.ST_XMin(shape) >= _number(size),
        func.ST_YMax(shape) - func.ST_YMin(shape) >= _number(size),
    )


def _box(sides: Sequence[str]) -> sa.ColumnElement[Any]:
    return spatial.box([_number(side) for side in sides], spatial.TILE_SRID)


def _number(name: str) -> sa.BindParameter[float]:
    return sa.bindparam(name, type_=sa.Float(53))


def _properties(source: Source, columns: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    return [plain(source.table.c[name], source.spec.column(name).kind).label(name) for name in columns]
