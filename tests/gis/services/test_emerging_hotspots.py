"""Emerging hotspots: what was planted has its pattern, shuffled times have none, every row is accounted for."""

import doctest
import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import codebook
from gis.city.city import DEMO
from gis.errors import InvalidParams
from gis.kernels.emerging import CLASSES
from tests.support.chicago import CHICAGO, chicago_beats, chicago_incidents
from tests.support.small_city import (
    PROFILE,
    SIDE_M,
    SOUTH,
    WEST,
    account_is_complete,
    anywhere,
    areas,
    grid_of,
    incidents_at,
    left_out,
)

WHOLE = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
FIRST = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
WEEKS = 20
TO_THE_END = "2025-05-21T00:00:00+08:00"
"""Twenty whole weeks from `FIRST`."""


def in_weeks(seed: int, n: int, weeks: range = range(WEEKS)) -> pd.DatetimeIndex:
    rng = np.random.default_rng(seed)
    hours = rng.choice(np.array(weeks), n) * 168 + rng.integers(0, 168, n)
    return FIRST + pd.to_timedelta(hours, unit="h")


def planted(x: float, y: float, n: int, weeks: range, seed: int, *, spread_m: float = 150) -> gpd.GeoDataFrame:
    points = np.array([WEST + x, SOUTH + y]) + np.random.default_rng(seed).normal(0, spread_m, (n, 2))
    return incidents_at(points).assign(occurred_at=in_weeks(seed, n, weeks))


def background(seed: int, n: int = 6_000) -> gpd.GeoDataFrame:
    return incidents_at(anywhere(seed, n)).assign(occurred_at=in_weeks(seed, n))


def analysed(frame: gpd.GeoDataFrame, **options: object) -> Any:
    given = {"time_step": "week", "occurred_before": TO_THE_END, "districts": WHOLE, "profile": PROFILE}
    return gis.emerging_hotspots(frame, **{**given, **options})


def near(result: Any, x: float, y: float, within_m: float = 220) -> gpd.GeoDataFrame:
    places = result.features.to_crs(PROFILE.metric_crs)
    away = places.geometry.centroid.distance(shapely.Point(WEST + x, SOUTH + y))
    return result.features[(away <= within_m).to_numpy()]


def test_planted_histories_have_their_patterns() -> None:
    frame = pd.concat(
        [
            background(1),
            planted(1_050, 1_050, 60 * 4, range(WEEKS - 4, WEEKS), 2),
            planted(4_950, 1_050, 60 * WEEKS, range(WEEKS), 3),
            planted(1_050, 4_950, 60 * 18, range(18), 4),
            planted(4_950, 4_950, 60 * 6, range(3, 9), 5),
        ],
        ignore_index=True,
    )
    result = analysed(frame)
    assert set(near(result, 1_050, 1_050)["emerging_class"]) == {"hot_consecutive"}
    assert set(near(result, 4_950, 1_050)["emerging_class"]) == {"hot_persistent"}
    assert set(near(result, 1_050, 4_950)["emerging_class"]) == {"hot_historical"}
    gone = near(result, 4_950, 4_950)
    assert set(gone["emerging_class"]) == {"no_pattern"}
    # Six weeks; of the first and of the week after, half of the window is quiet.
    assert gone["hot_steps_count"].between(5, 7).all()
    away = result.features[~result.features["code"].isin(hot_codes(result))]
    assert (away["emerging_class"] == "no_pattern").mean() > 0.98
    assert result.provenance.choices["inference"] == "exact"
    assert result.summary["by_family"]["hot"] >= 12
    # The list begins with what is new.
    assert result.features["emerging_class"].iloc[0] == "hot_consecutive"
    assert result.summary["top_places"][0]["code"] == result.features["code"].iloc[0]


def hot_codes(result: Any) -> set[str]:
    planted_at = [(1_050, 1_050), (4_950, 1_050), (1_050, 4_950), (4_950, 4_950)]
    return {code for x, y in planted_at for code in near(result, x, y, 900)["code"]}


def test_growing_and_fading() -> None:
    weeks = np.arange(WEEKS)
    grows = np.repeat(weeks, 50 + 2 * weeks)
    parts = [background(6)]
    for (x, y), chosen in (((1_050, 1_050), grows), ((4_950, 4_950), WEEKS - 1 - grows)):
        rng = np.random.default_rng(int(x))
        points = np.array([WEST + x, SOUTH + y]) + rng.normal(0, 150, (chosen.size, 2))
        times = FIRST + pd.to_timedelta(chosen * 168 + rng.integers(0, 168, chosen.size), unit="h")
        parts.append(incidents_at(points).assign(occurred_at=times))
    result = analysed(pd.concat(parts, ignore_index=True))
    assert set(near(result, 1_050, 1_050)["emerging_class"]) == {"hot_intensifying"}
    assert set(near(result, 4_950, 4_950)["emerging_class"]) == {"hot_diminishing"}
    assert (near(result, 1_050, 1_050)["trend_z"] > 3).all()
    assert (near(result, 4_950, 4_950)["trend_p"] < 0.01).all()


def test_shuffled_times_have_no_pattern_and_no_trend_beyond_the_rate() -> None:
    alarmed = trends = places = 0
    for seed in range(10):
        result = analysed(background(20 + seed))
        alarmed += int((result.features["emerging_class"] != "no_pattern").any())
        trends += int((result.features["trend_p"] <= 0.05).sum())
        places += len(result.features)
        assert result.summary["steps_count"] == WEEKS
    # A city gives one false bin in at most one of twenty times; a pattern needs it to be the last step.
    assert alarmed <= 1
    assert trends / places < 0.09


def demo_near(city: gis.City, spot: dict[str, Any], **options: object) -> gpd.GeoDataFrame:
    result = gis.emerging_hotspots(city.incidents, districts=city.districts, water_areas=city.water_areas, **options)
    centres = result.features.to_crs(city.profile.metric_crs).geometry.centroid
    place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(city.profile.metric_crs)
    return result.features[(centres.distance(place[0]) <= 0.7 * spot["radius_m"]).to_numpy()]


def test_the_planted_hotspots_of_the_demo_city_have_the_patterns_of_their_kind() -> None:
    city = gis.City.demo()
    spots = {s["id"]: s for s in json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]}
    families = {
        "emerging": {"hot_new", "hot_consecutive"},
        "permanent": {"hot_persistent", "hot_intensifying", "hot_diminishing"},
        "patrol_only": {"no_pattern"},
        "vanished": {"no_pattern"},
    }
    result = gis.emerging_hotspots(city.incidents, districts=city.districts, water_areas=city.water_areas)
    centres = result.features.to_crs(city.profile.metric_crs).geometry.centroid
    for name, spot in spots.items():
        place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(centres.crs)[0]
        found = result.features[(centres.distance(place) <= 0.6 * spot["radius_m"]).to_numpy()]
        assert len(found) >= 1, name
        assert set(found["emerging_class"]) <= families[spot["kind"]], name
    # The vanished one was hot for fifteen months and one more that looks back on the last of them. Asked soon after,
    # it is historical; today its trend is what remains.
    vanished = spots["finished_site"]
    after = demo_near(city, vanished, occurred_before="2024-12-01T00:00:00+08:00")["emerging_class"]
    assert after.mode().tolist() == ["hot_historical"]
    assert set(after) <= {"hot_historical", "no_pattern"}
    today = demo_near(city, vanished)
    assert (today["hot_steps_count"] >= 14).all()
    assert (today["trend_z"] < -2).all()


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = background(30, 3_000)
    frame.loc[0:9, "origin"] = "patrol"
    frame.loc[10:19, "category"] = "burglary"
    frame.loc[20:24, "geometry"] = None
    frame.loc[25:27, "geometry"] = shapely.Point(0, 0)
    frame.loc[28:29, "occurred_at"] = FIRST - pd.Timedelta(days=3)
    frame.loc[30:34, "occurred_at"] = pd.Timestamp(TO_THE_END) + pd.Timedelta(hours=5)
    result = analysed(frame, categories=["theft"], occurred_before=None)
    found = left_out(result)
    assert set(found) == {
        "other_origin",
        "other_category",
        "no_location",
        "outside_study_area",
        "incomplete_step",
        "unfinished_day",
    }
    assert found["other_origin"] == found["other_category"] == 10
    assert found["no_location"] == 5
    assert found["outside_study_area"] == 3
    assert found["incomplete_step"] == 2
    assert found["unfinished_day"] == 5
    assert set(found) <= set(codebook("left_out_reasons"))
    assert account_is_complete(result, 3_000)


def test_steps_end_at_the_end_and_the_summary_adds_up() -> None:
    result = analysed(background(31))
    summary = result.summary
    assert summary["first_step_at"] == "2025-01-01T00:00:00+08:00"
    assert summary["last_step_at"] == "2025-05-14T00:00:00+08:00"
    assert summary["end_at"] == TO_THE_END
    assert len(summary["series"]) == summary["steps_count"] == WEEKS
    assert sum(step["incidents_count"] for step in summary["series"]) == summary["incidents_count"] == 6_000
    assert result.features["incidents_count"].sum() == 6_000
    assert result.features["last_count"].sum() == summary["series"][-1]["incidents_count"]
    assert sum(summary["by_class"].values()) == summary["places_count"] == len(result.features)
    assert summary["hot_bins_count"] == result.features["hot_steps_count"].sum()
    assert set(summary["by_class"]) <= set(CLASSES) == set(codebook("emerging_classes"))
    json.dumps([summary, result.provenance.as_dict()])
    # Without an end asked for, the day of the last incident may not be over.
    open_ended = analysed(background(31), occurred_before=None)
    assert open_ended.summary["end_at"] == "2025-05-20T00:00:00+08:00"


def test_months_weeks_and_days() -> None:
    frame = incidents_at(anywhere(32, 4_000))
    whole_year = {"districts": WHOLE, "profile": PROFILE, "occurred_before": "2026-01-01T00:00:00+08:00"}
    months = gis.emerging_hotspots(frame, **whole_year)
    assert months.summary["steps_count"] == 12
    assert months.summary["series"][1]["step_at"] == "2025-02-01T00:00:00+08:00"
    assert gis.emerging_hotspots(frame, **whole_year, time_step="week").summary["steps_count"] == 52
    thirty = gis.emerging_hotspots(frame, **whole_year, step_days=30)
    assert thirty.summary["steps_count"] == 12
    assert left_out(thirty)["incomplete_step"] > 0


def test_order_and_place_of_the_origin_change_nothing() -> None:
    frame = pd.concat([background(33), planted(1_050, 1_050, 250, range(16, 20), 34)], ignore_index=True)
    one = analysed(frame)
    two = analysed(frame.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.provenance == two.provenance
    later = frame.assign(occurred_at=frame["occurred_at"] + pd.Timedelta(days=364))
    moved = analysed(later, occurred_before="2026-05-20T00:00:00+08:00")
    assert moved.features["emerging_class"].tolist() == one.features["emerging_class"].tolist()
    assert moved.features["trend_z"].tolist() == one.features["trend_z"].tolist()


def test_grids_and_an_island_among_them() -> None:
    grids = pd.concat([grid_of(8), areas((9_000, 0, 9_500, 500), code=["island"], kind="comprehensive")])
    grids = grids.assign(valid_from=pd.Timestamp("2020-01-01"))
    busy = planted(9_250, 250, 400, range(WEEKS), 35)
    frame = pd.concat(
        [background(36), busy, planted(1_125, 1_125, 900, range(15, 20), 37, spread_m=500)], ignore_index=True
    )
    result = analysed(frame, grids=grids, unit="grids")
    features = result.features.set_index("code")
    island = features.loc["island"]
    assert island["emerging_class"] == "no_pattern"
    assert pd.isna([island["trend_z"], island["trend_p"], island["last_z"], island["last_q"]]).all()
    assert features.loc["g009", "emerging_class"] == "hot_consecutive"
    assert features.loc["g009", "name_zh"] == "网格g009"
    assert account_is_complete(result, len(frame))


def test_a_quiet_city_has_an_honest_answer() -> None:
    one = background(38, 40).assign(category="burglary")
    frame = pd.concat([background(39, 500), one], ignore_index=True)
    result = analysed(frame, categories=["burglary"])
    assert result.summary["by_class"] == {"no_pattern": 400}
    assert account_is_complete(result, 540)
    nothing = analysed(frame, categories=["arson"])
    assert nothing.summary["incidents_count"] == 0
    assert nothing.features["trend_z"].isna().all()
    assert account_is_complete(nothing, 540)


def test_the_reach_is_chosen_from_all_steps_together() -> None:
    frame = pd.concat([background(40), planted(1_050, 1_050, 900, range(WEEKS), 41)], ignore_index=True)
    result = analysed(frame, reach="auto")
    assert result.provenance.choices["neighbours_why"] in ("autocorrelation_peak", "nearest_places")
    assert result.provenance.choices["reach_m"] >= 450
    assert analysed(frame, reach_m=450).provenance.choices["neighbours"] == "centres within 450 m"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time_step": "month"}, "time_step"),
        ({"step_days": 20}, "step_days"),
        ({"occurred_from": "2030-01-01T00:00:00+08:00", "occurred_before": None}, "cover 0 whole weeks"),
        ({"lattice_m": 40, "step_days": 1}, "places at 140 steps"),
        ({"lattice_m": 3_000}, "places"),
        ({"unit": "grids"}, "grids"),
        ({"time_step": "year"}, "time_step"),
        ({"lag_steps": -1}, "lag_steps"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        analysed(background(42, 600), **options)


def test_the_example_of_the_page_can_be_redone_by_hand() -> None:
    page = Path(__file__).parents[3] / "docs/methods/emerging_hotspots.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert found.failed == 0
    assert found.attempted > 10


def test_chicago_by_beat_and_week(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    result = gis.emerging_hotspots(incidents, chicago_beats(shared_data), profile=CHICAGO, unit="grids")
    # Seven whole months would be too few steps.
    assert result.provenance.choices["time_step"] == "week"
    assert result.summary["steps_count"] == 31
    assert len(result.features) == 275
    assert account_is_complete(result, 156_385)
    assert result.summary["by_class"]["hot_intensifying"] >= 3
    # Warmer months have more crime, whatever the place.
    assert result.summary["city_trend_z"] > 3
