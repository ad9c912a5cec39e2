"""Beats: planted ones are found, whole grids stay whole, streets and posts are kept, and queues obey Erlang."""

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.errors import Infeasible, InvalidParams
from gis.kernels.hypercube import erlang
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, WEST, areas, grid_of, incidents_at
from tests.support.streets import segments_of, street_grid

STREETS = street_grid(300.0)
SIDE = 4
STEP_M = SIDE_M / SIDE
QUADRANT = np.array([["A", "B"], ["C", "D"]])


def quadrant_of(place: int) -> str:
    return str(QUADRANT[place // SIDE // 2, place % SIDE // 2])


def grids(*, beat: str | None = None, **columns: object) -> gpd.GeoDataFrame:
    """Sixteen grids; `beat` says which: quadrants, rows, or none."""
    codes = {
        "quadrants": [quadrant_of(i) for i in range(16)],
        "rows": ["ABCD"[i // SIDE] for i in range(16)],
        None: None,
    }[beat]
    known = {} if codes is None else {"beat_code": codes}
    return grid_of(SIDE, households_count=100, community_code="c", **known, **columns)


def calls(per_grid: int = 20, *, extra: dict[int, int] | None = None, seed: int = 1) -> gpd.GeoDataFrame:
    """Incidents in every grid alike, and more in some."""
    rng = np.random.default_rng(seed)
    points = []
    for place in range(SIDE * SIDE):
        corner = np.array([WEST + place % SIDE * STEP_M, SOUTH + place // SIDE * STEP_M])
        points.append(corner + rng.uniform(1, STEP_M - 1, (per_grid + (extra or {}).get(place, 0), 2)))
    return incidents_at(np.concatenate(points))


def posts_at(*places: tuple[float, float], kind: str = "police_post") -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"source_id": [f"P{i}" for i in range(len(places))], "kind": kind, "positions_count": 2},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in places],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def streets_of(**names: str) -> gpd.GeoDataFrame:
    """Communities, each with its statutory street."""
    boxes = [(0, 0, 1, 1)] * len(names)
    return areas(*boxes, code=list(names), street_code=list(names.values()))


def proposed(incidents: gpd.GeoDataFrame, of: gpd.GeoDataFrame, **options: object) -> gis.contract.result.Result:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return gis.beats(incidents, of, options.pop("segments", STREETS), profile=PROFILE, **options)


def beat_of(result: gis.contract.result.Result, of: gpd.GeoDataFrame) -> pd.Series:
    """Return the proposed beat of each grid, by which of the areas it lies in; each must lie in exactly one."""
    inner = of.set_geometry(of.geometry.representative_point())
    found = gpd.sjoin(inner[["code", "geometry"]], result.features[["code", "geometry"]], predicate="within")
    assert len(found) == len(of)
    return found.set_index("code_left")["code_right"].sort_index()


def row(result: gis.contract.result.Result, division: str = "proposed") -> dict:
    return {r["division"]: r for r in result.summary["compared"]}[division]


def test_four_posts_have_the_quadrants_around_them() -> None:
    of = grids()
    spots = posts_at((1_500, 1_400), (4_500, 1_400), (1_500, 4_600), (4_500, 4_600))
    result = proposed(calls(), of, posts=spots, centres="posts")
    beat = beat_of(result, of)
    assert beat.groupby([quadrant_of(i) for i in range(16)]).nunique().tolist() == [1] * 4
    assert sorted(result.features["post_code"]) == ["P0", "P1", "P2", "P3"]
    joined = gpd.sjoin(spots, result.features, predicate="within")
    assert (joined["source_id"] == joined["post_code"]).all()
    assert row(result)["load_cv_share"] < 0.01


def test_beats_are_made_of_whole_grids_and_cover_them_once() -> None:
    of = grids(beat="rows")
    result = proposed(calls(extra={0: 60, 5: 40}), of, beats_count=5, change_weight=0.1)
    metres = result.features.to_crs(PROFILE.metric_crs)
    assert set(metres.geom_type) == {"Polygon"}
    assert metres.area.sum() == pytest.approx(SIDE_M**2, rel=1e-6)
    assert metres.area.sum() == pytest.approx(metres.union_all().area, rel=1e-6)
    assert metres["grids_count"].sum() == 16
    assert beat_of(result, of).value_counts().sort_index().tolist() == (
        result.features.sort_values("code")["grids_count"].tolist()
    )
    assert result.features["households_count"].sum() == 1_600


def test_uneven_beats_in_force_become_even() -> None:
    # The two grids with most of the work lie in one row, and one beat has both.
    of, work = grids(beat="rows"), calls(10, extra={0: 90, 3: 90, 9: 90, 14: 90})
    result = proposed(work, of, change_weight=0.1, incidents_share=1.0)
    before, after = row(result, "present"), row(result)
    assert after["load_cv_share"] < 0.6 * before["load_cv_share"]
    assert after["travel_min"] < before["travel_min"]
    assert before["beats_count"] == after["beats_count"] == 4
    moved = {r["grid_code"] for r in result.summary["moved_grids"]}
    assert len(moved) == result.summary["moved_grids_count"] == result.features["moved_grids_count"].sum()
    changed = beat_of(result, of) != of.set_index("code")["beat_code"]
    assert set(changed.index[changed]) == moved


def test_good_beats_stay_where_changes_count() -> None:
    of = grids(beat="quadrants")
    kept = proposed(calls(), of, change_weight=5.0)
    assert kept.summary["moved_grids_count"] == 0
    assert (beat_of(kept, of) == of.set_index("code")["beat_code"]).all()
    assert not kept.features["is_new"].any()


def test_the_more_changes_count_the_fewer_there_are() -> None:
    of, work = grids(beat="rows"), calls(10, extra={0: 90, 3: 90, 9: 90, 14: 90})
    moved = [proposed(work, of, change_weight=w).summary["moved_load_share"] for w in (0.0, 0.5, 100.0)]
    assert moved[0] >= moved[1] >= moved[2]
    assert moved[0] > moved[2]


def test_no_beat_crosses_a_street_unless_it_may() -> None:
    of = grids(beat="rows").assign(community_code=["w" if i % SIDE < 1 else "e" for i in range(16)])
    known = streets_of(w="W", e="E")
    result = proposed(calls(), of, communities=known, beats_count=4)
    for code, members in beat_of(result, of).groupby(beat_of(result, of)):
        assert len(set(of.set_index("code").loc[members.index, "community_code"])) == 1, code
    # A quarter of the work: one beat of four.
    assert sorted(result.features["street_code"]) == ["E", "E", "E", "W"]
    assert result.provenance.choices["inside"] == "street"
    free = proposed(calls(), of, communities=known, beats_count=4, inside="city")
    assert free.features["street_code"].isna().all()
    assert row(free)["load_cv_share"] <= row(result)["load_cv_share"] + 1e-9
    assert proposed(calls(), of, beats_count=4).provenance.choices["inside"] == "city"


def test_as_many_beats_as_each_street_has() -> None:
    of = grids().assign(
        community_code=["w" if i % SIDE < 2 else "e" for i in range(16)],
        beat_code=[("ABC"[i // SIDE % 3] if i % SIDE < 2 else "D") for i in range(16)],
    )
    result = proposed(calls(), of, communities=streets_of(w="W", e="E"))
    assert sorted(result.features["street_code"]) == ["E", "W", "W", "W"]


@pytest.mark.parametrize("when_busy", ["lost", "waits"])
def test_units_are_as_busy_as_erlang_says(when_busy: str) -> None:
    work = calls(40)
    # Half of four units are at work on average.
    days = (work["occurred_at"].max() - work["occurred_at"].min()) / pd.Timedelta(days=1)
    service = 2.0 / (len(work) / days / 1_440)
    told = {"mean_service_min": min(service, 1_440.0), "when_busy": when_busy}
    result = proposed(work, grids(beat="quadrants"), **told)
    load = result.summary["calls_at_once"]
    lost = erlang(load, 4)[-1]
    assert result.provenance.choices["model"] == "exact"
    assert load == pytest.approx(len(work) / days / 1_440 * told["mean_service_min"])
    units = result.summary["units"]
    if when_busy == "lost":
        assert row(result)["all_busy_share"] == pytest.approx(lost, abs=1e-12)
        assert row(result)["busy_share"] == pytest.approx(load * (1 - lost) / 4, abs=1e-12)
        assert sum(u["answered_per_day"] for u in units) == pytest.approx(result.summary["calls_per_day"] * (1 - lost))
    else:
        waits = lost / (1 - load / 4 * (1 - lost))
        assert row(result)["all_busy_share"] == pytest.approx(waits, abs=1e-12)
        assert row(result)["busy_share"] == pytest.approx(load / 4, abs=1e-12)
        assert row(result)["wait_min"] == pytest.approx(waits * told["mean_service_min"] / (4 - load))
        assert sum(u["answered_per_day"] for u in units) == pytest.approx(result.summary["calls_per_day"])


def test_busier_units_answer_more_for_others_and_come_later() -> None:
    rows = [row(proposed(calls(200), grids(beat="quadrants"), mean_service_min=m)) for m in (5.0, 120.0, 600.0)]
    for name in ("busy_share", "all_busy_share"):
        values = [r[name] for r in rows]
        assert values == sorted(values), name
    assert rows[0]["outside_share"] < rows[1]["outside_share"]
    assert rows[0]["response_min"] < rows[1]["response_min"]
    assert rows[0]["travel_min"] == rows[2]["travel_min"]
    assert rows[0]["response_min"] == pytest.approx(rows[0]["travel_min"], rel=0.02)


def test_at_rush_hour_everything_takes_longer() -> None:
    at = {hour: row(proposed(calls(), grids(beat="quadrants"), depart_hour=hour)) for hour in (3, 18)}
    assert at[18]["travel_min"] > at[3]["travel_min"]
    assert at[18]["response_min"] > at[3]["response_min"]


def test_many_units_are_modelled_approximately() -> None:
    work, of = calls(), grids().assign(beat_code=[f"b{i:02}" for i in range(16)])
    result = proposed(work, of, mean_service_min=1_000)
    assert result.provenance.choices["model"] == "approximate"
    load = result.summary["calls_at_once"]
    assert row(result)["busy_share"] == pytest.approx(load * (1 - erlang(load, 16)[-1]) / 16)


def test_posts_in_one_grid_share_a_beat() -> None:
    spots = posts_at((1_400, 1_400), (1_300, 1_200), (4_500, 4_500))
    result = proposed(calls(), grids(), posts=spots, centres="posts")
    assert result.summary["beats_count"] == 2
    assert row(result)["units_count"] == 3
    beats = {u["unit"]: u["beat_code"] for u in result.summary["units"]}
    assert beats["P0"] == beats["P1"] != beats["P2"]


def test_a_post_outside_of_all_grids_is_told() -> None:
    spots = posts_at((1_400, 1_400), (4_500, 4_500), (9_000, 9_000))
    result = proposed(calls(), grids(), posts=spots, centres="posts")
    assert ("posts", "outside_grids", 1) in {(e.frame, e.reason, e.count) for e in result.provenance.left_out}
    assert result.summary["beats_count"] == 2


def test_new_beats_have_codes_of_their_own() -> None:
    result = proposed(calls(), grids(beat="quadrants"), beats_count=6)
    assert result.features["code"].is_unique
    assert sorted(result.features.loc[~result.features["is_new"], "code"]) == ["A", "B", "C", "D"]
    assert result.features.loc[result.features["is_new"], "code"].tolist() == ["N01", "N02"]


def test_without_beats_in_force_nothing_is_compared() -> None:
    with pytest.raises(InvalidParams, match="say how many"):
        proposed(calls(), grids())
    result = proposed(calls(), grids(), beats_count=4)
    assert [r["division"] for r in result.summary["compared"]] == ["proposed"]
    assert result.summary["moved_grids"] == []
    assert result.features["is_new"].all()


def test_grids_in_pieces_are_tied_together() -> None:
    of = grids(beat="quadrants")
    apart = pd.concat([of, grid_of(1, households_count=100, community_code="c", beat_code="D").assign(code="island")])
    shift = areas((6_500, 5_000, 7_000, 5_500)).geometry.iloc[0]
    apart = apart.reset_index(drop=True)
    apart.loc[16, "geometry"] = shift
    result = proposed(calls(), gpd.GeoDataFrame(apart, crs=of.crs), change_weight=1.0)
    assert result.provenance.choices["tied_pieces_count"] == 1
    assert result.features["grids_count"].sum() == 17
    assert beat_of(result, apart)["island"] == beat_of(result, apart)["g015"]


def test_a_grid_far_from_every_street_still_has_a_beat() -> None:
    west = segments_of(*[[(0, y), (4_400, y)] for y in range(0, 6_001, 750)], [(0, 0), (0, 6_000)])
    result = proposed(calls(), grids(beat="rows"), segments=west, snap_m=400.0)
    assert {e.reason for e in result.provenance.left_out if e.frame == "grids"} == {"too_far_from_street"}
    assert result.features["grids_count"].sum() == 16
    far = {f"g{i:03}" for i in range(16) if i % SIDE == SIDE - 1}
    beat = beat_of(result, grids())
    reached = set(beat[~beat.index.isin(far)])
    known = result.features.set_index("code")["response_min"].notna()
    assert set(known.index[known]) == reached


def test_every_incident_is_used_or_left_out() -> None:
    work = pd.concat([calls(), incidents_at(np.array([[WEST - 500, SOUTH]]))], ignore_index=True)
    work["origin"] = np.where(np.arange(len(work)) < 30, "patrol", "public_report")
    result = proposed(gpd.GeoDataFrame(work, crs="EPSG:4326"), grids(beat="rows"))
    told = {e.reason: e.count for e in result.provenance.left_out if e.frame == "incidents"}
    assert told == {"other_origin": 30, "outside_grids": 1}
    assert result.provenance.n == len(work) - 31


def test_rates_are_of_the_hours_chosen() -> None:
    work, of = calls(), grids(beat="rows")
    # All at noon: in one hour of 24 there are as many incidents, so that the rate is 24 times that of the whole day.
    noon = work.assign(occurred_at=work["occurred_at"] + pd.Timedelta(hours=12))
    day, hour = (proposed(noon, of, **told) for told in ({}, {"hours": (12,)}))
    assert hour.summary["calls_per_day"] == pytest.approx(24 * day.summary["calls_per_day"], rel=0.01)
    assert hour.features["incidents_per_year"].sum() == pytest.approx(day.features["incidents_per_year"].sum())


def test_rows_in_another_order_give_the_same_beats() -> None:
    of, work = grids(beat="rows"), calls(extra={3: 30})
    first = proposed(work, of)
    second = proposed(work.sample(frac=1, random_state=1), of.sample(frac=1, random_state=2))
    columns = [c for c in first.features.columns if c != "geometry"]
    pd.testing.assert_frame_equal(first.features[columns], second.features[columns])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"beats_count": 17}, Infeasible, "more than the 16 grids"),
        ({"centres": "posts"}, InvalidParams, "no post of the kinds police_post"),
        ({"centres": "posts", "beats_count": 3}, InvalidParams, "every post has one beat"),
        ({"post_kinds": ("palace",)}, InvalidParams, "no such kind palace"),
        ({"mean_service_min": 0}, InvalidParams, "greater than 0"),
        ({"when_busy": "waits", "mean_service_min": 1_440.0}, Infeasible, "grow for ever"),
        ({"categories": ("drugs",), "incidents_share": 1.0}, InvalidParams, "no grid has an incident"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(options: dict[str, object], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        proposed(calls(200), grids(beat="rows"), **options)


def test_streets_without_a_post_or_a_beat_are_named() -> None:
    of = grids(beat="rows").assign(community_code=["w" if i % SIDE < 1 else "e" for i in range(16)])
    known = streets_of(w="W", e="E")
    with pytest.raises(Infeasible, match="could be theirs: W;"):
        proposed(calls(), of, communities=known, posts=posts_at((4_500, 4_500)), centres="posts")
    with pytest.raises(Infeasible, match="fewer than the 2 streets"):
        proposed(calls(), of, communities=known, beats_count=1)


def test_the_demo_city_gets_evener_beats_inside_its_streets() -> None:
    city = gis.City.demo()
    result = gis.beats(
        city.incidents, city.grids, city.segments, communities=city.communities, beats=city.beats, hours=(20, 21)
    )
    before, after = row(result, "present"), row(result)
    assert after["load_cv_share"] < 0.5 * before["load_cv_share"]
    assert after["response_min"] < before["response_min"]
    assert after["pieces_count"] == after["beats_count"] == 111
    assert 0 < result.summary["moved_load_share"] < 0.5
    assert result.features.loc[~result.features["is_new"], "name_zh"].notna().all()
    assert result.features["is_new"].sum() <= 8
    # Whole grids, each once: areas add up.
    crs = city.profile.metric_crs
    assert result.features.to_crs(crs).area.sum() == pytest.approx(city.grids.to_crs(crs).area.sum(), rel=1e-6)
    assert (result.features["code"].str[:9] == result.features["street_code"]).all()
