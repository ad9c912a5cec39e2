"""The workload of blocks and grids: what is counted, what weighs, and that the sum stays."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import CRS
from gis.errors import InvalidInput
from gis.plans.graph import with_households
from gis.plans.places import block_of, grid_of, inside
from gis.plans.plan import Flip
from gis.plans.policy import WorkloadWeights
from gis.plans.workload import LOAD, workload_of
from tests.support.plan_city import city_blocks, grown_plan

BLOCKS = city_blocks(60, 3)
PLAN = grown_plan(BLOCKS, 4, 1)


def places(n: int, seed: int, **columns: object) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(BLOCKS.shapes)
    points = gpd.points_from_xy(rng.uniform(west, east, n), rng.uniform(south, north, n))
    return gpd.GeoDataFrame({"source_id": [f"p{i}" for i in range(n)], **columns}, geometry=points, crs=CRS)


def incidents(n: int, seed: int) -> gpd.GeoDataFrame:
    times = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.linspace(0, 2 * 365.25, n), unit="D")
    return places(n, seed, occurred_at=times, category=["theft", "noise"] * (n // 2))


def test_a_place_lies_in_one_block_and_on_a_border_in_the_first() -> None:
    corner = shapely.get_coordinates(BLOCKS.shapes[7])[0]
    sharing = [i for i, shape in enumerate(BLOCKS.shapes) if shape.touches(shapely.Point(corner))]
    spots = gpd.GeoDataFrame(
        geometry=[shapely.Point(corner), None, shapely.Point(0, 0), BLOCKS.shapes[9], BLOCKS.shapes[11].centroid],
        crs=CRS,
    )
    assert block_of(BLOCKS, spots).tolist() == [min(sharing), -1, -1, 9, 11]
    assert inside(block_of(BLOCKS, spots)).tolist() == [True, False, False, True, True]
    assert grid_of(PLAN, block_of(BLOCKS, spots))[[1, 3]].tolist() == [-1, PLAN.grid[9]]


def test_counts_are_those_of_a_spatial_join() -> None:
    rentals, units = places(300, 1), places(40, 2)
    found = workload_of(BLOCKS, WorkloadWeights(), rentals=rentals, key_units=units, incidents=incidents(200, 3))
    drawn = gpd.GeoDataFrame({"block": range(60)}, geometry=list(BLOCKS.shapes), crs=CRS)
    for name, frame in (("rentals", rentals), ("key_units", units)):
        joined = gpd.sjoin(frame, drawn, predicate="within")["block"]
        assert found.amounts[name].tolist() == np.bincount(joined, minlength=60).tolist()
        assert found.outside[name] == 0
    assert found.amounts["incidents_per_year"].sum() == pytest.approx(100)
    assert found.amounts["area_km2"].sum() == pytest.approx(BLOCKS.graph.area_m2.sum() / 1e6)
    assert found.load.tolist() == BLOCKS.households.tolist()


@settings(max_examples=20)
@given(
    weights=st.builds(
        WorkloadWeights,
        households=st.floats(0.1, 5),
        rentals=st.floats(0, 5),
        key_units=st.floats(0, 50),
        incidents_per_year=st.floats(0, 5),
        area_km2=st.floats(0, 500),
    )
)
def test_weights_spread_the_same_work(weights: WorkloadWeights) -> None:
    found = workload_of(BLOCKS, weights, rentals=places(80, 1), key_units=places(10, 2), incidents=incidents(90, 3))
    assert found.load.sum() == pytest.approx(BLOCKS.households.sum())
    assert (found.load >= 0).all()
    grids = found.of_grids(PLAN)
    assert grids[LOAD].sum() == pytest.approx(found.load.sum())
    assert grids.loc[PLAN.grids[2].code, "rentals"] == found.amounts["rentals"].to_numpy()[PLAN.grid == 2].sum()


def test_categories_weigh_as_they_are_told() -> None:
    events = incidents(200, 3)
    twice = workload_of(BLOCKS, WorkloadWeights(), incidents=events, incident_weights={"theft": 3.0, "noise": 0.0})
    assert twice.amounts["incidents_per_year"].sum() == pytest.approx(150)
    nothing = workload_of(BLOCKS, WorkloadWeights(), incidents=events.iloc[:0])
    assert nothing.amounts["incidents_per_year"].sum() == 0


def test_blocks_without_a_grid_are_in_no_sum() -> None:
    code = str(BLOCKS.codes[5])
    loose = PLAN.apply([Flip(code, PLAN.grid_of(code), None)])
    found = workload_of(BLOCKS, WorkloadWeights())
    assert found.of_grids(loose)["households"].sum() == BLOCKS.households.sum() - BLOCKS.households[5]


def test_what_makes_no_workload() -> None:
    with pytest.raises(InvalidInput, match="rentals, key_units"):
        workload_of(BLOCKS, WorkloadWeights(rentals=1, key_units=2))
    empty = with_households(BLOCKS, np.zeros(60, np.int64))
    with pytest.raises(InvalidInput, match="nothing in these blocks"):
        workload_of(empty, WorkloadWeights())
    areas = workload_of(empty, WorkloadWeights(households=0, area_km2=10))
    assert areas.load.sum() == pytest.approx(10 * BLOCKS.graph.area_m2.sum() / 1e6)
