"""The cells of analysis: squares or hexagons with one fixed origin, so that two runs of a city have the same cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shape = Literal["square", "hexagon"]

_SQUARE_CORNERS = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
_HEXAGON_CORNERS = np.array([(0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1)])
"""From the centre, anticlockwise, in half widths and in half or quarter heights."""
_HEXAGON_NEIGHBOURS = np.array([(1, 0), (0, 1), (-1, 1), (-1, 0), (0, -1), (1, -1)])


@dataclass(frozen=True, slots=True)
class Lattice:
    """A tiling of the plane with a corner at its origin; a cell is its column and row.

    Attributes
    ----------
    shape
        ``square``, or ``hexagon`` standing on a corner.
    size_m
        Side of a square; width of a hexagon between two parallel sides. Both are the distance to the next centre.
    origin
        Easting and northing of a corner of cell (0, 0), its lowest one.

    Examples
    --------
    >>> Lattice("square", 300.0).cells_of(np.array([[299.9, 300.0], [-0.1, 0.0]])).tolist()
    [[0, 1], [-1, 0]]
    """

    shape: Shape
    size_m: float
    origin: tuple[float, float] = (0.0, 0.0)

    @property
    def cell_area_m2(self) -> float:
        """Area of one cell."""
        return self.size_m**2 * (1.0 if self.shape == "square" else np.sqrt(3) / 2)

    def cells_of(self, points: Floats) -> Ints:
        """Return the cell (n, 2) that holds each point (n, 2); a point on a border has one cell, always the same."""
        x, y = ((points - self.origin) / self.size_m).T
        if self.shape == "square":
            return np.asarray(np.floor(np.column_stack([x, y])), dtype=np.int64)
        # Cube coordinates: round all three, then mend the one that was rounded furthest.
        row = (y - 1 / np.sqrt(3)) * 2 / np.sqrt(3)
        cube = np.column_stack([x - row / 2, row, -x - row / 2])
        near = np.rint(cube)
        off = np.abs(near - cube)
        worst = off.argmax(axis=1)
        rows = np.arange(len(near))
        near[rows, worst] -= near.sum(axis=1)
        return np.asarray(near[:, :2], dtype=np.int64)

    def centres(self, cells: Ints) -> Floats:
        """Return the centres (n, 2) of cells (n, 2), in metres."""
        return self._placed(self._doubled(cells))

    def corners(self, cells: Ints) -> Floats:
        """Return the corners (n, 4 or 6, 2) of cells (n, 2), anticlockwise; neighbours share theirs to the bit."""
        around = _SQUARE_CORNERS if self.shape == "square" else _HEXAGON_CORNERS
        return self._placed(self._doubled(cells)[:, None, :] + around)

    def codes(self, cells: Ints) -> list[str]:
        """Return a name for each cell (n, 2), the same in every run: shape, size, column and row.

        Examples
        --------
        >>> Lattice("square", 300.0).codes(np.array([[4, -1]]))
        ['s300:4:-1']
        """
        return [f"{self.shape[0]}{self.size_m:g}:{column}:{row}" for column, row in cells.tolist()]

    def cells_within(self, bounds: tuple[float, float, float, float]) -> Ints:
        """Return every cell (n, 2) whose centre lies in west, south, east, north; row by row."""
        west, south, east, north = bounds
        ends = self.cells_of(np.array([(west, south), (east, north), (west, north), (east, south)]))
        low, high = ends.min(axis=0) - 1, ends.max(axis=0) + 1
        rows, columns = np.mgrid[low[1] : high[1] + 1, low[0] : high[0] + 1]
        cells = np.column_stack([columns.ravel(), rows.ravel()])
        x, y = self.centres(cells).T
        return np.asarray(cells[(x >= west) & (x <= east) & (y >= south) & (y <= north)])

    def count_within(self, bounds: tuple[float, float, float, float]) -> float:
        """Return about how many cells have their centre in the bounds."""
        west, south, east, north = bounds
        return (east - west) * (north - south) / self.cell_area_m2

    def offsets(self, reach_m: float | None = None) -> Ints:
        """Return the steps (k, 2) from a cell to its neighbours: centres within `reach_m`, or those that touch it."""
        if reach_m is None:
            if self.shape == "hexagon":
                return _HEXAGON_NEIGHBOURS
            reach_m = 1.5 * self.size_m
        most = int(reach_m / self.size_m * 2) + 1
        steps = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 2), axis=-1).reshape(-1, 2)
        vectors = self.centres(steps) - self.centres(np.zeros((1, 2), np.int64))
        distance = np.hypot(*vectors.T)
        return np.asarray(steps[(distance > 0) & (distance <= reach_m * (1 + 1e-9))])

    def neighbours(self, cells: Ints, *, reach_m: float | None = None) -> sparse.csr_array:
        """Return which cells (n, 2) are neighbours: sparse (n, n) of ones, no diagonal; islands are empty rows."""
        steps = self.offsets(reach_m)
        # One number a cell; the margin keeps a step over the edge from landing in the next row.
        margin = int(np.abs(steps).max(initial=0))
        low, high = cells.min(axis=0) - margin, cells.max(axis=0) + margin
        stride = np.array([1, high[0] - low[0] + 1])
        key = (cells - low) @ stride
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for step in steps @ stride:
            at = np.minimum(np.searchsorted(ordered, ordered + step), len(cells) - 1)
            found = ordered[at] == ordered + step
            rows.append(order[found])
            columns.append(order[at[found]])
        ends = np.concatenate(rows), np.concatenate(columns)
        near = sparse.coo_array((np.ones(ends[0].size), ends), shape=(len(cells), len(cells))).tocsr()
        near.sum_duplicates()
        return near

    def _doubled(self, cells: Ints) -> Ints:
        """Return the centres (n, 2) in half widths and half (square) or quarter (hexagon) heights, as whole numbers."""
        column, row = cells.T
        if self.shape == "square":
            return np.column_stack([2 * column + 1, 2 * row + 1])
        return np.column_stack([2 * column + row, 3 * row + 2])

    def _placed(self, halves: Ints) -> Floats:
        height = self.size_m / 2 if self.shape == "square" else self.size_m / np.sqrt(12)
        return np.asarray(np.asarray(self.origin) + halves * np.array([self.size_m / 2, height]))
