"""Which block holds a place, exactly: on a common border always the same one."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gis.kernels.block_graph import Bools, Ints
from gis.plans.graph import Blocks
from gis.plans.plan import NONE, Plan


def block_of(blocks: Blocks, places: gpd.GeoDataFrame) -> Ints:
    """Return the position of the block that holds each place (p,), `NONE` outside all blocks or without a location.

    A line or an area is held by the block that holds a point on it. On a border it is the block with the lowest code.
    """
    shapes = places.to_crs(blocks.crs).geometry.to_numpy(dtype=object).copy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    extended = there & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    shapes[extended] = shapely.point_on_surface(shapes[extended])
    held = np.full(len(shapes), NONE)
    # Blocks are prepared when they ask for points. Written from the last to the first, the lowest code stays.
    block, point = shapely.STRtree(shapes).query(blocks.shapes, predicate="intersects")
    order = np.argsort(-block, kind="stable")
    held[point[order]] = block[order]
    return held


def grid_of(plan: Plan, block: Ints) -> Ints:
    """Return the position of the grid that holds each place (p,), from the block that does."""
    return np.append(plan.grid, NONE)[block]


def inside(block: Ints) -> Bools:
    """Return which places (p,) lie in any block."""
    return np.asarray(block != NONE)
