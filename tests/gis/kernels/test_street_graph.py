"""Streets as a graph: darts leave the right nodes, lixels cover every edge once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gis.kernels.street_graph import StreetGraph, linked, lixels
from tests.support.streets import random_streets, star


def test_every_dart_leaves_the_node_at_its_beginning() -> None:
    graph = random_streets(np.random.default_rng(1), edges=30, nodes=9, lengths_m=(5, 90))
    for node in range(graph.degree.size):
        for dart in graph.leaving[graph.first[node] : graph.first[node + 1]]:
            assert graph.ends[dart // 2, dart % 2] == node
    assert sorted(graph.leaving) == list(range(60))


def test_a_loop_counts_twice_at_its_node() -> None:
    assert StreetGraph(np.array([[0, 0]]), np.array([90.0])).degree.tolist() == [2]
    assert star(10, 10, 10, 10).degree.tolist() == [4, 1, 1, 1, 1]


@given(
    st.lists(st.floats(0.3, 2_000), min_size=1, max_size=20), st.floats(5, 300), st.lists(st.floats(0, 1), min_size=1)
)
def test_lixels_cover_every_edge_once(lengths: list[float], lixel_m: float, places: list[float]) -> None:
    length = np.array(lengths)
    cut = lixels(length, lixel_m)
    assert np.allclose(np.bincount(cut.edge, weights=cut.length_m), length)
    assert (cut.length_m > 0).all()
    assert cut.length_m.max() <= lixel_m + 1
    # All but the last of an edge are whole.
    last = np.zeros(cut.edge.size, bool)
    last[cut.first[1:] - 1] = True
    assert np.allclose(cut.length_m[~last], lixel_m)
    for e in range(length.size):
        offset = np.array(places) * length[e]
        found = cut.at(np.full(offset.size, e), offset)
        assert (cut.edge[found] == e).all()
        assert ((cut.lower_m[found] <= offset + 1e-6) & (offset - 1e-6 <= cut.upper_m[found])).all()


def test_without_a_length_each_edge_is_one_lixel() -> None:
    cut = lixels(np.array([700.0, 3.0]), None)
    assert cut.lower_m.tolist() == [0, 0]
    assert cut.upper_m.tolist() == [700, 3]


def test_things_that_hang_together_through_others_are_one() -> None:
    chain = np.column_stack([np.arange(4), np.arange(1, 5)])
    assert linked(chain, 5).tolist() == [0] * 5
    assert linked(np.array([[3, 1], [1, 3], [2, 2]]), 4).tolist() == [0, 1, 2, 1]
    assert linked(np.empty((0, 2), int), 0).tolist() == []
