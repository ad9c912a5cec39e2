"""Staged import of points against geopandas.to_postgis and ogr2ogr, from the same GeoPackage into the same PostGIS.

An import of ours reads in a limited process, checks every value, keeps a resumable ledger and applies with two
spatial indexes and a second geometry for tiles. The others do none of that: they append rows to a bare table without an
index. The step of ours that is the same, rows in memory into a bare table by binary COPY, is a claim of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa

from bench.databases import own_store
from bench.harness import Contest, Disagreement, main
from gis.city import FRAMES
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.files.write import About, write_file
from gis.store import cities, wire
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.ingest import ImportOptions, import_file
from gis.store.tables import CITY_SCHEMA, FRAME_TABLES, geometry_columns, sql_column

ROWS, QUICK_ROWS = 100_000, 30_000
COPIED, QUICK_COPIED = 500_000, 50_000
INCIDENTS = FRAME_TABLES["incidents"]
BARE = sa.table("bare_incidents", sa.column("geom"), schema=CITY_SCHEMA)
Answer = tuple[int, float, float]
"""Rows, and the sums of x and y."""


def incidents(count: int) -> gpd.GeoDataFrame:
    """Return invented incidents over three years."""
    rng = np.random.default_rng(1)
    points = shapely.points(rng.normal((120.6, 31.3), 0.05, (count, 2)))
    return gpd.GeoDataFrame(
        {
            "source_id": [f"i{number}" for number in range(count)],
            "occurred_at": pd.Timestamp("2022-01-01", tz="UTC")
            + pd.to_timedelta(rng.integers(0, 94_608_000, count), "s"),
            "category": rng.choice(["theft", "noise", "fraud"], count),
            "address": "",
        },
        geometry=gpd.GeoSeries(points, crs="EPSG:4326"),
    )


def answer(store: Store, city: CityRow, table: Any) -> Answer:
    """Return what is in a table."""
    x, y = sa.func.ST_X(table.c.geom), sa.func.ST_Y(table.c.geom)
    with store.transaction(city.scope, timeout_s=600, as_owner=True) as connection:
        rows, east, north = connection.execute(
            sa.select(sa.func.count(), sa.func.sum(x), sa.func.sum(y)).select_from(table)
        ).one()
    return int(rows), float(east), float(north)


def agree(ours: Answer, anchor: Answer) -> str:
    """Return that both tables hold the same points."""
    if ours[0] != anchor[0] or not np.allclose(ours[1:], anchor[1:], rtol=1e-12, atol=0):
        raise Disagreement(f"{ours} against {anchor}")
    return f"{ours[0]:,} rows, same coordinates"


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield the import against both anchors."""
    count = QUICK_ROWS if quick else ROWS
    with own_store() as store, tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        profile = CityProfile("bench", Text("测", "Bench"), "EPSG:4549", "Asia/Shanghai", synthetic=True)
        city = cities.create(store, profile)
        path = Path(folder) / "incidents.gpkg"
        write_file(path, incidents(count), FRAMES["incidents"], About("incidents", "bench", synthetic=True))
        yield from _contests(store, city, path, count)
        yield _copying(store, city, incidents(QUICK_COPIED if quick else COPIED))


def _copying(store: Store, city: CityRow, rows: gpd.GeoDataFrame) -> Contest:
    """Return the claim about the step alone: from a frame in memory into a bare table."""
    anchor_engine = sa.create_engine(store.url.set(drivername="postgresql+psycopg2"))
    spec = FRAMES["incidents"]
    bare = sa.Table(
        BARE.name,
        sa.MetaData(schema=CITY_SCHEMA),
        *(sql_column(column) for column in spec.columns if column.name in rows.columns),
        geometry_columns(required=True)[0],
    )

    def empty() -> None:
        with store.transaction(city.scope, timeout_s=600, as_owner=True) as connection:
            bare.drop(connection, checkfirst=True)

    def ours() -> Answer:
        with store.transaction(city.scope, timeout_s=600, as_owner=True) as connection:
            bare.create(connection)
            wire.copy(connection, bare, wire.arrow(spec, rows))
        return answer(store, city, BARE)

    def to_postgis() -> Answer:
        rows.rename_geometry("geom").to_postgis(BARE.name, anchor_engine, schema=CITY_SCHEMA)
        return answer(store, city, BARE)

    return Contest(
        name="copy_to_postgis",
        n=len(rows),
        ours=ours,
        anchor=to_postgis,
        anchor_name="geopandas.to_postgis",
        target=5,
        agree=agree,
        before=empty,
    )


def _contests(store: Store, city: CityRow, path: Path, count: int) -> Iterator[Contest]:
    plain_url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    anchor_engine = sa.create_engine(store.url.set(drivername="postgresql+psycopg2"))

    def empty() -> None:
        with store.transaction(city.scope, timeout_s=600, as_owner=True) as connection:
            connection.exec_driver_sql("TRUNCATE city.incidents, city.import_batches CASCADE")
            connection.exec_driver_sql("DROP TABLE IF EXISTS city.bare_incidents")

    def ours() -> Answer:
        report = import_file(store, city, "incidents", path, ImportOptions(crs="wgs84"))
        report.raise_if_refused()
        return answer(store, city, INCIDENTS)

    def to_postgis() -> Answer:
        frame = gpd.read_file(path).rename_geometry("geom")
        frame.to_postgis("bare_incidents", anchor_engine, schema=CITY_SCHEMA)
        return answer(store, city, BARE)

    def ogr2ogr() -> Answer:
        options = ["-nln", "city.bare_incidents", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=NONE"]
        command = [
            "ogr2ogr",
            "-f",
            "PostgreSQL",
            f"PG:{plain_url}",
            str(path),
            *options,
            "--config",
            "PG_USE_COPY",
            "YES",
        ]
        subprocess.run(command, check=True, capture_output=True)
        return answer(store, city, BARE)

    for name, anchor in (("import_to_postgis", to_postgis), ("import_ogr2ogr", ogr2ogr)):
        yield Contest(
            name=name,
            n=count,
            ours=ours,
            anchor=anchor,
            anchor_name={"import_to_postgis": "geopandas.to_postgis", "import_ogr2ogr": "ogr2ogr, COPY"}[name],
            # Not a race: they append to a bare table. The claim is that process, checks, ledger, foreign keys and
            # indexes together cost no more than this.
            target={"import_to_postgis": 0.05, "import_ogr2ogr": 0.02}[name],
            agree=agree,
            before=empty,
        )


if __name__ == "__main__":
    sys.exit(main(contests, title="Import of points, checked and indexed, against bare loaders (n = rows)"))
