"""Exposure of key units: planted ones are found, chance stays in its rate, limits are exact to the day and metre."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import stats

import gis
from gis.city.key_unit_policy import key_unit_policy, key_unit_policy_of
from gis.errors import InvalidInput, InvalidParams
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, WEST, anywhere, areas, incidents_at
from tests.support.streets import street_grid

DAY = dt.date(2025, 12, 31)
AREA = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
FINE = {"guards_count": 50, "last_drill_on": DAY, "last_inspected_on": DAY, "plan_reviewed_on": DAY}


def units_at(*places: tuple[float, float], kind: str | list[str] = "school", **columns: object) -> gpd.GeoDataFrame:
    told = {**FINE, **columns}
    for name in ("last_drill_on", "last_inspected_on", "plan_reviewed_on"):
        told[name] = pd.to_datetime(
            pd.Series([told[name]] * len(places) if not isinstance(told[name], list) else told[name])
        )
    frame = gpd.GeoDataFrame(
        {"source_id": [f"K{i:03}" for i in range(len(places))], "kind": kind, **told},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in places],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def around(x: float, y: float, n: int, *, within_m: float = 100.0) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return np.array([WEST + x, SOUTH + y]) + within_m * np.column_stack([np.cos(angle), np.sin(angle)])


def looked_at(units: gpd.GeoDataFrame, points: np.ndarray, **options: object) -> gis.contract.result.Result:
    told = {"as_of": DAY, "districts": AREA, **options}
    return gis.key_unit_exposure(units, incidents_at(points), profile=PROFILE, **told)


def by_code(result: gis.contract.result.Result) -> pd.DataFrame:
    return result.features.set_index("code").sort_index()


FIVE = [(1_000.0 * i + 500, 3_000.0) for i in range(5)]


def test_five_schools_by_hand() -> None:
    points = np.concatenate([around(*place, n) for place, n in zip(FIVE, (30, 5, 5, 5, 5), strict=True)])
    found = by_code(looked_at(units_at(*FIVE), points))
    assert found["incidents_count"].tolist() == [30, 5, 5, 5, 5]
    assert found["expected_count"].tolist() == pytest.approx([10.0] * 5, rel=1e-6)
    assert found["p"].iloc[0] == pytest.approx(stats.binomtest(30, 50, 0.2, alternative="greater").pvalue, rel=1e-6)
    assert found["p"].iloc[1] == pytest.approx(stats.binomtest(5, 50, 0.2, alternative="greater").pvalue, rel=1e-6)
    assert found["exposure_class"].tolist() == ["incidents", *["nothing"] * 4]
    assert found["rank"].iloc[0] == 1


def test_few_of_a_kind_are_compared_with_the_city() -> None:
    points = np.concatenate([anywhere(3, 900), around(3_000, 3_000, 20)])
    few = by_code(looked_at(units_at((3_000, 3_000), kind="port_wharf"), points))
    ground = np.pi * 200**2 / SIDE_M**2
    assert few["expected_count"].iloc[0] == pytest.approx(920 * ground, rel=0.003)
    whole = by_code(looked_at(units_at(*FIVE), points, compared_with="whole_city"))
    assert whole["expected_count"].tolist() == pytest.approx([920 * ground] * 5, rel=0.003)


def test_ground_outside_of_the_city_and_water_is_none() -> None:
    units = units_at((0, 3_000), (3_000, 3_000), (5_000, 5_000), (1_000, 1_000), (3_000, 1_000))
    points = np.concatenate([anywhere(3, 500), around(5_900, 100, 100)])
    water = areas((3_000, 0, 6_000, 4_000))
    found = by_code(looked_at(units, points, water_areas=water))
    ratio = found["expected_count"] / found["expected_count"].iloc[2]
    assert ratio.tolist() == pytest.approx([0.5, 0.5, 1.0, 1.0, 0.5], rel=0.01)


@pytest.mark.parametrize("compared_with", ["kind", "whole_city"])
def test_chance_alone_is_rarely_called_anything_more(compared_with: str) -> None:
    rng = np.random.default_rng(5)
    called = 0
    for seed in range(12):
        units = units_at(*(tuple(p) for p in rng.uniform(300, SIDE_M - 300, (40, 2))))
        found = by_code(looked_at(units, anywhere(seed, 2_000), compared_with=compared_with))
        called += (found["exposure_class"] == "incidents").any()
    # One in twenty may have a false alarm; of twelve, more than three have one with a chance of two in a thousand.
    assert called <= 3


def test_a_planted_unit_is_found_among_many() -> None:
    rng = np.random.default_rng(6)
    places = [tuple(p) for p in rng.uniform(300, SIDE_M - 300, (40, 2))]
    points = np.concatenate([anywhere(1, 2_000), around(*places[7], 25)])
    found = looked_at(units_at(*places), points).features
    assert found.iloc[0]["code"] == "K007"


def test_measures_are_exact_to_the_day() -> None:
    kinds = ["school", "hotel", "hazmat", "hotel"]
    days = key_unit_policy(DAY)
    due = {
        "last_drill_on": days.drill_days,
        "last_inspected_on": days.inspection_days,
        "plan_reviewed_on": days.plan_days,
    }
    spots = [(500.0 + 1_000 * i, 500.0) for i in range(4)]
    for late, word in ((0, "in_time"), (1, "overdue")):
        dates = {name: [DAY - dt.timedelta(days=every[k] + late) for k in kinds] for name, every in due.items()}
        found = by_code(looked_at(units_at(*spots, kind=kinds, **dates), anywhere(1, 50)))
        for column in ("drill_state", "inspection_state", "plan_state"):
            assert found[column].tolist() == [word] * 4, column
        assert found["exposure_class"].tolist() == [("measures" if late else "nothing")] * 4
    never = by_code(looked_at(units_at(*spots, kind=kinds, last_drill_on=None), anywhere(1, 50)))
    assert never["drill_state"].tolist() == ["never"] * 4


def test_guards_short_are_what_is_missing_and_unknown_ones_say_nothing() -> None:
    spots = [(500.0 + 1_000 * i, 500.0) for i in range(4)]
    units = units_at(*spots, kind=["hospital", "hospital", "hotel", "school"], guards_count=[1, 4, 0, None])
    result = looked_at(units, anywhere(1, 50))
    assert by_code(result)["guards_short_count"].astype(object).where(lambda s: s.notna(), None).tolist() == [
        3,
        0,
        0,
        None,
    ]
    assert result.summary["guards_short_units_count"] == 1


def test_hazards_are_exact_to_the_metre_and_seen_from_both_sides() -> None:
    places = [(3_000.0, 3_000.0), (3_299.9, 3_000.0), (3_000.0, 3_300.1), (5_000.0, 5_000.0), (5_099.0, 5_000.0)]
    kinds = ["hazmat", "school", "hospital", "petrol_station", "nursery"]
    units = units_at(*places, (3_050.0, 3_000.0), kind=[*kinds, "hotel"])
    result = looked_at(units, anywhere(1, 50))
    found = by_code(result)
    codes = found["hazard_code"].astype(object).where(lambda s: s.notna(), None).tolist()
    assert codes == [None, "K000", None, None, "K003", None]
    assert found["hazard_m"].iloc[1] == pytest.approx(299.9, abs=0.01)
    assert found["sensitive_count"].astype(object).where(lambda s: s.notna(), None).tolist() == [
        1,
        None,
        None,
        1,
        None,
        None,
    ]
    assert found["exposure_class"].tolist() == ["hazard", "hazard", "nothing", "hazard", "hazard", "nothing"]
    assert [row["key_unit"] for row in result.summary["near_hazards"]] == ["K004", "K001"]


def test_distances_agree_with_looking_at_every_pair() -> None:
    rng = np.random.default_rng(8)
    kinds = rng.choice(["hazmat", "petrol_station", "school", "hospital", "hotel"], 120).tolist()
    places = rng.uniform(1_000, 3_000, (120, 2))
    found = by_code(looked_at(units_at(*(tuple(p) for p in places), kind=kinds), anywhere(1, 50)))
    reach = {"hazmat": 300.0, "petrol_station": 100.0}
    for i, kind in enumerate(kinds):
        near = {
            j: float(np.hypot(*(places[i] - places[j])))
            for j, other in enumerate(kinds)
            if other in reach and np.hypot(*(places[i] - places[j])) <= reach[other]
        }
        expected = f"K{min(near, key=near.__getitem__):03}" if near and kind in {"school", "hospital"} else None
        assert (found["hazard_code"].iloc[i] if pd.notna(found["hazard_code"].iloc[i]) else None) == expected


def test_several_signs_come_first() -> None:
    points = np.concatenate([around(*place, n) for place, n in zip(FIVE, (30, 30, 2, 2, 2), strict=True)])
    units = units_at(*FIVE, last_drill_on=[None, DAY, DAY, DAY, DAY])
    found = looked_at(units, points).features
    assert found["exposure_class"].tolist()[:2] == ["several", "incidents"]
    assert found["code"].tolist()[:2] == ["K000", "K001"]
    assert found["rank"].tolist() == list(range(1, 6))


def test_the_nearest_post_is_the_one_that_is_there_soonest() -> None:
    posts = gpd.GeoDataFrame(
        {"source_id": ["P0", "P1"], "kind": "police_post"},
        geometry=[shapely.Point(WEST + x, SOUTH + 3_000) for x in (600, 4_800)],
        crs=PROFILE.metric_crs,
    ).to_crs("EPSG:4326")
    streets = street_grid(200.0)
    found = by_code(looked_at(units_at(*FIVE), anywhere(1, 50), posts=posts, segments=streets))
    assert found["post_code"].tolist() == ["P0", "P0", "P0", "P1", "P1"]
    minutes = found["minutes"].tolist()
    assert minutes[0] < minutes[1] < minutes[2]
    assert minutes[4] < minutes[3]
    alone = looked_at(units_at(*FIVE), anywhere(1, 50))
    assert alone.features["minutes"].isna().all()
    assert alone.summary["median_minutes"] is None


def test_every_incident_is_used_or_left_out() -> None:
    points = np.concatenate([anywhere(1, 100), [[WEST - 1_000, SOUTH]] * 3])
    frame = incidents_at(points, origin=["patrol"] * 10 + ["import"] * 93)
    result = gis.key_unit_exposure(units_at(*FIVE), frame, districts=AREA, profile=PROFILE, as_of=DAY)
    told = {e.reason: e.count for e in result.provenance.left_out}
    assert told == {"other_origin": 10, "outside_study_area": 3}
    record = next(r for r in result.provenance.inputs if r.frame == "incidents")
    assert record.n_used == 90


def test_units_that_are_areas_have_their_surroundings() -> None:
    square = shapely.box(WEST + 2_000, SOUTH + 2_000, WEST + 2_400, SOUTH + 2_400)
    units = units_at(*FIVE).to_crs(PROFILE.metric_crs)
    units.loc[0, "geometry"] = square
    points = np.concatenate([[[WEST + 2_590, SOUTH + 2_200]], [[WEST + 2_610, SOUTH + 2_200]], anywhere(1, 5)])
    found = by_code(looked_at(units.to_crs("EPSG:4326"), points[:2]))
    assert found["incidents_count"].iloc[0] == 1
    assert set(found.geom_type) == {"Point"}


def test_the_day_is_that_of_the_last_incident() -> None:
    result = gis.key_unit_exposure(units_at(*FIVE), incidents_at(anywhere(1, 40)), districts=AREA, profile=PROFILE)
    assert result.provenance.choices["as_of"] == "2025-02-09"
    nobody = incidents_at(anywhere(1, 3), origin="patrol")
    with pytest.raises(InvalidParams, match="say on which day"):
        gis.key_unit_exposure(units_at(*FIVE), nobody, districts=AREA, profile=PROFILE)
    quiet = gis.key_unit_exposure(units_at(*FIVE), nobody, districts=AREA, profile=PROFILE, as_of=DAY)
    assert quiet.features["incidents_count"].tolist() == [0] * 5
    assert (quiet.features["p"] == 1).all()


def test_a_city_without_key_units_is_told_so() -> None:
    with pytest.raises(InvalidParams, match="no key unit"):
        looked_at(units_at(*FIVE).iloc[:0], anywhere(1, 5))


def test_a_policy_that_cannot_be_used_says_all_that_is_wrong() -> None:
    row = {"valid_from": dt.date(2023, 1, 1), "status": "choice", "zh": "甲", "en": "A", "source": "-"}
    values = {
        "guards.least_count": {"school": 2},
        "drill.every_days": {"palace": 9, "default": 9},
        "inspection.every_days": {"default": -1},
        "plan.every_days": {"default": 9},
        "hazard.buffer_m": {"hazmat": 9, "default": 9},
        "hazard.sensitive_kinds": ["castle"],
    }
    told = {"row": [{"id": id_, "value": value, **row} for id_, value in values.items()]}
    with pytest.raises(InvalidInput) as caught:
        key_unit_policy_of(told)
    assert {p.field for p in caught.value.problems} == set(values) - {"plan.every_days"}
    with pytest.raises(KeyError):
        key_unit_policy().buffer_m["school"]


def test_the_demo_city() -> None:
    city = gis.City.demo()
    result = gis.key_unit_exposure(city.key_units, city.incidents, city.posts, city.segments, districts=city.districts)
    assert len(result.features) == 652
    assert result.features["minutes"].notna().all()
    kinds = result.features.groupby("kind")
    # Given the total of a kind, expectations add up to it.
    large = kinds.filter(lambda rows: len(rows) >= 5).groupby("kind")[["incidents_count", "expected_count"]].sum()
    assert large["incidents_count"].tolist() == pytest.approx(large["expected_count"].tolist())
    assert {row["exposure_class"] for row in result.summary["by_exposure_class"]} >= set(
        result.features["exposure_class"]
    )
    assert result.summary["sensitive_near_hazard_count"] == len(result.summary["near_hazards"]) > 0
