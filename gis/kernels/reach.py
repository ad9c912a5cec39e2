"""Travel times over a directed graph: from many places at once, to many places, within a limit, and which way.

A place hangs on the graph by up to two nodes (`Ends`). Places that one starts from become nodes of their own behind
those of the graph, with an arc to each of their ends: every start is then at 0 s, and no access leg is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gis.errors import InvalidInput, Problem
from gis.kernels.bucket_search import settle

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHUNK_TIMES = 4_000_000
"""How many times from starts to nodes are held at once (32 MB)."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """How places hang on a graph.

    Attributes
    ----------
    node : (k, 2)
        The nodes at both sides of each place.
    seconds : (k, 2)
        From the place to the node or, where one arrives, from the node to the place; inf where there is no way.
    """

    node: Ints
    seconds: Floats

    def __len__(self) -> int:
        """Return how many places."""
        return len(self.node)

    def take(self, which: Ints) -> Ends:
        """Return some of the places."""
        return Ends(self.node[which], self.seconds[which])


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest two starts of each node.

    Attributes
    ----------
    first_s, second_s : (n,)
        Seconds from the nearest and from the second nearest start; inf where there is none.
    first, second : (n,)
        Which starts these are, -1 where there is none; of starts equally near, either.
    """

    first_s: Floats
    first: Ints
    second_s: Floats
    second: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """Shortest ways between pairs of places.

    Attributes
    ----------
    seconds : (k,)
        inf where there is no way.
    begins : (k + 1,)
        The nodes passed by way i are ``node[begins[i]:begins[i + 1]]``; none where there is no way.
    node : (t,)
    """

    seconds: Floats
    begins: Ints
    node: Ints


def cheapest_arcs(tail: Ints, head: Ints, seconds: Floats) -> Ints:
    """Return the arcs (k,) that a shortest way may use, in the order of tail and head.

    Of parallel arcs the quickest, of equally quick ones the first; no arc from a node to itself, none of infinite time.

    Examples
    --------
    >>> cheapest_arcs(np.array([0, 0, 1, 1]), np.array([1, 1, 1, 0]), np.array([9.0, 5.0, 1.0, 4.0])).tolist()
    [1, 3]
    """
    used = np.flatnonzero((tail != head) & (seconds < np.inf))
    order = used[np.lexsort((seconds[used], head[used], tail[used]))]
    first = np.ones(order.size, bool)
    first[1:] = (tail[order][1:] != tail[order][:-1]) | (head[order][1:] != head[order][:-1])
    return order[first]


def build_graph(tail: Ints, head: Ints, seconds: Floats, *, n_nodes: int) -> sparse.csr_array:
    """Return the graph of arcs (m,) as a sparse matrix of seconds (n, n).

    Of parallel arcs the minimum counts: building the matrix as usual would add them up. To let the times of all arcs
    grow alike, multiply its ``data``; the arcs stay the same.

    Raises
    ------
    InvalidInput
        An arc takes a negative time or none that is a number, or a node is not one of the n.

    Examples
    --------
    >>> build_graph(np.array([0, 0]), np.array([1, 1]), np.array([9.0, 5.0]), n_nodes=2).toarray().tolist()
    [[0.0, 5.0], [0.0, 0.0]]
    """
    problems = []
    if (bad := int((~(seconds >= 0)).sum())) > 0:
        problems.append(Problem("bad_seconds", "an arc's time is a number from 0", "seconds", count=bad))
    if (bad := int(((np.minimum(tail, head) < 0) | (np.maximum(tail, head) >= n_nodes)).sum())) > 0:
        problems.append(Problem("no_such_node", f"nodes are numbered 0 to {n_nodes - 1}", "tail", count=bad))
    if problems:
        raise InvalidInput("these arcs make no graph", problems)
    return _graph(tail, head, seconds, n_nodes)


def _graph(tail: Ints, head: Ints, seconds: Floats, n_nodes: int) -> sparse.csr_array:
    kept = cheapest_arcs(tail, head, seconds)
    begins = np.concatenate([[0], np.cumsum(np.bincount(tail[kept], minlength=n_nodes))])
    return _csr(seconds[kept], head[kept], begins)


def _csr(seconds: Floats, head: Ints, begins: Ints) -> sparse.csr_array:
    nodes = len(begins) - 1
    # The index type of scipy's csgraph, or it would copy the graph on each call.
    parts = (np.asarray(seconds, np.float64), np.asarray(head, np.int32), np.asarray(begins, np.int32))
    return sparse.csr_array(parts, shape=(nodes, nodes))


def with_starts(graph: sparse.csr_array, starts: Ends) -> sparse.csr_array:
    """Return the graph (n + k, n + k) with the places as nodes behind its own, from which one only leaves."""
    node, seconds = starts.node, starts.seconds
    # Both ends at one node: a blind loop. Only one arc of each pair of nodes may stand in the matrix.
    same = node[:, 0] == node[:, 1]
    seconds = np.where(same[:, None], np.column_stack([seconds.min(axis=1), np.full(len(node), np.inf)]), seconds)
    there = seconds < np.inf
    begins = np.concatenate([graph.indptr, graph.indptr[-1] + np.cumsum(there.sum(axis=1))])
    return _csr(
        np.concatenate([graph.data, seconds[there]]), np.concatenate([graph.indices, node[there]]), begins.astype(int)
    )


def nearest_s(graph: sparse.csr_array, starts: Ends, *, limit_s: float = np.inf) -> tuple[Floats, Ints]:
    """Return the seconds (n,) from the nearest start to each node, and which start (n,) that is.

    One run for all starts. inf and -1 where none comes within `limit_s`.

    Examples
    --------
    >>> street = build_graph(np.array([0, 1]), np.array([1, 2]), np.array([10.0, 10.0]), n_nodes=3)
    >>> both = Ends(np.array([[0, 0], [2, 2]]), np.array([[3.0, np.inf], [15.0, np.inf]]))
    >>> [found.tolist() for found in nearest_s(street, both)]
    [[3.0, 13.0, 15.0], [0, 0, 1]]
    """
    owner = np.repeat(np.arange(len(starts)), 2)
    return settle(graph, starts.node.ravel(), starts.seconds.ravel(), owner, limit_s=limit_s)


def nearest_two_s(graph: sparse.csr_array, starts: Ends, *, limit_s: float = np.inf) -> Nearest:
    """Return the nearest two starts of each node, in two runs whatever their number.

    What comes second to a node left the ground of another start last over one arc, from the nearest start of that
    arc's tail, and from there stayed on ground of the node's own nearest start.

    Examples
    --------
    >>> street = build_graph(np.array([0, 1]), np.array([1, 2]), np.array([10.0, 10.0]), n_nodes=3)
    >>> both = Ends(np.array([[0, 0], [2, 2]]), np.array([[3.0, np.inf], [15.0, np.inf]]))
    >>> nearest_two_s(street, both).second_s.tolist()
    [inf, inf, 23.0]
    """
    n, k = graph.shape[0], len(starts)
    first_s, first = nearest_s(graph, starts, limit_s=limit_s)
    if k < 2:  # noqa: PLR2004 - there is no second
        return Nearest(first_s, first, np.full(n, np.inf), np.full(n, -1))
    extended = with_starts(graph, starts)
    tail = np.repeat(np.arange(n + k), np.diff(extended.indptr))
    head = extended.indices.astype(np.int64)
    from_s, owner = np.concatenate([first_s, np.zeros(k)]), np.concatenate([first, np.arange(k)])
    met = (owner[tail] >= 0) & (owner[head] >= 0)
    within = met & (owner[tail] == owner[head]) & (tail < n)
    crosses = np.flatnonzero(met & (owner[tail] != owner[head]))
    # The arcs within a ground keep their order; only those across are gathered anew, as arcs from its start.
    begins = np.concatenate([[0], np.cumsum(within)])[extended.indptr[: n + 1]]
    across_s, start, to = from_s[tail[crosses]] + extended.data[crosses], owner[tail[crosses]], head[crosses]
    kept = cheapest_arcs(n + start, to, across_s)
    ground = _csr(
        np.concatenate([extended.data[within], across_s[kept]]),
        np.concatenate([extended.indices[within], to[kept]]),
        np.concatenate([begins, begins[-1] + np.cumsum(np.bincount(start[kept], minlength=k))]),
    )
    second_s, second = settle(ground, n + np.arange(k), np.zeros(k), np.arange(k), limit_s=limit_s)
    return Nearest(first_s, first, second_s[:n], second[:n])


def reach_s(graph: sparse.csr_array, starts: Ends, *, limit_s: float | Floats = np.inf) -> Floats:
    """Return the seconds (k, n) from each start to each node, inf beyond the limit.

    Parameters
    ----------
    limit_s
        The same for all, or one (k,) for each; the greatest tells how far is looked.
    """
    n, k = graph.shape[0], len(starts)
    if k == 0:
        return np.empty((0, n))
    limit = np.broadcast_to(limit_s, k)
    furthest = float(limit.max())
    if furthest < 0:
        return np.full((k, n), np.inf)
    seconds = csgraph.dijkstra(with_starts(graph, starts), indices=np.arange(n, n + k), limit=furthest)[:, :n]
    if limit.min() < furthest:
        seconds[seconds > limit[:, None]] = np.inf
    return np.asarray(seconds)


def many_to_many_s(graph: sparse.csr_array, starts: Ends, goals: Ends, *, limit_s: float = np.inf) -> Floats:
    """Return the seconds (k, d) from each start to each goal over the graph, inf beyond the limit.

    One run per start: where there are fewer goals, turn the graph and both sides around.

    Examples
    --------
    >>> street = build_graph(np.array([0, 1]), np.array([1, 2]), np.array([10.0, 10.0]), n_nodes=3)
    >>> home = Ends(np.array([[0, 0]]), np.array([[3.0, np.inf]]))
    >>> work = Ends(np.array([[1, 2]]), np.array([[7.0, 1.0]]))
    >>> many_to_many_s(street, home, work).tolist()
    [[20.0]]
    """
    found = np.empty((len(starts), len(goals)))
    step = max(1, CHUNK_TIMES // max(graph.shape[0], 1))
    for low in range(0, len(starts), step):
        some = np.arange(low, min(low + step, len(starts)))
        node_s = reach_s(graph, starts.take(some), limit_s=limit_s)
        _through_ends(node_s, goals.node, goals.seconds, limit_s, found[low : low + step])
    return found


@njit(cache=True, nogil=True)
def _through_ends(
    node_s: Floats, node: Ints, seconds: Floats, limit_s: float, found: Floats
) -> None:  # pragma: no cover - compiled
    for i in range(len(node_s)):
        for j in range(len(node)):
            time = min(node_s[i, node[j, 0]] + seconds[j, 0], node_s[i, node[j, 1]] + seconds[j, 1])
            found[i, j] = time if time <= limit_s else np.inf


def routes(graph: sparse.csr_array, starts: Ends, goals: Ends, start: Ints, goal: Ints) -> Routes:
    """Return the shortest way of each pair: from start ``start[i]`` to goal ``goal[i]`` (p,).

    One run per start that occurs.
    """
    n = graph.shape[0]
    seconds = np.full(len(start), np.inf)
    nodes: list[Ints] = [np.empty(0, np.int64)] * len(start)
    occurring, at = np.unique(start, return_inverse=True)
    step = max(1, CHUNK_TIMES // max(n, 1))
    order = np.argsort(at, kind="stable")
    for low in range(0, len(occurring), step):
        some = occurring[low : low + step]
        pairs = order[np.searchsorted(at[order], low) : np.searchsorted(at[order], low + len(some))]
        times, before = csgraph.dijkstra(
            with_starts(graph, starts.take(some)), indices=np.arange(n, n + len(some)), return_predecessors=True
        )
        row = at[pairs] - low
        ends = goals.node[goal[pairs]]
        both = times[row[:, None], ends] + goals.seconds[goal[pairs]]
        side = np.argmin(both, axis=1)
        seconds[pairs] = both[np.arange(len(pairs)), side]
        for i, r, last in zip(pairs, row, ends[np.arange(len(pairs)), side], strict=True):
            if seconds[i] < np.inf:
                nodes[i] = _way(before[r], last, n)
    begins = np.concatenate([[0], np.cumsum([len(way) for way in nodes])]).astype(np.int64)
    return Routes(seconds, begins, np.concatenate([*nodes, np.empty(0, np.int64)]))


@njit(cache=True, nogil=True)
def _way(before: NDArray[np.int32], last: int, n: int) -> Ints:  # pragma: no cover - compiled
    length, node = 0, last
    while node < n:
        length += 1
        node = before[node]
    way = np.empty(length, np.int64)
    node = last
    for i in range(length - 1, -1, -1):
        way[i] = node
        node = before[node]
    return way
