"""Hotspots by ground, households and local Moran; what the service chooses by itself; ranks and order of the list."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely

import gis
from gis.errors import InvalidParams
from gis.services.hotspots import HOTSPOTS
from tests.support.small_city import (
    PROFILE,
    SIDE_M,
    SOUTH,
    START,
    WEST,
    account_is_complete,
    anywhere,
    areas,
    grid_of,
    incidents_at,
    left_out,
)

WHOLE = areas((0, 0, SIDE_M, SIDE_M), code=["d"])


def planted(seed: int, x: float, y: float, n: int = 250) -> np.ndarray:
    return np.array([WEST + x, SOUTH + y]) + np.random.default_rng(seed).normal(0, 150, (n, 2))


def blocks_of(side: int, households: np.ndarray) -> gpd.GeoDataFrame:
    step = SIDE_M / side
    boxes = [(i * step, j * step, (i + 1) * step, (j + 1) * step) for j in range(side) for i in range(side)]
    return areas(*boxes, code=[f"b{i}" for i in range(side * side)], households_count=households)


def strewn(area: shapely.Geometry, n: int, seed: int) -> np.ndarray:
    """Return n points evenly over an area."""
    west, south, east, north = area.bounds
    rng = np.random.default_rng(seed)
    shapely.prepare(area)
    points = rng.uniform((west, south), (east, north), (4 * n, 2))
    return points[shapely.intersects_xy(area, *points.T)][:n]


def test_incidents_strewn_over_a_real_outline_are_neither_hot_nor_cold_at_its_border() -> None:
    city = gis.City.demo()
    crs = city.profile.metric_crs
    outline = shapely.union_all(city.districts.to_crs(crs).geometry.to_numpy())
    dry = shapely.difference(outline, shapely.union_all(city.water_areas.to_crs(crs).geometry.to_numpy()))
    hot = cold = border = alarmed = 0
    for seed in range(8):
        points = gpd.points_from_xy(*strewn(dry, 20_000, seed).T, crs=crs)
        frame = gpd.GeoDataFrame(
            {"source_id": [f"i{i}" for i in range(len(points))], "occurred_at": START, "category": "theft"},
            geometry=points.to_crs("EPSG:4326"),
        )
        result = gis.hotspots(
            frame, districts=city.districts, water_areas=city.water_areas, profile=city.profile, alpha=0.1
        )
        thin = result.features[result.features["area_km2"] < 0.99 * 0.09]
        border += len(thin)
        cold += int(((thin["z"] < 0) & (thin["p"] <= 0.1)).sum())
        hot += int(((thin["z"] > 0) & (thin["p"] <= 0.1)).sum())
        alarmed += int((result.features["significance"] != "not_significant").any())
        assert result.provenance.choices["tested"] == "counts_on_ground"
        assert account_is_complete(result, 20_000)
    # Two-sided 0.1 is 0.05 on either side.
    assert border > 2_000
    assert 0.03 < cold / border < 0.06
    assert 0.03 < hot / border < 0.06
    assert alarmed <= 3


def test_the_border_of_the_demo_city_is_cold_only_where_less_happens_on_its_ground() -> None:
    city = gis.City.demo()
    result = gis.hotspots(city.incidents, districts=city.districts, water_areas=city.water_areas)
    features = result.features
    cold = features[features["significance"].str.startswith("cold")]
    assert cold["pai"].median() < 0.7
    # Corners with hardly any ground are not cold for want of it.
    thin = features[features["area_km2"] < 0.3 * 0.09]
    assert len(thin) > 50
    assert thin["significance"].str.startswith("cold").mean() < 0.2
    ground = float(features["area_km2"].sum())
    water = city.water_areas.to_crs(city.profile.metric_crs)
    outline = city.districts.to_crs(city.profile.metric_crs).union_all()
    assert ground == pytest.approx((outline.area - water.union_all().intersection(outline).area) / 1e6, rel=1e-3)


def test_a_lake_is_no_cold_spot() -> None:
    lake = areas((1_500, 1_500, 3_600, 3_600), source_id=["lake"])
    outside = shapely.difference(
        shapely.box(WEST, SOUTH, WEST + SIDE_M, SOUTH + SIDE_M),
        shapely.box(WEST + 1_500, SOUTH + 1_500, WEST + 3_600, SOUTH + 3_600),
    )
    frame = incidents_at(strewn(outside, 4_000, 1))
    with_lake = gis.hotspots(frame, districts=WHOLE, water_areas=lake, profile=PROFILE)
    without = gis.hotspots(frame, districts=WHOLE, profile=PROFILE)
    assert without.features["significance"].str.startswith("cold").sum() > 20
    assert not with_lake.features["significance"].str.startswith("cold").any()
    assert with_lake.provenance.choices["cells_without_ground_count"] == 49
    assert with_lake.summary["area_km2"] == pytest.approx(36 - 2.1**2)
    bridge = np.vstack([strewn(outside, 4_000, 1), [[WEST + 2_550, SOUTH + 2_550]]])
    crossed = gis.hotspots(incidents_at(bridge), districts=WHOLE, water_areas=lake, profile=PROFILE)
    assert account_is_complete(crossed, 4_001)
    assert crossed.provenance.choices["cells_without_ground_count"] == 48


def test_many_homes_are_no_hotspot_per_household() -> None:
    households = np.full(144, 50)
    crowded = [i + 12 * j for i in (3, 4, 5) for j in (3, 4, 5)]
    households[crowded] = 600
    grids = grid_of(12, households_count=households)
    centres = np.array([(WEST + 500 * (i % 12) + 250, SOUTH + 500 * (i // 12) + 250) for i in range(144)])
    options = {"profile": PROFILE, "unit": "grids"}
    alarmed = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        home = rng.choice(144, 6_000, p=households / households.sum())
        frame = incidents_at(centres[home] + rng.uniform(-240, 240, (6_000, 2)))
        assert gis.hotspots(frame, grids, **options).summary["hot_places_count"] >= 4
        rated = gis.hotspots(frame, grids, **options, measure="per_household")
        alarmed += rated.summary["hot_places_count"] > 0
    # One city in forty gives a false alarm on the hot side: three of ten hardly ever do.
    assert alarmed <= 2
    assert rated.provenance.choices["tested"] == "standardised_rates"
    assert rated.provenance.choices["inference"] == "exact"
    assert rated.summary["mean_rate"] == pytest.approx(1_000 * 6_000 / households.sum())
    features = rated.features.set_index("code").sort_index()
    assert features["rate"].to_numpy() == pytest.approx(1_000 * features["incidents_count"] / households)
    assert features["rate_smoothed"].std() < features["rate"].std()


def test_places_without_households_are_left_out_and_counted() -> None:
    households = np.full(36, 100.0)
    households[[0, 7]] = 0
    households[35] = np.nan
    grids = grid_of(6, households_count=households)
    result = gis.hotspots(incidents_at(anywhere(4)), grids, profile=PROFILE, unit="grids", measure="per_household")
    assert len(result.features) == 33
    gone = {(x.frame, x.reason): x.count for x in result.provenance.left_out}
    assert gone["grids", "no_households"] == 3
    assert gone["incidents", "no_households"] > 0
    assert account_is_complete(result, 3_000)


def test_cells_have_the_households_of_their_part_of_each_block() -> None:
    households = np.random.default_rng(5).integers(0, 80, 100)
    households[:10] = 0
    result = gis.hotspots(
        incidents_at(anywhere(6)),
        districts=WHOLE,
        blocks=blocks_of(10, households),
        profile=PROFILE,
        measure="per_household",
        lattice_m=400,
    )
    features = result.features
    assert features["rate_smoothed"].notna().all()
    # Cells with less than one household take theirs with them.
    used = features["incidents_count"].sum()
    assert result.summary["mean_rate"] == pytest.approx(1_000 * used / households.sum(), rel=2e-3)
    # The southern row of cells lies in blocks without households, the next one half so.
    assert left_out(result).keys() == {"no_households"}
    assert len(features) < 225
    assert account_is_complete(result, 3_000)


def test_incidents_for_the_area() -> None:
    frame = incidents_at(np.concatenate([anywhere(7), planted(8, 2_000, 4_000)]))
    count = gis.hotspots(frame, districts=WHOLE, profile=PROFILE).features.set_index("code")
    area = gis.hotspots(frame, districts=WHOLE, profile=PROFILE, measure="per_km2").features.set_index("code")
    assert area["p"].loc[count.index].tolist() == count["p"].tolist()
    assert area["rate"].to_numpy() == pytest.approx(area["incidents_count"] / area["area_km2"])
    assert count["rate"].isna().all()
    grids = gis.hotspots(frame, grid_of(12), profile=PROFILE, unit="grids", measure="per_km2")
    assert grids.provenance.choices["tested"] == "standardised_rates"
    assert grids.features["hot"].any()


def test_local_moran_tells_a_cluster_from_a_place_that_stands_out() -> None:
    alone = np.array([WEST + 4_650, SOUTH + 1_350]) + np.random.default_rng(9).uniform(-140, 140, (80, 2))
    frame = incidents_at(np.concatenate([anywhere(10), planted(11, 2_000, 4_000, 400), alone]))
    options = {"districts": WHOLE, "profile": PROFILE, "statistic": "local_moran"}
    result = gis.hotspots(frame, **options, correction="none")
    assert result.summary["by_significance"]["high_high"] >= 4
    strict = gis.hotspots(frame, **options)
    high = strict.features[strict.features["hot"]]
    assert (high["significance"] == "high_high").all()
    away = high.to_crs(PROFILE.metric_crs).geometry.centroid.distance(shapely.Point(WEST + 2_000, SOUTH + 4_000))
    assert len(high) >= 3
    assert (away < 900).all()
    # A busy cell among ordinary ones is no cluster: its neighbours are not busy.
    busy = strict.features.sort_values("incidents_count").tail(12)
    lonely = busy[busy.to_crs(PROFILE.metric_crs).contains(shapely.Point(WEST + 4_650, SOUTH + 1_350))]
    assert len(lonely) == 1
    assert not lonely["hot"].item()
    assert strict.features["local_i"].notna().all()
    low = gis.hotspots(frame, **options, alternative="less", correction="none").summary["by_significance"]
    assert not {"high_high", "low_high"} & low.keys()


def test_cell_and_reach_are_chosen_and_the_choice_is_told() -> None:
    frame = incidents_at(np.concatenate([anywhere(12, 1_500), planted(13, 2_000, 4_000)]))
    result = gis.hotspots(frame, districts=WHOLE, profile=PROFILE, lattice_m=None, reach="auto")
    choices = result.provenance.choices
    assert choices["lattice_m"] == 150
    assert choices["lattice_m_why"] == "nearest_places"
    assert 2 * choices["nearest_place_m"] <= 150
    assert choices["neighbours_why"] == "autocorrelation_peak"
    tried = result.summary["autocorrelation"]
    assert [entry["distance_m"] for entry in tried] == [225 + 150 * i for i in range(10)]
    z = [entry["z"] for entry in tried]
    peak = next(i for i in range(9) if z[i] > z[i + 1])
    assert choices["reach_m"] == tried[peak]["distance_m"]
    assert result.features["code"].str.startswith("s150:").all()
    assert json.dumps(result.summary)
    given = gis.hotspots(frame, districts=WHOLE, profile=PROFILE, reach="auto", reach_m=500)
    assert "neighbours_why" not in given.provenance.choices
    assert given.provenance.choices["neighbours"] == "centres within 500 m"
    by_grid = gis.hotspots(frame, grid_of(12), profile=PROFILE, unit="grids", reach="auto")
    assert by_grid.provenance.choices["reach_m"] > 500


def test_the_list_goes_from_hot_to_cold() -> None:
    empty = anywhere(14)
    away = np.hypot(*(empty - np.array([WEST + 4_500, SOUTH + 1_500])).T) > 900
    frame = incidents_at(np.concatenate([empty[away], planted(15, 2_000, 4_000)]))
    features = gis.hotspots(frame, districts=WHOLE, profile=PROFILE).features
    kinds = features["significance"].str.split("_").str[0].tolist()
    assert [kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before] == ["hot", "not", "cold"]
    levels = features["significance"].str[-2:].where(features["significance"] != "not_significant")
    hot, cold = (features["significance"].str.startswith(kind) for kind in ("hot", "cold"))
    assert levels[hot].is_monotonic_decreasing
    assert levels[cold].is_monotonic_increasing
    assert features.groupby("significance", sort=False)["rank"].apply(lambda r: r.is_monotonic_increasing).all()


def test_ranks_and_densities_of_places() -> None:
    result = gis.hotspots(
        incidents_at(np.concatenate([anywhere(16), planted(17, 2_000, 4_000)])), districts=WHOLE, profile=PROFILE
    )
    features = result.features
    counts = features["incidents_count"].to_numpy()
    assert features["rank"].tolist() == [1 + int((counts > own).sum()) for own in counts]
    assert (features["rank_low"] <= features["rank"]).all()
    assert (features["rank"] <= features["rank_high"]).all()
    busiest = features[features["rank"] == 1].iloc[0]
    assert busiest["rank_high"] - busiest["rank_low"] < 10
    middle = features[features["rank"].between(150, 250)]
    assert (middle["rank_high"] - middle["rank_low"]).min() > 100
    share = features["area_km2"] / features["area_km2"].sum()
    assert (features["pai"] * share).sum() == pytest.approx(1)
    hot = features["hot"]
    pai = counts[hot].sum() / counts.sum() / share[hot].sum()
    assert result.summary["pai_of_hot"] == pytest.approx(pai)
    assert list(features.columns) == [*HOTSPOTS.names, "geometry"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"measure": "per_household"}, "blocks"),
        ({"measure": "per_household", "unit": "grids"}, "grids"),
        ({"measure": "per_person"}, "measure"),
        ({"reach": "far"}, "reach"),
        ({"statistic": "moran"}, "statistic"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(options: dict[str, object], words: str) -> None:
    grids = grid_of(6) if options.get("unit") == "grids" else None
    with pytest.raises(InvalidParams, match=words):
        gis.hotspots(incidents_at(anywhere(18, 300)), grids, profile=PROFILE, **options)


def test_no_households_at_all_is_refused_in_words() -> None:
    blocks = blocks_of(4, np.zeros(16, dtype=int))
    with pytest.raises(InvalidParams, match="no place has a known number of households"):
        gis.hotspots(
            incidents_at(anywhere(19, 300)), districts=WHOLE, blocks=blocks, profile=PROFILE, measure="per_household"
        )


def test_one_point_is_too_few_places_also_for_an_automatic_cell() -> None:
    with pytest.raises(InvalidParams, match="places"):
        gis.hotspots(incidents_at(np.full((50, 2), (WEST, SOUTH))), profile=PROFILE, lattice_m=None)
