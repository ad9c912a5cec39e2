"""Rates from few cases: esda's estimates, and what shrinking and standardising promise."""

import numpy as np
import pytest
from esda.smoothing import Empirical_Bayes, assuncao_rate
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InvalidInput
from gis.kernels.empirical_bayes import rate_prior, smoothed_rates, standardised_rates


def sample(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    exposure = rng.uniform(5, 500, n)
    return rng.poisson(exposure * rng.gamma(4, 0.05, n)), exposure


def test_esda_has_the_same_estimates() -> None:
    counts, exposure = sample(0)
    theirs = Empirical_Bayes(counts[:, None], exposure[:, None]).r.ravel()
    assert smoothed_rates(counts, exposure) == pytest.approx(theirs, rel=1e-12)
    assert standardised_rates(counts, exposure) == pytest.approx(assuncao_rate(counts, exposure), rel=1e-12)


def test_by_hand() -> None:
    # 12 cases among 60: mean 0.2. Spread (10 * 0.3^2 + 20 * 0.1^2 + 30 * (1/6 - 0.2)^2) / 60 less 0.2 / 20.
    prior = rate_prior(np.array([5, 2, 5]), np.array([10.0, 20.0, 30.0]))
    assert prior.mean == pytest.approx(0.2)
    assert prior.variance == pytest.approx((10 * 0.09 + 20 * 0.01 + 30 * (1 / 30) ** 2) / 60 - 0.01)


def test_the_smoothed_rate_is_the_posterior_mean() -> None:
    counts, exposure = sample(1)
    shape, rate = rate_prior(counts, exposure).posterior(counts, exposure)
    assert shape / rate == pytest.approx(smoothed_rates(counts, exposure), rel=1e-12)


def test_less_exposure_is_drawn_further() -> None:
    counts, exposure = sample(2)
    raw, smoothed = counts / exposure, smoothed_rates(counts, exposure)
    mean = rate_prior(counts, exposure).mean
    kept = (smoothed - mean) / (raw - mean)
    assert (np.diff(kept[np.argsort(exposure)]) > 0).all()
    assert ((kept > 0) & (kept < 1)).all()


def test_standardised_rates_of_one_rate_have_one_spread_whatever_the_exposure() -> None:
    rng = np.random.default_rng(3)
    exposure = np.repeat([5.0, 500.0], 4000)
    values = standardised_rates(rng.poisson(exposure * 0.3), exposure).reshape(2, 4000)
    assert values.mean(axis=1) == pytest.approx([0, 0], abs=0.06)
    assert values.std(axis=1) == pytest.approx([1, 1], abs=0.05)


def test_no_spread_beyond_chance_is_no_spread() -> None:
    counts, exposure = np.array([3, 3, 3, 3]), np.full(4, 10.0)
    assert rate_prior(counts, exposure).variance == 0
    assert smoothed_rates(counts, exposure).tolist() == pytest.approx([0.3] * 4)
    assert standardised_rates(np.zeros(4, dtype=int), exposure).tolist() == [0.0] * 4
    with pytest.raises(InvalidInput, match="same rate"):
        rate_prior(counts, exposure).posterior(counts, exposure)


def test_what_has_no_rate_is_refused() -> None:
    for exposure in (np.array([1.0, 0.0]), np.array([1.0, np.nan]), np.array([1.0])):
        with pytest.raises(InvalidInput):
            smoothed_rates(np.array([1, 2]), exposure)


@given(seed=st.integers(0, 300), unit=st.floats(1e-3, 1e3))
def test_units_of_exposure_only_scale(seed: int, unit: float) -> None:
    counts, exposure = sample(seed, 30)
    assert smoothed_rates(counts, exposure * unit) * unit == pytest.approx(smoothed_rates(counts, exposure), rel=1e-9)
    here, there = standardised_rates(counts, exposure), standardised_rates(counts, exposure * unit)
    assert there == pytest.approx(here, abs=1e-9)
