"""How often places are visited and how long they wait between two visits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Visits to n places.

    Attributes
    ----------
    count, units : (n,)
        Visits, and how many different units came.
    median_s : (n,)
        Half of the times between a visit and the next are no longer; NaN with fewer than two visits.
    longest_s : (n,)
        Longest time without a visit, from the beginning of the period to its end.
    last_s : (n,)
        Instant of the last visit, NaN where nobody came.
    """

    count: Ints
    units: Ints
    median_s: Floats
    longest_s: Floats
    last_s: Floats


def waits(
    place: Ints, at_s: Floats, unit: Ints, count: int, period_s: tuple[float, float], *, merge_s: float = 0.0
) -> Waits:
    """Return the visits to each of `count` places.

    Parameters
    ----------
    place, at_s, unit : (k,)
        A pass each; in any order.
    period_s
        First and last instant; all passes lie between them.
    merge_s
        A pass no later than this after the one before at the same place is the same visit, whoever it is.

    Examples
    --------
    >>> two = waits(np.array([0, 0, 0]), np.array([10.0, 12.0, 40.0]), np.array([1, 2, 1]), 2, (0.0, 100.0), merge_s=5)
    >>> two.count.tolist(), two.longest_s.tolist(), two.units.tolist()
    ([2, 0], [60.0, 100.0], [2, 0])
    """
    begin, end = period_s
    order = np.lexsort((at_s, place))
    place, at = place[order], at_s[order]
    same = np.diff(place, prepend=-1) == 0
    gap = np.diff(at, prepend=0.0)
    starts = ~same | (gap > merge_s)
    visited, when = place[starts], at[starts]
    n = np.bincount(visited, minlength=count)
    again = np.diff(visited, prepend=-1) == 0
    between, owner = np.diff(when, prepend=0.0)[again], visited[again]
    longest = np.full(count, end - begin)
    first, last = np.full(count, np.nan), np.full(count, np.nan)
    has = np.flatnonzero(n)
    ends = np.cumsum(n[has])
    first[has], last[has] = when[ends - n[has]], when[ends - 1]
    longest[has] = np.maximum(first[has] - begin, end - last[has])
    np.maximum.at(longest, owner, between)
    pairs = np.unique(np.column_stack([place, unit[order]]), axis=0)
    return Waits(n, np.bincount(pairs[:, 0], minlength=count), _medians(owner, between, count), longest, last)


def _medians(owner: Ints, values: Floats, count: int) -> Floats:
    """Return the middle value of each owner, the mean of two where they are even; NaN where it has none."""
    order = np.lexsort((values, owner))
    owner, values = owner[order], values[order]
    n = np.bincount(owner, minlength=count)
    start = np.cumsum(n) - n
    found = np.full(count, np.nan)
    has = np.flatnonzero(n)
    low, high = start[has] + (n[has] - 1) // 2, start[has] + n[has] // 2
    found[has] = (values[low] + values[high]) / 2
    return found
