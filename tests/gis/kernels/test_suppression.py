"""No small count can be worked out from what is published: a linear programme that knows nothing of the rule tries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.optimize import linprog

from gis.kernels.suppression import with_totals, withhold


def ranges(table, hidden, targets):
    """Return least and greatest value of each target that agrees with all that is published (the totals included)."""
    n_rows, n_columns = table.shape
    index = np.arange(table.size).reshape(table.shape)
    equations, right = [], []
    for at in range(n_rows):
        row = np.zeros(table.size)
        row[index[at, :-1]], row[index[at, -1]] = 1, -1
        equations.append(row)
        right.append(0)
    for at in range(n_columns):
        column = np.zeros(table.size)
        column[index[:-1, at]], column[index[-1, at]] = 1, -1
        equations.append(column)
        right.append(0)
    bounds = [(1, None) if h else (v, v) for v, h in zip(table.ravel(), hidden.ravel(), strict=True)]
    found = {}
    for target in targets:
        goal = np.zeros(table.size)
        goal[index[target]] = 1
        low, high = (
            linprog(sign * goal, A_eq=np.array(equations), b_eq=right, bounds=bounds, method="highs")
            for sign in (1, -1)
        )
        assert low.status == 0
        most = np.inf if high.status == 3 else -high.fun
        found[target] = (low.fun, most)
    return found


def check(counts, least):
    hidden = withhold(counts, least=least)
    if hidden is None:
        return None
    table = with_totals(counts)
    small = (table > 0) & (table < least)
    assert hidden[small].all()
    assert not hidden[table == 0].any()
    assert not hidden[-1, -1]
    targets = list(zip(*(at.tolist() for at in np.nonzero(small)), strict=True))
    for target, (low, high) in ranges(table, hidden, targets).items():
        assert high - low >= 1 - 1e-6, (table, hidden, target)
        assert low - 1e-6 <= table[target] <= high + 1e-6
    return hidden


TABLES = arrays(np.int64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.integers(0, 30))


@settings(max_examples=60)
@given(TABLES, st.integers(2, 10))
def test_no_small_count_can_be_worked_out(counts, least):
    check(counts, least)


@given(arrays(np.int64, st.tuples(st.integers(1, 12), st.just(1)), elements=st.integers(0, 40)))
@settings(max_examples=40)
def test_nor_in_a_list_with_its_total(counts):
    check(counts, 10)


def test_a_table_without_small_counts_is_published_whole():
    assert not withhold(np.array([[5, 9], [0, 20]]), least=5).any()


def test_where_one_is_small_three_go_with_it_and_they_are_the_smallest():
    counts = np.full((6, 6), 50)
    counts[2, 3], counts[2, 4], counts[5, 3], counts[5, 4] = 3, 7, 8, 9
    hidden = check(counts, 5)
    assert sorted(zip(*(at.tolist() for at in np.nonzero(hidden)), strict=True)) == [(2, 3), (2, 4), (5, 3), (5, 4)]


def test_small_counts_alone_are_withheld_with_their_total_or_not_published_at_all():
    assert withhold(np.array([[1]]), least=5) is None
    assert withhold(np.array([[0, 3, 0]]), least=5) is None
    lonely = check(np.array([[0, 3, 0], [40, 50, 60]]), 5)
    assert lonely[0, 1]


def test_neighbours_of_one_that_add_to_their_least_are_no_shelter():
    # 1 + 1 = 2: whoever knows that nothing withheld is 0 knows both.
    assert check(np.array([[1, 1, 30], [20, 20, 30]]), 5) is not None


@pytest.mark.parametrize("seed", range(3))
def test_a_city_of_cells_and_months(seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.6, 12.0, (60, 1)), (60, 12))
    hidden = withhold(counts, least=5)
    table = with_totals(counts)
    small = np.argwhere((table > 0) & (table < 5))
    some = [tuple(map(int, at)) for at in small[:: max(len(small) // 8, 1)]]
    for low, high in ranges(table, hidden, some).values():
        assert high - low >= 1 - 1e-6
    assert (hidden & ~((table > 0) & (table < 5))).sum() < 0.2 * table.size
