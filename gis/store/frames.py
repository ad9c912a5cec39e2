"""Read a city's frames, and keep the version numbers that tell when one has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

import geopandas as gpd
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city import FRAMES
from gis.contract.frame import FrameSpec
from gis.contract.service import mark
from gis.errors import NotFound
from gis.store import changes, wire
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.relations import recent_only, within_areas
from gis.store.tables import FRAME_TABLES, FRAME_VERSIONS


def read_frame(
    store: Store, city: CityRow, frame_id: str, *, on: dt.date | None = None, only: Collection[str] | None = None
) -> gpd.GeoDataFrame:
    """Return one frame of a city as its contract describes it.

    Parameters
    ----------
    only
        Columns to read beside the geometry; all of them when not given. Fewer take a fraction of the time.
    on
        Day on which rows with a validity must be in force (``valid_from <= on < valid_to``); today in the city's time
        zone by default.

    Returns
    -------
    GeoDataFrame (n,) in EPSG:4326, sorted by the index, which is the table's key; the city's profile is in its
    ``attrs``. Instants are UTC, dates have day precision, counts may be missing (``Int64``).

    Raises
    ------
    NotFound
        There is no frame of that name.
    """
    if frame_id not in FRAMES:
        raise NotFound(f"there is no frame '{frame_id}'; the frames are {', '.join(FRAMES)}")
    spec = FRAMES[frame_id]
    table = FRAME_TABLES[frame_id]
    recent = recent_only(table, city.since) if city.since is not None else []
    seen = (*within_areas(table, city.areas), *recent)
    mine = (table.c.city_id == city.id, *seen, *in_force(spec, table, on or today(city)))
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        frame = wire.read(connection, spec, table, *mine, only=only)
    mark(frame, city.profile)
    return frame


def versions(connection: sa.Connection, city_id: int, frame_ids: Iterable[str]) -> dict[str, int]:
    """Return the version number of each frame of a city, 0 where it was never written."""
    asked = list(frame_ids)
    found = connection.execute(
        sa.select(FRAME_VERSIONS.c.frame, FRAME_VERSIONS.c.version).where(
            FRAME_VERSIONS.c.city_id == city_id, FRAME_VERSIONS.c.frame.in_(asked)
        )
    )
    have = {row.frame: row.version for row in found}
    return {frame: have.get(frame, 0) for frame in asked}


def raise_version(connection: sa.Connection, city_id: int, frame_id: str) -> int:
    """Raise the version number of a frame, in the transaction that changes it, and return the new one."""
    insert = pg.insert(FRAME_VERSIONS).values(city_id=city_id, frame=frame_id, version=1)
    raised = insert.on_conflict_do_update(
        index_elements=[FRAME_VERSIONS.c.city_id, FRAME_VERSIONS.c.frame],
        set_={"version": FRAME_VERSIONS.c.version + 1, "changed_at": sa.func.now()},
    ).returning(FRAME_VERSIONS.c.version)
    changes.tell(connection)
    return int(connection.execute(raised).scalar_one())


def last_event_at(store: Store, city: CityRow) -> dt.datetime | None:
    """Return the instant of a city's last incident that its scope sees, None where it sees none."""
    table = FRAME_TABLES["incidents"]
    mine = (table.c.city_id == city.id, *within_areas(table, city.areas))
    query = sa.select(sa.func.max(table.c.occurred_at)).where(*mine)
    with store.transaction(city.scope, read_only=True) as connection:
        last: dt.datetime | None = connection.scalar(query)
    return last


def today(city: CityRow) -> dt.date:
    """Return the day it is in a city now."""
    return dt.datetime.now(ZoneInfo(city.profile.time_zone)).date()


def has_validity(spec: FrameSpec) -> bool:
    """Return whether the rows of a frame are in force from a day, to a day."""
    return {"valid_from", "valid_to"} <= set(spec.names)


def in_force(spec: FrameSpec, table: sa.Table, day: dt.date) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the rows in force on a day; nothing for a frame whose rows have no validity."""
    if not has_validity(spec):
        return []
    return [table.c.valid_from <= day, sa.or_(table.c.valid_to.is_(None), table.c.valid_to > day)]
