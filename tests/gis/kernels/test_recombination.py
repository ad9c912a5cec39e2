"""Two grids divided anew: small pairs provably best, all of them whole, locks kept."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import voronoi_city
from gis.kernels.plan_objective import FROM_SCRATCH, REBALANCE, Band, objective
from gis.kernels.recombination import recombine
from tests.support.block_cities import grown, square_lattice

SMALL = voronoi_city(12, 5)
CITY = voronoi_city(200, 3)


def account(load: np.ndarray, k: int) -> dict:
    return {"grids_count": k, "band": Band.around(load.sum() / k, 0.15), "weights": REBALANCE}


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_a_small_pair_ends_at_the_best_of_all_its_divisions(seed: int) -> None:
    graph, load, _ = SMALL
    rng = np.random.default_rng(seed)
    start, base, fixed = grown(graph, 2, seed), rng.integers(-1, 2, 12), rng.random(12) < 0.15
    price = rng.random((12, 2)) if seed % 2 else None
    found = recombine(graph, load, start, base=base, fixed=fixed, place_cost=price, **account(load, 2))
    best = np.inf
    for bits in itertools.product((0, 1), repeat=12):
        grid = np.array(bits)
        if (grid == start)[fixed].all() and graph.pieces(grid).max() == 1:
            best = min(best, objective(graph, load, grid, base=base, place_cost=price, **account(load, 2)).total)
    assert found.after.total == pytest.approx(best, abs=1e-6)
    assert (found.grid == start)[fixed].all()
    assert found.settled


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), k=st.integers(3, 40))
def test_grids_stay_whole_and_the_plan_gets_no_worse(seed: int, k: int) -> None:
    graph, load, _ = CITY
    start = grown(graph, k, seed)
    fixed, closed = np.random.default_rng(seed).random(200) < 0.1, np.arange(k) == 0
    found = recombine(graph, load, start, fixed=fixed, closed=closed, base=start, seed=seed, **account(load, k))
    assert graph.pieces(found.grid).max() + 1 == k
    assert found.after.total <= found.before.total
    assert (found.grid == start)[fixed | (start == 0)].all()
    assert not ((found.grid == 0) & (start != 0)).any()
    again = recombine(graph, load, start, fixed=fixed, closed=closed, base=start, seed=seed, **account(load, k))
    assert again.grid.tolist() == found.grid.tolist()


def test_a_swap_that_no_single_move_can_make() -> None:
    """Loads 4 3 | 2 5 along a ring: only the exchange of 3 and 2 evens them out."""
    graph = square_lattice(2, 2)
    load = np.array([3.0, 2.0, 4.0, 5.0])
    start = np.array([0, 1, 0, 1])
    found = recombine(graph, load, start, grids_count=2, band=Band.around(7.0, 0.0), weights=FROM_SCRATCH)
    assert np.bincount(found.grid, load).tolist() == [7, 7]
    swap = np.array([3.0, 4.0, 5.0, 2.0])
    even = recombine(graph, swap, start, grids_count=2, band=Band.around(7.0, 0.0), weights=FROM_SCRATCH)
    assert sorted(np.bincount(even.grid, swap)) == [7, 7]


def test_grids_in_pieces_are_left_alone() -> None:
    graph = square_lattice(5, 1)
    start = np.array([0, 1, 0, 0, 1])
    found = recombine(graph, np.ones(5), start, **account(np.ones(5), 2))
    assert found.grid.tolist() == start.tolist()
    assert found.pairs == 0
