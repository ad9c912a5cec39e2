"""Temporal profile: the clock holds every incident once, planted rhythms are found, chance makes no place special."""

import json
import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import codebook
from gis.city.city import DEMO
from gis.errors import InvalidParams
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

RHYTHM = tomllib.loads((Path(__file__).parents[3] / "data/synth/rhythm.toml").read_text(encoding="utf-8"))
MONDAY = pd.Timestamp("2025-01-06", tz="Asia/Shanghai")


def local(*texts: str) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(texts).tz_localize("Asia/Shanghai"))


def in_hours(seed: int, hours: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """Incidents anywhere, over twelve whole weeks, in the hours given."""
    rng = np.random.default_rng(seed)
    n = len(hours)
    minutes = rng.integers(0, 84, n) * 1_440 + hours * 60 + rng.integers(0, 60, n)
    return incidents_at(anywhere(seed, n), occurred_at=MONDAY + pd.to_timedelta(minutes, unit="min"), **columns)


def test_the_clock_of_a_few_incidents_by_hand() -> None:
    frame = incidents_at(
        np.tile([[WEST + 100.0, SOUTH + 100.0]], (4, 1)),
        occurred_at=local("2025-01-06 00:00", "2025-01-06 12:00", "2025-01-06 12:00:59", "2025-01-12 22:30"),
        occurred_until_at=local("2025-01-06 00:00", "NaT", "NaT", "2025-01-13 01:00"),
    )
    result = gis.temporal_profile(frame, profile=PROFILE)
    clock = np.array(result.summary["clock"])
    assert clock.shape == (7, 24)
    assert {(int(d), int(h)): round(float(clock[d, h]), 6) for d, h in np.argwhere(clock)} == {
        (0, 0): 1.4,
        (0, 12): 2.0,
        (6, 22): 0.2,
        (6, 23): 0.4,
    }
    assert result.summary["span_count"] == 1
    assert result.summary["span_mean_hours"] == 2.5
    assert result.summary["on_the_hour_share"] == 1
    assert result.summary["midnight_share"] == pytest.approx(1 / 3)
    assert result.summary["noon_share"] == pytest.approx(2 / 3)
    place = result.features.iloc[0]
    assert len(result.features) == 1
    assert (place["incidents_count"], place["peak_hour"], place["peak_weekday"]) == (4, 12, 1)
    assert place["night_share"] == pytest.approx(1.4 / 4)
    assert place["evening_share"] == pytest.approx(0.6 / 4)
    assert (place["peak_watch"], place["p"], place["small_n"]) == ("like_city", 1.0, True)
    assert account_is_complete(result, 4)


def test_spans_that_tell_nothing_are_counted() -> None:
    frame = in_hours(1, np.full(60, 10))
    until = frame["occurred_at"] + pd.to_timedelta(np.repeat([1, 7 * 24, 8 * 24], 20), unit="h")
    until.iloc[:3] -= pd.Timedelta(days=3)
    result = gis.temporal_profile(frame.assign(occurred_until_at=until), profile=PROFILE)
    assert left_out(result) == {"span_too_long": 20, "span_reversed": 3}
    assert result.summary["span_count"] == 37
    assert np.sum(result.summary["clock"]) == pytest.approx(37)
    assert account_is_complete(result, 60)
    assert result.summary["on_the_hour_share"] is None
    longer = gis.temporal_profile(frame.assign(occurred_until_at=until), profile=PROFILE, longest_span_days=8)
    assert left_out(longer) == {"span_reversed": 3}


def test_the_calendar_knows_how_long_a_month_was_observed() -> None:
    """One incident a day from 10 January to 20 March, and theft on Mondays only."""
    days = pd.date_range("2025-01-10", "2025-03-20", tz="Asia/Shanghai")
    frame = incidents_at(
        anywhere(2, len(days)), occurred_at=days, category=np.where(days.day_of_week == 0, "theft", "noise")
    )
    months = gis.temporal_profile(frame, profile=PROFILE).summary["by_month"]
    assert [(m["month"], m["days_count"], m["incidents_count"]) for m in months] == [
        (1, 22, 22),
        (2, 28, 28),
        (3, 20, 20),
    ]
    assert all(m["per_day"] == m["ratio"] == 1 for m in months)
    thefts = gis.temporal_profile(frame, profile=PROFILE, categories=["theft"])
    weeks = thefts.summary["by_week"]
    assert [w["days_count"] for w in weeks] == [3, *[7] * 9, 4]
    assert [w["incidents_count"] for w in weeks] == [0, *[1] * 10]
    assert (weeks[0]["week_from_on"], weeks[-1]["week_from_on"]) == ("2025-01-06", "2025-03-17")
    assert thefts.provenance.choices["observed_from_on"] == "2025-01-10"
    mondays = gis.temporal_profile(frame, profile=PROFILE, weekdays=[1])
    assert all(m["per_day"] == m["ratio"] == 1 for m in mondays.summary["by_month"])
    assert {w["days_count"] for w in mondays.summary["by_week"]} == {1}


def test_the_expected_clock_is_that_of_the_time_observed() -> None:
    frame = in_hours(3, np.random.default_rng(3).integers(0, 24, 2_000))
    summary = gis.temporal_profile(frame, profile=PROFILE).summary
    assert np.array(summary["clock_expected"]) == pytest.approx(np.full((7, 24), 2_000 / 168))
    assert summary["mean_resultant_length"] < 0.06
    some = gis.temporal_profile(frame, profile=PROFILE, weekdays=[6, 7], hours=[8, 9]).summary
    expected = np.array(some["clock_expected"])
    assert (expected > 0).sum() == 4
    assert expected.sum() == pytest.approx(some["incidents_count"])
    assert (np.array(some["clock"])[expected == 0] == 0).all()


def test_summer_time_is_observed() -> None:
    """An incident every hour of a year: one on a Sunday is missing in March, another is there twice in November."""
    hours = pd.date_range("2025-01-01", "2025-12-31 23:00", freq="h", tz="America/Chicago")
    frame = gpd.GeoDataFrame(
        {
            "source_id": [str(i) for i in range(len(hours))],
            "occurred_at": hours,
            "category": "theft",
            "origin": "import",
        },
        geometry=gpd.points_from_xy(np.full(len(hours), -87.63), np.full(len(hours), 41.88)),
        crs="EPSG:4326",
    )
    summary = gis.temporal_profile(frame, profile=CHICAGO).summary
    clock = np.array(summary["clock"])
    assert clock == pytest.approx(np.array(summary["clock_expected"]))
    assert (clock[6, 0], clock[6, 1], clock[6, 2]) == (52, 53, 51)


def mixed(seed: int, n: int = 6_000, share: float = 0.0) -> gpd.GeoDataFrame:
    """Incidents mostly by day; of those in one square of 1 km a share is at night instead."""
    rng = np.random.default_rng(seed)
    hours = np.where(rng.random(n) < 0.2, rng.integers(0, 6, n), rng.integers(6, 24, n))
    frame = in_hours(seed, hours)
    x, y = frame.to_crs(PROFILE.metric_crs).geometry.x - WEST, frame.to_crs(PROFILE.metric_crs).geometry.y - SOUTH
    night = (x > 2_000) & (x < 3_000) & (y > 4_000) & (y < 5_000) & (rng.random(n) < share)
    times = frame["occurred_at"].where(~night, frame["occurred_at"].dt.normalize() + pd.Timedelta(hours=2))
    return frame.assign(occurred_at=times)


def test_a_place_with_other_hours_is_found_and_no_other() -> None:
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    result = gis.temporal_profile(mixed(4, share=0.7), districts=area, profile=PROFILE, lattice_m=1_000)
    assert len(result.features) == 36
    found = result.features[result.features["peak_watch"] != "like_city"]
    assert found["peak_watch"].tolist() == ["night"]
    assert found.index.tolist() == [0]
    assert found["q"].item() < 1e-6
    assert found["night_share"].item() > 0.6
    centre = found.to_crs(PROFILE.metric_crs).geometry.centroid.iloc[0]
    assert (centre.x - WEST, centre.y - SOUTH) == pytest.approx((2_500, 4_500), abs=1)
    assert result.features["q"].is_monotonic_increasing
    assert result.summary["by_peak_watch"] == {"like_city": 35, "night": 1}
    assert result.summary["different_places_count"] == 1
    shares = result.features[[f"{w}_share" for w in ("night", "morning", "afternoon", "evening")]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(np.ones(36))


def test_chance_alone_makes_no_place_special() -> None:
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    alarmed, small, places = 0, 0, 0
    for seed in range(30):
        result = gis.temporal_profile(
            mixed(100 + seed, n=2_500), districts=area, profile=PROFILE, lattice_m=600, permutations=999
        )
        alarmed += int((result.features["peak_watch"] != "like_city").any())
        small += int((result.features["p"] <= 0.05).sum())
        places += len(result.features)
    # A whole city gives an alarm in at most 5 % of cases: 6 of 30 happen in three of a thousand.
    assert alarmed <= 5
    # Each place alone: 5 % of 3,000.
    assert 0.035 < small / places < 0.065


def test_chicago_has_the_known_habits(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    result = gis.temporal_profile(incidents, profile=CHICAGO)
    assert result.summary["on_the_hour_share"] == pytest.approx(0.32, abs=0.005)
    assert result.summary["noon_share"] == pytest.approx(0.024, abs=0.0005)
    assert np.sum(result.summary["clock"]) == pytest.approx(156_385)
    assert sum(m["incidents_count"] for m in result.summary["by_month"]) == 156_385
    assert sum(w["incidents_count"] for w in result.summary["by_week"]) == 156_385
    assert [m["month"] for m in result.summary["by_month"]] == [*range(1, 9)]
    assert account_is_complete(result, 156_385)
    # Local hours as pandas has them.
    own = incidents["occurred_at"].dt
    table = np.zeros((7, 24))
    np.add.at(table, (own.day_of_week.to_numpy(), own.hour.to_numpy()), 1)
    assert np.array(result.summary["clock"]) == pytest.approx(table)
    beats = gis.temporal_profile(incidents, chicago_beats(shared_data), profile=CHICAGO, unit="grids")
    assert len(beats.features) == 275
    assert account_is_complete(beats, 156_385)
    assert np.sum(beats.summary["clock"]) == pytest.approx(beats.summary["incidents_count"])


@pytest.fixture(scope="module")
def demo() -> gis.City:
    return gis.City.demo()


@pytest.mark.parametrize("category", ["traffic_accident", "assault", "disorder"])
def test_the_demo_city_keeps_its_rhythm(demo: gis.City, category: str) -> None:
    planted = RHYTHM["categories"][category]
    result = gis.temporal_profile(demo.incidents, districts=demo.districts, categories=[category])
    clock = np.array(result.summary["clock"])
    n = clock.sum()
    # On weekends a quarter of the late ones is three hours later: weekdays alone keep the hours of the plan.
    hours = np.array(RHYTHM["hours"][planted["hours"]])
    found = clock[:5].sum(axis=0)
    assert np.abs(found / found.sum() - hours / hours.sum()).max() < 4.5 * np.sqrt(0.1 / n)
    week = np.array(planted["week"])
    assert np.abs(clock.sum(axis=1) / n - week / week.sum()).max() < 5 * np.sqrt(0.15 / n)
    assert result.summary["on_the_hour_share"] == pytest.approx(0.22 + 0.78 / 60, abs=0.03)
    rates = np.array([m["per_day"] for m in result.summary["by_month"]])
    assert np.corrcoef(rates, planted["year"])[0, 1] > 0.7


def test_burglaries_of_the_demo_city_are_spread_over_their_spans(demo: gis.City) -> None:
    result = gis.temporal_profile(demo.incidents, categories=["burglary"])
    used = result.summary["incidents_count"]
    assert result.summary["span_count"] / used == pytest.approx(RHYTHM["categories"]["burglary"]["span"], abs=0.03)
    assert np.sum(result.summary["clock"]) == pytest.approx(used)
    assert 6 < result.summary["span_mean_hours"] < 10


def test_the_planted_hotspots_of_the_demo_city_have_hours_of_their_own(demo: gis.City) -> None:
    features = gis.temporal_profile(demo.incidents, districts=demo.districts).features
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    watch = {}
    for spot in truth:
        held = features[features.contains(shapely.Point(spot["lon"], spot["lat"]))]
        watch[spot["id"]] = held["peak_watch"].item()
    assert watch["night_market"] in {"evening", "night"}
    assert watch["rental_quarter"] in {"evening", "night"}
    assert watch["station_square"] in {"morning", "afternoon"}
    # Rush hours, in a city whose nights are long.
    assert watch["west_crossing"] == "morning"
    # What only patrols see is no rhythm of the place.
    assert watch["patrolled_lane"] == "like_city"
    places = [gpd.GeoSeries([shapely.Point(s["lon"], s["lat"])], crs="EPSG:4326") for s in truth]
    near = pd.concat(places).to_crs(demo.profile.metric_crs).union_all().buffer(1_000)
    special = features[features["peak_watch"] != "like_city"].to_crs(demo.profile.metric_crs)
    assert len(special) >= 10
    # Beyond them there are 5 % false ones among the places found at most, on average.
    assert (~special.intersects(near)).sum() <= 3


def test_grids_and_hexagons() -> None:
    frame = mixed(5, share=0.8)
    grids = gis.temporal_profile(frame, grid_of(6), profile=PROFILE, unit="grids")
    assert account_is_complete(grids, 6_000)
    assert grids.features.loc[0, "name_zh"] == f"网格{grids.features.loc[0, 'code']}"
    assert grids.features.loc[0, "peak_watch"] == "night"
    hexagons = gis.temporal_profile(frame, profile=PROFILE, cell="hexagon", lattice_m=800)
    assert account_is_complete(hexagons, 6_000)
    assert hexagons.features["code"].str.startswith("h").all()
    assert set(hexagons.features["peak_watch"]) <= set(codebook("temporal_profile_classes"))


def test_every_row_is_used_or_counted_and_numbers_are_json() -> None:
    frame = mixed(6, n=900)
    frame.loc[0:9, "origin"] = "patrol"
    frame["location_withheld"] = np.arange(900) % 90 == 20
    frame.loc[40:49, "geometry"] = None
    area = areas((0, 0, SIDE_M / 2, SIDE_M), code=["d"])
    result = gis.temporal_profile(frame, districts=area, profile=PROFILE, hours=list(range(12)))
    assert account_is_complete(result, 900)
    reasons = {"other_origin", "outside_clock", "location_withheld", "no_location", "outside_study_area"}
    assert left_out(result).keys() == reasons
    assert json.loads(json.dumps(result.summary, allow_nan=False))["span_count"] == 0


def test_one_place_one_hour_and_nothing_at_all() -> None:
    one = gis.temporal_profile(in_hours(7, np.full(300, 9)), profile=PROFILE)
    assert set(one.features["peak_watch"]) == {"like_city"}
    assert (one.features["p"] == 1).all()
    assert one.summary["mean_hour"] == pytest.approx(9.5, abs=0.1)
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    nothing = gis.temporal_profile(in_hours(8, np.full(50, 9)), districts=area, profile=PROFILE, categories=["fire"])
    assert nothing.features.empty
    assert np.sum(nothing.summary["clock"]) == np.sum(nothing.summary["clock_expected"]) == 0
    assert nothing.summary["mean_hour"] is None
    assert {m["incidents_count"] for m in nothing.summary["by_month"]} == {0}
    empty = gis.temporal_profile(in_hours(9, np.full(0, 9)), districts=area, profile=PROFILE)
    assert empty.summary["by_week"] == []
    with pytest.raises(InvalidParams, match="no incident with a place"):
        gis.temporal_profile(in_hours(9, np.full(0, 9)), profile=PROFILE)
    with pytest.raises(InvalidParams, match="no grids"):
        gis.temporal_profile(in_hours(7, np.full(300, 9)), profile=PROFILE, unit="grids")


@pytest.mark.parametrize("wrong", [{"lattice_m": 1}, {"longest_span_days": 0}, {"permutations": 5}, {"hour": 3}])
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParams, match="parameter problem"):
        gis.temporal_profile(in_hours(7, np.full(30, 9)), profile=PROFILE, **wrong)
