"""Where features come from: a frame of a city or the result of a run, as one kind of thing.

Items, tiles and exports know only `Relation`, so a frame and a result are one code path.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city import FRAMES
from gis.contract.frame import AREAS, LINES, FrameSpec
from gis.contract.service import Service
from gis.errors import NotFound
from gis.store.engine import Scope
from gis.store.result_tables import result_table
from gis.store.tables import COUNTED_FRAMES, FRAME_TABLES, PROFILES, PUBLISHED, RUNS, TILE_CELLS

Drawn = Literal["polygon", "line", "point"]


@dataclass(frozen=True, eq=False, slots=True)
class Source:
    """One table that features come from; compared by identity, so that it can name compiled statements.

    Attributes
    ----------
    time
        Column that a time filter reads, None where time plays no part.
    fixed
        What holds for every row that may be seen: its city or run, and that it is in force today. Its values are
        those of `Relation.values`.
    counted
        What holds for the counts of its rows by cells of tiles; None where they are not counted, or more than what
        may be seen.
    """

    spec: FrameSpec
    table: sa.Table
    time: sa.Column[Any] | None
    fixed: tuple[sa.ColumnElement[bool], ...]
    counted: tuple[sa.ColumnElement[bool], ...] | None = None

    @property
    def id(self) -> sa.Column[Any]:
        """The integer key of a feature."""
        return self.table.c.id

    @property
    def geom(self) -> sa.Column[Any]:
        """The true geometry, EPSG:4326."""
        return self.table.c.geom

    @property
    def geom_3857(self) -> sa.Column[Any]:
        """The geometry for tiles."""
        return self.table.c.geom_3857

    @property
    def drawn(self) -> Drawn:
        """How its features are drawn unless a layer says otherwise; mixed ones as points."""
        if self.spec.geometry <= AREAS:
            return "polygon"
        return "line" if self.spec.geometry <= LINES else "point"


@dataclass(frozen=True, slots=True)
class Relation:
    """The rows of one frame, or of one run.

    Attributes
    ----------
    name
        Binds page tokens: the frame, or the service's version and the run.
    """

    name: str
    source: Source
    parameters: Mapping[str, object]

    def within(self, scope: Scope) -> Relation:
        """Return the same rows, of them those that a scope sees; every reading of a relation begins with it."""
        narrowed = _narrowed(
            self.source, recent=scope.since is not None, areas=scope.areas is not None, unseen=bool(scope.unseen)
        )
        return self if narrowed is self.source else replace(self, source=narrowed)

    def values(self, scope: Scope) -> dict[str, object]:
        """Return the values of the fixed clause in a scope."""
        areas = None if scope.areas is None else list(scope.areas)
        seen = {"city": scope.city_id, "since": scope.since, "areas": areas, "unseen": list(scope.unseen)}
        return {**seen, **self.parameters}


def frame_relation(frame_id: str) -> Relation:
    """Return the rows of a city's frame; of rows with a validity those in force today, in the city's time zone.

    Raises
    ------
    NotFound
        There is no frame of that name.
    """
    if frame_id not in FRAMES:
        raise NotFound(f"there is no frame '{frame_id}'; the frames are {', '.join(FRAMES)}")
    return Relation(frame_id, _frame_source(frame_id), MappingProxyType({}))


def result_relation(service: Service, run_id: int) -> Relation:
    """Return the features of one run of a service."""
    source = _result_source(service)
    return Relation(f"{source.table.name}:{run_id}", source, MappingProxyType({"run": run_id}))


@cache
def _frame_source(frame_id: str) -> Source:
    spec, table = FRAMES[frame_id], FRAME_TABLES[frame_id]
    city = table.c.city_id == sa.bindparam("city", type_=sa.SmallInteger)
    counted = None
    if frame_id in COUNTED_FRAMES:
        counted = (
            TILE_CELLS.c.city_id == sa.bindparam("city", type_=sa.SmallInteger),
            TILE_CELLS.c.frame == sa.literal(frame_id, sa.Text),
        )
    return Source(spec, table, _time(spec, table), (city, *_in_force(spec, table)), counted)


@cache
def _narrowed(source: Source, *, recent: bool, areas: bool, unseen: bool) -> Source:
    """Return a source with what a narrower scope asks besides: the same one each time, for it names statements."""
    more: list[sa.ColumnElement[bool]] = []
    counted = source.counted
    if recent:
        more += recent_only(source.table, sa.bindparam("since", type_=sa.DateTime(timezone=True)))
        counted = None if more else counted
    if areas:
        covered = sa.bindparam("areas", type_=pg.ARRAY(sa.Integer))
        if "area_id" in source.table.c:
            more.append(source.table.c.area_id == sa.any_(covered))
            counted = counted and (*counted, TILE_CELLS.c.area_id == sa.any_(covered))
        else:
            more.append(sa.exists().where(RUNS.c.id == sa.bindparam("run", type_=sa.BigInteger), run_covered(covered)))
    if unseen and "run_id" in source.table.c:
        hidden = sa.bindparam("unseen", type_=pg.ARRAY(sa.Text))
        run = RUNS.c.id == sa.bindparam("run", type_=sa.BigInteger)
        more.append(sa.exists().where(run, _tells_nothing_of(RUNS, hidden)))
    return replace(source, fixed=(*source.fixed, *more), counted=counted) if more else source


def within_areas(table: sa.Table, areas: Sequence[int] | None) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the rows of a frame's table in some areas; nothing for the whole city."""
    return [] if areas is None else [table.c.area_id == sa.any_(sa.cast(list(areas), pg.ARRAY(sa.Integer)))]


def run_covered(areas: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Return whether a run is of some areas alone, or of those that everybody may read."""
    return sa.or_(RUNS.c.areas.op("<@")(areas), sa.and_(RUNS.c.areas.is_(None), is_published()))


def untold(table: sa.Table, unseen: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the runs or jobs that tell of no place that is not seen; nothing where all are."""
    return [_tells_nothing_of(table, sa.cast(list(unseen), pg.ARRAY(sa.Text)))] if unseen else []


def _tells_nothing_of(table: sa.Table, unseen: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return ~table.c.tells.bool_op("&&")(unseen)


def is_published() -> sa.ColumnElement[bool]:
    """Return whether a run is of a service whose results everybody may read."""
    return sa.or_(*(RUNS.c.service == service for service in PUBLISHED))


def recent_only(table: sa.Table, since: dt.datetime | sa.ColumnElement[dt.datetime]) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the events since an instant; nothing for a frame whose rows are no events."""
    return [table.c.occurred_at >= since] if "occurred_at" in table.c else []


@cache
def _result_source(service: Service) -> Source:
    table = result_table(service)
    run = sa.bindparam("run", type_=sa.BigInteger)
    owned = sa.exists().where(RUNS.c.id == run, RUNS.c.city_id == sa.bindparam("city", type_=sa.SmallInteger))
    return Source(service.output, table, _time(service.output, table), (table.c.run_id == run, owned))


def _time(spec: FrameSpec, table: sa.Table) -> sa.Column[Any] | None:
    """Return the column of the first instant of a contract."""
    return next((table.c[column.name] for column in spec.columns if column.kind == "instant"), None)


def _in_force(spec: FrameSpec, table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    if not {"valid_from", "valid_to"} <= set(spec.names):
        return ()
    zone = (
        sa.select(PROFILES.c.time_zone)
        .where(PROFILES.c.id == sa.bindparam("city", type_=sa.SmallInteger))
        .scalar_subquery()
    )
    today = sa.select(sa.cast(sa.func.timezone(zone, sa.func.now()), sa.Date)).scalar_subquery()
    return (table.c.valid_from <= today, sa.or_(table.c.valid_to.is_(None), table.c.valid_to > today))
