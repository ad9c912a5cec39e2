"""Posts under a plan: who gets another grid, and what the response rings hold, by hand on one straight street."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.city.travel import travel
from gis.plans.graph import blocks_of
from gis.plans.posts import handed_posts, held_shares, reach_of

CRS = "EPSG:4549"
SIDE = 100.0
N = 40


@pytest.fixture(scope="module")
def row():
    """Forty squares along a street through their middles, with 10 households each."""
    shapes = [shapely.box(SIDE * i, 0, SIDE * (i + 1), SIDE) for i in range(N)]
    codes = [f"b{i:02d}" for i in range(N)]
    frame = gpd.GeoDataFrame({"source_id": codes, "code": codes, "households_count": 10}, geometry=shapes, crs=CRS)
    return blocks_of(frame, crs=CRS)


@pytest.fixture(scope="module")
def street():
    line = shapely.LineString([(0, SIDE / 2), (SIDE * N, SIDE / 2)])
    frame = gpd.GeoDataFrame({"source_id": ["s"], "road_class": ["local"], "name_zh": ["路"]}, geometry=[line], crs=CRS)
    return travel(frame, mode="walk")


def posts(*at):
    return gpd.GeoDataFrame(
        {"source_id": [f"p{i}" for i in range(len(at))], "kind": "police", "name_zh": "岗", "name_en": None},
        geometry=[None if x is None else shapely.Point(x, SIDE / 2) for x in at],
        crs=CRS,
    )


def test_the_time_to_the_nearest_post_is_the_way_along_the_street(row, street) -> None:
    found = reach_of(row, posts(50, 3950, None), street)
    middle = SIDE * np.arange(N) + SIDE / 2
    metres = np.minimum(middle - 50, 3950 - middle)
    one = found.minutes[1] / metres[1]
    assert found.minutes == pytest.approx(metres * one)
    # Nobody walks slower than 2 or faster than 8 km/h.
    assert 2 < 60 / 1000 / one < 8
    assert found.rings_min == tuple(sorted(found.rings_min))


def test_a_grid_is_held_as_far_as_its_households_are_reached(row, street) -> None:
    found = reach_of(row, posts(50), street)
    grids = ["west" if i < 20 else "east" for i in range(N - 1)] + [None]
    shares = held_shares(found, row, grids)
    for ring in found.rings_min:
        for name, mine in (("west", range(20)), ("east", range(20, N - 1)), ("", range(N - 1))):
            assert shares.loc[name, ring] == pytest.approx(np.mean(found.minutes[list(mine)] <= ring))
    assert 0 < shares.loc["west", found.rings_min[-1]] < 1
    assert shares.loc["east"].tolist() == [0] * len(found.rings_min)


def test_a_post_goes_with_the_block_that_it_stands_in(row) -> None:
    before = ["a"] * 20 + ["b"] * 20
    after = ["a"] * 10 + ["b"] * 29 + [None]
    found = handed_posts(row, posts(150, 1550, 3990, None, -50), before, after)
    assert found[["source_id", "old_grid", "new_grid"]].to_numpy().tolist() == [["p1", "a", "b"], ["p2", "b", None]]
