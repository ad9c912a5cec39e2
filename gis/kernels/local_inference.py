"""How likely the neighbours' sum of each place is by chance: one engine for every local statistic."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gis.errors import InvalidInput
from gis.kernels.conditional import Tails, as_whole, exact_tails, is_affordable, sampled_tails, sampled_tails_weighted
from gis.kernels.ground import Ground, exact_tails_on_ground, swept_tails_on_ground
from gis.kernels.neighbourhoods import Neighbourhoods

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Alternative = Literal["two-sided", "greater", "less"]
Inference = Literal["auto", "exact", "permutation"]
Way = Literal["exact", "sweep", "gather"]
"""How p came about: counted; sampled with draws that all places share; sampled for each place alone."""


def sided(tails: Tails, alternative: Alternative) -> Floats:
    """Return p of the alternative asked for, one a group; two-sided is twice the smaller tail, at most 1."""
    if alternative == "two-sided":
        return np.asarray(np.minimum(2.0 * np.minimum(tails.greater, tails.less), 1.0))
    return tails.greater if alternative == "greater" else tails.less


def neighbour_tails(
    values: NDArray[np.generic],
    near: Neighbourhoods,
    ground: Ground | None,
    *,
    inference: Inference,
    permutations: int,
    seed: int,
) -> tuple[Tails, Way]:
    """Return both tails of the neighbours' sum of every place, and how they came about.

    Parameters
    ----------
    values : (n,)
        Whole numbers from 0 up where `ground` is given.
    inference
        ``auto`` counts where that is affordable and samples otherwise.
    """
    if ground is not None:
        return _on_ground(values, near, ground, inference=inference, permutations=permutations, seed=seed)
    if near.equal:
        whole = as_whole(values)
        sums = near.sums(whole)
        if inference != "permutation" and whole.exact and is_affordable(whole, near.neighbours, sums):
            return exact_tails(whole, near.neighbours, sums), "exact"
    if inference == "exact":
        raise InvalidInput(
            "exact p needs whole numbers (or decimals of up to six places), equal weights within a row and "
            "neighbourhoods that are not too large; take inference='permutation'"
        )
    if near.equal:
        return sampled_tails(whole, near.neighbours, sums, permutations=permutations, seed=seed), "sweep"
    return sampled_tails_weighted(near.values, near.others(), permutations=permutations, seed=seed), "gather"


def _on_ground(
    values: NDArray[np.generic],
    near: Neighbourhoods,
    ground: Ground,
    *,
    inference: Inference,
    permutations: int,
    seed: int,
) -> tuple[Tails, Way]:
    counts = np.asarray(values).astype(np.int64)
    if not near.equal or (counts != values).any() or counts.min() < 0:
        raise InvalidInput("places of unequal ground need counts (whole numbers from 0 up) and equal weights in a row")
    sums = near.around(counts.astype(float)).astype(np.int64)
    tails = None if inference == "permutation" else exact_tails_on_ground(counts, ground, sums)
    if tails is not None:
        return tails, "exact"
    if inference == "exact":
        raise InvalidInput("these neighbourhoods are too large for an exact p; take inference='permutation'")
    return swept_tails_on_ground(counts, ground, sums, permutations=permutations, seed=seed), "sweep"
