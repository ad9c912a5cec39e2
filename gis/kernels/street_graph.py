"""Streets as a graph: pieces of street between junctions, walked in both directions, and the lixels they are cut into.

Every edge is two darts, one a direction: dart ``2 e`` runs from the first end of edge e to the second, ``2 e + 1``
back, so that ``d ^ 1`` is the way back of d. What starts and ends at the same node is a loop and counts twice there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHORTEST_REST_M = 1.0
"""A last lixel shorter than this is added to the one before it."""


@dataclass(frozen=True, slots=True, eq=False)
class StreetGraph:
    """Edges between nodes, and which darts leave each node.

    Attributes
    ----------
    ends : (m, 2)
        Nodes at both ends of each edge; every node has an edge.
    length_m : (m,)
        Along the street.
    first : (n + 1,)
        The darts that leave node v are ``leaving[first[v]:first[v + 1]]``.
    leaving : (2 m,)

    Examples
    --------
    >>> corner = StreetGraph(np.array([[0, 1], [1, 2]]), np.array([80.0, 120.0]))
    >>> corner.degree.tolist(), corner.leaving[corner.first[1] : corner.first[2]].tolist()
    ([1, 2, 1], [1, 2])
    """

    ends: Ints
    length_m: Floats
    first: Ints = field(init=False)
    leaving: Ints = field(init=False)

    def __post_init__(self) -> None:
        tails = self.ends.ravel()
        nodes = int(tails.max(initial=-1)) + 1
        object.__setattr__(self, "first", np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=nodes))]))
        object.__setattr__(self, "leaving", np.argsort(tails, kind="stable"))

    @property
    def degree(self) -> Ints:
        """How many street ends meet at each node (n,)."""
        return np.diff(self.first)


@dataclass(frozen=True, slots=True, eq=False)
class Lixels:
    """Edges cut into short pieces, the pixels of a line.

    Attributes
    ----------
    edge : (k,)
        Which edge each lies on, in the order of the edges.
    lower_m, upper_m : (k,)
        From where to where on it.
    first : (m + 1,)
        The lixels of edge e are ``first[e]`` to ``first[e + 1]``.
    """

    edge: Ints
    lower_m: Floats
    upper_m: Floats
    first: Ints

    @property
    def length_m(self) -> Floats:
        """Length of each (k,)."""
        return self.upper_m - self.lower_m

    def at(self, edge: Ints, offset_m: Floats) -> Ints:
        """Return the lixel (p,) in which each position lies; a border belongs to the lixel that begins there."""
        # One axis for all edges, each a little beyond the end of the one before.
        start = np.concatenate([[0.0], np.cumsum(self.upper_m[self.first[1:] - 1] + 1.0)])
        found = np.searchsorted(start[self.edge] + self.lower_m, start[edge] + offset_m, side="right") - 1
        return np.clip(found, self.first[edge], self.first[edge + 1] - 1)


def lixels(length_m: Floats, lixel_m: float | None) -> Lixels:
    """Cut edges (m,) into lixels of `lixel_m`, the last one of each shorter; None makes each edge one lixel.

    Examples
    --------
    >>> lixels(np.array([120.0, 30.0, 50.4]), 50.0).upper_m.tolist()
    [50.0, 100.0, 120.0, 30.0, 50.4]
    """
    whole = np.ones(length_m.size, np.int64)
    counts = whole if lixel_m is None else np.maximum(np.ceil((length_m - SHORTEST_REST_M) / lixel_m), 1).astype(int)
    first = np.concatenate([[0], np.cumsum(counts)])
    edge = np.repeat(np.arange(length_m.size), counts)
    step = np.inf if lixel_m is None else lixel_m
    place = np.arange(edge.size) - first[edge]
    lower = np.where(place == 0, 0.0, place * step) if lixel_m is not None else np.zeros(edge.size)
    upper = np.concatenate([lower[1:], [0.0]])
    upper[first[1:] - 1] = length_m
    return Lixels(edge, lower, upper, first)


def linked(pairs: Ints, count: int) -> Ints:
    """Return a number (count,) for each thing, the same for things that hang together by pairs (p, 2).

    Examples
    --------
    >>> linked(np.array([[0, 2], [2, 3]]), 4).tolist()
    [0, 1, 0, 0]
    """
    links = sparse.coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(csgraph.connected_components(links, directed=False)[1], dtype=np.int64)
