"""The conditional null of the local statistics: how large a sum over neighbours is by chance.

The place keeps its own value; its k neighbours are a draw without replacement from the other n - 1 places. For whole
numbers and equal weights the tail of that draw is counted exactly; otherwise it is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_NEIGHBOURS = 500
"""Above it the counts of subsets leave the range of a double."""
MOST_STEPS = 3e9
"""Multiplications that an exact table may cost: about two seconds."""
MOST_ENTRIES = 5_000_000
_SAFE_LOSS = 100.0
_FINE = 2.0**40


@dataclass(frozen=True, slots=True)
class Tails:
    """Probabilities of a sum at least, and at most, as large as the one observed; nan without neighbours.

    Attributes
    ----------
    greater, less : (g,)
        One a group of places with the same value, number of neighbours and sum, which share their tails.
    group : (n,)
        The group of each place.
    """

    greater: Floats
    less: Floats
    group: Ints


@dataclass(frozen=True, slots=True)
class Whole:
    """Values as whole numbers from 0 up, so that equal sums are equal whatever the order of adding.

    Attributes
    ----------
    values : (n,)
        ``(value - lowest) * scale``, rounded.
    scale
        Units in 1 of the values given.
    exact
        Nothing was lost by rounding: ties are found exactly. Otherwise sums of k values may differ by k units and
        still be the same sum.
    codes, multiplicity : (d,)
        The distinct values in order, and how often each occurs.
    index : (n,)
        Where in `codes` each value is.
    """

    values: Ints
    scale: float
    exact: bool
    codes: Ints
    multiplicity: Ints
    index: Ints


def as_whole(values: NDArray[np.generic]) -> Whole:
    """Return values (n,) as whole numbers: integers and decimals of up to six places exactly, others in 2^40 steps.

    Examples
    --------
    >>> as_whole(np.array([0.3, 0.1, 0.25])).values.tolist()
    [20, 0, 15]
    """
    if values.dtype.kind in "iub":
        counts = values.astype(np.int64, copy=False)
        counts = counts - least if (least := counts.min()) else counts
        if counts.max() < _FINE:
            return whole_numbers(counts)
    numbers = values.astype(float)
    lowest, span = numbers.min(), np.ptp(numbers)
    for places in range(7):
        scale = 10.0**places
        scaled = np.rint(numbers * scale)
        if np.abs(scaled).max() < _FINE and (scaled / scale == numbers).all():
            return whole_numbers((scaled - scaled.min()).astype(np.int64), scale)
    return whole_numbers(np.rint((numbers - lowest) * (_FINE / span)).astype(np.int64), _FINE / span, exact=False)


def whole_numbers(values: Ints, scale: float = 1.0, *, exact: bool = True) -> Whole:
    """Return numbers (n,) that are whole and not negative with their distinct values counted; see `Whole`."""
    if values.max() > 4 * values.size + 1024:
        codes, index, multiplicity = np.unique(values, return_inverse=True, return_counts=True)
        return Whole(values, scale, exact, codes, multiplicity, index)
    # Small numbers need no sorting.
    multiplicity = np.bincount(values)
    codes = np.flatnonzero(multiplicity)
    index = values if codes.size == multiplicity.size else (np.cumsum(multiplicity > 0) - 1)[values]
    return Whole(values, scale, exact, codes, multiplicity[codes], index)


def is_affordable(whole: Whole, neighbours: Ints, sums: Ints) -> bool:
    """Return whether `exact_tails` of these would take about two seconds at most."""
    most, top = int(neighbours.max()), int(sums.max()) + 1
    if most > MOST_NEIGHBOURS or (most + 1) * (top + 1) > MOST_ENTRIES:
        return False
    if whole.codes.size * most**2 * top <= MOST_STEPS:
        return True
    draws = np.minimum(whole.multiplicity, most)
    return float((draws * (most - (draws - 1) / 2)).sum()) * top <= MOST_STEPS


def exact_tails(whole: Whole, neighbours: Ints, sums: Ints) -> Tails:
    """Count the subsets: exact tails of the sum over the neighbours, both from their own end, so that none cancels.

    Parameters
    ----------
    whole : n values
    neighbours : (n,)
        How many neighbours each place has, itself not counted.
    sums : (n,)
        Sum of ``whole.values`` over them.

    Notes
    -----
    With f[k][s] the number of k-subsets of all n values with sum s, made value by value as in a bounded knapsack, the
    subsets without the place itself (value v) are ``f_v[k][s] = f[k][s] - f_v[k-1][s-v]``: one table serves every
    place. Where that difference would lose digits, a table without the place is made instead. Counts are scaled by
    t^k, t = k_max / n, which keeps them within a double and drops out of every ratio.
    """
    most, top = int(neighbours.max(initial=0)), int(sums.max(initial=0)) + 1
    values, codes = whole.values, whole.codes
    tilt = most / values.size
    table = subset_sums(codes, whole.multiplicity, most, top, tilt)
    upper, lower = from_above(table), np.cumsum(table, axis=1)
    # In place: new memory for each step costs more than the arithmetic.
    key = whole.index * (most + 1)
    key += neighbours
    key *= top + 1
    key += sums
    first, group = grouped(key, codes.size * (most + 1) * (top + 1))
    v, k, s = whole.index[first], neighbours[first], sums[first]
    greater, less = _leave_one_out(upper, lower, codes[v], k, s, tilt, values.size)
    lossy = np.isnan(greater) & (k > 0)
    for lost in np.unique(v[lossy]) if lossy.any() else ():
        again = np.flatnonzero((v == lost) & lossy)
        table = subset_sums(codes, whole.multiplicity - (np.arange(codes.size) == lost), most, top, tilt)
        total = table.sum(axis=1)[k[again]]
        greater[again] = from_above(table)[k[again], s[again]] / total
        less[again] = np.cumsum(table, axis=1)[k[again], s[again]] / total
    return Tails(chance(greater), chance(less), group)


def sampled_tails(whole: Whole, neighbours: Ints, sums: Ints, *, permutations: int, seed: int) -> Tails:
    """Sample the tails for equal weights: all places share the draws, and each draw is swept over the places once.

    Notes
    -----
    Draws are ids 0..n-2; for place i an id r means place r if r < i, else r + 1. From one place to the next a draw's
    sum changes only when one of its ids is passed. p = (1 + as extreme) / (1 + permutations).
    """
    n = whole.values.size
    slack = np.zeros(n, dtype=np.int64) if whole.exact else neighbours
    none = np.zeros((1, permutations), dtype=np.int64)
    rest = np.zeros(n, dtype=np.int64)
    return swept_tails(whole.values, np.arange(n), neighbours, sums, slack=slack, rest=rest, added=none, seed=seed)


def swept_tails(
    values: Ints, position: Ints, neighbours: Ints, sums: Ints, *, slack: Ints, rest: Ints, added: Ints, seed: int
) -> Tails:
    """Sample the tails of places (n,) whose neighbours are drawn from all values (m,) but the one at `position` (n,).

    Parameters
    ----------
    neighbours, sums : (n,)
        How many values are drawn, and the sum to compare with.
    slack : (n,)
        Sums that differ by no more are the same.
    rest : (n,)
        Which row of `added` (r, permutations) stands for what is drawn besides.
    """
    n, permutations = neighbours.size, added.shape[1]
    most = int(neighbours.max(initial=0))
    ids = _draws(values.size - 1, most, permutations, seed)
    as_large, as_small = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    order = np.argsort(ids, axis=None, kind="stable")
    passes = ids.ravel()[order], *np.divmod(order, max(most, 1))
    places = np.argsort(position, kind="stable")
    start = np.zeros(permutations, dtype=np.int64)
    done = 0
    tested = (neighbours > 0) | (rest > 0)
    for size in np.unique(neighbours[tested]):
        start += values[ids[:, done:size] + 1].sum(axis=1)
        done = size
        chosen = places[tested[places] & (neighbours[places] == size)]
        _sweep(start, passes, size, values, chosen, position, rest, added, sums, slack, as_large, as_small)
    shares = (1.0 + np.array([as_large, as_small], dtype=np.float64)) / (1.0 + permutations)
    shares[:, ~tested] = np.nan
    return Tails(shares[0], shares[1], np.arange(n))


def sampled_tails_weighted(values: Floats, others: sparse.csr_array, *, permutations: int, seed: int) -> Tails:
    """Sample the tails for any weights; `others` (n, n) is without the diagonal.

    Sums that differ by rounding only count as tied.
    """
    neighbours = np.diff(others.indptr)
    ids = _draws(values.size - 1, int(neighbours.max(initial=0)), permutations, seed)
    as_large, as_small = _gather(ids, values, others.indptr, others.data, others @ values)
    shares = (1.0 + np.array([as_large, as_small], dtype=np.float64)) / (1.0 + permutations)
    shares[:, neighbours == 0] = np.nan
    return Tails(shares[0], shares[1], np.arange(neighbours.size))


def grouped(key: Ints, entries: int) -> tuple[Ints, Ints]:
    """Return one place a distinct key, and the group of each place (n,)."""
    if entries > 4 * key.size + 4096:
        _, first, group = np.unique(key, return_index=True, return_inverse=True)
        return first, group
    place = _last_of_each(key, entries)
    used = np.flatnonzero(place >= 0)
    first = place[used]
    place[used] = np.arange(used.size)
    return first, place[key]


def chance(p: Floats) -> Floats:
    """Return probabilities within a double's range: below what it holds is still not none."""
    return np.asarray(np.clip(p, 2.3e-308, 1.0), dtype=np.float64)


def from_above(table: Floats) -> Floats:
    """Return the sums of each row from each column to the last."""
    return np.cumsum(table[:, ::-1], axis=1)[:, ::-1]


def _draws(population: int, size: int, permutations: int, seed: int) -> Ints:
    """Return ordered draws (permutations, size) without replacement from 0..population-1 (Floyd, then shuffled)."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((permutations, size), dtype=np.int64)
    for column, last in enumerate(range(population - size, population)):
        pick = rng.integers(0, last + 1, permutations)
        taken = (drawn[:, :column] == pick[:, None]).any(axis=1)
        drawn[:, column] = np.where(taken, last, pick)
    return np.asarray(rng.permuted(drawn, axis=1))


@njit(cache=True, nogil=True)
def _last_of_each(key, entries):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    place = np.full(entries, -1)
    for i in range(key.size):
        place[key[i]] = i
    return place


@njit(cache=True, nogil=True)
def subset_sums(codes, multiplicity, most, top, tilt):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return f[k][s] tilt^k; the last column holds every sum from `top` up."""
    table = np.zeros((most + 1, top + 1))
    table[0, 0] = 1.0
    reach = np.zeros(most + 1, np.int64)
    ways = np.empty(most + 1)
    taken = 0
    for d in range(codes.size):
        draws = min(multiplicity[d], most)
        ways[0] = 1.0
        for j in range(draws):
            ways[j + 1] = ways[j] * tilt * (multiplicity[d] - j) / (j + 1)
        for k in range(min(most, taken + draws), 0, -1):
            for j in range(max(1, k - taken), min(k, draws) + 1):
                step = j * codes[d]
                high = reach[k - j]
                fits = min(high, top - 1 - step)
                source, target = table[k - j], table[k]
                for s in range(fits + 1):
                    target[s + step] += ways[j] * source[s]
                over = 0.0
                for s in range(max(fits + 1, 0), high + 1):
                    over += source[s]
                target[top] += ways[j] * over
                reach[k] = max(reach[k], min(high + step, top))
        taken = min(taken + draws, most)
    return table


@njit(cache=True, nogil=True)
def tails_without(upper, lower, own, k, s, tilt):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Return scaled counts of k-subsets with a sum of at least, and at most, s that leave out one value `own`.

    The third of the three is False where a difference has lost digits.
    """
    above = above_size = below = below_size = 0.0
    for draws in range(k + 1):
        left = s - (k - draws) * own
        term = upper[draws, max(left, 0)]
        above, above_size = term - tilt * above, term + tilt * above_size
        term = lower[draws, left] if left >= 0 else 0.0
        below, below_size = term - tilt * below, term + tilt * below_size
    return above, below, above * _SAFE_LOSS >= above_size and below * _SAFE_LOSS >= below_size


@njit(cache=True, nogil=True)
def subsets(most, n, tilt):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return how many k-subsets of n values there are, k = 0..most, scaled by tilt^k."""
    total = np.empty(most + 1)
    total[0] = 1.0
    for k in range(most):
        total[k + 1] = total[k] * tilt * (n - k) / (k + 1)
    return total


@njit(cache=True, nogil=True)
def _leave_one_out(upper, lower, own, neighbours, sums, tilt, n):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return both tails (g,) without the place itself, whose value is `own`; nan where a difference loses digits."""
    total = subsets(upper.shape[0] - 1, n - 1, tilt)
    greater, less = np.full(own.size, np.nan), np.full(own.size, np.nan)
    for i in range(own.size):
        k = neighbours[i]
        above, below, sound = tails_without(upper, lower, own[i], k, sums[i], tilt)
        if k > 0 and sound:
            greater[i], less[i] = above / total[k], below / total[k]
    return greater, less


@njit(cache=True, nogil=True)
def _sweep(start, passes, size, values, places, position, rest, added, sums, slack, as_large, as_small):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Count the draws as large and as small for places with `size` neighbours, given in the order of their positions.

    `start` holds each draw's sum for position 0; `passes` the ids of all draws in order, with their draw and column, of
    which the first `size` columns count.
    """
    ids, draws, columns = passes
    drawn = start.copy()
    at = 0
    for i in places:
        while at < ids.size and ids[at] < position[i]:
            if columns[at] < size:
                drawn[draws[at]] += values[ids[at]] - values[ids[at] + 1]
            at += 1
        large = small = 0
        row = added[rest[i]]
        for p in range(drawn.size):
            total = drawn[p] + row[p]
            large += total >= sums[i] - slack[i]
            small += total <= sums[i] + slack[i]
        as_large[i], as_small[i] = large, small


@njit(cache=True, nogil=True)
def _gather(ids, values, indptr, weights, observed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Count the draws as large and as small as the weighted sums observed (n,)."""
    n = values.size
    largest = np.abs(values).max()
    as_large, as_small = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        start, size = indptr[i], indptr[i + 1] - indptr[i]
        heaviest = 0.0
        for j in range(size):
            heaviest = max(heaviest, weights[start + j])
        slack = 1e-14 * (size + 1) * size * heaviest * largest
        for p in range(ids.shape[0]):
            drawn = 0.0
            for j in range(size):
                r = ids[p, j]
                drawn += weights[start + j] * values[r + (r >= i)]
            as_large[i] += drawn >= observed[i] - slack
            as_small[i] += drawn <= observed[i] + slack
    return as_large, as_small
