"""Early warning: what breaks out is told, chance no more often than stated, every row is accounted for."""

import datetime as dt
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import stats

import gis
from gis.city import codebook
from gis.city.city import DEMO
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.chicago import CHICAGO, chicago_beats, chicago_incidents
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, START, WEST, anywhere, grid_of, incidents_at, left_out

SIDE = 6
GRIDS = grid_of(SIDE)
KINDS = ("noise", "theft", "vandalism")
WEEKS = 40
LAST = dt.date(2025, 1, 1) + dt.timedelta(days=7 * WEEKS - 1)


def told(counts: np.ndarray, seed: int = 0) -> gpd.GeoDataFrame:
    """Return incidents of counts (36 grids, kinds, weeks), anywhere in grid and week, and one that ends the data."""
    rng = np.random.default_rng(seed)
    grid, kind, week = (np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(3, -1))
    step = SIDE_M / SIDE
    corner = np.column_stack([grid % SIDE, grid // SIDE]) * step + np.array([WEST, SOUTH])
    points = corner + rng.uniform(0.01, 0.99, (grid.size, 2)) * step
    minutes = week * 7 * 24 * 60 + rng.integers(0, 7 * 24 * 60, grid.size)
    rows = incidents_at(
        np.vstack([points, [WEST + 1, SOUTH + 1]]),
        occurred_at=START + pd.to_timedelta(np.append(minutes, counts.shape[2] * 7 * 24 * 60), unit="min"),
    )
    return rows.assign(category=[*np.array(KINDS)[kind], "fire"])


def usual(seed: int, weeks: int = WEEKS, mean: float = 0.6) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(1.0, mean, (36, 3, 1)), (36, 3, weeks))


def warn(frame: gpd.GeoDataFrame, **options: object) -> Result:
    return gis.early_warning(frame, options.pop("grids", GRIDS), profile=PROFILE, **options)


def used_count(result: Result) -> int:
    return next(record.n_used for record in result.provenance.inputs if record.frame == "incidents")


def test_an_outbreak_is_told_with_its_beginning() -> None:
    counts = usual(1)
    counts[7, 1, -2:] += 9
    result = warn(told(counts))
    first = result.features.iloc[0]
    assert (first["code"], first["category"], first["warning_class"]) == ("g007", "theft", "alarm")
    assert first["observed_count"] == counts[7, 1, -1]
    assert first["since_on"] == pd.Timestamp(LAST - dt.timedelta(days=13))
    assert first["observed_count"] >= first["threshold_count"] >= 3
    assert first["baseline_count"] == counts[7, 1, -27:-1].sum()
    assert first["ratio"] == pytest.approx(first["observed_count"] / first["expected_count"])
    assert first["q"] <= 0.05
    assert first["name_zh"] == "网格g007"
    assert result.summary["alarms_count"] == (result.features["warning_class"] == "alarm").sum()
    assert result.summary["window_until_on"] == LAST.isoformat()
    assert result.summary["window_from_on"] == (LAST - dt.timedelta(days=6)).isoformat()
    assert result.summary["baseline_windows_count"] == 26
    table = {row["category"]: row for row in result.summary["by_category"]}
    assert table["theft"]["observed_count"] == counts[:, 1, -1].sum()
    assert table["theft"]["alarms_count"] >= 1
    assert set(result.features["warning_class"]) <= set(codebook("warning_classes"))


def test_a_rare_kind_breaks_out() -> None:
    counts = usual(2, mean=0.05)
    counts[20, 2] = 0
    counts[20, 2, -1] = 5
    result = warn(told(counts))
    first = result.features.iloc[0]
    assert (first["code"], first["category"], first["warning_class"]) == ("g020", "vandalism", "alarm")
    # Nothing before: five of five in the last of 27 weeks, give or take the trend and how incidents bunch.
    assert first["p"] == pytest.approx((1 / 27) ** 5, rel=9)
    assert first["baseline_count"] == 0
    assert pd.isna(first["ratio"])


def test_as_many_false_warnings_as_stated() -> None:
    """Thirty weeks of a city of known rates; each is compared with the 26 weeks before it."""
    frame = told(usual(3, weeks=57, mean=1.0))
    alarms = warnings = stated = stated_alarms = 0.0
    for week in range(30):
        until = dt.date(2025, 1, 1) + dt.timedelta(days=7 * (27 + week) - 1)
        result = warn(frame, until_on=until, watch_level=0.01, categories=list(KINDS))
        alarms += result.summary["alarms_count"]
        warnings += len(result.features)
        stated += result.summary["expected_false_warnings_per_week"]
        stated_alarms += result.summary["expected_false_alarms_per_week"]
        assert result.summary["series_count"] == 108
    assert 5 < stated < 0.01 * 108 * 30
    assert stats.poisson.ppf(0.001, 0.5 * stated) <= warnings <= stats.poisson.ppf(0.999, stated)
    assert alarms <= stats.poisson.ppf(0.999, stated_alarms) + 1


def test_past_outbreaks_and_trends_do_not_blind_it() -> None:
    rng = np.random.default_rng(4)
    counts = usual(4)
    counts[3, 0] = rng.poisson(5.0, WEEKS)
    counts[3, 0, -15:-12] += 15
    counts[3, 0, -1] = 19
    # A place that quietens: what would have been usual there half a year ago is not any more.
    counts[9, 0] = rng.poisson(np.linspace(24, 3, WEEKS))
    counts[9, 0, -1] = 15
    found = warn(told(counts), watch_level=0.005).features.set_index(["code", "category"])
    assert {("g003", "noise"), ("g009", "noise")} <= set(found.index)
    assert found.loc[("g003", "noise"), "expected_count"] < 7
    assert found.loc[("g009", "noise"), "expected_count"] < 8
    flat = warn(told(counts), watch_level=0.005, trend=False).features.set_index(["code", "category"])
    assert ("g009", "noise") not in flat.index
    # A steady rise is no outbreak.
    rising = usual(5)
    rising[12, 1] = rng.poisson(np.linspace(5, 25, WEEKS))
    rising[12, 1, -1] = 24
    assert ("g012", "theft") not in warn(told(rising)).features.set_index(["code", "category"]).index


def test_what_has_begun_need_not_hide_itself() -> None:
    counts = usual(6)
    counts[30, 0] = np.random.default_rng(6).poisson(2.0, WEEKS)
    counts[30, 0, -8:] = 6
    near = warn(told(counts), watch_level=0.1).features.set_index(["code", "category"])
    far = warn(told(counts), guard_weeks=8, watch_level=0.1)
    row = far.features.set_index(["code", "category"]).loc[("g030", "noise")]
    assert row["expected_count"] < 3.5
    assert row["since_on"] <= pd.Timestamp(LAST - dt.timedelta(days=7 * 7 - 1))
    assert ("g030", "noise") not in near.index or near.loc[("g030", "noise"), "p"] > row["p"]
    assert far.summary["baseline_until_on"] == (LAST - dt.timedelta(days=7 * 9)).isoformat()


def test_the_emerging_hotspot_of_the_demo_city_is_told_when_it_begins() -> None:
    city = gis.City.demo()
    truth = {one["id"]: one for one in json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]}
    estate = truth["new_estate"]
    assert (estate["kind"], estate["first_month"]) == ("emerging", "2026-03")
    point = gpd.GeoSeries([shapely.Point(estate["lon"], estate["lat"])], crs="EPSG:4326").to_crs("EPSG:4549")[0]
    result = gis.early_warning(city.incidents, city.grids, until_on="2026-03-20")
    first = result.features.to_crs("EPSG:4549").iloc[0]
    assert first["category"] == "vehicle_theft"
    assert first["warning_class"] == "alarm"
    assert first.geometry.distance(point) < estate["radius_m"]
    assert first["since_on"] >= pd.Timestamp("2026-02-28")
    assert result.summary["series_count"] == 879 * 19
    # The weeks before: as few warnings as stated, and none there.
    before, stated = 0, 0.0
    for week in range(4):
        quiet = gis.early_warning(
            city.incidents, city.grids, until_on=dt.date(2026, 2, 1) - week * dt.timedelta(days=7)
        )
        before += len(quiet.features)
        stated += quiet.summary["expected_false_warnings_per_week"]
    assert 0.2 < stated < 10
    assert before <= stats.poisson.ppf(0.999, stated)


def test_the_festival_in_chicago_is_told(shared_data: Path) -> None:
    """Lollapalooza filled Grant Park, in beat 0114, from 2 to 5 August 2018."""
    incidents, beats = chicago_incidents(shared_data), chicago_beats(shared_data)
    result = gis.early_warning(incidents, beats, profile=CHICAGO, until_on="2018-08-06")
    first = result.features.iloc[0]
    assert (first["code"], first["category"], first["warning_class"]) == ("0114", "THEFT", "alarm")
    assert first["observed_count"] == 122
    assert 15 < first["expected_count"] < 30
    assert first["p"] < 1e-12
    assert first["since_on"] == pd.Timestamp("2018-07-31")
    assert result.summary["alarms_count"] == 1
    assert len(result.features) <= stats.poisson.ppf(0.999, result.summary["expected_false_warnings_per_week"]) + 1
    assert used_count(result) + sum(left_out(result).values()) == 156_385


def test_the_same_days_of_the_week_are_compared() -> None:
    counts = usual(7)
    frame = told(counts)
    three = warn(frame, window_days=3, minimum_count=1, watch_level=0.1)
    assert three.summary["window_from_on"] == (LAST - dt.timedelta(days=2)).isoformat()
    assert three.summary["baseline_until_on"] == (LAST - dt.timedelta(days=7)).isoformat()
    local = frame["occurred_at"].dt.tz_convert("Asia/Shanghai")
    day = (local.dt.tz_localize(None) - pd.Timestamp(LAST)).dt.days.to_numpy()
    assert used_count(three) == int(((-day % 7 < 3) & (day <= 0) & (day > -27 * 7)).sum())
    assert three.summary["incidents_count"] == int(((day <= 0) & (day > -3)).sum())
    # Ten days fall into every second week only.
    ten = warn(frame, window_days=10)
    assert ten.summary["baseline_windows_count"] == 13
    assert ten.summary["baseline_until_on"] == (LAST - dt.timedelta(days=14)).isoformat()


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = told(usual(8))
    n = len(frame)
    last_weeks = np.flatnonzero(frame["occurred_at"] >= frame["occurred_at"].max() - pd.Timedelta(days=60))[:-1]
    frame.loc[last_weeks[:9], "origin"] = "patrol"
    frame.loc[last_weeks[9:12], "geometry"] = None
    frame.loc[last_weeks[12:15], "geometry"] = shapely.Point(0, 0)
    result = warn(frame)
    lost = left_out(result)
    assert (lost["other_origin"], lost["no_location"], lost["outside_study_area"]) == (9, 3, 3)
    # The incident that ends the data: its day is not over.
    assert lost["unfinished_day"] == 1
    assert lost["outside_windows"] > 100
    assert used_count(result) + sum(lost.values()) == n
    assert set(lost) <= set(codebook("left_out_reasons"))
    asked = warn(frame, until_on=LAST - dt.timedelta(days=30))
    assert "unfinished_day" not in left_out(asked)
    assert used_count(asked) + sum(left_out(asked).values()) == n


def test_the_last_day_is_looked_at_when_asked_for() -> None:
    frame = told(usual(9))
    assert warn(frame, until_on=LAST + dt.timedelta(days=1)).summary["incidents_count"] > 0
    with pytest.raises(InvalidParams, match="nothing is known"):
        warn(frame, until_on=LAST + dt.timedelta(days=2))
    ended = {"occurred_before": f"{LAST.isoformat()}T00:00:00+08:00"}
    assert warn(frame, **ended).summary["window_until_on"] == (LAST - dt.timedelta(days=1)).isoformat()
    with pytest.raises(InvalidParams, match="nothing is known"):
        warn(frame, until_on=LAST, **ended)


def test_a_short_past_is_used_as_far_as_it_reaches() -> None:
    frame = told(usual(10, weeks=15))
    result = warn(frame)
    assert result.summary["baseline_windows_count"] == 14
    with pytest.raises(InvalidParams, match="8 are needed"):
        warn(told(usual(10, weeks=8)))
    nine = warn(told(usual(10, weeks=9)))
    assert nine.summary["baseline_windows_count"] == 8


def test_no_warning_of_few_incidents() -> None:
    counts = usual(11, mean=0.02)
    counts[5, 0] = 0
    counts[5, 0, -1] = 2
    frame = told(counts)
    assert len(warn(frame).features) == 0
    assert len(warn(frame, minimum_count=2, watch_level=0.05).features) >= 1


def test_nothing_unusual_is_an_empty_result() -> None:
    counts = np.ones((36, 3, WEEKS), int)
    result = warn(told(counts))
    assert len(result.features) == 0
    assert result.summary["alarms_count"] == result.summary["watch_count"] == 0
    assert result.features.columns.tolist()[:4] == ["code", "name_zh", "name_en", "category"]
    assert result.summary["expected_false_alarms_per_week"] < 0.05
    json.dumps({"summary": result.summary, **result.provenance.as_dict()})
    # All at one point and in one kind.
    one_place = incidents_at(np.tile([WEST + 100.0, SOUTH + 100.0], (365, 1)))
    assert len(warn(one_place).features) == 0


def test_the_same_rows_give_the_same_result_in_any_order() -> None:
    counts = usual(12)
    counts[7, 1, -1] += 12
    counts[8, 2, -1] += 7
    frame = told(counts)
    one, two = warn(frame), warn(frame.sample(frac=1, random_state=1), grids=GRIDS.sample(frac=1, random_state=2))
    assert len(one.features) >= 2
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.summary == two.summary


def test_only_grids_in_force_are_warned_of() -> None:
    old = grid_of(3).assign(code=[f"old{i}" for i in range(9)], valid_to=pd.Timestamp("2025-06-01"))
    new = GRIDS.assign(valid_from=pd.Timestamp("2025-06-01"), valid_to=pd.NaT)
    result = warn(told(usual(13)), grids=pd.concat([old, new], ignore_index=True))
    assert result.summary["grids_count"] == 36
    assert ("grids", "not_in_force", 9) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"categories": ["burglary"]}, None),
        ({"baseline_weeks": 4}, "baseline_weeks"),
        ({"window_days": 0}, "window_days"),
        ({"until_on": "2024-06-01"}, "8 are needed"),
        ({"occurred_from": "2025-09-20T00:00:00+08:00"}, "8 are needed"),
        ({"occurred_from": "2031-01-01T00:00:00+08:00"}, "covered"),
        ({"watch_level": 0.5}, "watch_level"),
        ({"weeks": 3}, "weeks"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str | None) -> None:
    frame = told(usual(14))
    if words is None:
        # A kind that is asked for and never happened is no error.
        assert warn(frame, **options).summary["series_count"] == 36
    else:
        with pytest.raises(InvalidParams, match=words):
            warn(frame, **options)


def test_without_grids_or_incidents() -> None:
    with pytest.raises(InvalidParams, match="grids"):
        gis.early_warning(told(usual(15)), profile=PROFILE)
    far = incidents_at(anywhere(15, 400) + 50_000)
    with pytest.raises(InvalidParams, match="no incident"):
        warn(far)
