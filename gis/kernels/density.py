"""Kernel density on a regular set of nodes: linear binning, then one fast Fourier transform of a Gaussian.

Linear binning spreads a point over its four nodes, by which it adds a sixth of a squared step to the variance of the
kernel on each axis, averaged over where in its cell the point lies. The kernel is narrowed by as much (the correction
of Sheppard), so the nodes need not be much finer than the bandwidth.

References: Wand (1994), Journal of Computational and Graphical Statistics 3(4), for binning and transform; Silverman
(1986), Density Estimation, section 3.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Grid = NDArray[Any]
"""One real number a node (rows, columns), in single or double precision."""
Precision = Literal["single", "double"]

REACH = 5.0
"""Bandwidths after which the kernel counts as nothing: it is 4e-6 of its peak there."""
LEAST_STEPS = 2.0
"""Steps of the nodes in a bandwidth, at least."""
SHEPPARD = 1.0 / 6.0
"""Squared steps by which linear binning widens a kernel."""
MOST_IN_SINGLE = 1024.0
"""Mean weights at one node above which sums in single precision would lose some: they are then made in double."""


class Nodes(NamedTuple):
    """Where a surface is known: a square mesh.

    Attributes
    ----------
    west, south
        Place of the node in row 0 and column 0, the lowest left one.
    step
        Distance to the next node, in either direction.
    """

    west: float
    south: float
    step: float
    rows: int
    columns: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points (n, 2) that share a bandwidth, with their weights (n,), 1 each when None."""

    points: Floats
    bandwidth: float
    weights: Floats | None = None


def bin_linear(points: Floats, nodes: Nodes, weights: Floats | None = None) -> Floats:
    """Return the weight of points (n, 2) at every node (rows, columns), each spread over the four nodes around it.

    Raises
    ------
    InvalidInput
        A point lies beyond the nodes.

    Examples
    --------
    >>> bin_linear(np.array([[0.25, 0.5]]), Nodes(0.0, 0.0, 1.0, 2, 2)).tolist()
    [[0.375, 0.125], [0.375, 0.125]]
    """
    grid = np.zeros(nodes.shape)
    _bin_into(grid, Cloud(points, 0.0, weights), nodes)
    return grid


def read_linear(grid: Grid, points: Floats, nodes: Nodes) -> Floats:
    """Return the value of a grid (rows, columns) at points (n, 2), weighted as `bin_linear` does."""
    points = np.ascontiguousarray(points, dtype=float)
    values = np.empty(len(points))
    if beyond := _read(points, nodes, grid, values):
        raise InvalidInput(f"{beyond} of {len(points)} points lie beyond the nodes")
    return values


@dataclass(frozen=True, slots=True)
class Smoother:
    """Convolves what lies on nodes with Gaussian kernels; nothing comes round from the other side.

    Attributes
    ----------
    widest
        The largest bandwidth that it will be asked for, in the unit of the nodes.
    precision
        ``single`` is good for 1e-6 of the peak, ``double`` also for what lies far below it.
    """

    nodes: Nodes
    widest: float
    precision: Precision = "single"

    def density(self, clouds: Iterable[Cloud], *, power: Literal[1, 2] = 1) -> Grid:
        """Return the sum of the kernels of all points at every node (rows, columns), per unit of area.

        Parameters
        ----------
        clouds
            A part of the points for each bandwidth.
        power
            2 for the sum of squared kernels, per squared unit of area: what the variance of a density is made of.
        """
        whole = None
        for cloud in clouds:
            spectrum = scipy.fft.rfft2(self._binned(cloud))
            self._filter(spectrum, cloud.bandwidth, power)
            # In place: a spectrum is as large as the surface itself.
            whole = spectrum if whole is None else np.add(whole, spectrum, out=whole)
        return np.zeros(self.nodes.shape, self._real) if whole is None else self._surface(whole)

    def shares(self, mask: NDArray[np.bool_], bandwidths: Iterable[float]) -> Iterator[Grid]:
        """Yield, for each bandwidth, the share of its kernel around every node that falls on the mask."""
        grid = np.zeros(self._padded, self._real)
        grid[: self.nodes.rows, : self.nodes.columns] = mask
        spectrum = scipy.fft.rfft2(grid)
        for bandwidth in bandwidths:
            filtered = spectrum * self._real(self.nodes.step**2)
            self._filter(filtered, bandwidth, 1)
            yield self._surface(filtered)

    @property
    def _real(self) -> type[np.floating[Any]]:
        return np.float32 if self.precision == "single" else np.float64

    @property
    def _padded(self) -> tuple[int, int]:
        # A node is reached from one side only: the zeros after the last row are also those before the first.
        reach = self._reach(self.widest)
        rows, columns = (side + min(reach, side) for side in self.nodes.shape)
        return int(scipy.fft.next_fast_len(rows)), int(scipy.fft.next_fast_len(columns, real=True))

    def _reach(self, bandwidth: float) -> int:
        return math.ceil(REACH * bandwidth / self.nodes.step)

    def _binned(self, cloud: Cloud) -> Grid:
        grid = np.zeros(self._padded, self._real)
        _bin_into(grid, cloud, self.nodes)
        if self.precision == "single":
            mean = 1.0 if cloud.weights is None else cloud.weights.sum() / max(len(cloud.weights), 1)
            if grid.max() > MOST_IN_SINGLE * mean:
                grid[: self.nodes.rows, : self.nodes.columns] = bin_linear(cloud.points, self.nodes, cloud.weights)
        return grid

    def _filter(self, spectrum: Grid, bandwidth: float, power: int) -> None:
        """Multiply a spectrum in place by that of the kernel, or of its square."""
        steps = bandwidth / self.nodes.step
        if not LEAST_STEPS <= steps <= self.widest / self.nodes.step:
            most = self.widest / self.nodes.step
            raise InvalidInput(f"a bandwidth of {steps:.3g} steps of the nodes, not from {LEAST_STEPS:g} to {most:.3g}")
        # The square of a Gaussian is one of half its variance and another height.
        spread = math.sqrt(steps**2 / power - SHEPPARD)
        height = 1.0 if power == 1 else 1.0 / (4.0 * math.pi * steps**2)
        height /= self.nodes.step ** (2 * power)
        rows, columns = self._padded
        reach = self._reach(bandwidth)
        down = _response(rows, spread, min(reach, self.nodes.rows - 1))
        down = np.concatenate([down, down[1 : (rows + 1) // 2][::-1]])
        across = _response(columns, spread, min(reach, self.nodes.columns - 1))
        spectrum *= (height * down).astype(self._real)[:, None]
        spectrum *= across.astype(self._real)

    def _surface(self, spectrum: Grid) -> Grid:
        rows, columns = self.nodes.shape
        half = scipy.fft.ifft(spectrum, axis=0, overwrite_x=True)[:rows]
        surface = scipy.fft.irfft(half, n=self._padded[1], axis=1)[:, :columns]
        # A kernel is nowhere negative; the transform is, by its rounding.
        return np.asarray(np.maximum(surface, 0.0, out=surface))


def kernel_density(
    points: Floats, nodes: Nodes, bandwidth: float, *, weights: Floats | None = None, precision: Precision = "single"
) -> Grid:
    """Return the Gaussian kernel density (rows, columns) of points, per unit of area: its integral is their number.

    Parameters
    ----------
    points : (n, 2)
        All within the nodes.
    bandwidth
        Standard deviation of the kernel, at least `LEAST_STEPS` steps of the nodes; all in one unit, whichever.
    weights : (n,), optional
        1 each when not given.

    Examples
    --------
    >>> nodes = Nodes(-10.0, -10.0, 0.25, 81, 81)
    >>> surface = kernel_density(np.zeros((3, 2)), nodes, 2.0)
    >>> round(float(surface[40, 40]), 3), round(3 / (2 * math.pi * 2.0**2), 3)
    (0.12, 0.119)
    """
    return Smoother(nodes, bandwidth, precision).density([Cloud(points, bandwidth, weights)])


def _response(length: int, spread: float, reach: int) -> Floats:
    """Return the transform (length // 2 + 1,) of a Gaussian around 0; it is even, so the transform is real."""
    steps = np.arange(reach + 1)
    kernel = np.exp(-0.5 * (steps / spread) ** 2) / (spread * math.sqrt(2.0 * math.pi))
    around = np.zeros(length)
    around[steps] = kernel
    around[-steps[1:]] = kernel[1:]
    return np.asarray(scipy.fft.rfft(around).real)


def _bin_into(grid: Grid, cloud: Cloud, nodes: Nodes) -> None:
    """Add points to a grid that begins with the nodes and may go on after them."""
    points = np.ascontiguousarray(cloud.points, dtype=float)
    weights = np.broadcast_to(1.0, len(points)) if cloud.weights is None else cloud.weights
    if beyond := _add(points, weights, nodes, grid):
        raise InvalidInput(f"{beyond} of {len(points)} points lie beyond the nodes")


@njit(cache=True, nogil=True)
def _place(coordinate: float, first: float, steps_per_unit: float, count: int) -> tuple[np.uintp, float]:
    """Return the last node before a coordinate, not the very last, and how many steps the coordinate lies after it."""
    steps = (coordinate - first) * steps_per_unit
    # Without a sign, so that numba need not look whether it counts from the end.
    node = np.uintp(min(int(steps), count - 2))
    return node, steps - node


@njit(cache=True, nogil=True)
def _add(points: Floats, weights: Floats, nodes: Nodes, grid: Grid) -> int:
    real, one = grid.dtype.type, np.uintp(1)
    east, north = nodes.west + (nodes.columns - 1) * nodes.step, nodes.south + (nodes.rows - 1) * nodes.step
    steps_per_unit = 1.0 / nodes.step
    beyond = 0
    for i in range(points.shape[0]):
        if not (nodes.west <= points[i, 0] <= east and nodes.south <= points[i, 1] <= north):
            beyond += 1
            continue
        column, right = _place(points[i, 0], nodes.west, steps_per_unit, nodes.columns)
        row, up = _place(points[i, 1], nodes.south, steps_per_unit, nodes.rows)
        upper = real(weights[i] * up)
        lower = real(weights[i]) - upper
        upper_right, lower_right = upper * real(right), lower * real(right)
        grid[row, column] += lower - lower_right
        grid[row, column + one] += lower_right
        grid[row + one, column] += upper - upper_right
        grid[row + one, column + one] += upper_right
    return beyond


@njit(cache=True, nogil=True)
def _read(points: Floats, nodes: Nodes, grid: Grid, values: Floats) -> int:
    one = np.uintp(1)
    east, north = nodes.west + (nodes.columns - 1) * nodes.step, nodes.south + (nodes.rows - 1) * nodes.step
    steps_per_unit = 1.0 / nodes.step
    beyond = 0
    for i in range(points.shape[0]):
        if not (nodes.west <= points[i, 0] <= east and nodes.south <= points[i, 1] <= north):
            beyond += 1
            continue
        column, right = _place(points[i, 0], nodes.west, steps_per_unit, nodes.columns)
        row, up = _place(points[i, 1], nodes.south, steps_per_unit, nodes.rows)
        lower = grid[row, column] * (1.0 - right) + grid[row, column + one] * right
        upper = grid[row + one, column] * (1.0 - right) + grid[row + one, column + one] * right
        values[i] = lower * (1.0 - up) + upper * up
    return beyond
