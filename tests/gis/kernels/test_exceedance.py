"""Many series at once: what broke out is found, what did not is called as seldom as stated."""

import numpy as np
import pytest
from scipy import stats

from gis.errors import InvalidInput
from gis.kernels.exceedance import exceedance
from gis.kernels.multiple_testing import benjamini_hochberg


def city(seed: int, phi: float = 1.0, series: int = 20_000, growth: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return counts (s, 27) of series between rare and frequent, in 10 groups, and their groups."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.4, 1.5, (series, 1)) * growth ** (np.arange(27) / 26)
    counts = rng.poisson(rate) if phi == 1 else rng.negative_binomial(rate / (phi - 1) + 1e-12, 1 / phi)
    return counts, np.arange(series) % 10


@pytest.mark.parametrize(("phi", "growth"), [(1.0, 1.0), (1.3, 1.0), (1.0, 1.5), (1.0, 0.6)])
def test_as_many_false_calls_as_stated(phi: float, growth: float) -> None:
    counts, group = city(1, phi, growth=growth)
    found = exceedance(counts[:, :26], counts[:, 26], group)
    assert 0.1 < (~found.rare).mean() < 0.3
    for level in (0.01, 0.001):
        count, chance = found.limits(level=level, least=3)
        calls = (found.p <= level) & (found.observed >= 3)
        assert (calls == (found.observed >= count)).all()
        # Never more than chance allows, and not so few that something would be missed.
        assert calls.sum() <= stats.poisson.ppf(0.9999, 1.3 * chance.sum())
        assert calls.sum() >= stats.poisson.ppf(0.0001, 0.4 * chance.sum())
        assert chance.sum() < level * len(counts)


def test_corrected_nothing_is_called_where_nothing_happened() -> None:
    alarmed = 0
    for seed in range(20):
        counts, group = city(100 + seed, series=2_000)
        found = exceedance(counts[:, :26], counts[:, 26], group)
        alarmed += int((benjamini_hochberg(found.p) <= 0.05).any())
    assert alarmed <= 4


def test_outbreaks_are_found_rare_and_frequent() -> None:
    counts, group = city(2)
    total = counts[:, :26].sum(axis=1)
    rare, frequent = np.flatnonzero((total > 0) & (total < 10))[:20], np.flatnonzero(total > 60)[:20]
    counts[rare, 26] += 6
    counts[frequent, 26] += (4 * np.sqrt(total[frequent] / 26)).astype(int) + 8
    found = exceedance(counts[:, :26], counts[:, 26], group)
    called = benjamini_hochberg(found.p) <= 0.05
    assert called[rare].mean() >= 0.9
    assert called[frequent].mean() >= 0.8
    assert called.sum() - called[rare].sum() - called[frequent].sum() <= 6
    assert found.rare[rare].all()
    assert not found.rare[frequent].any()


def test_rare_series_follow_the_trend_of_their_group() -> None:
    counts, group = city(3, growth=3.0)
    counts = counts[counts[:, :26].sum(axis=1) < 26]
    group = np.zeros(len(counts), int)
    with_trend = exceedance(counts[:, :26], counts[:, 26], group)
    without = exceedance(counts[:, :26], counts[:, 26], group, trend=False)
    assert with_trend.expected.sum() == pytest.approx(counts[:, 26].sum(), rel=0.1)
    assert without.expected.sum() < 0.7 * counts[:, 26].sum()
    # Two weeks between: the trend is carried on over them.
    later = exceedance(counts[:, :24], counts[:, 26], group, guard=2)
    assert later.expected.sum() == pytest.approx(with_trend.expected.sum(), rel=0.1)


def test_order_and_company_change_little() -> None:
    counts, group = city(4, series=3_000)
    found = exceedance(counts[:, :26], counts[:, 26], group)
    order = np.random.default_rng(5).permutation(3_000)
    again = exceedance(counts[order, :26], counts[order, 26], group[order])
    assert again.p == pytest.approx(found.p[order], rel=1e-9)
    alone = exceedance(counts[group == 3, :26], counts[group == 3, 26], group[group == 3])
    assert alone.p == pytest.approx(found.p[group == 3], rel=1e-9)


def test_a_single_frequent_series_has_only_itself() -> None:
    counts = np.random.default_rng(6).poisson(8.0, (1, 27))
    found = exceedance(counts[:, :26], counts[:, 26], np.zeros(1, int))
    assert not found.rare[0]
    assert found.dispersion[0] >= 1
    assert 0 < found.p[0] <= 1


def test_empty_and_wrong_input() -> None:
    none = exceedance(np.zeros((5, 10), int), np.zeros(5, int), np.zeros(5, int))
    assert none.p.tolist() == [1.0] * 5
    assert none.expected.tolist() == [0.0] * 5
    count, chance = none.limits(level=0.001, least=3)
    assert (count >= 3).all()
    assert chance.sum() == 0
    with pytest.raises(InvalidInput, match="at least 8"):
        exceedance(np.zeros((5, 7), int), np.zeros(5, int), np.zeros(5, int))
    with pytest.raises(InvalidInput):
        exceedance(np.zeros((5, 10), int), np.zeros(4, int), np.zeros(5, int))
