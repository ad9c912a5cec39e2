"""Where features come from: a frame of a city or the result of a run, as one kind of thing.

Items, tiles and exports know only `Relation`, so a frame and a result are one code path.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import sqlalchemy as sa

from gis.city import FRAMES
from gis.contract.frame import AREAS, LINES, FrameSpec
from gis.contract.service import Service
from gis.errors import NotFound
from gis.store.engine import Scope
from gis.store.result_tables import result_table
from gis.store.tables import FRAME_TABLES, PROFILES, RUNS

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
    """

    spec: FrameSpec
    table: sa.Table
    time: sa.Column[Any] | None
    fixed: tuple[sa.ColumnElement[bool], ...]

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

    def values(self, scope: Scope) -> dict[str, object]:
        """Return the values of the fixed clause in a scope."""
        return {"city": scope.city_id, "since": scope.since, **self.parameters}


def frame_relation(frame_id: str, *, recent: bool = False) -> Relation:
    """Return the rows of a city's frame; of rows with a validity those in force today, in the city's time zone.

    Parameters
    ----------
    recent
        Of events only those since the instant that the scope says.

    Raises
    ------
    NotFound
        There is no frame of that name.
    """
    if frame_id not in FRAMES:
        raise NotFound(f"there is no frame '{frame_id}'; the frames are {', '.join(FRAMES)}")
    return Relation(frame_id, _frame_source(frame_id, recent=recent), MappingProxyType({}))


def result_relation(service: Service, run_id: int) -> Relation:
    """Return the features of one run of a service."""
    source = _result_source(service)
    return Relation(f"{source.table.name}:{run_id}", source, MappingProxyType({"run": run_id}))


@cache
def _frame_source(frame_id: str, *, recent: bool) -> Source:
    spec, table = FRAMES[frame_id], FRAME_TABLES[frame_id]
    city = table.c.city_id == sa.bindparam("city", type_=sa.SmallInteger)
    since = recent_only(table, sa.bindparam("since", type_=sa.DateTime(timezone=True))) if recent else []
    return Source(spec, table, _time(spec, table), (city, *since, *_in_force(spec, table)))


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
