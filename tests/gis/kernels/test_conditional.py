"""The null of the neighbours' sum: against counting every subset, and against sampling."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from gis.kernels import conditional
from gis.kernels.conditional import as_whole, exact_tails, is_affordable, sampled_tails, sampled_tails_weighted
from gis.kernels.getis_ord import local_test
from tests.support.graphs import queen, random_graph, with_own

TABLES = [
    (
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        [(54, 4), (56, 1), (44, 16), (44, 17), (1, 1), (17, 44), (16, 44), (1, 56), (4, 54)],
    ),
    (
        [0, 0, 1, 0, 2, 5, 1, 4, 6],
        [(54, 5), (51, 10), (28, 35), (54, 5), (1, 1), (7, 55), (37, 28), (7, 55), (1, 56)],
    ),
]


@pytest.mark.parametrize(("values", "counts"), TABLES)
def test_nine_cells_counted_by_hand(values, counts) -> None:
    found = local_test(np.array(values), queen(3, 3), inference="exact")
    total = np.array([1 if i == 4 else 56 for i in range(9)])
    upper, lower = np.array(counts).T
    assert np.abs(found.p_greater - upper / total).max() < 1e-12
    assert np.abs(found.p_less - lower / total).max() < 1e-12


def every_subset(values: np.ndarray, near: np.ndarray, i: int) -> tuple[float, float]:
    """Return both tails of place i as exact fractions of all its possible neighbourhoods."""
    others = np.delete(values, i)
    observed = values[near].sum()
    sums = np.array([sum(chosen) for chosen in combinations(others.tolist(), near.size)])
    shares = [Fraction(int((sums >= observed).sum()), sums.size), Fraction(int((sums <= observed).sum()), sums.size)]
    return float(shares[0]), float(shares[1])


@settings(max_examples=60)
@given(
    n=st.integers(4, 10),
    share=st.floats(0.2, 0.9),
    highest=st.sampled_from([1, 3, 10, 1000]),
    seed=st.integers(0, 10_000),
)
def test_every_subset_of_small_graphs(n: int, share: float, highest: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = random_graph(rng, n, share)
    values = rng.integers(0, highest + 1, n) * rng.integers(0, 2, n)
    found = local_test(values, weights, inference="exact")
    for i in range(n):
        near = np.setdiff1d(weights.indices[weights.indptr[i] : weights.indptr[i + 1]], [i])
        if near.size == 0:
            assert np.isnan(found.p_greater[i])
            continue
        upper, lower = every_subset(values, near, i)
        assert found.p_greater[i] == pytest.approx(upper, rel=1e-12)
        assert found.p_less[i] == pytest.approx(lower, rel=1e-12)


def test_far_tails_keep_their_digits() -> None:
    # Zeros and ones: the sum is hypergeometric, whose tail is known to the last digit.
    n, ones, k = 5000, 60, 24
    values = np.zeros(n, dtype=int)
    values[:ones] = 1
    for hits in (0, 1, 5, 20, 24):
        for own in (0, 1):
            place = n - 1 if own == 0 else 0
            near = np.append(np.arange(1, 1 + hits), np.arange(n - 2, n - 2 - (k - hits), -1))
            weights = sparse.csr_array((np.ones(k), (np.full(k, place), near)), shape=(n, n))
            found = local_test(values, weights, inference="exact")
            left = int(values.sum()) - own
            greater = sum(exact_hypergeometric(n - 1, left, k, j) for j in range(hits, k + 1))
            less = sum(exact_hypergeometric(n - 1, left, k, j) for j in range(hits + 1))
            assert found.p_greater[place] == pytest.approx(float(greater), rel=1e-10)
            assert found.p_less[place] == pytest.approx(float(less), rel=1e-10)


def exact_hypergeometric(n: int, ones: int, k: int, j: int) -> Fraction:
    from math import comb

    return Fraction(comb(ones, j) * comb(n - ones, k - j), comb(n, k))


def test_the_place_itself_is_taken_out_even_when_it_is_the_whole_tail() -> None:
    # One extreme value: nearly every large sum holds it, so leaving it out must not be a difference.
    values = np.ones(2000, dtype=int)
    values[0] = 500
    values[1:9] = 40
    weights = with_own(sparse.csr_array((np.ones(8), (np.zeros(8, int), np.arange(1, 9))), shape=(2000, 2000)))
    found = local_test(values, weights, inference="exact")
    assert found.p_greater[0] == pytest.approx(1 / exact_count(1999, 8), rel=1e-12)


def exact_count(n: int, k: int) -> int:
    from math import comb

    return comb(n, k)


def test_wide_neighbourhoods_are_counted_too() -> None:
    rng = np.random.default_rng(1)
    n, k = 3000, 300
    values = rng.binomial(1, 0.3, n)
    near = rng.choice(np.arange(1, n), k, replace=False)
    weights = sparse.csr_array((np.ones(k), (np.zeros(k, int), near)), shape=(n, n))
    found = local_test(values, weights, inference="exact")
    null = stats.hypergeom(n - 1, values.sum() - values[0], k)
    hits = values[near].sum()
    assert found.p_greater[0] == pytest.approx(null.sf(hits - 1), rel=1e-9)
    assert found.p_less[0] == pytest.approx(null.cdf(hits), rel=1e-9)


@pytest.mark.parametrize("kind", ["shared draws", "weighted"])
def test_sampling_agrees_with_counting(kind: str) -> None:
    rng = np.random.default_rng(7)
    values, weights = rng.poisson(1.5, 400), queen(20, 20)
    permutations = 4999
    exact = local_test(values, weights, inference="exact")
    if kind == "shared draws":
        drawn = local_test(values, weights, inference="permutation", permutations=permutations, seed=1)
        greater, less = drawn.p_greater, drawn.p_less
    else:
        near = sparse.csr_array(weights - sparse.eye_array(400))
        near.eliminate_zeros()
        tails = sampled_tails_weighted(values.astype(float), near, permutations=permutations, seed=1)
        greater, less = tails.greater, tails.less
    for p, truth in ((greater, exact.p_greater), (less, exact.p_less)):
        error = (p - truth) / np.sqrt(truth * (1 - truth) / permutations + permutations**-2.0)
        assert np.abs(error).max() < 5.5
        assert np.sqrt((error**2).mean()) < 1.6


def test_the_sweep_counts_what_the_plain_loop_counts() -> None:
    rng = np.random.default_rng(9)
    weights = random_graph(rng, 60, 0.1)
    near = sparse.csr_array(weights - sparse.eye_array(60))
    near.eliminate_zeros()
    for values in (rng.poisson(2, 60), np.round(rng.gamma(1, 1, 60), 1), rng.random(60)):
        whole = as_whole(values)
        neighbours = np.diff(near.indptr).astype(np.int64)
        sums = (near @ whole.values.astype(float)).astype(np.int64)
        swept = sampled_tails(whole, neighbours, sums, permutations=199, seed=3)
        looped = sampled_tails_weighted(values.astype(float), near, permutations=199, seed=3)
        assert swept.greater == pytest.approx(looped.greater, nan_ok=True)
        assert swept.less == pytest.approx(looped.less, nan_ok=True)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    values = np.random.default_rng(0).gamma(1, 1, 49)
    one, again, other = (local_test(values, queen(7, 7), permutations=99, seed=s) for s in (1, 1, 2))
    assert one.inference == "sweep"
    assert one.p.tolist() == again.p.tolist() != other.p.tolist()
    assert one.p_greater.min() >= 1 / 100


def test_draws_are_fair_at_every_length() -> None:
    draws = conditional._draws(7, 4, 30_000, seed=5)
    assert all(len(set(row)) == 4 for row in draws[:1000].tolist())
    for column in draws.T:
        assert stats.chisquare(np.bincount(column, minlength=7)).pvalue > 1e-4


def test_tied_sums_are_ties_in_every_order_of_adding() -> None:
    # 0.1 + 0.2 is not 0.3 in a double; as tenths it is.
    values = np.array([0.1, 0.2, 0.3, 0.0] * 9)
    tenths = (values * 10).round().astype(int)
    assert local_test(values, queen(6, 6)).p.tolist() == local_test(tenths, queen(6, 6)).p.tolist()
    thirds = local_test(tenths / 3, queen(6, 6), permutations=499, seed=2)
    whole = local_test(tenths, queen(6, 6), inference="permutation", permutations=499, seed=2)
    assert thirds.p.tolist() == whole.p.tolist()


def test_weights_of_their_own_are_sampled_and_ties_kept() -> None:
    values = np.tile([0.1, 0.2, 0.3, 0.7], 9)
    weights = queen(6, 6)
    weights.data = np.random.default_rng(0).choice([0.5, 1.0], weights.nnz)
    found = local_test(values, weights, permutations=199, seed=1)
    assert found.inference == "gather"
    flat = local_test(np.full(36, 0.1) + np.eye(36)[0] * 0, weights, permutations=199, seed=1)
    assert (flat.p == 1).all()


@pytest.mark.parametrize(
    ("values", "exact", "first"),
    [
        (np.array([5, 7, 6]), True, [0, 2, 1]),
        (np.array([-0.25, 0.5, 0.0]), True, [0, 75, 25]),
        (np.array([0.0, 1 / 3, 1.0]), False, [0, round(2**40 / 3), 2**40]),
        (np.array([0, 2**50, 2**49]), False, [0, 2**40, 2**39]),
    ],
)
def test_numbers_become_whole_where_nothing_is_lost(values, exact, first) -> None:
    whole = as_whole(values)
    assert whole.exact == exact
    assert whole.values.tolist() == first
    assert whole.codes[whole.index].tolist() == first
    assert whole.multiplicity.sum() == 3


def test_what_would_take_minutes_is_not_counted() -> None:
    rng = np.random.default_rng(0)
    whole = as_whole(rng.integers(0, 10**6, 500))
    neighbours = np.full(500, 400)
    assert not is_affordable(whole, neighbours, np.full(500, 10**8))
    assert not is_affordable(as_whole(rng.integers(0, 3, 5000)), np.full(5000, 2000), np.full(5000, 10))
    assert is_affordable(as_whole(rng.poisson(2, 5000)), np.full(5000, 8), np.full(5000, 40))


def test_groups_by_table_and_by_sorting_are_the_same() -> None:
    whole, neighbours = as_whole(np.array([0, 3, 1, 3, 0, 9])), np.array([2, 2, 1, 2, 2, 0])
    sums = np.array([4, 1, 3, 1, 4, 0])
    tails = exact_tails(whole, neighbours, sums)
    assert tails.group[0] == tails.group[4]
    assert tails.group[1] == tails.group[3]
    key = np.array([5, 1, 5, 2])
    for entries in (10, 10**9):
        first, group = conditional.grouped(key, entries)
        assert key[first][group].tolist() == key.tolist()
        assert len(first) == 3
