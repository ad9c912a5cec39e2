"""Shortest times over directed graphs equal those of networkx and igraph, parallel arcs and one-ways included."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InvalidInput
from gis.kernels.reach import (
    Ends,
    build_graph,
    cheapest_arcs,
    many_to_many_s,
    nearest_s,
    nearest_two_s,
    reach_s,
    routes,
    with_starts,
)


@dataclass(frozen=True)
class Arcs:
    n: int
    tail: np.ndarray
    head: np.ndarray
    seconds: np.ndarray

    @property
    def graph(self):
        return build_graph(self.tail, self.head, self.seconds, n_nodes=self.n)


@st.composite
def arcs(draw: st.DrawFn) -> Arcs:
    """Few nodes and many arcs: parallel ones, loops, and arcs that take no time occur."""
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n = draw(st.integers(1, 12))
    m = draw(st.integers(0, 40))
    tail, head = rng.integers(0, n, (2, m))
    # Whole numbers for ties, others for everything else.
    seconds = rng.integers(0, 9, m).astype(float) if draw(st.booleans()) else rng.exponential(30, m)
    return Arcs(n, tail, head, seconds)


def places(rng: np.random.Generator, n: int, k: int) -> Ends:
    seconds = rng.exponential(20, (k, 2))
    seconds[rng.random((k, 2)) < 0.2] = np.inf
    return Ends(rng.integers(0, n, (k, 2)), seconds)


def by_networkx(given_arcs: Arcs, starts: Ends) -> np.ndarray:
    """Seconds (k, n), each start a node of its own in a multigraph."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(given_arcs.n))
    for a, b, s in zip(given_arcs.tail, given_arcs.head, given_arcs.seconds, strict=True):
        graph.add_edge(int(a), int(b), s=s)
    found = np.full((len(starts), given_arcs.n), np.inf)
    for i in range(len(starts)):
        for node, s in zip(starts.node[i], starts.seconds[i], strict=True):
            if s < np.inf:
                graph.add_edge(("start", i), int(node), s=s)
        if ("start", i) in graph:
            for node, time in nx.single_source_dijkstra_path_length(graph, ("start", i), weight="s").items():
                if not isinstance(node, tuple):
                    found[i, node] = time
    return found


@given(arcs(), st.integers(0, 1000))
def test_times_are_those_of_networkx(given_arcs: Arcs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts, goals = places(rng, given_arcs.n, 5), places(rng, given_arcs.n, 4)
    graph = given_arcs.graph
    expected = by_networkx(given_arcs, starts)
    rows = reach_s(graph, starts)
    np.testing.assert_allclose(rows, expected, rtol=1e-12)
    through = np.min(expected[:, goals.node] + goals.seconds, axis=2)
    np.testing.assert_allclose(many_to_many_s(graph, starts, goals), through, rtol=1e-12)
    limit = float(rng.exponential(60))
    np.testing.assert_array_equal(reach_s(graph, starts, limit_s=limit), np.where(rows <= limit, rows, np.inf))
    within = many_to_many_s(graph, starts, goals, limit_s=limit)
    np.testing.assert_allclose(within, np.where(through <= limit, through, np.inf), rtol=1e-12)
    each = rng.exponential(60, 5)
    np.testing.assert_array_equal(reach_s(graph, starts, limit_s=each), np.where(rows <= each[:, None], rows, np.inf))


@given(arcs())
def test_times_between_all_nodes_are_those_of_igraph(given_arcs: Arcs) -> None:
    ends = np.column_stack([given_arcs.tail, given_arcs.head]).tolist()
    other = igraph.Graph(n=given_arcs.n, edges=ends, directed=True)
    expected = np.array(other.distances(weights=given_arcs.seconds.tolist()))
    here = np.repeat(np.arange(given_arcs.n)[:, None], 2, axis=1)
    at_once = np.column_stack([np.zeros(given_arcs.n), np.full(given_arcs.n, np.inf)])
    np.testing.assert_allclose(reach_s(given_arcs.graph, Ends(here, at_once)), expected, rtol=1e-12)


@given(arcs(), st.integers(0, 1000), st.sampled_from([40.0, np.inf]))
def test_one_run_for_all_starts_is_the_minimum_of_a_run_each(given_arcs: Arcs, seed: int, limit: float) -> None:
    starts = places(np.random.default_rng(seed), given_arcs.n, 6)
    rows = reach_s(given_arcs.graph, starts, limit_s=limit)
    seconds, start = nearest_s(given_arcs.graph, starts, limit_s=limit)
    np.testing.assert_array_equal(seconds, rows.min(axis=0))
    two = nearest_two_s(given_arcs.graph, starts, limit_s=limit)
    rising = np.sort(rows, axis=0)
    np.testing.assert_array_equal(two.first_s, rising[0])
    np.testing.assert_array_equal(two.second_s, rising[1])
    nodes = np.arange(given_arcs.n)
    for owner, time in ((start, seconds), (two.first, two.first_s), (two.second, two.second_s)):
        there = time < np.inf
        assert (owner[~there] == -1).all()
        np.testing.assert_array_equal(rows[owner[there], nodes[there]], time[there])
    assert (two.first[two.second >= 0] != two.second[two.second >= 0]).all()


@given(arcs(), st.integers(0, 1000))
def test_a_way_is_made_of_arcs_and_takes_its_time(given_arcs: Arcs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts, goals = places(rng, given_arcs.n, 4), places(rng, given_arcs.n, 5)
    graph = given_arcs.graph
    start, goal = rng.integers(0, 4, 9), rng.integers(0, 5, 9)
    ways = routes(graph, starts, goals, start, goal)
    np.testing.assert_allclose(ways.seconds, many_to_many_s(graph, starts, goals)[start, goal], rtol=1e-12)
    kept = cheapest_arcs(given_arcs.tail, given_arcs.head, given_arcs.seconds)
    arc = {(int(given_arcs.tail[a]), int(given_arcs.head[a])): given_arcs.seconds[a] for a in kept}
    for i in range(9):
        nodes = ways.node[ways.begins[i] : ways.begins[i + 1]].tolist()
        if np.isinf(ways.seconds[i]):
            assert nodes == []
            continue
        first = starts.seconds[start[i]][starts.node[start[i]] == nodes[0]].min()
        last = goals.seconds[goal[i]][goals.node[goal[i]] == nodes[-1]].min()
        between = sum(arc[a, b] for a, b in pairwise(nodes))
        assert first + between + last == pytest.approx(ways.seconds[i])


@given(arcs(), st.integers(0, 1000))
def test_what_never_can_be(given_arcs: Arcs, seed: int) -> None:
    starts = places(np.random.default_rng(seed), given_arcs.n, 5)
    graph = given_arcs.graph
    seconds, _ = nearest_s(graph, starts)
    # One start more never makes it later, and their order is nothing.
    assert (nearest_s(graph, starts.take(np.arange(4)))[0] >= seconds).all()
    np.testing.assert_array_equal(nearest_s(graph, starts.take(np.array([3, 1, 4, 0, 2])))[0], seconds)
    # An hour in which everything takes twice as long: the same graph, its times scaled.
    slower = build_graph(given_arcs.tail, given_arcs.head, 2 * given_arcs.seconds, n_nodes=given_arcs.n)
    scaled = graph.copy()
    scaled.data *= 2
    assert (scaled != slower).nnz == 0
    twice = Ends(starts.node, 2 * starts.seconds)
    np.testing.assert_allclose(nearest_s(scaled, twice)[0], 2 * seconds, rtol=1e-12)


def test_a_lattice_of_100_m_at_36_km_h_takes_10_s_a_step() -> None:
    side = 30
    at = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate(
        [np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]), np.column_stack([at[:-1].ravel(), at[1:].ravel()])]
    )
    both = np.concatenate([pairs, pairs[:, ::-1]])
    graph = build_graph(both[:, 0], both[:, 1], np.full(len(both), 100 / (36 / 3.6)), n_nodes=side * side)
    corners = Ends(np.array([[0, 0], [side * side - 1] * 2]), np.array([[0.0, np.inf], [0.0, np.inf]]))
    row, column = np.divmod(np.arange(side * side), side)
    steps = row + column
    far = 2 * (side - 1) - steps
    np.testing.assert_array_equal(reach_s(graph, corners), 10.0 * np.array([steps, far]))
    two = nearest_two_s(graph, corners)
    np.testing.assert_array_equal(two.first_s, 10.0 * np.minimum(steps, far))
    np.testing.assert_array_equal(two.second_s, 10.0 * np.maximum(steps, far))
    # To a time itself, not only before it.
    assert np.isfinite(reach_s(graph, corners, limit_s=50.0)[0]).sum() == 21


def test_parallel_arcs_are_not_added_up() -> None:
    graph = build_graph(np.array([0, 0, 0]), np.array([1, 1, 1]), np.array([9.0, 5.0, 7.0]), n_nodes=2)
    assert graph.toarray().tolist() == [[0, 5], [0, 0]]
    # Both ends of a place at one node: a blind loop.
    loop = with_starts(graph, Ends(np.array([[1, 1]]), np.array([[4.0, 3.0]])))
    assert loop.toarray()[2].tolist() == [0, 3, 0]


def test_nothing_to_start_from_and_nowhere_to_go() -> None:
    graph = build_graph(np.array([0]), np.array([1]), np.array([5.0]), n_nodes=2)
    none = Ends(np.empty((0, 2), int), np.empty((0, 2)))
    one = Ends(np.array([[0, 0]]), np.array([[0.0, 0.0]]))
    assert nearest_s(graph, none)[0].tolist() == [np.inf, np.inf]
    assert nearest_two_s(graph, none).second.tolist() == [-1, -1]
    assert nearest_two_s(graph, one).second_s.tolist() == [np.inf, np.inf]
    assert many_to_many_s(graph, none, one).shape == (0, 1)
    assert many_to_many_s(graph, one, none).shape == (1, 0)
    assert np.isinf(reach_s(graph, one, limit_s=-1.0)).all()
    assert routes(graph, one, one, np.empty(0, int), np.empty(0, int)).node.tolist() == []


def test_every_wrong_arc_is_named() -> None:
    with pytest.raises(InvalidInput) as error:
        build_graph(np.array([0, 1, 0]), np.array([1, 2, 0]), np.array([-1.0, np.nan, 3.0]), n_nodes=2)
    assert {(p.code, p.count) for p in error.value.problems} == {("bad_seconds", 2), ("no_such_node", 1)}
