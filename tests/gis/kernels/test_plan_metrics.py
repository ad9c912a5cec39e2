"""Numbers of grids, kept up to date stroke by stroke, equal those computed from nothing."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import voronoi_blocks, voronoi_city
from gis.errors import InvalidInput
from gis.kernels.plan_metrics import LiveMetrics, grid_metrics, polsby_popper
from tests.support.block_cities import grown, square_lattice

CITY = voronoi_city(120, 3)
STROKES = st.lists(
    st.tuples(st.lists(st.integers(0, 119), min_size=1, max_size=8), st.integers(0, 5)), min_size=1, max_size=12
)


@settings(max_examples=60)
@given(strokes=STROKES, seed=st.integers(0, 1000))
def test_incremental_numbers_equal_a_full_recompute(strokes: list[tuple[list[int], int]], seed: int) -> None:
    graph, load, _ = CITY
    ends, _ = graph.pairs()
    open_graph = graph.without(np.random.default_rng(seed).random(len(ends)) < 0.1)
    amounts = np.column_stack([load, np.arange(120.0)])
    live = LiveMetrics(graph, open_graph, amounts, grown(graph, 6, seed), grids_count=6)
    for blocks, to in strokes:
        before = live.grid.copy()
        stroke = live.move(np.array(blocks), to)
        full = grid_metrics(graph, amounts, live.grid, grids_count=6)
        now = live.metrics()
        assert (now.amounts == full.amounts).all()
        assert (now.blocks == full.blocks).all()
        assert now.area_m2 == pytest.approx(full.area_m2, abs=1e-6)
        assert now.perimeter_m == pytest.approx(full.perimeter_m, abs=1e-6)
        assert now.cut_m == pytest.approx(full.cut_m, abs=1e-6)
        assert set(stroke.grids) == {to, *before[blocks]}
        pieces = open_graph.pieces(live.grid)
        assert stroke.pieces.tolist() == [np.unique(pieces[live.grid == g]).size for g in stroke.grids]
        some = live.of(stroke.grids)
        assert (some.amounts == full.amounts[stroke.grids]).all()
        assert some.perimeter_m == pytest.approx(full.perimeter_m[stroke.grids], abs=1e-6)


def test_perimeters_and_areas_are_those_of_the_dissolved_shapes() -> None:
    graph, load, _ = CITY
    cells = voronoi_blocks(120, 3)
    grid = grown(graph, 6, 4)
    found = grid_metrics(graph, load[:, None], grid, grids_count=6)
    shapes = [shapely.union_all(cells[grid == g]) for g in range(6)]
    assert found.area_m2 == pytest.approx(shapely.area(shapes))
    assert found.perimeter_m == pytest.approx(shapely.length(shapes), rel=1e-6)
    assert found.compactness == pytest.approx(4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2, rel=1e-6)
    assert found.cut_m == pytest.approx((shapely.length(shapes).sum() - 4 * np.sqrt(120)) / 2, rel=1e-6)


def test_a_block_without_a_grid_belongs_to_no_number() -> None:
    graph = square_lattice(3, 1)
    found = grid_metrics(graph, np.ones((3, 1)), np.array([0, -1, -1]), grids_count=2)
    assert found.blocks.tolist() == [1, 0]
    assert found.perimeter_m.tolist() == [4, 0]
    assert np.isnan(found.compactness[1])


def test_nothing_is_asked_of_blocks_without_a_grid_when_editing() -> None:
    graph = square_lattice(3, 1)
    with pytest.raises(InvalidInput, match="every block needs a grid"):
        LiveMetrics(graph, graph, np.ones((3, 1)), np.array([0, -1, 0]), grids_count=1)


def test_a_square_and_a_circle() -> None:
    assert polsby_popper(np.array([np.pi, 1.0]), np.array([2 * np.pi, 4.0])) == pytest.approx([1, np.pi / 4])
