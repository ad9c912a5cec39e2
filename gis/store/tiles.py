"""Vector tiles, written by the database from the stored EPSG:3857 geometry: one statement a tile.

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
    values = {
        **bound(relation, scope, query, columns),
        **_bounds(z, x, y),
        "layer": layer_name,
        "label_layer": f"{layer_name}_label",
        "cap": cap,
    }
    labels = tuple(dict.fromkeys(columns if label_columns is None else label_columns))
    shape = query.shape._replace(after=False)
    statement = _statement(relation.source, tuple(columns), shape, drawn or relation.source.drawn, labels)
    async with store.reading(scope, timeout_s=TILE_TIMEOUT_S) as connection:
        row = await statement.row(connection, values)
    return bytes(row["tile"])


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
def _statement(
    source: Source, columns: tuple[str, ...], shape: QueryShape, drawn: Drawn, labels: tuple[str, ...]
) -> Statement:
    if drawn == "point":
        return compiled(sa.select(_mvt(_points(source, columns, shape), "layer").label("tile")))
    main = _mvt(_shapes(source, columns, shape), "layer")
    if drawn == "polygon" and labels:
        main = main.op("||")(_mvt(_labels(source, labels, shape), "label_layer"))
    return compiled(sa.select(main.label("tile")))


def _mvt(features: sa.CTE, layer: str) -> sa.ColumnElement[bytes]:
    """Return a source layer of rows (id, geom, properties); empty bytes where there are none."""
    layer_name = sa.bindparam(layer, type_=sa.Text)
    encoded = func.ST_AsMVT(
        features.table_valued(), layer_name, EXTENT, sa.literal("geom", sa.Text), sa.literal("id", sa.Text)
    )
    present = sa.select(encoded).where(features.c.geom.is_not(None)).scalar_subquery()
    return func.coalesce(sa.type_coerce(present, sa.LargeBinary), sa.cast(sa.literal_column("''"), pg.BYTEA))


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
        .where(_is_owned(anchors.c.anchor))
        .cte("labels")
    )


def _points(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.CTE:
    """Return the points one by one, or where they are too many one a cell."""
    wanted = clauses(source, shape)
    point = _point(source)
    some = (
        sa.select(source.id.label("id"), point.label("point"), *_properties(source, columns))
        .where(*wanted, source.geom_3857.op("&&")(_box(_WIDE_SIDES)))
        .limit(sa.bindparam("cap", type_=sa.BigInteger) + 1)
        .cte("some")
    )
    is_crowded = sa.select(func.count() > sa.bindparam("cap", type_=sa.BigInteger)).select_from(some).scalar_subquery()
    single = sa.select(
        some.c.id,
        _in_tile(some.c.point).label("geom"),
        sa.cast(sa.null(), sa.BigInteger).label(COUNT_PROPERTY),
        *(some.c[name] for name in columns),
    ).where(sa.not_(is_crowded))
    cells = (
        sa.select(
            func.min(source.id).label("first"),
            func.count().label(COUNT_PROPERTY),
            func.avg(func.ST_X(point)).label("x"),
            func.avg(func.ST_Y(point)).label("y"),
        )
        .where(*wanted, source.geom_3857.op("&&")(_box(_OWN_SIDES)), _is_owned(point), is_crowded)
        .group_by(_cell(func.ST_X(point), "own_west"), _cell(func.ST_Y(point), "own_south"))
        .cte("cells")
    )
    # A cell of one feature is that feature, with all it says.
    alone = sa.select(source.id.label("id"), *_properties(source, columns)).where(*source.fixed).subquery("alone")
    centre = func.ST_SetSRID(func.ST_MakePoint(cells.c.x, cells.c.y), sa.literal_column(str(spatial.TILE_SRID)))
    counted = sa.select(
        alone.c.id, _in_tile(centre).label("geom"), cells.c[COUNT_PROPERTY], *(alone.c[name] for name in columns)
    ).select_from(cells.outerjoin(alone, sa.and_(alone.c.id == cells.c.first, cells.c[COUNT_PROPERTY] == 1)))
    return sa.union_all(single, counted).cte("points")


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


def _is_owned(point: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return whether a point belongs to this tile and to no other one."""
    west, south, east, north = map(_number, _OWN_SIDES)
    x, y = func.ST_X(point), func.ST_Y(point)
    return sa.and_(x >= west, x < east, y > south, y <= north)


def _cell(along: sa.ColumnElement[float], side: str) -> sa.ColumnElement[float]:
    return func.floor((along - _number(side)) / _number("cell"))


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
