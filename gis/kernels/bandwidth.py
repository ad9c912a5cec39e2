"""How wide a kernel is: by a rule for the whole, or narrower where much happens and wider where little does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRIM = 5.0
"""An adaptive bandwidth is at most this many times its geometric mean."""
RATIO = 1.15
"""Between one class of bandwidths and the next: a kernel mixed from two is less than 0.5 % of its peak off, its square
less than 2 %."""
_NORMAL_QUARTILES = 1.3489795
"""Interquartile range of a standard normal."""


@dataclass(frozen=True, slots=True)
class Bandwidths:
    """Bandwidths of n places, each a mixture of the kernels of two neighbouring classes.

    Attributes
    ----------
    classes : (c,)
        In rising order.
    lower : (n,)
        The narrower class of each place.
    wider_share : (n,)
        Weight of the next wider class, 0 to 1; the rest is the narrower one's.
    """

    classes: Floats
    lower: Ints
    wider_share: Floats


def fixed_bandwidth(bandwidth: float, n: int) -> Bandwidths:
    """Return the same bandwidth for n places."""
    return Bandwidths(np.array([bandwidth]), np.zeros(n, np.int64), np.zeros(n))


def bandwidth_classes(bandwidths: Floats) -> Floats:
    """Return a geometric series (c,) from the narrowest to the widest of bandwidths (n,), by steps of at most `RATIO`.

    Examples
    --------
    >>> bandwidth_classes(np.array([100.0, 132.25, 110.0])).round(6).tolist()
    [100.0, 115.0, 132.25]
    """
    low, high = float(bandwidths.min()), float(bandwidths.max())
    # A whole number of steps must not become one more by rounding.
    steps = math.ceil(math.log(high / low) / math.log(RATIO) - 1e-9)
    return low * (high / low) ** (np.arange(steps + 1) / max(steps, 1))


def mixed_bandwidths(bandwidths: Floats, classes: Floats) -> Bandwidths:
    """Return bandwidths (n,) as mixtures of classes (c,) that are a geometric series; beyond its ends, the ends.

    The kernels are mixed so that the mixture is as high at its centre as the kernel of the bandwidth asked for: mixed
    by their variance they would be four times as far off.

    Examples
    --------
    >>> mixed = mixed_bandwidths(np.array([1.0, 1.5, 4.0]), np.array([1.0, 2.0, 4.0]))
    >>> mixed.lower.tolist(), mixed.wider_share.round(4).tolist()
    ([0, 0, 1], [0.0, 0.7407, 1.0])
    """
    if classes.size == 1:
        return fixed_bandwidth(float(classes[0]), bandwidths.size)
    lower = np.clip(np.searchsorted(classes, bandwidths, side="right") - 1, 0, classes.size - 2)
    narrow, wide = classes[lower] ** -2, classes[lower + 1] ** -2
    return Bandwidths(classes, lower, np.clip((narrow - bandwidths**-2) / (narrow - wide), 0.0, 1.0))


def scott_bandwidth(points: Floats) -> float:
    """Return the bandwidth by the rule of Scott for points (n, 2), on a spread that outliers hardly move.

    ``h = s * n ** (-1/6)``, where s is the root of the mean over both axes of the squared spread, and the spread of an
    axis is the smaller of its standard deviation and its interquartile range over 1.349. In the plane Silverman's
    rule is the same: its factor (4 / (d + 2)) ** (1 / (d + 4)) is 1 for d = 2. 0 where all points are at one place.

    References
    ----------
    Silverman (1986), Density Estimation, section 3.4.2 for the spread and equation 4.14 for the power of n;
    Scott (1992), Multivariate Density Estimation, equation 6.42.
    """
    deviation = points.std(axis=0)
    quartiles = np.percentile(points, [25, 75], axis=0)
    robust = (quartiles[1] - quartiles[0]) / _NORMAL_QUARTILES
    # Half of all incidents at one address leave no quartiles apart.
    spread = np.where(robust > 0, np.minimum(deviation, robust), deviation)
    return float(np.sqrt((spread**2).mean()) * len(points) ** (-1.0 / 6.0))


def abramson_factors(pilot: Floats, usual: float) -> Floats:
    """Return by how much the bandwidth at each place (n,) differs from the whole: the root of `usual` over the pilot.

    With the geometric mean of the pilot at the points as `usual`, the geometric mean of their bandwidths is the
    bandwidth of the whole. No factor is larger than `TRIM`.

    References
    ----------
    Abramson (1982), Annals of Statistics 10(4), the square root law; Silverman (1986), section 5.3, with the
    geometric mean; Davies and Hazelton (2010), Statistics in Medicine 29(23), for both in the plane.

    Examples
    --------
    >>> pilot = np.array([1.0, 4.0, 16.0])
    >>> abramson_factors(pilot, geometric_mean(pilot)).round(6).tolist()
    [2.0, 1.0, 0.5]
    """
    with np.errstate(divide="ignore"):
        return np.minimum(np.sqrt(usual / pilot), TRIM)


def geometric_mean(values: Floats) -> float:
    """Return the geometric mean of positive values (n,)."""
    return float(np.exp(np.log(values).mean()))
