"""Pairs of events that are near in space, visited once each and never kept unless asked for.

Events are put in rows as high as the largest distance and sorted along each row, so that the later partners of an event
are two runs of the sorted events: one in its own row, one in the next. About half of these candidates are pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_MARGIN = 1 + 1e-9
"""Rows are a breath higher than the reach, lest rounding puts a pair two rows apart."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Events in the order of the walk.

    Attributes
    ----------
    order : (n,)
        Which event stands at each place of the walk.
    points : (n, 2)
        In that order, from the south-western corner of their box.
    runs : (n, 3)
        The later partners of place i stand in ``i + 1 : runs[i, 0]`` and ``runs[i, 1] : runs[i, 2]``, among others.
    """

    order: Ints
    points: Floats
    runs: Ints

    @property
    def candidates_count(self) -> int:
        """How many pairs of events the walk looks at."""
        ends = self.runs
        return int((ends[:, 0] - np.arange(len(ends)) - 1 + ends[:, 2] - ends[:, 1]).sum())


def rows_of(points: Floats, reach: float) -> Rows:
    """Return the events (n, 2) in the order in which pairs at most `reach` apart are found.

    Examples
    --------
    >>> rows_of(np.array([[0.0, 0.0], [9.0, 0.0], [1.0, 0.0]]), 2.0).candidates_count
    1
    """
    if len(points) == 0:
        return Rows(np.empty(0, np.int64), np.empty((0, 2)), np.empty((0, 3), np.int64))
    corner = points - points.min(axis=0)
    height = reach * _MARGIN
    # Only the same place counts: a row a latitude.
    row = np.floor(corner[:, 1] / height) if height > 0 else np.unique(corner[:, 1], return_inverse=True)[1]
    order = np.lexsort((corner[:, 0], row))
    placed = np.ascontiguousarray(corner[order])
    return Rows(order, placed, _runs(placed[:, 0].copy(), row[order].astype(np.int64), reach))


@njit(cache=True, nogil=True)
def _runs(x, row, reach):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    n = x.size
    runs = np.empty((n, 3), np.int64)
    own = low = high = 0
    for i in range(n):
        own = max(own, i + 1)
        while own < n and row[own] == row[i] and x[own] - x[i] <= reach:
            own += 1
        low = max(low, own)
        while low < n and (row[low] == row[i] or (row[low] == row[i] + 1 and x[i] - x[low] > reach)):
            low += 1
        high = max(high, low)
        while high < n and row[high] == row[i] + 1 and x[high] - x[i] <= reach:
            high += 1
        runs[i, 0], runs[i, 1], runs[i, 2] = own, low, high
    return runs
