"""Which area each row lies in: kept beside the row, so that a scope is a comparison of numbers.

A row's area is the finest one (community before street before district) whose polygon covers the row's middle; of
several the one that was known first. Rows of these three frames are their own area; an incident without a place is
where its grid is. Whoever writes rows of a frame takes `area_of` into the insert, or calls `place` in the same
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city import FRAMES
from gis.contract.frame import POINTS
from gis.store.frames import raise_version
from gis.store.tables import AREA_PIECES, AREAS, FRAME_TABLES, LEVELS, PROFILES, REPORTS

AREA_FRAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"district": "districts", "street": "streets", "community": "communities"}
)
"""Level -> the frame of its areas, the largest first."""
_PARENT_CODES: Final[Mapping[str, str]] = MappingProxyType({"street": "district_code", "community": "street_code"})


PIECE_VERTICES: Final = 32
"""At most so many has a piece of an area."""


def place_everything(connection: sa.Connection) -> None:
    """Place every row of every city."""
    for city_id in connection.scalars(sa.select(PROFILES.c.id)).all():
        place(connection, city_id, AREA_FRAMES.values())


def place(connection: sa.Connection, city_id: int, frame_ids: Iterable[str]) -> None:
    """Place the rows of some frames after a change in them; of all frames where the areas themselves have changed.

    Rows that are in the right area already are not touched. The version of a frame is raised when any row of it moved:
    another area, other rows in somebody's scope.
    """
    changed = set(frame_ids)
    if not changed.isdisjoint(AREA_FRAMES.values()):
        _keep_areas(connection, city_id)
        changed = set(FRAMES) - set(AREA_FRAMES.values())
        _place_reports(connection, city_id)
    if "grids" in changed:
        changed.add("incidents")  # those without a place are where their grid is
    for frame_id in sorted(changed - {"incidents"}):
        _place_frame(connection, city_id, frame_id)
    if "incidents" in changed:
        _place_frame(connection, city_id, "incidents", placeless_only=changed == {"grids", "incidents"})


def area_of(frame_id: str, row: sa.FromClause, city_id: int) -> sa.ColumnElement[int | None]:
    """Return the area of a row of a frame, to be taken into a statement.

    Parameters
    ----------
    row
        The frame's table or its waiting table.
    """
    by_place = covering(row.c.geom, city_id, only_points=FRAMES[frame_id].geometry == POINTS)
    if frame_id != "incidents":
        return by_place
    grids = FRAME_TABLES["grids"]
    zone = sa.select(PROFILES.c.time_zone).where(PROFILES.c.id == city_id).scalar_subquery()
    today = sa.select(sa.cast(sa.func.timezone(zone, sa.func.now()), sa.Date)).scalar_subquery()
    by_grid = (
        sa.select(grids.c.area_id)
        .where(
            grids.c.city_id == city_id,
            grids.c.code == row.c.grid_code,
            grids.c.valid_from <= today,
            sa.or_(grids.c.valid_to.is_(None), grids.c.valid_to > today),
        )
        .limit(1)
        .scalar_subquery()
    )
    return sa.case((row.c.geom.is_(None), by_grid), else_=by_place)


def area_of_one(
    connection: sa.Connection, city_id: int, frame_id: str, ewkb: bytes | None, grid_code: Any
) -> int | None:
    """Return the area of one row that is about to be written, as far as the scope at hand sees areas.

    Parameters
    ----------
    ewkb
        Its place in EPSG:4326, None without one.
    grid_code
        Of an incident, None of anything else.
    """
    place_ = sa.func.geometry(sa.literal(ewkb, sa.LargeBinary))
    row = sa.select(place_.label("geom"), sa.literal(grid_code, sa.Text).label("grid_code")).subquery("row")
    found: int | None = connection.scalar(sa.select(area_of(frame_id, row, city_id)).select_from(row))
    return found


def covering(
    geometry: sa.ColumnElement[Any],
    city_id: int,
    *,
    above: str | None = None,
    only_points: bool = False,
) -> sa.ColumnElement[int | None]:
    """Return the finest area that covers the middle of a geometry in EPSG:4326; NULL outside all.

    Parameters
    ----------
    above
        Only of the levels above this one.
    """
    middle = geometry
    if not only_points:
        middle = sa.case((sa.func.ST_Dimension(geometry) == 0, geometry), else_=sa.func.ST_PointOnSurface(geometry))
    pieces = AREA_PIECES.alias("pieces")
    levels = () if above is None else (pieces.c.depth < LEVELS.index(above),)
    return (
        sa.select(pieces.c.area_id)
        .where(
            pieces.c.city_id == city_id,
            *levels,
            pieces.c.geom.op("&&")(middle),
            sa.func.ST_Covers(pieces.c.geom, middle),
        )
        .order_by(pieces.c.depth.desc(), pieces.c.area_id)
        .limit(1)
        .correlate_except(pieces)
        .scalar_subquery()
    )


def _place_frame(connection: sa.Connection, city_id: int, frame_id: str, *, placeless_only: bool = False) -> None:
    table = FRAME_TABLES[frame_id]
    row = table.alias("row")
    found = sa.select(row.c.id, area_of(frame_id, row, city_id).label("area_id")).where(row.c.city_id == city_id)
    if placeless_only:
        found = found.where(row.c.geom.is_(None))
    right = found.subquery("right_area")
    moved = (
        table.update()
        .where(table.c.id == right.c.id, table.c.area_id.is_distinct_from(right.c.area_id))
        .values(area_id=right.c.area_id)
    )
    if connection.execute(moved).rowcount:
        raise_version(connection, city_id, frame_id)


def _place_reports(connection: sa.Connection, city_id: int) -> None:
    """Place what the public reported; of no frame, so no version is raised."""
    right = covering(REPORTS.c.geom, city_id, only_points=True)
    connection.execute(
        REPORTS.update()
        .where(REPORTS.c.city_id == city_id, REPORTS.c.area_id.is_distinct_from(right))
        .values(area_id=right)
    )


def _keep_areas(connection: sa.Connection, city_id: int) -> None:
    """Let the areas be those of the three frames, each with what it belongs to."""
    tables = {level: FRAME_TABLES[frame] for level, frame in AREA_FRAMES.items()}
    for level, table in tables.items():
        code = sa.select(sa.literal(city_id, sa.SmallInteger), sa.literal(level), table.c.code)
        here = code.where(table.c.city_id == city_id).distinct().order_by(table.c.code)
        new = pg.insert(AREAS).from_select(["city_id", "level", "code"], here)
        connection.execute(new.on_conflict_do_nothing())
        still = sa.exists().where(table.c.city_id == city_id, table.c.code == AREAS.c.code)
        mine = (AREAS.c.city_id == city_id, AREAS.c.level == level)
        connection.execute(AREAS.delete().where(*mine, ~still))
        own = table.update().where(
            *mine,
            table.c.city_id == city_id,
            table.c.code == AREAS.c.code,
            table.c.area_id.is_distinct_from(AREAS.c.id),
        )
        if connection.execute(own.values(area_id=AREAS.c.id)).rowcount:
            raise_version(connection, city_id, AREA_FRAMES[level])
    _cut(connection, city_id, tables)
    for level, column in _PARENT_CODES.items():
        parent = _parent(tables[level], level, column, city_id)
        connection.execute(
            AREAS.update()
            .where(AREAS.c.city_id == city_id, AREAS.c.level == level, AREAS.c.parent_id.is_distinct_from(parent))
            .values(parent_id=parent)
        )


def _cut(connection: sa.Connection, city_id: int, tables: Mapping[str, sa.Table]) -> None:
    """Cut the areas into pieces anew.

    The cuts run along meridians and parallels, so two pieces share each as the same numbers. Where a cut crosses a
    border, the border moves by a rounding error, a nanometre.
    """
    connection.execute(AREA_PIECES.delete().where(AREA_PIECES.c.city_id == city_id))
    for depth, level in enumerate(LEVELS):
        table = tables[level]
        piece = sa.func.ST_Subdivide(table.c.geom, sa.literal_column(str(PIECE_VERTICES)))
        pieces = sa.select(
            table.c.city_id,
            table.c.area_id,
            sa.literal(depth, sa.SmallInteger),
            sa.type_coerce(piece, table.c.geom.type),
        ).where(table.c.city_id == city_id)
        connection.execute(AREA_PIECES.insert().from_select(["city_id", "area_id", "depth", "geom"], pieces))


def _parent(table: sa.Table, level: str, column: str, city_id: int) -> sa.ColumnElement[int | None]:
    """Return what an area belongs to: what it says, else the finest larger area that covers its middle."""
    above = LEVELS[: LEVELS.index(level)]
    parents, row = AREAS.alias("parents"), table.alias("row")
    mine = (row.c.city_id == city_id, row.c.code == AREAS.c.code)
    said = (
        sa.select(sa.func.min(parents.c.id))
        .where(*mine, parents.c.city_id == city_id, parents.c.level == above[-1], parents.c.code == row.c[column])
        .correlate(AREAS)
        .scalar_subquery()
    )
    by_place = (
        sa.select(covering(row.c.geom, city_id, above=level))
        .where(*mine)
        .order_by(row.c.id)
        .limit(1)
        .correlate(AREAS)
        .scalar_subquery()
    )
    return sa.func.coalesce(said, by_place)
