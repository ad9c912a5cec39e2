"""Cells around the middles of a raster: the very hexagons and squares, and a refusal where there is no raster."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

import gis
from api.cli import app
from gis.city.city import FrameFile
from gis.errors import CrsMissing, InvalidInput, UnsupportedMedia
from gis.files.cells import cells_around, write_cells
from gis.files.whole import FileOptions

METRIC = "EPSG:32722"


def hexagons(side: int, spacing_m: float) -> np.ndarray:
    return np.array([(i + j % 2 / 2, j * 0.75**0.5) for i in range(side) for j in range(side)]) * spacing_m


def centres_file(path, xy, **columns):
    lonlat = gpd.GeoSeries.from_xy(xy[:, 0] + 480_000, xy[:, 1] + 6_670_000, crs=METRIC).to_crs(4326)
    pd.DataFrame({"id": np.arange(len(xy)), "lon": lonlat.x, "lat": lonlat.y, **columns}).to_csv(path, index=False)
    return path


def test_hexagons_are_whole_also_at_the_rim():
    xy = hexagons(9, 300)
    cells, spacing_m = cells_around(xy)
    area = shapely.area(cells)
    assert spacing_m == pytest.approx(300)
    # Two corners of the rhombus see too few neighbours to mirror all of their sides.
    assert np.sum(np.abs(area / (300**2 * 0.75**0.5) - 1) > 1e-6) <= 4
    assert area.max() < 1.25 * 300**2 * 0.75**0.5
    assert shapely.coverage_is_valid(cells)
    assert shapely.contains(cells, shapely.points(xy)).all()


def test_squares_are_squares_and_holes_stay_empty():
    xy = np.array([(i, j) for i in range(8) for j in range(8) if (i, j) != (4, 4)], dtype=float) * 100
    cells, _ = cells_around(xy)
    assert np.sum(np.abs(shapely.area(cells) - 100**2) > 1e-6) <= 4
    assert not shapely.contains_xy(shapely.union_all(cells), 400.0, 400.0)


@pytest.mark.parametrize("xy", [hexagons(2, 100), np.random.default_rng(1).random((200, 2)) * 5_000, np.zeros((9, 2))])
def test_points_that_are_no_raster_get_no_areas(xy):
    with pytest.raises(InvalidInput, match="raster"):
        cells_around(xy)


def test_a_census_becomes_blocks_by_the_documented_commands(tmp_path):
    centres = centres_file(tmp_path / "census.csv", hexagons(6, 250), population=np.arange(36))
    out = tmp_path / "cells.gpkg"
    done = CliRunner().invoke(
        app, ["city", "cells", str(centres), str(out), "--crs", "wgs84", "--metric-crs", METRIC], catch_exceptions=False
    )
    assert "36 cells, 250 m" in done.output
    options = FileOptions(mapping={"code": "id", "residents_count": "population"})
    blocks = gis.City.from_files(blocks=FrameFile(out, options)).blocks
    assert blocks["residents_count"].sum() == 35 * 36 / 2
    assert blocks.to_crs(METRIC).area.median() == pytest.approx(250**2 * 0.75**0.5, rel=1e-3)


def test_everything_wrong_with_the_file_is_said(tmp_path):
    named = centres_file(tmp_path / "named.csv", hexagons(4, 250), tenant="x")
    with pytest.raises(InvalidInput) as caught:
        write_cells(named, tmp_path / "a.gpkg", crs="wgs84", metric_crs=METRIC)
    assert [problem.code for problem in caught.value.problems] == ["personal_field"]
    plain = centres_file(tmp_path / "plain.csv", hexagons(4, 250))
    with pytest.raises(CrsMissing):
        write_cells(plain, tmp_path / "a.gpkg", crs=None, metric_crs=METRIC)
    with pytest.raises(InvalidInput, match="in metres"):
        write_cells(plain, tmp_path / "a.gpkg", crs="wgs84", metric_crs="EPSG:4326")
    with pytest.raises(UnsupportedMedia, match="csv"):
        write_cells(plain, tmp_path / "a.csv", crs="wgs84", metric_crs=METRIC)
    assert not (tmp_path / "a.gpkg").exists()


def test_porto_alegre_keeps_its_people(shared_data, tmp_path):
    source = shared_data / "streets" / "porto_alegre" / "poa_hexgrid.csv"
    count, spacing_m = write_cells(source, tmp_path / "cells.parquet", crs="wgs84", metric_crs=METRIC)
    cells = gpd.read_parquet(tmp_path / "cells.parquet")
    assert (count, round(spacing_m)) == (1_227, 306)
    assert cells["population"].astype(int).sum() == 812_935
    assert shapely.is_valid(cells.geometry.to_numpy()).all()
    # All but 12 points at the rim get their six corners.
    assert (shapely.get_num_coordinates(cells.geometry.to_numpy()) == 7).sum() >= 1_200
