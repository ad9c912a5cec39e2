"""Ground and households of places, against shapely on whole outlines."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.city.ground import ground_m2, households_in, overlap_m2

X, Y = (a.ravel() for a in np.meshgrid(np.arange(10.0), np.arange(10.0)))
CELLS = shapely.box(X, Y, X + 1, Y + 1)


def star(corners: int, seed: int) -> shapely.Polygon:
    """A ragged outline around (5, 5)."""
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    away = rng.uniform(1.5, 5.0, corners)
    return shapely.Polygon(np.column_stack([5 + away * np.cos(turn), 5 + away * np.sin(turn)])).buffer(0)


@settings(max_examples=20)
@given(corners=st.sampled_from([3, 50, 1_000]), seed=st.integers(0, 50))
def test_an_outline_cut_into_pieces_has_the_same_overlap(corners: int, seed: int) -> None:
    area = star(corners, seed)
    assert overlap_m2(CELLS, area) == pytest.approx(shapely.area(shapely.intersection(CELLS, area)), abs=1e-9)


def test_holes_and_several_parts_count_for_what_they_are() -> None:
    ring = shapely.difference(shapely.box(0, 0, 4, 4), shapely.box(1, 1, 3, 3))
    area = shapely.union_all([ring, shapely.box(6, 6, 7, 8.5)])
    found = overlap_m2(CELLS, area)
    assert found.sum() == pytest.approx(area.area)
    assert found[11] == found[22] == 0
    assert found[88 - 2] == pytest.approx(0.5)


def test_water_is_no_ground_even_where_it_overlaps_itself() -> None:
    water = gpd.GeoDataFrame(geometry=[shapely.box(2, 0, 4, 10), shapely.box(3, 0, 5, 10)])
    area = shapely.box(0.5, 0, 10, 10)
    found = ground_m2(CELLS, area=area, water_areas=water).reshape(10, 10)
    assert found[0].tolist() == pytest.approx([0.5, 1, 0, 0, 0, 1, 1, 1, 1, 1])
    alone = ground_m2(CELLS, water_areas=water).reshape(10, 10)
    assert alone[3].tolist() == pytest.approx([1, 1, 0, 0, 0, 1, 1, 1, 1, 1])
    assert ground_m2(CELLS).tolist() == [1.0] * 100
    assert ground_m2(CELLS, area=area, water_areas=water.head(0)).sum() == pytest.approx(95)


def test_an_area_that_is_all_water_has_no_ground() -> None:
    water = gpd.GeoDataFrame(geometry=[shapely.box(-1, -1, 11, 11)])
    assert ground_m2(CELLS, area=shapely.box(0, 0, 10, 10), water_areas=water).tolist() == [0.0] * 100


def test_households_are_spread_over_their_block() -> None:
    blocks = gpd.GeoDataFrame(
        {"households_count": [40, 10, None]},
        geometry=[shapely.box(0, 0, 2, 2), shapely.box(2.5, 0, 3.5, 1), shapely.box(5, 5, 6, 6)],
    )
    found = households_in(CELLS, blocks).reshape(10, 10)
    assert found[0, :4].tolist() == pytest.approx([10, 10, 5, 5])
    assert found.sum() == pytest.approx(50)
    assert found[5, 5] == 0
