"""The false discovery rate, against scipy's and by its own definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from gis.kernels.multiple_testing import benjamini_hochberg

shares = arrays(np.float64, st.integers(1, 40), elements=st.floats(1e-300, 1))


@given(p=shares)
def test_as_scipy(p: np.ndarray) -> None:
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p), rel=1e-12)


@given(p=shares, level=st.floats(0.001, 0.5))
def test_the_step_up_rule(p: np.ndarray, level: float) -> None:
    ordered = np.sort(p)
    passing = np.flatnonzero(ordered <= level * np.arange(1, p.size + 1) / p.size)
    called = passing[-1] + 1 if passing.size else 0
    close = np.isclose(ordered, level * np.arange(1, p.size + 1) / p.size, rtol=1e-9).any()
    assert close or (benjamini_hochberg(p) <= level).sum() == called


@given(p=shares, seed=st.integers(0, 99))
def test_shared_p_given_once_with_their_number(p: np.ndarray, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 5, p.size)
    long = benjamini_hochberg(np.repeat(p, counts))
    assert np.repeat(benjamini_hochberg(p, counts), counts) == pytest.approx(long, rel=1e-12)


def test_what_was_not_tested_does_not_count() -> None:
    q = benjamini_hochberg(np.array([np.nan, 0.01, np.nan, 0.04]))
    assert q == pytest.approx([np.nan, 0.02, np.nan, 0.04], nan_ok=True)
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()
    assert benjamini_hochberg(np.empty(0)).shape == (0,)
