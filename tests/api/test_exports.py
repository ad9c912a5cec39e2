"""A layer or a result as a file: what the map shows, in a format that a desk can open."""

import io
import zipfile
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest

from gis.runs import execute
from gis.store.export import export_run
from layers.engine.catalog import catalog
from tests.support.rows import fill

READABLE = ("csv", "fgb", "geojson", "gpkg", "parquet", "xlsx", "zip")


@pytest.fixture
def runs(store, city):
    return [execute(store, city, "hotspots", {"lattice_m": m}) for m in (100, 150)]


@pytest.mark.asvs("5.4.1", "5.4.2", "3.2.1")
@pytest.mark.parametrize("ending", READABLE)
def test_a_frame_comes_in_every_format(shared, ending):
    answer = shared.get(f"/collections/grids/export.{ending}")
    assert answer.status_code == 200, answer.text
    assert f"grids.{ending}" in answer.headers["content-disposition"]
    expected = shared.json("/collections/grids/items")["numberMatched"]
    content = io.BytesIO(answer.content)
    if ending == "csv":
        rows = pd.read_csv(content)
        assert set(rows) <= {*catalog()["grids"].columns, "wkt"}
    elif ending == "xlsx":
        rows = pd.read_excel(content)
    elif ending == "zip":
        assert zipfile.ZipFile(content).testzip() is None
        return
    else:
        rows = gpd.read_parquet(content) if ending == "parquet" else gpd.read_file(content)
        assert rows.crs.to_authority() in {("EPSG", "4326"), ("OGC", "CRS84")}
        assert rows.geometry.is_valid.all()
    assert len(rows) == expected


def test_a_result_is_the_run_asked_for_or_the_latest(served, runs):
    first, latest = runs
    asked = served.get(f"/collections/hotspots/export.csv?run_id={first}")
    newest = served.get("/collections/hotspots/export.csv")
    assert f"hotspots-{first}.csv" in asked.headers["content-disposition"]
    assert f"hotspots-{latest}.csv" in newest.headers["content-disposition"]
    counts = [len(pd.read_csv(io.BytesIO(answer.content))) for answer in (asked, newest)]
    matched = [served.json(f"/collections/hotspots/items?run_id={run}&limit=1")["numberMatched"] for run in runs]
    assert counts == matched


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/collections/grids/export.exe", 415),
        ("/collections/grids/export.csv?run_id=1", 400),
        ("/collections/hotspots/export.csv?run_id=x", 400),
        ("/collections/hotspots/export.csv?run_id=999999", 404),
        ("/collections/hotspots/export.csv", 404),
        ("/collections/no_such/export.csv", 404),
    ],
)
def test_what_is_not_there_is_said_so(shared, path, status):
    assert shared.get(path).status_code == status


def test_nothing_is_left_behind(served, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert served.get("/collections/grids/export.gpkg").status_code == 200
    assert served.get("/collections/hotspots/export.gpkg").status_code == 404
    assert list(tmp_path.iterdir()) == []


def test_the_routes_of_a_night_come_as_gpx_over_http_and_as_a_file(served, store, city, tmp_path):
    line = [f"LINESTRING({120.60 + 0.01 * i} 31.28,{120.61 + 0.01 * i} 31.28)" for i in range(2)]
    streets = [
        {"source_id": f"s{i}", "road_class": "local", "oneway": False, "level": 0, "access": "open", "geom": line[i]}
        for i in range(2)
    ]
    fill(store, city, "segments", streets)
    fill(store, city, "posts", [{"source_id": "p", "kind": "police_post", "geom": "POINT(120.601 31.28)"}])
    stops = [{"lon": 120.605, "lat": 31.28, "name": "A & B"}, {"lon": 120.615, "lat": 31.28}]
    run = execute(store, city, "patrol_routes", {"stops": stops, "units_count": 1})
    answer = served.get(f"/collections/patrol_routes/export.gpx?run_id={run}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/gpx+xml"
    assert f"patrol_routes-{run}.gpx" in answer.headers["content-disposition"]
    path = export_run(store, city, run, tmp_path / "night.gpx")
    for content in (answer.content, path.read_bytes()):
        root = ET.fromstring(content)  # noqa: S314 - our own
        names = [one.text for one in root.iter("{http://www.topografix.com/GPX/1/1}name")]
        assert sum("A & B" in name for name in names) == 2
        assert len(root.findall("{http://www.topografix.com/GPX/1/1}trk")) == 1
    refused = served.get("/collections/grids/export.gpx")
    assert refused.status_code == 422
    assert "GPX holds the routes of patrols" in refused.text
