"""What an event touches, by hand: inside and reached, times there and away, households of cut blocks, closures."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city.travel import travel
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST, areas
from tests.support.streets import segments_of, street_grid

ROAD = segments_of([(0, 3000), (3000, 3000)], [(3000, 3000), (6000, 3000)], speed_kmh=[36.0, 36.0])
"""Ten metres a second."""
LEG_S_PER_M = 3.6 / 4.8


def lonlat(shape: shapely.Geometry) -> dict[str, object]:
    """Return a place in metres from the south-west corner as it is asked for."""
    moved = shapely.transform(shape, lambda xy: xy + np.array([WEST, SOUTH]))
    return shapely.geometry.mapping(gpd.GeoSeries([moved], crs=PROFILE.metric_crs).to_crs("EPSG:4326")[0])


def at(*places: tuple[float, float], code: str, **columns: object) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"source_id": [f"{code}{i}" for i in range(len(places))], **columns},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in places],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def asked(place: shapely.Geometry, segments: gpd.GeoDataFrame = ROAD, **options: object) -> Result:
    return gis.event_impact(segments, place=lonlat(place), profile=PROFILE, **options)


def role(result: Result, name: str) -> pd.DataFrame:
    rows = result.features
    return rows[rows["role"] == name].set_index("source_code")


POINT = shapely.Point(3000, 3000)


def test_inside_is_exact_to_the_metre_and_reached_by_the_minute() -> None:
    units = at((3000, 3199.9), (3000, 3200.1), (3599, 3000), (3601, 3000), code="K", kind="school")
    near = role(asked(POINT, key_units=units), "key_unit")
    assert near.index.tolist() == ["K0"]
    assert near["distance_m"].tolist() == pytest.approx([199.9], abs=1e-3)
    far = role(asked(POINT, key_units=units, around_m=10, within_min=1), "key_unit")
    assert far.index.tolist() == ["K2"]
    assert far["minutes"].tolist() == pytest.approx([599 / 600], abs=1e-6)
    assert far[["inside", "reached"]].to_numpy().tolist() == [[False, True]]
    # A leg beside the street is walked.
    off = at((3000, 3040), code="K", kind="school")
    assert role(asked(POINT, key_units=off), "key_unit")["minutes"].tolist() == pytest.approx(
        [40 * LEG_S_PER_M / 60], abs=1e-6
    )


def test_helpers_come_and_the_others_go_along_a_one_way_ring() -> None:
    ring = segments_of(
        [(0, 3000), (600, 3000)],
        [(600, 3000), (600, 3600), (0, 3600), (0, 3000)],
        speed_kmh=[36.0, 36.0],
        oneway=[True, True],
    )
    post = at((600, 3000), code="P", kind="police_post", positions_count=4)
    unit = at((600, 3000), code="K", kind="school")
    result = asked(shapely.Point(0, 3000), ring, posts=post, key_units=unit, around_m=700)
    # 600 m away from the place, 1,800 m back to it.
    assert role(result, "key_unit")["minutes"].tolist() == pytest.approx([1.0])
    assert role(result, "post")["minutes"].tolist() == pytest.approx([3.0])
    assert result.summary["nearest_posts"][0]["capacity_count"] == 4


def test_the_soonest_are_named_wherever_they_are_and_ranked_within_their_kind() -> None:
    posts = at((2000, 3000), (3900, 3000), (5900, 3000), (100, 3900), code="P", kind="police_post")
    things = at(*((x, 3000) for x in (1000, 2500, 4000, 5000)), code="E", kind=["aed", "aed", "hydrant", "aed"])
    result = asked(POINT, posts=posts, resources=things, nearest_count=1)
    assert role(result, "post").index.tolist() == ["P1"]
    assert role(result, "resource")["rank"].to_dict() == {"E1": 1, "E2": 1}
    assert [row["source_code"] for row in result.summary["nearest_resources"]] == ["E1", "E2"]
    more = asked(POINT, posts=posts, resources=things, nearest_count=3)
    assert role(more, "post")["rank"].to_dict() == {"P1": 1, "P0": 2, "P2": 3}
    assert [row["minutes"] for row in more.summary["nearest_posts"]] == pytest.approx([1.5, 1000 / 600, 2900 / 600])
    left = {(entry.frame, entry.reason): entry.count for entry in more.provenance.left_out}
    assert left == {("posts", "too_far_from_street"): 1}


def test_a_helper_inside_is_listed_though_others_are_sooner() -> None:
    posts = at((3010, 3000), (3020, 3000), (3000, 3190), code="P", kind="guard_post")
    found = role(asked(POINT, posts=posts, nearest_count=1), "post")
    assert found["rank"].to_dict() == {"P0": 1, "P1": 2, "P2": 3}
    assert found["inside"].all()


def test_households_of_a_cut_block_count_by_its_ground_and_reached_ones_whole() -> None:
    blocks = areas(
        (3000, 3000, 3100, 3100),
        (3100, 3000, 3200, 3100),
        (3200, 3000, 3300, 3100),
        (4000, 2950, 4100, 3050),
        (3000, 3100, 3010, 3110),
        code=["whole", "quarter", "beside", "reached", "empty"],
        households_count=[10, 80, 100, 7, 0],
        residents_count=[30, 200, 300, 20, 0],
    )
    zone = shapely.box(2900, 2900, 3125, 3125)
    plain = asked(zone, blocks=blocks, around_m=0)
    rows = role(plain, "block")
    assert rows["counted_share"].to_dict() == pytest.approx({"whole": 1, "quarter": 0.25}, abs=1e-4)
    assert rows["households_count"].to_dict() == pytest.approx({"whole": 10, "quarter": 20}, abs=0.01)
    assert plain.summary["households_count"] == pytest.approx(30, abs=0.01)
    assert plain.summary["residents_count"] == pytest.approx(80, abs=0.03)
    assert (plain.summary["households_least_count"], plain.summary["households_most_count"]) == (10, 90)
    assert (plain.summary["blocks_whole_count"], plain.summary["blocks_cut_count"]) == (1, 1)
    assert [(x.frame, x.reason, x.count) for x in plain.provenance.left_out] == [("blocks", "nobody_there", 1)]
    # 925 m along the street to the middle of the block that is reached.
    timed = asked(zone, blocks=blocks, around_m=0, within_min=1.6)
    assert role(timed, "block")["counted_share"].to_dict() == pytest.approx(
        {"whole": 1, "quarter": 1, "beside": 1, "reached": 1}
    )
    assert role(timed, "block").loc["reached", "minutes"] == pytest.approx(925 / 600, abs=1e-3)
    assert timed.summary["households_count"] == pytest.approx(197)


def test_blocks_without_counts_are_places_all_the_same() -> None:
    result = asked(POINT, blocks=areas((2900, 2900, 3100, 3100), code=["b"]))
    assert role(result, "block")["households_count"].isna().all()
    assert result.summary["households_count"] == 0


def test_a_line_and_an_area_are_come_to_where_that_is_soonest() -> None:
    posts = at((0, 3000), (3500, 3000), code="P", kind="police_post")
    across = shapely.LineString([(1000, 2500), (1000, 3500)])
    line = role(asked(across, posts=posts), "post")
    assert line["minutes"].to_dict() == pytest.approx({"P0": 1000 / 600, "P1": 2500 / 600}, abs=1e-4)
    area = shapely.box(1000, 2900, 3000, 3100)
    found = role(asked(area, posts=posts, key_units=None), "post")
    assert found["minutes"].to_dict() == pytest.approx({"P0": 1000 / 600, "P1": 500 / 600}, abs=1e-4)
    units = at((2000, 3050), code="K", kind="school")
    assert role(asked(area, key_units=units), "key_unit")["minutes"].tolist() == [0]


def test_streets_to_close_are_named_with_the_post_that_is_soonest_there() -> None:
    town = segments_of(
        [(0, 3000), (3000, 3000)],
        [(3000, 3000), (6000, 3000)],
        [(3050, 2000), (3050, 4000)],
        [(3000, 3000), (3000, 3100)],
        speed_kmh=[36.0] * 4,
        road_class=["main", "main", "trunk", "path"],
        level=[0, 0, 1, 0],
        name_zh=["一路", "二路", "高架", None],
    )
    posts = at((3300, 3000), code="P", kind="police_post")
    result = asked(POINT, town, posts=posts)
    rows = result.features[result.features["role"] == "closure"]
    assert sorted(rows["source_code"]) == ["s0000", "s0001"]
    assert rows["distance_m"].tolist() == pytest.approx([201, 201], abs=0.05)
    assert rows.set_index("source_code")["minutes"].to_dict() == pytest.approx(
        {"s0000": 501 / 600, "s0001": 99 / 600}, abs=1e-3
    )
    raised = result.features[result.features["role"] == "raised_crossing"]
    assert raised["name_zh"].tolist() == ["高架", "高架"]
    assert raised["code"].tolist() == ["raised_crossing-s0002", "raised_crossing-s0002#2"]
    assert [row["road_class"] for row in result.summary["closures"]] == ["main", "main"]
    assert (result.summary["closures_count"], result.summary["raised_crossings_count"]) == (2, 2)
    assert result.summary["segments_inside_count"] == 1
    place = gpd.GeoSeries(gpd.points_from_xy(*[[row[n] for row in result.summary["closures"]] for n in ("lon", "lat")]))
    metres = place.set_crs("EPSG:4326").to_crs(PROFILE.metric_crs)
    assert sorted((metres.x - WEST).round(1)) == [2799.0, 3201.0]


def test_a_place_without_a_street_still_tells_who_is_inside() -> None:
    units = at((3000, 5000), code="K", kind="school")
    posts = at((3000, 3000), code="P", kind="police_post")
    result = asked(shapely.Point(3000, 5050), key_units=units, posts=posts, within_min=5)
    assert role(result, "key_unit")["minutes"].isna().all()
    assert result.summary["nearest_posts"] == []
    assert result.provenance.choices["ways_in_count"] == 0


def test_what_cannot_be_asked_is_refused_with_every_reason() -> None:
    with pytest.raises(InvalidParams) as caught:
        gis.event_impact(ROAD, profile=PROFILE, place={"type": "Point", "coordinates": [300, 99]}, around_m=-1)
    assert {(p.code, p.field) for p in caught.value.problems} == {
        ("outside_world", "place"),
        ("greater_than_equal", "around_m"),
    }
    with pytest.raises(InvalidParams, match="Field required"):
        gis.event_impact(ROAD, profile=PROFILE)
    with pytest.raises(InvalidParams, match="no ground of its own"):
        asked(POINT, around_m=0)
    with pytest.raises(InvalidParams, match="outside of the city"):
        gis.event_impact(ROAD, profile=PROFILE, place={"type": "Point", "coordinates": [100.0, 31.0]})
    assert "place : required" in (gis.event_impact.__doc__ or "")


def test_a_street_grid_is_closed_on_every_street_and_codes_are_unique() -> None:
    square = shapely.box(1990, 1990, 3010, 3010)
    posts = at((2500, 2500), (2500, 2500), code="P", kind="police_post")
    twice = pd.concat([posts, posts])
    result = asked(square, street_grid(), posts=twice, around_m=0)
    # Six streets each way, each with two ends.
    assert result.summary["closures_count"] == 24
    assert result.summary["segments_inside_count"] == 60
    assert result.features["code"].is_unique


def test_the_demo_city_agrees_with_plain_geometry_and_plain_times() -> None:
    city = gis.City.demo()
    metric = {name: frame.to_crs(city.profile.metric_crs) for name, frame in city.frames.items()}
    community = metric["communities"].geometry.iloc[40]
    place = shapely.geometry.mapping(city.communities.geometry.iloc[40])
    names = ("blocks", "key_units", "rentals", "posts", "resources")
    options = {"around_m": 0, "travel_mode": "walk", "nearest_count": 4}
    result = gis.event_impact(city.segments, **{name: city.frames[name] for name in names}, place=place, **options)
    for name, kind in (("key_units", "key_unit"), ("rentals", "rental")):
        within = metric[name][metric[name].intersects(community)]
        assert set(role(result, kind).index) == set(within["source_id"])
    # A community is a union of blocks: nothing is cut.
    blocks = metric["blocks"]
    mine = blocks[blocks["community_code"] == city.communities["code"].iloc[40]]
    assert result.summary["blocks_cut_count"] == 0
    assert result.summary["households_count"] == mine["households_count"].sum()
    trips = travel(metric["segments"], mode="walk")
    outline = shapely.get_coordinates(shapely.segmentize(shapely.boundary(community), 5.0))
    starts = trips.snap(shapely.get_coordinates(metric["posts"].geometry.to_numpy()))
    minutes = trips.matrix_s(starts, trips.snap(outline)).min(axis=1) / 60
    minutes[metric["posts"].intersects(community).to_numpy()] = 0.0
    soonest = np.sort(minutes)[:4]
    assert [row["minutes"] for row in result.summary["nearest_posts"]] == pytest.approx(soonest.tolist(), abs=0.35)
