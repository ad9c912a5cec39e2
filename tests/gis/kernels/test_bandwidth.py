"""Bandwidths: the rule on a spread that outliers hardly move, and mixtures near the kernel asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.kernels.bandwidth import (
    RATIO,
    TRIM,
    abramson_factors,
    bandwidth_classes,
    geometric_mean,
    mixed_bandwidths,
    scott_bandwidth,
)


def test_the_rule_on_a_normal_sample_is_its_deviation_over_the_sixth_root_of_n() -> None:
    points = np.random.default_rng(0).normal(0, 500, (64_000, 2))
    assert scott_bandwidth(points) == pytest.approx(500 / 64_000 ** (1 / 6), rel=0.01)
    uneven = points * np.array([1, 3])
    assert scott_bandwidth(uneven) == pytest.approx(500 * np.sqrt(5) / 64_000 ** (1 / 6), rel=0.01)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_rule_follows_the_unit_and_not_the_origin(unit: float, shift: float) -> None:
    points = np.random.default_rng(1).normal(0, 1, (50, 2))
    assert scott_bandwidth(points * unit + shift * unit) == pytest.approx(unit * scott_bandwidth(points), rel=1e-6)


def test_outliers_and_crowded_addresses() -> None:
    rng = np.random.default_rng(2)
    points = rng.normal(0, 500, (2_000, 2))
    astray = np.concatenate([points, np.full((20, 2), 80_000.0)])
    assert scott_bandwidth(astray) == pytest.approx(scott_bandwidth(points), rel=0.05)
    crowded = np.concatenate([points[:100], np.zeros((500, 2))])
    assert scott_bandwidth(crowded) > 0
    assert scott_bandwidth(np.full((5, 2), 7.0)) == 0


@given(st.lists(st.floats(10, 2_000), min_size=1, max_size=30))
def test_a_mixture_is_as_high_as_the_kernel_asked_for(wanted: list[float]) -> None:
    bandwidths = np.array(wanted)
    classes = bandwidth_classes(bandwidths)
    mixed = mixed_bandwidths(bandwidths, classes)
    upper = classes[np.minimum(mixed.lower + 1, classes.size - 1)]
    height = (1 - mixed.wider_share) / classes[mixed.lower] ** 2 + mixed.wider_share / upper**2
    np.testing.assert_allclose(height, bandwidths**-2.0, rtol=1e-9)
    assert ((mixed.wider_share >= 0) & (mixed.wider_share <= 1)).all()
    assert (classes[1:] / classes[:-1] <= RATIO + 1e-9).all()


def test_beyond_the_classes_stand_their_ends() -> None:
    mixed = mixed_bandwidths(np.array([0.1, 9.0]), np.array([1.0, 2.0, 4.0]))
    assert mixed.lower.tolist() == [0, 1]
    assert mixed.wider_share.tolist() == [0.0, 1.0]


def test_a_kernel_mixed_from_two_is_near_the_one_it_stands_for() -> None:
    distance = np.linspace(0, 6, 601)

    def kernel(h: float) -> np.ndarray:
        return np.exp(-0.5 * (distance / h) ** 2) / (2 * np.pi * h**2)

    for wanted in np.linspace(1, RATIO, 20):
        mixed = mixed_bandwidths(np.array([wanted]), np.array([1.0, RATIO]))
        share = mixed.wider_share[0]
        for power, most in ((1, 0.005), (2, 0.02)):
            made = (1 - share) * kernel(1.0) ** power + share * kernel(RATIO) ** power
            asked = kernel(wanted) ** power
            assert np.abs(made - asked).max() < most * asked.max()


def test_factors_are_trimmed_and_their_geometric_mean_is_one() -> None:
    pilot = np.random.default_rng(3).uniform(1, 20, 500)
    factors = abramson_factors(pilot, geometric_mean(pilot))
    assert np.exp(np.log(factors).mean()) == pytest.approx(1.0)
    assert (np.diff(factors[np.argsort(pilot)]) <= 0).all()
    assert abramson_factors(np.array([0.0, 1e-9]), 1.0).tolist() == [TRIM, TRIM]
