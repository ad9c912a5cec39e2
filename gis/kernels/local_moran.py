"""Clusters and outliers: the local statistic I of Moran, with the conditional p of the neighbours' sum.

References: Anselin (1995), Geographical Analysis 27(2), equation 12 with m2 of equation 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.kernels.getis_ord import neighbours_score
from gis.kernels.ground import as_ground, neighbours_on_ground
from gis.kernels.local_inference import Alternative, Inference, Way, neighbour_tails, sided
from gis.kernels.multiple_testing import benjamini_hochberg
from gis.kernels.neighbourhoods import Weights, neighbourhoods

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MoranTest:
    """The test of every place.

    Attributes
    ----------
    local_i : (n,)
        I: the place's deviation times the sum of its neighbours', over the variance of all; nan without neighbours.
    z : (n,)
        I as a standard score of its conditional null: positive among its like, negative for an outlier.
    p, q : (n,)
        Of the neighbours' sum, and the Benjamini-Hochberg false discovery rate; nan without neighbours.
    p_greater, p_less : (n,)
        Chance of neighbours at least as busy, and at most as busy, as these.
    high, high_around : (n,)
        Whether the place lies above the mean, and its neighbours on the busy side of what chance gives them.
    neighbours, inference
        As in `gis.kernels.getis_ord.LocalTest`.
    """

    local_i: Floats
    z: Floats
    p: Floats
    q: Floats
    p_greater: Floats
    p_less: Floats
    high: NDArray[np.bool_]
    high_around: NDArray[np.bool_]
    neighbours: Ints
    inference: Way


def local_moran(
    values: NDArray[np.generic],
    weights: Weights,
    *,
    exposure: Floats | None = None,
    alternative: Alternative = "two-sided",
    inference: Inference = "auto",
    permutations: int = 9999,
    seed: int = 0,
) -> MoranTest:
    """Test of every place whether its neighbours are like it, or unlike it, beyond chance.

    The place keeps its value, its neighbours are drawn from all others: I then moves with the neighbours' sum alone, so
    that its p is that sum's, and the same exact count serves that `gis.kernels.getis_ord.local_test` makes.

    Parameters
    ----------
    values, exposure, inference, permutations, seed
        As for `gis.kernels.getis_ord.local_test`.
    weights : sparse (n, n), not negative
        Row i weights the neighbours of place i; the diagonal plays no part.
    alternative
        ``greater`` asks for busy neighbours, ``less`` for quiet ones, ``two-sided`` for either.

    Examples
    --------
    >>> from scipy import sparse
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(5, 5))
    >>> local_moran(np.array([0, 0, 1, 4, 8]), chain).local_i.round(3).tolist()
    [0.716, 1.157, 0.203, 0.564, 0.801]
    """
    near = neighbourhoods(values, weights)
    ground = None if exposure is None else as_ground(exposure, near)
    tails, way = neighbour_tails(
        np.asarray(values), near, ground, inference=inference, permutations=permutations, seed=seed
    )
    p, group = sided(tails, alternative), tails.group
    if ground is None:
        deviation = near.values - near.values.mean()
        variance = float(np.var(near.values))
        around = near.lag - near.values.mean() * near.total - near.own * deviation
        score = neighbours_score(near)
    else:
        numbers = np.asarray(values, dtype=float)
        mean, variance = numbers[ground.pool].mean(), float(np.var(numbers[ground.pool]))
        deviation = numbers - mean * ground.size
        around = near.around(numbers) - mean * ground.around
        score = neighbours_on_ground(numbers, near.around(numbers), ground, near.neighbours > 0)
    tested = near.neighbours > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        local_i = np.where(tested & (variance > 0), deviation * around / variance, np.nan)
    return MoranTest(
        local_i=local_i,
        z=np.sign(deviation) * score,
        p=p[group],
        q=benjamini_hochberg(p, np.bincount(group))[group],
        p_greater=tails.greater[group],
        p_less=tails.less[group],
        high=deviation > 0,
        high_around=tails.greater[group] < tails.less[group],
        neighbours=near.neighbours,
        inference=way,
    )
