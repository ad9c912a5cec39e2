"""Near repeats: planted ones are found, chance is not, chains say until when follow-up is due."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.contract.result import Result
from gis.errors import InvalidParams
from gis.services import near_repeat as module
from tests.support.chicago import CHICAGO, chicago_incidents
from tests.support.small_city import PROFILE, SOUTH, START, WEST, anywhere, incidents_at, left_out


def at(*events: tuple[float, float, float], **columns: object) -> gpd.GeoDataFrame:
    """Incidents so many metres east and north of the corner, and days after the first of January, local time."""
    east, north, days = np.array(events, dtype=float).T
    when = START + pd.to_timedelta(np.rint(days * 86_400), unit="s")
    return incidents_at(np.column_stack([WEST + east, SOUTH + north]), occurred_at=when, **columns)


def on_days(seed: int, days: np.ndarray | None = None, n: int = 600) -> gpd.GeoDataFrame:
    days = np.random.default_rng(seed).integers(0, 180, n) if days is None else days
    return incidents_at(anywhere(seed, len(days)), occurred_at=START + pd.to_timedelta(days, unit="D"))


def used(result: Result) -> int:
    return next(r.n_used for r in result.provenance.inputs if r.frame == "incidents")


def band(result: Result, distance: str, days: str) -> dict:
    return next(r for r in result.summary["table"] if (r["distance_band"], r["days_band"]) == (distance, days))


def test_a_small_city_by_hand() -> None:
    """A chain of three steps and one of two incidents, a far repeat, a late repeat, an incident alone."""
    frame = at(
        (1_000, 1_000, 0.5),
        (1_150, 1_000, 5.5),
        (1_300, 1_000, 12.9),
        (3_000, 3_000, 20),
        (3_000, 3_000, 21),
        (3_000, 3_000, 29),
        (5_000, 1_000, 21),
        category=["theft", "burglary", "burglary", "theft", "robbery", "theft", "theft"],
    )
    result = gis.near_repeat(frame, profile=PROFILE, permutations=0)
    first, second = result.features.to_dict("records")
    assert len(result.features) == 2
    assert (first["code"], second["code"]) == ("chain-00001", "chain-00002")
    assert (first["incidents_count"], second["incidents_count"]) == (2, 3)
    assert (first["open"], second["open"]) == (False, False)
    assert (first["span_days"], second["span_days"]) == (1, 12)
    assert first["first_at"] == START + pd.Timedelta(days=20)
    assert first["last_at"] == START + pd.Timedelta(days=21)
    assert pd.Timestamp(first["until_on"]).date() == dt.date(2025, 1, 29)
    assert pd.Timestamp(second["until_on"]).date() == dt.date(2025, 1, 20)
    # Of equals the first by name.
    assert (first["category"], first["categories_count"]) == ("robbery", 2)
    assert (second["category"], second["categories_count"]) == ("burglary", 2)
    shapes = result.features.to_crs(PROFILE.metric_crs).geometry
    assert shapes[0].area == pytest.approx(np.pi * 100**2, rel=0.02)
    path = shapely.LineString([(WEST + 1_000, SOUTH + 1_000), (WEST + 1_300, SOUTH + 1_000)])
    assert shapes[1].contains(path.buffer(90))
    # Within 200 m: five pairs; of them within 7 days: three.
    assert result.summary["space_pairs_count"] == 5
    assert result.summary["observed_pairs_count"] == 3
    assert result.summary["chains_count"] == 2
    assert result.summary["in_chains_share"] == pytest.approx(5 / 7)
    assert result.summary["largest_chain_count"] == 3
    assert (band(result, "same_place", "0-7")["observed"], band(result, "same_place", "8-14")["observed"]) == (1, 2)
    assert (band(result, "100-200 m", "0-7")["observed"], band(result, "200-300 m", "8-14")["observed"]) == (2, 1)
    # Calendar days count: from noon of the 6th to the evening of the 13th are seven of them.
    assert band(result, "100-200 m", "8-14")["observed"] == 0


def test_chains_that_are_open_come_first_and_other_kinds_show_that_the_data_go_on() -> None:
    frame = at(
        (1_000, 1_000, 30),
        (1_050, 1_000, 31),
        (2_000, 1_000, 33),
        (2_000, 1_050, 34),
        (5_000, 5_000, 40),
        category=["theft"] * 4 + ["noise"],
    )
    result = gis.near_repeat(frame, profile=PROFILE, categories=["theft"])
    assert result.provenance.choices["data_end_on"] == "2025-02-10"
    assert result.features["chain_class"].tolist() == ["open", "closed"]
    assert result.features["open"].tolist() == [True, False]
    assert result.summary["open_chains_count"] == 1
    assert left_out(result) == {"other_category": 1}
    assert used(result) == 4
    earlier = gis.near_repeat(frame, profile=PROFILE, categories=["theft"], occurred_before="2025-02-05T00:00:00+08:00")
    assert earlier.provenance.choices["data_end_on"] == "2025-02-04"
    assert earlier.features["open"].tolist() == [True, True]
    longer = gis.near_repeat(frame, profile=PROFILE, categories=["theft"], chain_days=14)
    assert longer.features["open"].tolist() == [True, True]


def test_days_are_those_of_the_city() -> None:
    # 23:00 and 1:00 of the next day in Shanghai, both on 1 January in UTC.
    frame = at((0, 0, 23 / 24), (0, 0, 25 / 24), (900, 900, 3))
    result = gis.near_repeat(frame, profile=PROFILE, days=[0, 7], chain_days=0)
    assert band(result, "same_place", "0-0")["observed"] == 0
    assert band(result, "same_place", "1-7")["observed"] == 1
    assert result.features.empty


def test_planted_repeats_are_found_near_and_soon_and_not_elsewhere() -> None:
    rng = np.random.default_rng(1)
    points, days = anywhere(1, 900), rng.integers(0, 180, 900)
    again = rng.choice(900, 90, replace=False)
    points = np.concatenate([points, points[again] + rng.uniform(-60, 60, (90, 2))])
    days = np.concatenate([days, days[again] + rng.integers(1, 7, 90)])
    frame = incidents_at(points, occurred_at=START + pd.to_timedelta(days, unit="D"))
    result = gis.near_repeat(frame, profile=PROFILE, seed=2)
    assert result.provenance.choices["inference"] == "permutation"
    close = band(result, "0-100 m", "0-7")
    assert close["significant"]
    assert close["p"] == 0.001
    assert close["ratio"] > 2
    assert close["observed"] >= 90
    assert [r["days_band"] for r in result.summary["table"] if r["significant"]] == ["0-7"]
    assert result.summary["knox_ratio"] > 1.3
    # Most repeats stand in one chain with what they repeat.
    assert result.summary["in_chains_share"] > 0.15


def test_chance_alone_is_seldom_significant() -> None:
    alarms, overall, rows = 0, [], 0
    for seed in range(40):
        result = gis.near_repeat(on_days(seed), profile=PROFILE, permutations=199, seed=seed)
        overall.append(result.summary["p"])
        alarms += any(r["significant"] for r in result.summary["table"])
        rows += sum(r["p"] is not None for r in result.summary["table"])
    # 2 are expected, 7 happen in three of a thousand cases.
    assert alarms <= 6
    assert (np.array(overall) <= 0.05).sum() <= 6
    assert 0.3 < np.mean(overall) < 0.7
    # Nobody shares a place here, so that there is nothing to test in the first band.
    assert rows == 40 * 20


def test_the_demo_city_has_chains_of_burglaries() -> None:
    city = gis.City.demo()
    result = gis.near_repeat(city.incidents, categories=["burglary"], permutations=99)
    assert result.summary["incidents_count"] + sum(left_out(result).values()) == len(city.incidents)
    assert set(result.features["category"]) == {"burglary"}
    assert result.features["open"].is_monotonic_decreasing
    assert result.features.loc[~result.features["open"], "last_at"].is_monotonic_decreasing
    assert result.features["code"].is_unique
    shares = result.features["incidents_count"].sum() / result.summary["incidents_count"]
    assert shares == pytest.approx(result.summary["in_chains_share"])
    assert result.provenance.choices["spans_by_earliest_time"] > 1_000
    assert json.loads(json.dumps(result.summary, allow_nan=False))["chains_count"] == len(result.features)


def test_chicago_has_the_known_values(shared_data) -> None:
    incidents = chicago_incidents(shared_data).to_crs(CHICAGO.metric_crs)
    burglary = gis.near_repeat(incidents, profile=CHICAGO, categories=["BURGLARY"], permutations=99)
    assert burglary.summary["incidents_count"] == 6_797
    assert burglary.summary["space_pairs_count"] == 10_559
    assert burglary.summary["observed_pairs_count"] == 1_014
    assert burglary.summary["expected_pairs_count"] == pytest.approx(720.8, abs=0.05)
    assert burglary.summary["z"] == pytest.approx(11.3, abs=0.05)
    assert burglary.summary["p"] == 0.01
    assert band(burglary, "same_place", "0-7")["ratio"] > 3
    every = gis.near_repeat(incidents, profile=CHICAGO)
    assert every.provenance.choices["inference"] == "normal"
    assert every.summary["observed_pairs_count"] == 570_523
    week = [r for r in every.summary["table"] if r["distance_to_m"] <= 200 and r["days_to"] == 7]
    assert sum(r["observed"] for r in week) == 570_523
    assert used(every) == 156_385


def test_more_pairs_than_can_be_drawn_take_the_normal_distribution(monkeypatch) -> None:
    frame = on_days(3)
    drawn, asked = gis.near_repeat(frame, profile=PROFILE), gis.near_repeat(frame, profile=PROFILE, permutations=0)
    monkeypatch.setattr(module, "MOST_RECOUNTS", 1e3)
    automatic = gis.near_repeat(frame, profile=PROFILE)
    assert drawn.provenance.choices["inference"] == "permutation"
    assert asked.provenance.choices["inference"] == automatic.provenance.choices["inference"] == "normal"
    assert automatic.summary == asked.summary
    assert drawn.summary["p"] == pytest.approx(asked.summary["p"], abs=0.1)


def test_everything_in_one_place_or_on_one_day() -> None:
    place = gis.near_repeat(at(*[(100, 100, day) for day in range(0, 60, 3)]), profile=PROFILE)
    assert len(place.features) == 1
    assert place.features["incidents_count"].item() == 20
    assert place.summary["p"] == 1
    assert place.summary["z"] is None
    day = gis.near_repeat(incidents_at(anywhere(4, 500), occurred_at=START), profile=PROFILE)
    assert {r["p"] for r in day.summary["table"]} == {None, 1.0}
    assert not any(r["significant"] for r in day.summary["table"])


def test_no_chains_is_a_result() -> None:
    result = gis.near_repeat(at((0, 0, 0), (3_000, 3_000, 100)), profile=PROFILE)
    assert result.features.empty
    assert result.features.crs == "EPSG:4326"
    assert result.summary["chains_count"] == result.summary["largest_chain_count"] == 0
    assert result.summary["p"] is None
    assert "leaflet" in result.map().get_root().render()


def test_every_row_is_used_or_counted() -> None:
    frame = on_days(5)
    frame.loc[0:9, "origin"] = "patrol"
    frame["location_withheld"] = np.arange(len(frame)) % 50 == 11
    frame.loc[20:29, "geometry"] = None
    result = gis.near_repeat(frame, profile=PROFILE, hours=[0], weekdays=[1, 2, 3, 4, 5])
    assert used(result) + sum(left_out(result).values()) == len(frame)
    assert {"other_origin", "outside_clock", "location_withheld", "no_location"} <= left_out(result).keys()


@pytest.mark.parametrize(
    "wrong",
    [
        {"distance_m": [200, 100]},
        {"distance_m": []},
        {"distance_m": [0, 100]},
        {"days": [7, 7]},
        {"days": [-1]},
        {"chain_distance_m": 0},
        {"permutations": -1},
        {"reach_m": 100},
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidParams, match="parameter problem"):
        gis.near_repeat(on_days(6), profile=PROFILE, **wrong)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_incidents_are_said(n: int) -> None:
    with pytest.raises(InvalidParams, match="too few") as error:
        gis.near_repeat(on_days(7).head(n), profile=PROFILE)
    assert f"only {n} of {n} incidents" in error.value.problems[0].message


def test_too_many_pairs_are_said(monkeypatch) -> None:
    monkeypatch.setattr("gis.kernels.knox.MOST_CANDIDATES", 1_000)
    with pytest.raises(InvalidParams, match="too many pairs") as error:
        gis.near_repeat(on_days(8), profile=PROFILE)
    assert error.value.problems[0].field == "distance_m"
    assert "take smaller distances" in error.value.problems[0].message
