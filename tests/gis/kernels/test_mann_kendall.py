"""Trends: pymannkendall to the last digit, every permutation, and series whose terms overlap."""

from itertools import permutations

import numpy as np
import pymannkendall
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gis.errors import InvalidInput
from gis.kernels.mann_kendall import mann_kendall, overlap_factor


@given(
    series=st.one_of(
        arrays(np.int64, (5, 12), elements=st.integers(0, 4)),
        arrays(np.float64, (5, 30), elements=st.floats(-1e6, 1e6)),
    )
)
def test_pymannkendall_agrees_with_ties_and_without(series: np.ndarray) -> None:
    found = mann_kendall(series)
    for i, row in enumerate(series):
        theirs = pymannkendall.original_test(row)
        assert found.s[i] == theirs.s
        assert found.z[i] == pytest.approx(theirs.z, rel=1e-12)
        assert found.p[i] == pytest.approx(theirs.p, abs=1e-12)


def test_by_hand() -> None:
    # 2 1 3 3: pairs rise 4, fall 1, tie 1. Variance (4 * 3 * 13 - 2 * 1 * 9) / 18.
    found = mann_kendall(np.array([[2, 1, 3, 3]]))
    assert found.s.tolist() == [3]
    assert found.z[0] == pytest.approx(2 / np.sqrt((4 * 3 * 13 - 2 * 1 * 9) / 18))


def test_the_variance_is_that_of_all_permutations() -> None:
    values = [0, 1, 1, 2, 5, 5]
    s = mann_kendall(np.array(list(permutations(values)))).s
    spread = (abs(mann_kendall(np.array([values])).s[0]) - 1) / mann_kendall(np.array([values])).z[0]
    assert s.mean() == pytest.approx(0)
    assert s.var() == pytest.approx(spread**2)


@pytest.mark.parametrize("lag", [1, 3])
def test_overlapping_windows_make_no_trend(lag: int) -> None:
    steps = np.random.default_rng(lag).normal(size=(4_000, 36 + lag))
    summed = sum(steps[:, i : 36 + i] for i in range(lag + 1))
    corrected = (mann_kendall(summed, window=lag + 1).p <= 0.05).mean()
    assert 0.03 < corrected < 0.07
    assert (mann_kendall(summed).p <= 0.05).mean() > 0.13


def test_the_factor_by_hand() -> None:
    # Terms one apart share half: rank correlation 6 / pi * asin(1/4); weights 3 * 2 * 1 over 4 * 3 * 2.
    assert overlap_factor(4, 2) == pytest.approx(1 + 2 * 6 * (6 / np.pi * np.arcsin(0.25)) / 24)
    assert overlap_factor(50, 1) == 1
    assert overlap_factor(50, 3) > overlap_factor(50, 2) > 1
    assert np.isfinite(overlap_factor(4, 40))


def test_nothing_changes_nothing() -> None:
    found = mann_kendall(np.full((2, 9), 7))
    assert found.z.tolist() == [0, 0]
    assert found.p.tolist() == [1, 1]


@given(series=arrays(np.int64, (3, 15), elements=st.integers(0, 50)), factor=st.integers(1, 9))
def test_units_backwards_and_order(series: np.ndarray, factor: int) -> None:
    here = mann_kendall(series)
    assert mann_kendall(series * factor + 3).z.tolist() == here.z.tolist()
    assert mann_kendall(series[:, ::-1]).z.tolist() == (-here.z).tolist()
    assert mann_kendall(series[::-1]).p.tolist() == here.p[::-1].tolist()


@pytest.mark.parametrize("series", [np.zeros((2, 2)), np.zeros(5), np.array([[1.0, np.nan, 2.0]])])
def test_what_has_no_trend_is_refused(series: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        mann_kendall(series)
    with pytest.raises(InvalidInput):
        overlap_factor(5, 0)
