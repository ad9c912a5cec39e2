"""The clients that people have: OWSLib, GDAL of two ages, geopandas and QGIS, against a server on a port."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import geopandas as gpd
import pyogrio
import pytest
from owslib.ogcapi.features import Features
from owslib.ogcapi.processes import Processes

from api.conformance import CLASSES
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities, jobs
from gis.store.engine import Store
from layers.engine.catalog import catalog
from tests.api.conftest import CODES, START, populate
from tests.api.test_processes import worker
from tests.support.databases import fresh_database
from tests.support.desks import Desks
from tests.support.served import served

BOX = (120.601, 31.281, 120.605, 31.285)
DEBIAN_PYTHON = "/usr/bin/python3"
READER = Path(__file__).parents[1] / "support" / "qgis_reader.py"
PATIENCE_S = 240


@pytest.fixture(scope="module")
def database(cluster, template):
    """A database with a small city, for all clients together."""
    with fresh_database(cluster, template) as url:
        store = Store(url)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        populate(store, cities.create(store, profile))
        jobs.ensure_queue(store)
        yield store
        store.close()


@pytest.fixture(scope="module")
def address(database, tmp_path_factory):
    """The address of a server on it, in a process of its own: GDAL lets no other thread of its process run."""
    folder = tmp_path_factory.mktemp("server")
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    environment = {"WANGGE_DATABASE_URL": url, "WANGGE_DATA_DIR": str(folder)}
    with served([sys.executable, "-m", "api.cli", "serve"], environment=environment, log=folder / "log") as at:
        yield at


@pytest.fixture(scope="module")
def token(database):
    """A token of an analyst."""
    return Desks(database).token("analyst")


@pytest.fixture(scope="module")
def features(address, token):
    """OWSLib's client of OGC API Features."""
    return Features(address, headers={"Authorization": f"Bearer {token}"})


def test_owslib_finds_its_way(features):
    assert features.conformance()["conformsTo"] == list(CLASSES)
    assert set(features.feature_collections()) == set(catalog())
    assert features.api()["openapi"].startswith("3.0")
    assert {"category", "occurred_at"} <= set(features.collection_queryables("incidents")["properties"])
    assert "category" in features.collection_schema("incidents")["properties"]
    assert features.collection("grids")["extent"]["spatial"]["bbox"] == [[120.6, 31.28, 120.62, 31.3]]


def test_owslib_reads_pages_boxes_filters_and_single_features(features):
    page = features.collection_items("incidents", limit=20)
    assert (page["numberMatched"], page["numberReturned"]) == (250, 20)
    assert features.collection_items("grids", bbox=list(BOX))["numberMatched"] == 1
    assert features.collection_items("incidents", category="theft")["numberMatched"] == 84
    assert features.collection_items("incidents", filter="category IN ('theft','assault')")["numberMatched"] == 167
    day = START.date().isoformat()
    assert features.collection_items("incidents", datetime_=f"{day}/{day}")["numberMatched"] == 3
    first = page["features"][0]
    assert features.collection_item("incidents", str(first["id"]))["properties"] == first["properties"]


def test_owslib_runs_a_process(address, token, database):
    client = Processes(address, headers={"Authorization": f"Bearer {token}"})
    assert "hotspots" in {one["id"] for one in client.processes()}
    assert "lattice_m" in client.process("hotspots")["inputs"]
    with worker(database):
        job = client.execute("hotspots", {"lattice_m": 400}, async_=True)
    assert job["processID"] == "hotspots"


@pytest.fixture
def bearer(token):
    """GDAL of our wheels, which asks with a token in the header."""
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token})
    yield
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})


@pytest.mark.usefixtures("bearer")
def test_geopandas_reads_an_answer_a_connection_and_a_tile(address, token):
    ask = Request(  # noqa: S310 - a server of the test
        f"{address}/collections/incidents/items?limit=1000&category=theft", headers={"Authorization": f"Bearer {token}"}
    )
    with urlopen(ask, timeout=30) as answer:  # noqa: S310
        frame = gpd.read_file(answer)
    assert (len(frame), set(frame["category"]), frame.crs.to_epsg()) == (84, {"theft"}, 4326)
    whole = gpd.read_file(f"OAPIF:{address}", layer="incidents", PAGE_SIZE="100")
    assert len(whole) == 250
    assert whole["occurred_at"].min() == START
    tile = gpd.read_file(tile_of(address), layer="grids", X="3420", Y="1672", Z="12")
    assert sorted(tile["code"]) == CODES
    assert tile.crs.to_epsg() == 3857


def tile_of(address):
    """Return a tile as GDAL takes it: an address that ends in a number would be a folder of tiles to it."""
    return f"MVT:/vsicurl/{address}/collections/grids/tiles/WebMercatorQuad/12/1672/3420?v=1"


def gdal(*words, token):
    """Run one of Debian's GDAL programs with a token in the header; return what it says."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]}: install Debian's gdal-bin, as setup.sh does")
    settings = {"GDAL_HTTP_HEADERS": f"Authorization: Bearer {token}", "OGR_ENABLE_PARTIAL_REPROJECTION": "NO"}
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, **settings}, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    return done.stdout


def test_debians_ogrinfo_lists_and_counts(address, token):
    listed = gdal("ogrinfo", f"OAPIF:{address}", token=token)
    assert all(f": {name} (" in listed or f": {name}" in listed for name in ("grids", "incidents"))
    told = gdal("ogrinfo", "-so", f"OAPIF:{address}", "incidents", token=token)
    assert "Feature Count: 250" in told
    assert "occurred_at: DateTime" in told
    assert 'ID["OGC","CRS84"]' in told or 'ID["EPSG",4326]' in told


def test_debians_ogr2ogr_copies_pages_and_lets_the_server_filter(address, token, tmp_path):
    target = tmp_path / "thefts.gpkg"
    source = f"OAPIF:{address}"
    gdal("ogr2ogr", str(target), source, "incidents", "-where", "category = 'theft'", token=token)
    copied = gpd.read_file(target)
    assert (len(copied), set(copied["category"])) == (84, {"theft"})
    whole = tmp_path / "whole.gpkg"
    gdal("ogr2ogr", str(whole), source, "incidents", "-oo", "PAGE_SIZE=60", "-spat", *map(str, BOX), token=token)
    boxed = gpd.read_file(whole)
    assert 0 < len(boxed) < 250
    assert boxed.cx[BOX[0] : BOX[2], BOX[1] : BOX[3]].shape == boxed.shape


def test_debians_gdal_reads_a_tile(address, token):
    place = ("-oo", "X=3420", "-oo", "Y=1672", "-oo", "Z=12")
    told = gdal("ogrinfo", "-al", tile_of(address), *place, token=token)
    assert told.count("OGRFeature(grids)") == 4
    assert all(f"code (String) = {code}" in told for code in CODES)


@pytest.fixture(scope="module")
def saw(address, token, tmp_path_factory):
    """What QGIS saw of the server, and the folder of its pictures."""
    probe = [DEBIAN_PYTHON, "-c", "import qgis.core"]
    if not Path(DEBIAN_PYTHON).exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no QGIS: install Debian's python3-qgis")
    folder = tmp_path_factory.mktemp("qgis")
    done = subprocess.run(
        [DEBIAN_PYTHON, str(READER), address, token, str(folder)],
        capture_output=True,
        text=True,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen"},
        timeout=PATIENCE_S,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("SAW ")]
    assert told, done.stdout + done.stderr
    return json.loads(told[0].removeprefix("SAW "))


def test_qgis_lists_every_layer_below_a_connection(saw):
    assert saw["listed"] == sorted(catalog())


def test_qgis_reads_every_feature_with_its_attributes(saw):
    assert saw["counts"] == saw["read"] == {"incidents": 250, "grids": 4}
    assert set(saw["fields"]["incidents"]) == set(catalog()["incidents"].columns)
    assert saw["first"]["category"] == "theft"
    assert datetime.fromisoformat(saw["first"]["occurred_at"]) == datetime(2025, 1, 1, tzinfo=UTC)
    assert saw["first"]["lonlat"] == pytest.approx([120.6001, 31.2801])
    assert saw["names"] == ["第0网格", "第1网格", "第2网格", "第3网格"]
    assert set(saw["crs"].values()) <= {"EPSG:4326", "OGC:CRS84"}
    assert saw["extent"] == pytest.approx([120.6, 31.28, 120.62, 31.3])


def test_qgis_filters_by_attribute_and_by_box(saw):
    assert saw["thefts"] == 84
    assert saw["in_corner"] == 1


def test_qgis_draws_features_and_our_tiles_in_our_style(saw):
    drawn = saw["features_picture"]
    assert drawn["drawn_share"] > 0.5
    assert len(drawn["colours"]) > 3
    # On the land of the style lie the outlines of the grids, and the dots of the incidents.
    for name, picture in saw["tiles_pictures"].items():
        assert "#f6f4ef" in picture["colours"], name
        assert len(picture["colours"]) > 5, name
    assert "#3f6f8f" in saw["tiles_pictures"]["grids"]["colours"]
