"""Blocks and their borders: what touches, what hangs together, what a walk says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csgraph

from data.synth.voronoi import voronoi_city
from gis.kernels.block_graph import block_graph
from gis.kernels.contiguity import stays_whole, walk, walking_room
from tests.support.block_cities import grown, square_lattice

SEEDS = st.integers(0, 10_000)


def test_a_lattice_has_the_borders_of_squares() -> None:
    graph = square_lattice(4, 3)
    ends, border_m = graph.pairs()
    assert len(ends) == 3 * 3 + 4 * 2
    assert (border_m == 1).all()
    assert (graph.perimeter_m == 4).all()
    assert graph.outer_m.sum() == 14
    assert graph.side_m == 1


def test_the_cells_of_a_city_fill_its_square() -> None:
    graph, _, _ = voronoi_city(200, 1)
    assert graph.area_m2.sum() == pytest.approx(200)
    assert graph.outer_m.sum() == pytest.approx(4 * np.sqrt(200))
    ends, _ = graph.pairs()
    assert (np.diff(ends[:, 0]) >= 0).all()
    assert (ends[:, 0] < ends[:, 1]).all()


@given(seed=SEEDS)
def test_closing_pairs_keeps_perimeters(seed: int) -> None:
    graph, _, _ = voronoi_city(40, seed % 5)
    ends, border_m = graph.pairs()
    closed = np.random.default_rng(seed).random(len(ends)) < 0.3
    fewer = graph.without(closed)
    assert fewer.perimeter_m == pytest.approx(graph.perimeter_m)
    assert fewer.pairs()[0].tolist() == ends[~closed].tolist()
    assert fewer.pairs()[1].tolist() == border_m[~closed].tolist()


@given(seed=SEEDS)
def test_a_part_keeps_the_perimeters_of_its_blocks(seed: int) -> None:
    graph, _, _ = voronoi_city(40, seed % 5)
    members = np.random.default_rng(seed).permutation(40)[:17]
    part = graph.part(members)
    assert part.perimeter_m == pytest.approx(graph.perimeter_m[members])
    inside = np.isin(graph.pairs()[0], members).all(axis=1)
    assert len(part.pairs()[0]) == inside.sum()


def test_weights_change_lengths_only() -> None:
    graph = square_lattice(3, 3)
    heavier = graph.weighed(np.arange(12.0))
    assert heavier.neighbour is graph.neighbour
    assert heavier.pairs()[1].tolist() == list(range(12))


def test_components_and_pieces() -> None:
    row = block_graph(np.array([[0, 1], [1, 2], [3, 4]]), np.ones(3), np.ones(5), np.ones(5))
    assert row.components().tolist() == [0, 0, 0, 1, 1]
    assert row.pieces(np.array([7, 8, 7, 7, 7])).tolist() == [0, 1, 2, 3, 3]


@settings(max_examples=25)
@given(seed=SEEDS)
def test_a_walk_says_what_a_full_count_of_pieces_says(seed: int) -> None:
    graph, _, _ = voronoi_city(60, seed % 5)
    grid = np.random.default_rng(seed).integers(0, 3, 60) if seed % 2 else grown(graph, 4, seed)
    room = walking_room(60)
    for block in range(60):
        own = np.flatnonzero(grid == grid[block])
        others = own[own != block]
        before, after = (_pieces(graph, blocks) for blocks in (own, others))
        whole = stays_whole(graph.first, graph.neighbour, grid, block, *room)
        assert whole == (after <= before)
        size = walk(graph.first, graph.neighbour, grid, block, *room)
        assert size == (graph.pieces(grid) == graph.pieces(grid)[block]).sum()


def _pieces(graph, blocks):
    if blocks.size == 0:
        return 0
    near = sparse.csr_array((graph.border_m, graph.neighbour, graph.first), shape=(60, 60))
    return csgraph.connected_components(near[blocks][:, blocks], directed=False)[0]
