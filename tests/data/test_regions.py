"""Dividing a graph: every region in one piece, none empty, the shares roughly kept."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from data.synth import regions
from data.synth.areas import reading_order


def lattice(rows: int, cols: int) -> tuple[sparse.csr_array, np.ndarray]:
    number = np.arange(rows * cols).reshape(rows, cols)
    pairs = np.vstack(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    half = sparse.csr_array((np.ones(len(pairs)), pairs.T), shape=(rows * cols, rows * cols))
    y, x = np.divmod(np.arange(rows * cols), cols)
    return sparse.csr_array(half + half.T), np.column_stack([x, y]).astype(float)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(3, 8), cols=st.integers(3, 8), k=st.integers(1, 6), seed=st.integers(0, 2**16))
def test_regions_are_connected_and_none_is_empty(rows: int, cols: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, xy = lattice(rows, cols)
    region = regions.divide(graph, xy, rng.lognormal(0, 0.5, rows * cols), np.ones(k), rng)
    assert set(region) == set(range(k))
    assert regions.connected(graph, region)


def test_equal_shares_of_an_even_ground_are_nearly_equal() -> None:
    graph, xy = lattice(20, 20)
    region = regions.divide(graph, xy, np.ones(400), np.ones(8), np.random.default_rng(3))
    sizes = np.bincount(region)
    assert sizes.min() >= 40
    assert sizes.max() <= 60


def test_a_broken_region_is_noticed() -> None:
    graph, _ = lattice(1, 4)
    assert not regions.connected(graph, np.array([0, 1, 0, 1]))


def test_numbers_run_in_reading_order() -> None:
    places = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 9.0]])
    assert reading_order(places, 2).tolist() == [2, 3, 0, 1]
