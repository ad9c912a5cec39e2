"""Before and after: the published example, unequal periods and areas, exact tests, and false alarms as stated."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.errors import InvalidInput
from gis.kernels.displacement import (
    Change,
    c_test,
    change_alike_p,
    e_test,
    pattern_change_p,
    relative_rate_ratio,
    weighted_displacement_difference,
)

TREATED, CONTROL = Change(before=207, after=110), Change(before=308, after=318)
MOVED, MOVED_CONTROL = Change(before=178, after=157), Change(before=150, after=140)


def test_a_hundred_to_eighty_against_a_hundred_to_ninety() -> None:
    found = weighted_displacement_difference(Change(before=100, after=80), Change(before=100, after=90))
    assert found.total.estimate == -10
    assert found.total.se == pytest.approx(math.sqrt(370))
    assert round(found.total.se) == 19
    assert round(found.total.z, 2) == -0.52
    assert found.total.p == pytest.approx(2 * stats.norm.cdf(-10 / math.sqrt(370)))
    assert found.local == found.total
    assert found.displacement.estimate == found.displacement.se == 0
    assert found.displacement.p == 1
    assert math.isnan(found.displacement.z)


def test_the_example_of_the_paper() -> None:
    """Wheeler and Ratcliffe (2018): -118, variance 1568, z -2.98, 95 % from -196 to -40."""
    found = weighted_displacement_difference(TREATED, CONTROL, displacement=MOVED, displacement_control=MOVED_CONTROL)
    assert found.total.estimate == -118
    assert found.total.se == pytest.approx(math.sqrt(1568))
    assert round(found.total.z, 2) == -2.98
    assert (round(found.total.low), round(found.total.high)) == (-196, -40)
    assert found.local.estimate + found.displacement.estimate == found.total.estimate


def test_two_years_before_and_one_after() -> None:
    """Wheeler (2021), on unequal periods: 80 -> 20 against 100 -> 50 is -20 a year, variance 115."""
    found = weighted_displacement_difference(
        Change(before=80, after=20), Change(before=100, after=50), period_weights=(2, 1)
    )
    assert found.total.estimate == -20
    assert found.total.se == pytest.approx(math.sqrt(115))


def test_areas_of_other_sizes() -> None:
    """Wheeler (2021), on unequal areas; the digits are those that ptools 2.0 tests."""
    sized = [
        Change(before=c.before, after=c.after, weight=w)
        for c, w in ((TREATED, 1.2), (CONTROL, 0.9), (MOVED, 1.5), (MOVED_CONTROL, 1.6))
    ]
    found = weighted_displacement_difference(
        sized[0], sized[1], displacement=sized[2], displacement_control=sized[3]
    ).total
    assert (found.estimate, found.se, found.z) == pytest.approx((-99.69444444, 35.4280755, -2.813995483))
    assert (found.low, found.high) == pytest.approx((-169.1321965, -30.25669241))


@given(*[st.integers(0, 500) for _ in range(4)], st.floats(0.1, 10))
def test_what_must_not_matter(t0: int, t1: int, c0: int, c1: int, unit: float) -> None:
    one, other = Change(before=t0, after=t1), Change(before=c0, after=c1)
    found = weighted_displacement_difference(one, other).total
    swapped = weighted_displacement_difference(other, one).total
    assert swapped.estimate == -found.estimate
    assert swapped.se == found.se
    assert swapped.p == found.p
    # Another unit of time changes the numbers, not the judgement.
    scaled = weighted_displacement_difference(one, other, period_weights=(unit, unit)).total
    assert scaled.estimate == pytest.approx(found.estimate / unit)
    assert scaled.p == pytest.approx(found.p, abs=1e-9)
    assert found.low <= found.estimate <= found.high


def test_false_alarms_are_as_many_as_stated() -> None:
    rng = np.random.default_rng(0)
    alarms = singles = ratios = 0
    for t0, t1, c0, c1 in rng.poisson((60, 45, 80, 65), (2_000, 4)):
        one, other = Change(before=t0, after=t1), Change(before=c0, after=c1)
        # Both fell by 15: parallel in counts, and that is all the difference asks for.
        alarms += weighted_displacement_difference(one, other).total.p <= 0.05
    for a, b, c, d in rng.poisson((60, 40, 90, 60), (2_000, 4)):
        ratios += relative_rate_ratio(Change(before=a, after=b), Change(before=c, after=d)).p <= 0.05
        singles += c_test(np.array([c]), np.array([d]), lengths=(3, 2))[0] <= 0.05
    assert 0.035 < alarms / 2_000 < 0.065
    # Exact tests keep below their level.
    assert 0.01 < ratios / 2_000 < 0.05 + 0.01
    assert 0.01 < singles / 2_000 < 0.05 + 0.01


def test_relative_rates() -> None:
    found = relative_rate_ratio(Change(before=100, after=80), Change(before=100, after=90))
    reach = stats.norm.ppf(0.975) * math.sqrt(1 / 100 + 1 / 80 + 1 / 100 + 1 / 90)
    assert found.ratio == pytest.approx(80 / 90)
    assert (found.low, found.high) == pytest.approx((80 / 90 * math.exp(-reach), 80 / 90 * math.exp(reach)))
    none = relative_rate_ratio(Change(before=10, after=0), Change(before=10, after=12))
    assert math.isnan(none.ratio)
    assert none.p < 0.01
    assert relative_rate_ratio(Change(before=0, after=0), Change(before=3, after=4)).p == 1


@given(*[st.integers(0, 25) for _ in range(4)])
def test_change_alike_as_fisher_has_it(t0: int, t1: int, c0: int, c1: int) -> None:
    table = [[t1, t0], [c1, c0]]
    upper, lower = (stats.fisher_exact(table, alternative=way).pvalue for way in ("greater", "less"))
    p = change_alike_p(np.array([t0]), np.array([t1]), Change(before=c0, after=c1))[0]
    assert p == pytest.approx(min(1, 2 * min(upper, lower)), abs=1e-9)


def test_a_pattern_that_changed() -> None:
    before, after = np.array([12, 3, 40, 0, 5]), np.array([2, 9, 44, 0, 5])
    for i, p in enumerate(pattern_change_p(before, after)):
        if before[i] + after[i] == 0:
            assert math.isnan(p)
            continue
        rest = Change(before=int(before.sum() - before[i]), after=int(after.sum() - after[i]))
        assert p == pytest.approx(change_alike_p(before[i : i + 1], after[i : i + 1], rest)[0])
    # Twice as much everywhere is the same pattern.
    assert np.nanmin(pattern_change_p(before, 2 * before)) > 0.9
    assert np.isnan(pattern_change_p(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))).all()


def test_one_rate_in_two_periods() -> None:
    assert c_test(np.array([0]), np.array([0]))[0] == 1
    assert c_test(np.array([10]), np.array([2]))[0] == pytest.approx(stats.binomtest(2, 12).pvalue)
    # Half the time, half the incidents: no sign of change.
    assert c_test(np.array([40]), np.array([20]), lengths=(2, 1))[0] > 0.9
    # crimepy states these for its E-test.
    assert e_test(3, 0) == pytest.approx(0.0884, abs=5e-5)
    assert e_test(0, 3) == e_test(3, 0)
    assert e_test(6, 2) == pytest.approx(0.1749, abs=5e-5)
    assert e_test(20, 20) == pytest.approx(1, abs=1e-9)
    assert e_test(0, 0) == 1
    assert e_test(40, 20, lengths=(2, 1)) > 0.9


@pytest.mark.parametrize(
    ("count", "other", "lengths"), [(9, 3, (1, 1)), (2, 7, (3, 2)), (0, 4, (1, 2.5)), (11, 11, (1, 4))]
)
def test_the_e_test_as_summed_over_every_pair(count: int, other: int, lengths: tuple[float, float]) -> None:
    pairs = [np.arange(150) / length for length in lengths]
    apart = np.abs(pairs[0][:, None] - pairs[1][None, :])
    spread = np.sqrt(pairs[0][:, None] / lengths[0] + pairs[1][None, :] / lengths[1])
    scores = np.divide(apart, spread, out=np.zeros_like(apart), where=spread > 0)
    rate = (count + other) / sum(lengths)
    chances = np.outer(*(stats.poisson.pmf(np.arange(150), rate * length) for length in lengths))
    expected = chances[scores >= scores[count, other] * (1 - 1e-12)].sum()
    assert e_test(count, other, lengths=lengths) == pytest.approx(expected, abs=1e-9)


def test_large_counts_take_no_longer_and_agree() -> None:
    p = e_test(1_000_000, 1_003_000)
    assert p == pytest.approx(c_test(np.array([1_000_000]), np.array([1_003_000]))[0], abs=1e-3)


def test_the_e_test_keeps_its_level_and_finds_more() -> None:
    """Every pair of counts weighted by its chance: the size under one rate, the power under two."""
    counts = np.arange(30)
    p_e = np.array([[e_test(a, b) for b in counts] for a in counts])
    p_c = np.array([c_test(np.full(30, a), counts) for a in counts])
    weights = [stats.poisson.pmf(counts, mean) for mean in (6, 14)]
    for mine in (p_e, p_c):
        assert (np.outer(weights[0], weights[0]) * (mine <= 0.05)).sum() < 0.054
    power_e, power_c = ((np.outer(*weights) * (mine <= 0.05)).sum() for mine in (p_e, p_c))
    assert power_e > power_c


@pytest.mark.parametrize("wrong", [{"before": -1, "after": 0}, {"before": 0, "after": 0, "weight": 0.0}])
def test_impossible_counts_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        Change(**wrong)
    with pytest.raises(InvalidInput):
        weighted_displacement_difference(TREATED, CONTROL, period_weights=(0, 1))
