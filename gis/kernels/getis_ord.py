"""Hot beyond chance: the local statistics G and G* of Getis and Ord, with exact conditional p.

References: Ord and Getis (1995), Geographical Analysis 27(4), equations 5 to 8 (with n - 1 under the root).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from gis.errors import InvalidInput
from gis.kernels.conditional import (
    Tails,
    Whole,
    as_whole,
    exact_tails,
    is_affordable,
    sampled_tails,
    sampled_tails_weighted,
)
from gis.kernels.multiple_testing import benjamini_hochberg

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Weights: TypeAlias = Any
"""A scipy sparse array or matrix of any format."""
Alternative = Literal["two-sided", "greater", "less"]
Inference = Literal["auto", "exact", "permutation"]

_LEVEL = 1e-12
"""Relative size under which a variance is rounding, not spread."""


@dataclass(frozen=True, slots=True)
class LocalTest:
    """The test of every place.

    Attributes
    ----------
    z : (n,)
        G* as a standard score; nan without neighbours.
    p : (n,)
        Of the alternative asked for; nan without neighbours.
    q : (n,)
        Benjamini-Hochberg false discovery rate of `p`.
    p_greater, p_less : (n,)
        Chance of a neighbourhood at least as busy, and at most as busy, as this one.
    neighbours : (n,)
        How many neighbours each place has, itself not counted.
    inference
        ``exact`` or ``permutation``: how p came about.
    """

    z: Floats
    p: Floats
    q: Floats
    p_greater: Floats
    p_less: Floats
    neighbours: Ints
    inference: Literal["exact", "permutation"]


def gi_star(values: NDArray[np.generic], weights: Weights) -> Floats:
    """Return G* (n,) as standard scores: how much busier a place and its neighbours are than the whole.

    Parameters
    ----------
    values : (n,)
        One number a place, such as its count of incidents.
    weights : sparse (n, n), not negative, with the diagonal
        Row i weights the neighbours of place i and the place itself. Equal weights of any size give the same scores.

    Returns
    -------
    (n,)
        nan where a place has no neighbours, where the neighbourhood is everything, and where all values are equal.

    Examples
    --------
    >>> chain = sparse.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(5, 5))
    >>> gi_star(np.array([0, 0, 1, 4, 5]), chain).round(3).tolist()
    [-1.557, -1.946, -0.389, 1.557, 1.946]
    """
    numbers, rows = _prepared(values, weights)
    return _star(numbers, rows, rows.weights @ numbers)


def gi(values: NDArray[np.generic], weights: Weights) -> Floats:
    """Return G (n,) as standard scores: the neighbours alone, against all other places; the diagonal plays no part."""
    numbers, rows = _prepared(values, weights)
    n = numbers.size
    centred = numbers - numbers.mean()
    total = rows.total - rows.own
    squares = rows.squares - rows.own**2
    lag = rows.weights @ centred - rows.own * centred
    mean = -centred / (n - 1)
    variance = (n * np.var(numbers) - centred**2) / (n - 1) - mean**2
    scores: Floats = _score(lag - total * mean, variance, n - 1, total, squares, rows.neighbours)
    return scores


def local_test(
    values: NDArray[np.generic],
    weights: Weights,
    *,
    alternative: Alternative = "two-sided",
    inference: Inference = "auto",
    permutations: int = 9999,
    seed: int = 0,
) -> LocalTest:
    """Test of every place whether its neighbourhood is busier, or quieter, than chance would make it.

    The null is conditional: the place keeps its value, its neighbours are drawn from all others. Since that value is
    fixed, G and G* have the same p.

    Parameters
    ----------
    values : (n,)
    weights : sparse (n, n), not negative, with the diagonal
        As for `gi_star`.
    alternative
        ``greater`` asks for hot places, ``less`` for cold ones; two-sided p is twice the smaller tail, at most 1.
    inference
        ``exact`` counts all possible neighbourhoods (whole numbers or decimals, equal weights within a row);
        ``permutation`` draws some; ``auto`` takes the first where it is affordable.
    permutations, seed
        Of the second way; p is then never below 1 / (permutations + 1).
    """
    numbers, rows = _prepared(values, weights)
    lag = rows.weights @ numbers
    tails, way = _tails(
        np.asarray(values), numbers, rows, lag, inference=inference, permutations=permutations, seed=seed
    )
    if alternative == "two-sided":
        p = np.minimum(2.0 * np.minimum(tails.greater, tails.less), 1.0)
    else:
        p = tails.greater if alternative == "greater" else tails.less
    group = tails.group
    return LocalTest(
        z=_star(numbers, rows, lag),
        p=p[group],
        q=benjamini_hochberg(p, np.bincount(group))[group],
        p_greater=tails.greater[group],
        p_less=tails.less[group],
        neighbours=rows.neighbours,
        inference=way,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Weights as rows without explicit zeros, and per row (n,) their sum, sum of squares, own weight, neighbours."""

    weights: sparse.csr_array
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

    def sums(self, whole: Whole, lag: Floats) -> Ints:
        """Return the sum of whole numbers (n,) over each row's neighbours; a double holds it exactly."""
        if not (self.ones and whole.scale == 1.0):
            rows = self.weights
            ones = sparse.csr_array((np.ones_like(rows.data), rows.indices, rows.indptr), rows.shape)
            lag = ones @ whole.values.astype(float)
        return np.asarray(lag.astype(np.int64) - whole.values * (self.own != 0))


def _prepared(values: NDArray[np.generic], weights: Weights) -> tuple[Floats, _Rows]:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or numbers.size < 2:  # noqa: PLR2004
        raise InvalidInput("values must be one row of at least two numbers")
    if not sparse.issparse(weights) or weights.shape != (numbers.size, numbers.size):
        raise InvalidInput(f"weights must be a sparse matrix of shape {(numbers.size, numbers.size)}")
    if not np.isfinite(numbers).all():
        raise InvalidInput("values must be finite numbers")
    rows = weights if isinstance(weights, sparse.csr_array) else sparse.csr_array(weights)
    # From the lowest up: what all values have in common cancels in every statistic, so it need not cost digits.
    return numbers - numbers.min(), _rows(rows)


def _rows(rows: sparse.csr_array) -> _Rows:
    lowest, highest = (rows.data.min(), rows.data.max()) if rows.nnz else (1.0, 1.0)
    if not (lowest >= 0 and highest < np.inf):
        raise InvalidInput("weights must be finite and not negative")
    if lowest == 0 or not rows.has_canonical_format or rows.dtype != np.float64:
        rows = sparse.csr_array(rows, dtype=float, copy=True)
        rows.sum_duplicates()
        rows.eliminate_zeros()
        lowest = highest = np.nan  # no longer known
    own = rows.diagonal()
    entries = np.diff(rows.indptr).astype(np.int64)
    neighbours = entries - (own != 0)
    if lowest == highest:
        # The usual case, and nothing to add up.
        total = float(highest) * entries
        return _Rows(rows, total, float(highest) * total, own, neighbours, equal=True, ones=bool(highest == 1))
    squares = rows.power(2).sum(axis=1)
    result = _Rows(rows, rows.sum(axis=1), squares, own, neighbours, equal=False, ones=False)
    others = result.others()
    first = others.data[np.minimum(others.indptr[:-1], max(others.nnz - 1, 0))] if others.nnz else np.zeros(own.size)
    return replace(result, equal=bool((others.data == np.repeat(first, neighbours)).all()))


def _star(numbers: Floats, rows: _Rows, lag: Floats) -> Floats:
    mean, variance, n = numbers.mean(), np.full(1, np.var(numbers)), numbers.size
    scores: Floats = _score(lag - mean * rows.total, variance, n, rows.total, rows.squares, rows.neighbours)
    return scores


@njit(cache=True)
def _score(excess, variance, n, total, squares, neighbours):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return excess / sqrt(variance (n S1 - W^2) / (n - 1)), nan where nothing can vary.

    One pass: at a thousand places the calls of numpy would take longer than the work. `variance` is (n,) or (1,).
    """
    z = np.full(excess.size, np.nan)
    for i in range(z.size):
        spread = n * squares[i] - total[i] ** 2
        own_variance = variance[i % variance.size]
        if neighbours[i] > 0 and spread > _LEVEL * n * squares[i] and own_variance > 0.0:
            z[i] = excess[i] / np.sqrt(own_variance * (spread / (n - 1)))
    return z


def _tails(
    values: NDArray[np.generic],
    numbers: Floats,
    rows: _Rows,
    lag: Floats,
    *,
    inference: Inference,
    permutations: int,
    seed: int,
) -> tuple[Tails, Literal["exact", "permutation"]]:
    if rows.equal:
        whole = as_whole(values)
        sums = rows.sums(whole, lag)
        countable = inference != "permutation" and whole.exact
        if countable and is_affordable(whole, rows.neighbours, sums):
            return exact_tails(whole, rows.neighbours, sums), "exact"
    if inference == "exact":
        raise InvalidInput(
            "exact p needs whole numbers (or decimals of up to six places), equal weights within a row and "
            "neighbourhoods that are not too large; take inference='permutation'"
        )
    if rows.equal:
        return sampled_tails(whole, rows.neighbours, sums, permutations=permutations, seed=seed), "permutation"
    return sampled_tails_weighted(numbers, rows.others(), permutations=permutations, seed=seed), "permutation"
