"""The detector: right about the files of Suzhou, undecided where it cannot know."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.crs import detect, wgs84_to_bd09, wgs84_to_gcj02

TABLE = [
    ("district_tianditu_wgs84.geojson", "wgs84", (78, 304, 724)),
    ("district_amap_wgs84.geojson", "wgs84", (40, 280, 657)),
    ("dirty_echarts_gcj02.geojson", "gcj02", (325, 48, 532)),
]
AS_READ = {"wgs84": lambda points: points, "gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}


@pytest.mark.parametrize(("file", "verdict", "medians"), TABLE)
def test_the_public_borders_of_suzhou(shared_data: Path, file: str, verdict: str, medians) -> None:
    folder = shared_data / "suzhou"
    reference = pd.read_csv(folder / "osm_huqiu_boundary_sample.csv", comment="#").to_numpy()
    districts = gpd.read_file(folder / file)
    names = districts.drop(columns="geometry").astype(str).agg(" ".join, axis=1)
    huqiu = districts[names.str.contains("虎丘区")].geometry.to_numpy()
    assert len(huqiu) == 1
    found = detect(reference, huqiu)
    assert found.verdict == verdict
    assert [found.medians_m[k] for k in ("wgs84", "gcj02", "bd09")] == pytest.approx(medians, abs=1)
    assert found.reference_count == 66


def wandering_border(seed: int, n: int = 400) -> np.ndarray:
    """Return a closed border (n, 2) in degrees some 8 km across, without straight runs."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    waves = sum(rng.normal(0, 0.004) * np.sin(k * angle + rng.uniform(0, 6)) for k in (2, 3, 5, 9))
    radius = 0.04 + waves
    return np.column_stack([120.6 + radius * np.cos(angle), 31.3 + radius * np.sin(angle)])


@pytest.mark.parametrize("truth", list(AS_READ))
@given(seed=st.integers(0, 50))
def test_a_border_is_recognised_in_every_system(truth: str, seed: int) -> None:
    border = wandering_border(seed)
    layer = np.array([shapely.Polygon(AS_READ[truth](border))])
    found = detect(border[::3], layer)
    assert found.verdict == truth
    assert found.medians_m[truth] < 1


def test_streets_work_as_well_as_borders() -> None:
    border = wandering_border(3)
    lines = np.array(
        [shapely.LineString(wgs84_to_gcj02(border[:200])), shapely.LineString(wgs84_to_gcj02(border[199:]))]
    )
    assert detect(border[::2], lines).verdict == "gcj02"
    assert detect(border[::2], shapely.points(wgs84_to_gcj02(border))).verdict == "gcj02"


def test_undecided_when_nothing_fits() -> None:
    border = wandering_border(4)
    moved = np.array([shapely.Polygon(border + np.array([0.003, 0.005]))])
    found = detect(border[::3], moved)
    assert found.verdict == "undecided"
    assert "would fit" in found.reason


def test_undecided_without_enough_to_compare() -> None:
    border = wandering_border(5)
    few = detect(border[:49], np.array([shapely.Polygon(border)]))
    assert few.verdict == "undecided"
    assert "49" in few.reason
    away = detect(border, np.array([shapely.box(-88, 41, -87, 42), None, shapely.Point()]))
    assert away.verdict == "undecided"
    assert not away.medians_m
