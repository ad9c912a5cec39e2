"""Grids as a graph: which share a border, along how many metres, inside which part of the city."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gis.city.study_area import TOUCH_M
from gis.kernels.block_graph import BlockGraph, Ints, block_graph

LEAST_BORDER_M = 4 * TOUCH_M
"""Grids with less border than this touch at a corner only."""


def grid_graph(shapes: np.ndarray, region: Ints) -> tuple[BlockGraph, int]:
    """Return the graph of areas (n,) that share a border inside one region, and how many pieces were tied to another.

    Outlines need not match corner for corner: what runs within a metre of the other area is border. Where a region lies
    in pieces, each is tied to the nearest by a border of no length, so that every region hangs together.

    Parameters
    ----------
    shapes : (n,)
        Areas, in metres.
    region : (n,)
        Number of the part of the city that each lies in; no border crosses from one to another.
    """
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_M)
    once = (a < b) & (region[a] == region[b])
    a, b = a[once], b[once]
    around = shapely.buffer(shapes, TOUCH_M)
    length = shapely.length(shapely.intersection(shapely.boundary(shapes[a]), around[b]))
    kept = length >= LEAST_BORDER_M
    ends, border_m = np.column_stack([a[kept], b[kept]]), length[kept]
    area_m2 = shapely.area(shapes)
    ties = _ties(shapes, region, block_graph(ends, border_m, np.zeros(len(shapes)), area_m2))
    ends = np.concatenate([ends, ties])
    border_m = np.concatenate([border_m, np.zeros(len(ties))])
    shared = np.bincount(ends.ravel(), np.repeat(border_m, 2), minlength=len(shapes))
    outer = np.maximum(shapely.length(shapes) - shared, 0.0)
    return block_graph(ends, border_m, outer, area_m2), len(ties)


def _ties(shapes: np.ndarray, region: Ints, graph: BlockGraph) -> Ints:
    """Return the pairs (t, 2) that tie the pieces of each region together, the shortest gap first."""
    piece = graph.pieces(region)
    ties = []
    for r in np.unique(region):
        own = np.flatnonzero(region == r)
        main = own[piece[own] == np.bincount(piece[own]).argmax()]
        rest = np.setdiff1d(own, main)
        while rest.size:
            near, gap = shapely.STRtree(shapes[main]).query_nearest(
                shapes[rest], all_matches=False, return_distance=True
            )
            first = int(np.argmin(gap))
            u, v = int(rest[near[0, first]]), int(main[near[1, first]])
            ties.append((min(u, v), max(u, v)))
            joined = rest[piece[rest] == piece[u]]
            main, rest = np.concatenate([main, joined]), np.setdiff1d(rest, joined)
    return np.array(ties, dtype=np.int64).reshape(-1, 2)


def grids_at(shapes: np.ndarray, points: np.ndarray) -> Ints:
    """Return the area (k,) that each point (k, 2) lies in, -1 for none; of several that share a border, the first."""
    held = np.full(len(points), -1)
    shape, point = shapely.STRtree(shapely.points(points)).query(shapes, predicate="intersects")
    order = np.argsort(-shape, kind="stable")
    held[point[order]] = shape[order]
    return held


def inner_points(grids: gpd.GeoDataFrame) -> np.ndarray:
    """Return a point (n, 2) in each area: its centroid, or where that lies outside a point on it."""
    shapes = grids.geometry.to_numpy()
    centre = shapely.centroid(shapes)
    inside = shapely.intersects(shapes, centre)
    return np.asarray(shapely.get_coordinates(np.where(inside, centre, shapely.point_on_surface(shapes))))
