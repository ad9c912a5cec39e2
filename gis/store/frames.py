"""Read a city's frames, and keep the version numbers that tell when one has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city import FRAMES
from gis.contract.frame import FrameSpec, Kind
from gis.contract.service import LONLAT, PROFILE_ATTR
from gis.errors import NotFound
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.tables import FRAME_TABLES, FRAME_VERSIONS

EPOCH: Final = dt.date(1970, 1, 1)
BINARY: Final[sa.Dialect] = pg.psycopg.dialect()  # type: ignore[no-untyped-call]


def read_frame(store: Store, city: CityRow, frame_id: str, *, on: dt.date | None = None) -> gpd.GeoDataFrame:
    """Return one frame of a city as its contract describes it.

    Parameters
    ----------
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
    query = (
        sa.select(
            table.c.id,
            *(_ON_THE_WIRE[c.kind](table.c[c.name]) for c in spec.columns),
            sa.func.ST_AsBinary(table.c.geom),
        )
        .where(table.c.city_id == city.id, *_in_force(spec, table, on or _today(city)))
        .order_by(table.c.id)
    )
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        rows = _fetch(connection, query)
    return _frame(spec, rows, city)


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
    return int(connection.execute(raised).scalar_one())


def _today(city: CityRow) -> dt.date:
    return dt.datetime.now(ZoneInfo(city.profile.time_zone)).date()


def _in_force(spec: FrameSpec, table: sa.Table, day: dt.date) -> list[sa.ColumnElement[bool]]:
    if not {"valid_from", "valid_to"} <= set(spec.names):
        return []
    return [table.c.valid_from <= day, sa.or_(table.c.valid_to.is_(None), table.c.valid_to > day)]


def _fetch(connection: sa.Connection, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
    """Run a query on the connection's own transaction with values in binary form, twice as fast as text."""
    compiled = query.compile(dialect=BINARY)
    driver: psycopg.Connection[tuple[Any, ...]] = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor(binary=True) as cursor:
        cursor.execute(str(compiled).encode(), compiled.params)
        return cursor.fetchall()


def _frame(spec: FrameSpec, rows: Sequence[tuple[Any, ...]], city: CityRow) -> gpd.GeoDataFrame:
    keys, *values, shapes = zip(*rows, strict=True) if rows else ((),) * (len(spec.columns) + 2)
    index = pd.Index(np.array(keys, dtype=np.int64), name="id")
    columns = {
        column.name: pd.Series(_FROM_THE_WIRE[column.kind](list(have), column.required), index=index)
        for column, have in zip(spec.columns, values, strict=True)
    }
    geometry = gpd.GeoSeries(shapely.from_wkb(np.array(shapes, dtype=object)), index=index, crs=LONLAT)
    frame = gpd.GeoDataFrame(columns, geometry=geometry, index=index)
    frame.attrs[PROFILE_ATTR] = city.profile
    return frame


def _as_is(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return column


def _microseconds(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger)


def _days(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return column - sa.literal(EPOCH)


_ON_THE_WIRE: Mapping[Kind, Callable[[sa.Column[Any]], sa.ColumnElement[Any]]] = MappingProxyType(
    {
        "text": _as_is,
        "code": _as_is,
        "integer": _as_is,
        "real": _as_is,
        "boolean": _as_is,
        "instant": _microseconds,
        "date": _days,
    }
)
"""How a column is asked for: times as whole numbers, because a Python object for each costs more than all the rest."""


def _times(unit: str, zone: str | None) -> Callable[[list[int | None], bool], Any]:
    def convert(values: list[int | None], required: bool) -> Any:  # noqa: FBT001 - one of a family
        del required
        counts = pd.array(values, dtype="Int64").to_numpy(dtype=np.int64, na_value=np.iinfo(np.int64).min)
        times = pd.Series(counts.view(f"M8[{unit}]"))
        return times.dt.tz_localize(zone).array if zone else times.astype("M8[s]").array

    return convert


def _array(dtype: str, required_dtype: str) -> Callable[[list[Any], bool], Any]:
    return lambda values, required: pd.array(values, dtype=required_dtype if required else dtype)


_FROM_THE_WIRE: Mapping[Kind, Callable[[list[Any], bool], Any]] = MappingProxyType(
    {
        "text": _array("str", "str"),
        "code": _array("str", "str"),
        "integer": _array("Int64", "int64"),
        "real": lambda values, _: np.array(values, dtype=float),
        "boolean": _array("boolean", "bool"),
        "instant": _times("us", "UTC"),
        "date": _times("D", None),
    }
)
"""How values become an array; a required column needs none of the types that can miss a value."""
