"""What a good plan is, as one number: loads within the band, short borders, few households that change hands.

The sum over grids of ``phi(L)`` plus weighted border length plus weighted households away from the base plan, and what
each block may cost besides in the grid that has it, such as the way from the grid's post. With the target T,
d = (L - T) / T and h how far L lies outside the band in units of T: phi = wq d^2 + wh (h + 4 h^2).
"""

# ruff: noqa: ANN001, ANN201, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import InvalidInput
from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints

STEEP = 4.0
"""How much faster than linear leaving the band costs."""
ROUNDING = 1e-9
"""A share of the target that sums of loads may be off by."""
PER_BLOCK = 1e-4
"""A block away from its base grid costs this share of the stability weight besides its households: blocks without
households would otherwise wander."""


@dataclass(frozen=True, slots=True)
class Band:
    """The loads that a grid should have.

    Attributes
    ----------
    target
        Load of a grid as it should be, positive.
    least, most
        Limits of the load, included.

    Examples
    --------
    >>> Band.around(300.0, 0.1)
    Band(target=300.0, least=270.0, most=330.0)
    """

    target: float
    least: float
    most: float

    def __post_init__(self) -> None:
        if not (0 <= self.least <= self.target <= self.most and self.target > 0):
            raise InvalidInput(f"a band needs 0 <= least <= target <= most: {self.least}, {self.target}, {self.most}")

    @classmethod
    def around(cls, target: float, tolerance: float) -> Band:
        """Return the band of a target plus or minus a share of it."""
        return cls(target, target - target * tolerance, target + target * tolerance)

    def narrowed(self, share: float) -> Band:
        """Return the band with both limits nearer to the target, by a share of their distance.

        A search that aims at the narrower band ends inside the wider one, although whole blocks never fit exactly.

        Examples
        --------
        >>> Band(300.0, 150.0, 500.0).narrowed(0.01)
        Band(target=300.0, least=151.5, most=498.0)
        """
        return Band(
            self.target,
            self.least + share * (self.target - self.least),
            self.most - share * (self.most - self.target),
        )

    def excess(self, load: Floats) -> Floats:
        """Return how far each load (k,) lies outside the band, in units of the target; 0 within."""
        over, under = (load - self.most) / self.target, (self.least - load) / self.target
        return np.maximum(np.maximum(over, under), 0.0)

    def holds(self, load: Floats) -> NDArray[np.bool_]:
        """Return which loads (k,) lie in the band, up to rounding."""
        return np.asarray(self.excess(load) <= ROUNDING)


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts how much.

    Attributes
    ----------
    cut
        Of one mean block side of border between grids.
    spread
        Of the squared deviation of a grid's load from the target.
    band
        Of leaving the band.
    stability
        Of as many households as one grid should have, away from their base grid.
    """

    cut: float
    spread: float
    band: float
    stability: float = 0.0


FROM_SCRATCH = Weights(cut=0.3, spread=4.0, band=200.0)
REBALANCE = Weights(cut=0.1, spread=0.5, band=300.0, stability=3.0)
EQUAL_BLOCKS = Weights(cut=0.3, spread=0.5, band=200.0)
"""For blocks of one load each, where the band is a matter of whole blocks."""


@dataclass(frozen=True, slots=True)
class Objective:
    """The parts of the number, each with its weight in it."""

    band: float
    spread: float
    cut: float
    stability: float
    place: float = 0.0

    @property
    def total(self) -> float:
        """The number that is made small."""
        return self.band + self.spread + self.cut + self.stability + self.place


def objective(
    graph: BlockGraph,
    load: Floats,
    grid: Ints,
    *,
    grids_count: int,
    band: Band,
    weights: Weights,
    base: Ints | None,
    closed: Bools | None = None,
    place_cost: Floats | None = None,
) -> Objective:
    """Return what a plan (n,) costs, part by part.

    Parameters
    ----------
    load : (n,)
        Of each block.
    grid : (n,)
        0 to `grids_count` - 1.
    base : (n,), optional
        The grid of each block in the plan that changes are counted against; -1 where there is none.
    closed : (`grids_count`,), optional
        Grids that the band does not ask about.
    place_cost : (n, `grids_count`), optional
        What each block costs besides in each grid, weights included.
    """
    grid_load = np.bincount(grid, load, minlength=grids_count).astype(np.float64)
    grid_load = grid_load if closed is None else grid_load[~closed]
    outside = band.excess(grid_load)
    away = np.zeros(grid.size, bool) if base is None else (base >= 0) & (grid != base)
    return Objective(
        band=float(weights.band * (outside + STEEP * outside**2).sum()),
        spread=float(weights.spread * (((grid_load - band.target) / band.target) ** 2).sum()),
        cut=float(weights.cut * cut_length(graph, grid) / graph.side_m),
        stability=float(weights.stability * (load[away].sum() / band.target + PER_BLOCK * away.sum())),
        place=0.0 if place_cost is None else float(place_cost[np.arange(grid.size), grid].sum()),
    )


def load_costs(load: Floats, band: Band, weights: Weights) -> Floats:
    """Return phi of the load (k,) of each grid."""
    outside = band.excess(load)
    spread = weights.spread * ((load - band.target) / band.target) ** 2
    return np.asarray(spread + weights.band * (outside + STEEP * outside**2))


def cut_length(graph: BlockGraph, grid: Ints) -> float:
    """Return the length of all borders between two grids."""
    return float(graph.border_m[grid[graph.tail] != grid[graph.neighbour]].sum() / 2)


@njit(cache=True, nogil=True, inline="always")
def load_cost(load, target, least, most, spread, band):  # type: ignore[no-untyped-def]
    """Return phi of one grid's load."""
    deviation = (load - target) / target
    outside = max(load - most, least - load) / target
    cost = spread * deviation * deviation
    if outside > 0.0:
        cost += band * (outside + STEEP * outside * outside)
    return cost
