"""Incident clusters: scikit-learn's partition, what was planted, and no claim beyond it."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics import adjusted_rand_score

import gis
from gis.city.city import DEMO
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.chicago import CHICAGO, chicago_incidents
from tests.support.small_city import PROFILE, SOUTH, WEST, anywhere, incidents_at, left_out

CENTRES = np.array([WEST, SOUTH]) + np.array([(1_000.0, 1_000.0), (4_500.0, 1_500.0), (3_000.0, 5_000.0)])
SIZES = (40, 90, 60)


def three_groups(seed: int, spread_m: float = 60.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    groups = [centre + rng.normal(0, spread_m, (n, 2)) for centre, n in zip(CENTRES, SIZES, strict=True)]
    return np.concatenate([*groups, anywhere(seed, 100)])


def used(result: Result) -> int:
    return next(r.n_used for r in result.provenance.inputs if r.frame == "incidents")


def cluster_of(result: Result, points: np.ndarray) -> np.ndarray:
    """Return the cluster of each point by where it lies, -1 for none."""
    shapes = result.features.to_crs(PROFILE.metric_crs).geometry.to_numpy()
    found = np.full(len(points), -1)
    point, shape = shapely.STRtree(shapes).query(shapely.points(points), predicate="within")
    found[point] = shape
    return found


@pytest.mark.parametrize("options", [{"eps_m": 100, "min_incidents": 10}, {"algorithm": "hdbscan"}])
def test_three_planted_groups_are_found_by_size(options: dict[str, object]) -> None:
    points = three_groups(1)
    result = gis.incident_clusters(incidents_at(points), profile=PROFILE, **options)
    features = result.features
    assert features["code"].tolist() == ["c0001", "c0002", "c0003"]
    # What lies around a group by chance may come to it.
    assert (features["incidents_count"] - [90, 60, 40]).between(-6, 25).all()
    shapes = features.to_crs(PROFILE.metric_crs).geometry
    for shape, centre in zip(shapes, CENTRES[[1, 2, 0]], strict=True):
        assert shape.contains(shapely.Point(centre))
    summary = result.summary
    assert summary["clusters_count"] == 3
    assert summary["clustered_count"] == features["incidents_count"].sum()
    assert summary["clustered_count"] + summary["unclustered_count"] == summary["incidents_count"] == 290
    assert summary["largest_cluster_share"] == features["share"].max()
    assert features["membership"].notna().all() == (options.get("algorithm") == "hdbscan")
    json.dumps(dict(summary), allow_nan=False)


@settings(max_examples=15)
@given(st.integers(0, 1_000), st.integers(3, 30), st.floats(40, 300))
def test_the_partition_is_that_of_scikit_learn_on_the_bare_points(seed: int, few: int, eps: float) -> None:
    rng = np.random.default_rng(seed)
    points = three_groups(seed)
    # Half of the incidents at an address that another one has too.
    points[::2] = points[rng.integers(0, len(points), len(points[::2]))]
    ordered = points[np.lexsort(points.T[::-1])]
    result = gis.incident_clusters(incidents_at(ordered), profile=PROFILE, eps_m=eps, min_incidents=few)
    metric = incidents_at(ordered).to_crs(PROFILE.metric_crs)
    theirs = DBSCAN(eps=eps, min_samples=few).fit(shapely.get_coordinates(metric.geometry.to_numpy())).labels_
    sizes = np.sort(np.bincount(theirs[theirs >= 0])) if (theirs >= 0).any() else np.array([])
    assert result.features["incidents_count"].tolist() == sizes[::-1].tolist()
    assert result.summary["unclustered_count"] == (theirs < 0).sum()


@pytest.mark.parametrize("algorithm", ["dbscan", "hdbscan"])
def test_where_the_outlines_are_apart_each_incident_is_in_its_own(algorithm: str) -> None:
    points = three_groups(3)[:190]
    result = gis.incident_clusters(incidents_at(points), profile=PROFILE, algorithm=algorithm, eps_m=120)
    model = DBSCAN(eps=120, min_samples=20) if algorithm == "dbscan" else HDBSCAN(min_cluster_size=20, copy=True)
    theirs = model.fit(points).labels_
    inside = theirs >= 0
    assert adjusted_rand_score(theirs[inside], cluster_of(result, points)[inside]) == 1


@pytest.mark.parametrize("hull", ["concave", "convex"])
def test_an_outline_holds_its_incidents_and_an_address_has_an_area(hull: str) -> None:
    along, across = np.meshgrid(np.arange(60) * 10, np.arange(4) * 10)
    arm = np.column_stack([along.ravel(), across.ravel()])
    corner = np.unique(CENTRES[0] + np.concatenate([arm, arm[:, ::-1]]), axis=0)
    address = np.tile(CENTRES[2], (25, 1))
    points = np.concatenate([corner, address])
    result = gis.incident_clusters(incidents_at(points), profile=PROFILE, eps_m=60, min_incidents=5, hull=hull)
    n = len(corner)
    assert result.features["incidents_count"].tolist() == [n, 25]
    assert result.features["places_count"].tolist() == [n, 1]
    assert (cluster_of(result, points) == np.repeat([0, 1], [n, 25])).all()
    area = result.features["area_km2"]
    assert area[1] == pytest.approx(np.pi * 20**2 / 1e6, rel=0.02)
    # An L is half empty when its hull may not bend inwards.
    assert (area[0] > 0.15) == (hull == "convex")
    assert result.features["incidents_per_km2"][1] == pytest.approx(25 / area[1])


def test_times_and_the_most_frequent_category() -> None:
    frame = incidents_at(np.tile(CENTRES[0], (10, 1)))
    frame["category"] = ["theft"] * 3 + ["burglary"] * 3 + ["noise"] * 2 + ["fraud", "fire"]
    row = gis.incident_clusters(frame, profile=PROFILE, eps_m=50, min_incidents=5).features.iloc[0]
    assert (row["top_category"], row["top_category_share"]) == ("burglary", 0.3)
    assert row["first_at"] == pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
    assert row["last_at"] == pd.Timestamp("2025-01-10", tz="Asia/Shanghai")


def test_the_distance_chosen_gives_a_quarter_of_the_incidents_company() -> None:
    points = three_groups(4)
    result = gis.incident_clusters(incidents_at(points), profile=PROFILE, min_incidents=15)
    eps = result.summary["eps_m"]
    assert result.provenance.choices["distance"] == "nearest_neighbours"
    away = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    company = ((away <= eps).sum(axis=1) >= 15).mean()
    assert 0.25 <= company < 0.35
    again = gis.incident_clusters(incidents_at(points), profile=PROFILE, min_incidents=15, eps_m=eps)
    pd.testing.assert_frame_equal(pd.DataFrame(result.features), pd.DataFrame(again.features))


def test_the_planted_hotspots_of_the_demo_city_are_the_largest_clusters_of_their_kind() -> None:
    city = gis.City.demo()
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["hotspots"]
    for name, category in (("rental_quarter", "burglary"), ("east_cycle_park", "vehicle_theft")):
        spot = next(s for s in truth if s["id"] == name)
        features = gis.incident_clusters(city.incidents, categories=[category]).features
        place = gpd.GeoSeries([shapely.Point(spot["lon"], spot["lat"])], crs="EPSG:4326").to_crs(
            city.profile.metric_crs
        )
        metric = features.to_crs(city.profile.metric_crs)
        holding = metric[metric.contains(place[0])]
        assert holding.index.tolist() in ([0], [1]), name
        assert holding["incidents_count"].iloc[0] > 0.2 * spot["extra_count"]


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = incidents_at(three_groups(5))
    frame.loc[0:9, "origin"] = "patrol"
    frame.loc[10:14, "geometry"] = None
    result = gis.incident_clusters(frame, profile=PROFILE)
    assert left_out(result) == {"other_origin": 10, "no_location": 5}
    assert used(result) + 15 == 290
    abroad = frame.set_crs(None, allow_override=True).set_crs("EPSG:4326")
    abroad.loc[20:21, "geometry"] = shapely.Point(-80, 10)
    assert left_out(gis.incident_clusters(abroad, profile=CHICAGO, eps_m=100)).get("outside_study_area", 0) == 0


@pytest.mark.parametrize("algorithm", ["dbscan", "hdbscan"])
def test_the_same_rows_give_the_same_result_in_any_order(algorithm: str) -> None:
    frame = incidents_at(three_groups(6))
    one = gis.incident_clusters(frame, profile=PROFILE, algorithm=algorithm)
    two = gis.incident_clusters(frame.sample(frac=1, random_state=1), profile=PROFILE, algorithm=algorithm)
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features), rtol=1e-12)


@pytest.mark.parametrize("algorithm", ["dbscan", "hdbscan"])
@pytest.mark.parametrize("n", [0, 1, 19])
def test_too_few_incidents_make_no_cluster(algorithm: str, n: int) -> None:
    frame = incidents_at(three_groups(7)).assign(category=["burglary"] * n + ["theft"] * (290 - n))
    result = gis.incident_clusters(frame, profile=PROFILE, algorithm=algorithm, categories=["burglary"])
    assert len(result.features) == 0
    assert result.summary["incidents_count"] == result.summary["unclustered_count"] == n
    json.dumps(dict(result.summary), allow_nan=False)


def test_all_incidents_at_one_place() -> None:
    frame = incidents_at(np.tile(CENTRES[0], (40, 1)))
    result = gis.incident_clusters(frame, profile=PROFILE)
    assert result.features["incidents_count"].tolist() == [40]
    assert result.summary["eps_m"] == 10
    # HDBSCAN compares clusters with one another and never gives a single one.
    assert len(gis.incident_clusters(frame, profile=PROFILE, algorithm="hdbscan").features) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"eps_m": 0}, "eps_m"),
        ({"min_incidents": 1}, "min_incidents"),
        ({"algorithm": "optics"}, "algorithm"),
        ({"hull": "alpha"}, "hull"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParams, match=words):
        gis.incident_clusters(incidents_at(anywhere(8, 60)), profile=PROFILE, **options)


def test_chicago(shared_data: Path) -> None:
    incidents = chicago_incidents(shared_data)
    result = gis.incident_clusters(incidents, profile=CHICAGO, eps_m=150)
    assert used(result) == 156_385
    metric = incidents.to_crs(CHICAGO.metric_crs)
    points = shapely.get_coordinates(metric.geometry.to_numpy())
    theirs = DBSCAN(eps=150, min_samples=20).fit(points[np.lexsort(points.T[::-1])]).labels_
    assert result.features["incidents_count"].tolist() == np.sort(np.bincount(theirs[theirs >= 0]))[::-1].tolist()
    with pytest.raises(InvalidParams, match="50,000; choose fewer, or the algorithm dbscan"):
        gis.incident_clusters(incidents, profile=CHICAGO, algorithm="hdbscan")
    with pytest.raises(InvalidParams, match="pairs of places"):
        gis.incident_clusters(incidents, profile=CHICAGO, eps_m=3_000)
