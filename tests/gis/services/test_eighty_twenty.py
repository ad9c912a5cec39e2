"""80-20 analysis: what is concentrated is told from what chance makes look so, whatever counts as a place."""

import json
from itertools import pairwise
from pathlib import Path

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
from tests.support.streets import segments_of, street_grid

UNITS = ["addresses", "segments", "lattice", "grids"]
AREA = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
CORNER = np.array([WEST, SOUTH])


def on_streets(seed: int, n: int, step_m: float = 200.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    points = anywhere(seed, n) - CORNER
    side = rng.integers(0, 2, n)
    points[np.arange(n), side] = np.round(points[np.arange(n), side] / step_m) * step_m
    return points + CORNER


def addresses(seed: int, n: int, of: int) -> np.ndarray:
    """Incidents at some of many addresses along the streets, each alike."""
    rng = np.random.default_rng(seed)
    return on_streets(seed + 1_000, of)[rng.integers(0, of, n)]


def analysed(points: np.ndarray, **options: object) -> gis.contract.result.Result:
    frame = incidents_at(points)
    return gis.eighty_twenty(frame, grid_of(20), street_grid(), AREA, profile=PROFILE, **options)


@pytest.mark.parametrize("unit", UNITS)
def test_incidents_placed_at_random_show_no_concentration(unit: str) -> None:
    for seed in range(3):
        # Each address alike, or each street, or each piece of ground.
        points = {"addresses": addresses(seed, 1_500, 2_000), "segments": on_streets(seed, 1_500)}
        result = analysed(points.get(unit, anywhere(seed, 1_500)), unit=unit)
        summary = result.summary
        assert summary["gini"] > 0.15, "unadjusted, chance looks like concentration"
        assert summary["gini_adjusted"] == pytest.approx(0, abs=0.06)
        assert summary["gini"] == pytest.approx(summary["gini_by_chance"], abs=0.05)
        for held in (50, 80):
            real, chance = (summary[f"{word}share_of_places_holding_{held}"] for word in ("", "expected_"))
            assert real == pytest.approx(chance, abs=0.05)
        for point in summary["concentration_curve"]:
            assert point["incidents_share"] == pytest.approx(point["expected_share"], abs=0.06)


@pytest.mark.parametrize("unit", UNITS)
def test_a_few_places_that_hold_most_are_named_first(unit: str) -> None:
    spots = on_streets(9, 20)
    rng = np.random.default_rng(9)
    points = np.concatenate([addresses(5, 400, 4_000), spots[rng.integers(0, 20, 1_600)]])
    result = analysed(points, unit=unit)
    summary, features = result.summary, result.features
    assert summary["gini_adjusted"] > 0.3
    assert summary["share_of_places_holding_50"] < 0.5 * summary["expected_share_of_places_holding_50"]
    busiest = features[features["concentration_class"] == "first_50"].to_crs(PROFILE.metric_crs)
    assert len(busiest) <= 20
    assert busiest.distance(shapely.MultiPoint(spots)).max() < 30
    assert summary["repeat_places_count"] == (features["incidents_count"] > 1).sum()
    json.dumps(dict(summary), allow_nan=False)


@pytest.mark.parametrize("unit", UNITS)
def test_ranks_shares_and_classes_add_up(unit: str) -> None:
    result = analysed(addresses(6, 900, 500), unit=unit)
    features, summary = result.features, result.summary
    assert account_is_complete(result, 900)
    assert features["incidents_count"].is_monotonic_decreasing
    assert features["rank"].tolist() == list(range(1, len(features) + 1))
    assert features["cumulative_share"].iloc[-1] == pytest.approx(1)
    assert features["code"].is_unique
    assert set(features["concentration_class"]) <= set(codebook("concentration_classes"))
    half = features[features["concentration_class"] == "first_50"]
    assert half["cumulative_share"].iloc[-1] >= 0.5 > half["cumulative_share"].iloc[-1] - half["share"].iloc[-1]
    assert half["places_share"].iloc[-1] == pytest.approx(summary["share_of_places_holding_50"])
    eighty = features[features["concentration_class"] != "rest"]
    assert eighty["places_share"].iloc[-1] == pytest.approx(summary["share_of_places_holding_80"])
    assert summary["places_with_incidents_count"] == len(features) <= summary["places_count"]
    curve = summary["concentration_curve"]
    assert len(curve) <= 100
    assert (curve[-1]["places_share"], curve[-1]["incidents_share"]) == (1, pytest.approx(1))
    assert all(a["places_share"] < b["places_share"] for a, b in pairwise(curve))
    assert all(a["expected_share"] <= b["expected_share"] + 1e-12 for a, b in pairwise(curve))
    known = "with_incidents_only" if unit == "addresses" else "all"
    assert result.provenance.choices["places_known"] == known
    assert (summary["places_count"] == len(features)) == (known == "with_incidents_only")


def test_with_fewer_incidents_than_places_the_most_even_spread_is_no_concentration() -> None:
    cells = np.array([(i, j) for i in range(0, 20, 2) for j in range(0, 20, 2)])
    result = analysed(CORNER + cells * 300 + 150, unit="grids")
    assert result.summary["places_count"] == 400
    assert result.summary["gini"] == pytest.approx(0.75)
    assert result.summary["gini_generalised"] == pytest.approx(0, abs=1e-12)
    assert result.summary["gini_adjusted"] < 0, "more even than chance"
    assert result.summary["repeat_places_count"] == 0


def test_an_address_is_a_square_of_the_size_asked_for() -> None:
    points = CORNER + np.array([(101.0, 101.0), (104.0, 103.0), (111.0, 101.0), (500.0, 500.0)])
    small, large = (analysed(points, unit="addresses", address_m=side).features for side in (5, 25))
    assert small["incidents_count"].tolist() == [2, 1, 1]
    assert large["incidents_count"].tolist() == [3, 1]
    assert large.to_crs(PROFILE.metric_crs).area.to_numpy() == pytest.approx(625, rel=1e-3)


def test_a_street_holds_what_is_nearest_to_it_and_carries_its_name() -> None:
    streets = segments_of([(0, 100), (900, 100)], [(0, 300), (900, 300)], name_zh=["南街", "北街"])
    points = CORNER + np.array([(50.0, 110.0), (400.0, 120.0), (450.0, 290.0), (450.0, 200.0), (450.0, 700.0)])
    result = gis.eighty_twenty(incidents_at(points), segments=streets, profile=PROFILE, unit="segments")
    assert result.features["name_zh"].tolist() == ["南街", "北街"]
    assert result.features["incidents_count"].tolist() == [2, 1]
    assert left_out(result) == {"too_far_from_street": 2}
    assert result.features.to_crs(PROFILE.metric_crs).area.to_numpy() == pytest.approx(900 * 16, rel=1e-3)


@pytest.mark.parametrize("unit", ["segments", "lattice", "grids"])
def test_unequal_places_are_no_concentration_when_chance_knows_their_size(unit: str) -> None:
    # The west half in streets and grids of 200 m, the east half in ones of 1,000 m.
    at = [*range(0, 3_000, 200), *range(3_000, 7_000, 1_000)]
    streets = segments_of(*[[(a, y), (b, y)] for a, b in pairwise(at) for y in range(0, 6_001, 200)])
    columns = areas(*[(a, y, b, y + 300) for a, b in pairwise(at) for y in range(0, 6_000, 300)])
    columns = columns.assign(code=columns["source_id"], kind="comprehensive", valid_from=pd.Timestamp("2020-01-01"))
    # Where the area ends, cells are cut.
    area = areas((0, 0, 5_050, 5_050), code=["d"])
    points = anywhere(21, 4_000)
    if unit == "segments":
        points[:, 1] = np.round((points[:, 1] - SOUTH) / 200) * 200 + SOUTH
    result = {
        chance: gis.eighty_twenty(
            incidents_at(points), columns, streets, area, profile=PROFILE, unit=unit, chance=chance
        ).summary
        for chance in ("places", "size")
    }
    assert result["places"]["gini"] == result["size"]["gini"]
    assert result["size"]["gini_adjusted"] == pytest.approx(0, abs=0.02)
    assert result["places"]["gini_adjusted"] > result["size"]["gini_adjusted"] + 0.01


def test_the_planted_hotspots_of_the_demo_city_make_it_concentrated() -> None:
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    spot = next(s for s in truth if s["id"] == "rental_quarter")
    burglary = gis.eighty_twenty(city.incidents, city.grids, city.segments, city.districts, categories=["burglary"])
    assert burglary.summary["gini_adjusted"] > 0.4
    place = shapely.Point(spot["lon"], spot["lat"])
    top = burglary.features.head(10).to_crs(city.profile.metric_crs)
    centre = city.districts.set_geometry([place] * len(city.districts)).to_crs(city.profile.metric_crs).geometry.iloc[0]
    assert top.distance(centre).max() < 1.5 * spot["radius_m"]
    assert account_is_complete(burglary, 100_000)


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = incidents_at(anywhere(7, 300))
    frame.loc[0:9, "origin"] = "patrol"
    frame.loc[10:14, "geometry"] = None
    frame.loc[15:17, "geometry"] = shapely.Point(0, 0)
    result = gis.eighty_twenty(frame, districts=AREA, profile=PROFILE)
    assert left_out(result) == {"other_origin": 10, "no_location": 5, "outside_study_area": 3}
    assert account_is_complete(result, 300)
    old = grid_of(3).assign(code=[f"old{i}" for i in range(9)], valid_to=pd.Timestamp("2025-06-01"))
    new = grid_of(6).assign(valid_from=pd.Timestamp("2025-06-01"), valid_to=pd.NaT)
    grids = pd.concat([old, new], ignore_index=True)
    result = gis.eighty_twenty(frame, grids, profile=PROFILE, unit="grids")
    assert result.summary["places_count"] == 36
    assert ("grids", "not_in_force", 9) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]


@pytest.mark.parametrize("unit", UNITS)
def test_the_same_rows_give_the_same_result_in_any_order(unit: str) -> None:
    points = addresses(8, 300, 200)
    rows = np.random.default_rng(1).permutation(300)
    one, two = (analysed(some, unit=unit) for some in (points, points[rows]))
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.summary == two.summary


@pytest.mark.parametrize("unit", UNITS)
def test_no_incident_is_an_empty_map(unit: str) -> None:
    result = analysed(anywhere(10, 5), unit=unit, categories=["burglary"])
    assert len(result.features) == 0
    assert result.summary["incidents_count"] == 0
    assert result.summary["concentration_curve"] == []
    assert account_is_complete(result, 5)


@pytest.mark.parametrize("unit", UNITS)
def test_all_incidents_at_one_place(unit: str) -> None:
    result = analysed(np.tile(on_streets(11, 1) + 1, (40, 1)), unit=unit)
    assert result.features["incidents_count"].tolist() == [40]
    summary = result.summary
    assert summary["share_of_places_holding_80"] == pytest.approx(1 / summary["places_count"])
    assert summary["gini"] == pytest.approx(1 - 1 / summary["places_count"])
    json.dumps(dict(summary), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "grids"}, "the city has no grids"),
        ({"unit": "segments"}, "the city has no segments"),
        ({"unit": "persons"}, "unit"),
        ({"address_m": 100}, "address_m"),
        ({"draws": 1}, "draws"),
        ({"lattice_m": 5}, "lattice_m"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        gis.eighty_twenty(incidents_at(anywhere(12, 60)), profile=PROFILE, **options)


def test_chicago(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    by_address = gis.eighty_twenty(incidents, profile=CHICAGO, unit="addresses", draws=19)
    assert account_is_complete(by_address, 156_385)
    # Half of all incidents at 16 % of the addresses that had one, where chance would need 30 %.
    assert by_address.summary["share_of_places_holding_50"] == pytest.approx(0.161, abs=0.001)
    assert by_address.summary["expected_share_of_places_holding_50"] == pytest.approx(0.302, abs=0.002)
    by_beat = gis.eighty_twenty(incidents, chicago_beats(shared_data), profile=CHICAGO, unit="grids", draws=19)
    assert by_beat.summary["places_count"] == 275
    assert left_out(by_beat) == {"outside_study_area": 416}
    # With hundreds of incidents a beat chance plays hardly any part.
    assert by_beat.summary["gini"] == pytest.approx(0.2268, abs=1e-4)
    assert by_beat.summary["gini_by_chance"] < 0.03
