"""Invented blocks for tests of plans: square lattices, and grids grown from random blocks."""

from __future__ import annotations

import numpy as np

from gis.kernels.block_graph import BlockGraph, block_graph


def square_lattice(columns: int, rows: int) -> BlockGraph:
    """Return unit squares, numbered row by row."""
    number = np.arange(columns * rows).reshape(rows, columns)
    ends = np.concatenate(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    outer = np.full(columns * rows, 4.0) - np.bincount(ends.ravel(), minlength=columns * rows)
    return block_graph(ends, np.ones(len(ends)), outer, np.ones(columns * rows))


def grown(graph: BlockGraph, grids_count: int, seed: int) -> np.ndarray:
    """Return a division (n,) into grids that hang together, grown from random blocks; however uneven."""
    rng = np.random.default_rng(seed)
    grid = np.full(graph.blocks_count, -1)
    grid[rng.choice(graph.blocks_count, grids_count, replace=False)] = np.arange(grids_count)
    while (free := np.flatnonzero(grid < 0)).size:
        block = rng.permutation(free)
        for u in block:
            near = grid[graph.neighbour[graph.first[u] : graph.first[u + 1]]]
            if (near >= 0).any():
                grid[u] = rng.choice(near[near >= 0])
    return grid
