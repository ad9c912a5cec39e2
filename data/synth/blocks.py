"""Blocks: what each is used for, how many households it has, and which blocks touch across which road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import sparse

from data.synth import drawing
from data.synth.ground import place, to_degrees
from data.synth.network import MIN_SIDE_M, Network

HOUSEHOLDS = 244_000
"""Of the whole demo city: about 300 for each of some 810 comprehensive grids."""
MOST_HOUSEHOLDS = 640
RESIDENTS_PER_HOUSEHOLD = 2.65
SMALLEST_M2 = 3000.0
LIVING = {"": 1.0, "water": 0.0, "park": 0.0, "campus": 0.02, "industry": 0.0, "mall": 0.0, "hospital": 0.0}
CROSSING = {"path": 1.0, "local": 1.0, "secondary": 1.6, "main": 4.0}
"""How much a border along a road of this class keeps two blocks apart."""
WATER_CROSSING = 6.0


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks (n,) and their neighbours.

    Attributes
    ----------
    areas
        Polygons in EPSG:4326, rounded to 1e-7 degrees: a valid coverage.
    metres
        The same before the conversion, EPSG:4549.
    middles : (n, 2)
        A point inside each block, EPSG:4549.
    uses
        Land use: ``""`` is living, the others are single uses.
    graph : (n, n) sparse
        How far apart two neighbours are, in metres times the `CROSSING` of their border; zero where they do not touch.
    """

    areas: np.ndarray
    metres: np.ndarray
    middles: np.ndarray
    uses: np.ndarray
    households: np.ndarray
    residents: np.ndarray
    graph: sparse.csr_array


def build(network: Network, rng: np.random.Generator) -> Blocks:
    """Join slivers to their neighbours, give every block a use and its households."""
    metres, uses = _join_slivers(network.blocks, network.uses)
    middles = shapely.get_coordinates(shapely.point_on_surface(metres))
    households = _households(metres, middles, uses, rng)
    residents = np.round(households * RESIDENTS_PER_HOUSEHOLD * rng.normal(1, 0.08, len(households))).astype(int)
    return Blocks(
        to_degrees(metres), metres, middles, uses, households, residents, _graph(metres, middles, uses, network)
    )


def shared_borders(areas: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the pairs of areas (m, 2) that share a piece of border, the pieces (m, 4) and their lengths (m,)."""
    rings, ring_area = shapely.get_rings(areas, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inside = ring[1:] == ring[:-1]
    start, end, owner = xy[:-1][inside], xy[1:][inside], ring_area[ring[:-1][inside]]
    turned = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    piece = np.where(turned[:, None], np.hstack([end, start]), np.hstack([start, end]))
    order = np.lexsort((owner, *piece.T))
    piece, owner = piece[order], owner[order]
    same = np.flatnonzero((piece[1:] == piece[:-1]).all(axis=1))
    length = np.hypot(*(piece[same, 2:] - piece[same, :2]).T)
    return np.column_stack([owner[same], owner[same + 1]]), piece[same], length


def _join_slivers(areas: np.ndarray, uses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    areas, uses = areas.copy(), uses.copy()
    while True:
        size = shapely.area(areas)
        thin = (uses != "water") & (4 * size / shapely.length(areas) < 0.6 * MIN_SIDE_M)
        small = np.flatnonzero((size < SMALLEST_M2) | thin)
        if len(small) == 0:
            return areas, uses
        sliver = small[np.argmin(size[small])]
        pairs, _, length = shared_borders(areas)
        mine = (pairs == sliver).any(axis=1)
        other = np.where(pairs[mine, 0] == sliver, pairs[mine, 1], pairs[mine, 0])
        wet = np.where(uses[other] == uses[sliver], 1.0, np.where(uses[other] == "water", 0.01, 0.9))
        into = np.argmax(np.bincount(other, weights=length[mine] * wet, minlength=len(areas)))
        areas[into] = shapely.coverage_union(areas[into], areas[sliver])
        areas, uses = np.delete(areas, sliver), np.delete(uses, sliver)


def _households(areas: np.ndarray, middles: np.ndarray, uses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return households: dense in and around the old town, a lognormal spread between neighbours."""
    town = drawing.moat(0.0).centroid
    away = np.hypot(middles[:, 0] - town.x, middles[:, 1] - town.y)
    density = 14 + 52 * np.exp(-((away / 3400) ** 2))
    # A second, smaller centre keeps the north-west from being one even carpet.
    for s, t, more, reach in SUBCENTRES:
        x, y = place(s, t)[0]
        density += more * np.exp(-(((middles[:, 0] - x) ** 2 + (middles[:, 1] - y) ** 2) / reach**2))
    living = np.vectorize(LIVING.__getitem__)(uses)
    shop_streets = np.hypot(*(middles - place(40, 260)[0]).T) < SHOPPING_M
    living[shop_streets & (uses == "")] = 0.15
    raw = density * shapely.area(areas) * living * rng.lognormal(0, 0.5, len(areas))
    counts = raw * HOUSEHOLDS / raw.sum()
    for _ in range(20):
        counts = np.minimum(counts, MOST_HOUSEHOLDS)
        counts *= HOUSEHOLDS / counts.sum()
    return np.asarray(np.round(np.minimum(counts, MOST_HOUSEHOLDS)), dtype=int)


SUBCENTRES = ((-7900, 3900, 26.0, 1400.0), (-3200, -5000, 22.0, 1300.0), (-1200, 4300, 20.0, 1200.0))
SHOPPING_M = 330.0


def _graph(areas: np.ndarray, middles: np.ndarray, uses: np.ndarray, network: Network) -> sparse.csr_array:
    pairs, piece, length = shared_borders(areas)
    classes = np.array([r.road_class for r in network.roads], dtype=object)[network.road_of_edge]
    halfway = shapely.points((piece[:, :2] + piece[:, 2:]) / 2)
    nearest, away = shapely.STRtree(network.edges).query_nearest(halfway, return_distance=True, all_matches=False)
    factor = np.vectorize(CROSSING.__getitem__)(classes[nearest[1]]).astype(float)
    factor[nearest[0][away > 1.0]] = 1.0
    factor = np.where((uses[pairs] == "water").any(axis=1), WATER_CROSSING, factor)
    # The longest piece of a border says what it is.
    order = np.lexsort((length, pairs[:, 1], pairs[:, 0]))
    pairs, factor = pairs[order], factor[order]
    last = np.append((pairs[1:] != pairs[:-1]).any(axis=1), True)
    pairs, factor = pairs[last], factor[last]
    cost = np.hypot(*(middles[pairs[:, 0]] - middles[pairs[:, 1]]).T) * factor
    n = len(areas)
    half = sparse.csr_array((cost, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return sparse.csr_array(half + half.T)
