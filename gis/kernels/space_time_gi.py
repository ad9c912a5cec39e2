"""Hot and cold in space and time: G* of every place at every step against the whole cube of places and steps.

The neighbourhood of place i at step t is i and its neighbours at step t and at the `lag_steps` steps before. Ord and
Getis (1995), equation 5, over all bins of the cube.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import ndtr

from gis.errors import InvalidInput
from gis.kernels.conditional import Tails, exact_tails, is_affordable, whole_numbers
from gis.kernels.ground import Ground, exact_tails_on_ground, ground_around, neighbours_on_ground
from gis.kernels.multiple_testing import benjamini_hochberg
from gis.kernels.neighbourhoods import Drawn, drawn_from, moments_without, standard_score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CubeTest:
    """The test of every bin, all (n, t) and nan for a place without neighbours.

    Attributes
    ----------
    z
        G* as a standard score.
    p, q
        Two-sided, and the Benjamini-Hochberg false discovery rate over all bins.
    hotter
        Whether the bin is on the busy side.
    inference
        ``exact``: neighbours counted as draws without replacement from all other bins. ``normal``: from their
        mean and variance, where counting would take long.
    """

    z: Floats
    p: Floats
    q: Floats
    hotter: NDArray[np.bool_]
    inference: Literal["exact", "normal"]


def cube_test(counts: Ints, near: sparse.csr_array, *, lag_steps: int = 1, exposure: Floats | None = None) -> CubeTest:
    """Test every bin of a cube whether its neighbourhood in space and time is busier, or quieter, than chance.

    Parameters
    ----------
    counts : (n, t), whole numbers from 0 up
    near : sparse (n, n)
        Ones between neighbours in space, no diagonal.
    lag_steps
        Steps before its own that belong to a bin's neighbourhood. The first steps have fewer: their neighbourhoods are
        smaller, and mean and spread of the null go by their size.
    exposure : (n,), positive, optional
        Ground of each place, where it is not the same for all (`gis.kernels.ground`).

    Examples
    --------
    >>> chain = sparse.diags_array([1.0, 1.0], offsets=[-1, 1], shape=(3, 3)).tocsr()
    >>> found = cube_test(np.array([[0, 0, 1], [0, 1, 4], [1, 0, 3]]), chain)
    >>> found.z.round(3).tolist()
    [[-1.226, -1.59, 0.718], [-1.136, -2.271, 1.136], [-0.674, -1.129, 1.642]]
    """
    given = np.asarray(counts)
    cube = given.astype(np.int64)
    if cube.ndim != 2 or cube.size < 2 or (cube < 0).any() or (cube != given).any():  # noqa: PLR2004
        raise InvalidInput("a cube holds one count (a whole number from 0 up) a place and step")
    if near.shape != (len(cube), len(cube)) or (near.nnz and (near.data.min(), near.data.max()) != (1, 1)):
        raise InvalidInput("neighbours are a sparse matrix of ones between the places of the cube")
    n, steps = cube.shape
    whole = sparse.csr_array(near + sparse.eye_array(n))
    window = np.minimum(np.arange(steps), lag_steps) + 1
    tested = np.repeat(np.diff(whole.indptr) > 1, steps)
    sums = _windowed(np.asarray(whole @ cube.astype(float)).astype(np.int64), lag_steps).ravel()
    flat = cube.ravel()
    around = sums - flat
    bins = np.outer(np.diff(whole.indptr), window).ravel().astype(np.int64)
    ground = None
    if exposure is not None:
        # The ground of a place is the same at every step.
        def ground_of(size: Floats) -> Floats:
            return np.asarray(np.outer(whole @ size[::steps], window).ravel() - size)

        ground = ground_around(np.repeat(exposure, steps), ground_of, tested)
    tails = _tails(flat, ground, around, np.where(tested, bins - 1, 0))
    z = _score(flat, ground, sums.astype(float), bins.astype(float), tested)
    if tails is None:
        # The same null: the bin keeps its own count, which G* would let speak too.
        alone = _neighbours_score(flat, ground, around.astype(float), (bins - 1).astype(float), tested)
        p = np.where(tested, np.nan_to_num(2.0 * ndtr(-np.abs(alone)), nan=1.0), np.nan)
        q, hotter = benjamini_hochberg(p), alone > 0
    else:
        group = tails.group
        p = np.minimum(2.0 * np.minimum(tails.greater, tails.less), 1.0)
        q = benjamini_hochberg(p, np.bincount(group))[group]
        p, hotter = p[group], (tails.greater < tails.less)[group]
    shape = n, steps
    way: Literal["exact", "normal"] = "normal" if tails is None else "exact"
    return CubeTest(z.reshape(shape), p.reshape(shape), q.reshape(shape), hotter.reshape(shape), way)


def _windowed(numbers: Ints, lag_steps: int) -> Ints:
    """Return the sums of numbers (n, t) over each step and the `lag_steps` before it, as many as there are."""
    running = np.cumsum(numbers, axis=1)
    summed = running.copy()
    summed[:, lag_steps + 1 :] -= running[:, : max(running.shape[1] - lag_steps - 1, 0)]
    return np.asarray(summed)


def _tails(flat: Ints, ground: Ground | None, around: Ints, neighbours: Ints) -> Tails | None:
    if ground is not None:
        return exact_tails_on_ground(flat, ground, around)
    # Counted as they are: what lowest value they have in common is of no use to sums of different length.
    whole = whole_numbers(flat)
    return exact_tails(whole, neighbours, around) if is_affordable(whole, neighbours, around) else None


def _score(flat: Ints, ground: Ground | None, sums: Floats, bins: Floats, tested: NDArray[np.bool_]) -> Floats:
    if ground is None:
        return standard_score(sums, bins, bins, drawn_from(flat.astype(float)), tested)
    pool = drawn_from(flat[ground.pool].astype(float))
    size = ground.around + ground.size
    return standard_score(sums, size, size, Drawn(pool.mean, pool.variance, np.full(1, ground.size.sum())), tested)


def _neighbours_score(
    flat: Ints, ground: Ground | None, around: Floats, neighbours: Floats, tested: NDArray[np.bool_]
) -> Floats:
    """Return G (n t,): the neighbours' sum as a standard score of the conditional null."""
    if ground is not None:
        return neighbours_on_ground(flat, around, ground, tested)
    numbers = flat.astype(float)
    drawn = Drawn(*moments_without(numbers, numbers, np.ones(flat.size, dtype=bool)), np.full(1, flat.size - 1.0))
    return standard_score(around, neighbours, neighbours, drawn, tested)
