"""The automatic cell and the automatic reach."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from gis.kernels.cell_size import FEWEST_CELLS, MOST_CELLS, cell_size, nice_above
from gis.kernels.neighbour_distance import neighbour_distance


def test_points_strewn_evenly_have_about_one_place_a_cell() -> None:
    points = np.random.default_rng(0).uniform(0, 10_000, (2_000, 2))
    found = cell_size(points, 1e8)
    # The mean distance to the nearest of a Poisson process is 1 / (2 sqrt(density)).
    assert found.nearest_m == pytest.approx(0.5 / np.sqrt(2_000 / 1e8), rel=0.05)
    assert found.why == "nearest_places"
    assert found.size_m == nice_above(2 * found.nearest_m) == 250


def test_places_count_once_however_often_something_happens_there() -> None:
    points = np.random.default_rng(1).uniform(0, 10_000, (500, 2))
    again = np.concatenate([points, np.repeat(points[:5], 1_000, axis=0)])
    assert cell_size(again, 1e8) == cell_size(points, 1e8)


@pytest.mark.parametrize(("spread", "why"), [(50, "most_cells"), (1_000_000, "fewest_cells")])
def test_the_number_of_cells_has_limits(spread: float, why: str) -> None:
    points = np.random.default_rng(2).uniform(0, spread, (300, 2))
    found = cell_size(points, 1e8)
    assert found.why == why
    cells = 1e8 / found.size_m**2
    assert cells <= MOST_CELLS if why == "most_cells" else 0.4 * FEWEST_CELLS < cells <= FEWEST_CELLS


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.zeros((1, 2)), np.zeros((50, 2))])
def test_one_place_or_none_has_no_distance(points: np.ndarray) -> None:
    found = cell_size(points, 1e6)
    assert found.why == "fewest_cells"
    assert np.isnan(found.nearest_m)
    assert found.size_m == 100


@pytest.mark.parametrize(("size", "nice"), [(100, 100), (100.0001, 150), (80.1, 100), (8, 8), (0.17, 0.2), (2.6, 3)])
def test_sizes_a_person_would_choose(size: float, nice: float) -> None:
    assert nice_above(size) == pytest.approx(nice)


def lattice(side: int, cell_m: float) -> np.ndarray:
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    return np.column_stack([x.ravel(), y.ravel()]) * cell_m


def test_clusters_of_one_size_set_the_reach() -> None:
    centres = lattice(50, 200.0)
    hubs = np.random.default_rng(3).uniform(1_000, 9_000, (10, 2))
    values = np.random.default_rng(4).poisson(np.where(cKDTree(hubs).query(centres)[0] < 800, 8.0, 1.0))
    found = neighbour_distance(centres, values, cell_m=200.0)
    assert found.why == "autocorrelation_peak"
    assert 600 <= found.reach_m <= 1_500
    assert found.distances[:3].tolist() == [300, 500, 700]
    assert found.reach_m in found.distances


def test_without_clusters_the_reach_holds_a_few_places() -> None:
    centres = lattice(30, 200.0)
    found = neighbour_distance(centres, np.random.default_rng(5).poisson(3, 900), cell_m=200.0)
    assert found.why == "nearest_places"
    assert found.reach_m == pytest.approx(cKDTree(centres).query(centres, k=31)[0][:, -1].mean())
    few = neighbour_distance(centres[:40], np.random.default_rng(6).poisson(3, 40), cell_m=200.0)
    assert few.reach_m == pytest.approx(cKDTree(centres[:40]).query(centres[:40], k=9)[0][:, -1].mean())


def test_places_of_any_shape_start_at_their_eighth_nearest() -> None:
    centres = np.random.default_rng(7).uniform(0, 1_000, (200, 2))
    found = neighbour_distance(centres, np.arange(200))
    away = cKDTree(centres).query(centres, k=9)[0]
    assert found.distances[0] == pytest.approx(away[:, 8].mean())
    assert np.diff(found.distances) == pytest.approx(away[:, 1].mean())
