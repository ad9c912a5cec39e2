"""Bounds: the published ones, and that no plan of any kind undercuts them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import voronoi_city
from gis.kernels.exact_partition import most_even, shortest_cut
from gis.kernels.partition_bounds import (
    balance_bounds,
    grids_allowed,
    lattice_cut_bound,
    load_that_must_flow,
    load_that_must_move,
)
from gis.kernels.plan_objective import Band
from tests.support.block_cities import grown, square_lattice


@pytest.mark.parametrize(
    ("side", "grids", "bound"), [(32, 25, 261.0), (60, 90, 1020.0), (100, 250, 2966.667), (316, 2497, 30_992.667)]
)
def test_the_published_bounds_of_lattices(side: int, grids: int, bound: float) -> None:
    assert lattice_cut_bound(side, side, grids, tolerance=0.1) == pytest.approx(bound, abs=5e-4)


@pytest.mark.parametrize(("columns", "rows", "grids"), [(4, 4, 4), (5, 4, 4), (6, 4, 3), (4, 3, 2)])
def test_the_bound_of_a_small_lattice_is_reached_or_stays_below_the_best(columns: int, rows: int, grids: int) -> None:
    squares = columns * rows
    bound = lattice_cut_bound(columns, rows, grids, tolerance=0.1)
    mean = squares / grids
    best = shortest_cut(square_lattice(columns, rows), np.ones(squares), grids, least=0.9 * mean, most=1.1 * mean)
    assert bound <= best.cut_m + 1e-9
    assert best.cut_m <= bound + 2


def test_no_size_is_allowed() -> None:
    assert lattice_cut_bound(3, 1, 2, tolerance=0.1) == np.inf


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), tolerance=st.sampled_from([0.05, 0.2, 0.5]))
def test_no_plan_is_evener_than_the_bound(seed: int, tolerance: float) -> None:
    graph, load, _ = voronoi_city(12, seed % 6)
    load = load + 1
    band = Band.around(load.sum() / (2 + seed % 3), tolerance)
    bounds = balance_bounds(load, np.zeros(12, np.int64), band=band)
    reached, in_band = np.inf, False
    for k in range(1, 7):
        found = most_even(graph, load, k)
        loads = np.bincount(found.grid, load)
        reached = min(reached, np.abs(loads / band.target - 1).max())
        in_band |= bool(band.holds(loads).all())
    assert bounds.deviation[0] <= reached + 1e-9
    assert not in_band or bounds.feasible[0]


def test_grids_that_fit() -> None:
    band = Band(300.0, 150.0, 500.0)
    assert grids_allowed(140.0, 5, band=band) is None
    assert grids_allowed(150.0, 5, band=band) == (1, 1)
    assert grids_allowed(1000.0, 4, band=band) == (2, 4)
    assert grids_allowed(1001.0, 2, band=band) is None
    assert grids_allowed(0.0, 2, band=Band(300.0, 0.0, 500.0)) == (1, 2)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 8))
def test_no_plan_moves_less_than_the_bounds(seed: int, k: int) -> None:
    """Whatever two plans are taken as before and after, in the band that the second one keeps."""
    graph, load, _ = voronoi_city(60, seed % 5)
    before, after = grown(graph, k, seed), grown(graph, k, seed + 1)
    had, has = np.bincount(before, load, minlength=k), np.bincount(after, load, minlength=k)
    least, most = np.full(k, has.min()), np.full(k, has.max())
    moved = load[before != after].sum()
    together = np.zeros(k, np.int64)
    must = load_that_must_move(had, least=least, most=most, component=together)
    assert must <= moved + 1e-9
    every_pair = np.stack(np.triu_indices(k, 1), axis=1)
    flow = load_that_must_flow(had, least=least, most=most, near=every_pair)
    assert flow <= moved + 1e-6
    assert flow >= must - 1e-6


def test_flow_over_two_borders_counts_twice_and_may_be_impossible() -> None:
    load, least, most = np.array([30.0, 10, 0]), np.full(3, 10.0), np.full(3, 20.0)
    row = np.array([[0, 1], [1, 2]])
    assert load_that_must_flow(load, least=least, most=most, near=row) == pytest.approx(20)
    assert load_that_must_move(load, least=least, most=most, component=np.zeros(3, np.int64)) == 10
    assert np.isnan(load_that_must_flow(load, least=least, most=most, near=row[:1]))
    nothing = np.empty((0, 2), np.int64)
    assert np.isnan(load_that_must_flow(load, least=least, most=most, near=nothing))
    assert load_that_must_flow(np.full(3, 15.0), least=least, most=most, near=nothing) == 0
