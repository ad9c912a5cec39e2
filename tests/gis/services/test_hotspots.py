"""Hotspots: what was planted is found, chance is not, every row is accounted for."""

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
from gis.errors import InvalidInput, InvalidParams
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


@pytest.mark.parametrize("cell", ["square", "hexagon"])
def test_a_planted_hotspot_is_found_and_no_other(cell: str) -> None:
    rng = np.random.default_rng(1)
    centre = np.array([WEST + 2_000, SOUTH + 4_000])
    points = np.concatenate([anywhere(2), centre + rng.normal(0, 150, (250, 2))])
    result = gis.hotspots(incidents_at(points), profile=PROFILE, cell=cell)
    hot = result.features[result.features["hot"]].to_crs(PROFILE.metric_crs)
    away = hot.geometry.centroid.distance(shapely.Point(centre))
    assert len(hot) >= 3
    assert away.min() < 250
    assert (away < 1_000).mean() >= 0.9
    assert result.summary["hot_places_count"] == len(hot)
    assert result.provenance.choices["inference"] == "exact"
    assert account_is_complete(result, len(points))


def test_a_shuffled_city_has_no_more_false_alarms_than_stated() -> None:
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    alarmed, single, places = 0, 0, 0
    for seed in range(20):
        shuffled = incidents_at(anywhere(100 + seed))
        result = gis.hotspots(shuffled, districts=area, profile=PROFILE, alternative="greater", alpha=0.05)
        alarmed += int(result.features["hot"].any())
        single += int((result.features["p"] <= 0.05).sum())
        places += len(result.features)
    # Corrected: a whole city gives an alarm in at most 5 % of cases (3 of 20 happens by chance in 7.5 %, 5 in 0.3 %).
    assert alarmed <= 4
    # Each place alone: at most 5 %, and not far below, or the test would be blind.
    assert 0.03 < single / places < 0.06


def is_hot(city: gis.City, spot: dict[str, Any], **options: object) -> bool:
    """Whether a hot cell lies within the planted radius, for one of the planted categories."""
    place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(city.profile.metric_crs)
    for category in spot["categories"]:
        features = gis.hotspots(
            city.incidents, districts=city.districts, categories=[category], lattice_m=200, **options
        ).features
        hot = features[features["hot"]].to_crs(city.profile.metric_crs)
        if not hot.empty and hot.distance(place[0]).min() <= spot["radius_m"]:
            return True
    return False


def test_the_planted_hotspots_of_the_demo_city_are_found() -> None:
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    assert len(truth) > 3
    reported = [spot for spot in truth if spot["origin"] == "public_report"]
    assert [spot["id"] for spot in reported if not is_hot(city, spot)] == []
    # Where only patrols find more, there is no hotspot; counting what they find would make one.
    patrolled = [spot for spot in truth if spot["origin"] == "patrol"]
    assert patrolled
    for spot in patrolled:
        assert not is_hot(city, spot)
        assert is_hot(city, spot, origins=["patrol"])


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    points = anywhere(3, 500)
    frame = incidents_at(points)
    frame.loc[0:9, "origin"] = "patrol"
    frame.loc[10:14, "origin"] = "inspection"
    frame["location_withheld"] = False
    frame.loc[10:24, "location_withheld"] = True
    frame.loc[25:29, "geometry"] = None
    frame.loc[30:33, "geometry"] = shapely.Point()
    frame.loc[34:39, "category"] = "burglary"
    frame.loc[40:41, "geometry"] = shapely.Point(0, 0)
    area = areas((0, 0, SIDE_M, SIDE_M), code=["d"])
    result = gis.hotspots(frame, districts=area, profile=PROFILE, categories=["theft"])
    assert left_out(result) == {
        "other_origin": 15,
        "location_withheld": 10,
        "no_location": 9,
        "other_category": 6,
        "outside_study_area": 2,
    }
    assert account_is_complete(result, 500)
    assert set(left_out(result)) <= set(codebook("left_out_reasons"))
    again = gis.hotspots(frame, districts=area, profile=PROFILE, origins=["patrol", "public_report", "inspection"])
    assert "other_origin" not in left_out(again)
    assert account_is_complete(again, 500)


def test_only_the_period_asked_for() -> None:
    frame = incidents_at(anywhere(4, 730))
    result = gis.hotspots(
        frame, profile=PROFILE, occurred_from="2025-03-01T00:00:00+08:00", occurred_before="2025-04-01T00:00:00+08:00"
    )
    assert left_out(result) == {"outside_period": 730 - 2 * 31}
    first, last = (pd.Timestamp(t) for t in result.provenance.period or ())
    assert first == pd.Timestamp("2025-03-01", tz="Asia/Shanghai")
    assert last == pd.Timestamp("2025-03-31", tz="Asia/Shanghai")
    with pytest.raises(InvalidParams):
        gis.hotspots(frame, occurred_from="2025-03-01")


def test_lines_and_areas_count_at_a_point_on_them() -> None:
    frame = incidents_at(anywhere(5, 400))
    metric = frame.to_crs(PROFILE.metric_crs)
    metric.loc[0:19, "geometry"] = metric.loc[0:19].buffer(20)
    result = gis.hotspots(metric.to_crs("EPSG:4326"), profile=PROFILE)
    plain = gis.hotspots(frame, profile=PROFILE)
    assert result.provenance.choices["extended_incidents_as_points"] == 20
    assert account_is_complete(result, 400)
    assert abs(result.features["incidents_count"].max() - plain.features["incidents_count"].max()) <= 1


def test_cells_of_two_runs_are_the_same_cells() -> None:
    whole = gis.hotspots(incidents_at(anywhere(6)), profile=PROFILE).features.set_index("code")
    points = anywhere(6)
    part = gis.hotspots(incidents_at(points[points[:, 0] < WEST + 3_000]), profile=PROFILE).features.set_index("code")
    common = whole.index.intersection(part.index)
    assert len(common) > 150
    assert shapely.equals_exact(whole.geometry[common].to_numpy(), part.geometry[common].to_numpy(), 1e-12).all()
    inner = part.index[part.to_crs(PROFILE.metric_crs).bounds["maxx"] < WEST + 2_900]
    assert (whole.loc[inner, "incidents_count"] == part.loc[inner, "incidents_count"]).all()


def test_an_island_is_marked_and_never_significant() -> None:
    grids = pd.concat([grid_of(4), areas((9_000, 0, 9_500, 500), code=["island"], kind="comprehensive")])
    grids = grids.assign(valid_from=pd.Timestamp("2020-01-01"))
    busy = np.array([WEST + 9_250, SOUTH + 250]) + np.random.default_rng(0).normal(0, 30, (500, 2))
    points = np.concatenate([anywhere(7, 800), busy])
    features = gis.hotspots(incidents_at(points), grids, profile=PROFILE, unit="grids").features.set_index("code")
    island = features.loc["island"]
    assert island["significance"] == "no_neighbours"
    assert island["incidents_count"] == 500
    assert not island["hot"]
    assert pd.isna([island["z"], island["p"], island["q"]]).all()
    assert features["p"].notna().sum() == 16


def test_grids_carry_their_names_and_a_border_point_counts_once() -> None:
    grids = grid_of(6)
    border = np.array([WEST + 1_000.0, SOUTH + 500.0])
    result = gis.hotspots(incidents_at(np.vstack([anywhere(8), border])), grids, profile=PROFILE, unit="grids")
    named = result.features.set_index("code")["name_zh"].sort_index()
    assert named.tolist() == grids["name_zh"].tolist()
    assert result.features["neighbours_count"].value_counts().to_dict() == {8: 16, 5: 16, 3: 4}
    assert account_is_complete(result, 3_001)
    # The four corners that meet in one point: the lowest code takes it.
    shared = incidents_at(anywhere(8))
    corner = grids.geometry[0].intersection(grids.geometry[7])
    assert corner.geom_type == "Point"
    more = pd.concat([shared, shared.head(1).assign(source_id="corner", geometry=[corner])])
    before = gis.hotspots(shared, grids, profile=PROFILE, unit="grids").features.set_index("code")["incidents_count"]
    after = gis.hotspots(more, grids, profile=PROFILE, unit="grids").features.set_index("code")["incidents_count"]
    assert (after - before)[lambda change: change != 0].to_dict() == {"g000": 1}


def test_only_grids_in_force_are_compared() -> None:
    old = grid_of(3).assign(code=[f"old{i}" for i in range(9)], valid_to=pd.Timestamp("2025-06-01"))
    new = grid_of(6).assign(valid_from=pd.Timestamp("2025-06-01"), valid_to=pd.NaT)
    grids = pd.concat([old, new], ignore_index=True)
    result = gis.hotspots(incidents_at(anywhere(9)), grids, profile=PROFILE, unit="grids")
    assert result.features["code"].str.startswith("g").all()
    assert len(result.features) == 36
    assert ("grids", "not_in_force", 9) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]
    before = gis.hotspots(
        incidents_at(anywhere(9)), grids, profile=PROFILE, unit="grids", occurred_before="2025-05-01T00:00:00+08:00"
    )
    assert before.features["code"].str.startswith("old").all()


def test_reach_widens_the_neighbourhood() -> None:
    frame = incidents_at(anywhere(10))
    near, far = (gis.hotspots(frame, profile=PROFILE, reach_m=r).features for r in (None, 900))
    assert near["neighbours_count"].max() == 8
    assert far["neighbours_count"].max() == 28
    assert (far["neighbourhood_count"] >= near["neighbourhood_count"]).all()


def test_one_side_and_no_correction() -> None:
    points = np.concatenate([anywhere(11), np.array([WEST + 3_000, SOUTH + 3_000]) + np.zeros((60, 2))])
    frame = incidents_at(points)
    both = gis.hotspots(frame, profile=PROFILE).features
    hot = gis.hotspots(frame, profile=PROFILE, alternative="greater").features
    cold = gis.hotspots(frame, profile=PROFILE, alternative="less").features
    plain = gis.hotspots(frame, profile=PROFILE, correction="none").features
    assert not hot["significance"].str.startswith("cold").any()
    assert not cold["significance"].str.startswith("hot").any()
    assert (hot["p"] <= both["p"]).any()
    assert (plain["significance"] != "not_significant").sum() > (both["significance"] != "not_significant").sum()
    for column, level in (("hot_99", 0.01), ("hot_95", 0.05), ("hot_90", 0.10)):
        chosen = both["significance"] == column
        assert (both.loc[chosen, "q"] <= level).all()
    assert set(both["significance"]) <= set(codebook("hotspot_classes"))


def test_permutation_and_exact_agree() -> None:
    spread = np.random.default_rng(12).normal(0, 250, (300, 2))
    frame = incidents_at(np.concatenate([anywhere(12), np.array([WEST + 2_000, SOUTH + 2_000]) + spread]))
    exact, drawn = (
        gis.hotspots(frame, profile=PROFILE, inference=way, permutations=1999, seed=4)
        for way in ("exact", "permutation")
    )
    assert drawn.provenance.choices["inference"] == "sweep"
    # The classes differ where p lies near a level, and with them the order of the list.
    p_exact, p_drawn = (result.features.set_index("code")["p"] for result in (exact, drawn))
    assert np.abs(p_exact - p_drawn).max() < 0.1
    assert p_exact.min() < 1 / 2000 <= p_drawn.min()


def test_few_incidents_are_marked() -> None:
    result = gis.hotspots(incidents_at(anywhere(13, 60)), profile=PROFILE)
    marked = result.features["small_n"]
    assert (marked == (result.features["neighbourhood_count"] < 5)).all()
    assert marked.any()
    assert result.summary["small_n_count"] == marked.sum()


def test_the_same_rows_give_the_same_result_in_any_order() -> None:
    frame = incidents_at(anywhere(14))
    one = gis.hotspots(frame, profile=PROFILE)
    two = gis.hotspots(frame.sample(frac=1, random_state=1), profile=PROFILE)
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.provenance == two.provenance


def test_the_list_begins_with_the_surest_and_within_a_class_with_the_most() -> None:
    city = gis.City.demo()
    features = gis.hotspots(city.incidents, city.grids, city.districts).features
    classes = list(dict.fromkeys(features["significance"]))
    assert classes == [
        c for c in ("hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99") if c in classes
    ]
    assert features.groupby("significance", sort=False)["rank"].apply(lambda r: r.is_monotonic_increasing).all()


def test_the_summary_adds_up() -> None:
    result = gis.hotspots(incidents_at(anywhere(15)), profile=PROFILE)
    summary = result.summary
    assert summary["places_count"] == len(result.features) == sum(summary["by_significance"].values())
    assert summary["incidents_count"] == result.features["incidents_count"].sum()
    assert result.features.crs == "EPSG:4326"
    json.dumps(result.provenance.as_dict())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"unit": "grids"}, "grids"),
        ({"lattice_m": 5_000}, "places"),
        ({"lattice_m": 5}, "lattice_m"),
        ({"reach_m": -1}, "reach_m"),
        ({"alpha": 0}, "alpha"),
        ({"origins": ["rumour"]}, "rumour"),
        ({"lattice": 300}, "lattice"),
        ({"categories": []}, "categories"),
        ({"categories": ["burglary"]}, "no incident"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        gis.hotspots(incidents_at(anywhere(16, 300)), profile=PROFILE, **options)


def test_a_lattice_too_fine_for_its_area_is_refused() -> None:
    far = np.vstack([anywhere(17, 50), [WEST + 300_000, SOUTH + 300_000]])
    with pytest.raises(InvalidParams, match="too fine"):
        gis.hotspots(incidents_at(far), profile=PROFILE, lattice_m=100)
    with pytest.raises(InvalidInput, match="permutation"):
        gis.hotspots(incidents_at(anywhere(17)), profile=PROFILE, lattice_m=100, reach_m=3_000, inference="exact")


def test_places_that_no_projection_reaches_are_outside() -> None:
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-87.7, -87.6, 400), rng.uniform(41.8, 41.9, 400)])
    frame = incidents_at(anywhere(18, 402)).set_geometry(
        gpd.points_from_xy(*np.vstack([points, [(0, 0), (0, 0)]]).T, crs="EPSG:4326")
    )
    result = gis.hotspots(frame, profile=CHICAGO)
    assert left_out(result) == {"outside_study_area": 2}
    assert account_is_complete(result, 402)


def test_chicago_by_lattice_and_by_beat(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    lattice = gis.hotspots(incidents, profile=CHICAGO, lattice_m=500)
    assert account_is_complete(lattice, 156_385)
    assert left_out(lattice) == {}
    assert lattice.provenance.choices["inference"] == "exact"
    assert lattice.summary["incidents_in_hot_share"] > 4 * lattice.summary["area_in_hot_share"]

    by_beat = gis.hotspots(incidents, chicago_beats(shared_data), profile=CHICAGO, unit="grids")
    assert len(by_beat.features) == 275
    assert left_out(by_beat) == {"outside_study_area": 416}
    assert by_beat.features["neighbours_count"].min() >= 1
    assert account_is_complete(by_beat, 156_385)
