"""Rows go into a file part by part: however many there are, few of them stand in memory."""

import gc
import weakref

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from gis.city import FRAMES
from gis.errors import InvalidInput
from gis.files.rows import Rows, rows_of
from gis.files.write import About, write_rows

PARTS, OF = 12, 50
STREAMED = (".csv", ".xlsx", ".geojson", ".geojsonl", ".gpkg", ".fgb", ".parquet")
SPEC = FRAMES["incidents"]
ABOUT = About("incidents", "test")


def part(number):
    rng = np.random.default_rng(number)
    ids = [f"{number}-{i}" for i in range(OF)]
    columns = {
        "source_id": ids,
        "occurred_at": pd.date_range("2024-01-01", periods=OF, freq="h", tz="UTC"),
        "category": "theft",
        "origin": "patrol",
    }
    points = shapely.points(rng.uniform([120.5, 31.2], [120.7, 31.4], (OF, 2)))
    return gpd.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")


def watched(alive):
    """Yield parts, and note the most that were there at once."""
    there = []
    for number in range(PARTS):
        frame = part(number)
        there.append(weakref.ref(frame))
        yield frame
        del frame
        gc.collect()
        alive.append(sum(ref() is not None for ref in there))


@pytest.mark.parametrize("ending", STREAMED)
def test_few_parts_are_there_at_once_and_all_rows_come(tmp_path, ending):
    alive = []
    rows = Rows(watched(alive), frozenset({"Point"}), placeless=False, count=PARTS * OF)
    path = write_rows(tmp_path / f"out{ending}", rows, SPEC, ABOUT)
    assert len(alive) == PARTS
    assert max(alive) <= 2
    if ending == ".csv":
        assert len(pd.read_csv(path)) == PARTS * OF
    elif ending == ".xlsx":
        assert len(pd.read_excel(path)) == PARTS * OF
    elif ending == ".parquet":
        assert len(gpd.read_parquet(path)) == PARTS * OF
    else:
        found = pyogrio.read_dataframe(path)
        assert sorted(found["source_id"]) == sorted(f"{n}-{i}" for n in range(PARTS) for i in range(OF))


def breaking():
    yield part(0)
    raise InvalidInput("the reading broke")


@pytest.mark.parametrize("ending", STREAMED)
def test_what_breaks_the_reading_is_told_and_no_half_file_is_left(tmp_path, ending):
    rows = Rows(breaking(), frozenset({"Point"}), placeless=False, count=2 * OF)
    with pytest.raises(InvalidInput, match="the reading broke"):
        write_rows(tmp_path / f"out{ending}", rows, SPEC, ABOUT)
    assert list(tmp_path.iterdir()) == []


def test_a_flatgeobuf_has_an_index_where_every_row_has_a_place(tmp_path):
    whole = part(0)
    lacking = whole.copy()
    lacking.loc[0, "geometry"] = None
    for frame, indexed in ((whole, True), (lacking, False)):
        path = write_rows(tmp_path / f"{indexed}.fgb", rows_of(frame), SPEC, ABOUT)
        info = pyogrio.read_info(path)
        assert info["capabilities"]["fast_spatial_filter"] == indexed
        assert info["geometry_type"] == "Point"
        assert pyogrio.read_dataframe(path).geometry.isna().sum() == (0 if indexed else 1)
        box = whole.geometry.iloc[1].buffer(1e-6).bounds
        assert len(pyogrio.read_dataframe(path, bbox=box)) == 1


@pytest.mark.parametrize("ending", STREAMED)
def test_no_rows_make_a_file_of_columns(tmp_path, ending):
    path = write_rows(tmp_path / f"none{ending}", rows_of(part(0).iloc[:0]), SPEC, ABOUT)
    assert path.is_file()
    if ending in (".gpkg", ".fgb"):
        assert list(pyogrio.read_info(path)["fields"]) == ["source_id", "occurred_at", "category", "origin"]
