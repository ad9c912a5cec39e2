"""When things happen: the week's clock with weights for uncertain times, and how places differ from the whole."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import chdtrc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEK_HOURS = 168
WATCHES = 4
"""Quarters of the day, from midnight: night, morning, afternoon, evening."""
ENOUGH = 15.0
"""Where every class expects so many events the chi-square distribution holds; below, p is drawn."""
SAMPLED_MOST = 20_000
"""Events of the largest place whose p is drawn, however rare a class: about two seconds."""
_BLOCK = 500
"""Draws whose random numbers are made at once."""
_TIE = 1e-9
"""Numbers this close, of one, are one number: sums in another order."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Events on the week's clock.

    Attributes
    ----------
    week : (groups, 168)
        Weight in each hour of the week, Monday 0:00-0:59 first; a row sums to the number of its events.
    watches : (n, 4)
        Each event's weight in the quarters of the day; a row sums to 1.
    direction
        Sums of the cosine and sine of the time of day as an angle, over all events.
    """

    week: Floats
    watches: Floats
    direction: tuple[float, float]

    @property
    def mean_hour(self) -> float:
        """Circular mean of the time of day, in hours; nan without events."""
        cosine, sine = self.direction
        return float(np.arctan2(sine, cosine) * 12 / np.pi % 24) if len(self.watches) else np.nan

    @property
    def resultant_length(self) -> float:
        """How much the times of day agree: 1 all the same, 0 spread evenly or evenly opposed; nan without events."""
        return float(np.hypot(*self.direction)) / len(self.watches) if len(self.watches) else np.nan


def aoristic_clock(
    start_s: Ints, end_s: Ints, steps_s: Ints, offsets_s: Ints, *, group: Ints | None = None, groups: int = 1
) -> Clock:
    """Spread each event evenly over the time in which it can have happened, and add up by hour of the week.

    Parameters
    ----------
    start_s, end_s : (n,)
        Earliest and latest instant, in seconds since 1970 (UTC); equal, or the end before the start, for an instant.
    steps_s, offsets_s : (k,)
        Local time: from each step on, UTC and an offset in seconds; the first holds before as well.
    group : (n,)
        Which row of `week` an event belongs to, all 0 when not given.

    References
    ----------
    Ratcliffe and McCullagh (1998), Int. J. Geogr. Inf. Sci. 12; Ratcliffe (2002), J. Quant. Criminol. 18.

    Examples
    --------
    From Thursday 1970-01-01 0:30 to 2:00, in UTC:

    >>> clock = aoristic_clock(np.array([1800]), np.array([7200]), np.array([0]), np.array([0]))
    >>> clock.week[0, 3 * 24 : 3 * 24 + 3].round(3).tolist(), round(clock.mean_hour, 9)
    ([0.333, 0.667, 0.0], 1.25)
    """
    rows = np.zeros(start_s.size, np.int64) if group is None else group
    week, watches, direction = _spread(start_s, end_s, steps_s, offsets_s, rows, groups)
    return Clock(week, watches, (float(direction[0]), float(direction[1])))


@dataclass(frozen=True, slots=True)
class ProfileTest:
    """How the events of each place are spread over classes, against all events.

    Attributes
    ----------
    counts : (m,)
        Events of each place.
    sums : (m, k)
        Their weight in each class.
    z : (m, k)
        (weight - expected) / standard deviation under the null; nan where nothing can vary.
    p : (m,)
        Chance of a profile at least as far from that of all events; nan without events.
    """

    counts: Ints
    sums: Floats
    z: Floats
    p: Floats


def profile_test(weights: Floats, place: Ints, places: int, *, permutations: int = 9999, seed: int = 0) -> ProfileTest:
    """Test each place whether its events are a random draw, without replacement, from all events.

    The distance is ``d' S d / c`` with d the place's weights less their expectation, S the generalised inverse of the
    covariance of the events' weights and ``c = n (N - n) / (N - 1)``. Where every event lies in one class only this is
    Pearson's chi-square of the place against the rest, times (N - 1) / N. Where the rarest class expects fewer than
    `ENOUGH` events its null is drawn, elsewhere it is chi-square.

    Parameters
    ----------
    weights : (n, k)
        Of each event in each class; rows sum to 1.
    place : (n,)
        Where each event is.
    permutations, seed
        Of the draws; their p is never below 1 / (permutations + 1).
    """
    n, classes = weights.shape
    counts = np.bincount(place, minlength=places).astype(np.int64)
    mean = weights.mean(axis=0) if n else np.zeros(classes)
    covariance = weights.T @ weights / max(n, 1) - np.outer(mean, mean)
    # In the directions of the covariance, scaled, the distance is a plain sum of squares.
    lengths, directions = np.linalg.eigh(covariance)
    varying = lengths > _TIE
    white = (weights - mean) @ (directions[:, varying] / np.sqrt(lengths[varying]))
    scale = np.asarray(counts * (n - counts) / max(n - 1, 1))
    distance = _ratio((_sums(white, place, places) ** 2).sum(axis=1), scale, empty=0.0)
    p = np.asarray(chdtrc(varying.sum(), distance)) if varying.any() else np.ones(places)
    rare = np.min(mean[mean > 0], initial=1.0)
    drawn = np.flatnonzero((counts > 0) & (counts < n) & (counts <= min(ENOUGH / rare, SAMPLED_MOST)))
    if drawn.size and varying.any():
        p[drawn] = _drawn_p(white, counts[drawn], distance[drawn], permutations=permutations, seed=seed)
    p[scale == 0] = 1.0
    p[counts == 0] = np.nan
    sums = _sums(weights, place, places)
    spread = np.sqrt(np.outer(scale, np.maximum(np.diag(covariance), 0.0)))
    return ProfileTest(counts, sums, _ratio(sums - counts[:, None] * mean, spread, empty=np.nan), p)


def _sums(values: Floats, place: Ints, places: int) -> Floats:
    columns = [np.bincount(place, column, places) for column in values.T]
    return np.column_stack(columns).astype(float) if columns else np.zeros((places, 0))


def _ratio(above: Floats, below: Floats, *, empty: float) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(above.shape, empty), where=below > _TIE))


def _drawn_p(white: Floats, counts: Ints, distance: Floats, *, permutations: int, seed: int) -> Floats:
    """Return p (m,): every draw is one order of the events, whose first events serve all places of each size."""
    # Equal places together, by size and then by distance, so that a draw is placed among them by bisection.
    order = np.lexsort((distance, counts))
    sizes, first = np.unique(counts[order], return_index=True)
    bounds = np.append(first, order.size)
    ranked = distance[order] * (1 - _TIE) - _TIE
    passed = np.zeros(order.size, np.int64)
    rng = np.random.default_rng(seed)
    pool = np.arange(len(white), dtype=np.int32)
    for done in range(0, permutations, _BLOCK):
        uniform = rng.random((min(_BLOCK, permutations - done), int(sizes[-1])))
        _draw(white, uniform, pool, sizes, bounds, ranked, passed)
    p = np.empty(order.size)
    for start, end in pairwise(bounds.tolist()):
        # passed[i]: draws that reach place i but not the next of its size.
        p[order[start:end]] = (np.cumsum(passed[start:end][::-1])[::-1] + 1) / (permutations + 1)
    return p


@njit(cache=True, nogil=True)
def _spread(start_s, end_s, steps_s, offsets_s, group, groups):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    week = np.zeros((groups, WEEK_HOURS))
    watches = np.zeros((start_s.size, WATCHES))
    cosine = sine = 0.0
    turn = 2 * np.pi / 86_400
    for i in range(start_s.size):
        step = max(np.searchsorted(steps_s, start_s[i], side="right") - 1, 0)
        now, end = start_s[i], end_s[i]
        length = end - now
        while True:
            local = now + offsets_s[step]
            hour = local // 3_600
            # On to the next full hour by the local clock, to its next change or to the end, whichever is first.
            until = min((hour + 1) * 3_600 - offsets_s[step], end)
            if step + 1 < steps_s.size:
                until = min(until, steps_s[step + 1])
            share = (until - now) / length if length > 0 else 1.0
            # 1970 began on a Thursday.
            week[group[i], (hour + 72) % WEEK_HOURS] += share
            watches[i, hour % 24 // 6] += share
            angle = local % 86_400 * turn
            if length > 0:
                width = (until - now) * turn
                cosine += share * (np.sin(angle + width) - np.sin(angle)) / width
                sine += share * (np.cos(angle) - np.cos(angle + width)) / width
            else:
                cosine += np.cos(angle)
                sine += np.sin(angle)
            if until >= end:
                break
            now = until
            if step + 1 < steps_s.size and now >= steps_s[step + 1]:
                step += 1
    return week, watches, (cosine, sine)


@njit(cache=True, nogil=True)
def _draw(white, uniform, pool, sizes, bounds, ranked, passed):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Add to `passed` how many draws reach each place but not the next of its size; the order stays in `pool`."""
    n, directions = white.shape
    off = np.empty(directions)
    for draw in range(uniform.shape[0]):
        off[:] = 0.0
        at = 0
        for i in range(uniform.shape[1]):
            j = i + np.int64(uniform[draw, i] * (n - i))
            pool[i], pool[j] = pool[j], pool[i]
            for k in range(directions):
                off[k] += white[pool[i], k]
            if i + 1 < sizes[at]:
                continue
            distance = 0.0
            for k in range(directions):
                distance += off[k] ** 2
            distance *= (n - 1) / ((i + 1) * (n - i - 1))
            low, high = bounds[at], bounds[at + 1]
            while low < high:
                middle = (low + high) // 2
                if ranked[middle] <= distance:
                    low = middle + 1
                else:
                    high = middle
            if low > bounds[at]:
                passed[low - 1] += 1
            at += 1
