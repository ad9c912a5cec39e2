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
from data.synth.drawing import Road
from data.synth.ground import to_degrees
from data.synth.network import Network

SPEEDS_KMH = {"main": (50.0, 60.0, 60.0, 70.0), "secondary": (40.0, 40.0, 50.0), "local": (30.0,)}
"""What signs say, one drawn a street; a path has none."""
OLD_TOWN_LOCAL_KMH = 20.0
ONEWAY_SHARE = {"local": 0.22, "secondary": 0.14}
OLD_TOWN_ONEWAY_SHARE = 0.4
"""Of whole streets; where a junction could no longer be reached or left, a piece stays open both ways."""
NO_MOTOR_SHARE, WALK_ONLY_SHARE = 0.05, 0.03
"""Of the old town's local streets."""
CLOSED_COUNT = 6
POND_SHARE = 0.5


def segments(network: Network, wet: shapely.Geometry, rng: np.random.Generator) -> tuple[gpd.GeoDataFrame, np.ndarray]:
    """Return the street segments, and the edge of the network that each one is.

    Parameters
    ----------
    wet
        Water in metres: a street over it is a bridge.
    """
    lines = to_degrees(network.edges)
    start, end, nodes = _ends(lines)
    _, piece = csgraph.connected_components(_graph(start, end, nodes), directed=False)
    kept = np.flatnonzero((piece[start] == np.bincount(piece).argmax()) & (start != end))
    lines, edges, start, end, road = (
        lines[kept],
        network.edges[kept],
        start[kept],
        end[kept],
        network.road_of_edge[kept],
    )
    roads = [network.roads[i] for i in road]
    classes = np.array([r.road_class for r in roads])
    old_town = shapely.contains(drawing.moat(0.0), shapely.centroid(edges))
    access = _access(old_town & (classes == "local"), classes, road, (start, end, nodes), rng)
    motor = (access == "open") & (classes != "path")
    share = np.array([ONEWAY_SHARE.get(c, 0.0) for c in classes])
    share[old_town & (classes == "local")] = OLD_TOWN_ONEWAY_SHARE
    wanted, against = _one_way_streets(network.roads, share, road, edges, rng)
    wanted &= motor
    lines = np.where(wanted & against, shapely.reverse(lines), lines)
    start, end = np.where(wanted & against, end, start), np.where(wanted & against, start, end)
    table = pd.DataFrame(
        {
            "source_id": [f"S{i:05d}" for i in range(1, len(kept) + 1)],
            "road_class": classes,
            "name_zh": [r.name_zh for r in roads],
            "name_en": [r.name_en for r in roads],
            "oneway": _oneway(wanted, motor, start, end, nodes),
            "speed_kmh": _speeds(classes, old_town, road, rng),
            "from_node": [f"N{i:05d}" for i in start],
            "to_node": [f"N{i:05d}" for i in end],
            "level": shapely.crosses(edges, wet).astype(np.int64),
            "access": access,
        }
    )
    return frame(table, lines), kept


def _one_way_streets(
    roads: list[Road], share: np.ndarray, road: np.ndarray, edges: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which segments (m,) belong to a street that is one-way, and which of all run against its direction.

    Parameters
    ----------
    share : (m,)
        How many streets like this one are one-way.
    """
    lot, backwards = rng.random(len(roads))[road], rng.integers(0, 2, len(roads))[road] == 1
    whole = np.array([roads[i].line for i in road], dtype=object)
    at = [shapely.line_locate_point(whole, shapely.get_point(edges, i)) for i in (0, -1)]
    return lot < share, (at[0] > at[1]) != backwards


def _speeds(classes: np.ndarray, old_town: np.ndarray, road: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.random(road.max() + 1)[road]
    speed = np.full(len(classes), np.nan)
    for name, values in SPEEDS_KMH.items():
        mine = classes == name
        speed[mine] = np.array(values)[(drawn[mine] * len(values)).astype(int)]
    speed[old_town & (classes == "local")] = OLD_TOWN_LOCAL_KMH
    return speed


def _access(
    narrow: np.ndarray,
    classes: np.ndarray,
    road: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray, int],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return who may pass each segment (m,): some narrow streets are for feet and bicycles, a few pieces are closed.

    What is left to motor vehicles, and what is left to walk, both stay one network.
    """
    lot = rng.random(road.max() + 1)[road]
    access = np.full(len(classes), "open", dtype=object)
    access[narrow & (lot < NO_MOTOR_SHARE + WALK_ONLY_SHARE)] = "no_motor"
    access[narrow & (lot < WALK_ONLY_SHARE)] = "walk_only"
    works = rng.choice(np.flatnonzero((access == "open") & (classes == "local")), CLOSED_COUNT, replace=False)
    access[works] = "closed"
    access[_cut_off(access != "closed", ends) & (access == "closed")] = "open"
    while True:
        motor = (access == "open") & (classes != "path")
        wrong = _cut_off(motor, ends) & (access != "open")
        if not wrong.any():
            return access
        access[wrong] = "open"


def _cut_off(used: np.ndarray, ends: tuple[np.ndarray, np.ndarray, int]) -> np.ndarray:
    """Return which segments (m,) touch a part of the used ones that hangs together with few others only."""
    start, end, nodes = ends
    _, piece = csgraph.connected_components(_graph(start[used], end[used], nodes), directed=False)
    apart = np.zeros(nodes, dtype=bool)
    apart[np.append(start[used], end[used])] = True
    apart &= piece != np.bincount(piece[start[used]]).argmax()
    return np.asarray(apart[start] | apart[end])


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


def _oneway(wanted: np.ndarray, motor: np.ndarray, start: np.ndarray, end: np.ndarray, nodes: int) -> np.ndarray:
    """Return which segments are one-way: those wanted, less any that would cut off a corner where motors drive."""
    oneway = wanted.copy()
    while True:
        ahead, back = motor, motor & ~oneway
        graph = _graph(np.append(start[ahead], end[back]), np.append(end[ahead], start[back]), nodes)
        _, piece = csgraph.connected_components(graph, directed=True, connection="strong")
        main = np.bincount(piece[start[motor]]).argmax()
        cut_off = oneway & ((piece[start] != main) | (piece[end] != main))
        if not cut_off.any():
            return oneway
        oneway &= ~cut_off
