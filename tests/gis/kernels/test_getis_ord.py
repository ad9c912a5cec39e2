"""G and G*: the published scores, islands, ties, both sides, and what must not change a score."""

from pathlib import Path

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
from esda.getisord import G_Local
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from libpysal.graph import Graph
from scipy import sparse, spatial

from gis.errors import InvalidInput
from gis.kernels.getis_ord import gi, gi_star, local_test
from tests.support.graphs import queen, random_graph, with_own

SIX_POINTS = np.array([(10, 10), (20, 10), (40, 10), (15, 20), (30, 20), (30, 30)])
SIX_VALUES = np.array([2, 3, 3.2, 5, 8, 7])


@pytest.fixture(scope="module")
def columbus() -> tuple[np.ndarray, sparse.csr_array]:
    frame = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    near = sparse.csr_array(Graph.build_contiguity(frame, rook=False).sparse, dtype=float)
    assert near.nnz == 236
    return frame["CRIME"].to_numpy(), with_own(near)


def test_columbus_as_spdep_has_it(shared_data: Path, columbus) -> None:
    crime, weights = columbus
    expected = pd.read_csv(shared_data / "oracles/hotspots/columbus_spdep.csv")
    assert crime == pytest.approx(expected["CRIME"], abs=1e-9)
    rows = weights.sum(axis=1)
    standardised = sparse.csr_array(weights / rows[:, None])
    assert np.abs(gi_star(crime, weights) - expected["Gs_B"]).max() < 1e-9
    assert np.abs(gi_star(crime, standardised) - expected["Gs_W"]).max() < 1e-9
    assert np.abs(gi(crime, weights) - expected["G_B"]).max() < 1e-9
    assert (np.abs(gi_star(crime, weights)) > 1.96).sum() == 18
    assert (np.abs(gi(crime, weights)) > 1.96).sum() == 15


def test_six_points() -> None:
    tree = spatial.cKDTree(SIX_POINTS)
    weights = sparse.csr_array(tree.sparse_distance_matrix(tree, 15).toarray() > 0).astype(float)
    star = [-1.39727626, -0.28917762, 0.65064964, -0.28917762, 1.23452088, 2.02424331]
    alone = [-1.0136729, -0.04361589, 1.31558703, -0.31412676, 1.15373986, 1.77833941]
    assert gi_star(SIX_VALUES, with_own(weights)) == pytest.approx(star, abs=1e-8)
    assert gi(SIX_VALUES, with_own(weights)) == pytest.approx(alone, abs=1e-8)


def test_esda_agrees_where_it_is_right() -> None:
    rng = np.random.default_rng(3)
    weights = queen(12, 9)
    values = rng.poisson(2.0, 108).astype(float)
    graph = Graph.from_sparse(sparse.coo_array(weights - sparse.eye_array(108)))
    theirs = [G_Local(values, graph, transform="B", star=star, permutations=0).Zs for star in (True, False)]
    assert np.abs(gi_star(values, weights) - theirs[0]).max() < 1e-9
    assert np.abs(gi(values, weights) - theirs[1]).max() < 1e-9


def test_islands_are_never_significant() -> None:
    weights = queen(5, 5).tolil()
    weights[7, :] = 0
    weights[:, 7] = 0
    weights[7, 7] = 1
    values = np.random.default_rng(0).poisson(3, 25)
    values[7] = 1000
    for inference in ("exact", "permutation"):
        found = local_test(values, weights.tocsr(), inference=inference, permutations=99)
        assert found.neighbours[7] == 0
        for column in (found.z, found.p, found.q, found.p_greater, found.p_less):
            assert np.isnan(column[7])
            assert np.isfinite(np.delete(column, 7)).all()
    assert np.isnan(gi(values, weights.tocsr())[7])


def test_an_island_is_no_test_for_the_correction() -> None:
    values = np.random.default_rng(1).poisson(3, 36)
    alone = local_test(values, queen(6, 6))
    weights = sparse.block_diag([queen(6, 6), sparse.eye_array(4)]).tocsr()
    found = local_test(np.append(values, values[:4]), weights)
    assert np.isnan(found.q[36:]).all()
    p = np.sort(found.p[:36])
    assert np.nanmin(found.q) == pytest.approx((p * 36 / np.arange(1, 37)).min())
    assert len(alone.q) == 36


def test_equal_values_are_neither_hot_nor_cold() -> None:
    found = local_test(np.full(25, 4), queen(5, 5))
    assert np.isnan(found.z).all()
    assert (found.p == 1).all()
    assert (found.p_greater == 1).all()


def test_a_place_next_to_everything_has_no_score() -> None:
    found = local_test(np.arange(4), sparse.csr_array(np.ones((4, 4))))
    assert np.isnan(found.z).all()
    assert (found.p == 1).all()


def test_one_side_and_two() -> None:
    values = np.random.default_rng(2).poisson(2, 100)
    weights = queen(10, 10)
    two, hot, cold = (local_test(values, weights, alternative=a) for a in ("two-sided", "greater", "less"))
    assert (hot.p == hot.p_greater).all()
    assert (cold.p == cold.p_less).all()
    assert two.p == pytest.approx(np.minimum(1, 2 * np.minimum(hot.p, cold.p)), rel=1e-15)
    # A tie with itself counts on both sides, so together they are more than one.
    assert (hot.p + cold.p > 1).all()


def test_star_and_plain_have_one_p() -> None:
    values = np.random.default_rng(4).poisson(2, 64)
    near = sparse.csr_array(queen(8, 8) - sparse.eye_array(64))
    near.eliminate_zeros()
    assert local_test(values, near).p.tolist() == local_test(values, queen(8, 8)).p.tolist()


def test_what_cannot_be_tested_is_refused() -> None:
    weights = queen(3, 3)
    with pytest.raises(InvalidInput, match="finite"):
        gi_star(np.array([1.0, np.nan, *range(7)]), weights)
    with pytest.raises(InvalidInput, match="shape"):
        gi_star(np.arange(8), weights)
    with pytest.raises(InvalidInput, match="negative"):
        gi_star(np.arange(9), sparse.csr_array(-weights))
    with pytest.raises(InvalidInput, match="permutation"):
        local_test(np.random.default_rng(0).random(9), weights, inference="exact")


@pytest.mark.parametrize("form", ["csr_matrix", "coo_array", "csc_array", "lil_array"])
def test_any_sparse_form_and_kind_of_number(form: str) -> None:
    values = np.random.default_rng(5).poisson(2, 30)
    expected = local_test(values, queen(5, 6))
    for dtype in (float, int, bool, np.float32):
        weights = getattr(sparse, form)(queen(5, 6).astype(dtype))
        found = local_test(values.astype(np.int32), weights)
        assert found.z == pytest.approx(expected.z, abs=1e-12)
        assert found.p.tolist() == expected.p.tolist()
        assert found.inference == "exact"


counts = arrays(np.int64, 30, elements=st.integers(0, 60))


@given(values=counts, seed=st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(values: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(30)
    weights = random_graph(rng, 30, 0.15)
    here, there = local_test(values, weights), local_test(values[order], weights[order][:, order])
    assert there.p == pytest.approx(here.p[order], rel=1e-12, nan_ok=True)
    assert there.z == pytest.approx(here.z[order], abs=1e-9, nan_ok=True)


@given(values=counts)
def test_turning_and_mirroring_the_city_turns_the_answer(values: np.ndarray) -> None:
    weights = queen(5, 6)
    before = local_test(values, weights)
    for turn in (np.flipud, np.fliplr, lambda a: np.rot90(a, 2)):
        after = local_test(turn(values.reshape(5, 6)).ravel(), weights)
        assert after.p == pytest.approx(turn(before.p.reshape(5, 6)).ravel(), rel=1e-12)
        assert after.z == pytest.approx(turn(before.z.reshape(5, 6)).ravel(), abs=1e-9, nan_ok=True)


@given(values=counts, shift=st.integers(-(10**6), 10**6), factor=st.integers(1, 50), weight=st.floats(0.01, 1000))
def test_units_and_offsets_change_nothing(values: np.ndarray, shift: int, factor: int, weight: float) -> None:
    weights = queen(5, 6)
    plain = local_test(values, weights)
    moved = local_test(values * factor + shift, weights * weight)
    assert moved.p == pytest.approx(plain.p, rel=1e-11)
    assert moved.z == pytest.approx(plain.z, abs=1e-8, nan_ok=True)
    tenths = local_test(values / 10, weights)
    assert tenths.inference == "exact"
    assert tenths.p == pytest.approx(plain.p, rel=1e-11)


@given(values=counts)
def test_upside_down_hot_is_cold(values: np.ndarray) -> None:
    up, down = local_test(values, queen(5, 6)), local_test(-values, queen(5, 6))
    assert down.p_greater == pytest.approx(up.p_less, rel=1e-11)
    assert down.z == pytest.approx(-up.z, abs=1e-9, nan_ok=True)
    assert down.p == pytest.approx(up.p, rel=1e-11)
