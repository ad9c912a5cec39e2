"""Local Moran: esda's values, every neighbourhood counted, clusters told from outliers."""

import numpy as np
import pytest
from esda.moran import Moran_Local
from hypothesis import given
from hypothesis import strategies as st
from libpysal.graph import Graph
from scipy import sparse

from gis.kernels.getis_ord import gi, local_test
from gis.kernels.global_autocorrelation import moran_i
from gis.kernels.local_moran import local_moran
from tests.support.graphs import queen, random_graph


def test_esda_has_the_same_values() -> None:
    rng = np.random.default_rng(3)
    weights = queen(12, 9)
    values = rng.poisson(2.0, 108)
    graph = Graph.from_sparse(sparse.coo_array(weights - sparse.eye_array(108)))
    theirs = Moran_Local(values.astype(float), graph, transformation="B", permutations=0)
    ours = local_moran(values, weights)
    # esda divides by n - 1, Anselin (1995, equation 13) by n.
    assert ours.local_i * 107 / 108 == pytest.approx(theirs.Is, abs=1e-12)
    assert (ours.high == np.isin(theirs.q, (1, 4))).all()
    sure = ours.p < 0.1
    assert sure.sum() > 5
    assert (ours.high_around == np.isin(theirs.q, (1, 2)))[sure].all()


def test_row_standardised_weights_as_geoda_uses_them() -> None:
    values = np.random.default_rng(4).poisson(3.0, 60)
    near = queen(6, 10) - sparse.eye_array(60)
    rows = sparse.csr_array(near / near.sum(axis=1)[:, None])
    graph = Graph.from_sparse(sparse.coo_array(near))
    theirs = Moran_Local(values.astype(float), graph, transformation="R", permutations=0)
    assert local_moran(values, rows).local_i * 59 / 60 == pytest.approx(theirs.Is, abs=1e-12)
    assert local_moran(values, rows).p == pytest.approx(local_moran(values, near).p, rel=1e-12)


def test_p_is_that_of_the_neighbours_sum() -> None:
    values, weights = np.random.default_rng(5).poisson(2, 64), queen(8, 8)
    moran, star = local_moran(values, weights), local_test(values, weights)
    assert moran.p.tolist() == star.p.tolist()
    assert moran.q.tolist() == star.q.tolist()
    assert np.abs(moran.z) == pytest.approx(np.abs(gi(values, weights)), abs=1e-12, nan_ok=True)


def test_the_sum_of_local_values_is_the_global_one() -> None:
    values, weights = np.random.default_rng(6).poisson(2, 64), queen(8, 8)
    near = weights - sparse.eye_array(64)
    assert local_moran(values, weights).local_i.sum() / near.sum() == pytest.approx(moran_i(values, near).value)


def test_a_cluster_and_an_outlier() -> None:
    values = np.random.default_rng(7).poisson(2, (15, 15))
    values[2:5, 2:5] = 12
    values[10:13, 10:13] = 12
    values[11, 11] = 0
    found = local_moran(values.ravel(), queen(15, 15))
    middle, hole = np.ravel_multi_index(((3, 11), (3, 11)), (15, 15))
    assert found.q[[middle, hole]].max() < 0.01
    assert (found.high[middle], found.high_around[middle]) == (True, True)
    assert (found.high[hole], found.high_around[hole]) == (False, True)
    assert found.local_i[middle] > 0 > found.local_i[hole]
    assert found.z[middle] > 2 > -2 > found.z[hole]


def test_islands_and_equal_values_say_nothing() -> None:
    weights = sparse.block_diag([queen(4, 4), sparse.eye_array(1)]).tocsr()
    values = np.append(np.random.default_rng(8).poisson(2, 16), 50)
    found = local_moran(values, weights)
    assert np.isnan([found.local_i[16], found.z[16], found.p[16], found.q[16]]).all()
    level = local_moran(np.full(25, 3), queen(5, 5))
    assert np.isnan(level.local_i).all()
    assert (level.p == 1).all()


@given(seed=st.integers(0, 500), shift=st.integers(-1000, 1000), factor=st.integers(1, 9))
def test_units_and_order_change_nothing(seed: int, shift: int, factor: int) -> None:
    rng = np.random.default_rng(seed)
    weights, values, order = random_graph(rng, 25, 0.2), rng.integers(0, 9, 25), rng.permutation(25)
    here = local_moran(values, weights)
    there = local_moran((values * factor + shift)[order], weights[order][:, order])
    assert there.local_i == pytest.approx(here.local_i[order], abs=1e-9, nan_ok=True)
    assert there.p == pytest.approx(here.p[order], rel=1e-11, nan_ok=True)
