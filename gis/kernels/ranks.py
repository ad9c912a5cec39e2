"""How sure a place's rank is: where it would stand at the low and at the high end of what its count allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaincinv

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PAIRS = 250_000
"""Pairs of distinct places compared one by one; with more, the number above is read off a curve."""
CURVE_POINTS = 200


@dataclass(frozen=True, slots=True)
class Ranks:
    """Rank 1 is the most; `low` and `high` are the best and the worst rank that is still likely, all (n,)."""

    rank: Ints
    low: Ints
    high: Ints


def count_ranks(counts: NDArray[np.generic], *, level: float = 0.9) -> Ranks:
    """Return ranks of counts (n,) with their range: a count n stands for a rate with posterior Gamma(n + 1/2, 1).

    Examples
    --------
    >>> found = count_ranks(np.array([100, 4, 5, 0]))
    >>> found.rank.tolist(), found.low.tolist(), found.high.tolist()
    ([1, 3, 2, 4], [1, 2, 2, 3], [1, 4, 3, 4])
    """
    shape = np.asarray(counts, dtype=float) + 0.5
    return gamma_ranks(shape, np.ones(shape.size), level=level)


def gamma_ranks(shape: Floats, rate: Floats, *, level: float = 0.9) -> Ranks:
    """Return ranks, and their range, of quantities with posterior Gamma(shape, rate).

    Parameters
    ----------
    shape, rate : (n,), positive
        Places are ranked by the mean, shape / rate; equal ones share the best rank.
    level
        Of the range: with 0.9, a place is put at its own 95 % quantile for `low` and at its 5 % quantile for `high`.

    Notes
    -----
    A rank at a value x is 1 plus the expected number of the other places above x, the sum of their chances to be
    there; `low` is rounded down, `high` up. Places with the same posterior are computed once.
    """
    pairs, group, many = np.unique(np.column_stack([shape, rate]), axis=0, return_inverse=True, return_counts=True)
    group = group.ravel()
    a, b = pairs.T
    mean = a / b
    order = np.argsort(-mean, kind="stable")
    above = np.cumsum(many[order]) - many[order]
    best = np.empty(a.size, dtype=np.int64)
    # Places with equal means share the best rank among them.
    first = np.searchsorted(-mean[order], -mean[order], side="left")
    best[order] = 1 + above[first]
    tail = (1.0 - level) / 2
    ends = []
    for quantile in (1.0 - tail, tail):
        at = gammaincinv(a, quantile) / b
        # The place itself is among those counted, with the chance 1 - quantile to be above its own quantile.
        ends.append(1.0 + _expected_above(at, a, b, many) - (1.0 - quantile))
    low = np.minimum(np.floor(ends[0] + 1e-9), best).astype(np.int64)
    high = np.maximum(np.ceil(ends[1] - 1e-9), best).astype(np.int64)
    return Ranks(best[group], np.maximum(low, 1)[group], np.minimum(high, group.size)[group])


def _expected_above(at: Floats, shape: Floats, rate: Floats, many: Ints) -> Floats:
    """Return the expected number of places above each of the values (g,)."""
    if at.size * shape.size <= MOST_PAIRS:
        return _sum_above(at, shape, rate, many)
    logs = np.log(np.maximum(at, np.finfo(float).tiny))
    curve = np.linspace(logs.min(), logs.max(), CURVE_POINTS)
    return np.asarray(np.interp(logs, curve, _sum_above(np.exp(curve), shape, rate, many)))


def _sum_above(at: Floats, shape: Floats, rate: Floats, many: Ints) -> Floats:
    found = np.zeros(at.size)
    for a, b, times in zip(shape, rate, many, strict=True):
        # Beyond nine standard deviations there is nothing to compute.
        reach = 9.0 * np.sqrt(a) + 20.0
        chance = (at * b < a).astype(float)
        near = np.abs(at * b - a) < reach
        chance[near] = gammaincc(a, at[near] * b)
        found += times * chance
    return found
