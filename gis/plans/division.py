"""Blocks that hang together, divided into grids from nothing: METIS, then annealing; small ones exactly.

METIS: Karypis and Kumar (1998), SIAM Journal on Scientific Computing 20(1), 359-392.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pymetis

from gis.errors import Infeasible
from gis.kernels.annealing import Schedule, anneal
from gis.kernels.block_graph import BlockGraph, Floats, Ints
from gis.kernels.exact_partition import MOST_EXACT_BLOCKS, cheapest_plan, most_even, shortest_cut
from gis.kernels.plan_objective import Band, Weights
from gis.kernels.recombination import recombine
from gis.kernels.repair import in_one_piece

ROOM = 0.01
"""Annealing aims at a band that is narrower by this share, since whole blocks never fit exactly."""
METIS_SLACK = 90
"""Thousandths by which a grid may exceed the mean: annealing wants room below the usual ten per cent."""
_CENTI = 100.0
"""METIS takes whole numbers: borders in hundredths of a mean side, loads so that the smallest differences show."""


def divided(
    graph: BlockGraph,
    load: Floats,
    grids_count: int,
    *,
    band: Band,
    weights: Weights,
    schedule: Schedule,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Ints:
    """Return a division (n,) of blocks that hang together into grids in one piece each.

    Raises
    ------
    Infeasible
        There are more grids than blocks.
    """
    start = rough(graph, load, grids_count, seed=seed)
    if grids_count == 1:
        return start
    small = graph.blocks_count <= MOST_EXACT_BLOCKS
    account = {"grids_count": grids_count, "band": band if small else band.narrowed(ROOM), "weights": weights}
    grid = anneal(graph, load, start, schedule=schedule, seed=seed, progress=progress, **account).grid  # type: ignore[arg-type]
    outside = ~band.holds(np.bincount(grid, load, minlength=grids_count).astype(float))
    if small or outside.any():
        only = None if small else outside
        grid = recombine(graph, load, grid, only=only, seed=seed, **account).grid  # type: ignore[arg-type]
    if not small:
        return grid
    best = cheapest_plan(graph, load, known=grid, **account)  # type: ignore[arg-type]
    if best is None and not band.holds(np.bincount(grid, load).astype(float)).all():
        # Few large grids are looked through one by one rather than listed.
        best = shortest_cut(graph, load, grids_count, least=band.least, most=band.most).grid
    return grid if best is None else best


def rough(graph: BlockGraph, load: Floats, grids_count: int, *, seed: int = 0) -> Ints:
    """Return a first division (n,) into grids in one piece each, none of them empty; evenness is only tried for."""
    n = graph.blocks_count
    if grids_count > n:
        raise Infeasible(
            f"{n} blocks cannot be divided into {grids_count} grids",
            zh=f"{n} 个单元网格无法划分为 {grids_count} 个网格",
        )
    if grids_count == n:
        return np.arange(n)
    grid = np.zeros(n, np.int64) if grids_count == 1 else _metis(graph, load, grids_count, seed=seed)
    while True:
        grid = in_one_piece(graph, load, grid)
        sizes = np.bincount(grid, minlength=grids_count)
        empty = np.flatnonzero(sizes == 0)
        if not empty.size:
            return grid
        # METIS leaves grids empty where there are few blocks for each: the heaviest others are split.
        heavy = np.where(sizes > 1, np.bincount(grid, load, minlength=grids_count) + sizes * 1e-9, -1.0)
        blocks = np.flatnonzero(grid == heavy.argmax())
        grid[blocks[in_two(graph.part(blocks), load[blocks], seed=seed) == 1]] = empty[0]


def in_two(graph: BlockGraph, load: Floats, *, seed: int = 0) -> Ints:
    """Return blocks that hang together (n,), at least two, as two halves that do so, too, as even as can be."""
    if graph.blocks_count <= MOST_EXACT_BLOCKS:
        found = most_even(graph, load, 2).grid
        if found is not None:
            return found
    start = in_one_piece(graph, load, _metis(graph, load, 2, seed=seed))
    half = max(float(load.sum()) / 2, 1e-9)
    evenly = Weights(cut=0.3, spread=50.0, band=0.0)
    return recombine(graph, load, start, grids_count=2, band=Band(half, half, half), weights=evenly, seed=seed).grid


def _metis(graph: BlockGraph, load: Floats, grids_count: int, *, seed: int) -> Ints:
    whole = np.round(load * max(1.0, 1e6 / max(float(load.sum()), 1e-9))) if load.max(initial=0) < _CENTI else load
    border = np.maximum(1, np.round(_CENTI * graph.border_m / graph.side_m))
    _, part = pymetis.part_graph(
        grids_count,
        pymetis.CSRAdjacency(graph.first, graph.neighbour),
        vweights=np.round(whole).astype(np.int64),
        eweights=border.astype(np.int64),
        recursive=False,
        options=pymetis.Options(contig=1, ufactor=METIS_SLACK, seed=seed),
    )
    return np.asarray(part, dtype=np.int64)
