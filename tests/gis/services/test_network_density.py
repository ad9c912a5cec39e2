"""Density along streets: what was planted lies densest, every row is accounted for, no weight is lost."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

import gis
from gis.city import codebook
from gis.city.city import DEMO
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST, account_is_complete, anywhere, incidents_at, left_out
from tests.support.streets import segments_of, street_grid

PORTO_ALEGRE = CityProfile("poa", Text("阿雷格里港", "Porto Alegre"), "EPSG:32722", "America/Sao_Paulo")


def on_streets(seed: int, n: int = 1_500, step_m: float = 200.0) -> np.ndarray:
    """Places along the streets of `street_grid`, each street alike."""
    rng = np.random.default_rng(seed)
    points = anywhere(seed, n) - np.array([WEST, SOUTH])
    side = rng.integers(0, 2, n)
    points[np.arange(n), side] = np.round(points[np.arange(n), side] / step_m) * step_m
    return points + np.array([WEST, SOUTH])


def test_the_planted_hotspots_of_the_demo_city_hold_the_densest_streets() -> None:
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    spot = next(s for s in truth if s["id"] == "rental_quarter")
    result = gis.network_density(city.incidents, city.segments, categories=["burglary"])
    assert result.provenance.choices["bandwidth"] == "cross_validation"
    place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(city.profile.metric_crs)
    densest = result.features[result.features["density_class"] == "hdr_10"].to_crs(city.profile.metric_crs)
    assert len(densest) > 10
    assert densest.distance(place[0]).max() < 2 * spot["radius_m"]
    assert result.summary["negative_share"] == 0
    assert account_is_complete(result, 100_000)


def test_the_density_of_all_pieces_is_all_incidents() -> None:
    streets, frame = street_grid(), incidents_at(on_streets(1))
    for options in ({}, {"split": "discontinuous"}, {"kernel": "epanechnikov"}, {"lixel_m": None}, {"lixel_m": 17}):
        result = gis.network_density(frame, streets, profile=PROFILE, bandwidth_m=250, **options)
        spread = result.features["density_per_km"] * result.features["length_m"] / 1_000
        assert spread.sum() == pytest.approx(1_500, rel=1e-6)
        assert result.features["share"].sum() == pytest.approx(1, rel=1e-6)
        assert account_is_complete(result, 1_500)
        table = pd.DataFrame(result.summary["by_density_class"])
        assert table["share"].sum() == pytest.approx(1, rel=1e-6)
        assert table["incidents_count"].sum() == 1_500
        held = table["share"].cumsum()
        assert (held[:5].to_numpy() >= [0.1, 0.25, 0.5, 0.75, 0.9]).all()
        assert table["length_share"].sum() <= 1 + 1e-9
        assert result.summary["streets_km"] == pytest.approx(2 * 31 * 6)
        json.dumps(dict(result.summary), allow_nan=False)


def test_pieces_come_densest_first_with_the_words_of_their_street() -> None:
    streets = street_grid().assign(name_zh="某街")
    features = gis.network_density(incidents_at(on_streets(2)), streets, profile=PROFILE, bandwidth_m=150).features
    assert features["density_per_km"].is_monotonic_decreasing
    assert features["rank"].tolist() == list(range(1, len(features) + 1))
    assert features["code"].is_unique
    assert set(features["density_class"]) <= set(codebook("density_classes"))
    assert (features["name_zh"] == "某街").all()
    assert features["name_en"].isna().all()
    assert (features["code"] == features["segment_code"] + "-" + features["code"].str.split("-").str[1]).all()
    metric = features.to_crs(PROFILE.metric_crs)
    assert metric.length.to_numpy() == pytest.approx(features["length_m"].to_numpy(), abs=0.01)


def test_whole_streets_hold_what_their_pieces_hold() -> None:
    streets, frame = street_grid(), incidents_at(on_streets(3))
    # A street with a side street half way: two edges, one street.
    streets = pd.concat([streets, segments_of([(300, 0), (300, 90)], source_id=["side"])], ignore_index=True)
    pieces, whole = (
        gis.network_density(frame, streets, profile=PROFILE, bandwidth_m=250, lixel_m=length).features
        for length in (20, None)
    )
    assert whole["code"].is_unique
    summed = pieces.groupby("segment_code")[["share", "incidents_count"]].sum()
    found = whole.set_index("code")[["share", "incidents_count"]]
    pd.testing.assert_frame_equal(found.sort_index(), summed.sort_index(), check_names=False, rtol=1e-6)


def test_only_streets_within_the_bandwidth_have_a_density() -> None:
    frame = incidents_at(np.array([[WEST + 3_000, SOUTH + 3_100]]))
    result = gis.network_density(frame, street_grid(), profile=PROFILE, bandwidth_m=300, split="discontinuous")
    metric = result.features.to_crs(PROFILE.metric_crs)
    assert metric.distance(shapely.Point(WEST + 3_000, SOUTH + 3_100)).max() < 300
    summary = result.summary
    assert summary["lixels_count"] == len(result.features)
    assert summary["lixels_count"] + summary["lixels_without_density_count"] == 2 * 31 * 30 * 4
    assert result.features["incidents_count"].sum() == 1
    assert summary["highest_density_per_km"] == pytest.approx(15 / 16 / 0.3, rel=0.02)


def test_a_bridge_carries_nothing_over() -> None:
    crossing = segments_of([(0, 500), (1_000, 500)], [(500, 0), (500, 1_000)])
    frame = incidents_at(np.array([[WEST + 450, SOUTH + 500]]))
    features = gis.network_density(frame, crossing, profile=PROFILE, bandwidth_m=300).features
    assert set(features["segment_code"]) == {"s0000"}


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    points = on_streets(4, 400)
    points[:30] = np.array([WEST + 2_300, SOUTH + 2_300])
    frame = incidents_at(points)
    frame.loc[30:39, "origin"] = "patrol"
    frame.loc[40:44, "geometry"] = None
    result = gis.network_density(frame, street_grid(), profile=PROFILE, bandwidth_m=200)
    assert left_out(result) == {"other_origin": 10, "no_location": 5, "too_far_from_street": 30}
    assert account_is_complete(result, 400)
    wide = gis.network_density(frame, street_grid(), profile=PROFILE, bandwidth_m=200, snap_m=150)
    assert "too_far_from_street" not in left_out(wide)
    tiny = segments_of([(0, 0), (0.3, 0)], source_id=["tiny"])
    streets = pd.concat([street_grid(), tiny.to_crs("EPSG:4326")], ignore_index=True)
    again = gis.network_density(frame, streets, profile=PROFILE, bandwidth_m=200)
    assert [(x.frame, x.reason, x.count) for x in again.provenance.left_out][-1] == ("segments", "too_short", 1)
    assert set(left_out(again)) | {"too_short"} <= set(codebook("left_out_reasons"))


def test_the_same_rows_give_the_same_result_in_any_order() -> None:
    frame, streets = incidents_at(on_streets(5)), street_grid()
    one = gis.network_density(frame, streets, profile=PROFILE)
    two = gis.network_density(
        frame.sample(frac=1, random_state=1), streets.sample(frac=1, random_state=2), profile=PROFILE
    )
    # Sums in another order may differ in their last digit, and so may places in a row of equals.
    columns = ["code", "density_per_km", "incidents_count"]
    one_by_code, two_by_code = (r.features[columns].sort_values("code", ignore_index=True) for r in (one, two))
    pd.testing.assert_frame_equal(pd.DataFrame(one_by_code), pd.DataFrame(two_by_code), rtol=1e-9)
    assert one.provenance.choices["bandwidth_m"] == two.provenance.choices["bandwidth_m"]


def test_the_bandwidth_follows_the_width_of_what_is_there() -> None:
    rng = np.random.default_rng(6)
    spots = np.array([WEST, SOUTH]) + rng.integers(3, 27, (6, 2)) * 200.0
    streets = street_grid()

    def chosen(width_m: float) -> float:
        points = spots[rng.integers(0, 6, 900)].copy()
        points[np.arange(900), rng.integers(0, 2, 900)] += rng.normal(0, width_m, 900)
        result = gis.network_density(incidents_at(points), streets, profile=PROFILE)
        tried = result.provenance.choices["bandwidths_tried"]
        assert result.summary["bandwidth_m"] == max(tried, key=lambda t: t["mean_log_density"])["bandwidth_m"]
        return float(result.summary["bandwidth_m"])

    assert chosen(20) == 100
    assert chosen(300) > 100


def test_few_incidents_take_the_plain_bandwidth() -> None:
    result = gis.network_density(incidents_at(on_streets(7, 30)), street_grid(), profile=PROFILE)
    assert result.provenance.choices["bandwidth"] == "too_few_to_choose"
    assert result.summary["bandwidth_m"] == 300
    one_day = incidents_at(on_streets(7, 300), occurred_at=pd.Timestamp("2025-03-01T10:00Z"))
    assert gis.network_density(one_day, street_grid(), profile=PROFILE).summary["bandwidth_m"] == 300


@pytest.mark.parametrize("options", [{"categories": ["burglary"]}, {"snap_m": 0.001}])
def test_nothing_to_spread_is_an_empty_map(options: dict[str, object]) -> None:
    off_street = on_streets(8, 20) + 3.3
    result = gis.network_density(incidents_at(off_street), street_grid(), profile=PROFILE, **options)
    assert len(result.features) == 0
    assert result.summary["incidents_count"] == 0
    assert result.summary["bandwidth_m"] is None
    assert account_is_complete(result, 20)
    json.dumps(dict(result.summary), allow_nan=False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"bandwidth_m": 5}, "bandwidth_m"),
        ({"bandwidth_m": 90_000}, "bandwidth_m"),
        ({"lixel_m": 0}, "lixel_m"),
        ({"kernel": "gaussian"}, "kernel"),
        ({"split": "simple"}, "split"),
        ({"snap_m": -1}, "snap_m"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        gis.network_density(incidents_at(on_streets(9, 50)), street_grid(), profile=PROFILE, **options)


def test_a_city_without_streets_is_told_so() -> None:
    with pytest.raises(InvalidParams, match="no street"):
        gis.network_density(incidents_at(on_streets(10, 50)), street_grid().head(0), profile=PROFILE)


def test_a_real_city_of_many_short_streets(shared_data: Path) -> None:
    lines = pyogrio.read_dataframe(
        shared_data / "streets/porto_alegre/poa_osm.pbf",
        layer="lines",
        columns=["osm_id", "highway"],
        where="highway is not null",
    )
    streets = gpd.GeoDataFrame(
        {"source_id": lines["osm_id"], "road_class": "local", "oneway": False}, geometry=lines.geometry, crs="EPSG:4326"
    )
    rng = np.random.default_rng(0)
    xy = shapely.get_coordinates(streets.to_crs(PORTO_ALEGRE.metric_crs).geometry.to_numpy())
    points = xy[rng.integers(0, len(xy), 20_000)] + rng.normal(0, 15, (20_000, 2))
    frame = incidents_at(points[:1]).iloc[np.zeros(20_000, int)].reset_index(drop=True)
    frame = frame.set_geometry(gpd.points_from_xy(*points.T, crs=PORTO_ALEGRE.metric_crs).to_crs("EPSG:4326"))
    result = gis.network_density(
        frame.assign(source_id=[f"i{i}" for i in range(20_000)]), streets, profile=PORTO_ALEGRE, bandwidth_m=300
    )
    used = result.summary["incidents_count"]
    assert used > 19_000
    assert result.summary["negative_share"] == 0
    assert result.features["share"].sum() == pytest.approx(1, abs=1e-6)
    assert result.summary["streets_km"] == pytest.approx(2_020, abs=1)
