"""The numbers of every grid of a plan, and how they change when a block changes hands.

When block x, of perimeter p, moves from grid a to grid b, with which it shares borders s_a and s_b, then the perimeter
of a changes by 2 s_a - p, that of b by p - 2 s_b, and the length of all borders between grids by s_a - s_b. Nothing
else changes, so that a stroke costs the same in a city of a hundred grids and of ten thousand.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from gis.errors import InvalidInput
from gis.kernels.block_graph import BlockGraph, Floats, Ints
from gis.kernels.contiguity import walk, walking_room
from gis.kernels.plan_objective import cut_length


@dataclass(frozen=True, slots=True, eq=False)
class GridMetrics:
    """The numbers of each grid (k,).

    Attributes
    ----------
    amounts : (k, q)
        Sums of what the blocks hold.
    blocks : (k,)
        How many blocks it has.
    area_m2, perimeter_m : (k,)
    cut_m
        Length of all borders between two grids.
    """

    amounts: Floats
    blocks: Ints
    area_m2: Floats
    perimeter_m: Floats
    cut_m: float

    @property
    def compactness(self) -> Floats:
        """Polsby and Popper's 4 pi A / P^2 (k,): 1 for a circle; nan for a grid without blocks."""
        return polsby_popper(self.area_m2, self.perimeter_m)


def polsby_popper(area_m2: Floats, perimeter_m: Floats) -> Floats:
    """Return 4 pi A / P^2 (k,), nan where there is no area.

    Reference: Polsby and Popper (1991), Yale Law & Policy Review 9(2).

    Examples
    --------
    >>> polsby_popper(np.array([1.0]), np.array([4.0])).round(3).tolist()
    [0.785]
    """
    there = area_m2 > 0
    out = np.full(np.shape(area_m2), np.nan)
    return np.asarray(np.divide(4 * np.pi * area_m2, perimeter_m**2, out=out, where=there))


def grid_metrics(graph: BlockGraph, amounts: Floats, grid: Ints, *, grids_count: int) -> GridMetrics:
    """Return the numbers of every grid, from nothing but the plan.

    Parameters
    ----------
    graph
        All borders, those that no grid may reach across, too.
    amounts : (n, q)
        What each block holds: load, households, ...
    grid : (n,)
        0 to `grids_count` - 1, or -1 for a block that belongs to none.
    """
    held = grid >= 0
    where = grid[held]
    inner = (grid[graph.tail] == grid[graph.neighbour]) & held[graph.tail]
    shared = np.bincount(grid[graph.tail[inner]], graph.border_m[inner], minlength=grids_count)
    sums = np.zeros((grids_count, amounts.shape[1]))
    np.add.at(sums, where, amounts[held])
    return GridMetrics(
        amounts=sums,
        blocks=np.bincount(where, minlength=grids_count),
        area_m2=np.bincount(where, graph.area_m2[held], minlength=grids_count).astype(float),
        perimeter_m=np.bincount(where, graph.perimeter_m[held], minlength=grids_count).astype(float) - shared,
        cut_m=cut_length(graph, grid),
    )


@dataclass(frozen=True, slots=True)
class Stroke:
    """What one stroke of the brush changed.

    Attributes
    ----------
    grids : (t,)
        Grids whose numbers are new.
    pieces : (t,)
        In how many pieces each of them is now; 0 when it has no block left.
    """

    grids: Ints
    pieces: Ints


class LiveMetrics:
    """The numbers of a plan that is being edited, kept up to date stroke by stroke.

    Parameters
    ----------
    graph
        All borders, for lengths.
    open_graph
        The borders that a grid may reach across, for contiguity.
    amounts : (n, q)
    grid : (n,)
        Copied; 0 to `grids_count` - 1.

    Examples
    --------
    >>> from gis.kernels.block_graph import block_graph
    >>> row = block_graph(np.array([[0, 1], [1, 2]]), np.ones(2), np.array([3.0, 2, 3]), np.ones(3))
    >>> live = LiveMetrics(row, row, np.ones((3, 1)), np.array([0, 0, 1]), grids_count=2)
    >>> live.move(np.array([0]), 1).pieces.tolist(), live.metrics().cut_m
    ([1, 2], 2.0)
    """

    def __init__(
        self, graph: BlockGraph, open_graph: BlockGraph, amounts: Floats, grid: Ints, *, grids_count: int
    ) -> None:
        if grid.min(initial=0) < 0 or grid.max(initial=0) >= grids_count:
            raise InvalidInput(f"every block needs a grid from 0 to {grids_count - 1}")
        start = grid_metrics(graph, amounts, grid, grids_count=grids_count)
        self._graph = graph
        self._open = open_graph
        self._held = np.ascontiguousarray(amounts, dtype=np.float64)
        self._perimeter = graph.perimeter_m
        self._amounts, self._blocks = start.amounts, start.blocks
        self._shape = np.column_stack([start.area_m2, start.perimeter_m])
        self._cut = np.array([start.cut_m])
        self._room = walking_room(graph.blocks_count)
        self.grid = np.array(grid, dtype=np.int64)

    def move(self, blocks: Ints, to: int) -> Stroke:
        """Give some blocks (b,) to one grid and return what changed; the cost depends on the touched grids only."""
        graph, near = self._graph, self._open
        sources = _move(
            *(graph.first, graph.neighbour, graph.border_m, graph.area_m2, self._perimeter, self._held),
            *(self.grid, self._amounts, self._blocks, self._shape, self._cut, np.asarray(blocks, np.int64), to),
        )
        touched = np.unique(np.append(sources, to))
        seeds = np.concatenate([_around(near.first, near.neighbour, np.asarray(blocks, np.int64)), blocks])
        pieces = _count_pieces(near.first, near.neighbour, self.grid, self._blocks, touched, seeds, *self._room)
        return Stroke(touched, pieces)

    def metrics(self) -> GridMetrics:
        """Return the numbers as they are now."""
        area_m2, perimeter_m = self._shape.T.copy()
        return GridMetrics(self._amounts.copy(), self._blocks.copy(), area_m2, perimeter_m, float(self._cut[0]))

    def of(self, grids: Ints) -> GridMetrics:
        """Return the numbers of some grids (t,)."""
        area_m2, perimeter_m = self._shape[grids].T
        return GridMetrics(self._amounts[grids], self._blocks[grids], area_m2, perimeter_m, float(self._cut[0]))


@njit(cache=True, nogil=True)
def _move(  # type: ignore[no-untyped-def]
    first,
    neighbour,
    border,
    area,
    perimeter,
    held,
    grid,
    amounts,
    grid_blocks,
    shape,
    cut,
    blocks,
    to,
):
    sources = np.empty(blocks.size, np.int64)
    for i in range(blocks.size):
        u = blocks[i]
        a = grid[u]
        sources[i] = a
        if a == to:
            continue
        with_a = with_b = 0.0
        for dart in range(first[u], first[u + 1]):
            g = grid[neighbour[dart]]
            if g == a:
                with_a += border[dart]
            elif g == to:
                with_b += border[dart]
        grid[u] = to
        grid_blocks[a] -= 1
        grid_blocks[to] += 1
        for q in range(held.shape[1]):
            amounts[a, q] -= held[u, q]
            amounts[to, q] += held[u, q]
        shape[a, 0] -= area[u]
        shape[to, 0] += area[u]
        shape[a, 1] += 2.0 * with_a - perimeter[u]
        shape[to, 1] += perimeter[u] - 2.0 * with_b
        cut[0] += with_a - with_b
    return sources


def _around(first: Ints, neighbour: Ints, blocks: Ints) -> Ints:
    """Return the neighbours of some blocks."""
    return np.concatenate([neighbour[first[u] : first[u + 1]] for u in blocks] or [np.empty(0, np.int64)])


@njit(cache=True, nogil=True)
def _count_pieces(first, neighbour, grid, grid_blocks, touched, seeds, marks, queue, stamp):  # type: ignore[no-untyped-def]
    """Return in how many pieces each touched grid is, where every piece that is new lies at one of the seeds.

    Pieces that were there before and touch no seed are found from the count of blocks: what no walk has met is walked
    through the whole city once.
    """
    pieces = np.zeros(touched.size, np.int64)
    for i in range(touched.size):
        g = touched[i]
        missing = grid_blocks[g]
        begun = stamp[0]
        for j in range(seeds.size):
            if missing == 0:
                break
            u = seeds[j]
            if grid[u] == g and marks[u] <= begun:
                missing -= walk(first, neighbour, grid, u, marks, queue, stamp)
                pieces[i] += 1
        u = 0
        while missing > 0:
            if grid[u] == g and marks[u] <= begun:
                missing -= walk(first, neighbour, grid, u, marks, queue, stamp)
                pieces[i] += 1
            u += 1
    return pieces
