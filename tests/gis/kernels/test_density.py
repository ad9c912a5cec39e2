"""Density on nodes: the exact sum in any unit, nothing lost, nothing coming round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KernelDensity

from gis.errors import InvalidInput
from gis.kernels.density import Cloud, Nodes, Smoother, bin_linear, kernel_density, read_linear

NODES = Nodes(-10.0, 5.0, 0.25, 61, 81)
"""20 wide and 15 high."""


def exact_sum(points: np.ndarray, places: np.ndarray, bandwidths: np.ndarray | float, *, power: int = 1) -> np.ndarray:
    """Return the sum of the kernels of all points at some places, one by one."""
    squared = np.broadcast_to(np.asarray(bandwidths, dtype=float) ** 2, len(points))
    apart = ((places[:, None] - points) ** 2).sum(axis=2)
    return ((np.exp(-0.5 * apart / squared) / (2 * np.pi * squared)) ** power).sum(axis=1)


def places_of(nodes: Nodes) -> np.ndarray:
    rows, columns = np.mgrid[: nodes.rows, : nodes.columns]
    return np.column_stack([nodes.west + columns.ravel() * nodes.step, nodes.south + rows.ravel() * nodes.step])


def points_in(nodes: Nodes, n: int, seed: int) -> np.ndarray:
    side = np.array([nodes.columns - 1, nodes.rows - 1]) * nodes.step
    return np.array([nodes.west, nodes.south]) + np.random.default_rng(seed).uniform(0, 1, (n, 2)) * side


@settings(max_examples=25)
@given(st.sampled_from([1e-3, 1.0, 1e3, 1e6]), st.floats(6.0, 14.0), st.integers(0, 10_000))
def test_it_is_the_exact_sum_in_any_unit(unit: float, steps: float, seed: int) -> None:
    nodes = Nodes(NODES.west * unit, NODES.south * unit, NODES.step * unit, NODES.rows, NODES.columns)
    points, bandwidth = points_in(nodes, 300, seed), steps * nodes.step
    surface = kernel_density(points, nodes, bandwidth)
    exact = exact_sum(points, places_of(nodes), bandwidth).reshape(nodes.shape)
    assert np.abs(surface - exact).max() < 1e-3 * exact.max()


def test_it_agrees_with_scikit_learn() -> None:
    points = points_in(NODES, 2_000, 1)
    tree = KernelDensity(bandwidth=3.0).fit(points)
    theirs = np.exp(tree.score_samples(places_of(NODES))).reshape(NODES.shape) * len(points)
    for precision in ("single", "double"):
        ours = kernel_density(points, NODES, 3.0, precision=precision)
        assert np.abs(ours - theirs).max() < 1e-4 * theirs.max()


@pytest.mark.parametrize("offset", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_all_at_one_place_is_one_kernel(offset: float, precision: str) -> None:
    """200,000 of them: sums in single precision alone would lose some."""
    place = np.array([0.0, 12.0]) + offset * NODES.step
    points = np.broadcast_to(place, (200_000, 2))
    surface = kernel_density(points, NODES, 14 * NODES.step, precision=precision)
    exact = len(points) * exact_sum(place[None], places_of(NODES), 14 * NODES.step).reshape(NODES.shape)
    assert np.abs(surface - exact).max() < 1e-3 * exact.max()


def test_shifting_by_whole_steps_shifts_the_surface() -> None:
    inner = Nodes(NODES.west + 4, NODES.south + 4, NODES.step, 20, 30)
    points = points_in(inner, 100, 2)
    here = kernel_density(points, NODES, 1.0, precision="double")
    there = kernel_density(points + np.array([3, -5]) * NODES.step, NODES, 1.0, precision="double")
    np.testing.assert_allclose(there[:-5, 3:], here[5:, :-3], atol=1e-12)


def test_mirrored_points_give_the_mirrored_surface() -> None:
    points = points_in(NODES, 200, 3)
    across = np.column_stack([2 * NODES.west + 20.0 - points[:, 0], points[:, 1]])
    here = kernel_density(points, NODES, 1.0, precision="double")
    there = kernel_density(across, NODES, 1.0, precision="double")
    np.testing.assert_allclose(there, here[:, ::-1], atol=1e-12)


def test_nothing_comes_round_from_the_other_side() -> None:
    corner = np.array([[NODES.west, NODES.south]])
    surface = kernel_density(corner, NODES, 1.0, precision="double")
    assert surface[0, 0] == pytest.approx(1 / (2 * np.pi), rel=1.1 / 6 / 4**2)
    assert surface[30:].max() < 1e-12
    assert surface[:, 30:].max() < 1e-12
    wide = kernel_density(corner, NODES, 40.0, precision="double")
    exact = exact_sum(corner, places_of(NODES), 40.0).reshape(NODES.shape)
    assert np.abs(wide - exact).max() < 1e-3 * exact.max()


def test_far_from_the_edge_the_integral_is_the_number_of_points() -> None:
    points = points_in(Nodes(-3.0, 10.0, 0.25, 21, 25), 500, 4)
    weights = np.random.default_rng(4).uniform(0, 2, 500)
    surface = kernel_density(points, NODES, 0.75, weights=weights)
    assert surface.sum() * NODES.step**2 == pytest.approx(weights.sum(), rel=1e-5)


def test_squares_of_kernels_and_mixed_bandwidths() -> None:
    points = points_in(NODES, 300, 5)
    bandwidths = np.where(np.arange(300) < 100, 2.0, 3.5)
    clouds = [Cloud(points[:100], 2.0), Cloud(points[100:], 3.5)]
    smoother = Smoother(NODES, 3.5, "double")
    for power in (1, 2):
        exact = exact_sum(points, places_of(NODES), bandwidths, power=power).reshape(NODES.shape)
        ours = smoother.density(clouds, power=power)
        assert np.abs(ours - exact).max() < 1e-3 * exact.max()
    assert (smoother.density([]) == 0).all()


def test_the_share_of_a_kernel_on_the_whole_plane_is_one_and_on_half_a_plane_half() -> None:
    mask = np.ones(NODES.shape, dtype=bool)
    near, wide = Smoother(NODES, 2.0, "double").shares(mask, [0.75, 2.0])
    assert near[30, 40] == pytest.approx(1.0, abs=1e-5)
    # On its border: half, and half of the node itself.
    assert near[30, 0] == pytest.approx(0.5 + NODES.step / 2 / (0.75 * np.sqrt(2 * np.pi)), rel=5e-3)
    assert 0 < wide[0, 0] < near[0, 0] < near[30, 0]


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_binning_keeps_weight_and_place_and_reading_undoes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, weights = points_in(NODES, 50, seed), rng.uniform(0, 2, 50)
    grid, surface = bin_linear(points, NODES, weights), rng.normal(size=NODES.shape)
    x, y = places_of(NODES).T
    assert grid.sum() == pytest.approx(weights.sum())
    assert (grid.ravel() * x).sum() == pytest.approx((weights * points[:, 0]).sum())
    assert (grid.ravel() * y).sum() == pytest.approx((weights * points[:, 1]).sum())
    assert (grid * surface).sum() == pytest.approx((weights * read_linear(surface, points, NODES)).sum())


def test_the_last_nodes_take_points_and_what_lies_beyond_is_refused() -> None:
    corner = np.array([[NODES.west + 20.0, NODES.south + 15.0]])
    assert bin_linear(corner, NODES)[-1, -1] == 1.0
    for beyond in (corner + 0.01, np.array([[np.nan, 10.0]]), np.array([[-10.1, 10.0]])):
        with pytest.raises(InvalidInput, match="1 of 1 points lie beyond"):
            kernel_density(beyond, NODES, 1.0)
        with pytest.raises(InvalidInput, match="1 of 1 points lie beyond"):
            read_linear(np.zeros(NODES.shape), beyond, NODES)


@pytest.mark.parametrize("bandwidth", [0.0, 0.3, np.nan])
def test_a_bandwidth_that_the_nodes_cannot_show_is_refused(bandwidth: float) -> None:
    with pytest.raises(InvalidInput, match="steps of the nodes"):
        Smoother(NODES, 1.0).density([Cloud(np.array([[0.0, 10.0]]), bandwidth)])


def test_nothing_gives_nothing() -> None:
    assert (kernel_density(np.empty((0, 2)), NODES, 1.0) == 0).all()
