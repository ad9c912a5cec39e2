"""Drawn areas hold what is reached in time, and nothing else but for half a cell of the drawing."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely

import gis
from gis.city.travel import Places, travel
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST
from tests.support.streets import segments_of, street_grid

HALF_CELL_M = 18.0


def posts_at(*points: tuple[float, float], **columns: object) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"source_id": [f"P{i}" for i in range(len(points))], "kind": "police_post", **columns},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in points],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def drawn(posts: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, **options: object):
    return gis.reach_areas(posts, segments, profile=PROFILE, **options)


def area_of(result, code: str) -> shapely.Geometry:
    metric = result.features.to_crs(PROFILE.metric_crs).set_index("code")
    return metric.geometry[code]


ROAD = segments_of([(0, 3000), (6000, 3000)], speed_kmh=[36.0])


def test_a_straight_street_by_hand() -> None:
    # 20 m of walking leave 45 s of a minute, 450 m both ways.
    result = drawn(posts_at((3000, 3020)), ROAD, rings_min=[1, 3])
    table = result.features.set_index("code")
    assert table["streets_km"].to_dict() == pytest.approx({"P0-1": 0.9, "P0-3": 3.3})
    assert table["ring"].to_dict() == {"P0-1": "first", "P0-3": "second"}
    # The wider one is drawn first.
    assert result.features["ring_min"].tolist() == [3, 1]
    shape = area_of(result, "P0-3")
    west, south, east, north = shape.bounds
    assert [west - WEST, east - WEST] == pytest.approx([3000 - 1650, 3000 + 1650], abs=HALF_CELL_M)
    # Beside the street 50 m, at its ends less: 4.8 km/h take as much of the time.
    assert [south - SOUTH, north - SOUTH] == pytest.approx([2950, 3070], abs=HALF_CELL_M)
    assert table["area_km2"]["P0-3"] == pytest.approx(shape.area / 1e6, rel=1e-3)
    assert result.provenance.choices["rings_min"] == [1, 3]


def test_a_one_way_street_is_drawn_one_way_and_the_hour_shortens_it() -> None:
    ring = segments_of(
        [(1000, 3000), (5000, 3000)],
        [(5000, 3000), (5000, 4000), (1000, 4000), (1000, 3000)],
        speed_kmh=[36.0, 36.0],
        oneway=[True, True],
    )
    post = posts_at((3000, 3000))
    free = area_of(drawn(post, ring, rings_min=[2]), "P0-2")
    assert free.bounds[0] - WEST == pytest.approx(3000 - 50, abs=HALF_CELL_M)
    assert free.bounds[2] - WEST == pytest.approx(4200, abs=HALF_CELL_M)
    busy = drawn(post, ring, rings_min=[2], depart_hour=18)
    factor = busy.provenance.choices["speed_factor"]
    assert busy.features["streets_km"].tolist() == pytest.approx([1.2 * factor])
    walked = drawn(post, ring, rings_min=[2], travel_mode="walk")
    assert walked.features["streets_km"].tolist() == pytest.approx([2 * 0.16])


def test_blocks_stay_holes_and_rings_lie_in_one_another() -> None:
    result = drawn(posts_at((2800, 2800)), street_grid(400), beside_m=50)
    areas = [area_of(result, f"P0-{ring}") for ring in (1, 3, 5)]
    for inner, outer in pairwise(areas):
        assert inner.difference(outer).area < 1e-6
    # 300 s at 30 km/h: 2.5 km along the streets, blocks of 400 m with 300 m inside.
    assert sum(len(part.interiors) for part in areas[-1].geoms) > 50
    assert not areas[-1].contains(shapely.Point(WEST + 3000, SOUTH + 3000))


def test_what_is_inside_is_reached_in_time_and_what_is_outside_is_not() -> None:
    segments = street_grid(500)
    metric = segments.to_crs(PROFILE.metric_crs)
    posts = posts_at((1310, 2030), (4010, 3840))
    result = drawn(posts, segments, rings_min=[2], beside_m=100)
    trips = travel(metric)
    origins = trips.snap(shapely.get_coordinates(posts.to_crs(PROFILE.metric_crs).geometry.to_numpy()))
    rng = np.random.default_rng(1)
    points = np.array([WEST, SOUTH]) + rng.uniform(500, 5000, (8000, 2))
    # To each point over every place of the streets around it.
    length = trips.streets.network.graph.length_m
    edge = np.repeat(np.arange(len(length)), 101)
    along = np.tile(np.linspace(0, 1, 101), len(length)) * length[edge]
    spots = trips.streets.network.points(edge, along)
    nothing = np.zeros(len(edge))
    seconds = trips.matrix_s(origins, Places(edge, along, nothing, nothing))
    tree = shapely.STRtree(shapely.points(spots))
    point, spot = tree.query(shapely.points(points), predicate="dwithin", distance=100.0)
    away = np.hypot(*(points[point] - spots[spot]).T)
    for i in range(2):
        soonest = np.full(len(points), np.inf)
        np.minimum.at(soonest, point, seconds[i, spot] + away / (4.8 / 3.6))
        shape = area_of(result, f"P{i}-2")
        inside = shapely.contains_xy(shape, *points.T)
        near = shapely.distance(shape.boundary, shapely.points(points)) < HALF_CELL_M
        assert inside.sum() > 100
        np.testing.assert_array_equal(inside[~near], (soonest <= 120)[~near])


def test_all_posts_together_reach_what_one_of_them_does() -> None:
    posts, segments = posts_at((2000, 3000), (2600, 3000), (4500, 4500)), street_grid(300)
    each, both = drawn(posts, segments, rings_min=[1.5]), drawn(posts, segments, rings_min=[1.5], drawn="all_posts")
    assert both.features["code"].tolist() == ["all-1.5"]
    assert both.features["post_code"].isna().all()
    union = shapely.union_all(each.features.to_crs(PROFILE.metric_crs).geometry.to_numpy())
    together = area_of(both, "all-1.5")
    assert union.symmetric_difference(together).area < 0.02 * union.area
    # What two posts reach counts once.
    assert both.features["streets_km"][0] < each.features["streets_km"].sum()
    lone = drawn(posts.iloc[[2]], segments, rings_min=[1.5]).features["streets_km"][0]
    first_two = drawn(posts.iloc[:2], segments, rings_min=[1.5], drawn="all_posts").features["streets_km"][0]
    assert both.features["streets_km"][0] == pytest.approx(lone + first_two)


def test_every_row_is_accounted_for() -> None:
    posts = posts_at((3000, 3000), (3000, 3700))
    segments = segments_of(
        [(0, 3000), (6000, 3000)],
        [(0, 100), (50, 100)],
        [(3000, 3650), (3000, 3600)],
        road_class=["local", "local", "steps"],
    )
    result = drawn(posts, segments)
    assert {(entry.frame, entry.reason): entry.count for entry in result.provenance.left_out} == {
        ("posts", "too_far_from_street"): 1,
        ("segments", "closed_to_mode"): 1,
    }
    used = {record.frame: record.n_used for record in result.provenance.inputs}
    assert used == {"posts": 1, "segments": 2}
    choices = result.provenance.choices
    assert choices["strong_parts_count"] == 2
    assert choices["streets_outside_km"] == pytest.approx(0.05)
    assert choices["passed_street_count"] == 0
    assert result.summary["areas_count"] == 3


def test_a_post_passes_a_nearer_street_that_leads_nowhere() -> None:
    segments = segments_of([(0, 3000), (6000, 3000)], [(2900, 3100), (3100, 3100)])
    choices = drawn(posts_at((3000, 3080)), segments).provenance.choices
    assert choices["passed_street_count"] == 1
    assert choices["passed_street_m"] == pytest.approx(60, rel=0.01)


def test_no_post_on_any_street_draws_nothing() -> None:
    result = drawn(posts_at((3000, 5000)), ROAD)
    assert len(result.features) == 0
    assert result.summary["areas_count"] == 0
    assert drawn(posts_at((3000, 5000)), ROAD, drawn="all_posts").features.empty


def test_what_cannot_be_drawn_is_refused() -> None:
    post = posts_at((3000, 3000))
    for options in (
        {"rings_min": []},
        {"rings_min": [0]},
        {"rings_min": [200]},
        {"travel_mode": "fly"},
        {"beside_m": 5},
    ):
        with pytest.raises(InvalidParams):
            drawn(post, ROAD, **options)
    with pytest.raises(InvalidParams, match="no street is open to 'drive'"):
        drawn(post, ROAD.assign(access="closed"))
    many = posts_at(*[(3000 + i / 10, 3000) for i in range(1_000)])
    with pytest.raises(InvalidParams, match="areas"):
        drawn(many, ROAD, rings_min=[1, 2, 3, 4, 5, 6, 7])


def test_the_demo_city_draws_three_rings_a_post() -> None:
    city = gis.City.demo()
    result = gis.reach_areas(city.posts.head(12), city.segments)
    assert len(result.features) == 36
    wide = result.features.groupby("ring")["streets_km"].median()
    assert wide["first"] < wide["second"] < wide["third"]
