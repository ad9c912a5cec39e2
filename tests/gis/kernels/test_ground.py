"""Unequal ground: against counting every draw by hand, against sampling, and fair to thin places."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats

from gis.errors import InvalidInput
from gis.kernels.getis_ord import gi_star, local_test
from gis.kernels.ground import PARTS, as_ground
from gis.kernels.local_moran import local_moran
from gis.kernels.neighbourhoods import neighbourhoods
from tests.support.graphs import queen, random_graph


def by_hand(counts: np.ndarray, weights: sparse.csr_array, exposure: np.ndarray, i: int) -> tuple[float, float]:
    """Both tails of place i: every draw of whole places, and every thinning of one more."""
    ground = as_ground(exposure, neighbourhoods(counts, weights))
    near = np.setdiff1d(weights.indices[weights.indptr[i] : weights.indptr[i + 1]], [i])
    observed = counts[near].sum()
    pool = counts[ground.pool]
    kept = np.arange(pool.max() + 1)
    thinned = np.mean([stats.binom.pmf(kept, count, ground.rest[i] / PARTS) for count in pool], axis=0)
    others = [place for place in ground.pool if place != i]
    sums = np.array([counts[list(draw)].sum() for draw in combinations(others, int(ground.drawn[i]))], dtype=int)
    need = observed - sums
    greater = [thinned[max(n, 0) :].sum() for n in need]
    less = [thinned[: n + 1].sum() if n >= 0 else 0.0 for n in need]
    return float(np.mean(greater)), float(np.mean(less))


@settings(max_examples=50)
@given(
    n=st.integers(4, 10),
    share=st.floats(0.2, 0.8),
    highest=st.sampled_from([1, 4, 30]),
    thin=st.floats(0.0, 0.9),
    seed=st.integers(0, 10_000),
)
def test_every_draw_of_small_graphs(n: int, share: float, highest: int, thin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = random_graph(rng, n, share)
    counts = rng.integers(0, highest + 1, n) * rng.integers(0, 2, n)
    exposure = np.where(rng.random(n) < thin, rng.uniform(0.005, 1, n), 1.0)
    if as_ground(exposure, neighbourhoods(counts, weights)) is None:
        return
    found = local_test(counts, weights, exposure=exposure, inference="exact")
    for i in range(n):
        if found.neighbours[i] == 0:
            assert np.isnan([found.p_greater[i], found.p_less[i], found.p[i], found.q[i], found.z[i]]).all()
            continue
        greater, less = by_hand(counts, weights, exposure, i)
        assert found.p_greater[i] == pytest.approx(greater, rel=1e-11, abs=1e-300)
        assert found.p_less[i] == pytest.approx(less, rel=1e-11, abs=1e-300)


def test_equal_ground_is_the_plain_test() -> None:
    counts, weights = np.random.default_rng(0).poisson(3, 100), queen(10, 10)
    plain = local_test(counts, weights)
    for exposure in (np.full(100, 0.2), np.full(100, 90_000.0), np.random.default_rng(1).uniform(0.991, 1, 100)):
        same = local_test(counts, weights, exposure=exposure)
        assert same.p.tolist() == plain.p.tolist()
        assert same.z.tolist() == plain.z.tolist()


def test_away_from_thin_places_the_draw_is_from_the_whole_ones_alone() -> None:
    counts, weights = np.random.default_rng(2).poisson(3, 144), queen(12, 12)
    exposure = np.ones((12, 12))
    exposure[:, 0] = 0.25
    found = local_test(counts, weights, exposure=exposure.ravel())
    inner = np.delete(np.arange(144).reshape(12, 12), 0, axis=1)
    whole = local_test(counts[inner.ravel()], weights[inner.ravel()][:, inner.ravel()])
    # From the third column on, nobody has a thin neighbour.
    assert found.p.reshape(12, 12)[:, 3:].ravel() == pytest.approx(whole.p.reshape(12, 11)[:, 2:].ravel(), rel=1e-12)
    assert found.z.reshape(12, 12)[:, 3:].ravel() == pytest.approx(
        gi_star(counts[inner.ravel()], weights[inner.ravel()][:, inner.ravel()]).reshape(12, 11)[:, 2:].ravel(),
        rel=0.02,
    )


@pytest.mark.parametrize("rate", [2, 40])
def test_what_is_strewn_evenly_is_neither_hot_nor_cold_where_the_border_cuts(rate: int) -> None:
    exposure = np.ones((20, 20))
    exposure[:, 0], exposure[:, -1], exposure[0], exposure[-1], exposure[11] = 0.1, 0.5, 0.02, 0.03, 0.6
    exposure = exposure.ravel()
    thin, weights = exposure < 1, queen(20, 20)
    alarms = {"hot": 0, "cold": 0, "cold without ground": 0}
    for seed in range(60):
        counts = np.random.default_rng(seed).poisson(rate * exposure)
        found = local_test(counts, weights, exposure=exposure)
        alarms["hot"] += int((found.p_greater[thin] <= 0.05).sum())
        alarms["cold"] += int((found.p_less[thin] <= 0.05).sum())
        alarms["cold without ground"] += int((local_test(counts, weights).p_less[thin] <= 0.05).sum())
    tested = 60 * thin.sum()
    # Few incidents make sums lumpy, so that p is rarely just below a level.
    assert 0.02 < alarms["hot"] / tested < 0.06
    assert 0.02 < alarms["cold"] / tested < 0.06
    assert alarms["cold without ground"] > 1.9 * alarms["cold"]


def test_a_thin_place_that_is_busy_for_its_ground_makes_its_neighbours_hot() -> None:
    exposure = np.ones((12, 12))
    exposure[:, 0] = 0.1
    counts = np.random.default_rng(3).poisson(5 * exposure)
    counts[4:8, 0] = 12
    found = local_test(counts.ravel(), queen(12, 12), exposure=exposure.ravel())
    plain = local_test(counts.ravel(), queen(12, 12))
    beside = np.ravel_multi_index((np.array([5, 6]), np.array([1, 1])), (12, 12))
    assert (found.p_greater[beside] < 0.01).all()
    assert (found.p_greater[beside] < plain.p_greater[beside] / 3).all()


def test_sampling_agrees_with_counting() -> None:
    rng = np.random.default_rng(5)
    exposure = np.where(rng.random(400) < 0.4, rng.uniform(0.05, 1, 400), 1.0)
    counts, weights = rng.poisson(4 * exposure), queen(20, 20)
    exact = local_test(counts, weights, exposure=exposure, inference="exact")
    drawn = local_test(counts, weights, exposure=exposure, inference="permutation", permutations=4999, seed=1)
    assert (exact.inference, drawn.inference) == ("exact", "sweep")
    for p, truth in ((drawn.p_greater, exact.p_greater), (drawn.p_less, exact.p_less)):
        error = (p - truth) / np.sqrt(truth * (1 - truth) / 4999 + 4999.0**-2)
        assert np.abs(error).max() < 5.5
        assert np.sqrt((error**2).mean()) < 1.9


def test_one_place_that_is_the_whole_tail_is_taken_out_without_loss() -> None:
    counts = np.ones(900, dtype=int)
    counts[465] = 400
    exposure = np.ones(900)
    exposure[::30] = 0.3
    found = local_test(counts, queen(30, 30), exposure=exposure, inference="exact")
    # Without itself all places hold one incident, and its eight neighbours are whole: their sum cannot be another.
    assert found.p_less[465] == pytest.approx(1.0, abs=1e-12)
    assert found.p_greater[465] == pytest.approx(1.0, abs=1e-12)


def test_too_little_whole_ground_lets_all_places_stand_for_it() -> None:
    rng = np.random.default_rng(6)
    exposure = rng.uniform(0.1, 1.0, 60)
    near = neighbourhoods(rng.poisson(5 * exposure), queen(6, 10))
    ground = as_ground(exposure, near)
    assert ground.pool.size == 30
    assert (exposure[ground.pool] >= np.median(exposure)).all()
    assert ground.size[ground.pool].mean() == pytest.approx(1.0)
    everyone = sparse.csr_array(np.ones((60, 60)))
    assert as_ground(exposure, neighbourhoods(rng.poisson(5 * exposure), everyone)).pool.size == 60


def test_only_counts_have_ground() -> None:
    exposure = np.linspace(0.1, 1, 25)
    for values in (np.random.default_rng(0).random(25), np.arange(25) - 3):
        with pytest.raises(InvalidInput, match="counts"):
            local_test(values, queen(5, 5), exposure=exposure)
    for wrong in (np.ones(3), np.zeros(25), np.full(25, np.nan)):
        with pytest.raises(InvalidInput, match="ground"):
            local_test(np.arange(25), queen(5, 5), exposure=wrong)


@given(seed=st.integers(0, 500), unit=st.floats(0.001, 1e6))
def test_units_and_order_change_nothing(seed: int, unit: float) -> None:
    rng = np.random.default_rng(seed)
    weights = random_graph(rng, 30, 0.15)
    exposure = np.where(rng.random(30) < 0.5, rng.uniform(0.05, 0.98, 30), 1.0)
    counts = rng.poisson(6 * exposure)
    here = local_test(counts, weights, exposure=exposure)
    there = local_test(counts, weights, exposure=exposure * unit)
    assert there.p == pytest.approx(here.p, rel=1e-10, nan_ok=True)
    order = rng.permutation(30)
    mixed = local_test(counts[order], weights[order][:, order], exposure=exposure[order])
    assert mixed.p == pytest.approx(here.p[order], rel=1e-10, nan_ok=True)
    moran = local_moran(counts, weights, exposure=exposure)
    assert moran.p.tolist() == pytest.approx(here.p.tolist(), nan_ok=True)
