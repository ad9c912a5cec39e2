"""Highest-density regions hold their share in the least area; a change is tested as counts are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.kernels.density_surfaces import change_test, highest_density


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=40),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_a_region_holds_its_share_and_would_not_without_its_last_place(places: list, share: float) -> None:
    density, area = np.array(places, dtype=float).T
    before = highest_density(density, area)
    held = density * area
    if held.sum() == 0:
        assert (before == 1).all()
        return
    region = before < share
    assert held[region].sum() >= share * held.sum() - 1e-9
    assert density[region].min() >= density[~region].max(initial=0)
    last = np.flatnonzero(region)[np.argmax(before[region])]
    assert held[region].sum() - held[last] < share * held.sum()


def test_where_all_lie_at_one_place_it_is_the_exact_test_of_two_counts() -> None:
    now = np.array([0, 1, 3, 9, 12, 40])
    before = np.array([6, 1, 0, 2, 30, 55])
    for times in (1.0, 0.25, 3.0):
        test = change_test(now.astype(float), before.astype(float), (now + before).astype(float), times=times)
        chance = times / (1 + times)
        whole = now + before
        more, fewer = stats.binom.sf(now - 1, whole, chance), stats.binom.cdf(now, whole, chance)
        np.testing.assert_allclose(test.p, np.minimum(1, 2 * np.minimum(more, fewer)), rtol=1e-9)
        np.testing.assert_allclose(2 * stats.norm.sf(np.abs(test.z)), test.p, rtol=1e-9)
        assert (np.sign(test.z) * np.sign(now - times * before) >= 0).all()
        assert test.effective.tolist() == whole.tolist()


@given(st.floats(0.1, 30), st.floats(0.1, 30), st.floats(0.01, 5), st.floats(0.05, 20), st.floats(1e-9, 1e9))
def test_the_unit_does_not_matter_and_the_periods_may_change_places(
    now: float, before: float, spread: float, times: float, unit: float
) -> None:
    a, b = np.array([now]), np.array([before])
    variance = np.array([spread * (now + before)])
    test = change_test(a, b, variance, times=times)
    scaled = change_test(a * unit, b * unit, variance * unit**2, times=times)
    turned = change_test(b, a, variance, times=1 / times)
    np.testing.assert_allclose(scaled.p, test.p, rtol=1e-6)
    np.testing.assert_allclose(turned.p, test.p, rtol=1e-6)
    if np.isfinite(test.p[0]) and test.p[0] < 1:
        np.testing.assert_allclose(turned.z, -test.z, rtol=1e-5)


def test_nothing_to_test_is_no_number() -> None:
    test = change_test(np.array([0.0, 0.2, 2.0]), np.array([0.0, 0.0, 0.0]), np.array([0.0, 0.2, 2.0]), times=1.0)
    assert np.isnan(test.p).tolist() == [True, True, False]
    assert np.isnan(test.z).tolist() == [True, True, False]


@pytest.mark.parametrize(("effective", "times"), [(10, 1.0), (10, 1 / 11), (50, 1 / 11), (200, 1 / 35), (10, 4.0)])
def test_without_a_change_it_alarms_no_more_often_than_it_says(effective: float, times: float) -> None:
    """Incidents spread evenly around a place, each in one of the periods by their lengths alone."""
    rng = np.random.default_rng(int(effective * 100 + 10 * times))
    repeats, reach = int(1e6 / effective), 5.0
    # In units of the bandwidth: N = 4 pi lambda for an even density.
    counts = rng.poisson(effective / (4 * np.pi) * np.pi * reach**2, repeats)
    sample = np.repeat(np.arange(repeats), counts)
    kernel = np.exp(-0.5 * rng.uniform(0, reach**2, sample.size))
    first = rng.random(sample.size) < times / (1 + times)
    now, before, squares = (np.bincount(sample, w, repeats) for w in (kernel * first, kernel * ~first, kernel**2))
    test = change_test(now, before, squares, times=times)
    assert np.median(test.effective) == pytest.approx(effective, rel=0.15)
    for level in (0.05, 0.01, 0.001):
        expected = level * repeats
        assert (test.p <= level).sum() <= 1.15 * expected + 4 * np.sqrt(expected)
    # A normal score would cry wolf where one period is short.
    score = (now - times * before) / np.sqrt(times * np.maximum(squares, 1e-12))
    if times == 1 / 11:
        assert (2 * stats.norm.sf(score) <= 0.001).sum() > 2 * 0.001 * repeats
