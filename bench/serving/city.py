"""A big invented city: incidents in clusters and everywhere, rentals, key units, grids of jittered squares.

Its rows go into the frame tables directly, without an import, because what is measured here is how they come out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pyarrow as pa
import shapely

from bench.databases import own_store
from gis.city import FRAMES
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities, frames, wire
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES

INCIDENTS, RENTALS, KEY_UNITS, GRIDS = 1_000_000, 300_000, 20_000, 20_000
QUICK: Final = 10
"""A quick city has one in so many of each."""
WEST, SOUTH, EAST, NORTH = 120.3, 31.0, 121.3, 31.8
CLUSTERS: Final = 60
SPREAD_DEG: Final = 0.012
UNIFORM_SHARE: Final = 0.25
DAYS: Final = 1096
VERTICES: Final = 16
"""Of a grid, beside the first one again."""
CATEGORIES = ("theft", "noise", "fraud", "burglary", "assault", "dispute", "traffic_accident", "environment")
WAIT_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class BigCity:
    """A running database with the city in it.

    Attributes
    ----------
    share
        One in so many of the full numbers.
    """

    store: Store
    city: CityRow
    share: int

    @property
    def url(self) -> str:
        """Where the database is, with the right to see everything."""
        return self.store.url.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def big_city(*, share: int = 1) -> Iterator[BigCity]:
    """Give the city in a database of its own, thrown away at the end."""
    with own_store() as store:
        yield build(store, share=share)


def build(store: Store, *, share: int = 1) -> BigCity:
    """Put the city into an empty database of the newest schema."""
    profile = CityProfile("big", Text("大城", "Big City"), "EPSG:4549", "Asia/Shanghai", synthetic=True)
    city = cities.create(store, profile)
    rng = np.random.default_rng(20)
    made = {
        "grids": _grids(rng, GRIDS // share),
        "key_units": _key_units(rng, KEY_UNITS // share),
        "rentals": _rentals(rng, RENTALS // share),
        "incidents": _incidents(rng, INCIDENTS // share),
    }
    for frame_id, rows in made.items():
        _fill(store, city, frame_id, rows)
    made_city = BigCity(store, city, share)
    with psycopg.connect(made_city.url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return made_city


def _fill(store: Store, city: CityRow, frame_id: str, rows: gpd.GeoDataFrame) -> None:
    """Copy rows into a frame; its spatial indexes are made afterwards."""
    table, count = FRAME_TABLES[frame_id], len(rows)
    spatial = [index for index in table.indexes if index.dialect_kwargs.get("postgresql_using") == "gist"]
    with store.transaction(city.scope, timeout_s=WAIT_S, as_owner=True) as connection:
        for index in spatial:
            index.drop(connection)
        batch = connection.scalar(
            IMPORT_BATCHES.insert()
            .values(city_id=city.id, frame=frame_id, source="bench", content_sha256="", options={}, state="applied")
            .returning(IMPORT_BATCHES.c.id)
        )
        columns = {
            "city_id": pa.array(np.full(count, city.id, np.int16)),
            "source": pa.array(["bench"] * count),
            "batch_id": pa.array(np.full(count, batch, np.int64)),
        }
        rows = rows.assign(source_id=np.arange(count).astype(str))
        wire.copy(connection, table, columns | wire.arrow(FRAMES[frame_id], rows))
        for index in spatial:
            index.create(connection)
        frames.raise_version(connection, city.id, frame_id)


def incident_places(rng: np.random.Generator, count: int) -> np.ndarray:
    """Return places (n, 2) in degrees: most in clusters, a quarter anywhere."""
    anywhere = int(count * UNIFORM_SHARE)
    corner, size = np.array([WEST, SOUTH]), np.array([EAST - WEST, NORTH - SOUTH])
    centres = corner + size * rng.uniform(0.1, 0.9, (CLUSTERS, 2))
    crowded = rng.normal(centres[rng.integers(0, CLUSTERS, count - anywhere)], SPREAD_DEG)
    places = np.vstack([crowded, corner + size * rng.uniform(0, 1, (anywhere, 2))])
    return np.asarray(rng.permutation(places))


def _incidents(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    first = pd.Timestamp(dt.datetime(2022, 1, 1, tzinfo=dt.UTC))
    return _points(
        incident_places(rng, count),
        occurred_at=first + pd.to_timedelta(rng.integers(0, DAYS * 86_400, count), "s"),
        category=rng.choice(CATEGORIES, count),
        origin="import",
        address="",
        location_withheld=False,
    )


def _rentals(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    return _points(
        incident_places(rng, count),
        kind=rng.choice(["flat", "house", "dormitory", "managed"], count),
        address="",
        rooms_count=rng.integers(1, 9, count),
        beds_count=rng.integers(1, 20, count),
        smoke_detectors=rng.choice([True, False], count),
    )


def _key_units(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    return _points(
        incident_places(rng, count),
        kind=rng.choice(["school", "hospital", "hotel", "petrol_station"], count),
        name_zh=[f"单位{i}" for i in range(count)],
        guards_count=rng.integers(0, 9, count),
    )


def _points(places: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapely.points(places), crs="EPSG:4326"))


def _grids(rng: np.random.Generator, count: int) -> gpd.GeoDataFrame:
    """Return areas of 17 vertices on a jittered lattice, the last vertex being the first."""
    across = int(np.ceil(np.sqrt(count * (EAST - WEST) / (NORTH - SOUTH))))
    step = (EAST - WEST) / across
    row, column = np.divmod(np.arange(count), across)
    middle = np.column_stack([WEST + (column + 0.5) * step, SOUTH + (row + 0.5) * step])
    angle = np.linspace(0, 2 * np.pi, VERTICES, endpoint=False)
    reach = step * rng.uniform(0.35, 0.5, (count, VERTICES, 1))
    rings = middle[:, None] + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    codes = [f"3205080{number:08d}" for number in range(count)]
    columns = {"code": codes, "kind": "comprehensive", "name_zh": codes, "households_count": 100}
    since = np.datetime64("2020-01-01", "s")
    return gpd.GeoDataFrame(
        {**columns, "valid_from": np.full(count, since)},
        geometry=gpd.GeoSeries(shapely.polygons(rings), crs="EPSG:4326"),
    )
