"""Street segments and water as frames: connected, some one-way, every corner shared with the blocks."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.synth import drawing
from data.synth.areas import frame
from data.synth.blocks import Blocks
from data.synth.ground import to_degrees
from data.synth.network import Network

SPEED_KMH = {"main": 60.0, "secondary": 40.0, "local": 30.0, "path": 5.0}
ONEWAY_SHARE = 0.12
POND_SHARE = 0.5


def segments(network: Network, rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return the street segments, and the edge of the network that each one is."""
    lines = to_degrees(network.edges)
    start, end, nodes = _ends(lines)
    _, piece = csgraph.connected_components(_graph(start, end, nodes), directed=False)
    kept = np.flatnonzero((piece[start] == np.bincount(piece).argmax()) & (start != end))
    roads = [network.roads[i] for i in network.road_of_edge[kept]]
    classes = np.array([r.road_class for r in roads])
    old_town = shapely.contains(drawing.moat(0.0), shapely.centroid(network.edges[kept]))
    narrow = old_town & (classes == "local") & (rng.random(len(kept)) < ONEWAY_SHARE)
    table = pd.DataFrame(
        {
            "source_id": [f"S{i:05d}" for i in range(1, len(kept) + 1)],
            "road_class": classes,
            "name_zh": [r.name_zh for r in roads],
            "name_en": [r.name_en for r in roads],
            "oneway": _oneway(narrow, start[kept], end[kept], nodes),
            "speed_kmh": [SPEED_KMH[c] for c in classes],
        }
    )
    return frame(table, lines[kept]), kept


def water_areas(network: Network, blocks: Blocks, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return moat, canals, the lake and the ponds of parks."""
    names, shapes = [(zh, en) for zh, en, _ in network.water], [area for _, _, area in network.water]
    for park in blocks.metres[blocks.uses == "park"]:
        inset = 0.3 * np.sqrt(park.area)
        pond = park.buffer(-inset).buffer(inset * 0.45)
        dry = shapely.Point(0, 0) if pond.is_empty else pond
        if rng.random() < POND_SHARE and not any(dry.intersects(area) for area in shapes):
            names.append(("池塘", "Pond"))
            shapes.append(dry)
    areas = to_degrees(shapely.simplify(np.array(shapes, dtype=object), 0.3))
    table = pd.DataFrame(names, columns=["name_zh", "name_en"])
    table.insert(0, "source_id", [f"W{i:03d}" for i in range(1, len(table) + 1)])
    return frame(table, areas)


def _ends(lines: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the numbers of the first and last corner of every line, and how many corners there are."""
    ends = np.vstack(
        [shapely.get_coordinates(shapely.get_point(lines, 0)), shapely.get_coordinates(shapely.get_point(lines, -1))]
    )
    corners, number = np.unique(ends, axis=0, return_inverse=True)
    number = number.ravel()
    return number[: len(lines)], number[len(lines) :], len(corners)


def _graph(start: np.ndarray, end: np.ndarray, nodes: int) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(start)), (start, end)), shape=(nodes, nodes))


def _oneway(wanted: np.ndarray, start: np.ndarray, end: np.ndarray, nodes: int) -> np.ndarray:
    """Return which segments are one-way: those wanted, less any that would cut a corner off from the others."""
    oneway = wanted.copy()
    while True:
        back = ~oneway
        graph = _graph(np.append(start, end[back]), np.append(end, start[back]), nodes)
        _, piece = csgraph.connected_components(graph, directed=True, connection="strong")
        main = np.bincount(piece[start]).argmax()
        cut_off = oneway & ((piece[start] != main) | (piece[end] != main))
        if not cut_off.any():
            return oneway
        oneway &= ~cut_off
