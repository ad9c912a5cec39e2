"""Annealing keeps grids whole, obeys locks, repeats itself, and comes near what is provably best."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import voronoi_city
from gis.errors import InvalidInput
from gis.kernels.annealing import LATTICE, Schedule, anneal
from gis.kernels.partition_bounds import lattice_cut_bound
from gis.kernels.plan_objective import (
    EQUAL_BLOCKS,
    FROM_SCRATCH,
    REBALANCE,
    Band,
    Weights,
    cut_length,
    objective,
)
from gis.kernels.random_stream import below, stream, unit
from tests.support.block_cities import grown, square_lattice

CITY = voronoi_city(150, 3)
SHORT = Schedule(60, 0.3, 0.02)


def account(load: np.ndarray, k: int, tolerance: float = 0.2) -> dict:
    return {"grids_count": k, "band": Band.around(load.sum() / k, tolerance), "weights": FROM_SCRATCH}


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 12))
def test_every_grid_stays_whole_and_the_plan_is_never_worse(seed: int, k: int) -> None:
    graph, load, _ = CITY
    start = grown(graph, k, seed)
    found = anneal(graph, load, start, schedule=SHORT, seed=seed, **account(load, k))
    assert sorted(np.unique(found.grid)) == list(range(k))
    assert graph.pieces(found.grid).max() + 1 == k
    assert found.after.total <= found.before.total
    assert found.after == objective(graph, load, found.grid, base=None, **account(load, k))
    assert start.tolist() == grown(graph, k, seed).tolist()


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_locked_blocks_and_closed_grids_stay(seed: int) -> None:
    graph, load, _ = CITY
    rng = np.random.default_rng(seed)
    start = grown(graph, 8, seed)
    fixed, closed = rng.random(150) < 0.2, np.arange(8) == seed % 8
    found = anneal(graph, load, start, schedule=SHORT, seed=seed, fixed=fixed, closed=closed, **account(load, 8))
    assert (found.grid == start)[fixed].all()
    assert ((found.grid == seed % 8) == (start == seed % 8)).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_blocks_go_where_they_cost_least_besides(seed: int) -> None:
    lattice = square_lattice(12, 12)
    rng = np.random.default_rng(seed)
    centres = rng.choice(144, 4, replace=False)
    # Along the lattice each block reaches its nearest centre through blocks that are as near to the same one.
    steps = np.abs(np.arange(144)[:, None] // 12 - centres // 12) + np.abs(np.arange(144)[:, None] % 12 - centres % 12)
    price = steps.astype(float)
    task = {"grids_count": 4, "band": Band(36.0, 0.0, 144.0), "weights": Weights(cut=0.0, spread=0.0, band=0.0)}
    found = anneal(
        lattice, np.ones(144), grown(lattice, 4, seed), schedule=Schedule(400, 1.0, 0.01), place_cost=price, **task
    )
    assert found.after == objective(lattice, np.ones(144), found.grid, base=None, place_cost=price, **task)
    assert found.after.place == pytest.approx(price.min(axis=1).sum(), rel=0.02)


def test_nothing_to_move_is_no_error() -> None:
    graph, load, _ = CITY
    start = grown(graph, 4, 1)
    found = anneal(graph, load, start, schedule=SHORT, fixed=np.ones(150, bool), **account(load, 4))
    assert (found.grid == start).all()
    assert found.proposals == 0


def test_the_same_seed_gives_the_same_plan_and_another_another() -> None:
    graph, load, _ = CITY
    start = grown(graph, 6, 1)
    plans = [anneal(graph, load, start, schedule=SHORT, seed=s, **account(load, 6)).grid for s in (1, 1, 2)]
    assert plans[0].tolist() == plans[1].tolist()
    assert plans[0].tolist() != plans[2].tolist()


def test_progress_rises_and_may_cancel() -> None:
    graph, load, _ = CITY
    start = grown(graph, 6, 1)
    shares: list[float] = []
    long = Schedule(20_000, 0.3, 0.02)
    quiet = anneal(graph, load, start, schedule=long, **account(load, 6))
    loud = anneal(graph, load, start, schedule=long, progress=shares.append, **account(load, 6))
    assert loud.grid.tolist() == quiet.grid.tolist()
    assert len(shares) == 3
    assert shares == sorted(shares)

    def cancel(share: float) -> None:
        raise KeyboardInterrupt(share)

    with pytest.raises(KeyboardInterrupt):
        anneal(graph, load, start, schedule=long, progress=cancel, **account(load, 6))


def test_a_lone_piece_comes_home_but_a_grid_is_never_emptied() -> None:
    graph = square_lattice(6, 1)
    start = np.array([0, 1, 1, 0, 0, 0])
    found = anneal(
        graph,
        np.ones(6),
        start,
        grids_count=2,
        band=Band.around(3.0, 0.1),
        weights=FROM_SCRATCH,
        schedule=Schedule(500, 0.3, 0.02),
    )
    assert found.grid.tolist() in ([1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1])


def test_a_stability_weight_keeps_what_needs_no_change() -> None:
    graph, load, _ = CITY
    base = anneal(graph, load, grown(graph, 5, 1), schedule=Schedule(500, 0.3, 0.02), **account(load, 5)).grid
    heavier = load.copy()
    heavier[base == 0] = np.round(heavier[base == 0] * 1.5)
    band = Band.around(heavier.sum() / 5, 0.15)
    moved = {}
    for stability in (0.0, 3.0):
        weights = Weights(REBALANCE.cut, REBALANCE.spread, REBALANCE.band, stability)
        found = anneal(
            graph,
            heavier,
            base,
            grids_count=5,
            band=band,
            weights=weights,
            base=base,
            schedule=Schedule(400, 0.05, 0.001),
        )
        assert band.holds(np.bincount(found.grid, heavier)).all()
        moved[stability] = heavier[found.grid != base].sum()
    assert 0 < moved[3.0] < 0.7 * moved[0.0]


@pytest.mark.parametrize("side", [24, 32])
def test_unit_squares_come_within_four_per_cent_of_the_bound(side: int) -> None:
    """Of many grids of about forty squares; the bound is a proof, and is never undercut."""
    graph, k = square_lattice(side, side), round(side * side / 41)
    load = np.ones(side * side)
    band = Band.around(side * side / k, 0.1)
    bound = lattice_cut_bound(side, side, k, tolerance=0.1)
    found = anneal(
        graph,
        load,
        grown(graph, k, 1),
        grids_count=k,
        band=band,
        weights=EQUAL_BLOCKS,
        schedule=Schedule(6_000, LATTICE.hottest, LATTICE.coldest),
    )
    assert band.holds(np.bincount(found.grid)).all()
    assert bound <= cut_length(graph, found.grid) <= 1.04 * bound


def test_a_band_must_hold_its_target() -> None:
    with pytest.raises(InvalidInput, match="least <= target"):
        Band(300.0, 350.0, 500.0)
    assert Band(300.0, 150.0, 500.0).excess(np.array([0.0, 150, 300, 500, 800])).tolist() == [0.5, 0, 0, 0, 1]


def test_the_stream_is_even() -> None:
    state = stream(0)
    whole = np.bincount([below(state, 7) for _ in range(70_000)], minlength=7)
    assert whole == pytest.approx(np.full(7, 10_000), abs=400)
    parts = np.array([unit(state) for _ in range(20_000)])
    assert parts.min() >= 0
    assert parts.max() < 1
    assert parts.mean() == pytest.approx(0.5, abs=0.01)
