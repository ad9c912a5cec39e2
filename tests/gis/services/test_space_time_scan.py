"""Space-time clusters: what emerges is found while it lasts, chance is not, every row is accounted for."""

import json

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


def scan(frame: gpd.GeoDataFrame, **options: object) -> Result:
    return gis.space_time_scan(frame, **{"profile": PROFILE, "unit": "lattice", "lattice_m": 1_000, **options})


def used_count(result: Result) -> int:
    return next(record.n_used for record in result.provenance.inputs if record.frame == "incidents")


def emerging(seed: int = 1, extra: int = 25) -> gpd.GeoDataFrame:
    """A year of incidents anywhere, and some more around one point in its last four weeks."""
    rng = np.random.default_rng(seed)
    around = np.array([WEST + 2_500, SOUTH + 4_500]) + rng.normal(0, 200, (extra, 2))
    points = np.concatenate([anywhere(seed, 1_500), around])
    days = np.concatenate([rng.integers(0, 365, 1_500), rng.integers(337, 365, extra)])
    return incidents_at(points, occurred_at=START + pd.to_timedelta(days * 24 + 12, unit="h"))


def test_what_emerges_is_found_with_its_beginning() -> None:
    result = scan(emerging())
    first = result.features.iloc[0]
    place = gpd.GeoSeries([shapely.Point(WEST + 2_500, SOUTH + 4_500)], crs=PROFILE.metric_crs).to_crs("EPSG:4326")[0]
    assert first.geometry.contains(place)
    assert first["cluster_class"] == "significant_99"
    assert abs(first["started_on"] - pd.Timestamp("2025-12-04")) <= pd.Timedelta(days=10)
    # The last incident's own day may not be over.
    assert first["ended_on"] == pd.Timestamp("2025-12-30")
    assert first["incidents_count"] > 3 * first["expected_count"]
    assert first["ratio"] == pytest.approx(first["incidents_count"] / first["expected_count"])
    assert first["recurrence_days"] == pytest.approx(7 / first["p"])
    assert pd.isna(first["relative_risk"])
    assert result.summary["most_likely"]["centre_code"] == first["code"]
    assert first["llr"] > result.summary["critical_llr"]


def test_what_is_over_is_found_looking_back_only() -> None:
    early = emerging(2).assign(occurred_at=lambda frame: frame["occurred_at"] - pd.Timedelta(days=120))
    late = emerging(3, extra=0)
    frame = pd.concat([early, late[late["occurred_at"] > early["occurred_at"].max()]], ignore_index=True)
    alive = scan(frame, longest_steps=10)
    assert not (alive.features["p"] <= 0.05).any()
    ever = scan(frame, longest_steps=10, mode="retrospective", replicates=199).features
    assert ever.iloc[0]["p"] <= 0.01
    assert abs(ever.iloc[0]["ended_on"] - pd.Timestamp("2025-09-02")) <= pd.Timedelta(days=10)
    assert ever["recurrence_days"].isna().all()


def test_clusters_share_no_place_and_come_in_order() -> None:
    result = scan(emerging(3))
    features = result.features.to_crs(PROFILE.metric_crs)
    assert 2 <= len(features) <= 10
    assert features["rank"].tolist() == list(range(1, len(features) + 1))
    assert features["llr"].is_monotonic_decreasing
    assert features["p"].is_monotonic_increasing
    parts = [shapely.intersection(a, b).area for i, a in enumerate(features.geometry) for b in features.geometry[:i]]
    assert max(parts) < 1.0
    assert (features.geometry.area / 1e6).round(3).tolist() == features["places_count"].tolist()
    assert set(features["cluster_class"]) <= set(codebook("scan_classes"))
    for level, words in ((0.01, "significant_99"), (0.05, "significant_95"), (0.10, "notable")):
        assert (features.loc[features["cluster_class"] == words, "p"] <= level).all()


def test_a_shuffled_city_alarms_no_more_often_than_stated() -> None:
    alarms = 0
    for seed in range(30):
        rng = np.random.default_rng(1_000 + seed)
        days = rng.integers(0, 140, 300)
        frame = incidents_at(anywhere(seed, 300), occurred_at=START + pd.to_timedelta(days * 24 + 9, unit="h"))
        result = scan(frame, replicates=199, seed=seed)
        alarms += int((result.features["p"] <= 0.05).any())
    assert alarms <= stats.binom.ppf(0.999, 30, 0.05)


def test_the_emerging_hotspot_of_the_demo_city_is_found() -> None:
    city = gis.City.demo()
    truth = {one["id"]: one for one in json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]}
    estate = truth["new_estate"]
    assert estate["kind"] == "emerging"
    result = gis.space_time_scan(
        city.incidents,
        city.grids,
        categories=["vehicle_theft"],
        occurred_from="2025-10-01T00:00:00+08:00",
        radius_m=1_500,
    )
    first = result.features.iloc[0]
    assert first.geometry.distance(shapely.Point(estate["lon"], estate["lat"])) == 0
    assert first["p"] == 0.001
    assert abs(first["started_on"] - pd.Timestamp("2026-03-01")) <= pd.Timedelta(days=7)
    # Every other place has been as it is all along.
    assert result.summary["significant_clusters_count"] == 1


def test_the_vanished_hotspot_of_the_demo_city_is_found_looking_back() -> None:
    city = gis.City.demo()
    truth = {one["id"]: one for one in json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]}
    site = shapely.Point(truth["finished_site"]["lon"], truth["finished_site"]["lat"])
    options = {
        "categories": ["construction", "noise"],
        "occurred_from": "2024-04-01T00:00:00+08:00",
        "occurred_before": "2025-04-01T00:00:00+08:00",
        "unit": "lattice",
        "radius_m": 1_500,
        "replicates": 199,
    }
    frames = {"incidents": city.incidents, "districts": city.districts}
    ever = gis.space_time_scan(**frames, **options, mode="retrospective").features.iloc[0]
    assert ever.geometry.contains(site)
    assert ever["p"] <= 0.01
    assert abs(ever["ended_on"] - pd.Timestamp("2024-09-30")) <= pd.Timedelta(days=7)
    now = gis.space_time_scan(**frames, **options).features
    assert not now[now["p"] <= 0.05].geometry.contains(site).any()


def test_households_are_what_the_poisson_model_expects_by() -> None:
    households = np.full(36, 100)
    households[7] = 900
    grids = grid_of(6, households_count=households)
    rng = np.random.default_rng(5)
    place = rng.choice(36, 1_000, p=households / households.sum())
    points = np.column_stack([place % 6, place // 6]) * 1_000 + rng.uniform(0, 1_000, (1_000, 2)) + [WEST, SOUTH]
    frame = incidents_at(points, occurred_at=START + pd.to_timedelta(rng.integers(0, 200, 1_000), unit="D"))
    even = gis.space_time_scan(frame, grids, profile=PROFILE, model="poisson")
    # Busy as its households make it: no cluster.
    assert even.summary["significant_clusters_count"] == 0
    assert even.features["relative_risk"].min() > 1
    # The same incidents over the same number of households everywhere.
    flat = gis.space_time_scan(frame, grids.assign(households_count=100), profile=PROFILE, model="poisson")
    assert flat.features.iloc[0]["code"] == "g007"
    assert flat.features.iloc[0]["p"] == 0.001
    assert flat.provenance.choices["zones"] == "circles_by_households"
    total, first = flat.summary["incidents_count"], flat.features.iloc[0]
    days = (first["ended_on"] - first["started_on"]).days + 1
    assert first["expected_count"] == pytest.approx(total * first["places_count"] / 36 * days / 199)
    outside = (total - first["incidents_count"]) / (total - first["expected_count"])
    assert first["relative_risk"] == pytest.approx(first["ratio"] / outside)
    # Cells of a lattice take their households from the blocks in them; the grids are as good as blocks here.
    blocks = grids.rename(columns={"households_count": "n"}).assign(households_count=grids["households_count"])
    cells = gis.space_time_scan(
        frame,
        blocks=blocks,
        districts=areas((0, 0, SIDE_M, SIDE_M), code=["d"]),
        profile=PROFILE,
        unit="lattice",
        lattice_m=1_000,
        model="poisson",
    )
    assert cells.summary["places_count"] == 36
    assert cells.features["llr"].tolist() == pytest.approx(even.features["llr"].tolist())


def test_places_without_households_take_no_part() -> None:
    grids = grid_of(3, households_count=pd.array([None, 0, 5, 5, 5, 5, 5, 5, 5], dtype="Int64"))
    frame = incidents_at(anywhere(6, 900))
    result = gis.space_time_scan(frame, grids, profile=PROFILE, model="poisson", replicates=19)
    lost = left_out(result)
    assert lost["no_households"] == pytest.approx(200, abs=50)
    assert lost["unfinished_day"] == 2
    assert used_count(result) + sum(lost.values()) == 900
    assert result.summary["incidents_count"] == used_count(result)


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = incidents_at(anywhere(7, 730))
    frame.loc[0:9, "origin"] = "patrol"
    frame["location_withheld"] = False
    frame.loc[10:14, "location_withheld"] = True
    frame.loc[15:19, "geometry"] = None
    frame.loc[20:29, "category"] = "burglary"
    frame.loc[30:31, "geometry"] = shapely.Point(0, 0)
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    result = scan(frame, districts=area, categories=["theft"], replicates=19)
    # Days 0 to 364, twice: 2025-12-31 is not over, 2025-12-30 is.
    assert left_out(result) == {
        "other_origin": 10,
        "location_withheld": 5,
        "no_location": 5,
        "other_category": 10,
        "outside_study_area": 2,
        "unfinished_day": 2,
    }
    assert set(left_out(result)) <= set(codebook("left_out_reasons"))
    assert used_count(result) == 730 - 34
    assert result.provenance.choices["last_step_until"] == "2025-12-30"


def test_steps_end_with_the_last_full_day_by_the_citys_clock() -> None:
    points = anywhere(8, 60)
    late = START + pd.to_timedelta(np.arange(60) % 30, unit="D") + pd.Timedelta(hours=23, minutes=59)
    frame = incidents_at(points, occurred_at=late)
    result = scan(frame, replicates=19, time_step="day", longest_share=0.1)
    assert result.provenance.choices["first_step_on"] == "2025-01-01"
    assert result.provenance.choices["last_step_until"] == "2025-01-29"
    assert result.summary["steps_count"] == 29
    assert result.provenance.choices["longest_steps"] == 2
    # Who names an end vouches for the days before it.
    whole = scan(frame, replicates=19, time_step="day", occurred_before="2025-01-31T00:00:00+08:00")
    assert whole.provenance.choices["last_step_until"] == "2025-01-30"
    assert "unfinished_day" not in left_out(whole)
    part = scan(
        frame,
        replicates=19,
        occurred_from="2025-01-04T00:00:00+08:00",
        occurred_before="2025-01-20T12:00:00+08:00",
    )
    assert left_out(part)["outside_period"] == 2 * (3 + 11)
    assert part.provenance.choices["last_step_until"] == "2025-01-19"
    # Sixteen days: two weeks, and two days that come first.
    assert part.summary["steps_count"] == 3
    assert (part.features["started_on"] == pd.Timestamp("2025-01-13")).all()


def test_grids_carry_their_names_and_only_those_in_force_are_scanned() -> None:
    old = grid_of(3).assign(code=[f"old{i}" for i in range(9)], valid_to=pd.Timestamp("2025-06-01"))
    new = grid_of(6).assign(valid_from=pd.Timestamp("2025-06-01"), valid_to=pd.NaT)
    result = gis.space_time_scan(emerging(9), pd.concat([old, new], ignore_index=True), profile=PROFILE, replicates=19)
    assert result.summary["places_count"] == 36
    assert ("grids", "not_in_force", 9) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]
    names = new.set_index("code")["name_zh"]
    assert result.features["name_zh"].tolist() == names[result.features["code"]].tolist()


def test_the_same_rows_give_the_same_result_in_any_order() -> None:
    frame = emerging(10)
    one, two = scan(frame, replicates=99), scan(frame.sample(frac=1, random_state=1), replicates=99)
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.provenance == two.provenance
    assert one.summary == two.summary
    json.dumps({"summary": one.summary, **one.provenance.as_dict()})
    assert scan(frame, replicates=99, seed=1).summary != one.summary


def test_limits_hold() -> None:
    frame = emerging(11)
    narrow = scan(frame, replicates=19, radius_m=1_100, longest_steps=3)
    assert narrow.features["radius_m"].max() <= 1_100
    assert (narrow.features["ended_on"] - narrow.features["started_on"]).max() < pd.Timedelta(days=21)
    assert narrow.summary["cylinders_count"] == narrow.summary["zones_count"] * 3
    small = scan(frame, replicates=19, population_share=0.05)
    assert small.summary["zones_count"] < scan(frame, replicates=19).summary["zones_count"]


def test_a_city_where_nothing_differs_has_no_cluster() -> None:
    centres = np.stack(np.meshgrid(np.arange(6), np.arange(6)), -1).reshape(-1, 2) * 1_000 + [WEST + 500, SOUTH + 500]
    days = np.repeat(np.arange(0, 71, 7), 36)
    frame = incidents_at(np.tile(centres, (11, 1)), occurred_at=START + pd.to_timedelta(days, unit="D"))
    result = scan(frame, replicates=19)
    assert len(result.features) == 0
    assert result.summary["most_likely"] is None
    assert result.summary["clusters_count"] == 0
    assert used_count(result) == 360


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "grids"}, "grids"),
        ({"model": "poisson"}, "households"),
        ({"categories": ["burglary"]}, "no incident|2 are needed"),
        ({"occurred_from": "2025-12-25T00:00:00+08:00", "time_step": "week"}, "steps of time"),
        ({"occurred_from": "2030-01-01T00:00:00+08:00"}, "full days"),
        ({"time_step": "day", "mode": "retrospective", "replicates": 99_999}, "times what is computed"),
        ({"population_share": 0}, "population_share"),
        ({"replicates": 1}, "replicates"),
        ({"mode": "live"}, "mode"),
        ({"longest": 3}, "longest"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        scan(incidents_at(anywhere(12, 400)), **{"lattice_m": 500, **options})


def test_one_incident_is_no_basis() -> None:
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    days = START + pd.to_timedelta([0, 20], unit="D")
    with pytest.raises(InvalidParams, match="2 are needed"):
        scan(incidents_at(anywhere(13, 2), occurred_at=days), districts=area)
    everything_at_once = incidents_at(anywhere(13, 50), occurred_at=START)
    with pytest.raises(InvalidParams, match="0 full days"):
        scan(everything_at_once, districts=area)
    same_place = incidents_at(np.tile([WEST + 100.0, SOUTH + 100.0], (50, 1)))
    result = scan(same_place, districts=area, replicates=19)
    assert len(result.features) == 0
