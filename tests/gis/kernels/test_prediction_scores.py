"""Prediction scores: by hand, their identities, the best that was possible, and intervals that keep their promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.kernels.prediction_scores import (
    block_interval,
    clopper_pearson,
    flagged,
    mcnemar_exact,
    obtainable,
    poisson_interval,
    ranking,
    recapture_rate,
    scores_of,
    tie_at_cut,
)

COUNTS = st.lists(st.integers(0, 30), min_size=2, max_size=12)


def test_by_hand() -> None:
    # Ten places of 0.25 km2; the two flagged ones held 12 of 40 incidents, the best two would have held 20.
    counts = np.array([8, 4, 12, 6, 5, 3, 2, 0, 0, 0])
    found = scores_of(counts, np.full(10, 250_000.0), np.arange(10) < 2)
    assert (found.captured_count, found.total_count) == (12, 40)
    assert found.area_share == pytest.approx(0.2)
    assert found.hit_rate == pytest.approx(0.3)
    assert found.pai == pytest.approx(1.5)
    assert found.obtainable_count == 20
    assert found.pei_star == pytest.approx(0.6)
    assert found.ser_per_km2 == pytest.approx(24)


def test_perfect_foresight_cannot_be_beaten() -> None:
    counts = np.array([0, 9, 1, 7, 0, 3])
    order = ranking(counts.astype(float))
    found = scores_of(counts, np.ones(6), flagged(order, np.ones(6), 1 / 3))
    assert found.pei_star == 1
    assert found.captured_count == 16


@given(COUNTS, st.data())
def test_identities(counts: list[int], data: st.DataObject) -> None:
    n = len(counts)
    areas = np.array(data.draw(st.lists(st.floats(0.1, 50), min_size=n, max_size=n)))
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any)))
    found = scores_of(np.array(counts), areas, chosen)
    if found.total_count == 0:
        assert np.isnan([found.hit_rate, found.pai, found.pei_star]).all()
        return
    assert found.pai == pytest.approx(found.hit_rate / found.area_share)
    assert found.pei_star <= 1 + 1e-9 or np.isnan(found.pei_star)
    assert found.obtainable_count >= found.captured_count - 1e-6
    # In other units of area only the rate per area changes.
    scaled = scores_of(np.array(counts), areas * 7.0, chosen)
    assert scaled.pai == pytest.approx(found.pai)
    assert scaled.ser_per_km2 == pytest.approx(found.ser_per_km2 / 7)


@given(COUNTS, st.data())
def test_the_best_of_equal_places_is_the_best_of_all_choices(counts: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(counts)))
    best = max(sum(some) for some in itertools.combinations(counts, k))
    size = data.draw(st.floats(1e-3, 1e6))
    assert obtainable(np.array(counts), np.full(len(counts), size), k * size) == best


def test_no_choice_of_whole_places_beats_the_best_of_unequal_ones() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        counts, areas = rng.poisson(4, 8), rng.uniform(0.5, 3, 8)
        for chosen in itertools.product([False, True], repeat=8):
            mask = np.array(chosen)
            assert counts[mask].sum() <= obtainable(counts, areas, areas[mask].sum()) + 1e-9


def test_a_third_of_the_area_is_a_third_whatever_rounding_does() -> None:
    for n in (3, 300, 30_000):
        counts = np.arange(n)
        areas = np.full(n, 0.1)
        chosen = flagged(ranking(counts.astype(float)), areas, 1 / 3)
        assert chosen.sum() == n // 3
        assert scores_of(counts, areas, chosen).pei_star == 1


def test_flags_nest_and_the_first_place_is_always_one() -> None:
    rng = np.random.default_rng(1)
    order, areas = rng.permutation(100), rng.uniform(1, 4, 100)
    before = np.zeros(100, dtype=bool)
    for share in (0.0, 0.005, 0.01, 0.1, 0.5, 1.0):
        chosen = flagged(order, areas, share)
        assert chosen[order[0]]
        assert (chosen | ~before).all()
        assert chosen.sum() == 1 or areas[chosen].sum() <= share * areas.sum() * (1 + 1e-9)
        before = chosen
    assert before.all()


def test_ties_fall_by_lot_and_are_told() -> None:
    scores = np.array([5.0, 2.0, 2.0, 2.0, 1.0, np.nan])
    firsts = {tuple(ranking(scores, seed=seed)[:3]) for seed in range(40)}
    assert {first[0] for first in firsts} == {0}
    assert {place for first in firsts for place in first} == {0, 1, 2, 3}
    assert all(ranking(scores, seed=seed)[-1] == 5 for seed in range(5))
    order = ranking(scores)
    assert tie_at_cut(order, flagged(order, np.ones(6), 0.5), scores) == (3, 2)
    assert tie_at_cut(order, flagged(order, np.ones(6), 4 / 6), scores) == (0, 0)


def test_a_second_score_decides_where_the_first_ties() -> None:
    scores, then = np.array([5.0, 2.0, 2.0, np.nan, 2.0]), np.array([0.0, 3.0, 9.0, 99.0, 3.0])
    for seed in range(8):
        order = ranking(scores, then, seed=seed)
        assert order[:2].tolist() == [0, 2]
        assert order[-1] == 3
        assert tie_at_cut(order, flagged(order, np.ones(5), 0.4), scores, then) == (0, 0)
        assert tie_at_cut(order, flagged(order, np.ones(5), 0.6), scores, then) == (2, 1)


def test_flagging_by_lot_is_worth_nothing() -> None:
    counts = np.random.default_rng(2).poisson(1.0, 400)
    pais = [
        scores_of(counts, np.ones(400), flagged(ranking(np.zeros(400), seed=s), np.ones(400), 0.1)).pai
        for s in range(300)
    ]
    # The spread of one is about 0.15, so that of their mean is below 0.01.
    assert np.mean(pais) == pytest.approx(1, abs=0.04)


def test_recapture() -> None:
    before, after = np.array([30, 10, 60]), np.array([10, 10, 80])
    chosen = np.array([True, False, False])
    assert recapture_rate(before, after, chosen) == pytest.approx(0.1 / 0.3)
    assert recapture_rate(before, before * 3, chosen) == pytest.approx(1)
    assert np.isnan(recapture_rate(np.array([0, 5]), np.array([2, 2]), np.array([True, False])))
    paired = [scores_of(period, np.array([1.0, 2.0, 5.0]), chosen).pai for period in (before, after)]
    assert recapture_rate(before, after, chosen) == pytest.approx(paired[1] / paired[0])


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (7, 20), (10, 10), (1, 1), (481, 2_000)])
def test_shares_as_scipy_has_them(hits: int, n: int) -> None:
    theirs = stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_intervals_keep_their_promise() -> None:
    share, n = 0.13, 40
    chances = stats.binom.pmf(np.arange(n + 1), n, share)
    inside = [low <= share <= high for low, high in (clopper_pearson(k, n) for k in range(n + 1))]
    assert chances[inside].sum() >= 0.95
    chances = stats.poisson.pmf(np.arange(60), 9.0)
    inside = [low <= 9.0 <= high for low, high in (poisson_interval(k) for k in range(60))]
    assert chances[inside].sum() >= 0.95
    assert poisson_interval(0) == pytest.approx((0, 3.688879), abs=1e-6)
    assert np.isnan(clopper_pearson(0, 0)).all()


def test_pairs_that_differ() -> None:
    assert mcnemar_exact(0, 0) == 1
    assert mcnemar_exact(5, 5) == 1
    for one, other in ((2, 10), (7, 1), (0, 6)):
        assert mcnemar_exact(one, other) == pytest.approx(stats.binomtest(one, one + other).pvalue)
        assert mcnemar_exact(one, other) == mcnemar_exact(other, one)


def test_the_interval_of_blocks_knows_that_nights_are_not_independent() -> None:
    rng = np.random.default_rng(3)
    singles = rng.binomial(20, 0.3, 60)
    nights = 20 * rng.binomial(1, 0.3, 60)
    totals = np.full(60, 20)
    low, high = block_interval(singles, totals)
    assert low < singles.sum() / totals.sum() < high
    wide = block_interval(nights, totals)
    assert wide[1] - wide[0] > 3 * (high - low)
    assert block_interval(singles, totals) == block_interval(singles, totals)
    assert np.isnan(block_interval(np.array([3]), np.array([9]))).all()
    assert np.isnan(block_interval(np.array([0, 0]), np.array([0, 0]))).all()
