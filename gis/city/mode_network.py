"""The streets of a city for one mode of travel: which are open to it, how long each takes, how they hang together."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from gis.city.street_network import Bools, StreetNetwork, street_network
from gis.city.travel_policy import Mode, TravelPolicy
from gis.errors import InvalidParams, Problem
from gis.kernels.reach import Floats, Ints, build_graph, cheapest_arcs

KMH = 1 / 3.6
"""A kilometre an hour in metres a second."""
_READ = ("road_class", "access", "oneway", "speed_kmh", "from_node", "to_node", "level")
_MOST_KEPT = 6


@dataclass(frozen=True, slots=True)
class Connection:
    """How a network hangs together.

    Attributes
    ----------
    nodes_count, arcs_count, parallel_count
        Junctions and street ends; arcs from one to the next, both directions counted, without loops; and how many of
        them are useless beside a quicker arc between the same nodes.
    strong_count, weak_count
        Parts within which one gets from everywhere to everywhere, and parts that have any link at all.
    largest_share
        Share of the nodes in the largest strong part; places are put onto streets of it only.
    outside_m
        Length of the usable streets outside of it.
    oneway_share
        Share of the arcs between two nodes that have no arc back.
    """

    nodes_count: int
    arcs_count: int
    parallel_count: int
    strong_count: int
    weak_count: int
    largest_share: float
    outside_m: float
    oneway_share: float


@dataclass(frozen=True, slots=True, eq=False)
class EdgeIndex:
    """Edges of a network to look for the nearest in."""

    edge: Ints
    lines: np.ndarray
    tree: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", shapely.STRtree(self.lines))

    def nearest(self, points: np.ndarray, limit_m: float) -> tuple[Ints, Floats, Floats]:
        """Return for each point (k, 2) the nearest edge, metres along it and away from it; -1, 0 and inf beyond.

        Of edges that are equally near, the first.
        """
        edge, along, away = np.full(len(points), -1), np.zeros(len(points)), np.full(len(points), np.inf)
        finite = np.flatnonzero(np.isfinite(points).all(axis=1))
        if not len(self.edge) or not len(finite):
            return edge, along, away
        places, inverse = np.unique(points[finite], axis=0, return_inverse=True)
        shapes = shapely.points(places)
        pairs, distance = self.tree.query_nearest(shapes, max_distance=limit_m, return_distance=True)
        # Sorted by place, then by line: the first of each place is the one to take.
        order = np.lexsort((pairs[1], pairs[0]))
        place, at = np.unique(pairs[0][order], return_index=True)
        line = pairs[1][order][at]
        one = np.full(len(places), -1)
        one[place] = np.arange(len(place))
        one = one[inverse]
        hit = one >= 0
        edge[finite[hit]] = self.edge[line][one[hit]]
        along[finite[hit]] = shapely.line_locate_point(self.lines[line], shapes[place])[one[hit]]
        away[finite[hit]] = distance[order][at][one[hit]]
        return edge, along, away


@dataclass(frozen=True, slots=True, eq=False)
class ModeNetwork:
    """The streets of a city for one mode, at free flow.

    Attributes
    ----------
    network
        All edges, m of them, those that the mode may not use too.
    ends : (m, 2)
        Nodes of the graph at both ends of each edge; 0 where the mode may not use it.
    along_s, against_s : (m,)
        Seconds over the whole edge in its direction and against it, inf where the mode may not go.
    graph
        Sparse matrix of seconds (n, n).
    arc_edge, arc_against : (a,)
        The edge of each entry of the graph, in its order, and whether it is passed against its direction.
    inside, outside
        The usable edges in the largest strong part, and all others.
    segments_count
        Segments that the mode may use.
    odd_limit_count
        Segments that name a speed out of the range in which it is believed.
    """

    network: StreetNetwork
    ends: Ints
    along_s: Floats
    against_s: Floats
    graph: sparse.csr_array
    arc_edge: Ints
    arc_against: Bools
    inside: EdgeIndex
    outside: EdgeIndex
    connection: Connection
    segments_count: int
    odd_limit_count: int

    def turned(self) -> ModeNetwork:
        """Return the network with every street the other way round: its ways from b to a are those from a to b here."""
        n = len(self.arc_edge)
        # The transpose of the numbers of the entries tells where each has gone.
        number = sparse.csr_array((np.arange(n), self.graph.indices, self.graph.indptr), shape=self.graph.shape)
        place = number.T.tocsr().data
        return replace(
            self,
            along_s=self.against_s,
            against_s=self.along_s,
            graph=self.graph.T.tocsr(),
            arc_edge=self.arc_edge[place],
            arc_against=~self.arc_against[place],
        )


def mode_network(segments: gpd.GeoDataFrame, mode: Mode, policy: TravelPolicy) -> ModeNetwork:
    """Return the streets of the frame ``segments``, in metres, for one mode; the last few are kept.

    Raises
    ------
    InvalidParams
        There is no street that the mode may use.
    """
    return _KEPT.get(segments, mode, policy)


def _built(segments: gpd.GeoDataFrame, mode: Mode, policy: TravelPolicy) -> ModeNetwork:
    kmh, odd_limit_count = _speeds(segments, mode, policy)
    network = street_network(segments)
    row = network.edge_segment
    length_m = network.graph.length_m
    usable = np.isfinite(kmh)[row]
    edges = np.flatnonzero(usable)
    if not len(edges):
        raise InvalidParams("no street to travel on", [Problem("no_streets", f"no street is open to '{mode}'", "mode")])
    oneway = policy.of(mode).obeys_oneway & _column(segments, "oneway", default=False).to_numpy(bool)[row]
    along_s = np.full(len(row), np.inf)
    along_s[edges] = length_m[edges] / (kmh[row[edges]] * KMH)
    against_s = np.where(oneway, np.inf, along_s)
    nodes, numbers = np.unique(network.graph.ends[edges], return_inverse=True)
    ends = np.zeros((len(row), 2), np.int64)
    ends[edges] = numbers.reshape(-1, 2)
    tail, head = ends[edges].T.ravel(), ends[edges][:, ::-1].T.ravel()
    seconds = np.concatenate([along_s[edges], against_s[edges]])
    kept = cheapest_arcs(tail, head, seconds)
    graph = build_graph(tail, head, seconds, n_nodes=len(nodes))
    strong_count, strong = csgraph.connected_components(graph, connection="strong")
    sizes = np.bincount(strong)
    is_inside = (strong[ends[edges]] == np.argmax(sizes)).all(axis=1)
    arcs_count = int(((tail != head) & (seconds < np.inf)).sum())
    key, back = tail[kept] * len(nodes) + head[kept], head[kept] * len(nodes) + tail[kept]
    connection = Connection(
        nodes_count=len(nodes),
        arcs_count=arcs_count,
        parallel_count=arcs_count - len(kept),
        strong_count=int(strong_count),
        weak_count=int(csgraph.connected_components(graph, connection="weak", return_labels=False)),
        largest_share=float(sizes.max() / len(nodes)),
        outside_m=float(length_m[edges[~is_inside]].sum()),
        oneway_share=1 - float(np.isin(key, back).mean()) if len(kept) else 0.0,
    )
    lines = network.pieces(edges, np.zeros(len(edges)), length_m[edges])
    return ModeNetwork(
        network,
        ends,
        along_s,
        against_s,
        graph,
        edges[kept % len(edges)],
        kept >= len(edges),
        EdgeIndex(edges[is_inside], lines[is_inside]),
        EdgeIndex(edges[~is_inside], lines[~is_inside]),
        connection,
        int(np.unique(row[edges]).size),
        odd_limit_count,
    )


def _speeds(segments: gpd.GeoDataFrame, mode: Mode, policy: TravelPolicy) -> tuple[Floats, int]:
    """Return the speed in km/h on each row (r,), NaN where the mode may not go, and the count of odd limits."""
    rules = policy.of(mode)
    kmh = _column(segments, "road_class", default="local").map(dict(rules.speed_kmh)).to_numpy(float, copy=True)
    kmh[~_column(segments, "access", default="open").isin(rules.access).to_numpy(bool)] = np.nan
    if not rules.takes_limit or "speed_kmh" not in segments:
        return kmh, 0
    limit = segments["speed_kmh"].to_numpy(float, na_value=np.nan)
    told = np.isfinite(limit) & np.isfinite(kmh)
    believed = np.clip(limit, policy.least_kmh, policy.most_kmh)
    return np.where(told, believed, kmh), int((told & (believed != limit)).sum())


def _column(segments: gpd.GeoDataFrame, name: str, *, default: object) -> pd.Series:
    """Return a column without gaps, also where the frame has none."""
    if name not in segments:
        return pd.Series(default, index=segments.index)
    return segments[name].fillna(default)


class _Kept:
    """The networks built last, found again by what they were built from."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._found: list[tuple[tuple[bytes, Mode], TravelPolicy, ModeNetwork]] = []
        self._lock = threading.Lock()

    def get(self, segments: gpd.GeoDataFrame, mode: Mode, policy: TravelPolicy) -> ModeNetwork:
        key = (_content(segments), mode)
        with self._lock:
            for entry in self._found:
                if entry[0] == key and entry[1] == policy:
                    self._found.remove(entry)
                    self._found.append(entry)
                    return entry[2]
        built = _built(segments, mode, policy)
        with self._lock:
            self._found = [*self._found[1 - self.most :], (key, policy, built)]
        return built


def _content(segments: gpd.GeoDataFrame) -> bytes:
    """Return a digest of what a network is built from; some milliseconds where building takes a second."""
    shapes = segments.geometry.to_numpy()
    parts, row = shapely.get_parts(shapes, return_index=True)
    xy, part = shapely.get_coordinates(parts, return_index=True)
    columns = segments[[name for name in _READ if name in segments]]
    told = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    total = blake2b(repr((len(shapes), *columns.columns)).encode())
    for values in (xy, part, row, told):
        total.update(np.ascontiguousarray(values).data)
    return total.digest()


_KEPT: Final = _Kept(_MOST_KEPT)
