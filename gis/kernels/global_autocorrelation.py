"""Is there any clustering at all, and at which distance most: Moran's I, the general G, and I over growing distances.

References: Cliff and Ord (1981), Spatial Processes, chapter 2 (moments of I under randomisation); Getis and Ord (1992),
Geographical Analysis 24(3), equations 5 to 9 (G and its moments).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import cKDTree

from gis.errors import InvalidInput
from gis.kernels.neighbourhoods import Weights

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_PAIRS = 20_000_000
"""Pairs of places that the profile over distances looks at; larger distances are not tried."""


@dataclass(frozen=True, slots=True)
class GlobalTest:
    """One statistic of the whole: its value, its mean and variance under randomisation, and its standard score."""

    value: float
    expected: float
    variance: float

    @property
    def z(self) -> float:
        """(value - expected) / sd; nan where nothing varies."""
        return (self.value - self.expected) / self.variance**0.5 if self.variance > 0 else np.nan


def moran_i(values: NDArray[np.generic], weights: Weights) -> GlobalTest:
    """Return Moran's I of values (n,), with its moments when the values are dealt to the places at random.

    Parameters
    ----------
    weights : sparse (n, n)
        The diagonal plays no part.

    Examples
    --------
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(5, 5))
    >>> found = moran_i(np.array([0, 0, 1, 4, 5]), chain)
    >>> round(found.value, 4), round(found.expected, 4), round(found.z, 3)
    (0.5682, -0.25, 1.819)
    """
    numbers, rows = _checked(values, weights)
    centred = numbers - numbers.mean()
    s0, s1, s2 = _weight_sums(rows)
    return _moran(centred, float((centred * (rows @ centred)).sum()), s0, s1, s2)


def general_g(values: NDArray[np.generic], weights: Weights) -> GlobalTest:
    """Return the general G of values (n,), not negative: the share of all products of values that neighbours hold.

    Parameters
    ----------
    weights : sparse (n, n)
        The diagonal plays no part.

    Examples
    --------
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(5, 5))
    >>> found = general_g(np.array([0, 0, 1, 4, 5]), chain)
    >>> round(found.value, 4), round(found.expected, 4)
    (0.8276, 0.4)
    """
    numbers, rows = _checked(values, weights)
    if (numbers < 0).any():
        raise InvalidInput("the general G is defined for values that are not negative")
    n = numbers.size
    m1, m2, m3, m4 = (float((numbers**power).sum()) for power in (1, 2, 3, 4))
    products = m1**2 - m2
    if products <= 0:
        return GlobalTest(np.nan, np.nan, 0.0)
    s0, s1, s2 = _weight_sums(rows)
    value = float((numbers * (rows @ numbers)).sum()) / products
    expected = s0 / (n * (n - 1))
    b0 = (n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2
    b1 = -((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    b2 = -(2 * n * s1 - (n + 3) * s2 + 6 * s0**2)
    b3 = 4 * (n - 1) * s1 - 2 * (n + 1) * s2 + 8 * s0**2
    b4 = s1 - s2 + s0**2
    square = b0 * m2**2 + b1 * m4 + b2 * m1**2 * m2 + b3 * m1 * m3 + b4 * m1**4
    square /= products**2 * n * (n - 1) * (n - 2) * (n - 3)
    return GlobalTest(value, expected, square - expected**2)


def moran_by_distance(values: NDArray[np.generic], points: Floats, distances: Floats) -> Floats:
    """Return z of Moran's I (d,) when neighbours are the places within each distance; the distances rise.

    Parameters
    ----------
    values : (n,)
    points : (n, 2)
        Where the places are.
    distances : (d,)
        nan is returned for a distance within which nobody has a neighbour, and from the first one on that would pair
        more than `MOST_PAIRS`.
    """
    tree = cKDTree(points)
    counted = tree.count_neighbors(tree, distances)
    affordable = int(np.searchsorted(counted, 2 * MOST_PAIRS + len(points), side="right"))
    z = np.full(len(distances), np.nan)
    if affordable == 0:
        return z
    within = distances[:affordable] * (1 + 1e-9)
    pairs = tree.query_pairs(within[-1], output_type="ndarray")
    ring = np.searchsorted(within, np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T))
    numbers = np.asarray(values, dtype=float)
    centred = numbers - numbers.mean()
    cross = np.cumsum(np.bincount(ring, centred[pairs[:, 0]] * centred[pairs[:, 1]], minlength=affordable))
    neighbours = np.zeros(len(points), dtype=np.int64)
    for d in range(affordable):
        neighbours += np.bincount(pairs[ring == d].ravel(), minlength=len(points))
        s0 = float(neighbours.sum())
        if s0 > 0:
            z[d] = _moran(centred, 2.0 * float(cross[d]), s0, 2.0 * s0, float((4.0 * neighbours**2).sum())).z
    return z


def first_peak(z: Floats, *, least: float = 1.96) -> int | None:
    """Return where z (d,) first stops rising, None when it nowhere does: the scale at which clustering is strongest.

    A peak is at least `least` high and higher than what follows; one at the very first distance counts.

    Examples
    --------
    >>> [first_peak(np.array(z)) for z in ([2.0, 5.0, 4.0, 9.0], [1.0, 2.0, 3.0], [5.0, 3.0])]
    [1, None, 0]
    """
    known = z[: int(np.isfinite(z).cumprod().sum())]
    for d in range(len(known) - 1):
        if known[d] >= least and known[d] > known[d + 1]:
            return d
    return None


def _moran(centred: Floats, cross: float, s0: float, s1: float, s2: float) -> GlobalTest:
    n = centred.size
    squares = float((centred**2).sum())
    if squares == 0 or s0 == 0:
        return GlobalTest(np.nan, -1.0 / (n - 1), 0.0)
    kurtosis = n * float((centred**4).sum()) / squares**2
    expected = -1.0 / (n - 1)
    a = n * ((n**2 - 3 * n + 3) * s1 - n * s2 + 3 * s0**2)
    b = kurtosis * ((n**2 - n) * s1 - 2 * n * s2 + 6 * s0**2)
    variance = (a - b) / ((n - 1) * (n - 2) * (n - 3) * s0**2) - expected**2
    return GlobalTest(n / s0 * cross / squares, expected, variance)


def _weight_sums(rows: sparse.csr_array) -> tuple[float, float, float]:
    """Return S0, S1 and S2 of Cliff and Ord."""
    both = rows + rows.T
    out, into = rows.sum(axis=1), rows.sum(axis=0)
    return float(out.sum()), float((both.power(2)).sum() / 2.0), float(((out + into) ** 2).sum())


def _checked(values: NDArray[np.generic], weights: Weights) -> tuple[Floats, sparse.csr_array]:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or numbers.size < 4:  # noqa: PLR2004 - three of the moments divide by n - 3
        raise InvalidInput("values must be one row of at least four numbers")
    if not np.isfinite(numbers).all():
        raise InvalidInput("values must be finite numbers")
    if not sparse.issparse(weights) or weights.shape != (numbers.size, numbers.size):
        raise InvalidInput(f"weights must be a sparse matrix of shape {(numbers.size, numbers.size)}")
    rows = sparse.csr_array(weights, dtype=float)
    own = sparse.diags_array(rows.diagonal()).tocsr()
    return numbers, sparse.csr_array(rows - own)
