"""What no plan can better, so that a proposal can be judged without another one to compare it with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from gis.kernels.block_graph import Bools, Floats, Ints
from gis.kernels.plan_objective import Band


def lattice_cut_bound(columns: int, rows: int, grids_count: int, *, tolerance: float) -> float:
    """Return a length that the borders between grids cannot fall below, on a lattice of unit squares.

    A grid of a squares has a perimeter of at least ``2 ceil(2 sqrt a)`` (Harary and Harborth 1976, Journal of
    Combinatorics, Information and System Sciences 1). The least sum over the sizes that the tolerance allows, a linear
    programme, minus the outline and halved, is a bound for every division; infinite when no size is allowed.

    Parameters
    ----------
    tolerance
        Share by which a grid may be larger or smaller than the mean, such as 0.1.

    Examples
    --------
    >>> lattice_cut_bound(32, 32, 25, tolerance=0.1)
    261.0
    """
    squares = columns * rows
    mean = squares / grids_count
    # Rounding must not take a size away from the bound: it would be too high.
    sizes = np.arange(np.ceil(mean * (1 - tolerance) - 1e-9), np.floor(mean * (1 + tolerance) + 1e-9) + 1)
    if sizes.size == 0:
        return np.inf
    perimeter = 2 * np.ceil(2 * np.sqrt(sizes) - 1e-9)
    solved = linprog(perimeter, A_eq=np.stack([np.ones_like(sizes), sizes]), b_eq=[grids_count, squares])
    return float(solved.fun - 2 * (columns + rows)) / 2 if solved.status == 0 else np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """How even the loads of each component (c,) can be at best.

    Attributes
    ----------
    load : (c,)
    blocks : (c,)
    grids : (c,)
        The number of grids at which the mean load comes closest to the target.
    deviation : (c,)
        At least one grid of the component deviates from the target by this share, whatever the plan: because of the
        mean, or because one block alone is heavier than the target.
    feasible : (c,)
        Whether any number of grids could have loads in the band, as far as the total and the heaviest block tell.
    """

    load: Floats
    blocks: Ints
    grids: Ints
    deviation: Floats
    feasible: Bools


def balance_bounds(load: Floats, component: Ints, *, band: Band) -> Balance:
    """Return the bounds of every component 0 to c - 1 that blocks (n,) hang together in.

    Examples
    --------
    >>> bounds = balance_bounds(np.array([60.0, 60, 60, 20]), np.array([0, 0, 0, 1]), band=Band.around(100.0, 0.1))
    >>> bounds.grids.tolist(), bounds.deviation.round(2).tolist(), bounds.feasible.tolist()
    ([2, 1], [0.1, 0.8], [True, False])
    """
    count = int(component.max(initial=-1)) + 1
    total = np.bincount(component, load, minlength=count).astype(float)
    blocks = np.bincount(component, minlength=count)
    heaviest = np.zeros(count)
    np.maximum.at(heaviest, component, load)
    fewest = np.maximum(np.floor(total / band.target), 1)
    tried = np.minimum(np.stack([fewest, fewest + 1]), np.maximum(blocks, 1))
    off = np.abs(total / tried - band.target) / band.target
    best = off.argmin(axis=0)
    alone = heaviest / band.target - 1
    return Balance(
        load=total,
        blocks=blocks,
        grids=np.take_along_axis(tried, best[None], axis=0)[0].astype(np.int64),
        deviation=np.maximum(np.take_along_axis(off, best[None], axis=0)[0], alone),
        feasible=_has_a_count(total, blocks, band) & (heaviest <= band.most * (1 + 1e-9)),
    )


def _has_a_count(total: Floats, blocks: Ints, band: Band) -> Bools:
    """Return for which totals (c,) some number of grids, at most one a block, has a mean in the band."""
    fewest = np.maximum(np.ceil(total / band.most - 1e-9), 1)
    most = np.floor(total / band.least + 1e-9) if band.least > 0 else np.full(total.shape, np.inf)
    return np.asarray(fewest <= np.minimum(most, blocks))


def grids_allowed(total: float, blocks: int, *, band: Band) -> tuple[int, int] | None:
    """Return the fewest and the most grids whose mean load lies in the band; None when there is no such number.

    Examples
    --------
    >>> grids_allowed(1400.0, 20, band=Band(300.0, 150.0, 500.0))
    (3, 9)
    """
    if not _has_a_count(np.array([total]), np.array([blocks]), band)[0]:
        return None
    most = min(blocks, int(np.floor(total / band.least + 1e-9))) if band.least > 0 else blocks
    return max(int(np.ceil(total / band.most - 1e-9)), 1), most


def load_that_must_move(load: Floats, *, least: Floats, most: Floats, component: Ints) -> float:
    """Return the load that has to change grids before every grid has from `least` to `most`.

    What is over has to leave, what is missing has to come; in each component the larger of the two sums.

    Parameters
    ----------
    load, least, most : (k,)
        Of each grid of the plan in force.
    component : (k,)
        Grids of different components exchange nothing.

    Examples
    --------
    >>> grids = np.array([130.0, 100, 60])
    >>> load_that_must_move(grids, least=np.full(3, 90.0), most=np.full(3, 110.0), component=np.zeros(3, np.int64))
    30.0
    """
    over = np.bincount(component, np.maximum(load - most, 0.0))
    under = np.bincount(component, np.maximum(least - load, 0.0))
    return float(np.maximum(over, under).sum())


def load_that_must_flow(load: Floats, *, least: Floats, most: Floats, near: NDArray[np.int64]) -> float:
    """Return the least load to hand over between neighbouring grids so that every grid has from `least` to `most`.

    A bound where a block only ever goes to a grid that touches its own in the plan in force; otherwise a yardstick:
    load that travels over two borders is counted twice.

    Parameters
    ----------
    load, least, most : (k,)
        Of each grid.
    near : (p, 2)
        Pairs of grids that touch, each once.

    Returns
    -------
    float
        nan when no flow can do it.

    Examples
    --------
    >>> row = np.array([[0, 1], [1, 2]])
    >>> load_that_must_flow(np.array([130.0, 100, 60]), least=np.full(3, 90.0), most=np.full(3, 110.0), near=row)
    50.0
    """
    grids, pairs = load.size, len(near)
    if pairs == 0:
        return 0.0 if bool(((load >= least) & (load <= most)).all()) else np.nan
    arc = np.arange(2 * pairs)
    source, sink = np.concatenate([near, near[:, ::-1]]).T
    gain = sparse.csr_array(
        (np.repeat([1.0, -1.0], 2 * pairs), (np.concatenate([sink, source]), np.concatenate([arc, arc]))),
        shape=(grids, 2 * pairs),
    )
    solved = linprog(
        np.ones(2 * pairs), A_ub=sparse.vstack([gain, -gain]), b_ub=np.concatenate([most - load, load - least])
    )
    return float(solved.fun) if solved.status == 0 else np.nan
