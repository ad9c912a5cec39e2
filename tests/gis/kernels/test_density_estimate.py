"""Density within borders: nothing is lost over them, and variance and adaptive bandwidths are what the sums say."""

import numpy as np
import pytest
from scipy import ndimage

from gis.kernels.bandwidth import TRIM
from gis.kernels.density import Nodes
from gis.kernels.density_estimate import (
    LEAST_INSIDE,
    Correction,
    Estimator,
    Window,
    adaptive_estimator,
    fixed_estimator,
)
from tests.gis.kernels.test_density import exact_sum, places_of

NODES = Nodes(0.0, 0.0, 0.25, 81, 101)
BANDWIDTH = 3.0
CORRECTIONS: tuple[Correction, ...] = ("jones_diggle", "uniform", "none")


@pytest.fixture(scope="module")
def window() -> Window:
    """A rectangle with a notch and a lake."""
    inside = np.zeros(NODES.shape, dtype=bool)
    inside[8:-8, 8:-8] = True
    inside[30:50, 60:] = False
    inside[55:60, 20:30] = False
    return Window(NODES, inside)


@pytest.fixture(scope="module")
def points(window: Window) -> np.ndarray:
    """Two crowds, one of them in a corner, and some anywhere."""
    rng = np.random.default_rng(0)
    anywhere = rng.uniform((2, 2), (23, 18), (400, 2))
    drawn = np.concatenate([rng.normal((4, 4), 1.5, (400, 2)), rng.normal((18, 15), 0.8, (300, 2)), anywhere])
    column, row = np.rint(drawn / NODES.step).astype(int).T
    within = (column >= 0) & (row >= 0) & (column < NODES.columns) & (row < NODES.rows)
    drawn, column, row = drawn[within], column[within], row[within]
    return drawn[window.inside[row, column]]


def mass(estimator: Estimator) -> float:
    return float(np.nansum(estimator.density()) * NODES.step**2)


@pytest.mark.parametrize("make", [fixed_estimator, adaptive_estimator])
def test_jones_diggle_keeps_every_incident_inside(make, window: Window, points: np.ndarray) -> None:
    assert mass(make(points, window, BANDWIDTH, correction="jones_diggle")) == pytest.approx(len(points), rel=1e-9)
    assert mass(make(points, window, BANDWIDTH, correction="none")) < 0.9 * len(points)


def test_the_uniform_correction_of_an_even_area_is_even(window: Window) -> None:
    even = places_of(NODES)[window.inside.ravel()]
    surface = fixed_estimator(even, window, BANDWIDTH, correction="uniform").density()
    np.testing.assert_allclose(surface[window.inside], NODES.step**-2, rtol=1e-9)
    uncorrected = fixed_estimator(even, window, BANDWIDTH, correction="none").density()
    assert np.nanmin(uncorrected) < 0.4 * NODES.step**-2


@pytest.mark.parametrize("make", [fixed_estimator, adaptive_estimator])
@pytest.mark.parametrize("correction", CORRECTIONS)
def test_outside_there_is_no_number(make, correction: Correction, window: Window, points: np.ndarray) -> None:
    estimator = make(points, window, BANDWIDTH, correction=correction)
    for surface in (estimator.density(), estimator.variance()):
        assert (np.isnan(surface) == ~window.inside).all()


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_density_and_variance_are_the_sums_of_kernels_and_of_their_squares(
    correction: Correction, window: Window, points: np.ndarray
) -> None:
    """The share inside comes from a plain convolution here, and from the estimator's own at the points."""
    estimator = fixed_estimator(points, window, BANDWIDTH, correction=correction)
    steps = BANDWIDTH / NODES.step
    share = ndimage.gaussian_filter(window.inside.astype(float), steps, mode="constant", truncate=6)
    here = ndimage.map_coordinates(share, points[:, ::-1].T / NODES.step, order=1)
    np.testing.assert_allclose(estimator.share_inside, here, atol=2e-3)
    places = places_of(NODES)[window.inside.ravel()]
    for power, surface in ((1, estimator.density()), (2, estimator.variance())):
        weights = (1 / here if correction == "jones_diggle" else np.ones(len(points))) ** power
        apart = ((places[:, None] - points) ** 2).sum(axis=2) / BANDWIDTH**2
        exact = (weights * (np.exp(-0.5 * apart) / (2 * np.pi * BANDWIDTH**2)) ** power).sum(axis=1)
        if correction == "uniform":
            exact /= share[window.inside] ** power
        assert np.abs(surface[window.inside] - exact).max() < 5e-3 * exact.max()


def test_the_variance_is_that_of_many_samples(window: Window) -> None:
    rng = np.random.default_rng(7)
    somewhere = np.zeros(NODES.shape, dtype=bool)
    somewhere[[10, 20, 40, 60], [10, 50, 30, 90]] = True
    values, stated = [], []
    for _ in range(300):
        sample = rng.uniform((2, 2), (23, 18), (rng.poisson(400), 2))
        estimator = fixed_estimator(sample, window, BANDWIDTH, correction="jones_diggle")
        values.append(estimator.density()[somewhere])
        stated.append(estimator.variance()[somewhere])
    # The variance of 300 samples is itself known to 8 %.
    np.testing.assert_allclose(np.var(values, axis=0), np.mean(stated, axis=0), rtol=0.3)


def test_parts_add_up_to_the_whole(window: Window, points: np.ndarray) -> None:
    for make in (fixed_estimator, adaptive_estimator):
        estimator = make(points, window, BANDWIDTH, correction="jones_diggle")
        some = np.random.default_rng(1).random(len(points)) < 0.3
        parts = estimator.density(some) + estimator.density(~some)
        np.testing.assert_allclose(parts, estimator.density(), rtol=1e-9)
        np.testing.assert_allclose(estimator.only(some).density(), estimator.density(some), rtol=1e-9)


def test_adaptive_bandwidths_follow_abramson(window: Window, points: np.ndarray) -> None:
    """Without a correction everything is a direct sum: the pilot, the bandwidths and the density."""
    pilot = exact_sum(points, points, BANDWIDTH)
    bandwidths = BANDWIDTH * np.minimum(np.sqrt(np.exp(np.log(pilot).mean()) / pilot), TRIM)
    estimator = adaptive_estimator(points, window, BANDWIDTH, correction="none")
    classes = estimator.bandwidths.classes
    assert classes[0] == pytest.approx(bandwidths.min(), rel=0.01)
    assert classes[-1] == pytest.approx(bandwidths.max(), rel=0.01)
    assert np.exp(np.log(bandwidths).mean()) == pytest.approx(BANDWIDTH)
    places = places_of(NODES)[window.inside.ravel()]
    for power, surface, most in ((1, estimator.density(), 0.01), (2, estimator.variance(), 0.02)):
        exact = exact_sum(points, places, bandwidths, power=power)
        assert np.abs(surface[window.inside] - exact).max() < most * exact.max()


def test_adaptive_kernels_sharpen_a_crowd_and_smooth_what_is_sparse(window: Window, points: np.ndarray) -> None:
    fixed, adaptive = (
        make(points, window, BANDWIDTH, correction="uniform").density()
        for make in (fixed_estimator, adaptive_estimator)
    )
    assert np.nanmax(adaptive) > 1.3 * np.nanmax(fixed)
    assert np.nanmin(adaptive) > 0


def test_one_point_and_none(window: Window) -> None:
    one = np.array([[10.0, 10.0]])
    for make in (fixed_estimator, adaptive_estimator):
        assert mass(make(one, window, 1.0, correction="jones_diggle")) == pytest.approx(1.0)
    nothing = fixed_estimator(np.empty((0, 2)), window, 1.0, correction="jones_diggle")
    assert (nothing.density()[window.inside] == 0).all()


def test_a_point_far_from_the_area_says_so(window: Window) -> None:
    far = np.array([[24.9, 10.0], [10.0, 10.0]])
    estimator = fixed_estimator(far, window, 0.5, correction="jones_diggle")
    assert estimator.share_inside[0] < LEAST_INSIDE
    assert estimator.share_inside[1] > 0.9
