"""The streets of a city as a graph: where they meet, what lies nearest to a place, and pieces of them as lines."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.kernels.street_graph import Floats, Ints, StreetGraph, linked

Bools = NDArray[np.bool_]

NODE_M = 0.5
"""Street ends nearer than this meet, and so does an end with the middle of another street."""
NUMBER_M = 10.0
"""Ends farther apart than this are no one node, whatever number they say: two sources number alike."""
_SAME_M = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class StreetNetwork:
    """Lines, cut into edges where streets meet.

    Attributes
    ----------
    lines : (p,)
        Line strings; the parts of a street with several follow one another.
    segment : (p,)
        Row of the frame that each line comes from.
    graph
        Edges in the order of the lines, each in its line's direction.
    line : (m,)
        The line on which each edge lies.
    from_m, to_m : (m,)
        From where to where on it.
    """

    lines: np.ndarray
    segment: Ints
    graph: StreetGraph
    line: Ints
    from_m: Floats
    to_m: Floats
    _corners: _Corners = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_corners", _Corners.of(self.lines))

    @property
    def edge_segment(self) -> Ints:
        """Row of the frame (m,) on which each edge lies."""
        return self.segment[self.line]

    def nearest(self, points: np.ndarray, limit_m: float) -> tuple[Ints, Floats]:
        """Return the edge (n,) nearest to each point (n, 2) and how far along it; -1 and 0 beyond the limit.

        Of streets that are equally near, the one that comes first in the frame.
        """
        edge, along = np.full(len(points), -1), np.zeros(len(points))
        finite = np.flatnonzero(np.isfinite(points).all(axis=1))
        used = np.unique(self.line)
        if not len(used) or not len(finite):
            return edge, along
        places, inverse = np.unique(points[finite], axis=0, return_inverse=True)
        shapes = shapely.points(places)
        place, line = shapely.STRtree(self.lines[used]).query_nearest(shapes, max_distance=limit_m)
        # Sorted by place, then by line: the first of each place is the one to take.
        order = np.lexsort((line, place))
        place, at = np.unique(place[order], return_index=True)
        line = used[line[order][at]]
        found = np.full(len(places), -1)
        found_along = np.zeros(len(places))
        found[place], found_along[place] = self._on_line(
            line, shapely.line_locate_point(self.lines[line], shapes[place])
        )
        edge[finite], along[finite] = found[inverse], found_along[inverse]
        return edge, along

    def pieces(self, edge: Ints, lower_m: Floats, upper_m: Floats) -> np.ndarray:
        """Return the lines (k,) between two places each on an edge, with all corners in between."""
        line = self.line[edge]
        return self._corners.substrings(line, self.from_m[edge] + lower_m, self.from_m[edge] + upper_m)

    def points(self, edge: Ints, along_m: Floats) -> Floats:
        """Return the coordinates (k, 2) of places on edges."""
        return self._corners.points(self.line[edge], self.from_m[edge] + along_m)

    def _on_line(self, line: Ints, at_m: Floats) -> tuple[Ints, Floats]:
        """Return the edge (n,) at a place on a line, and how far along the edge it is."""
        start = self._corners.start_m
        edge = np.searchsorted(start[self.line] + self.from_m, start[line] + at_m, side="right") - 1
        low, high = np.searchsorted(self.line, line), np.searchsorted(self.line, line, side="right") - 1
        edge = np.clip(edge, low, high)
        return edge, np.clip(at_m - self.from_m[edge], 0.0, self.graph.length_m[edge])


def street_network(segments: gpd.GeoDataFrame) -> StreetNetwork:
    """Return the network of the frame ``segments``, in metres.

    Streets meet where their ends lie within `NODE_M`, where an end lies within `NODE_M` of the middle of another, and
    where two have a corner at exactly the same place. Streets that only cross stay apart: one is a bridge; so do
    streets of different ``level``, but for their ends. Streets that both say the numbers of their nodes
    (``from_node``, ``to_node``) meet at equal numbers and nowhere else; a number that is said in places more than
    `NUMBER_M` apart is none. Every street is walked both ways.
    """
    lines, segment = shapely.get_parts(shapely.force_2d(segments.geometry.to_numpy()), return_index=True)
    lines = shapely.remove_repeated_points(lines)
    told = _told(segments, lines, segment)
    line, at_m = _cuts(lines, told)
    places = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], at_m))
    node = _nodes(places, line, told)
    same_line = line[1:] == line[:-1]
    length = at_m[1:] - at_m[:-1]
    # What begins and ends at one node and is as short as that is no street, but the rest of a cut.
    kept = same_line & ((node[1:] != node[:-1]) | (length > 2 * NODE_M))
    ends = np.column_stack([node[:-1], node[1:]])[kept]
    _, ends = np.unique(ends, return_inverse=True)
    graph = StreetGraph(ends.reshape(-1, 2), length[kept])
    return StreetNetwork(lines, segment, graph, line[:-1][kept], at_m[:-1][kept], at_m[1:][kept])


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What the lines (p,) say about where they meet: level, and the numbers (p, 2) of their end nodes, -1 for none."""

    level: Ints
    node: Ints

    @property
    def numbered(self) -> Bools:
        """Which lines (p,) say the numbers of both their ends."""
        return np.asarray((self.node >= 0).all(axis=1))


def _told(segments: gpd.GeoDataFrame, lines: np.ndarray, segment: Ints) -> _Told:
    level, node = np.zeros(len(segments), np.int64), np.full((len(segments), 2), -1)
    if "level" in segments:
        level = segments["level"].fillna(0).to_numpy(np.int64)
    if {"from_node", "to_node"} <= set(segments.columns):
        codes, _ = pd.factorize(pd.concat([segments["from_node"], segments["to_node"]]))
        node = codes.reshape(2, -1).T.astype(np.int64)
    node = node[segment]
    # The inner ends of a street with several parts are no nodes that its source numbered.
    follows = segment[1:] == segment[:-1]
    node[1:][follows, 0] = -1
    node[:-1][follows, 1] = -1
    # A number that is said in two places says nothing.
    ends = np.stack([shapely.get_coordinates(shapely.get_point(lines, i)) for i in (0, -1)], axis=1)
    said = node >= 0
    places = pd.DataFrame(ends[said]).groupby(node[said])
    apart = (places.max() - places.min()).max(axis=1)
    node[np.isin(node, apart.index[apart > NUMBER_M])] = -1
    return _Told(level[segment], node)


def _nodes(places: Floats, line: Ints, told: _Told) -> Ints:
    """Return the node (c,) of each cut, in the order of the lines: cuts at one place that may meet have the same."""
    first, last = _begins(line), _begins(line[::-1])[::-1]
    number = np.where(first, told.node[line, 0], np.where(last, told.node[line, 1], -1))
    level, is_end = told.level[line], first | last
    plain, numbered = np.flatnonzero(number < 0), np.flatnonzero(number >= 0)
    pairs = [plain[cKDTree(places[plain]).query_pairs(NODE_M, output_type="ndarray")]]
    pairs[0] = pairs[0][(level[pairs[0][:, 0]] == level[pairs[0][:, 1]]) | is_end[pairs[0]].all(axis=1)]
    if len(numbered):
        known, holder, of = np.unique(number[numbered], return_index=True, return_inverse=True)
        pairs.append(np.column_stack([numbered, numbered[holder][of]]))
        pairs.append(_plain_to_numbered(places, plain, numbered, linked(pairs[0], len(places))))
        # A street without length between two numbers: one place with two of them.
        point = np.flatnonzero(first & last & told.numbered[line] & np.isin(told.node[line, 1], known))
        pairs.append(np.column_stack([point, numbered[holder[np.searchsorted(known, told.node[line[point], 1])]]]))
    return linked(np.concatenate(pairs), len(places))


def _plain_to_numbered(places: Floats, plain: Ints, numbered: Ints, cluster: Ints) -> Ints:
    """Return pairs (k, 2): cuts without a number join the one nearest cut with a number, all that meet as one."""
    away_m, nearest = cKDTree(places[numbered]).query(places[plain], distance_upper_bound=NODE_M)
    near = np.flatnonzero(np.isfinite(away_m))
    order = near[np.lexsort((nearest[near], away_m[near], cluster[plain[near]]))]
    joins = order[_begins(cluster[plain[order]])]
    return np.column_stack([plain[joins], numbered[nearest[joins]]])


def _cuts(lines: np.ndarray, told: _Told) -> tuple[Ints, Floats]:
    """Return where streets begin, end or meet: line (c,) and metres along it, in the order of both."""
    length = shapely.length(lines)
    every = np.arange(len(lines))
    corner_line, corner_m = _shared_corners(lines, told)
    ends = shapely.points(np.concatenate([shapely.get_coordinates(shapely.get_point(lines, i)) for i in (0, -1)]))
    end, touched = shapely.STRtree(lines).query(ends, predicate="dwithin", distance=NODE_M)
    own = end % len(lines) if len(lines) else end
    both_numbered = (told.node.T.ravel()[end] >= 0) & told.numbered[touched]
    may_meet = (told.level[own] == told.level[touched]) & ~both_numbered
    end, touched = end[may_meet], touched[may_meet]
    touched_m = shapely.line_locate_point(lines[touched], ends[end])
    inner = (touched_m > NODE_M) & (touched_m < length[touched] - NODE_M)
    line = np.concatenate([every, every, corner_line, touched[inner]])
    at_m = np.concatenate([np.zeros(len(lines)), length, corner_m, touched_m[inner]])
    line, at_m = np.unique(np.column_stack([line, at_m]), axis=0).T
    return line.astype(np.int64), at_m


def _shared_corners(lines: np.ndarray, told: _Told) -> tuple[Ints, Floats]:
    """Return the inner corners that are a corner of another line too that may meet, or twice of the same one."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    where = np.column_stack([xy, told.level[line]])
    _, place, times = np.unique(where, axis=0, return_inverse=True, return_counts=True)
    plain = ~told.numbered[line]
    plain_times = np.bincount(place, plain, len(times))
    shared = np.where(plain, times[place] > 1, plain_times[place] > 0)
    shared &= ~_begins(line) & ~_begins(line[::-1])[::-1]
    return line[shared], _along(xy, line)[shared]


def _begins(line: Ints) -> Bools:
    """Return which rows (c,) are the first of their line."""
    return np.asarray(np.diff(line, prepend=-1) != 0)


def _along(xy: Floats, line: Ints) -> Floats:
    """Return how far along its line each corner (c,) is."""
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    step[_begins(line)] = 0.0
    total = np.cumsum(step)
    return np.asarray(total - total[np.searchsorted(line, line)])


@dataclass(frozen=True, slots=True, eq=False)
class _Corners:
    """The corners of lines on one axis for all of them, each line a little beyond the end of the one before.

    Attributes
    ----------
    xy : (c, 2)
    at_m : (c,)
        Where on the axis each corner is.
    start_m : (p + 1,)
        Where on the axis each line starts.
    """

    xy: Floats
    at_m: Floats
    start_m: Floats

    @classmethod
    def of(cls, lines: np.ndarray) -> _Corners:
        """Return the corners of lines (p,)."""
        xy, owner = shapely.get_coordinates(lines, return_index=True)
        start = np.concatenate([[0.0], np.cumsum(shapely.length(lines) + 1.0)])
        return cls(xy, start[owner] + _along(xy, owner), start)

    def points(self, line: Ints, at_m: Floats) -> Floats:
        """Return the coordinates (k, 2) of places on lines; `shapely.line_interpolate_point` for all at once."""
        place = self.start_m[line] + at_m
        # The corner before it, of the same line: places lie on lines.
        low = np.searchsorted(self.at_m, self.start_m[line])
        before = np.maximum(np.searchsorted(self.at_m, place, side="right") - 1, low)
        after = np.minimum(before + 1, np.searchsorted(self.at_m, self.start_m[line + 1] - _SAME_M) - 1)
        step = self.at_m[after] - self.at_m[before]
        share = np.clip((place - self.at_m[before]) / np.where(step > 0, step, 1.0), 0.0, 1.0)
        return np.asarray(self.xy[before] + share[:, None] * (self.xy[after] - self.xy[before]))

    def substrings(self, line: Ints, from_m: Floats, to_m: Floats) -> np.ndarray:
        """Return the pieces (k,) of lines between two distances along them; `shapely.ops.substring` for all at once."""
        low = np.searchsorted(self.at_m, self.start_m[line] + from_m + _SAME_M)
        inner = np.maximum(np.searchsorted(self.at_m, self.start_m[line] + to_m - _SAME_M) - low, 0)
        piece = np.repeat(np.arange(len(line)), inner + 2)
        place = np.arange(piece.size) - np.concatenate([[0], np.cumsum(inner + 2)])[piece]
        path = self.xy[np.clip(low[piece] + place - 1, 0, len(self.xy) - 1)]
        for at_m, ends in ((from_m, place == 0), (to_m, place == inner[piece] + 1)):
            path[ends] = self.points(line, at_m)
        return np.asarray(shapely.linestrings(path, indices=piece))
