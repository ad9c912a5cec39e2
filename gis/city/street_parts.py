"""Parts of streets that a trip follows or a time reaches, and trips as lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import shapely

from gis.city.mode_network import ModeNetwork
from gis.kernels.reach import Ends, Floats, Ints, Routes


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Parts of trips in the order of travel within each, k of them.

    Attributes
    ----------
    trip, edge : (k,)
    from_m, to_m : (k,)
        Along the edge; against its direction where `from_m` is the greater.
    """

    trip: Ints
    edge: Ints
    from_m: Floats
    to_m: Floats


def parts_around(
    streets: ModeNetwork, ways: Routes, which: Ints, first: tuple[Ints, Floats, Ends], last: tuple[Ints, Floats, Ends]
) -> Parts:
    """Return the parts of those trips (t,) that pass a node.

    Parameters
    ----------
    ways
        Of all trips; `which` are those meant.
    first, last
        Where each of them begins and ends: edge, metres along it, and its ends as the graph saw them.
    """
    length = streets.network.graph.length_m
    begins, ends = ways.begins[which], ways.begins[which + 1]
    counts = ends - begins
    nodes = ways.node[runs(begins, counts)]
    owner = np.repeat(np.arange(len(which)), counts)
    follows = owner[1:] == owner[:-1]
    tail, head, trip = nodes[:-1][follows], nodes[1:][follows], owner[1:][follows]
    n = streets.graph.shape[0]
    # Sorted as the graph is: by row, then by column.
    keys = np.repeat(np.arange(n), np.diff(streets.graph.indptr)) * n + streets.graph.indices
    arc = np.searchsorted(keys, tail * n + head)
    edge, against = streets.arc_edge[arc], streets.arc_against[arc]
    out_m = _end_m(streets, first[0], first[2], ways.node[begins])
    in_m = _end_m(streets, last[0], last[2], ways.node[ends - 1])
    every = np.arange(len(which))
    trips = np.concatenate([every, trip, every])
    rank = np.concatenate([np.zeros(len(every)), np.ones(len(trip)), np.full(len(every), 2)])
    order = np.lexsort((rank, trips))
    return Parts(
        which[trips[order]],
        np.concatenate([first[0], edge, last[0]])[order],
        np.concatenate([first[1], np.where(against, length[edge], 0.0), in_m])[order],
        np.concatenate([out_m, np.where(against, 0.0, length[edge]), last[1]])[order],
    )


def _end_m(streets: ModeNetwork, edge: Ints, ends: Ends, node: Ints) -> Floats:
    """Return where along its edge (t,) a node lies: at 0 or at the far end; of a loop's, the one sooner passed."""
    pair = streets.ends[edge]
    far = np.where(pair[:, 0] == pair[:, 1], ends.seconds[:, 1] < ends.seconds[:, 0], node == pair[:, 1])
    return np.where(far, streets.network.graph.length_m[edge], 0.0)


def trip_lines(streets: ModeNetwork, parts: Parts, count: int) -> np.ndarray:
    """Return the trips (count,) as line strings, None without parts; one that stays put ends where it begins."""
    lines = np.full(count, None, dtype=object)
    if not len(parts.trip):
        return lines
    order = np.argsort(parts.trip, kind="stable")
    from_m, to_m = parts.from_m[order], parts.to_m[order]
    pieces = streets.network.pieces(parts.edge[order], np.minimum(from_m, to_m), np.maximum(from_m, to_m))
    pieces = np.where(from_m > to_m, shapely.reverse(pieces), pieces)
    xy, piece = shapely.get_coordinates(pieces, return_index=True)
    trips, index = np.unique(parts.trip[order][piece], return_inverse=True)
    lines[trips] = shapely.remove_repeated_points(shapely.linestrings(xy, indices=index))
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Stretches of street between two places, k of them, and when one is at both.

    Attributes
    ----------
    origin, edge : (k,)
        Where one came from, and the edge that the stretch lies on.
    from_m, to_m : (k,)
        From where to where on it, rising.
    from_s, to_s : (k,)
        When one is at both ends at the soonest, inf for never.
    """

    origin: Ints
    edge: Ints
    from_m: Floats
    to_m: Floats
    from_s: Floats
    to_s: Floats

    def take(self, which: Ints) -> Stretches:
        """Return some of the stretches."""
        return Stretches(*(getattr(self, one.name)[which] for one in fields(self)))

    @classmethod
    def together(cls, parts: Sequence[Stretches]) -> Stretches:
        """Return all stretches of some, in their order."""
        kinds = (int, int, float, float, float, float)
        columns = [[getattr(part, one.name) for part in parts] for one in fields(cls)]
        return cls(*(np.concatenate([np.empty(0, kind), *some]) for kind, some in zip(kinds, columns, strict=True)))


def reached_part(streets: ModeNetwork, factor: float, between: Stretches, limit_s: Floats) -> Stretches:
    """Return what of each stretch is reached by its limit (k,).

    One spreads from both ends as far as the direction of the street allows, and no farther than where the two meet.
    """
    low, high, low_s, high_s = between.from_m, between.to_m, between.from_s, between.to_s
    length = streets.network.graph.length_m[between.edge]
    along, against = (seconds[between.edge] / factor / length for seconds in (streets.along_s, streets.against_s))
    both_ways = against < np.inf
    with np.errstate(invalid="ignore"):
        meet = np.clip((high_s - low_s + along * low + against * high) / (along + against), low, high)
        meet = np.where(both_ways & np.isfinite(high_s), np.where(np.isfinite(low_s), meet, low), high)
        up = np.minimum(low + (limit_s - low_s) / along, meet)
        down = np.where(both_ways, np.maximum(high - (limit_s - high_s) / against, meet), high)
    rise, fall = np.flatnonzero(up > low), np.flatnonzero(down < high)
    which = np.concatenate([rise, fall])
    return Stretches(
        between.origin[which],
        between.edge[which],
        np.concatenate([low[rise], down[fall]]),
        np.concatenate([up[rise], high[fall]]),
        np.concatenate([low_s[rise], high_s[fall] + (high - down)[fall] * against[fall]]),
        np.concatenate([low_s[rise] + (up - low)[rise] * along[rise], high_s[fall]]),
    )


def runs(begins: Ints, counts: Ints) -> Ints:
    """Return the numbers of runs that begin somewhere and count up, one after the other.

    Examples
    --------
    >>> runs(np.array([7, 3]), np.array([2, 3])).tolist()
    [7, 8, 3, 4, 5]
    """
    before = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else counts
    return np.asarray(np.repeat(begins - before, counts) + np.arange(counts.sum()))
