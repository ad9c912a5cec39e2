"""Invented blocks for plans: square lattices, and Voronoi cities with a lognormal load."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.spatial import Voronoi

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


def voronoi_city(n: int, seed: int) -> tuple[BlockGraph, np.ndarray, np.ndarray]:
    """Return the graph of n Voronoi blocks of mean area one, their households and their centres (n, 2).

    Households are lognormal around an urban gradient, about ten a block; one block in twenty has none.
    """
    rng = np.random.default_rng(seed)
    side = np.sqrt(n)
    centres = rng.uniform(0, side, (n, 2))
    for _ in range(2):
        centres = _centroids(centres, side)
    cells, ends, border = _cells(centres, side)
    away = np.hypot(*(centres - side / 2).T) / side
    load = np.round(rng.lognormal(0, 0.7, n) * (4 + 14 * np.exp(-((away / 0.35) ** 2))))
    load[rng.random(n) < 0.05] = 0
    area = shapely.area(cells)
    inner = np.bincount(ends.ravel(), np.repeat(border, 2), minlength=n)
    return block_graph(ends, border, np.maximum(shapely.length(cells) - inner, 0.0), area), load, centres


def voronoi_blocks(n: int, seed: int) -> np.ndarray:
    """Return the polygons (n,) of `voronoi_city`."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(n)
    centres = rng.uniform(0, side, (n, 2))
    for _ in range(2):
        centres = _centroids(centres, side)
    return _cells(centres, side)[0]


MARGIN = 6.0
"""Centres nearer to the edge than this, in mean sides, are mirrored: the edge becomes a border of cells."""


def _mirrored(centres: np.ndarray, side: float) -> Voronoi:
    x, y = centres.T
    flips = [
        (x, y, x > -1),
        (-x, y, x < MARGIN),
        (2 * side - x, y, x > side - MARGIN),
        (x, -y, y < MARGIN),
        (x, 2 * side - y, y > side - MARGIN),
    ]
    return Voronoi(np.concatenate([np.column_stack([a[near], b[near]]) for a, b, near in flips]))


def _centroids(centres: np.ndarray, side: float) -> np.ndarray:
    cells, _, _ = _cells(centres, side)
    return shapely.get_coordinates(shapely.centroid(cells))


def _cells(centres: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cells (n,) inside the square, the pairs that touch (m, 2) and their borders (m,)."""
    diagram = _mirrored(centres, side)
    n = len(centres)
    corners = diagram.vertices
    rings = [diagram.regions[diagram.point_region[i]] for i in range(n)]
    cells = shapely.polygons(
        shapely.linearrings(
            np.concatenate([corners[[*ring, ring[0]]] for ring in rings]),
            indices=np.repeat(np.arange(n), [len(ring) + 1 for ring in rings]),
        )
    )
    between = diagram.ridge_points
    inside = (between < n).all(axis=1)
    ridge = np.array(diagram.ridge_vertices)[inside]
    return cells, between[inside].astype(np.int64), np.hypot(*(corners[ridge[:, 0]] - corners[ridge[:, 1]]).T)


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
