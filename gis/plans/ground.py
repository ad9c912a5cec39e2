"""What lies between blocks: water and roads that a grid does not reach across, and where borders are preferred."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.kernels.block_graph import Bools, Floats, Ints
from gis.plans.policy import Policy

ALONG_M = 2.0
"""A border runs along a road when its middle is at most this far from it."""
MOSTLY = 0.5
"""Share of a border, or of a block, from which it counts as along a road, or as water."""

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Water and roads, in metres.

    Attributes
    ----------
    water
        Areas; empty where water is no barrier.
    barrier_roads, preferred_roads
        Lines.
    preferred_weight
        What a metre of a preferred border counts.
    """

    water: Shapes
    barrier_roads: Shapes
    preferred_roads: Shapes
    preferred_weight: float


_NOTHING = np.empty(0, object)
NO_GROUND = Ground(_NOTHING, _NOTHING, _NOTHING, preferred_weight=1.0)


def ground_of(policy: Policy, *, water_areas: gpd.GeoDataFrame | None, segments: gpd.GeoDataFrame | None) -> Ground:
    """Return what the policy calls a barrier and a preferred border, of frames in metres."""

    def along(classes: tuple[str, ...]) -> Shapes:
        return _NOTHING if segments is None else segments.geometry[segments["road_class"].isin(classes)].to_numpy()

    water = _NOTHING if water_areas is None or not policy.water_is_barrier else water_areas.geometry.to_numpy()
    roads, preferred = along(policy.barrier_road_classes), along(policy.border_road_classes)
    return Ground(water, roads, preferred, policy.preferred_weight)


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """Borders between blocks, as pairs that touch.

    Attributes
    ----------
    ends : (m, 2)
        The smaller block first, rising.
    length_m : (m,)
    blocked_share, preferred_share : (m,)
        Of each border, along a road that is a barrier or in water; along a road where borders are preferred or in
        water.
    """

    ends: Ints
    length_m: Floats
    blocked_share: Floats
    preferred_share: Floats


def borders_between(shapes: Shapes, ground: Ground) -> Borders:
    """Return the borders of blocks (n,) that form a coverage: what two of them share, corner for corner."""
    pairs, middles, length = _shared_pieces(shapes)
    watery = _inside(middles, ground.water)
    blocked = watery | _along(middles, ground.barrier_roads)
    preferred = watery | _along(middles, ground.preferred_roads)
    n = len(shapes)
    key, pair = np.unique(pairs[:, 0] * n + pairs[:, 1], return_inverse=True)
    total = np.bincount(pair, length, minlength=key.size).astype(np.float64)
    shares = [
        np.divide(np.bincount(pair, length * part, minlength=key.size), total, out=np.zeros(key.size), where=total > 0)
        for part in (blocked, preferred)
    ]
    return Borders(np.column_stack([key // n, key % n]), total, *shares)


def water_blocks(shapes: Shapes, ground: Ground) -> Bools:
    """Return which blocks (n,) are mostly water."""
    covered = np.zeros(len(shapes))
    block, area = shapely.STRtree(ground.water).query(shapes, predicate="intersects")
    np.add.at(covered, block, shapely.area(shapely.intersection(shapes[block], ground.water[area])))
    return np.asarray(covered > MOSTLY * shapely.area(shapes))


def closed_borders(borders: Borders, communities: Shapes, watery: Bools) -> Bools:
    """Return which borders (m,) a grid does not reach across.

    Those between communities, those mostly along a barrier, and those of a water block, which nobody crosses: it keeps
    the longest border to one neighbour, so that it belongs to a grid but joins nothing.
    """
    ends = borders.ends
    closed = (communities[ends[:, 0]] != communities[ends[:, 1]]) | (borders.blocked_share > MOSTLY)
    wet = np.flatnonzero(watery[ends].any(axis=1) & (communities[ends[:, 0]] == communities[ends[:, 1]]))
    closed[wet] = True
    # To land rather than to other water, and then by length.
    order = wet[np.lexsort((-borders.length_m[wet], watery[ends[wet]].all(axis=1)))]
    joined = ~watery.copy()
    for border in order:
        if not joined[ends[border]].all():
            closed[border] = False
            joined[ends[border]] = True
    return np.asarray(closed, dtype=bool)


def _shared_pieces(shapes: Shapes) -> tuple[Ints, Shapes, Floats]:
    """Return the pairs (p, 2) of blocks that share a straight piece of border, its middle and its length."""
    rings, owner_of_ring = shapely.get_rings(shapes, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end, owner = xy[:-1][inside], xy[1:][inside], owner_of_ring[ring[:-1][inside]]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    piece = np.where(turned[:, None], np.hstack([end, start]), np.hstack([start, end]))
    order = np.lexsort((owner, *piece.T))
    piece, owner = piece[order], owner[order]
    same = np.flatnonzero((piece[1:] == piece[:-1]).all(axis=1) & (owner[1:] != owner[:-1]))
    pairs = np.column_stack([owner[same], owner[same + 1]])
    length = np.hypot(*(piece[same, 2:] - piece[same, :2]).T)
    return pairs, shapely.points((piece[same, :2] + piece[same, 2:]) / 2), length


def _inside(points: Shapes, areas: Shapes) -> Bools:
    found = np.zeros(len(points), bool)
    found[shapely.STRtree(points).query(areas, predicate="contains")[1]] = True
    return found


def _along(points: Shapes, lines: Shapes) -> Bools:
    found = np.zeros(len(points), bool)
    found[shapely.STRtree(lines).query(points, predicate="dwithin", distance=ALONG_M)[0]] = True
    return found
