"""Values and weights made ready: what every local statistic asks of a neighbourhood, read in one pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from gis.errors import InvalidInput
from gis.kernels.conditional import Whole

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights: TypeAlias = Any
"""A scipy sparse array or matrix of any format."""

_LEVEL = 1e-12
"""Relative size under which a variance is rounding, not spread."""


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """Values (n,) from the lowest up, and of each row of weights what the statistics need.

    Attributes
    ----------
    weights
        Without explicit zeros, (n, n).
    lag : (n,)
        Weighted sum of the values of a row.
    total, squares : (n,)
        Sum of the weights of a row, and of their squares.
    own : (n,)
        The diagonal.
    neighbours : (n,)
        How many entries a row has off the diagonal.
    equal, ones
        All weights off the diagonal of a row are the same; all weights are 1.
    """

    values: Floats
    weights: sparse.csr_array
    lag: Floats
    total: Floats
    squares: Floats
    own: Floats
    neighbours: Ints
    equal: bool
    ones: bool

    def others(self) -> sparse.csr_array:
        """Return the weights without the diagonal."""
        rows = self.weights
        kept = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr)) != rows.indices
        indptr = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
        return sparse.csr_array((rows.data[kept], rows.indices[kept], indptr), rows.shape)

    def sums(self, whole: Whole) -> Ints:
        """Return the sum of whole numbers (n,) over each row's neighbours; a double holds it exactly."""
        lag = self.lag if self.ones and whole.scale == 1.0 else self.sum_of(whole.values.astype(float))
        sums = lag.astype(np.int64)
        return np.asarray(np.subtract(sums, whole.values, out=sums, where=self.own != 0))

    def sum_of(self, numbers: Floats) -> Floats:
        """Return the plain sum of numbers (n,) over each row, the place itself included where it has a weight."""
        rows = self.weights
        if self.ones:
            return np.asarray(rows @ numbers)
        return np.asarray(sparse.csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), rows.shape) @ numbers)

    def around(self, numbers: Floats) -> Floats:
        """Return the plain sum of numbers (n,) over the neighbours of each place, itself not counted."""
        return self.sum_of(numbers) - np.where(self.own != 0, numbers, 0.0)


def neighbourhoods(values: NDArray[np.generic], weights: Weights) -> Neighbourhoods:
    """Return values (n,) and weights, sparse (n, n) and not negative, checked and made ready."""
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or numbers.size < 2:  # noqa: PLR2004
        raise InvalidInput("values must be one row of at least two numbers")
    if not sparse.issparse(weights) or weights.shape != (numbers.size, numbers.size):
        raise InvalidInput(f"weights must be a sparse matrix of shape {(numbers.size, numbers.size)}")
    if np.asarray(values).dtype.kind == "f" and not np.isfinite(numbers).all():
        raise InvalidInput("values must be finite numbers")
    # From the lowest up: what all values have in common cancels in every statistic, so it need not cost digits.
    numbers = numbers - lowest if (lowest := numbers.min()) else numbers
    rows = weights if isinstance(weights, sparse.csr_array) else sparse.csr_array(weights)
    if not rows.has_canonical_format or rows.dtype != np.float64:
        rows = _canonical(rows)
    lag, own, neighbours, size = _scan(rows.indptr, rows.indices, rows.data, numbers)
    if 0 < size < np.inf:
        # All weights are the same: the usual case, and nothing to add up.
        total = np.diff(rows.indptr) * float(size)
        ones = bool(size == 1)
        squares = total if ones else size * total
        return Neighbourhoods(numbers, rows, lag, total, squares, own, neighbours, equal=True, ones=ones)
    if not (rows.data.min() >= 0 and rows.data.max() < np.inf):
        raise InvalidInput("weights must be finite and not negative")
    if rows.data.min() == 0:
        return neighbourhoods(values, _canonical(rows))
    total, squares = rows.sum(axis=1), rows.power(2).sum(axis=1)
    equal = bool(_equal_off_diagonal(rows.indptr, rows.indices, rows.data))
    return Neighbourhoods(numbers, rows, lag, total, squares, own, neighbours, equal=equal, ones=False)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What neighbours are drawn from under the null: mean and variance of the values, (n,) or (1,), and how many."""

    mean: Floats
    variance: Floats
    n: Floats


def drawn_from(values: Floats) -> Drawn:
    """Return mean, variance (divisor n) and number of values (n,)."""
    return Drawn(*_moments(values))


def moments_without(values: Floats, pool: Floats, member: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return mean and variance (n,) of the pool (m,), without the place's own value where it is a member of it."""
    left_out = member.astype(float)
    rest = pool.size - left_out
    mean = (pool.sum() - left_out * values) / rest
    return mean, ((pool**2).sum() - left_out * values**2) / rest - mean**2


def standard_score(sums: Floats, total: Floats, squares: Floats, drawn: Drawn, tested: NDArray[np.bool_]) -> Floats:
    """Return (sum - mean W) / sqrt(variance (n S1 - W^2) / (n - 1)) per place (n,), nan where nothing can vary.

    Parameters
    ----------
    sums, total, squares : (n,)
        Weighted sum over a neighbourhood; W and S1, the sum of its weights and of their squares.
    tested : (n,)
        False gives nan.
    """
    scores: Floats = _score(sums, total, squares, drawn.mean, drawn.variance, drawn.n, tested)
    return scores


def _canonical(rows: sparse.csr_array) -> sparse.csr_array:
    rows = sparse.csr_array(rows, dtype=float, copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


@njit(cache=True, nogil=True)
def _scan(indptr, indices, data, values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return lag, diagonal, neighbours (n,), and the weight that all entries have, nan where they differ."""
    n = indptr.size - 1
    lag, own, neighbours = np.empty(n), np.zeros(n), np.empty(n, np.int64)
    first = data[0] if data.size else 1.0
    others = 0
    for i in range(n):
        # Numbers without a sign spare the check for an index from the end.
        start, end = np.uint64(indptr[i]), np.uint64(indptr[i + 1])
        diagonal = end
        total = 0.0
        for e in range(start, end):
            j = np.uint64(indices[e])
            total += data[e] * values[j]
            others += data[e] != first
            if j == np.uint64(i):
                diagonal = np.uint64(e)
        lag[i] = total
        neighbours[i] = end - start
        if diagonal < end:
            own[i] = data[diagonal]
            neighbours[i] -= 1
    return lag, own, neighbours, first if others == 0 else np.nan


@njit(cache=True, nogil=True)
def _equal_off_diagonal(indptr, indices, data):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(indptr.size - 1):
        first = -1.0
        for e in range(indptr[i], indptr[i + 1]):
            if indices[e] != i:
                if first < 0:
                    first = data[e]
                if data[e] != first:
                    return False
    return True


@njit(cache=True, nogil=True)
def _moments(values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    mean = values.mean()
    squares = 0.0
    for value in values:
        squares += (value - mean) ** 2
    return np.full(1, mean), np.full(1, squares / values.size), np.full(1, float(values.size))


@njit(cache=True, nogil=True)
def _score(sums, total, squares, mean, variance, n, tested):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    # One pass: at a thousand places the calls of numpy would take longer than the work.
    z = np.full(sums.size, np.nan)
    for i in range(z.size):
        centre = mean[i] if mean.size > 1 else mean[0]
        size = n[i] if n.size > 1 else n[0]
        spread = size * squares[i] - total[i] ** 2
        own_variance = variance[i] if variance.size > 1 else variance[0]
        if tested[i] and spread > _LEVEL * size * squares[i] and own_variance > 0.0:
            z[i] = (sums[i] - centre * total[i]) / np.sqrt(own_variance * (spread / (size - 1)))
    return z
