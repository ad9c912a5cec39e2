"""What a person declares about a file's coordinates, and where its shapes come to lie."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import LineString, Point, Polygon

from gis.crs import count_left_alone, parse_declared, to_lonlat, wgs84_to_bd09, wgs84_to_gcj02
from gis.errors import CrsMissing, InvalidInput


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("wgs84", "wgs84"),
        ("WGS 84", "wgs84"),
        ("CGCS2000", "cgcs2000"),
        ("GCJ-02", "gcj02"),
        ("bd_09", "bd09"),
        (" EPSG:4549 ", "epsg:4549"),
        ("epsg::4326", "epsg:4326"),
    ],
)
def test_spellings(text: str, name: str) -> None:
    assert parse_declared(text) == name


@pytest.mark.parametrize("text", ["epsg:999999", "mars", "4549", "epsg:", "epsg:5773", "epsg:4978", "gcj"])
def test_anything_else_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_declared(text)
    assert caught.value.problems[0].field == "crs"


def test_nothing_declared() -> None:
    with pytest.raises(CrsMissing, match="gcj02"):
        parse_declared(" ")


def test_projected_coordinates_of_suzhou() -> None:
    for name, east in (("epsg:4549", 557122.865), ("EPSG:4528", 40557122.865)):
        moved = to_lonlat(np.array([Point(east, 3464391.326)]), name)
        assert shapely.get_coordinates(moved)[0] == pytest.approx([120.6, 31.3], abs=1e-8)


@pytest.mark.parametrize("name", ["wgs84", "cgcs2000", "epsg:4326", "epsg:4490"])
def test_degrees_of_wgs84_and_cgcs2000_stay_to_the_bit(name: str) -> None:
    shapes = np.array([Point(120.6, 31.3), LineString([(120.1, 31.1), (120.123456789, 31.2)])])
    assert shapely.equals_identical(to_lonlat(shapes, name), shapes).all()


@pytest.mark.parametrize(("name", "shift"), [("gcj02", wgs84_to_gcj02), ("bd09", wgs84_to_bd09)])
def test_shapes_of_every_kind_come_back(name: str, shift) -> None:
    shapes = np.array(
        [Point(120.6, 31.3), LineString([(120.1, 31.1), (120.2, 31.2)]), Point(120.7, 31.2).buffer(0.01), None]
    )
    moved = to_lonlat(shapely.transform(shapes, shift), name)
    assert moved[3] is None
    assert shapely.equals_exact(moved[:3], shapes[:3], tolerance=1e-10).all()


def test_a_frame_keeps_its_rows_and_is_marked_as_lonlat() -> None:
    frame = gpd.GeoDataFrame(
        {"name": ["a", "b"]}, index=[7, 3], geometry=gpd.points_from_xy([120.6, -87.6], [31.3, 41.9]), crs="EPSG:4326"
    )
    moved = to_lonlat(frame, "gcj02")
    assert moved.crs == "EPSG:4326"
    assert moved.index.tolist() == [7, 3]
    assert moved.loc[7].geometry.distance(Point(120.6, 31.3)) > 0.003
    assert moved.loc[3].geometry == Point(-87.6, 41.9)
    assert frame.loc[7].geometry == Point(120.6, 31.3)
    assert count_left_alone(frame, "gcj02") == 1
    assert count_left_alone(frame, "wgs84") == 0


def test_a_shape_is_left_alone_once_however_many_vertices_lie_outside() -> None:
    shapes = np.array([Polygon([(-1, 50), (1, 50), (0, 51)]), Point(120, 31), None])
    assert count_left_alone(shapes, "bd09") == 1


def test_heights_are_dropped() -> None:
    for name in ("wgs84", "gcj02"):
        assert not shapely.has_z(to_lonlat(np.array([Point(120, 31, 5)]), name)).any()


def test_what_no_projection_reaches_becomes_invalid() -> None:
    assert not shapely.is_valid(to_lonlat(np.array([Point(1e9, 1e9)]), "epsg:4549")).any()
