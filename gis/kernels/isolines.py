"""Lines on a raster: how late one is anywhere near the streets, and the rings around all places that are in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """Closed lines around all places of a raster below a level.

    Attributes
    ----------
    corners : (k, 2)
        Column and row, between whole numbers, ring after ring; the last corner of each is its first.
    begins : (r + 1,)
        The corners of ring i are ``corners[begins[i]:begins[i + 1]]``. What is below the level lies on the left: in the
        coordinates of column and row, outlines run counter-clockwise and holes clockwise.
    """

    corners: Floats
    begins: Ints


def lateness_s(
    points: Floats, seconds: Floats, shape: tuple[int, int], *, limit_s: float, reach_cells: float, cell_s: float
) -> Floats:
    """Return by how much one is too late at each place of a raster (rows, columns) who walks straight from points.

    At most 0 where one is in time from a point within reach. Beyond reach it rises as it does beyond the limit, and so
    both give the same kind of edge. What is two cells beyond everything is two cells late.

    Parameters
    ----------
    points : (k, 2)
        Column and row, whole numbers at the places of the raster.
    seconds : (k,)
        When one is there.
    reach_cells, cell_s
        How far one walks from a point, and the time that each cell takes.

    Examples
    --------
    >>> late = lateness_s(np.array([[1.0, 0.0]]), np.array([10.0]), (1, 5), limit_s=90.0, reach_cells=1.5, cell_s=5.0)
    >>> late.tolist()
    [[-2.5, -7.5, -2.5, 2.5, 7.5]]
    """
    raster = np.full(shape, 2 * cell_s)
    _spread(np.ascontiguousarray(points), seconds - limit_s, reach_cells, cell_s, raster)
    return raster


@njit(cache=True, nogil=True)
def _spread(
    points: Floats, late_s: Floats, reach: float, cell_s: float, raster: Floats
) -> None:  # pragma: no cover - compiled
    rows, columns = raster.shape
    far = reach + 2.0
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        for row in range(max(0, int(np.ceil(y - far))), min(rows - 1, int(np.floor(y + far))) + 1):
            for column in range(max(0, int(np.ceil(x - far))), min(columns - 1, int(np.floor(x + far))) + 1):
                away = np.hypot(column - x, row - y)
                late = max(late_s[i] + away * cell_s, (away - reach) * cell_s)
                raster[row, column] = min(raster[row, column], late)


def rings(raster: Floats, level: float) -> Rings:
    """Return the rings around all places of a raster (rows, columns) with a value at most `level`.

    Between neighbouring places values change evenly (marching squares); where both diagonals of a square could be
    joined, the mean of its four corners decides. What lies beyond the edge of the raster is above the level.

    Examples
    --------
    >>> peak = np.array([[9.0, 9.0, 9.0], [9.0, 1.0, 9.0], [9.0, 9.0, 9.0]])
    >>> rings(peak, 5.0).corners.tolist()
    [[1.0, 0.5], [1.5, 1.0], [1.0, 1.5], [0.5, 1.0], [1.0, 0.5]]
    """
    if not np.isfinite(raster).all():
        raise ValueError("every place of the raster needs a finite value")
    # A frame of places above the level closes all rings.
    framed = np.pad(raster, 1, constant_values=max(float(raster.max(initial=level)), level) + 1.0)
    edge, position = _crossings(framed, level)
    start, end = _segments(framed, level)
    if not len(start):
        return Rings(np.empty((0, 2)), np.zeros(1, np.int64))
    # Each crossing begins one segment and ends another.
    order = np.argsort(start)
    begin = np.searchsorted(edge, start[order])
    follower = np.empty(len(edge), np.int64)
    follower[begin] = np.searchsorted(edge, end[order])
    walk, begins = _walk(follower)
    return Rings(position[walk] - 1.0, begins)


def _crossings(raster: Floats, level: float) -> tuple[Ints, Floats]:
    """Return the edges between neighbours that the line crosses, in order, and where (k, 2) as column and row.

    Edge ``2 p`` leads from place p, counted row by row, to the right, ``2 p + 1`` down.
    """
    columns = raster.shape[1]
    inside = raster <= level
    numbers, places = [], []
    for down in (0, 1):
        here = raster[:, :-1] if not down else raster[:-1]
        there = raster[:, 1:] if not down else raster[1:]
        row, column = np.nonzero(inside[:, :-1] != inside[:, 1:] if not down else inside[:-1] != inside[1:])
        share = (level - here[row, column]) / (there[row, column] - here[row, column])
        numbers.append(2 * (row * columns + column) + down)
        places.append(np.column_stack([column + share * (1 - down), row + share * down]))
    number = np.concatenate(numbers)
    order = np.argsort(number)
    return number[order], np.concatenate(places)[order]


# Corners of a square: 1 upper left, 2 upper right, 4 lower right, 8 lower left; sides: 0 above, 1 right, 2 below, 3
# left. For each set of corners below the level, from which side to which the line runs with them on its left.
_SIDES = {
    1: [(0, 3)], 2: [(1, 0)], 4: [(2, 1)], 8: [(3, 2)],
    3: [(1, 3)], 6: [(2, 0)], 12: [(3, 1)], 9: [(0, 2)],
    14: [(3, 0)], 13: [(0, 1)], 11: [(1, 2)], 7: [(2, 3)],
}  # fmt: skip
_APART = {5: [(0, 3), (2, 1)], 10: [(1, 0), (3, 2)]}
_JOINED = {5: [(0, 1), (2, 3)], 10: [(1, 2), (3, 0)]}


def _segments(raster: Floats, level: float) -> tuple[Ints, Ints]:
    """Return the crossed edges at which each piece of the line within a square starts and ends."""
    columns = raster.shape[1]
    inside = raster <= level
    upper, lower = inside[:-1], inside[1:]
    kind = upper[:, :-1] + 2 * upper[:, 1:] + 4 * lower[:, 1:] + 8 * lower[:, :-1]
    joined = (raster[:-1, :-1] + raster[:-1, 1:] + raster[1:, 1:] + raster[1:, :-1]) / 4 <= level
    place = np.arange(raster.size).reshape(raster.shape)[:-1, :-1]
    sides = np.stack([2 * place, 2 * (place + 1) + 1, 2 * (place + columns), 2 * place + 1])
    start, end = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for table, where in ((_SIDES, True), (_APART, ~joined), (_JOINED, joined)):
        for corners, lines in table.items():
            chosen = (kind == corners) & where
            for first, last in lines:
                start.append(sides[first][chosen])
                end.append(sides[last][chosen])
    return np.concatenate(start), np.concatenate(end)


@njit(cache=True, nogil=True)
def _walk(follower: Ints) -> tuple[Ints, Ints]:  # pragma: no cover - compiled
    """Follow each closed chain once; its first place is repeated at its end."""
    n = len(follower)
    walk, begins = np.empty(2 * n, np.int64), np.empty(n + 1, np.int64)
    seen = np.zeros(n, np.bool_)
    at = count = 0
    begins[0] = 0
    for first in range(n):
        if seen[first]:
            continue
        place = first
        while not seen[place]:
            seen[place] = True
            walk[at] = place
            at += 1
            place = follower[place]
        walk[at] = first
        at += 1
        count += 1
        begins[count] = at
    return walk[:at], begins[: count + 1]
