"""History on new boundaries: places exactly, totals as estimates that add up."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import gis
from data.synth.voronoi import CRS
from gis.errors import InvalidInput
from gis.plans.draft import Draft
from gis.plans.graph import BlockRow, blocks_of
from gis.plans.history import attributed, carried, carried_totals, handed_over
from gis.plans.plan import Flip, Grid, current_plan, plan_of
from tests.support.plan_city import city_blocks, grown_plan

BLOCKS = city_blocks(80, 3)
OLD = Draft(BLOCKS, grown_plan(BLOCKS, 6, 1))
NEW = Draft(BLOCKS, grown_plan(BLOCKS, 6, 2))
WEIGHT = BLOCKS.households.astype(float)


def places(n: int, seed: int) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    west, south, east, north = shapely.total_bounds(BLOCKS.shapes)
    points = gpd.points_from_xy(rng.uniform(west - 30, east, n), rng.uniform(south, north, n))
    return gpd.GeoDataFrame({"source_id": [f"p{i}" for i in range(n)]}, geometry=points, crs=CRS)


def test_places_are_attributed_as_the_shapes_of_grids_say() -> None:
    found = attributed(NEW, places(500, 1))
    drawn = gpd.GeoDataFrame({"grid": NEW.plan.grid}, geometry=list(BLOCKS.shapes), crs=CRS).dissolve("grid")
    joined = gpd.sjoin(places(500, 1), drawn, how="left", predicate="within")["grid"]
    codes = joined.map(lambda g: "" if pd.isna(g) else NEW.plan.grids[int(g)].code)
    assert found.tolist() == codes.tolist()
    assert (found == "").any()
    assert attributed(NEW, places(500, 1).to_crs("EPSG:4326")).tolist() == found.tolist()


def test_places_that_change_hands() -> None:
    points = places(300, 2)
    moved = handed_over(OLD, NEW, {"key_units": points, "posts": points.iloc[:5]})
    was, now = attributed(OLD, points), attributed(NEW, points)
    apart = points["source_id"][was != now]
    assert moved.loc[moved["kind"] == "key_units", "source_id"].tolist() == apart.tolist()
    assert moved.loc[moved["kind"] == "key_units", "old_grid"].tolist() == was[was != now].tolist()
    assert set(moved.loc[moved["kind"] == "posts", "source_id"]) <= {f"p{i}" for i in range(5)}
    assert handed_over(OLD, OLD, {"key_units": points}).empty
    assert handed_over(OLD, NEW, {}).columns.tolist() == ["kind", "source_id", "old_grid", "new_grid"]


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_totals_add_up_and_are_exact_where_the_weight_is_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    new = Draft(BLOCKS, grown_plan(BLOCKS, 6, seed))
    codes = [grid.code for grid in OLD.plan.grids]
    given_totals = pd.DataFrame({"january": rng.integers(0, 99, 6), "july": rng.integers(0, 99, 6)}, index=codes)
    found = carried_totals(given_totals, OLD, new, WEIGHT)
    assert found.totals.sum().to_numpy() == pytest.approx(given_totals.sum().to_numpy())
    assert (found.lost == 0).all()
    households = pd.DataFrame({"h": np.bincount(OLD.plan.grid, WEIGHT, minlength=6)}, index=codes)
    truth = np.bincount(new.plan.grid, WEIGHT, minlength=6)
    assert carried_totals(households, OLD, new, WEIGHT).totals["h"].to_numpy() == pytest.approx(truth)


def test_only_a_grid_that_kept_its_blocks_is_no_estimate() -> None:
    first = OLD.plan.grids[0].code
    block = str(BLOCKS.codes[OLD.plan.blocks_in(first)[0]])
    other = next(g.code for g in OLD.plan.grids if g.code != first)
    new = Draft(BLOCKS, OLD.plan.apply([Flip(block, first, other)]))
    totals = pd.DataFrame({"n": [10.0] * 6}, index=[g.code for g in OLD.plan.grids])
    found = carried_totals(totals, OLD, new, WEIGHT)
    assert sorted(found.estimated[found.estimated].index) == sorted([first, other])
    same = found.totals.loc[~found.estimated, "n"]
    assert same.to_numpy() == pytest.approx(10.0)


def test_blocks_that_lost_their_grid_and_grids_without_weight() -> None:
    first = OLD.plan.grids[0].code
    flips = [Flip(str(BLOCKS.codes[i]), first, None) for i in OLD.plan.blocks_in(first)]
    new = Draft(BLOCKS, OLD.plan.apply(flips))
    totals = pd.DataFrame({"n": [10.0]}, index=[first])
    assert carried_totals(totals, OLD, new, WEIGHT).lost["n"] == pytest.approx(10)
    nobody = carried_totals(totals, OLD, NEW, np.zeros(80))
    assert nobody.totals["n"].sum() == pytest.approx(10)
    area = BLOCKS.graph.area_m2
    mine = OLD.plan.blocks_in(first)
    there = mine[NEW.plan.grid[mine] == 0]
    assert nobody.totals["n"].iloc[0] == pytest.approx(10 * area[there].sum() / area[mine].sum())
    with pytest.raises(InvalidInput, match="g77"):
        carried_totals(pd.DataFrame({"n": [1.0]}, index=["g77"]), OLD, NEW, WEIGHT)


def test_a_plan_is_carried_over_to_blocks_that_were_split() -> None:
    frame = gpd.GeoDataFrame(
        {"source_id": ["a", "b"], "code": ["a", "b"], "community_code": "c", "households_count": [10, 10]},
        geometry=[shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)],
        crs=CRS,
    )
    blocks = blocks_of(frame, crs=CRS)

    old = Draft(blocks, plan_of(["a", "b"], ["g1", "g2"], [Grid("g1"), Grid("g2")]))
    halves = [
        (None, BlockRow(f"b{i}", "c", shapely.to_wkb(shapely.box(100 + 50 * i, 0, 150 + 50 * i, 100)), 5, 0))
        for i in (0, 1)
    ]
    later = blocks.changed([(blocks.row("b"), None), *halves])
    plan = carried(old, later)
    assert plan.assignment() == {"a": "g1", "b0": "g2", "b1": "g2"}


def test_every_incident_of_the_demo_city_keeps_its_grid() -> None:
    city = gis.City.demo()
    blocks = blocks_of(city.blocks, crs=city.profile.metric_crs)
    now = Draft(blocks, current_plan(city.blocks, city.grids))
    placed = city.incidents[city.incidents.geometry.notna()].iloc[::20]
    found = attributed(now, placed)
    filed = placed["grid_code"]
    assert (found != "").mean() > 0.999
    assert (found == filed)[filed.notna()].mean() > 0.99
