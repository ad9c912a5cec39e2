"""Hotspot evaluation: numbers by hand, no look ahead, planted places are hit, chance is worth 1, rows are accounted."""

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city.city import DEMO
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.chicago import CHICAGO, chicago_incidents
from tests.support.small_city import (
    PROFILE,
    SIDE_M,
    SOUTH,
    START,
    WEST,
    anywhere,
    areas,
    grid_of,
    incidents_at,
    left_out,
)

WHOLE = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
SPLIT = "2025-10-01T00:00:00+08:00"


def account_is_complete(result: Result, n: int) -> bool:
    record = next(r for r in result.provenance.inputs if r.frame == "incidents")
    summary = result.summary
    used = summary["train_incidents_count"] + summary["test_incidents_count"]
    return record.n_given == n and record.n_used == used == n - sum(left_out(result).values())


def per_grid(grids: gpd.GeoDataFrame, counts: dict[str, tuple[int, int, int]]) -> gpd.GeoDataFrame:
    """Return incidents in the middle of grids: code -> how many in May, in September and in October."""
    middle = grids.to_crs(PROFILE.metric_crs).set_index("code").geometry.centroid
    days = [pd.Timestamp(day, tz="Asia/Shanghai") for day in ("2025-05-05", "2025-09-09", "2025-10-10")]
    rows = [
        (middle[code].coords[0], day)
        for code, each in counts.items()
        for n, day in zip(each, days, strict=True)
        for _ in range(n)
    ]
    points, when = zip(*rows, strict=True)
    return incidents_at(np.array(points), occurred_at=list(when))


def test_by_hand() -> None:
    grids = grid_of(3)
    counts = {
        "g000": (20, 0, 3),  # flagged by all of the past, and held 3 of 20
        "g001": (10, 2, 0),  # flagged, and nothing followed
        "g002": (0, 9, 9),  # the last month had it, and it was the busiest afterwards
        "g003": (0, 3, 2),
        "g004": (1, 1, 5),
        "g008": (0, 0, 1),
    }
    result = gis.hotspot_evaluation(
        per_grid(grids, counts),
        grids,
        profile=PROFILE,
        unit="grids",
        method="count",
        area_share=0.23,
        split_at=SPLIT,
        occurred_before="2025-11-01T00:00:00+08:00",
    )
    features = result.features.set_index("code")
    assert features["evaluation_class"].to_dict() == {
        "g000": "hit", "g001": "no_incident", "g002": "missed", "g004": "missed",
    }  # fmt: skip
    assert features["rank"].tolist()[:3] == [1, 2, 3]
    assert features["train_count"].to_dict() == {"g000": 20, "g001": 12, "g002": 9, "g004": 2}
    assert features["last_period_count"].to_dict() == {"g000": 0, "g001": 2, "g002": 9, "g004": 1}
    assert features["test_count"].to_dict() == {"g000": 3, "g001": 0, "g002": 9, "g004": 5}
    assert features["score"]["g000"] == pytest.approx(20 / 4)
    summary = result.summary
    assert (summary["train_incidents_count"], summary["test_incidents_count"]) == (46, 20)
    assert summary["hit_rate"] == pytest.approx(3 / 20)
    assert summary["flagged_area_share"] == pytest.approx(2 / 9)
    assert summary["pai"] == pytest.approx(3 / 20 / (2 / 9))
    assert summary["pei_star"] == pytest.approx(3 / 14)
    assert summary["rri"] == pytest.approx((3 / 20) / (32 / 46))
    assert summary["ser_per_km2"] == pytest.approx(3 / 8)
    # The last month flags g002 (9) and g003 (3): 11 of 20.
    baseline = summary["baseline"]
    assert baseline["hit_rate"] == pytest.approx(11 / 20)
    assert baseline["rri"] == pytest.approx((11 / 20) / (12 / 15))
    assert summary["random"] == {"hit_rate": pytest.approx(2 / 9), "pai": 1.0}
    difference = summary["difference"]
    assert difference["hit_rate_difference"] == pytest.approx(-8 / 20)
    assert (difference["only_method_count"], difference["only_baseline_count"]) == (3, 11)
    assert difference["days_count"] == 1
    assert difference["hit_rate_difference_low"] is None
    assert result.provenance.choices["baseline_period"].startswith("2025-08-31")
    assert account_is_complete(result, 66)
    json.dumps([result.provenance.as_dict(), result.summary], allow_nan=False)


def shuffled(points: np.ndarray, seed: int) -> gpd.GeoDataFrame:
    """Return incidents whose days have nothing to do with their places."""
    return incidents_at(np.random.default_rng(seed).permutation(points))


@pytest.mark.parametrize("method", ["gi_star", "count", "kernel"])
def test_permanent_hotspots_are_hit_far_beyond_chance(method: str) -> None:
    rng = np.random.default_rng(1)
    centres = np.array([[WEST + 1_000, SOUTH + 4_500], [WEST + 4_000, SOUTH + 1_200]])
    planted = np.concatenate([centre + rng.normal(0, 150, (500, 2)) for centre in centres])
    frame = shuffled(np.concatenate([anywhere(2), planted]), 3)
    result = gis.hotspot_evaluation(frame, districts=WHOLE, profile=PROFILE, method=method, area_share=0.03)
    summary = result.summary
    assert summary["pai_low"] > 4
    assert summary["pei_star"] > 0.6
    assert 0.7 < summary["rri"] < 1.3
    assert summary["hit_rate"] == pytest.approx(summary["pai"] * summary["flagged_area_share"])
    hit = result.features[result.features["evaluation_class"] == "hit"].to_crs(PROFILE.metric_crs)
    away = np.min([hit.geometry.distance(shapely.Point(centre)) for centre in centres], axis=0)
    assert (away < 600).all()
    assert account_is_complete(result, 4_000)


def test_neighbours_and_cells_may_be_found_from_the_data() -> None:
    rng = np.random.default_rng(1)
    planted = np.array([WEST + 2_000, SOUTH + 2_000]) + rng.normal(0, 400, (800, 2))
    frame = shuffled(np.concatenate([anywhere(2), planted]), 3)
    result = gis.hotspot_evaluation(
        frame, districts=WHOLE, profile=PROFILE, lattice_m=None, reach="auto", area_share=0.05
    )
    choices = result.provenance.choices
    assert choices["reach_m"] > choices["lattice_m"]
    assert choices["neighbours"].startswith("centres within")
    assert result.summary["pai_low"] > 2


def test_where_all_is_chance_nothing_is_gained() -> None:
    pais, inside, judged = [], 0, 0
    for seed in range(25):
        result = gis.hotspot_evaluation(
            shuffled(anywhere(50 + seed), seed), districts=WHOLE, profile=PROFILE, area_share=0.1, method="count"
        )
        summary = result.summary
        pais.append(summary["pai"])
        inside += summary["pai_low"] <= 1 <= summary["pai_high"]
        judged += summary["against_baseline"] in {"better", "worse"}
    # One of them spreads by about 0.2, so that their mean does by 0.04.
    assert np.mean(pais) == pytest.approx(1, abs=0.15)
    # Of 25 intervals, fewer than 20 would happen once in a thousand; so would more than 5 judgements.
    assert inside >= 20
    assert judged <= 5


def test_the_future_plays_no_part_in_what_is_flagged() -> None:
    frame = shuffled(anywhere(4), 5)
    later = frame["occurred_at"] >= pd.Timestamp(SPLIT)
    moved = frame.copy()
    crowd = np.array([WEST + 3_100, SOUTH + 3_100]) + np.random.default_rng(0).uniform(0, 200, (int(later.sum()), 2))
    moved.loc[later, "geometry"] = gpd.points_from_xy(*crowd.T, crs=PROFILE.metric_crs).to_crs("EPSG:4326")
    results = [
        gis.hotspot_evaluation(one, districts=WHOLE, profile=PROFILE, split_at=SPLIT, area_share=0.05)
        for one in (frame, moved)
    ]
    chosen = [set(r.features.loc[r.features["evaluation_class"] != "missed", "code"]) for r in results]
    assert chosen[0] == chosen[1]
    assert results[0].summary["hit_rate"] > 0
    assert results[1].summary["hit_rate"] == 0
    assert (results[1].features["evaluation_class"] == "missed").sum() == 1


def test_a_past_that_repeats_itself_is_foreseen_perfectly() -> None:
    once = anywhere(6, 400)
    twice = np.concatenate([once, np.full((40, 2), (WEST + 1_000, SOUTH + 1_000))])
    when = [START + pd.Timedelta(days=day) for day in (10, 40) for _ in range(len(twice))]
    frame = incidents_at(np.concatenate([twice, twice]), occurred_at=when)
    result = gis.hotspot_evaluation(
        frame, districts=WHOLE, profile=PROFILE, method="count", split_at=START + pd.Timedelta(days=25)
    )
    assert result.summary["pei_star"] == 1
    assert result.summary["rri"] == pytest.approx(1)
    assert set(result.features["evaluation_class"]) == {"hit"}
    assert result.summary["pattern_similarity"] == 1
    assert result.summary["against_baseline"] == "not_told_apart"


def test_the_curve_rises_to_what_was_obtainable() -> None:
    result = gis.hotspot_evaluation(shuffled(anywhere(7), 8), districts=WHOLE, profile=PROFILE, area_share=0.03)
    curve = pd.DataFrame(result.summary["curve"])
    assert curve["area_share"].tolist() == [0.005, 0.01, 0.02, 0.03, 0.05, 0.1]
    assert curve["hit_rate"].is_monotonic_increasing
    assert (curve["hit_rate"] <= curve["obtainable_hit_rate"] + 1e-12).all()
    assert (curve["flagged_area_share"] <= curve["area_share"] + 1e-12).all()
    assert curve.loc[3, "hit_rate"] == result.summary["hit_rate"]
    assert curve["pai"].to_numpy() == pytest.approx((curve["hit_rate"] / curve["flagged_area_share"]).to_numpy())


def test_a_new_hotspot_is_missed_by_three_years_of_history() -> None:
    """The demo city's new estate is hot in its last four months only: the past month knows it, the years do not."""
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    estate = next(spot for spot in truth if spot["kind"] == "emerging")
    place = gpd.GeoSeries([shapely.Point(estate["lon"], estate["lat"])], crs="EPSG:4326").to_crs(
        city.profile.metric_crs
    )[0]
    asked: dict[str, Any] = {"categories": ["vehicle_theft", "burglary"], "method": "count"}

    def found(**more: object) -> tuple[Result, pd.Series]:
        result = gis.hotspot_evaluation(city.incidents, districts=city.districts, **asked, **more)
        near = result.features.to_crs(city.profile.metric_crs).geometry.distance(place) < estate["radius_m"] / 2
        return result, result.features.loc[near, "evaluation_class"]

    years, outcome = found()
    assert "missed" in set(outcome)
    assert years.summary["changed_places_count"] >= 3
    assert years.summary["against_baseline"] == "worse"
    recent, outcome = found(occurred_from="2026-04-01T00:00:00+08:00")
    assert set(outcome) == {"hit"}
    assert recent.summary["pai"] > 1.5 * years.summary["pai"]


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = shuffled(anywhere(9, 600), 9)
    frame.loc[0:9, "origin"] = "patrol"
    frame["location_withheld"] = frame.index.isin(range(10, 25))
    frame.loc[25:29, "geometry"] = None
    frame.loc[30:31, "geometry"] = shapely.Point(0, 0)
    result = gis.hotspot_evaluation(
        frame, districts=WHOLE, profile=PROFILE, split_at=SPLIT, occurred_before="2025-12-25T00:00:00+08:00"
    )
    assert {"other_origin", "location_withheld", "no_location", "outside_study_area", "outside_period"} == set(
        left_out(result)
    )
    assert account_is_complete(result, 600)


def test_how_the_period_is_split_when_nothing_is_said() -> None:
    long = gis.hotspot_evaluation(shuffled(anywhere(10), 1), districts=WHOLE, profile=PROFILE).provenance.choices
    assert long["split_rule"] == "last_28_days"
    assert long["split_at"] == "2025-12-04T00:00:00+08:00"
    assert long["test_period"] == "2025-12-04T00:00:00+08:00 / 2026-01-01T00:00:00+08:00"
    assert long["baseline_period"] == "2025-11-06T00:00:00+08:00 / 2025-12-04T00:00:00+08:00"
    month = incidents_at(anywhere(11), occurred_at=[START + pd.Timedelta(hours=h % 720) for h in range(3_000)])
    short = gis.hotspot_evaluation(month, districts=WHOLE, profile=PROFILE).provenance.choices
    assert short["split_rule"] == "last_fifth"
    assert short["split_at"] == "2025-01-25T00:00:00+08:00"
    day = incidents_at(anywhere(12), occurred_at=[START + pd.Timedelta(minutes=m % 1_440) for m in range(3_000)])
    single = gis.hotspot_evaluation(day, districts=WHOLE, profile=PROFILE)
    assert single.provenance.choices["split_at"].startswith("2025-01-01T")
    assert single.summary["difference"]["hit_rate_difference_low"] is None
    asked = gis.hotspot_evaluation(shuffled(anywhere(10), 1), districts=WHOLE, profile=PROFILE, split_at=SPLIT)
    assert asked.provenance.choices["split_rule"] == "asked"


def test_the_same_rows_give_the_same_result_in_any_order() -> None:
    frame = shuffled(anywhere(13, 500), 2)
    one, two = (
        gis.hotspot_evaluation(rows, districts=WHOLE, profile=PROFILE, method="count")
        for rows in (frame, frame.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.summary == two.summary
    # Counts of one or two tie often, and that is told.
    choices = one.provenance.choices
    assert choices["tied_at_cut_count"] > choices["tied_and_flagged_count"] > 0


def test_all_incidents_at_one_point() -> None:
    frame = incidents_at(np.array([[WEST + 3_050, SOUTH + 3_050]]).repeat(200, axis=0))
    summary = gis.hotspot_evaluation(frame, districts=WHOLE, profile=PROFILE).summary
    assert summary["hit_rate"] == summary["pei_star"] == 1


def test_few_incidents_are_not_judged() -> None:
    summary = gis.hotspot_evaluation(shuffled(anywhere(14, 80), 1), districts=WHOLE, profile=PROFILE).summary
    assert summary["test_incidents_count"] < 20
    assert summary["against_baseline"] == "too_few_incidents"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "grids"}, "no grids"),
        ({"lattice_m": 4_000}, "places"),
        ({"area_share": 0}, "area_share"),
        ({"area_share": 1.5}, "area_share"),
        ({"split_at": "2025-06-01"}, "split_at"),
        ({"split_at": "2030-01-01T00:00:00+08:00"}, "not between"),
        ({"split_at": SPLIT, "occurred_before": "2025-09-01T00:00:00+08:00"}, "not between"),
        ({"split_at": "2025-12-31T12:00:00+08:00"}, "no incident from"),
        ({"method": "horoscope"}, "method"),
        ({"categories": ["burglary"]}, "no incident"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        gis.hotspot_evaluation(incidents_at(anywhere(15, 730)), profile=PROFILE, **options)


def test_chicago_thefts(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    result = gis.hotspot_evaluation(
        incidents, profile=CHICAGO, categories=["THEFT"], lattice_m=250, method="count", area_share=0.01
    )
    summary = result.summary
    assert account_is_complete(result, 156_385)
    assert left_out(result) == {"other_category": 156_385 - 37_291}
    assert summary["pai_low"] > 8
    assert summary["pei_star"] > 0.7
    assert summary["baseline"]["pai"] > 8
