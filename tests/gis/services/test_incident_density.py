"""Incident density: it adds up, its regions hold their shares, planted changes are found and chance is not."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import codebook
from gis.city.city import DEMO
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.chicago import CHICAGO, chicago_incidents
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, WEST, anywhere, areas, incidents_at, left_out

WHOLE = (0.0, 0.0, SIDE_M, SIDE_M)
HALVES = {
    "occurred_from": "2025-07-01T00:00+08:00",
    "compare_from": "2025-01-01T00:00+08:00",
    "compare_before": "2025-07-01T00:00+08:00",
}
REGIONS = ("hdr_10", "hdr_25", "hdr_50", "hdr_75", "hdr_90")


def estimated_count(result: Result, column: str = "density_per_km2") -> float:
    """Return the density added up over the ground of every cell."""
    side_km = result.summary["lattice_m"] / 1_000
    return float((result.features[column] * result.features["inside_share"]).sum() * side_km**2)


def account_is_complete(result: Result, n: int) -> bool:
    record = next(r for r in result.provenance.inputs if r.frame == "incidents")
    counted = result.summary["incidents_count"] + result.summary.get("compare_count", 0)
    return record.n_given == n and record.n_used == counted and counted + sum(left_out(result).values()) == n


@pytest.fixture(scope="module")
def city_area() -> gpd.GeoDataFrame:
    return areas(WHOLE, code=["d"])


@pytest.mark.parametrize("options", [{}, {"adaptive": True}, {"bandwidth_m": 150.0}, {"lattice_m": 500.0}])
def test_the_density_adds_up_to_the_incidents(options: dict[str, object], city_area: gpd.GeoDataFrame) -> None:
    """Exactly where every incident keeps its weight, and nearly where the surface is corrected."""
    for correction, error in (("jones_diggle", 1e-6), ("uniform", 0.02)):
        result = gis.incident_density(
            incidents_at(anywhere(1)), city_area, profile=PROFILE, edge_correction=correction, **options
        )
        assert estimated_count(result) == pytest.approx(3_000, rel=error)
        assert result.summary["estimated_count"] == pytest.approx(estimated_count(result))
        assert result.features["incidents_share"].sum() == pytest.approx(1)
        assert result.summary["area_km2"] == pytest.approx(36)
        assert account_is_complete(result, 3_000)


def test_an_even_city_is_even_up_to_its_border(city_area: gpd.GeoDataFrame) -> None:
    side = np.linspace(30, SIDE_M - 30, 100)
    even = np.array([WEST, SOUTH]) + np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    found = {
        how: gis.incident_density(incidents_at(even), city_area, profile=PROFILE, bandwidth_m=300, edge_correction=how)
        for how in ("uniform", "jones_diggle", "none")
    }
    mean = 10_000 / 36
    lowest = {how: result.features["density_per_km2"].min() / mean for how, result in found.items()}
    np.testing.assert_allclose(found["uniform"].features["density_per_km2"], mean, rtol=0.02)
    # In a corner: (log 2)^2 of it where every incident keeps its weight, a quarter where nothing is corrected.
    assert lowest["jones_diggle"] == pytest.approx(np.log(2) ** 2, rel=0.2)
    assert lowest["none"] == pytest.approx(0.25, rel=0.3)
    assert estimated_count(found["none"]) < 0.95 * 10_000


def test_the_densest_regions_hold_their_shares_in_the_least_area(city_area: gpd.GeoDataFrame) -> None:
    crowd = np.array([WEST + 2_000, SOUTH + 4_000]) + np.random.default_rng(2).normal(0, 300, (2_000, 2))
    result = gis.incident_density(incidents_at(np.concatenate([anywhere(2), crowd])), city_area, profile=PROFILE)
    features = result.features
    assert features["density_per_km2"].is_monotonic_decreasing
    ranks = features["density_class"].map({name: i for i, name in enumerate((*REGIONS, "rest"))})
    assert ranks.is_monotonic_increasing
    assert set(features["density_class"]) == set(codebook("density_classes"))
    for name, share, region in zip(
        REGIONS, (0.1, 0.25, 0.5, 0.75, 0.9), result.summary["highest_density_regions"], strict=True
    ):
        held = features[ranks <= REGIONS.index(name)]
        assert share <= held["incidents_share"].sum() < share + features["incidents_share"].max() + 1e-9
        assert region["density_class"] == name
        assert region["cells_count"] == len(held)
        assert region["incidents_share"] == pytest.approx(held["incidents_share"].sum())
    assert result.summary["highest_density_regions"][2]["area_share"] < 0.35
    top = features.iloc[:1].to_crs(PROFILE.metric_crs).geometry.centroid.iloc[0]
    assert np.hypot(top.x - WEST - 2_000, top.y - SOUTH - 4_000) < 250


def test_the_value_rests_on_as_many_incidents_as_it_says(city_area: gpd.GeoDataFrame) -> None:
    """Its relative error over many cities is one over the root of the effective number."""
    cities = [
        gis.incident_density(incidents_at(anywhere(seed)), city_area, profile=PROFILE, bandwidth_m=400, lattice_m=500)
        for seed in range(30)
    ]
    values = pd.concat([c.features.set_index("code")["density_per_km2"] for c in cities], axis=1)
    numbers = pd.concat([c.features.set_index("code")["effective_count"] for c in cities], axis=1)
    spread = (values.std(axis=1) / values.mean(axis=1)).median()
    assert spread == pytest.approx((1 / np.sqrt(numbers.mean(axis=1))).median(), rel=0.15)


def test_units_of_length_and_the_order_of_rows_do_not_matter(city_area: gpd.GeoDataFrame) -> None:
    frame = incidents_at(anywhere(3))
    one = gis.incident_density(frame, city_area, profile=PROFILE, **HALVES)
    two = gis.incident_density(frame.sample(frac=1, random_state=1), city_area, profile=PROFILE, **HALVES)
    pd.testing.assert_frame_equal(
        pd.DataFrame(one.features.set_index("code").drop(columns="geometry")),
        pd.DataFrame(two.features.set_index("code").drop(columns="geometry")),
        check_like=True,
    )
    assert one.provenance == two.provenance


def test_cells_of_two_runs_are_the_same_cells(city_area: gpd.GeoDataFrame) -> None:
    points = anywhere(4)
    whole = gis.incident_density(incidents_at(points), city_area, profile=PROFILE, lattice_m=300)
    part = gis.incident_density(
        incidents_at(points), areas((0, 0, 2_950, SIDE_M), code=["west"]), profile=PROFILE, lattice_m=300
    )
    one, two = (r.features.set_index("code").geometry for r in (whole, part))
    common = one.index.intersection(two.index)
    assert len(common) == len(two) > 150
    assert shapely.equals_exact(one[common].to_numpy(), two[common].to_numpy(), 1e-12).all()
    assert left_out(part) == {"outside_study_area": int((points[:, 0] > WEST + 2_950).sum())}
    assert account_is_complete(part, 3_000)


def test_nobody_is_counted_on_water_and_an_incident_on_a_bridge_is_not_lost(city_area: gpd.GeoDataFrame) -> None:
    river = areas((2_900, 0, 3_100, SIDE_M))
    lake = areas((4_000, 500, 5_900, 2_400))
    water = pd.concat([river, lake.assign(source_id="lake")], ignore_index=True)
    bridge = np.array([[WEST + 3_000, SOUTH + 3_000]])
    far_out = np.array([[WEST + 4_950, SOUTH + 1_450]])
    dry = anywhere(5)
    on_lake = (np.abs(dry - (WEST + 4_950, SOUTH + 1_450)) < 950).all(axis=1)
    frame = incidents_at(np.concatenate([dry[~on_lake], bridge, far_out]))
    result = gis.incident_density(
        frame, city_area, water, profile=PROFILE, bandwidth_m=150, lattice_m=100, edge_correction="jones_diggle"
    )
    ground = 36 - 0.2 * 6 - 1.9**2
    assert result.summary["area_km2"] == pytest.approx(ground, rel=1e-3)
    assert left_out(result) == {"outside_study_area": 1}
    assert estimated_count(result) == pytest.approx(len(frame) - 1, rel=1e-6)
    assert result.provenance.choices["water_left_out"] is True
    centres = result.features.to_crs(PROFILE.metric_crs).geometry.centroid
    assert not ((centres.x > WEST + 2_910) & (centres.x < WEST + 3_090)).any()


def test_without_districts_the_hull_of_the_incidents_is_widened_by_a_bandwidth() -> None:
    points = anywhere(6)
    result = gis.incident_density(
        incidents_at(points), profile=PROFILE, bandwidth_m=500, edge_correction="jones_diggle"
    )
    assert result.provenance.choices["study_area"] == "convex_hull_of_incidents"
    hull = shapely.convex_hull(shapely.multipoints(points)).buffer(500)
    assert result.summary["area_km2"] == pytest.approx(hull.area / 1e6, rel=0.01)
    assert estimated_count(result) == pytest.approx(3_000, rel=1e-6)


def test_the_choices_are_reported(city_area: gpd.GeoDataFrame) -> None:
    auto = gis.incident_density(incidents_at(anywhere(7)), city_area, profile=PROFILE)
    choices = auto.provenance.choices
    assert choices["bandwidth"] == "scott"
    assert choices["bandwidth_m"] == auto.summary["bandwidth_m"] == pytest.approx(1_732 / 3_000 ** (1 / 6), rel=0.05)
    assert choices["lattice_m"] == auto.summary["lattice_m"] == 60
    assert len(auto.features) <= 12_000
    assert choices["node_step_m"] <= choices["bandwidth_m"] / 14
    adaptive = gis.incident_density(incidents_at(anywhere(7)), city_area, profile=PROFILE, adaptive=True)
    narrowest, widest = (adaptive.provenance.choices[f"{end}_bandwidth_m"] for end in ("narrowest", "widest"))
    assert narrowest < choices["bandwidth_m"] < widest
    given = gis.incident_density(incidents_at(anywhere(7)), city_area, profile=PROFILE, bandwidth_m=321)
    assert (given.provenance.choices["bandwidth"], given.summary["bandwidth_m"]) == ("given", 321)
    json.dumps([auto.provenance.as_dict(), dict(auto.summary)])


def test_without_a_change_no_more_alarms_than_stated(city_area: gpd.GeoDataFrame) -> None:
    """The dates are shuffled: whatever differs between the periods is chance. One period is a sixth of the other."""
    crowd = np.array([WEST + 2_000, SOUTH + 4_000]) + np.random.default_rng(8).normal(0, 300, (1_000, 2))
    points = np.concatenate([anywhere(8), crowd])
    alarmed = 0
    for seed in range(20):
        frame = incidents_at(points[np.random.default_rng(seed).permutation(len(points))])
        options = HALVES if seed % 2 else {**HALVES, "occurred_before": "2025-08-01T00:00+08:00"}
        result = gis.incident_density(frame, city_area, profile=PROFILE, bandwidth_m=300, lattice_m=200, **options)
        alarmed += result.summary["up_cells_count"] + result.summary["down_cells_count"] > 0
        assert result.summary["tested_cells_count"] == len(result.features)
    # At most 5 % of the cities: four of 20 happen by chance in 1.6 %.
    assert alarmed <= 3


def test_what_was_added_and_what_was_taken_away_is_found(city_area: gpd.GeoDataFrame) -> None:
    rng = np.random.default_rng(9)
    came, went = (np.array([WEST + x, SOUTH + y]) for x, y in ((1_500, 1_500), (4_500, 4_500)))
    frame = incidents_at(
        np.concatenate([anywhere(9, 4_000), *(at + rng.normal(0, 200, (80, 2)) for at in (came, went))])
    )
    days = pd.Timedelta(days=1)
    frame.loc[4_000:4_079, "occurred_at"] = pd.Timestamp("2025-09-01", tz="Asia/Shanghai") + np.arange(80) * days
    frame.loc[4_080:4_159, "occurred_at"] = pd.Timestamp("2025-02-01", tz="Asia/Shanghai") + np.arange(80) * days
    result = gis.incident_density(frame, city_area, profile=PROFILE, bandwidth_m=250, lattice_m=100, **HALVES)
    features = result.features.to_crs(PROFILE.metric_crs)
    assert set(features["change_class"]) <= set(codebook("density_change_classes"))
    for place, word, sign in ((came, "up", 1), (went, "down", -1)):
        found = features[features["change_class"].str.startswith(word)]
        away = found.geometry.centroid.distance(shapely.Point(place))
        assert len(found) > 10
        assert (away < 900).mean() > 0.95
        assert away.min() < 100
        assert (np.sign(found["change_z"]) == sign).all()
        assert (np.sign(found["change_per_km2"]) == sign).all()
        assert (found["change_q"] <= 0.05).all()
        assert result.summary[f"{word}_cells_count"] == len(found)
        assert (found.loc[found["change_class"] == f"{word}_99", "change_q"] <= 0.01).all()
    assert account_is_complete(result, 4_160)


def test_the_other_period_is_scaled_to_the_length_of_the_first(city_area: gpd.GeoDataFrame) -> None:
    """Twice the month against the year so far; the map of the first period does not move."""
    july = {"occurred_from": "2025-07-01T00:00+08:00", "occurred_before": "2025-08-01T00:00+08:00"}
    against = {key: HALVES[key] for key in ("compare_from", "compare_before")}
    frame = incidents_at(anywhere(10))
    alone = gis.incident_density(frame, city_area, profile=PROFILE, **july)
    result = gis.incident_density(frame, city_area, profile=PROFILE, **july, **against)
    before = result.summary["compare_count"]
    assert (result.provenance.choices["period_days"], result.provenance.choices["compare_days"]) == (31, 181)
    assert estimated_count(result, "compare_per_km2") == pytest.approx(before * 31 / 181, rel=0.02)
    change = result.features["density_per_km2"] - result.features["compare_per_km2"]
    np.testing.assert_allclose(result.features["change_per_km2"], change, atol=1e-9)
    pd.testing.assert_frame_equal(
        pd.DataFrame(alone.features.iloc[:, :6]), pd.DataFrame(result.features.iloc[:, :6]), rtol=1e-9
    )
    assert alone.features["change_class"].isna().all()
    assert alone.features[["change_z", "change_q", "change_per_km2", "compare_per_km2"]].isna().all(axis=None)
    assert "compare_count" not in alone.summary


def test_the_planted_changes_of_the_demo_city_are_found() -> None:
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    years = {
        "emerging": ("2026-03-01", "2026-07-01", "2025-03-01", "2025-07-01", "up"),
        "vanished": ("2025-10-01", "2026-06-01", "2023-10-01", "2024-06-01", "down"),
    }
    for kind, (start, end, start_other, end_other, word) in years.items():
        spot = next(s for s in truth if s["kind"] == kind)
        result = gis.incident_density(
            city.incidents,
            city.districts,
            city.water_areas,
            categories=spot["categories"],
            occurred_from=f"{start}T00:00+08:00",
            occurred_before=f"{end}T00:00+08:00",
            compare_from=f"{start_other}T00:00+08:00",
            compare_before=f"{end_other}T00:00+08:00",
            bandwidth_m=250,
        )
        features = result.features.to_crs(city.profile.metric_crs)
        place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(features.crs)[0]
        found = features[features["change_class"] == f"{word}_99"]
        away = found.geometry.centroid.distance(place)
        assert away.min() < 100
        assert (away < 3 * spot["radius_m"]).mean() > 0.9
        opposite = {"up": "down", "down": "up"}[word]
        assert result.summary[f"{opposite}_cells_count"] < 0.1 * len(found)


def test_a_day_a_place_and_nothing(city_area: gpd.GeoDataFrame) -> None:
    frame = incidents_at(anywhere(11))
    day = {"occurred_from": "2025-03-01T00:00+08:00", "occurred_before": "2025-03-02T00:00+08:00"}
    few = gis.incident_density(frame, city_area, profile=PROFILE, **day)
    assert few.summary["incidents_count"] == 9
    assert estimated_count(few) == pytest.approx(9, rel=0.2)
    one = gis.incident_density(incidents_at(anywhere(12, 1)), profile=PROFILE, bandwidth_m=300)
    assert estimated_count(one) == pytest.approx(1, rel=0.3)
    place = np.repeat(anywhere(13, 1), 500, axis=0)
    same = gis.incident_density(incidents_at(place), city_area, profile=PROFILE, bandwidth_m=300, adaptive=True)
    assert same.summary["peak_per_km2"] == pytest.approx(500 / (2 * np.pi * 0.3**2), rel=0.02)
    never = {"occurred_from": "2031-01-01T00:00+08:00", "occurred_before": "2032-01-01T00:00+08:00"}
    nothing = gis.incident_density(frame, city_area, profile=PROFILE, bandwidth_m=300, **never)
    assert nothing.summary["incidents_count"] == 0
    assert (nothing.features["density_per_km2"] == 0).all()
    assert set(nothing.features["density_class"]) == {"rest"}
    assert left_out(nothing) == {"outside_period": 3_000}
    gone = gis.incident_density(
        frame, city_area, profile=PROFILE, bandwidth_m=300, **day, compare_from=never["occurred_from"],
        compare_before=never["occurred_before"],
    )  # fmt: skip
    assert gone.summary["compare_count"] == 0
    assert (gone.features["compare_per_km2"] == 0).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bandwidth_m": 0}, "bandwidth_m"),
        ({"bandwidth_m": 5}, "narrowest is"),
        ({"lattice_m": 10}, "too fine|narrow"),
        ({"edge_correction": "both"}, "edge_correction"),
        ({"compare_from": "2025-01-01T00:00+08:00"}, "both, or neither"),
        ({"compare_from": "2025-01-01T00:00+08:00", "compare_before": "2025-02-01T00:00+08:00"}, "overlap"),
        ({"alpha": 0}, "alpha"),
        ({"categories": ["fire"]}, "which one to take"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams) as refused:
        gis.incident_density(
            incidents_at(anywhere(14, 300)), areas((0, 0, 30_000, 30_000), code=["d"]), profile=PROFILE, **options
        )
    assert (
        pd.Series([refused.value.message, *(f"{p.field} {p.message}" for p in refused.value.problems)])
        .str.contains(words)
        .any()
    )


def test_where_there_is_nothing_to_look_at_it_says_so(city_area: gpd.GeoDataFrame) -> None:
    none = incidents_at(anywhere(15, 3)).iloc[:0]
    with pytest.raises(InvalidParams, match="no bandwidth"):
        gis.incident_density(none, city_area, profile=PROFILE)
    with pytest.raises(InvalidParams, match="no incident with a place"):
        gis.incident_density(none, profile=PROFILE, bandwidth_m=300)
    with pytest.raises(InvalidParams, match="no bandwidth"):
        gis.incident_density(incidents_at(np.repeat(anywhere(16, 1), 50, axis=0)), city_area, profile=PROFILE)
    flooded = areas((-100, -100, SIDE_M + 100, SIDE_M + 100))
    with pytest.raises(InvalidParams, match="no ground"):
        gis.incident_density(incidents_at(anywhere(17)), city_area, flooded, profile=PROFILE)


def test_places_that_no_projection_reaches_are_outside() -> None:
    points = np.random.default_rng(0).uniform((-87.7, 41.8), (-87.6, 41.9), (400, 2))
    frame = incidents_at(anywhere(18, 402)).set_geometry(
        gpd.points_from_xy(*np.vstack([points, [(0, 0), (0, 0)]]).T, crs="EPSG:4326")
    )
    result = gis.incident_density(frame, profile=CHICAGO)
    assert left_out(result) == {"outside_study_area": 2}
    assert account_is_complete(result, 402)


def test_chicago(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    result = gis.incident_density(
        incidents,
        profile=CHICAGO,
        bandwidth_m=400,
        occurred_from="2018-05-01T00:00-05:00",
        compare_from="2018-01-01T00:00-06:00",
        compare_before="2018-05-01T00:00-05:00",
    )
    assert account_is_complete(result, 156_385)
    assert estimated_count(result) == pytest.approx(result.summary["incidents_count"], rel=0.01)
    assert result.summary["highest_density_regions"][2]["area_share"] < 0.2
    # More happens in summer, nearly everywhere.
    assert result.summary["up_cells_count"] > 10 * result.summary["down_cells_count"] > 0
