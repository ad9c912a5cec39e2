"""Places that are moved before they leave: always the same way, within what the asker sees, and said in the file."""

import datetime as dt
import io
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from gis.runs import execute
from gis.store import audit
from gis.store.tables import MASK_SECRETS
from tests.api.conftest import SOUTH, WEST, square
from tests.support.rows import fill

COLUMNS, ROWS = 12, 10


@pytest.fixture
def town(served, store, city):
    """A town of two communities with their blocks, and rentals that lie in both; the server of it."""
    halves = [(f"32050800{i}", [square(i, row) for row in range(2)]) for i in (1, 2)]
    fill(
        store,
        city,
        "communities",
        [
            {"source_id": code, "code": code, "geom": shapely.union_all(shapely.from_wkt(parts)).wkt}
            for code, parts in ((code, [square(i, row) for row in range(2)]) for i, (code, _) in enumerate(halves))
        ],
    )
    step = 0.02 / 10
    fill(
        store,
        city,
        "blocks",
        [
            {
                "source_id": f"b{i}",
                "code": f"b{i}",
                "households_count": 120,
                "geom": shapely.box(x := WEST + i % 10 * step, y := SOUTH + i // 10 * step, x + step, y + step).wkt,
            }
            for i in range(100)
        ],
    )
    fill(
        store,
        city,
        "rentals",
        [
            {
                "source_id": f"r{i}",
                "kind": "flat",
                "rooms_count": 1 + i % 4,
                "address": f"{i} Garden Lane",
                "last_inspected_on": dt.date(2025, 1, 1),
                "geom": f"POINT({WEST + 0.0013 + 0.018 * (i % COLUMNS) / COLUMNS} "
                f"{SOUTH + 0.001 + 0.018 * (i // COLUMNS) / ROWS})",
            }
            for i in range(COLUMNS * ROWS)
        ],
    )
    served.forget()
    return served


def frame(answer):
    assert answer.status_code == 200, answer.text
    return gpd.read_file(io.BytesIO(answer.content))


def true_places(town):
    items = town.json("/collections/rentals/items?limit=1000", role="analyst")["features"]
    return gpd.GeoDataFrame.from_features(items, crs="EPSG:4326")


def metres(frame):
    return shapely.get_coordinates(frame.geometry.to_crs("EPSG:4549").to_numpy())


def test_rentals_leave_moved_only_and_without_their_address(town):
    answer = town.get("/collections/rentals/export.geojson", role="analyst")
    assert "rentals-masked.geojson" in answer.headers["content-disposition"]
    assert answer.headers["wangge-mask"].startswith("donut;moved=120;withheld=0;inner-m=")
    assert b"places masked (donut): 120 moved" in answer.content
    assert b"Garden Lane" not in answer.content
    found, true = frame(answer), true_places(town)
    assert len(found) == len(true) == 120
    least = float(answer.headers["wangge-mask"].split('inner-m="')[1].split('"')[0].split("-")[0])
    own = np.hypot(*(metres(found) - metres(true)).T)
    assert own.min() >= least - 1
    assert town.get("/collections/rentals/export.geojson?mask=none", role="analyst").status_code == 403
    assert town.get("/collections/rentals/export.geojson?mask=blur", role="analyst").status_code == 400


def test_every_file_shows_the_same_points_and_their_average_is_none_of_the_true_ones(town):
    files = [frame(town.get(f"/collections/rentals/export.{e}", role="analyst")) for e in ("geojson", "fgb", "gpkg")]
    some = frame(town.get("/collections/rentals/export.geojson?rooms_count=2", role="analyst"))
    first = {point.wkt for point in files[0].geometry}
    for other in files[1:]:
        assert {point.wkt for point in other.geometry} == first
    assert 0 < len(some) < 120
    assert {point.wkt for point in some.geometry} <= first


def test_moved_places_stay_in_their_community(town):
    true, found = true_places(town), frame(town.get("/collections/rentals/export.geojson", role="analyst"))
    middle = WEST + 0.01
    assert ((true.geometry.x < middle) == (found.geometry.x <= middle)).all()
    assert found.geometry.within(shapely.box(WEST, SOUTH, WEST + 0.02, SOUTH + 0.02).buffer(1e-9)).all()


def test_a_box_is_compared_with_the_moved_places_and_no_filter_asks_for_the_true_ones(town):
    whole = frame(town.get("/collections/rentals/export.geojson", role="analyst"))
    box = (WEST + 0.002, SOUTH + 0.002, WEST + 0.012, SOUTH + 0.012)
    text = ",".join(map(str, box))
    answer = town.get(f"/collections/rentals/export.geojson?bbox={text}", role="analyst")
    some = frame(answer)
    assert answer.headers["wangge-mask"].startswith(f"donut;moved={len(some)};withheld=0;")
    expected = whole[whole.geometry.within(shapely.box(*box))]
    assert {point.wkt for point in some.geometry} == {point.wkt for point in expected.geometry}
    assert 0 < len(some) < 120
    asks = f"S_INTERSECTS(geometry,BBOX({text}))"
    refused = town.get("/collections/rentals/export.geojson", params={"filter": asks}, role="analyst")
    assert refused.status_code == 400
    assert [problem["field"] for problem in refused.json()["problems"]] == ["filter"]


def test_other_points_are_moved_when_asked_and_areas_cannot_be(town):
    plain = pd.read_csv(io.BytesIO(town.get("/collections/incidents/export.csv", role="analyst").content))
    answer = town.get("/collections/incidents/export.csv?mask=donut", role="analyst")
    assert "incidents-masked.csv" in answer.headers["content-disposition"]
    moved = pd.read_csv(io.BytesIO(answer.content))
    assert len(moved) == len(plain) == 250
    assert ((moved[["lon", "lat"]] - plain[["lon", "lat"]]).abs().max(axis=1) > 1e-4).all()
    assert moved["category"].tolist() == plain["category"].tolist()
    refused = town.get("/collections/grids/export.csv?mask=donut", role="analyst")
    assert refused.status_code == 400
    assert refused.json()["problems"][0]["field"] == "mask"


def test_the_command_masks_by_the_same_secret(town, wangge, tmp_path, store, city):
    told = wangge("export", "rentals", tmp_path / "out.parquet")
    assert "places masked (donut): 120 moved" in told
    path = tmp_path / "out-masked.parquet"
    assert b"Spruill" in pq.read_schema(path).metadata[b"masking"]
    over_http = frame(town.get("/collections/rentals/export.geojson", role="analyst"))
    assert {p.wkt for p in gpd.read_parquet(path).geometry} == {p.wkt for p in over_http.geometry}
    assert "must be donut" in wangge("export", "rentals", tmp_path / "x.csv", "--mask", "blur", code=2)
    with store.transaction(city.scope, as_owner=True) as connection:
        secret = connection.execute(MASK_SECRETS.select()).one().secret
        assert len(secret) == 32
        connection.execute(MASK_SECRETS.delete())
    other = frame(town.get("/collections/rentals/export.geojson", role="analyst"))
    assert not {p.wkt for p in other.geometry} & {p.wkt for p in over_http.geometry}


def test_true_places_are_written_when_asked_what_for(town, wangge, tmp_path, store):
    path = tmp_path / "true.parquet"
    for words, why in (
        ((), "say what the file is for"),
        (("--purpose", "call 13812345678"), "name the task"),
        (("--purpose", "moving house", "--mask", "donut"), "not both"),
    ):
        assert why in wangge("export", "rentals", path, "--true-places", *words, code=2)
    assert not list(tmp_path.glob("*.parquet"))
    wangge("export", "rentals", path, "--true-places", "--purpose", "to another  server")
    row = audit.read(store, actions=["export"])[0]
    assert (row.purpose, row.object, row.role) == ("to another server", "collections/rentals", "console")
    assert json.loads(row.detail) == {"ending": ".parquet", "filtered": False, "masked": False, "true_places": True}
    digits = 6
    found, true = (
        {(round(p.x, digits), round(p.y, digits)) for p in places.geometry}
        for places in (gpd.read_parquet(path), true_places(town))
    )
    assert found == true
    wangge("export", "rentals", tmp_path / "moved.csv", "--purpose", "for the press")
    row = audit.read(store, actions=["export"])[0]
    assert row.purpose == "for the press"
    assert json.loads(row.detail) == {"ending": ".csv", "filtered": False, "masked": True}


@pytest.fixture
def ways(town, store, city):
    """The town with a street and a post."""
    line = f"LINESTRING({WEST} {SOUTH + 0.01},{WEST + 0.02} {SOUTH + 0.01})"
    fill(
        store,
        city,
        "segments",
        [{"source_id": "s", "road_class": "local", "oneway": False, "level": 0, "access": "open", "geom": line}],
    )
    fill(store, city, "posts", [{"source_id": "p", "kind": "police_post", "geom": f"POINT({WEST} {SOUTH + 0.01})"}])
    return town


def test_the_command_moves_what_a_service_says_of_each_rental(ways, wangge, tmp_path):
    true = {p.wkt for p in true_places(ways).geometry}
    told = wangge("run", "coverage_gaps", "--param", "demand=rentals", "--out", tmp_path / "run.parquet")
    assert "run-masked.parquet" in told
    wangge("export", "coverage_gaps", tmp_path / "again.parquet")
    files = [gpd.read_parquet(tmp_path / f"{name}-masked.parquet") for name in ("run", "again")]
    for file in files:
        assert len(file) == COLUMNS * ROWS
        assert {p.wkt for p in file.geometry}.isdisjoint(true)
        assert not file["name_zh"].astype(str).str.contains("Garden Lane").any()
    assert {p.wkt for p in files[0].geometry} == {p.wkt for p in files[1].geometry}
    wangge("export", "coverage_gaps", tmp_path / "true.parquet", "--true-places", "--purpose", "a drill")
    assert {p.wkt for p in gpd.read_parquet(tmp_path / "true.parquet").geometry}.isdisjoint(
        {p.wkt for p in files[0].geometry}
    )
    assert "is a run of" in wangge("export", "hotspots", tmp_path / "x.csv", "--run-id", 1, code=2)
    wangge("run", "coverage_gaps", "--param", "demand=households", "--out", tmp_path / "plain.parquet")
    assert len(gpd.read_parquet(tmp_path / "plain.parquet")) == 100


def test_what_a_service_says_of_each_rental_leaves_moved_too(ways, store, city):
    town = ways
    runs = {demand: execute(store, city, "coverage_gaps", {"demand": demand}) for demand in ("rentals", "households")}
    town.forget()
    for layer in ("coverage_places", "coverage_gaps"):
        path = f"/collections/{layer}/export.geojson?run_id={runs['rentals']}"
        answer = town.get(path, role="analyst")
        assert f"{layer}-{runs['rentals']}-masked.geojson" in answer.headers["content-disposition"]
        assert {p.wkt for p in frame(answer).geometry}.isdisjoint({p.wkt for p in true_places(town).geometry})
        assert town.get(f"{path}&mask=none", role="analyst").status_code == 403
        plain = town.get(f"/collections/{layer}/export.geojson?run_id={runs['households']}", role="analyst")
        assert "wangge-mask" not in plain.headers
