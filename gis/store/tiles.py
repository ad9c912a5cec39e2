"""Vector tiles, written by the database from the stored EPSG:3857 geometry, crowds of counted points by us.

Areas and lines too small to be seen are left out. Points are never left out: where a tile holds more than a cap of
them, it holds one point a cell instead, and each says in ``n`` how many features it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func

from gis.errors import NotFound
from gis.kernels import vector_tiles
from gis.store import tile_points
from gis.store.clauses import bound, clauses
from gis.store.engine import TILE_TIMEOUT_S, Scope, Store
from gis.store.mvt import BUFFER, EXTENT, WORLD_M, number, properties, source_layer, tile_box
from gis.store.query import ItemQuery, QueryShape
from gis.store.relations import Drawn, Relation, Source
from gis.store.statement import Statement, compiled
from gis.store.tables import COUNTED_ZOOM

MAX_ZOOM: Final = 22
FEATURE_CAP: Final = 5_000
"""Points that a tile holds one by one."""
SMALL_SCALE_CAP: Final = 1_500
"""The same on the scales whose cells are counted: so many points lie on one another, and a cell is 8 pixels."""
DRAWING: Final = 2
"""Raised when the same rows are drawn otherwise: tiles that somebody keeps are then no longer the same."""
SEEN: Final = 2
"""Units: an area or line smaller than this in both directions is not seen (a quarter of a pixel)."""
LABELLED: Final = 64
"""Units: an area smaller than this in both directions has no room for a word (8 pixels)."""

_SIDES: Final = ("tile_west", "tile_south", "tile_east", "tile_north")
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
    cap: int | None = None,
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
        More points than this are counted by cells; `FEATURE_CAP` or `SMALL_SCALE_CAP` by default.

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
        **tile_points.places(z, x, y),
        "layer": layer_name,
        "label_layer": f"{layer_name}_label",
        "cap": (SMALL_SCALE_CAP if z <= COUNTED_ZOOM else FEATURE_CAP) if cap is None else cap,
    }
    labels = tuple(dict.fromkeys(columns if label_columns is None else label_columns))
    shape = query.shape._replace(after=False)
    source, wanted, kind = relation.source, tuple(columns), drawn or relation.source.drawn
    if kind != "point":
        shapes = _shape_statement(source, wanted, shape, labels if kind == "polygon" else ())
        if shape == QueryShape():
            return bytes(await shapes.value(store, scope, values, timeout_s=TILE_TIMEOUT_S, plan="once"))
        async with store.reading(scope, timeout_s=TILE_TIMEOUT_S) as connection:
            return bytes((await shapes.row(connection, values))["tile"])
    if (known := tile_points.known_statement(source, wanted, shape, z)) is not None:
        made, cells = await known.value(store, scope, values, timeout_s=TILE_TIMEOUT_S, plan="once")
        if cells is not None:
            return await _crowded(store, scope, source, wanted, values, tile_points.read_cells(cells, values))
        if made is not None:
            return bytes(made)
    async with store.reading(scope, timeout_s=TILE_TIMEOUT_S) as connection:
        if known is None:
            singles = tile_points.single_statement(source, wanted, shape)
            made = (await singles.row(connection, values))["tile"]
            if made is not None:
                return bytes(made)
        crowd = tile_points.crowd_statement(source, wanted, shape)
        return bytes((await crowd.row_of_workers(connection, values))["tile"])


async def _crowded(  # noqa: PLR0917 - what `tile` has worked out
    store: Store,
    scope: Scope,
    source: Source,
    columns: tuple[str, ...],
    values: dict[str, object],
    cells: tile_points.Cells,
) -> bytes:
    """Return a tile of one point a cell, where they have been counted: of one feature with all it says."""
    made = b""
    if len(cells.alone):
        alone = tile_points.alone_statement(source, columns)
        given = {**values, "alone": cells.alone.tolist()}
        made = bytes(await alone.value(store, scope, given, timeout_s=TILE_TIMEOUT_S, plan="once"))
    return vector_tiles.with_counts(
        made, layer=str(values["layer"]), key=tile_points.COUNT_PROPERTY, x=cells.x, y=cells.y, count=cells.count
    )


def _bounds(z: int, x: int, y: int) -> dict[str, float]:
    """Return the sides of a tile in EPSG:3857, as they are, with the buffer, and of which labels it owns; its units.

    A tile owns the labels that get whole coordinates from 0 to 4095 in it, so its own sides lie half a unit off. A side
    that two tiles share is the same number in both: each label is owned by exactly one tile.
    """
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise NotFound(f"there is no tile {z}/{y}/{x}")
    width = 2 * WORLD_M / 2**z
    unit = width / EXTENT
    west, east = x * width - WORLD_M, (x + 1) * width - WORLD_M
    south, north = WORLD_M - (y + 1) * width, WORLD_M - y * width
    out, half = BUFFER * unit, unit / 2
    return {
        **dict(zip(_SIDES, (west, south, east, north), strict=True)),
        **dict(zip(tile_points.WIDE_SIDES, (west - out, south - out, east + out, north + out), strict=True)),
        **dict(zip(tile_points.NEAR_SIDES, (west - unit, south - unit, east + unit, north + unit), strict=True)),
        **dict(zip(_OWN_SIDES, (west - half, south + half, east - half, north + half), strict=True)),
        "unit": unit,
        "seen": SEEN * unit,
        "labelled": LABELLED * unit,
    }


@lru_cache(maxsize=512)
def _shape_statement(source: Source, columns: tuple[str, ...], shape: QueryShape, labels: tuple[str, ...]) -> Statement:
    """Return the statement of a tile of areas or lines, with labels where any of their columns is given."""
    found = _found(source, tuple(dict.fromkeys((*columns, *labels))), shape)
    if labels:
        found = found.prefix_with("MATERIALIZED")  # else the rows are looked for twice
    main = source_layer(_shapes(found, columns), "layer")
    if labels:
        main = main.op("||")(source_layer(_labels(found, labels), "label_layer"))
    return compiled(sa.select(main.label("tile")))


def _found(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.CTE:
    """Return the areas or lines that reach into a tile or its buffer, but for those too small to be seen."""
    outline = source.geom_3857
    return (
        sa.select(source.id.label("id"), outline.label("outline"), *properties(source, columns))
        .where(
            *clauses(source, shape),
            outline.op("&&")(tile_box(tile_points.WIDE_SIDES)),
            _at_least(outline, "seen"),
        )
        .cte("found")
    )


def _shapes(found: sa.CTE, columns: tuple[str, ...]) -> sa.CTE:
    """Return areas or lines, none finer than the tile can show."""
    outline = func.ST_Simplify(found.c.outline, number("unit"), sa.true())  # true: a thin one stays
    return sa.select(found.c.id, _in_tile(outline).label("geom"), *(found.c[name] for name in columns)).cte("shapes")


def _labels(found: sa.CTE, columns: tuple[str, ...]) -> sa.CTE:
    """Return a point inside each area that has room for a word, in the one tile that the point lies in."""
    anchors = (
        sa.select(
            found.c.id,
            func.ST_PointOnSurface(found.c.outline).label("anchor"),
            *(found.c[name] for name in columns),
        )
        .where(found.c.outline.op("&&")(tile_box(_OWN_SIDES)), _at_least(found.c.outline, "labelled"))
        .cte("anchors")
        .prefix_with("MATERIALIZED")  # else the anchor is computed once a use
    )
    return (
        sa.select(anchors.c.id, _in_tile(anchors.c.anchor).label("geom"), *(anchors.c[name] for name in columns))
        .where(_is_owned(func.ST_X(anchors.c.anchor), func.ST_Y(anchors.c.anchor)))
        .cte("labels")
    )


def _in_tile(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return a geometry in the units of the tile, cut at the buffer; NULL where nothing of it is left."""
    return func.ST_AsMVTGeom(geometry, tile_box(_SIDES), EXTENT, BUFFER, sa.true())


def _is_owned(x: sa.ColumnElement[float], y: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    """Return whether a point belongs to this tile and to no other one."""
    west, south, east, north = map(number, _OWN_SIDES)
    return sa.and_(x >= west, x < east, y > south, y <= north)


def _at_least(shape: sa.ColumnElement[Any], size: str) -> sa.ColumnElement[bool]:
    return sa.or_(
        func.ST_XMax(shape) - func.ST_XMin(shape) >= number(size),
        func.ST_YMax(shape) - func.ST_YMin(shape) >= number(size),
    )
