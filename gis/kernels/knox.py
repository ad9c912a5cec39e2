"""Knox's test of interaction in space and time: more pairs near in both than chance would make, band by band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

from gis.errors import InvalidInput
from gis.kernels.near_pairs import Floats, Ints, Rows, rows_of

MOST_CANDIDATES = 4_000_000_000
"""Pairs of events that one pass may look at: about twenty seconds."""
MOST_EVENTS = 2_000_000
"""Their cube, which bounds every count, is a 64-bit number."""
LANES = 32
"""Permutations counted side by side, one a lane of the processor's registers."""
_MOST_DAYS = 32_767
_FLUSH = 30_000
"""Pairs after which a 16-bit counter is emptied."""


@dataclass(frozen=True, slots=True)
class KnoxTable:
    """Pairs of events by how far they lie apart: rows (s,) in space, columns (t,) in time.

    Attributes
    ----------
    observed : (s, t)
        Pairs in each band of space and band of time.
    mean, variance : (s, t)
        Of that number over all n! assignments of the days to the places: exact.
    z : (s, t)
        (observed - mean) / standard deviation; nan where nothing can vary.
    p : (s, t)
        Chance of at least as many pairs: by permutation, or from z by the normal distribution without permutations;
        nan where no pair could ever fall.
    space_pairs : (s,)
        Pairs in each band of space, whenever they happened.
    time_pairs : (t,)
        Pairs in each band of time, wherever they happened.
    permutations
        How many p rests on; 0 where it rests on z.
    """

    observed: Ints
    mean: Floats
    variance: Floats
    z: Floats
    p: Floats
    space_pairs: Ints
    time_pairs: Ints
    permutations: int

    @property
    def ratio(self) -> Floats:
        """Knox ratio (s, t), observed over expected; nan where none is expected."""
        ratio = np.full(self.mean.shape, np.nan)
        return np.asarray(np.divide(self.observed, self.mean, out=ratio, where=self.mean > 0))


def knox(
    points: Floats,
    days: NDArray[np.integer],
    distances: Sequence[float],
    gaps: Sequence[int],
    *,
    permutations: int = 0,
    seed: int = 0,
) -> KnoxTable:
    """Test every band of space and time whether more pairs of events fall into it than chance would put there.

    The null keeps all places and all days and assigns them to each other at random.

    Parameters
    ----------
    points : (n, 2)
        In metres.
    days : (n,)
        Whole days (or any whole unit of time) since anything.
    distances : rising, metres
        Upper ends of the bands of space, included: 0, 100, 200 gives same place, (0, 100], (100, 200].
    gaps : rising, days
        Upper ends of the bands of time, included: 7, 14 gives 0-7 and 8-14.
    permutations
        Draws of the null for p, counted over the pairs near in space; 0 takes the normal distribution instead.
    seed
        Of the draws.

    References
    ----------
    Knox (1964), Applied Statistics 13; moments: Barton and David (1966), Research Papers in Statistics (Festschrift
    for J. Neyman), for any two graphs on the same events, so also for the graphs of single bands.

    Examples
    --------
    >>> points = np.array([(0, 0), (1, 0), (0, 1), (5, 5), (5, 6), (9, 0)], dtype=float)
    >>> table = knox(points, np.array([0, 1, 1, 5, 6, 5]), [1.5], [1])
    >>> table.observed.item(), table.mean.item(), round(table.variance.item(), 12)
    (4, 1.6, 0.84)
    """
    reach, top = _edges(distances, "distances"), _edges(gaps, "gaps").astype(np.int64)
    short = _shortened(np.asarray(days), int(top[-1]))
    rows = paired_rows(points, float(reach[-1]))
    squares = reach**2
    observed, near = _table(rows.points, rows.runs, short[rows.order], squares, _band_of_gap(top))
    space, time = _graph(near), _time_graph(short, top)
    mean, variance = _moments(len(short), space, time)
    spread = np.sqrt(variance)
    z = np.divide(observed - mean, spread, out=np.full(mean.shape, np.nan), where=spread > 0)
    if permutations:
        pairs = _pairs(rows.points, rows.runs, squares, near.sum(axis=0) // 2)
        p = _drawn_p(observed, short[rows.order], near.any(axis=1), pairs, top, permutations=permutations, seed=seed)
    else:
        p = np.where(spread > 0, ndtr(-z), 1.0)
    possible = np.outer(space[0], time[0]) > 0
    return KnoxTable(
        observed, mean, variance, z, np.where(possible, p, np.nan), space[0], time[0], permutations=permutations
    )


def chains(points: Floats, days: NDArray[np.integer], distance: float, gap: int) -> Ints:
    """Return the chain (n,) of each event, -1 for none: events linked, step by step, by pairs near in space and time.

    Parameters
    ----------
    points : (n, 2)
        In metres.
    days : (n,)
        Whole days.
    distance, gap
        A pair at most so many metres and so many days apart links its events.

    Returns
    -------
    (n,)
        Chains are numbered from 0 in the order of their first event as given.

    Examples
    --------
    >>> chains(np.array([(0.0, 0), (9, 0), (1, 0), (2, 0)]), np.array([0, 0, 1, 9]), 1.0, 2).tolist()
    [0, -1, 0, -1]
    """
    rows = paired_rows(points, distance)
    short = _shortened(np.asarray(days), gap)
    root = np.empty(len(short), np.int64)
    root[rows.order] = rows.order[_linked(rows.points, rows.runs, short[rows.order], distance**2, gap)]
    _, first, chain, size = np.unique(root, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(np.where(size > 1, first, root.size), kind="stable")
    number = np.empty(first.size, np.int64)
    number[order] = np.arange(first.size)
    number[size == 1] = -1
    return number[chain]


def paired_rows(points: Floats, reach: float) -> Rows:
    """Return the events (n, 2) as rows for a walk over pairs; InvalidInput where they are too many to look at."""
    points = np.asarray(points, dtype=float)
    if not np.isfinite(points).all():
        raise InvalidInput("points must be finite numbers")
    if len(points) > MOST_EVENTS:
        raise InvalidInput(f"{len(points):,} events are more than the {MOST_EVENTS:,} that are computed")
    rows = rows_of(points, reach)
    if (asked := rows.candidates_count) > MOST_CANDIDATES:
        raise InvalidInput(
            f"about {asked:,} pairs of events lie within {reach:g} m, at most {MOST_CANDIDATES:,} are computed"
        )
    return rows


def _edges(values: Sequence[float], name: str) -> Floats:
    edges = np.asarray(values, dtype=float)
    if edges.ndim != 1 or edges.size == 0 or edges[0] < 0 or not (np.diff(edges) > 0).all():
        raise InvalidInput(f"{name} must rise and not be negative")
    return edges


def _shortened(days: NDArray[np.integer], top: int) -> Ints:
    """Return days from 0 with every gap longer than `top` cut to one that is just too long: the same pairs are near."""
    if days.size == 0:
        return np.empty(0, np.int64)
    distinct, index = np.unique(days.astype(np.int64), return_inverse=True)
    steps = np.minimum(np.diff(distinct, prepend=distinct[0]), top + 1)
    short = np.cumsum(steps)
    if short[-1] > _MOST_DAYS:
        raise InvalidInput(f"the days must lie within {_MOST_DAYS:,} of each other")
    return short[index]


def _band_of_gap(top: Ints) -> Ints:
    """Return the band of each number of days from 0, the last entry standing for all that are further apart."""
    return np.searchsorted(top, np.arange(top[-1] + 2)).astype(np.int64)


def _graph(neighbours: Ints) -> tuple[Ints, Ints]:
    """Return pairs, and ordered pairs that share an event, of one graph a column of neighbours (n, bands)."""
    return neighbours.sum(axis=0) // 2, (neighbours * (neighbours - 1)).sum(axis=0)


def _time_graph(short: Ints, top: Ints) -> tuple[Ints, Ints]:
    on = np.bincount(short, minlength=1)
    until = np.concatenate([[0], np.cumsum(on)])
    day = np.flatnonzero(on)
    last = np.minimum(day[:, None] + top, on.size - 1) + 1
    within = until[last] - until[np.maximum(day[:, None] - top, 0)] - 1
    apart = np.diff(within, axis=1, prepend=0)
    events = on[day][:, None]
    return (events * apart).sum(axis=0) // 2, (events * apart * (apart - 1)).sum(axis=0)


def _moments(n: int, space: tuple[Ints, Ints], time: tuple[Ints, Ints]) -> tuple[Floats, Floats]:
    """Return exact mean and variance (s, t) of the pairs that two graphs share when one is relabelled at random.

    Rational numbers, because the terms of the variance are far larger than what is left of them.
    """
    shape = (space[0].size, time[0].size)
    mean, variance = np.zeros(shape), np.zeros(shape)
    for s, (a, a2) in enumerate(zip(*(column.tolist() for column in space), strict=True)):
        for t, (b, b2) in enumerate(zip(*(column.tolist() for column in time), strict=True)):
            if a == 0 or b == 0:
                continue
            exact = Fraction(2 * a * b, n * (n - 1))
            second = exact - exact**2
            if a2 and b2:
                second += Fraction(a2 * b2, n * (n - 1) * (n - 2))
            # Pairs of pairs that share no event, each counted in both orders.
            if apart := (a * a - a - a2) * (b * b - b - b2):
                second += Fraction(4 * apart, n * (n - 1) * (n - 2) * (n - 3))
            mean[s, t], variance[s, t] = exact, second
    return mean, variance


def _drawn_p(
    observed: Ints,
    days: Ints,
    paired: NDArray[np.bool_],
    pairs: list[NDArray[np.int32]],
    top: Ints,
    *,
    permutations: int,
    seed: int,
) -> Floats:
    """Return p (s, t) by shuffling the days (n,) over the events and counting each band's pairs (2, m) anew."""
    members = np.flatnonzero(paired)
    place = np.cumsum(paired) - 1
    pairs = [place[pair].astype(np.int32) for pair in pairs]
    rng = np.random.default_rng(seed)
    pool = days.astype(np.int16)
    lanes = np.zeros((members.size, LANES), np.int16)
    as_many = np.zeros(observed.shape, np.int64)
    for start in range(0, permutations, LANES):
        used = min(LANES, permutations - start)
        for lane in range(used):
            _shuffle(pool, rng.random(members.size), lanes, lane)
        for s, pair in enumerate(pairs):
            within = _count(lanes, pair[0], pair[1], top)
            drawn = np.diff(within, axis=0, prepend=0)[:, :used]
            as_many[s] += (drawn >= observed[s][:, None]).sum(axis=1)
    return (as_many + 1) / (permutations + 1)


@njit(cache=True, nogil=True)
def _band(points, i, j, squares):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the band of space of two events; the number of bands where they lie too far apart."""
    square = (points[i, 0] - points[j, 0]) ** 2 + (points[i, 1] - points[j, 1]) ** 2
    if square > squares[-1]:
        return squares.size
    s = 0
    while square > squares[s]:
        s += 1
    return s


@njit(cache=True, nogil=True)
def _table(points, runs, days, squares, band_of_gap):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the pairs by band of space and time (s, t), and each event's neighbours by band of space (n, s)."""
    bands, far = squares.size, band_of_gap.size - 1
    table = np.zeros((bands, band_of_gap[far] + 1), np.int64)
    near = np.zeros((days.size, bands), np.int64)
    for i in range(days.size):
        for first, end in ((i + 1, runs[i, 0]), (runs[i, 1], runs[i, 2])):
            for j in range(first, end):
                s = _band(points, i, j, squares)
                if s < bands:
                    near[i, s] += 1
                    near[j, s] += 1
                    table[s, band_of_gap[min(abs(days[i] - days[j]), far)]] += 1
    return table[:, :-1].copy(), near


@njit(cache=True, nogil=True)
def _pairs(points, runs, squares, counts):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the pairs of each band of space, (2, counts[s]) each, in the order of the walk."""
    bands = squares.size
    pairs = [np.empty((2, counts[s]), np.int32) for s in range(bands)]
    filled = np.zeros(bands, np.int64)
    for i in range(runs.shape[0]):
        for first, end in ((i + 1, runs[i, 0]), (runs[i, 1], runs[i, 2])):
            for j in range(first, end):
                s = _band(points, i, j, squares)
                if s < bands:
                    pairs[s][0, filled[s]] = i
                    pairs[s][1, filled[s]] = j
                    filled[s] += 1
    return pairs


@njit(cache=True, nogil=True)
def _shuffle(pool, uniform, lanes, lane):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Draw the first days of `pool` (n,) without replacement into a lane (m,): Fisher and Yates, stopped after m."""
    n = pool.size
    for i in range(uniform.size):
        j = i + np.int64(uniform[i] * (n - i))
        pool[i], pool[j] = pool[j], pool[i]
        lanes[i, lane] = pool[i]


@njit(cache=True, nogil=True)
def _count(lanes, left, right, top):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return how many pairs of events lie within each number of days (t,), in each lane of days (m, LANES)."""
    within = np.zeros((top.size, LANES), np.int64)
    few = np.zeros((top.size, LANES), np.int16)
    held = 0
    for pair in range(left.size):
        i, j = np.uint64(left[pair]), np.uint64(right[pair])
        for t in range(top.size):
            days = top[t]
            width = np.uint16(2 * days)
            for k in range(LANES):
                # One comparison instead of two: what is below -days wraps to a large number.
                few[t, k] = np.int16(few[t, k] + np.int16(np.uint16(lanes[i, k] - lanes[j, k] + days) <= width))
        held += 1
        if held == _FLUSH or pair == left.size - 1:
            for t in range(top.size):
                for k in range(LANES):
                    within[t, k] += few[t, k]
                    few[t, k] = 0
            held = 0
    return within


@njit(cache=True, nogil=True)
def _linked(points, runs, days, square, gap):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return for each event the one that stands for its chain: union and find with halved paths."""
    root = np.arange(days.size)
    for i in range(days.size):
        for first, end in ((i + 1, runs[i, 0]), (runs[i, 1], runs[i, 2])):
            for j in range(first, end):
                apart = (points[i, 0] - points[j, 0]) ** 2 + (points[i, 1] - points[j, 1]) ** 2
                if apart <= square and abs(days[i] - days[j]) <= gap:
                    a, b = i, j
                    while root[a] != a:
                        root[a] = root[root[a]]
                        a = root[a]
                    while root[b] != b:
                        root[b] = root[root[b]]
                        b = root[b]
                    root[max(a, b)] = min(a, b)
    for i in range(days.size):
        root[i] = root[root[i]]
    return root
