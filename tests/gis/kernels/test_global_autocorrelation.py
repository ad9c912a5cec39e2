"""Global Moran's I and G: spdep's Columbus, esda, every permutation of a few values, and the scale of clusters."""

from itertools import permutations

import geopandas as gpd
import libpysal
import numpy as np
import pytest
from esda import G, Moran
from libpysal.graph import Graph
from scipy import sparse, spatial

from gis.errors import InvalidInput
from gis.kernels import global_autocorrelation
from gis.kernels.global_autocorrelation import first_peak, general_g, moran_by_distance, moran_i
from tests.support.graphs import queen


@pytest.fixture(scope="module")
def columbus() -> tuple[np.ndarray, sparse.csr_array]:
    frame = gpd.read_file(libpysal.examples.get_path("columbus.shp"))
    near = sparse.csr_array(Graph.build_contiguity(frame, rook=False).sparse, dtype=float)
    return frame["CRIME"].to_numpy(), near


def test_columbus_as_spdep_has_it(columbus) -> None:
    crime, near = columbus
    rows = sparse.csr_array(near / near.sum(axis=1)[:, None])
    found = moran_i(crime, rows)
    assert found.value == pytest.approx(0.500188557, abs=5e-10)
    assert found.expected == pytest.approx(-1 / 48)
    assert found.variance == pytest.approx(0.008689289, abs=5e-10)
    g = general_g(crime, near)
    assert g.value == pytest.approx(0.1278075, abs=5e-8)
    assert g.z == pytest.approx(4.638151, abs=5e-7)


def test_esda_agrees(columbus) -> None:
    crime, near = columbus
    graph = Graph.from_sparse(sparse.coo_array(near))
    i = Moran(crime, graph, transformation="B", permutations=0)
    found = moran_i(crime, near)
    assert (found.value, found.variance, found.z) == pytest.approx((i.I, i.VI_rand, i.z_rand), rel=1e-10)
    g = G(crime, graph, permutations=0)
    found = general_g(crime, near)
    assert (found.value, found.expected, found.variance) == pytest.approx((g.G, g.EG, g.VG), rel=1e-9)


def test_the_moments_are_those_of_all_permutations() -> None:
    values = np.array([0, 1, 1, 4, 9, 2])
    weights = sparse.csr_array(np.triu(np.random.default_rng(0).random((6, 6)) < 0.5, 1).astype(float))
    weights = sparse.csr_array(weights + weights.T)
    for statistic in (moran_i, general_g):
        dealt = np.array([statistic(np.array(order), weights).value for order in permutations(values.tolist())])
        found = statistic(values, weights)
        assert found.expected == pytest.approx(dealt.mean())
        assert found.variance == pytest.approx(dealt.var())


def test_weights_may_be_lopsided_and_the_diagonal_plays_no_part() -> None:
    rng = np.random.default_rng(1)
    weights = sparse.csr_array(rng.random((5, 5)) * (rng.random((5, 5)) < 0.6))
    values = np.array([3, 0, 1, 7, 2])
    for statistic in (moran_i, general_g):
        dealt = np.array([statistic(np.array(order), weights).value for order in permutations(values.tolist())])
        assert statistic(values, weights).variance == pytest.approx(dealt.var())
        filled = sparse.csr_array(weights + sparse.diags_array(rng.random(5)))
        assert statistic(values, filled).value == pytest.approx(statistic(values, weights).value)


def test_by_distance_is_moran_at_each_distance() -> None:
    rng = np.random.default_rng(2)
    points, values = rng.uniform(0, 100, (80, 2)), rng.poisson(3, 80)
    distances = np.array([8.0, 15.0, 30.0, 60.0])
    tree = spatial.cKDTree(points)
    for distance, z in zip(distances, moran_by_distance(values, points, distances), strict=True):
        weights = sparse.csr_array(tree.sparse_distance_matrix(tree, distance).toarray() > 0).astype(float)
        assert z == pytest.approx(moran_i(values, weights).z, rel=1e-10)


def test_distances_that_pair_too_many_are_not_tried(monkeypatch) -> None:
    points = np.random.default_rng(3).uniform(0, 100, (80, 2))
    monkeypatch.setattr(global_autocorrelation, "MOST_PAIRS", 200)
    z = moran_by_distance(np.arange(80), points, np.array([0.001, 5.0, 10.0, 80.0]))
    assert np.isfinite(z).tolist() == [False, True, True, False]
    monkeypatch.setattr(global_autocorrelation, "MOST_PAIRS", -40)
    assert np.isnan(moran_by_distance(np.arange(80), points, np.array([5.0]))).all()


def test_clusters_of_one_size_make_the_peak() -> None:
    rng = np.random.default_rng(4)
    x, y = np.meshgrid(np.arange(60.0), np.arange(60.0))
    points = np.column_stack([x.ravel(), y.ravel()])
    tree = spatial.cKDTree(rng.uniform(5, 55, (12, 2)))
    values = rng.poisson(np.where(tree.query(points)[0] < 4, 8.0, 1.0))
    distances = np.arange(10) + 1.5
    peak = first_peak(moran_by_distance(values, points, distances))
    assert peak is not None
    assert 3 <= distances[peak] <= 7


@pytest.mark.parametrize(
    ("z", "peak"),
    [
        ([2.0, 5.0, 4.0], 1),
        ([6.0, 5.0, 9.0], 0),
        ([1.0, 0.5, 0.2], None),
        ([1.0, 3.0, 3.0, 2.5], 2),
        ([2.0, 3.0, 4.0], None),
        ([np.nan, 3.0, 2.0], None),
        ([3.0, np.nan, 2.0], None),
        ([], None),
    ],
)
def test_the_first_peak(z, peak) -> None:
    assert first_peak(np.array(z)) == peak


def test_what_cannot_be_computed() -> None:
    with pytest.raises(InvalidInput, match="four"):
        moran_i(np.arange(3), queen(1, 3))
    with pytest.raises(InvalidInput, match="finite"):
        moran_i(np.array([1.0, np.nan, 2, 3]), queen(2, 2))
    with pytest.raises(InvalidInput, match="shape"):
        moran_i(np.arange(5), queen(2, 2))
    with pytest.raises(InvalidInput, match="negative"):
        general_g(np.array([-1, 2, 3, 4]), queen(2, 2))
    assert np.isnan(moran_i(np.ones(9), queen(3, 3)).z)
    assert np.isnan(general_g(np.zeros(9), queen(3, 3)).z)
