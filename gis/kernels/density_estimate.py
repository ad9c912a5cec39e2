"""Kernel density within a city's borders: with its edge correction, its variance, and bandwidths that may adapt.

A kernel near the border, or near water, reaches where no incident can be. Both corrections divide by the share e of
the kernel that falls inside. ``uniform`` divides the surface: right on average where the true density is even
(Diggle 1985, Applied Statistics 34(2)). ``jones_diggle`` divides each incident's weight: the whole incident stays
inside, and the integral over the area is the number of incidents (Jones 1993, Statistics and Computing 3(3)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gis.kernels.bandwidth import (
    Bandwidths,
    Ints,
    abramson_factors,
    bandwidth_classes,
    fixed_bandwidth,
    geometric_mean,
    mixed_bandwidths,
)
from gis.kernels.density import LEAST_STEPS, Cloud, Floats, Grid, Nodes, Precision, Smoother, read_linear

Correction = Literal["jones_diggle", "uniform", "none"]
LEAST_INSIDE = 1e-3
"""A point is out of reach of the area when a smaller share of its kernel falls inside."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where incidents can be.

    Attributes
    ----------
    inside : (rows, columns)
        Which nodes lie in the study area.
    """

    nodes: Nodes
    inside: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Estimator:
    """Points whose kernels are ready to be summed, over all of them or over some.

    Attributes
    ----------
    points : (n, 2)
    weights : (n,)
        Of the edge correction; all 1 where it corrects the surface, or nothing.
    divisor : (rows, columns) or None
        What the surface is divided by.
    share_inside : (n,)
        How much of each point's kernel falls inside the window.
    """

    window: Window
    points: Floats
    bandwidths: Bandwidths
    weights: Floats
    divisor: Grid | None
    share_inside: Floats
    precision: Precision

    def only(self, chosen: NDArray[np.bool_]) -> Estimator:
        """Return the estimator of some of the points (n,), each with the bandwidth and weight that it has here."""
        if chosen.all():
            return self
        kept = Bandwidths(self.bandwidths.classes, self.bandwidths.lower[chosen], self.bandwidths.wider_share[chosen])
        return replace(
            self,
            points=self.points[chosen],
            bandwidths=kept,
            weights=self.weights[chosen],
            share_inside=self.share_inside[chosen],
        )

    def density(self, chosen: NDArray[np.bool_] | None = None) -> Grid:
        """Return the density (rows, columns) of the chosen points (n,), per unit of area; nan outside the window."""
        return self._sum(chosen, 1)

    def variance(self, chosen: NDArray[np.bool_] | None = None) -> Grid:
        """Return the variance (rows, columns) of `density` for points that come independently of one another (Poisson).

        It is the sum of squared kernels with their weights: its expectation is the variance, whatever the density.
        """
        return self._sum(chosen, 2)

    def _sum(self, chosen: NDArray[np.bool_] | None, power: Literal[1, 2]) -> Grid:
        smoother = Smoother(self.window.nodes, float(self.bandwidths.classes[-1]), self.precision)
        surface = smoother.density(_clouds(self.points, self.weights**power, self.bandwidths, chosen), power=power)
        if self.divisor is not None:
            np.divide(surface, self.divisor**power, out=surface, where=self.window.inside)
        surface[~self.window.inside] = np.nan
        return surface


def fixed_estimator(
    points: Floats, window: Window, bandwidth: float, *, correction: Correction, precision: Precision = "double"
) -> Estimator:
    """Return the estimator with one bandwidth for all points (n, 2), which lie within the nodes of the window."""
    share = next(Smoother(window.nodes, bandwidth, precision).shares(window.inside, [bandwidth]))
    here = read_linear(share, points, window.nodes)
    divisor = share if correction == "uniform" else None
    bandwidths = fixed_bandwidth(bandwidth, len(points))
    return Estimator(window, points, bandwidths, _weights(here, correction), divisor, here, precision)


def adaptive_estimator(
    points: Floats, window: Window, bandwidth: float, *, correction: Correction, precision: Precision = "double"
) -> Estimator:
    """Return the estimator with a bandwidth for each point (n, 2) after Abramson; `bandwidth` is their geometric mean.

    The pilot is the density with the fixed bandwidth, divided by the share of the kernel inside unless `correction` is
    ``none``. No bandwidth is narrower than the nodes can show (`LEAST_STEPS`), or wider than
    `gis.kernels.bandwidth.TRIM` times `bandwidth`. The uniform correction takes at a node the bandwidth that a point
    there would have.
    """
    nodes, inside = window.nodes, window.inside
    smoother = Smoother(nodes, bandwidth, precision)
    pilot = smoother.density([Cloud(points, bandwidth)])
    if correction != "none":
        pilot /= np.maximum(next(smoother.shares(inside, [bandwidth])), LEAST_INSIDE)
    here = read_linear(pilot, points, nodes)
    usual = geometric_mean(here)
    factors = abramson_factors(here, usual)
    narrowest = LEAST_STEPS * nodes.step
    wanted = np.maximum(bandwidth * factors, narrowest)
    classes = bandwidth_classes(wanted)
    bandwidths = mixed_bandwidths(wanted, classes)
    shares = Smoother(nodes, float(classes[-1]), precision).shares(inside, classes)
    if correction != "uniform":
        here = _mixed(shares, bandwidths, lambda share, which: read_linear(share, points[which], nodes))
        return Estimator(window, points, bandwidths, _weights(here, correction), None, here, precision)
    at_nodes = bandwidth * abramson_factors(pilot[inside], usual)
    divisor = np.ones(nodes.shape, pilot.dtype)
    divisor[inside] = _mixed(shares, mixed_bandwidths(at_nodes, classes), lambda share, which: share[inside][which])
    here = read_linear(divisor, points, nodes)
    return Estimator(window, points, bandwidths, _weights(here, correction), divisor, here, precision)


def _weights(share_inside: Floats, correction: Correction) -> Floats:
    if correction == "jones_diggle":
        return 1.0 / np.maximum(share_inside, LEAST_INSIDE)
    return np.ones(share_inside.size)


def _clouds(
    points: Floats, weights: Floats, bandwidths: Bandwidths, chosen: NDArray[np.bool_] | None
) -> Iterator[Cloud]:
    """Yield the points of each class of bandwidths: those of which it is the wider, and those of which the narrower."""
    order, starts, wider = _by_class(bandwidths, chosen)
    points, weights = points[order], weights[order]
    for number, bandwidth in enumerate(bandwidths.classes):
        begin, middle, end = starts[number : number + 3]
        if begin < end:
            shares = np.concatenate([wider[begin:middle], 1.0 - wider[middle:end]])
            yield Cloud(points[begin:end], float(bandwidth), weights[begin:end] * shares)


def _mixed(surfaces: Iterable[Grid], bandwidths: Bandwidths, read: Callable[[Grid, Ints], Floats]) -> Floats:
    """Return for n places the mixture of what the surfaces of their two classes say there."""
    order, starts, wider = _by_class(bandwidths, None)
    values = np.zeros(order.size)
    for number, surface in enumerate(surfaces):
        begin, middle, end = starts[number : number + 3]
        shares = np.concatenate([wider[begin:middle], 1.0 - wider[middle:end]])
        values[begin:end] += shares * read(surface, order[begin:end])
    placed = np.empty(order.size)
    placed[order] = values
    return placed


def _by_class(bandwidths: Bandwidths, chosen: NDArray[np.bool_] | None) -> tuple[Ints, Ints, Floats]:
    """Return the places (m,) in the order of their classes, where each class begins, and how much is the wider's.

    The places that class c has part in are those from ``starts[c]`` to ``starts[c + 2]``.
    """
    order = np.arange(bandwidths.lower.size) if chosen is None else np.flatnonzero(chosen)
    order = order[np.argsort(bandwidths.lower[order], kind="stable")]
    starts = np.searchsorted(bandwidths.lower[order], np.arange(-1, bandwidths.classes.size + 1))
    return order, starts, bandwidths.wider_share[order]
