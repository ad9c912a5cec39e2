"""A redrawing task as arrays: which blocks may move, between which grids, and what a plan is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints
from gis.kernels.plan_objective import Band, Objective, Weights, objective
from gis.plans.graph import Blocks
from gis.plans.plan import NONE, Plan

DEDICATED = "dedicated"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a proposal works on.

    Attributes
    ----------
    graph
        Borders that a grid may reach across, preferred ones shortened.
    load, households : (n,)
        Of each block.
    base : (n,)
        Position of each block's grid in the plan to begin with; `NONE` for a block without one.
    grids_count
        How many grids there are; more than in the base plan where some have been added.
    closed : (k,)
        Grids that take no block in and give none away: locked, dedicated, or ended.
    fixed : (n,)
        Blocks that stay.
    component : (n,)
        Part of the city that each block hangs together with, over borders that are open and blocks that may move.
    band
        Of the loads.
    """

    graph: BlockGraph
    load: Floats
    households: Floats
    base: Ints
    grids_count: int
    closed: Bools
    fixed: Bools
    component: Ints
    band: Band

    @property
    def parts_count(self) -> int:
        """How many components there are."""
        return int(self.component.max(initial=-1)) + 1

    def loads(self, grid: Ints) -> Floats:
        """Return the load (k,) of each grid under a plan (n,)."""
        return np.bincount(grid, self.load, minlength=self.grids_count).astype(np.float64)

    def excess(self, grid: Ints) -> Floats:
        """Return how far each open grid (k,) lies outside the band, in targets; 0 for a closed one."""
        return np.where(self.closed, 0.0, self.band.excess(self.loads(grid)))

    def cost(self, grid: Ints, weights: Weights) -> Objective:
        """Return what a plan (n,) costs; grids that are closed are not asked for their loads."""
        return objective(
            self.graph,
            self.load,
            grid,
            grids_count=self.grids_count,
            band=self.band,
            weights=weights,
            base=self.base,
            closed=self.closed,
        )

    def loose_pieces(self, grid: Ints) -> int:
        """Return how many pieces there are beyond one a grid."""
        pieces = int(self.graph.pieces(grid).max(initial=-1)) + 1
        return pieces - int(np.unique(grid).size)

    def home(self, grid: Ints) -> Ints:
        """Return the component (k,) in which each open grid has its heaviest piece, `NONE` for one without blocks."""
        free = ~self.closed[grid]
        held = sparse.coo_array(
            (self.load[free] + 1e-9, (grid[free], self.component[free])),
            shape=(self.grids_count, max(self.parts_count, 1)),
        ).tocsr()
        home = np.full(self.grids_count, NONE)
        there = np.flatnonzero(np.diff(held.indptr))
        home[there] = np.asarray(held.argmax(axis=1)).ravel()[there]
        return home

    def exchanges(self, grid: Ints) -> Ints:
        """Return a number (k,) for each grid, the same for grids that could hand blocks to one another.

        They have blocks in the same components, in the base plan or under the plan (n,).
        """
        used = (self.base != NONE) & ~self.closed[grid]
        number = self.grids_count + self.component[used]
        ends = np.concatenate([self.base[used], grid[used]]), np.concatenate([number, number])
        size = self.grids_count + self.parts_count
        together = sparse.coo_array((np.ones(ends[0].size), ends), shape=(size, size))
        return np.asarray(csgraph.connected_components(together, directed=False)[1][: self.grids_count])

    def with_grids(self, grids_count: int, ended: Ints) -> Task:
        """Return the task with more grids, and some that have ended."""
        closed = np.append(self.closed, np.zeros(grids_count - self.grids_count, bool))
        closed[ended] = True
        return replace(self, grids_count=grids_count, closed=closed)


def members(number: Ints, chosen: Bools | None = None) -> dict[int, Ints]:
    """Return the positions of each number from 0 that occurs in `number` (n,), of the chosen ones only; rising.

    Examples
    --------
    >>> {k: v.tolist() for k, v in members(np.array([2, 0, 2])).items()}
    {0: [1], 2: [0, 2]}
    """
    at = np.arange(number.size) if chosen is None else np.flatnonzero(chosen)
    order = at[np.argsort(number[at], kind="stable")]
    values, first = np.unique(number[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=True)) if order.size else {}


def task_of(blocks: Blocks, plan: Plan, load: Floats, band: Band) -> Task:
    """Return the task of redrawing a plan: locked and dedicated grids stay, and so do locked blocks.

    Parameters
    ----------
    load : (n,)
        Of each block.
    """
    dedicated = np.array([grid.kind == DEDICATED for grid in plan.grids], dtype=bool)
    closed = plan.closed() | dedicated
    fixed = plan.fixed() | np.append(closed, np.False_)[plan.grid]
    shut = np.append(closed, np.False_)[plan.grid]
    ends, _ = blocks.cost_graph.pairs()
    free = blocks.cost_graph.without(np.asarray(shut[ends].any(axis=1)))
    return Task(
        graph=blocks.cost_graph,
        load=np.asarray(load, dtype=np.float64),
        households=blocks.households.astype(np.float64),
        base=np.array(plan.grid),
        grids_count=plan.grids_count,
        closed=closed,
        fixed=fixed,
        component=free.components(),
        band=band,
    )
