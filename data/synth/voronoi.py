"""Cities of Voronoi blocks with a lognormal load, for whatever redraws grids: of any size, and nothing but blocks.

Households are lognormal around an urban gradient, about ten a block; one block in twenty has none. Blocks are cells
of points that were evened out twice (Lloyd), so that they look like blocks rather than like splinters.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import Voronoi

from gis.kernels.block_graph import BlockGraph, block_graph

CRS = "EPSG:4549"
SIDE_M = 100.0
"""Side of the mean block of a city in metres."""
CORNER = np.array([550_000.0, 3_460_000.0])
EMPTY_SHARE = 0.05
"""Of the blocks: parks, water, works."""


def voronoi_city(n: int, seed: int) -> tuple[BlockGraph, np.ndarray, np.ndarray]:
    """Return the graph of n blocks of mean area one, their households (n,) and their centres (n, 2)."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(n)
    centres = rng.uniform(0, side, (n, 2))
    for _ in range(2):
        centres = _centroids(centres, side)
    cells, ends, border = _cells(centres, side)
    away = np.hypot(*(centres - side / 2).T) / side
    load = np.round(rng.lognormal(0, 0.7, n) * (4 + 14 * np.exp(-((away / 0.35) ** 2))))
    load[rng.random(n) < EMPTY_SHARE] = 0
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
    return np.asarray(shapely.get_coordinates(shapely.centroid(cells)))


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


def block_frame(n: int, seed: int, *, communities: int = 1) -> gpd.GeoDataFrame:
    """Return n Voronoi blocks of about a hectare; communities are vertical strips of them."""
    shapes = shapely.transform(voronoi_blocks(n, seed), lambda xy: np.round(CORNER + xy * SIDE_M, 3))
    _, load, centres = voronoi_city(n, seed)
    strip = np.minimum((centres[:, 0] / np.sqrt(n) * communities).astype(int), communities - 1)
    return gpd.GeoDataFrame(
        {
            "source_id": [f"B{i:06d}" for i in range(n)],
            "code": [f"B{i:06d}" for i in range(n)],
            "community_code": [f"3205080170{c + 1:02d}" for c in strip],
            "grid_code": None,
            "households_count": load.astype(int),
            "residents_count": (load * 2.6).astype(int),
        },
        geometry=shapes,
        crs=CRS,
    )
