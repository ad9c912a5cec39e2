"""Choosing sites by what it costs to serve all demand from the nearest: exchanges with restarts, and a lower bound.

Interchange after Teitz and Bart (1968), Operations Research 16, 955-961, with the one pass over a candidate of Whitaker
(1983), INFOR 21, 95-108. The bound is the Lagrangian one of Cornuejols, Fisher and Nemhauser (1977), Management Science
23, 789-810: each demand offers a price for being served, and a site collects from whoever offers more than it costs.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.kernels.random_stream import below, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RESTARTS = 30
ROUNDS = 600
INSTANT, THOROUGH = 100_000_000, 2_000_000_000
"""Costs looked at before no further beginning or round is started: a tenth of a second, and some seconds."""
LEAST_ROUNDS = 20

_SAME = 1e-6
"""Sums of whole numbers are exact; those of others differ by more than this, or are the same."""
_PATIENCE, _SLOWEST, _BEYOND = 20, 1e-4, 1.01
"""Steps without a better bound before they are halved, the length at which they end, and the bound they aim at."""


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What a bound was found with.

    Attributes
    ----------
    bound
        No p sites cost less.
    saving : (m,)
        What each site collects at these prices, at most 0.
    """

    bound: float
    saving: Floats


def interchange(
    cost: Floats,
    p: int,
    *,
    must: Bools | None = None,
    restarts: int = RESTARTS,
    most_steps: int = THOROUGH,
    seed: int = 0,
) -> Ints:
    """Return p sites from which no exchange of one lowers the cost, the best of several beginnings.

    Parameters
    ----------
    cost : (m, n)
        Of serving each demand from each site, whole numbers.
    p
        At least 1, those of `must` among them.
    must : (m,), optional
        Sites that are open.
    restarts
        Beginnings: the first greedy, the others at random, every second of them near the best so far.
    most_steps
        No new beginning once so many costs were looked at.

    Returns
    -------
    (p,)
        In ascending order; all sites where there are no more than p.

    Examples
    --------
    >>> interchange(np.array([[0.0, 2, 5, 9], [2, 0, 3, 7], [9, 7, 4, 0]]), 2).tolist()
    [1, 2]
    """
    m = cost.shape[0]
    held = np.zeros(m, bool) if must is None else must
    if p >= m:
        return np.arange(m)
    opened = _interchange(np.ascontiguousarray(cost, float), held, p, restarts, most_steps, stream(seed))
    return np.flatnonzero(opened)


def served_from(cost: Floats, sites: Ints) -> Floats:
    """Return what each demand (n,) costs from the cheapest of some sites."""
    return np.asarray(cost[sites].min(axis=0))


def lagrangian(cost: Floats, p: int, value: float, *, must: Bools | None = None, most_steps: int = THOROUGH) -> Prices:
    """Return a lower bound of the cost of p sites.

    Parameters
    ----------
    cost : (m, n)
    value
        What some p sites cost.
    must : (m,), optional
        Sites that are open.
    most_steps
        No new round once so many costs were looked at; it ends sooner where the bound reaches `value`, or stalls.
    """
    m = cost.shape[0]
    cost = np.ascontiguousarray(cost, float)
    held = np.zeros(m, bool) if must is None else must
    room = min(p, m) - int(held.sum())
    price = np.partition(cost, min(1, m - 1), axis=0)[min(1, m - 1)].copy()
    saving, best = np.empty(m), Prices(-np.inf, np.zeros(m))
    pace, stalled = 1.0, 0
    for _ in range(min(ROUNDS, max(LEAST_ROUNDS, most_steps // cost.size))):
        _savings(cost, price, saving)
        opened = held.copy()
        opened[np.argsort(np.where(held, np.inf, saving), kind="stable")[:room]] = True
        bound = float(price.sum() + saving[opened].sum())
        if bound > best.bound:
            best, stalled = Prices(bound, saving.copy()), 0
        else:
            stalled += 1
            if stalled == _PATIENCE:
                pace, stalled = pace / 2, 0
        unserved = 1.0 - (cost[opened] < price).sum(axis=0)
        size = float(unserved @ unserved)
        if size == 0 or best.bound >= value - _SAME or pace < _SLOWEST:
            break
        price += pace * (_BEYOND * value - bound) / size * unserved
    return best


@njit(cache=True, nogil=True)
def _nearest(cost, opened, nearest, first, second):  # type: ignore[no-untyped-def]
    """Write the cheapest site of each demand, and what the cheapest two cost."""
    first[:] = np.inf
    second[:] = np.inf
    for j in range(opened.size):
        if opened[j]:
            for i in range(first.size):
                c = cost[j, i]
                if c < first[i]:
                    second[i] = first[i]
                    first[i] = c
                    nearest[i] = j
                elif c < second[i]:
                    second[i] = c


@njit(cache=True, nogil=True)
def _greedy(cost, opened, room, first):  # type: ignore[no-untyped-def]
    first[:] = np.inf
    for j in range(opened.size):
        if opened[j]:
            first[:] = np.minimum(first, cost[j])
    for _ in range(room):
        best, least = -1, np.inf
        for j in range(opened.size):
            if not opened[j]:
                total = 0.0
                for i in range(first.size):
                    total += min(first[i], cost[j, i])
                if total < least:
                    best, least = j, total
        opened[best] = True
        first[:] = np.minimum(first, cost[best])


@njit(cache=True, nogil=True)
def _exchange(cost, must, opened, nearest, first, second, loss):  # type: ignore[no-untyped-def]
    """Make the best exchange of one site; return what it saves, 0 where none saves anything."""
    m, n = cost.shape
    best, best_in, best_out = 0.0, -1, -1
    for f in range(m):
        if opened[f]:
            continue
        gain = 0.0
        loss[:] = 0.0
        for i in range(n):
            c = cost[f, i]
            if c < first[i]:
                gain += first[i] - c
            else:
                # Without its site this demand would go to the second, or to the new one.
                loss[nearest[i]] += min(c, second[i]) - first[i]
        for k in range(m):
            if opened[k] and not must[k] and gain - loss[k] > best:
                best, best_in, best_out = gain - loss[k], f, k
    if best_in >= 0:
        opened[best_in] = True
        opened[best_out] = False
    return best


@njit(cache=True, nogil=True)
def _interchange(cost, must, p, restarts, most_steps, state):  # type: ignore[no-untyped-def]  # noqa: C901
    m, n = cost.shape
    nearest = np.zeros(n, np.int64)
    first, second, loss = np.empty(n), np.empty(n), np.empty(m)
    room = p - must.sum()
    best, best_opened = np.inf, must.copy()
    steps = 0
    for start in range(restarts):
        opened = must.copy()
        if start == 0:
            _greedy(cost, opened, room, first)
            steps += m * n * room
        else:
            left = room
            if start % 2 == 0:
                # From the best so far, without a few of its sites.
                opened[:] = best_opened
                left = 1 + below(state, max(1, room // 4))
                for _ in range(left):
                    j = below(state, m)
                    while must[j] or not opened[j]:
                        j = (j + 1) % m
                    opened[j] = False
            while left > 0:
                j = below(state, m)
                if not opened[j]:
                    opened[j] = True
                    left -= 1
        better = True
        while better:
            _nearest(cost, opened, nearest, first, second)
            steps += m * n
            better = room > 0 and _exchange(cost, must, opened, nearest, first, second, loss) > _SAME
        total = first.sum()
        if total < best:
            best = total
            best_opened[:] = opened
        if room == 0 or steps > most_steps:
            break
    return best_opened


@njit(cache=True, nogil=True)
def _savings(cost, price, saving):  # type: ignore[no-untyped-def]
    for j in range(saving.size):
        collected = 0.0
        for i in range(price.size):
            collected += min(0.0, cost[j, i] - price[i])
        saving[j] = collected
