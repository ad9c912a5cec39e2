"""Gi* of a cube: the same as G* and its exact p on a graph of bins, whatever the order, fair to thin places."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from gis.errors import InvalidInput
from gis.kernels import space_time_gi
from gis.kernels.getis_ord import local_test
from gis.kernels.space_time_gi import cube_test
from tests.support.graphs import queen, random_graph


def of_space(whole: sparse.csr_array) -> sparse.csr_array:
    near = sparse.csr_array(whole - sparse.eye_array(whole.shape[0]))
    near.eliminate_zeros()
    return near


def of_bins(whole: sparse.csr_array, steps: int, lag: int) -> sparse.csr_array:
    """The graph of bins, place by place: bin (i, t) has (j, s) where j is i or its neighbour and t - lag <= s <= t."""
    before = sum(np.eye(steps, k=-back) for back in range(lag + 1))
    return sparse.csr_array(sparse.kron(whole, before))


@given(seed=st.integers(0, 500), lag=st.integers(0, 4))
def test_a_graph_of_bins_gives_the_same(seed: int, lag: int) -> None:
    rng = np.random.default_rng(seed)
    whole = random_graph(rng, 12, 0.3)
    counts = rng.poisson(2.0, (12, 6))
    found = cube_test(counts, of_space(whole), lag_steps=lag)
    bins = local_test(counts.ravel(), of_bins(whole, 6, lag))
    alone = np.repeat(np.diff(whole.indptr) == 1, 6)
    assert np.isnan(found.z.ravel()[alone]).all()
    assert np.isnan(found.p.ravel()[alone]).all()
    assert found.z.ravel()[~alone] == pytest.approx(bins.z[~alone], abs=1e-9, nan_ok=True)
    assert found.p.ravel()[~alone] == pytest.approx(bins.p[~alone], rel=1e-10)
    assert (found.hotter.ravel() == (bins.p_greater < bins.p_less))[~alone].all()
    assert found.inference == "exact"


@given(seed=st.integers(0, 300))
def test_unequal_ground_too(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = queen(4, 4)
    exposure = np.where(rng.random(16) < 0.4, rng.uniform(0.05, 0.9, 16), 1.0)
    counts = rng.poisson(3 * exposure[:, None] * np.ones(5))
    found = cube_test(counts, of_space(whole), exposure=exposure)
    bins = local_test(counts.ravel(), of_bins(whole, 5, 1), exposure=np.repeat(exposure, 5))
    assert found.z.ravel() == pytest.approx(bins.z, abs=1e-9, nan_ok=True)
    assert found.p.ravel() == pytest.approx(bins.p, rel=1e-10)


def test_q_is_over_all_bins() -> None:
    counts = np.random.default_rng(1).poisson(1.0, (36, 8))
    counts[14:16, 5:] += 9
    found = cube_test(counts, of_space(queen(6, 6)))
    p = np.sort(found.p.ravel())
    assert found.q.min() == pytest.approx((p * p.size / np.arange(1, p.size + 1)).min())
    assert (found.q >= found.p).all()


def test_the_first_steps_are_smaller_neighbourhoods_and_as_fair() -> None:
    share = []
    for seed in range(40):
        found = cube_test(np.random.default_rng(seed).poisson(4.0, (100, 12)), of_space(queen(10, 10)), lag_steps=2)
        share.append((found.p <= 0.1).mean(axis=0))
    by_step = np.mean(share, axis=0)
    assert ((by_step > 0.07) & (by_step < 0.12)).all()


def test_a_cube_without_change_in_it_says_nothing() -> None:
    found = cube_test(np.full((9, 4), 2), of_space(queen(3, 3)))
    assert np.isnan(found.z).all()
    assert (found.p == 1).all()


def test_where_counting_would_take_long_the_normal_comes_close(monkeypatch) -> None:
    counts, near = np.random.default_rng(2).poisson(5.0, (400, 6)), of_space(queen(20, 20))
    exposure = np.where(np.arange(400) % 7 == 0, 0.4, 1.0)
    for ground in (None, exposure):
        exact = cube_test(counts, near, lag_steps=2, exposure=ground)
        with monkeypatch.context() as patch:
            patch.setattr(space_time_gi, "is_affordable", lambda *_: False)
            patch.setattr(space_time_gi, "exact_tails_on_ground", lambda *_: None)
            normal = cube_test(counts, near, lag_steps=2, exposure=ground)
        assert (exact.inference, normal.inference) == ("exact", "normal")
        assert normal.z.tolist() == exact.z.tolist()
        assert np.abs(normal.p - exact.p).max() < 0.15
        small = exact.p < 0.2
        assert (normal.hotter == exact.hotter)[small].all()


@given(seed=st.integers(0, 300))
def test_the_order_of_places_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole, counts, order = random_graph(rng, 15, 0.25), rng.poisson(2.0, (15, 5)), rng.permutation(15)
    here = cube_test(counts, of_space(whole))
    there = cube_test(counts[order], of_space(sparse.csr_array(whole[order][:, order])))
    assert there.p == pytest.approx(here.p[order], rel=1e-11, nan_ok=True)
    assert there.z == pytest.approx(here.z[order], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    "counts", [np.full((9, 3), 0.5), np.full((9, 3), -1), np.zeros(9, dtype=int), np.zeros((4, 3), dtype=int)]
)
def test_what_is_no_cube_is_refused(counts: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        cube_test(counts, of_space(queen(3, 3)))
