"""GCJ-02 and BD-09: published points, the way back, and nothing outside China."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from gis.crs import bd09_to_wgs84, gcj02_to_wgs84, in_china, wgs84_to_bd09, wgs84_to_gcj02

GEOD = Geod(ellps="WGS84")
SUZHOU = (119.92, 30.75, 121.40, 32.05)
ROUND_TRIPS = [(wgs84_to_gcj02, gcj02_to_wgs84, 2e-7), (wgs84_to_bd09, bd09_to_wgs84, 5e-6)]


def metres_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(GEOD.inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2])


def suzhou_points(n: int = 4000) -> np.ndarray:
    west, south, east, north = SUZHOU
    rng = np.random.default_rng(1)
    return np.column_stack([rng.uniform(west, east, n), rng.uniform(south, north, n)])


def test_published_points() -> None:
    beijing = wgs84_to_gcj02(np.array([[116.42079, 39.90105]]))
    assert beijing[0] == pytest.approx([116.427022, 39.902446], abs=5e-7)
    suzhou = np.array([[120.6, 31.3]])
    assert wgs84_to_gcj02(suzhou)[0] == pytest.approx([120.604169816, 31.297812483], abs=5e-10)
    assert wgs84_to_bd09(suzhou)[0] == pytest.approx([120.610560389, 31.304161097], abs=5e-10)


def test_the_shift_in_suzhou_is_about_half_a_kilometre_to_the_east_south_east() -> None:
    points = suzhou_points()
    moved = metres_between(points, wgs84_to_gcj02(points))
    assert np.median(moved) == pytest.approx(483, abs=3)
    assert moved.max() < 525
    assert np.median(metres_between(points, wgs84_to_bd09(points))) == pytest.approx(1141, abs=5)


@pytest.mark.parametrize(("there", "back", "limit_m"), ROUND_TRIPS)
def test_there_and_back(there, back, limit_m) -> None:
    points = suzhou_points()
    assert metres_between(points, back(there(points))).max() <= limit_m


@pytest.mark.parametrize(("there", "back"), [trip[:2] for trip in ROUND_TRIPS])
@given(lon=st.floats(75, 134), lat=st.floats(4, 53))
def test_there_and_back_anywhere_in_china_to_a_tenth_of_a_millimetre(there, back, lon, lat) -> None:
    # Slowest at 105 degrees east, where the formula has a kink (the root of the distance).
    point = np.array([[lon, lat]])
    shifted = there(point)
    assert 10 < metres_between(point, shifted)[0] < 3000
    assert metres_between(point, back(shifted))[0] <= 1e-4


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_outside_the_box_nothing_moves(lon, lat) -> None:
    point = np.array([[lon, lat]])
    if not in_china(point)[0]:
        for shift in (wgs84_to_gcj02, gcj02_to_wgs84, wgs84_to_bd09, bd09_to_wgs84):
            assert shift(point).tolist() == point.tolist()


def test_the_given_points_are_not_written_to() -> None:
    points = suzhou_points(10)
    before = points.copy()
    gcj02_to_wgs84(points)
    bd09_to_wgs84(points)
    assert (points == before).all()
    assert wgs84_to_gcj02(np.empty((0, 2))).shape == (0, 2)
