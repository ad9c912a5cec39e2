"""What is exported in any format comes back in without changing a single row."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from gis.city import FRAMES
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import InvalidInput
from gis.files.formats import FORMATS
from gis.files.write import About, write_file
from gis.store import cities
from gis.store.export import export_frame
from gis.store.frames import read_frame
from gis.store.ingest import ImportOptions, import_file

ENDINGS = [row.extensions[0] for row in FORMATS.values() if row.written and row.read]
SOURCE = ImportOptions(crs="wgs84", source="office")


def frame_of(columns, geometry):
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(geometry, crs="EPSG:4326"))


def beats():
    rng = np.random.default_rng(4)
    west, south = 120.6 + rng.random(3) / 100, 31.3 + rng.random(3) / 100
    squares = shapely.box(west, south, west + 0.0123456789, south + 0.01)
    holed = shapely.Polygon(
        shapely.get_coordinates(shapely.box(120.7, 31.3, 120.8, 31.4)),
        [shapely.get_coordinates(shapely.box(120.72, 31.32, 120.74, 31.34))],
    )
    two = shapely.MultiPolygon([shapely.box(120.9, 31.3, 120.91, 31.31), shapely.box(120.95, 31.3, 120.96, 31.31)])
    names = ["一号", "=HYPERLINK(1)", "'-quoted", None, 'comma, "quote"\nline']
    columns = {"source_id": list("abcde"), "code": ["001", "-2", "@3", "+4", "5"], "name_zh": names}
    return frame_of(columns, [*squares, holed, two])


def incidents():
    n = 40
    rng = np.random.default_rng(5)
    points = shapely.points(rng.uniform([120.5, 31.2], [120.7, 31.4], (n, 2)))
    points[::7] = None
    times = pd.date_range("2024-01-01", periods=n, freq="7h13min", tz="UTC")
    columns = {
        "source_id": [f"{i:05d}" for i in range(n)],
        "occurred_at": times,
        "reported_at": pd.Series(times).where(np.arange(n) % 3 > 0),
        "category": "theft",
        "origin": "patrol",
    }
    return frame_of(columns, points)


def segments():
    lines = [
        shapely.LineString([(120.6, 31.3), (120.61, 31.31), (120.62, 31.3)]),
        shapely.LineString([(120.6, 31.2), (120.7, 31.2)]),
    ]
    columns = {"source_id": ["1", "2"], "road_class": "local", "oneway": [True, False], "speed_kmh": [30.5, np.nan]}
    return frame_of(columns, lines)


def grids():
    columns = {
        "source_id": ["g1", "g2"],
        "code": ["320508001001001", "320508001001002"],
        "kind": "comprehensive",
        "households_count": pd.array([300, None], dtype="Int64"),
        "valid_from": pd.to_datetime(["1900-01-01", "2020-02-29"]),
    }
    return frame_of(columns, shapely.box([120.6, 120.7], 31.3, [120.61, 120.71], 31.31))


FRAMES_OF_TEST = {"beats": beats, "incidents": incidents, "segments": segments, "grids": grids}


@pytest.mark.parametrize("frame_id", FRAMES_OF_TEST)
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_export_comes_back_without_a_change(store, city, tmp_path, frame_id, ending):
    rows = FRAMES_OF_TEST[frame_id]()
    spec = FRAMES[frame_id]
    origin = write_file(tmp_path / "origin.parquet", rows, spec, About(frame_id, "test"))
    assert import_file(store, city, frame_id, origin, SOURCE).inserted == len(rows)
    before = read_frame(store, city, frame_id)
    path = export_frame(store, city, frame_id, tmp_path / f"out{ending}")
    report = import_file(store, city, frame_id, path, SOURCE)
    assert report.problems == ()
    assert (report.state, report.inserted, report.updated, report.unchanged) == ("applied", 0, 0, len(rows))
    after = read_frame(store, city, frame_id)
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(after))


def test_no_text_of_an_export_is_a_formula(store, city, tmp_path):
    origin = write_file(tmp_path / "origin.parquet", beats(), FRAMES["beats"], About("beats", "test"))
    import_file(store, city, "beats", origin, SOURCE)
    book = openpyxl.load_workbook(export_frame(store, city, "beats", tmp_path / "out.xlsx"))
    cells = [cell for row in book.worksheets[0].iter_rows(min_row=2) for cell in row]
    assert not [
        cell.value for cell in cells if cell.data_type == "f" or str(cell.value).startswith(("=", "+", "-", "@"))
    ]
    table = pd.read_csv(export_frame(store, city, "beats", tmp_path / "out.csv"), dtype=str)
    texts = [text for name in ("source_id", "code", "name_zh") for text in table[name].dropna()]
    assert not [text for text in texts if text.startswith(("=", "+", "-", "@"))]


def test_invented_data_say_so_in_every_format(store, tmp_path):
    profile = CityProfile(
        "demo", Text("示例", "Demo"), "EPSG:4549", "Asia/Shanghai", synthetic=True, attribution="天地图"
    )
    city = cities.create(store, profile)
    origin = write_file(tmp_path / "origin.parquet", beats(), FRAMES["beats"], About("beats", "test"))
    import_file(store, city, "beats", origin, SOURCE)
    written = {ending: export_frame(store, city, "beats", tmp_path / f"out{ending}") for ending in ENDINGS}
    assert written[".csv"].name == "out-synthetic.csv"
    assert written[".geojsonl"].name == "out-synthetic.geojsonl"
    assert b'"synthetic":true' in written[".geojson"].read_bytes()
    assert pq.read_schema(written[".parquet"]).metadata[b"synthetic"] == b"true"
    assert "synthetic" in openpyxl.load_workbook(written[".xlsx"]).sheetnames[0]
    assert "SYNTHETIC" in zipfile.ZipFile(written[".zip"]).read("README.txt").decode()
    for ending in (".gpkg", ".fgb"):
        assert b"SYNTHETIC" in written[ending].read_bytes()


def test_a_shapefile_says_what_it_cannot_hold(tmp_path):
    mixed = incidents()
    mixed.loc[0, "geometry"] = shapely.box(120.6, 31.3, 120.61, 31.31)
    with pytest.raises(InvalidInput, match="several of them"):
        write_file(tmp_path / "out.zip", mixed, FRAMES["incidents"], About("incidents", "test"))
    assert list(tmp_path.iterdir()) == []
