"""Ranks and what is sure about them: against drawing the posteriors, and against counting by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.kernels import ranks
from gis.kernels.ranks import count_ranks, gamma_ranks


def test_by_hand() -> None:
    counts = np.array([9, 9, 2, 30])
    found = count_ranks(counts)
    assert found.rank.tolist() == [2, 2, 4, 1]
    for end, quantile, rounding in ((found.low, 0.95, np.floor), (found.high, 0.05, np.ceil)):
        for i, own in enumerate(counts):
            at = stats.gamma.ppf(quantile, own + 0.5)
            above = sum(stats.gamma.sf(at, other + 0.5) for j, other in enumerate(counts) if j != i)
            assert end[i] == rounding(1 + above), i


def test_the_expected_rank_at_a_quantile_is_what_draws_give() -> None:
    counts = np.random.default_rng(0).poisson(np.random.default_rng(1).gamma(1, 20, 60))
    found = count_ranks(counts)
    drawn = np.random.default_rng(2).gamma(counts + 0.5, size=(20_000, 60))
    for i in (0, 17, 42):
        at = stats.gamma.ppf([0.95, 0.05], counts[i] + 0.5)
        above = [1 + (np.delete(drawn, i, axis=1) > x).sum(axis=1).mean() for x in at]
        assert found.low[i] == pytest.approx(np.floor(above[0]), abs=1)
        assert found.high[i] == pytest.approx(np.ceil(above[1]), abs=1)


def test_rates_are_ranked_by_their_posterior() -> None:
    shape, rate = np.array([50.5, 5.5, 0.5]), np.array([100.0, 5.0, 1.0])
    found = gamma_ranks(shape, rate)
    assert found.rank.tolist() == [2, 1, 3]
    same = gamma_ranks(np.array([2.0, 4.0, 1.0]), np.array([1.0, 2.0, 1.0]))
    assert same.rank.tolist() == [1, 1, 3]


def test_a_curve_gives_what_every_pair_gives(monkeypatch) -> None:
    rng = np.random.default_rng(3)
    exposure = rng.uniform(0.1, 100, 400)
    shape, rate = rng.poisson(exposure) + 2.0, exposure + 0.5
    pairs = gamma_ranks(shape, rate)
    monkeypatch.setattr(ranks, "MOST_PAIRS", 0)
    curve = gamma_ranks(shape, rate)
    assert np.abs(pairs.low - curve.low).max() <= 1
    assert np.abs(pairs.high - curve.high).max() <= 1
    assert pairs.rank.tolist() == curve.rank.tolist()


@given(counts=st.lists(st.integers(0, 400), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_a_range_holds_its_rank_and_order_does_not_matter(counts: list[int], seed: int) -> None:
    values = np.array(counts)
    found = count_ranks(values)
    assert ((found.low >= 1) & (found.low <= found.rank)).all()
    assert ((found.high >= found.rank) & (found.high <= values.size)).all()
    assert found.rank.tolist() == [1 + int((values > own).sum()) for own in counts]
    order = np.random.default_rng(seed).permutation(values.size)
    mixed = count_ranks(values[order])
    assert mixed.low.tolist() == found.low[order].tolist()
    assert mixed.high.tolist() == found.high[order].tolist()


def test_a_busy_place_is_surer_than_a_list_of_ones() -> None:
    found = count_ranks(np.array([300, 100, *[1] * 50]))
    assert (found.low[0], found.high[0]) == (1, 1)
    assert (found.low[1], found.high[1]) == (2, 2)
    assert found.high[5] - found.low[5] > 30
