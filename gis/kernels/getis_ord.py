"""Hot beyond chance: the local statistics G and G* of Getis and Ord, with exact conditional p.

References: Ord and Getis (1995), Geographical Analysis 27(4), equations 5 to 8 (with n - 1 under the root).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.kernels.ground import as_ground, star_on_ground
from gis.kernels.local_inference import Alternative, Inference, Way, neighbour_tails, sided
from gis.kernels.multiple_testing import benjamini_hochberg
from gis.kernels.neighbourhoods import Drawn, Neighbourhoods, Weights, drawn_from, neighbourhoods, standard_score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
        How p came about: ``exact``, counted; ``sweep``, sampled with draws that all places share; ``gather``, sampled
        for each place alone.
    """

    z: Floats
    p: Floats
    q: Floats
    p_greater: Floats
    p_less: Floats
    neighbours: Ints
    inference: Way


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
    >>> from scipy import sparse
    >>> chain = sparse.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(5, 5))
    >>> gi_star(np.array([0, 0, 1, 4, 5]), chain).round(3).tolist()
    [-1.557, -1.946, -0.389, 1.557, 1.946]
    """
    return _star(neighbourhoods(values, weights))


def gi(values: NDArray[np.generic], weights: Weights) -> Floats:
    """Return G (n,) as standard scores: the neighbours alone, against all other places; the diagonal plays no part."""
    return neighbours_score(neighbourhoods(values, weights))


def neighbours_score(near: Neighbourhoods) -> Floats:
    """Return G (n,) of values and weights made ready."""
    numbers, n = near.values, near.values.size
    centred = numbers - numbers.mean()
    total, squares = near.total - near.own, near.squares - near.own**2
    # In deviations from the mean of all, so that no digits are lost.
    sums = near.lag - numbers.mean() * near.total - near.own * centred
    mean = -centred / (n - 1)
    variance = (n * centred.var() - centred**2) / (n - 1) - mean**2
    drawn = Drawn(mean, variance, np.full(1, n - 1.0))
    return standard_score(sums, total, squares, drawn, near.neighbours > 0)


def local_test(
    values: NDArray[np.generic],
    weights: Weights,
    *,
    exposure: Floats | None = None,
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
    exposure : (n,), positive, optional
        Ground that each place covers, in any unit, where it is not the same for all: `values` are then counts, and a
        neighbourhood is compared with as much ground (`gis.kernels.ground`).
    alternative
        ``greater`` asks for hot places, ``less`` for cold ones; two-sided p is twice the smaller tail, at most 1.
    inference
        ``exact`` counts all possible neighbourhoods (whole numbers or decimals, equal weights within a row);
        ``permutation`` draws some; ``auto`` takes the first where it is affordable.
    permutations, seed
        Of the second way; p is then never below 1 / (permutations + 1).
    """
    near = neighbourhoods(values, weights)
    ground = None if exposure is None else as_ground(exposure, near)
    tails, way = neighbour_tails(
        np.asarray(values), near, ground, inference=inference, permutations=permutations, seed=seed
    )
    p = sided(tails, alternative)
    group = tails.group
    return LocalTest(
        z=_star(near) if ground is None else star_on_ground(np.asarray(values), near, ground),
        p=p[group],
        q=benjamini_hochberg(p, np.bincount(group))[group],
        p_greater=tails.greater[group],
        p_less=tails.less[group],
        neighbours=near.neighbours,
        inference=way,
    )


def _star(near: Neighbourhoods) -> Floats:
    return standard_score(near.lag, near.total, near.squares, drawn_from(near.values), near.neighbours > 0)
