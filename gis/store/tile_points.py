"""Tiles of points: one by one, or one a cell where they are a crowd.

The side of the map is 2^34 units long, 4096 a tile of zoom 22, and a point lies in one of them. Its unit in a tile of
zoom z is that number without its last 22 - z bits, and its cell is the same without 6 bits more. So a point is inside
exactly one tile of each zoom, in exactly one cell, and the cells of a zoom are quarters of those of the zoom before.

Cells of small scales are counted beforehand, in ``city.tile_cells``, which the database keeps right by itself. A tile
is a cell six zooms before, so how many points it holds is known on larger scales too. Cells of a filter, and of large
scales, are counted when they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import func
from sqlalchemy.dialects import postgresql as pg

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
_LINE_HEAD: Final = 9
"""Bytes before the points of a line in WKB: order, kind, how many."""
_CELL_OF: Final = ("zoom", "x", "y", "cell")


def known_statement(source: Source, columns: tuple[str, ...], shape: QueryShape, z: int) -> Statement | None:
    """Return the statement of a tile of which is known how many points it holds.

    Returns
    -------
    Statement or None
        Of one value with two parts: the tile of points one by one, NULL where they are too many; then their cells on a
        small scale, for `read_cells`. None where their number is not known: of a filter, of rows that are not counted,
        on the largest scales.
    """
    if source.counted is None or z > COUNTED_ZOOM + _CELL_BITS or shape != QueryShape():
        return None
    return _known_statement(source, columns, z >= _CELL_BITS, z <= COUNTED_ZOOM)


@lru_cache(maxsize=512)
def _known_statement(source: Source, columns: tuple[str, ...], is_cell: bool, has_cells: bool) -> Statement:  # noqa: FBT001 - names a statement
    """Return the statement of a tile that is itself a counted cell, or whose cells have been counted, or both."""
    count = func.coalesce(_own_count(source) if is_cell else _count_of_cells(source), _zero())
    singles = source_layer(_singles(source, columns, QueryShape()).subquery("singles"), "layer")
    tile = sa.case((count <= _cap(), singles))
    cells = sa.case((count > _cap(), _counted_cells(source))) if has_cells else sa.cast(sa.null(), pg.BYTEA)
    return compiled(sa.select(func.row(tile, cells).label("tile")))


def _own_count(source: Source) -> sa.ScalarSelect[int]:
    """Return how many points a tile holds, which is a cell of a smaller scale; NULL where there are none."""
    here = (TILE_CELLS.c[name] == sa.bindparam(f"of_{name}", type_=sa.SmallInteger) for name in _CELL_OF)
    return sa.select(func.sum(TILE_CELLS.c.n)).where(*(source.counted or ()), *here).scalar_subquery()


def _count_of_cells(source: Source) -> sa.ScalarSelect[int]:
    """Return how many points the cells of a tile hold together; NULL where there are none."""
    return sa.select(func.sum(TILE_CELLS.c.n)).where(*_here(source)).scalar_subquery()


def _counted_cells(source: Source) -> sa.ScalarSelect[bytes]:
    """Return the cells of a tile as they have been counted, those of each area by themselves, see `Cells`.

    As one line of four numbers a point, which is the quickest way to put many numbers into one value; made of an array,
    for the aggregate of the same name takes twice as long.
    """
    table = TILE_CELLS.c
    real = sa.Float(53)
    packed = sa.cast(table.n, real) * (CELLS * CELLS) + table.cell
    point = func.ST_MakePoint(packed, sa.cast(table.east, real), sa.cast(table.south, real), sa.cast(table.ids, real))
    line = func.ST_AsBinary(func.ST_MakeLine(func.array_agg(point)), sa.literal_column("'NDR'"), type_=pg.BYTEA)
    return sa.select(line).where(*_here(source)).scalar_subquery()


def _here(source: Source) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the counted cells of a tile."""
    place = (TILE_CELLS.c[name] == sa.bindparam(name, type_=sa.SmallInteger) for name in ("zoom", "x", "y"))
    return [*(source.counted or ()), *place]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a tile, each once.

    Attributes
    ----------
    x, y : (n,)
        The middle of a cell's points in the tile, in its units.
    count : (n,)
        How many they are, more than one.
    alone : (m,)
        Keys of the points that have a cell for themselves, and are not in the others.
    """

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    count: NDArray[np.int64]
    alone: NDArray[np.int64]


def read_cells(line: bytes, places: Mapping[str, object]) -> Cells:
    """Return what `known_statement` gave of a crowded tile.

    Parameters
    ----------
    places
        Of the tile, as in the statement.
    """
    packed, *sums, ids = np.frombuffer(line, "<f8", offset=_LINE_HEAD).reshape(-1, 4).T
    cell, group = np.unique(packed.astype(np.int64) % (CELLS * CELLS), return_inverse=True)
    count = np.bincount(group, packed.astype(np.int64) // (CELLS * CELLS), len(cell)).astype(np.int64)
    is_crowd = count > 1
    x, y = (
        np.floor(np.bincount(group, have, len(cell)) / (count * cast("float", places["to_units"])))
        - cast("float", places[side])
        for have, side in zip(sums, ("left_units", "top_units"), strict=True)
    )
    return Cells(
        x=x[is_crowd].astype(np.int64),
        y=y[is_crowd].astype(np.int64),
        count=count[is_crowd],
        alone=ids[~is_crowd[group]].astype(np.int64),
    )


@lru_cache(maxsize=512)
def alone_statement(source: Source, columns: tuple[str, ...]) -> Statement:
    """Return the statement of the points that have a cell for themselves, each with all it says."""
    keys = sa.bindparam("alone", type_=pg.ARRAY(sa.BigInteger))
    # In the tile as well: a moment after the cells were read a point may be elsewhere. IS TRUE keeps the index of
    # places out of it, by which all points of the tile would be read to find these few.
    is_here = source.geom_3857.op("&&")(tile_box(NEAR_SIDES)).is_(sa.true())
    where = [*source.fixed, source.id == sa.any_(keys), is_here]
    rows = _placed(source, columns, where, sa.literal_column("1", sa.Integer))
    return compiled(sa.select(source_layer(rows.subquery("alone"), "layer").label("tile")))


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
    near = source.geom_3857.op("&&")(tile_box(NEAR_SIDES))
    spread = _spread(source, [*clauses(source, shape), near]).subquery("spread")
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
    """Return the points of a tile and its buffer, one by one."""
    return _placed(source, columns, [*clauses(source, shape), source.geom_3857.op("&&")(tile_box(WIDE_SIDES))])


def _placed(
    source: Source,
    columns: tuple[str, ...],
    where: Sequence[sa.ColumnElement[bool]],
    count: sa.ColumnElement[int] | None = None,
) -> sa.Select[Any]:
    """Return rows as points in units of the tile, with how many they stand for where that is to be said."""
    spread = _spread(source, where, *properties(source, columns)).subquery("spread")
    # Whole numbers below 2^34 are exact as they are: no row pays for a cast.
    east, south = (func.floor(spread.c[axis] / number("unit"), type_=sa.Float(53)) for axis in ("east", "south"))
    geom = func.ST_MakePoint(east - number("left_units"), south - number("top_units"))
    more = () if count is None else (count.label(COUNT_PROPERTY),)
    return sa.select(spread.c.id, geom.label("geom"), *more, *(spread.c[name] for name in columns))


def _spread(source: Source, where: Sequence[sa.ColumnElement[bool]], *more: Any) -> sa.Select[Any]:
    """Return the metres that each feature's one point lies from the west and the north of the map."""
    placed = (
        sa.select(source.id.label("id"), _point(source).label("point"), *more)
        .where(*where)
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
