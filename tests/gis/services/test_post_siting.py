"""Siting of posts: the best of all choices on streets made by hand, every place accounted for, and the demo city."""

import itertools
import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

import gis
from gis.city import codebook
from gis.errors import Infeasible, InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST
from tests.support.streets import segments_of

STEP_M, STEP_S = 100.0, 10.0
"""A street of 100 m at 36 km/h."""


def street_lattice(side: int) -> gpd.GeoDataFrame:
    at = np.arange(side) * STEP_M
    across = [[(at[i], at[j]), (at[i + 1], at[j])] for j in range(side) for i in range(side - 1)]
    along = [[(at[i], at[j]), (at[i], at[j + 1])] for i in range(side) for j in range(side - 1)]
    return segments_of(*across, *along, speed_kmh=36.0)


def at_junctions(nodes: list[tuple[int, int]], **columns: object) -> gpd.GeoDataFrame:
    """Return points at junctions of the lattice."""
    points = np.array(nodes, float).reshape(-1, 2) * STEP_M + np.array([WEST, SOUTH])
    frame = gpd.GeoDataFrame(
        {"source_id": [f"n{i:02d}" for i in range(len(nodes))], **columns},
        geometry=gpd.points_from_xy(*points.T),
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def units(nodes: list[tuple[int, int]]) -> gpd.GeoDataFrame:
    return at_junctions(nodes, kind="school")


def posts(nodes: list[tuple[int, int]]) -> gpd.GeoDataFrame:
    return at_junctions(nodes, kind="police_post")


def homes(nodes: list[tuple[int, int]], households: list[int]) -> gpd.GeoDataFrame:
    """Return blocks of 20 x 20 m around junctions."""
    frame = at_junctions(nodes).to_crs(PROFILE.metric_crs)
    frame["geometry"] = frame.geometry.buffer(10, cap_style="square")
    codes = [f"b{i:02d}" for i in range(len(nodes))]
    return frame.assign(code=codes, households_count=households).to_crs("EPSG:4326")


def walked_s(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> np.ndarray:
    """Seconds between junctions of a full lattice: one step after another."""
    return STEP_S * np.abs(np.array(a)[:, None] - np.array(b)[None]).sum(axis=2)


def random_city(seed: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]], np.ndarray]:
    rng = np.random.default_rng(seed)
    nodes = list(itertools.product(range(6), range(6)))
    pick = [nodes[i] for i in rng.permutation(36)]
    return pick[:8], pick[8:26], rng.integers(1, 30, 18)


@pytest.mark.parametrize("seed", range(4))
def test_every_goal_is_the_best_of_all_choices(seed: int) -> None:
    sites, places, households = random_city(seed)
    frames = {"blocks": homes(places, households.tolist()), "key_units": units(sites)}
    seconds = walked_s(sites, places)

    def best(p: int, worth) -> float:
        return max(worth(list(s)) for s in itertools.combinations(range(8), p))

    def covered(s: list[int], least: int = 1) -> float:
        return float(households[(seconds[s] <= 30).sum(axis=0) >= least].sum())

    options = {"profile": PROFILE, "candidates": "key_units", "reach_min": 0.5, "new_posts_count": 3}
    most = gis.post_siting(street_lattice(6), **frames, **options)
    assert most.summary["covered_count"] == best(3, covered) == most.summary["objective_bound"]
    assert most.summary["proven"] is True
    assert most.features["gain_count"].sum() == most.summary["covered_count"]

    near = gis.post_siting(street_lattice(6), **frames, **options, goal="least_mean_time")
    mean_s = -best(3, lambda s: -float(households @ seconds[s].min(axis=0)) / households.sum())
    assert near.summary["mean_min"] * 60 == pytest.approx(mean_s)
    assert near.summary["objective_value"] == pytest.approx(near.summary["mean_min"])
    assert near.summary["proven"] is True

    reachable = (seconds <= 30).any(axis=0)
    fewest = gis.post_siting(street_lattice(6), **frames, **options, goal="fewest_posts")
    full = next(p for p in range(1, 9) if best(p, covered) == households[reachable].sum())
    assert fewest.summary["objective_value"] == len(fewest.features) == full
    twice = best(full, lambda s: covered(s, 2) if covered(s) == households[reachable].sum() else -1.0)
    assert fewest.summary["twice_share"] * households.sum() == pytest.approx(twice)
    assert fewest.summary["uncoverable_count"] == households[~reachable].sum()
    assert {row["code"] for row in fewest.summary["uncoverable_places"]} == {
        f"b{i:02d}" for i in np.flatnonzero(~reachable)
    }


def test_by_hand_as_the_method_page_says() -> None:
    street = segments_of(*[[(i * 100.0, 0.0), ((i + 1) * 100.0, 0.0)] for i in range(3)], speed_kmh=36.0)
    nodes = [(i, 0) for i in range(4)]
    frames = {"blocks": homes(nodes, [3, 1, 1, 2]), "key_units": units(nodes)}
    options = {"profile": PROFILE, "candidates": "key_units", "reach_min": 10.5 / 60}
    one = gis.post_siting(street, **frames, **options, new_posts_count=1)
    assert one.features["site_code"].tolist() == ["n01"]
    assert one.summary["covered_count"] == 5
    fewest = gis.post_siting(street, **frames, **options, goal="fewest_posts")
    assert sorted(fewest.features["site_code"]) == ["n01", "n02"]
    assert fewest.summary["twice_share"] == pytest.approx(2 / 7)
    assert fewest.summary["backup_proven"] is True


def test_existing_and_wanted_posts_stay_and_come_first() -> None:
    sites, places, households = random_city(9)
    wanted = at_junctions([(5, 5)]).geometry[0]
    frames = {
        "blocks": homes(places, households.tolist()),
        "key_units": units(sites),
        "posts": posts([(0, 0), (90, 90)]),
    }
    options = {"profile": PROFILE, "candidates": "key_units", "reach_min": 0.35}
    here = {"wanted_posts": [{"lon": wanted.x, "lat": wanted.y}]}
    result = gis.post_siting(street_lattice(6), **frames, **options, **here, new_posts_count=2)
    features = result.features
    assert features["standing"].tolist() == ["existing", "wanted", "proposed", "proposed"]
    assert features["order_number"].tolist() == [1, 2, 3, 4]
    assert features["site_code"].tolist()[0] == "n00"
    assert ("posts", "too_far_from_street", 1) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]
    open_nodes = [(0, 0), (5, 5), *(sites[int(code[1:])] for code in features["site_code"][2:])]
    reached = walked_s(open_nodes, places) <= 21
    gains = [households[reached[: k + 1].any(axis=0)].sum() for k in range(4)]
    assert features["covered_share"].tolist() == pytest.approx(np.array(gains) / households.sum())
    assert features["reached_count"].tolist() == (reached @ households).tolist()
    assert features["only_count"].tolist() == [
        households[reached[k] & (reached.sum(axis=0) == 1)].sum() for k in range(4)
    ]
    assert features["gain_count"][2] >= features["gain_count"][3]
    others = [i for i in range(8) if sites[i] not in {(0, 0), (5, 5)}]
    best = max(
        households[(walked_s([(0, 0), (5, 5), *(sites[i] for i in s)], places) <= 21).any(axis=0)].sum()
        for s in itertools.combinations(others, 2)
    )
    assert result.summary["covered_count"] == best
    alone = gis.post_siting(street_lattice(6), **frames, **options, **here, new_posts_count=0)
    assert alone.features["standing"].tolist() == ["existing", "wanted"]
    assert alone.summary["covered_count"] == gains[1]
    assert alone.summary["covered_before_count"] == gains[0]
    anew = gis.post_siting(street_lattice(6), **frames, **options, keep_existing=False, new_posts_count=2)
    assert "existing" not in set(anew.features["standing"])


def test_at_once_is_never_better_than_proven_and_its_bound_holds() -> None:
    for seed in range(3):
        sites, places, households = random_city(20 + seed)
        frames = {"blocks": homes(places, households.tolist()), "key_units": units(sites)}
        options = {"profile": PROFILE, "candidates": "key_units", "reach_min": 0.4, "new_posts_count": 2}
        for goal, sign in (("most_covered", 1), ("least_mean_time", -1), ("fewest_posts", -1)):
            quick, sure = (
                gis.post_siting(street_lattice(6), **frames, **options, goal=goal, answer=answer).summary
                for answer in ("at_once", "proven")
            )
            best = sign * sure["objective_value"]
            assert sign * quick["objective_value"] <= best + 1e-9 <= sign * quick["objective_bound"] + 2e-9
            assert sure["proven"]
            assert sure["gap_share"] == 0


def test_backup_is_kept_or_refused_with_what_could_be_had() -> None:
    sites, places, households = random_city(30)
    frames = {"blocks": homes(places, households.tolist()), "key_units": units(sites)}
    options = {"profile": PROFILE, "candidates": "key_units", "reach_min": 0.5, "new_posts_count": 4}
    for goal in ("most_covered", "least_mean_time", "fewest_posts"):
        result = gis.post_siting(street_lattice(6), **frames, **options, goal=goal, backup_share=0.4)
        reachable = (walked_s(sites, places) <= 30).any(axis=0)
        at_least = 0.4 if goal == "least_mean_time" else 0.4 * households[reachable].sum() / households.sum()
        assert result.summary["twice_share"] >= at_least - 1e-9
        with pytest.raises(Infeasible, match=r"twice|two sites within reach"):
            gis.post_siting(street_lattice(6), **frames, **{**options, "reach_min": 0.17}, goal=goal, backup_share=1.0)


def test_a_place_beyond_every_street_is_counted_and_stays_in_the_total() -> None:
    frames = {"blocks": homes([(0, 0), (80, 80)], [10, 30]), "key_units": units([(1, 0)])}
    result = gis.post_siting(street_lattice(4), **frames, profile=PROFILE, candidates="key_units", new_posts_count=1)
    assert result.summary["off_street_count"] == 30
    assert result.summary["covered_share"] == pytest.approx(0.25)
    assert ("blocks", "too_far_from_street", 1) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]


def test_candidates_are_junctions_communities_or_lattice_points_and_thinned_evenly() -> None:
    places = list(itertools.product(range(6), range(6)))
    frames = {"blocks": homes(places, [1] * 36)}
    options = {"profile": PROFILE, "new_posts_count": 1, "reach_min": 1}
    every = gis.post_siting(street_lattice(6), **frames, **options)
    # Corners of the lattice have two street ends, all others three or four.
    assert every.provenance.choices["candidates_found_count"] == every.summary["candidates_count"] == 32
    some = gis.post_siting(street_lattice(6), **frames, **options, candidates_count=7)
    assert (some.summary["candidates_count"], some.provenance.choices["candidates_found_count"]) == (7, 32)
    points = gis.post_siting(street_lattice(6), **frames, **options, candidates="lattice", lattice_m=250)
    assert points.summary["candidates_count"] == 9
    area = gpd.GeoDataFrame(
        {"source_id": ["c"], "code": ["c1"], "name_zh": ["社区"]},
        geometry=[shapely.box(WEST, SOUTH, WEST + 500, SOUTH + 500)],
        crs=PROFILE.metric_crs,
    ).to_crs("EPSG:4326")
    middle = gis.post_siting(street_lattice(6), **frames, **options, communities=area, candidates="communities")
    assert middle.features[["site_code", "name_zh"]].to_numpy().tolist() == [["c1", "社区"]]


def test_the_demo_city_gains_where_it_is_short() -> None:
    city = gis.City.demo()
    frames = {"posts": city.posts, "blocks": city.blocks, "grids": city.grids}
    sure = gis.post_siting(city.segments, **frames, reach_min=3, new_posts_count=3)
    summary = sure.summary
    assert summary["proven"] is True
    assert summary["existing_posts_count"] + 3 == len(sure.features)
    new = sure.features[sure.features["standing"] == "proposed"]
    assert new["gain_count"].is_monotonic_decreasing
    assert new["gain_count"].sum() == summary["covered_count"] - summary["covered_before_count"] > 0
    quick = gis.post_siting(city.segments, **frames, reach_min=3, new_posts_count=3, answer="at_once")
    assert quick.summary["covered_count"] <= summary["covered_count"] <= quick.summary["objective_bound"]
    assert quick.summary["covered_count"] >= 0.99 * summary["covered_count"]
    again = gis.post_siting(
        city.segments.sample(frac=1, random_state=1), posts=city.posts.sample(frac=1, random_state=2),
        blocks=city.blocks.sample(frac=1, random_state=3), grids=city.grids, reach_min=3, new_posts_count=3,
    )  # fmt: skip
    assert again.summary["covered_count"] == summary["covered_count"]
    json.dumps(dict(summary), allow_nan=False)
    assert set(sure.features["standing"]) <= set(codebook("siting_standings"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"goal": "cheapest"}, "goal"),
        ({"reach_min": 0}, "reach_min"),
        ({"backup_share": 1.5}, "backup_share"),
        ({"candidates": "communities"}, "no communities"),
        ({"demand": "rentals"}, "rentals"),
        ({"wanted_posts": [{"lon": 0.0, "lat": 0.0}]}, "number 1 is farther"),
        ({"wanted_posts": [{"lon": 500.0, "lat": 0.0}]}, "lon"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(options: dict[str, object], words: str) -> None:
    frames = {"blocks": homes([(0, 0)], [1]), "key_units": units([(1, 1)])}
    with pytest.raises(InvalidParams, match=words):
        gis.post_siting(street_lattice(4), **frames, profile=PROFILE, **options)


def test_no_post_at_all_is_infeasible() -> None:
    frames = {"blocks": homes([(0, 0)], [1]), "key_units": units([(3, 3)])}
    with pytest.raises(Infeasible, match="at least 1"):
        gis.post_siting(street_lattice(4), **frames, profile=PROFILE, new_posts_count=0)
    with pytest.raises(Infeasible, match=r"no place lies within 0\.1 min"):
        gis.post_siting(
            street_lattice(4), **frames, profile=PROFILE, candidates="key_units", reach_min=0.1, new_posts_count=1
        )
