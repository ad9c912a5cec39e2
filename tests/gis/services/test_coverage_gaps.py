"""Who is covered, by hand and against plain sums; what a post more or less changes; the demo city."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST, anywhere, areas, grid_of, incidents_at
from tests.support.streets import segments_of, street_grid

ROAD = segments_of([(0, 3000), (6000, 3000)], speed_kmh=[36.0])
"""Ten metres a second."""
LEG_S_PER_M = 3.6 / 4.8


def points_at(*places: tuple[float, float], **columns: object) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"source_id": [f"P{i}" for i in range(len(places))], "kind": "police_post", **columns},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in places],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def units_at(*places: tuple[float, float]) -> gpd.GeoDataFrame:
    frame = points_at(*places).assign(kind="school")
    return frame.assign(source_id=[f"K{i}" for i in range(len(places))])


def looked(posts: gpd.GeoDataFrame, segments: gpd.GeoDataFrame = ROAD, **options: object):
    return gis.coverage_gaps(posts, segments, profile=PROFILE, **options)


def test_a_straight_street_by_hand() -> None:
    # 600 m are a minute, 1,800 m three, 3,000 m five; the last one stands 600 m from the street.
    units = units_at((590, 3000), (1700, 3000), (3000, 3004), (3100, 3000), (200, 3600))
    result = looked(points_at((0, 3000)), key_units=units, demand="key_units")
    table = result.features.set_index("code")
    assert table["minutes"].to_dict() == pytest.approx(
        {"K0": 590 / 600, "K1": 1700 / 600, "K2": 5 + 4 * LEG_S_PER_M / 60, "K3": 3100 / 600, "K4": np.nan}, nan_ok=True
    )
    assert table["coverage_class"].to_dict() == {
        "K0": "first",
        "K1": "second",
        "K2": "gap",
        "K3": "gap",
        "K4": "no_street",
    }
    # The gaps come first; among equals the one that waits longest.
    assert result.features["code"].tolist() == ["K4", "K3", "K2", "K1", "K0"]
    assert result.features["gap_rank"].tolist()[:3] == [1, 2, 3]
    assert result.features["gap_rank"].isna().sum() == 2
    assert result.summary["covered_share"] == pytest.approx(0.4)
    assert (result.summary["no_street_count"], result.summary["unreachable_count"]) == (1, 0)
    assert result.summary["median_min"] == pytest.approx(1700 / 600)


def test_a_leg_at_the_post_counts_too_and_a_one_way_street_goes_one_way() -> None:
    units = units_at((600, 3000))
    assert looked(points_at((0, 3080)), key_units=units, demand="key_units").features["minutes"][0] == pytest.approx(2)
    ring = segments_of(
        [(0, 3000), (600, 3000)],
        [(600, 3000), (600, 3600), (0, 3600), (0, 3000)],
        speed_kmh=[36.0, 36.0],
        oneway=[True, True],
    )
    back = looked(points_at((600, 3000)), ring, key_units=units_at((0, 3000)), demand="key_units")
    assert back.features["minutes"][0] == pytest.approx(3)


def test_what_a_post_more_or_less_changes() -> None:
    blocks = areas(
        *((x - 10, 2990, x + 10, 3010) for x in (300, 3000, 5700)),
        code=["b0", "b1", "b2"],
        households_count=[10, 20, 70],
    )
    posts = points_at((0, 3000), (2600, 3000))
    here = looked(posts, blocks=blocks, rings_min=[1])
    assert here.summary["covered_weight"] == 30
    assert here.features["code"].tolist()[0] == "b2"
    assert [row["only_weight"] for row in here.summary["by_post"]] == [20, 10]
    (best, *_) = here.summary["best_sites"]
    assert (best["code"], best["gained_weight"]) == ("b2", 70)
    there = looked(
        posts,
        blocks=blocks,
        rings_min=[1],
        added_posts=[{"lon": best["lon"], "lat": best["lat"], "positions_count": 3}],
        closed_posts=["P0"],
    )
    change = there.summary["change"]
    assert (change["gained_weight"], change["lost_weight"]) == (70, 10)
    assert (change["covered_weight_before"], change["covered_weight_after"]) == (30, 90)
    table = there.features.set_index("code")
    assert table.loc["b0", "minutes_now"] == pytest.approx(0.5)
    assert table.loc["b0", "minutes"] == pytest.approx(2300 / 600)
    assert table.loc["b2", "post_code"] == "added-1"
    assert {row["post_code"]: row["is_new"] for row in there.summary["by_post"]} == {"P1": False, "added-1": True}


@pytest.fixture(scope="module")
def town():
    """Streets every 200 m, 12 posts, blocks with households, grids, incidents."""
    rng = np.random.default_rng(3)
    blocks = grid_of(12).drop(columns=["kind", "valid_from", "name_zh"])
    blocks = blocks.assign(households_count=rng.integers(0, 40, len(blocks)), community_code="c1")
    kinds = np.where(np.arange(12) % 3 == 0, "guard_post", "police_post")
    posts = points_at(*rng.uniform(0, 6_000, (12, 2)), kind=kinds, positions_count=rng.integers(1, 6, 12))
    return {"posts": posts, "segments": street_grid(), "blocks": blocks, "grids": grid_of(4, community_code="c1")}


@pytest.mark.parametrize("demand", ["households", "incidents"])
def test_the_numbers_are_those_of_the_rows(town, demand) -> None:
    town = {**town, "incidents": incidents_at(anywhere(4, 500))}
    result = looked(**town, demand=demand, travel_mode="cycle", rings_min=[1, 2, 4])
    rows, summary = result.features, result.summary
    covered = rows[rows["is_covered"]]
    assert summary["covered_weight"] == pytest.approx(covered["weight"].sum())
    assert summary["twice_share"] == pytest.approx(rows[rows["posts_count"] > 1]["weight"].sum() / rows["weight"].sum())
    assert (covered["minutes"] <= 4 + 1e-9).all()
    assert (rows[~rows["is_covered"]]["minutes"] > 4 - 1e-9).all()
    assert (rows["second_min"] >= rows["minutes"]).all()
    assert ((rows["posts_count"] > 1) == (rows["second_min"] <= 4)).all()
    assert sum(row["demand_weight"] for row in summary["by_ring"]) == pytest.approx(summary["demand_weight"])
    assert summary["mean_min"] == pytest.approx(np.average(rows["minutes"], weights=rows["weight"]))
    for column in ("grid_code", "community_code"):
        by_area = rows[~rows["is_covered"]].groupby(column)["weight"].sum()
        told = {row[column]: row["gap_weight"] for row in summary[f"by_{column.removesuffix('_code')}"]}
        assert told == pytest.approx(by_area[by_area > 0].to_dict())
        assert list(told.values()) == sorted(told.values(), reverse=True)
    positions = town["posts"]["positions_count"].sum()
    assert (rows["staff_per_1000"] * rows["weight"]).sum() / 1_000 == pytest.approx(positions)


def test_longer_rings_more_posts_and_another_order_never_cover_less(town) -> None:
    def share(**options):
        return looked(**{**town, **options}, travel_mode="cycle").summary["covered_share"]

    assert share(rings_min=[2]) < share(rings_min=[3]) < share(rings_min=[6])
    assert share(rings_min=[3], post_kinds=["police_post"]) <= share(rings_min=[3])
    assert share(rings_min=[3], posts=town["posts"][::-1]) == share(rings_min=[3])
    assert share(rings_min=[3], depart_hour=8) <= share(rings_min=[3])


def test_closing_posts_is_the_same_as_a_city_without_them(town) -> None:
    gone = ["P1", "P4", "P7"]
    rest = town["posts"][~town["posts"]["source_id"].isin(gone)]
    closed = looked(**town, closed_posts=gone).features.drop(columns="minutes_now")
    without = looked(**{**town, "posts": rest}).features.drop(columns="minutes_now")
    pd.testing.assert_frame_equal(pd.DataFrame(closed), pd.DataFrame(without))


def test_the_loss_that_is_told_is_what_closing_loses(town) -> None:
    now = looked(**town, travel_mode="cycle", rings_min=[3])
    for row in now.summary["by_post"][:4]:
        change = looked(**town, travel_mode="cycle", rings_min=[3], closed_posts=[row["post_code"]]).summary["change"]
        assert change["lost_weight"] == pytest.approx(row["only_weight"])


def test_whatever_is_wrong_is_named_at_once(town) -> None:
    far = {"lon": 100.0, "lat": 20.0}
    with pytest.raises(InvalidParams) as caught:
        looked(**town, closed_posts=["P1", "nobody", "P99"], added_posts=[far])
    assert [(p.code, p.field) for p in caught.value.problems] == [
        ("no_such_post", "closed_posts"),
        ("no_such_post", "closed_posts"),
        ("too_far_from_street", "added_posts"),
    ]
    with pytest.raises(InvalidParams, match="no post is left"):
        looked(**town, closed_posts=[f"P{i}" for i in range(12)])
    with pytest.raises(InvalidParams, match="no key_units"):
        looked(**town, demand="key_units")
    with pytest.raises(InvalidParams, match="households_count"):
        looked(**{**town, "blocks": town["blocks"].drop(columns="households_count")})


def test_blocks_without_anybody_and_doubled_codes_are_accounted_for(town) -> None:
    result = looked(**town)
    empty = int((town["blocks"]["households_count"] == 0).sum())
    left = {(entry.frame, entry.reason): entry.count for entry in result.provenance.left_out}
    assert left[("blocks", "nobody_there")] == empty
    assert len(result.features) == len(town["blocks"]) - empty
    twice = pd.concat([units_at((600, 3000)), units_at((900, 3000))])
    codes = looked(points_at((0, 3000)), key_units=twice, demand="key_units").features["code"]
    assert sorted(codes) == ["K0", "K0#2"]


def test_the_demo_city_has_gaps_on_foot_and_a_site_that_closes_most() -> None:
    city = gis.City.demo()
    asked = {"blocks": city.blocks, "grids": city.grids, "travel_mode": "walk", "post_kinds": ["police_post"]}
    now = gis.coverage_gaps(city.posts, city.segments, **asked)
    assert 0.02 < now.summary["covered_share"] < 0.5
    best = now.summary["best_sites"][0]
    then = gis.coverage_gaps(city.posts, city.segments, **asked, added_posts=[{"lon": best["lon"], "lat": best["lat"]}])
    assert then.summary["change"]["gained_weight"] == pytest.approx(best["gained_weight"])
    assert then.summary["change"]["lost_weight"] == 0


def test_hotspots_weigh_what_happened_in_them() -> None:
    city = gis.City.demo()
    asked = {
        "incidents": city.incidents,
        "grids": city.grids,
        "districts": city.districts,
        "water_areas": city.water_areas,
    }
    result = gis.coverage_gaps(city.posts, city.segments, **asked, demand="hotspots", travel_mode="walk")
    hot = gis.hotspots(city.incidents, districts=city.districts, water_areas=city.water_areas, alpha=0.05).features
    counts = hot.set_index("code")["incidents_count"]
    rows = result.features.set_index("code")
    assert len(rows) > 5
    assert rows["weight"].to_dict() == counts[rows.index].astype(float).to_dict()
    assert hot.set_index("code").loc[rows.index, "significance"].str.startswith("hot_").all()
    used = next(record for record in result.provenance.inputs if record.frame == "incidents")
    assert used.n_used > rows["weight"].sum()
    sited = gis.post_siting(
        city.segments, posts=city.posts, **asked, demand="hotspots", reach_min=3, answer="at_once", travel_mode="walk"
    )
    assert sited.summary["demand_count"] == pytest.approx(rows["weight"].sum())
