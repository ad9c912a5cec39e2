"""A frame comes out of the database as its contract says, and the tables refuse what they must."""

from __future__ import annotations

import datetime as dt
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import sqlalchemy as sa
from shapely import from_wkt

from gis.city import FRAMES
from gis.contract.service import profile_of
from gis.errors import NotFound
from gis.store import cities, frames
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.tables import FRAME_TABLES
from tests.gis.store.test_cities import CHICAGO
from tests.support.rows import fill

SQUARE = "POLYGON ((120 31, 120.01 31, 120.01 31.01, 120 31.01, 120 31))"
BOW_TIE = "POLYGON ((120 31, 120.01 31.01, 120.01 31, 120 31.01, 120 31))"
NIGHT = dt.datetime(2026, 3, 1, 23, 59, 59, 123456, tzinfo=dt.UTC)


def grid(code: str, first: str, last: str | None = None, shape: str = SQUARE) -> dict[str, Any]:
    return {
        "code": code,
        "kind": "comprehensive",
        "valid_from": dt.date.fromisoformat(first),
        "valid_to": dt.date.fromisoformat(last) if last else None,
        "geom": shape,
    }


def incident(shape: str | None, **more: Any) -> dict[str, Any]:
    return {
        "occurred_at": NIGHT,
        "reported_at": None,
        "address": None,
        "category": "theft",
        "origin": "import",
        "location_withheld": shape is None,
        "geom": shape,
        **more,
    }


@pytest.mark.parametrize("frame_id", FRAMES)
def test_an_empty_frame_keeps_its_contract(store: Store, city: CityRow, frame_id: str) -> None:
    frame = frames.read_frame(store, city, frame_id)
    FRAMES[frame_id].check(frame)
    assert len(frame) == 0
    assert list(frame.columns) == [*FRAMES[frame_id].names, "geometry"]
    assert frame.crs == "EPSG:4326"


def test_incidents_come_back_as_they_went_in(store: Store, city: CityRow) -> None:
    keys = fill(
        store,
        city,
        "incidents",
        [
            incident("POINT (120.123456789012 31.5)", address="人民路 1 号", reported_at=NIGHT + dt.timedelta(hours=1)),
            incident("LINESTRING (120 31, 120.5 31.5)"),
            incident(SQUARE),
            incident(None),
        ],
    )
    frame = frames.read_frame(store, city, "incidents")
    FRAMES["incidents"].check(frame)
    assert list(frame.index) == keys
    assert frame.index.name == "id"
    assert list(frame["occurred_at"]) == [pd.Timestamp(NIGHT)] * 4
    assert frame["reported_at"].iloc[0] == pd.Timestamp(NIGHT) + pd.Timedelta(hours=1)
    assert frame["reported_at"].isna().tolist() == [False, True, True, True]
    assert frame["address"].iloc[0] == "人民路 1 号"
    assert frame["address"].isna().tolist() == [False, True, True, True]
    assert frame["location_withheld"].tolist() == [False, False, False, True]
    assert frame["location_withheld"].dtype == bool
    assert frame.geometry.iloc[0].equals(from_wkt("POINT (120.123456789012 31.5)"))
    assert frame.geometry.iloc[:3].geom_type.tolist() == ["Point", "LineString", "Polygon"]
    assert profile_of(frame) == city.profile


def test_rentals_keep_numbers_dates_and_what_is_missing(store: Store, city: CityRow) -> None:
    given = {"kind": "flat", "rooms_count": 3, "area_m2": 81.5, "smoke_detectors": True, "geom": "POINT (120 31)"}
    checked = {"kind": "flat", "last_inspected_on": dt.date(1969, 12, 31), "geom": "POINT (120 31)"}
    fill(store, city, "rentals", [given])
    fill(store, city, "rentals", [checked])
    frame = frames.read_frame(store, city, "rentals")
    FRAMES["rentals"].check(frame)
    assert frame["rooms_count"].tolist() == [3, pd.NA]
    assert frame["area_m2"].iloc[0] == 81.5
    assert frame["area_m2"].isna().tolist() == [False, True]
    assert frame["smoke_detectors"].tolist() == [True, pd.NA]
    assert frame["last_inspected_on"].iloc[1] == pd.Timestamp("1969-12-31")
    assert frame["last_inspected_on"].isna().tolist() == [True, False]


def test_a_frame_equals_what_geopandas_reads(store: Store, city: CityRow) -> None:
    fill(store, city, "incidents", [incident(f"POINT ({120 + i / 997} {31 + i / 1009})") for i in range(300)])
    ours = frames.read_frame(store, city, "incidents")
    query = sa.select(FRAME_TABLES["incidents"].c.id, sa.literal_column("geom")).select_from(FRAME_TABLES["incidents"])
    with store.transaction(city.scope) as connection:
        theirs = gpd.read_postgis(query, connection, index_col="id").sort_index()
    assert ours.geometry.geom_equals(theirs.geometry.reindex(ours.index)).all()
    assert len(ours) == len(theirs) == 300


def test_the_grids_of_a_day_are_those_in_force(store: Store, city: CityRow) -> None:
    fill(
        store,
        city,
        "grids",
        [
            grid("1", "2020-01-01", "2025-01-01"),
            grid("1", "2025-01-01"),
            grid("2", "2020-01-01"),
            grid("3", "2999-01-01"),
        ],
    )

    def codes(day: str | None) -> list[tuple[str, str]]:
        found = frames.read_frame(store, city, "grids", on=dt.date.fromisoformat(day) if day else None)
        FRAMES["grids"].check(found)
        return sorted(zip(found["code"], found["valid_from"].dt.strftime("%Y"), strict=True))

    assert codes("2019-12-31") == []
    assert codes("2024-12-31") == [("1", "2020"), ("2", "2020")]
    assert codes("2025-01-01") == [("1", "2025"), ("2", "2020")]
    assert codes(None) == [("1", "2025"), ("2", "2020")]
    assert codes("3000-01-01") == [("1", "2025"), ("2", "2020"), ("3", "2999")]


def test_a_city_sees_its_own_rows_only(store: Store, city: CityRow) -> None:
    chicago = cities.create(store, CHICAGO)
    fill(store, city, "posts", [{"kind": "police_post", "geom": "POINT (120 31)"}])
    assert len(frames.read_frame(store, city, "posts")) == 1
    assert len(frames.read_frame(store, chicago, "posts")) == 0


def test_an_unknown_frame_is_not_found(store: Store, city: CityRow) -> None:
    with pytest.raises(NotFound, match="persons"):
        frames.read_frame(store, city, "persons")


def test_versions_rise_with_every_change(store: Store, city: CityRow) -> None:
    with store.transaction(city.scope) as connection:
        assert frames.versions(connection, city.id, ["grids", "beats"]) == {"grids": 0, "beats": 0}
        assert frames.raise_version(connection, city.id, "grids") == 1
        assert frames.raise_version(connection, city.id, "grids") == 2
        assert frames.versions(connection, city.id, ["grids", "beats"]) == {"grids": 2, "beats": 0}
        assert frames.versions(connection, city.id + 1, ["grids"]) == {"grids": 0}


def test_a_bow_tie_is_refused(store: Store, city: CityRow) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="ck_grids_geom_valid"):
        fill(store, city, "grids", [grid("1", "2020-01-01", shape=BOW_TIE)])


def test_two_versions_of_a_grid_in_force_on_one_day_are_refused(store: Store, city: CityRow) -> None:
    fill(store, city, "grids", [grid("1", "2020-01-01", "2025-01-01")])
    for first, last in (("2024-12-31", None), ("2019-01-01", "2020-01-02"), ("2021-01-01", "2022-01-01")):
        with pytest.raises(sa.exc.IntegrityError, match="ex_grids_code_valid"):
            fill(store, city, "grids", [grid("1", first, last)])
    chicago = cities.create(store, CHICAGO)
    fill(store, chicago, "grids", [grid("1", "2024-12-31")])
    fill(store, city, "grids", [grid("1", "2025-01-01"), grid("1", "2019-01-01", "2020-01-01")])


def test_a_removed_city_takes_its_rows_along(store: Store, city: CityRow) -> None:
    chicago = cities.create(store, CHICAGO)
    fill(store, city, "grids", [grid("1", "2020-01-01")])
    fill(store, chicago, "grids", [grid("1", "2020-01-01")])
    cities.remove(store, "test")
    with store.transaction(chicago.scope) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM city.grids").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM city.import_batches").scalar() == 1


def test_the_geometry_for_tiles_follows_the_true_one(store: Store, city: CityRow) -> None:
    fill(store, city, "posts", [{"kind": "police_post", "geom": "POINT (180 0)"}])
    with store.transaction(city.scope) as connection:
        query = "SELECT ST_SRID(geom_3857), ST_X(geom_3857) FROM city.posts"
        srid, x = connection.exec_driver_sql(query).one()
    assert srid == 3857
    assert x == pytest.approx(20037508.342789244)
