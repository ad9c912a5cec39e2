"""Tiles of points: one by one, or one a cell where they are a crowd.

The side of the map is 2^34 units long, 4096 a tile of zoom 22, and a point lies in one of them. Its unit in a tile of
zoom z is that number without its last 22 - z bits, and its cell is the same without 6 bits more. So a point is inside
exactly one tile of each zoom, in exactly one cell, and the cells of a zoom are quarters of those of the zoom before.

Cells of small scales are counted beforehand, in ``city.tile_cells``, which the database keeps right by itself. A tile
is a cell six zooms before, so how many points it holds is known on larger scales too. Cells of a filter, and of large
scales, are counted when they are asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func

from gis.store.clauses import clauses
from gis.store.mvt import WORLD_M, number, properties, source_layer, tile_box
from gis.store.query import QueryShape
from gis.store.relations import Source
from gis.store.statement import Statement, compiled
from gis.store.tables import COUNTED_ZOOM, TILE_CELLS

CELLS: Final = 64
"""Cells along the side of a crowded tile: 8 pixels each on a tile of 512."""
COUNT_PROPERTY: Final = "n"
WIDE_SIDES: Final = ("wide_west", "wide_south", "wide_east", "wide_north")
NEAR_SIDES: Final = ("near_west", "near_south", "near_east", "near_north")
"""A unit more than the tile, which holds all points that may be its own."""
FINEST_ZOOM: Final = 22
_BITS: Final = 12
_SIDE: Final = 2 ** (FINEST_ZOOM + _BITS)
_CELL_BITS: Final = 6
_CELL_OF: Final = ("zoom", "x", "y", "cell")


def known_statement(source: Source, columns: tuple[str, ...], shape: QueryShape, z: int) -> Statement | None:
    """Return the statement of a tile of which is known how many points it holds.

    Returns
    -------
    Statement or None
        On a small scale it gives the points one by one or one a cell, on a larger one NULL where they are too many to
        be given one by one. None where their number is not known: of a filter, of rows that are not counted, on the
        largest scales.
    """
    if source.counted is None or z > COUNTED_ZOOM + _CELL_BITS or shape != QueryShape():
        return None
    return _known_statement(source, columns, z >= _CELL_BITS, z <= COUNTED_ZOOM)


@lru_cache(maxsize=512)
def _known_statement(source: Source, columns: tuple[str, ...], is_cell: bool, has_cells: bool) -> Statement:  # noqa: FBT001 - names a statement
    """Return the statement of a tile that is itself a counted cell, or whose cells have been counted, or both."""
    singles = source_layer(_singles(source, columns, QueryShape()).subquery("singles"), "layer")
    if not has_cells:
        return compiled(
            sa.select(sa.case((func.coalesce(_own_count(source), _zero()) <= _cap(), singles)).label("tile"))
        )
    cells = _counted_cells(source)
    count = _own_count(source) if is_cell else sa.select(func.sum(cells.c[COUNT_PROPERTY])).scalar_subquery()
    crowd = source_layer(_crowd(source, columns, cells), "layer")
    return compiled(sa.select(sa.case((count > _cap(), crowd), else_=singles).label("tile")))


def _own_count(source: Source) -> sa.ScalarSelect[int]:
    """Return how many points a tile holds, which is a cell of a smaller scale; NULL where there are none."""
    here = (TILE_CELLS.c[name] == sa.bindparam(f"of_{name}", type_=sa.SmallInteger) for name in _CELL_OF)
    return sa.select(func.sum(TILE_CELLS.c.n)).where(*(source.counted or ()), *here).scalar_subquery()


def _counted_cells(source: Source) -> sa.CTE:
    """Return the cells of a tile as they have been counted, over all the areas that are seen."""
    table = TILE_CELLS.c
    here = (table[name] == sa.bindparam(name, type_=sa.SmallInteger) for name in ("zoom", "x", "y"))
    # Real numbers: whole ones of this size are added up digit by digit, and a place needs no more than 53 bits.
    sums = (func.sum(sa.cast(table[axis], sa.Float(53))).label(axis) for axis in ("east", "south"))
    return (
        sa.select(func.bit_xor(table.ids).label("ids"), func.sum(table.n).label(COUNT_PROPERTY), *sums)
        .where(*(source.counted or ()), *here)
        .group_by(table.cell)
        .cte("cells")
    )


@lru_cache(maxsize=512)
def single_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    """Return the statement of a tile of points one by one: NULL where they are too many."""
    some = _singles(source, columns, shape).limit(_cap() + 1).cte("some")
    count = sa.select(func.count()).select_from(some).scalar_subquery()
    return compiled(sa.select(sa.case((count <= _cap(), source_layer(some, "layer"))).label("tile")))


@lru_cache(maxsize=512)
def crowd_statement(source: Source, columns: tuple[str, ...], shape: QueryShape) -> Statement:
    """Return the statement of a tile of one point a cell, counted now."""
    return compiled(sa.select(source_layer(_crowd(source, columns, _cells(source, shape)), "layer").label("tile")))


def places(z: int, x: int, y: int) -> dict[str, object]:
    """Return the values of a tile's address in these statements."""
    to_unit = FINEST_ZOOM - z
    last = CELLS - 1
    return {
        "zoom": z,
        "x": x,
        "y": y,
        "of_zoom": z - _CELL_BITS,
        "of_x": x >> _CELL_BITS,
        "of_y": y >> _CELL_BITS,
        "of_cell": (y & last) * CELLS + (x & last),
        "left_units": float(x << _BITS),
        "top_units": float(y << _BITS),
        "to_units": float(1 << to_unit),
        "to_cell": to_unit + _BITS - _CELL_BITS,
        "to_tile": to_unit + _BITS,
    }


def _cells(source: Source, shape: QueryShape) -> sa.CTE:
    """Return the cells of a tile, counted now."""
    # Read a million times on a small scale: OFFSET 0 keeps each expression from being computed once a use.
    spread = _spread(source, shape, NEAR_SIDES).subquery("spread")
    unit: sa.ColumnClause[float] = sa.literal_column(repr(2 * WORLD_M / _SIDE), sa.Float(53))
    measured = (
        sa.select(spread.c.id, *(_unit(spread.c[axis], unit).label(axis) for axis in ("east", "south")))
        .offset(_zero())
        .subquery("measured")
    )
    to_tile, to_cell = _whole("to_tile"), _whole("to_cell")
    place = [(measured.c[axis].op(">>")(to_cell)).op("&")(CELLS - 1) for axis in ("south", "east")]
    is_own = sa.and_(
        measured.c.east.op(">>")(to_tile) == _whole("x"),
        measured.c.south.op(">>")(to_tile) == _whole("y"),
    )
    # No WHERE: it would make the planner expect a handful of rows, and sort a million.
    cell = sa.case((is_own, sa.cast(place[0] * CELLS + place[1], sa.Integer)))
    return (
        sa.select(
            func.bit_xor(measured.c.id).label("ids"),
            func.count().label(COUNT_PROPERTY),
            *(sa.cast(func.sum(measured.c[axis]), sa.Float(53)).label(axis) for axis in ("east", "south")),
        )
        .group_by(cell)
        .having(cell.is_not(None))
        .cte("cells")
    )


def _singles(source: Source, columns: tuple[str, ...], shape: QueryShape) -> sa.Select[Any]:
    spread = _spread(source, shape, WIDE_SIDES, *properties(source, columns)).subquery("spread")
    # Whole numbers below 2^34 are exact as they are: no row pays for a cast.
    east, south = (func.floor(spread.c[axis] / number("unit"), type_=sa.Float(53)) for axis in ("east", "south"))
    geom = func.ST_MakePoint(east - number("left_units"), south - number("top_units"))
    return sa.select(spread.c.id, geom.label("geom"), *(spread.c[name] for name in columns))


def _spread(source: Source, shape: QueryShape, sides: tuple[str, ...], *more: Any) -> sa.Select[Any]:
    """Return the metres that each feature's one point lies from the west and the north of the map."""
    placed = (
        sa.select(source.id.label("id"), _point(source).label("point"), *more)
        .where(*clauses(source, shape), source.geom_3857.op("&&")(tile_box(sides)))
        .offset(_zero())
        .subquery("placed")
    )
    world: sa.ColumnClause[float] = sa.literal_column(str(WORLD_M), sa.Float(53))
    return sa.select(
        placed.c.id,
        (func.ST_X(placed.c.point, type_=sa.Float(53)) + world).label("east"),
        (world - func.ST_Y(placed.c.point, type_=sa.Float(53))).label("south"),
        *(placed.c[column.name] for column in more),
    )


def _unit(metres: sa.ColumnElement[float], unit: sa.ColumnElement[float]) -> sa.ColumnElement[int]:
    return sa.cast(func.floor(metres / unit), sa.BigInteger)


def _crowd(source: Source, columns: tuple[str, ...], cells: sa.CTE) -> sa.CTE:
    """Return one point a cell, in the middle of the features it stands for; of one feature with all it says."""
    alone = sa.select(source.id.label("id"), *properties(source, columns)).where(*source.fixed).subquery("alone")
    count = cells.c[COUNT_PROPERTY]
    left, top = (
        func.floor(cells.c[axis] / (count * number("to_units"))) - number(side)
        for axis, side in (("east", "left_units"), ("south", "top_units"))
    )
    return (
        sa.select(
            alone.c.id,
            func.ST_MakePoint(left, top).label("geom"),
            count,
            *(alone.c[name] for name in columns),
        )
        # No key is looked up for a cell of several: it costs more than all the rest.
        .select_from(cells.outerjoin(alone, alone.c.id == sa.case((count == 1, cells.c.ids))))
        .cte("crowd")
    )


def _point(source: Source) -> sa.ColumnElement[Any]:
    """Return the one point that a feature is drawn at."""
    if source.spec.geometry == {"Point"}:
        return source.geom_3857
    return sa.case(
        (func.ST_Dimension(source.geom_3857) == 0, source.geom_3857), else_=func.ST_PointOnSurface(source.geom_3857)
    )


def _cap() -> sa.BindParameter[int]:
    return sa.bindparam("cap", type_=sa.BigInteger)


def _whole(name: str) -> sa.BindParameter[int]:
    return sa.bindparam(name, type_=sa.Integer)


def _zero() -> sa.ColumnClause[int]:
    return sa.literal_column("0", sa.Integer)
