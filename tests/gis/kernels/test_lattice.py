"""The cells of analysis: a tiling without gaps, the same wherever one starts."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.kernels.lattice import Lattice

SHAPES = ["square", "hexagon"]
metres = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("shape", SHAPES)
@given(x=metres, y=metres, size=st.floats(10, 5000), origin=st.tuples(metres, metres))
def test_a_point_lies_in_its_cell(shape, x, y, size, origin) -> None:
    lattice = Lattice(shape, size, origin)
    cell = lattice.cells_of(np.array([[x, y]]))
    polygon = shapely.Polygon(lattice.corners(cell)[0])
    assert polygon.distance(shapely.Point(x, y)) < 1e-6
    assert polygon.area == pytest.approx(lattice.cell_area_m2, rel=1e-6)
    assert polygon.exterior.is_ccw
    assert lattice.cells_of(lattice.centres(cell)).tolist() == cell.tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cells_tile_the_plane(shape) -> None:
    lattice = Lattice(shape, 250.0, (1234.5, -67.8))
    cells = lattice.cells_within((-3000, -3000, 3000, 3000))
    polygons = shapely.polygons(lattice.corners(cells))
    assert shapely.coverage_is_valid(polygons)
    assert shapely.union_all(polygons).area == pytest.approx(len(cells) * lattice.cell_area_m2)
    assert len(cells) == pytest.approx(lattice.count_within((-3000, -3000, 3000, 3000)), rel=0.1)


@pytest.mark.parametrize("shape", SHAPES)
def test_touching_cells_are_neighbours(shape) -> None:
    lattice = Lattice(shape, 100.0)
    rng = np.random.default_rng(0)
    cells = np.unique(rng.integers(-8, 8, (90, 2)), axis=0)
    cells = cells[rng.permutation(len(cells))]
    near = lattice.neighbours(cells)
    polygons = shapely.polygons(lattice.corners(cells))
    expected = np.zeros((len(cells), len(cells)))
    expected[tuple(shapely.STRtree(polygons).query(polygons, predicate="touches"))] = 1
    assert (near.toarray() == expected).all()
    assert near.has_canonical_format


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reach_m", [50.0, 100.0, 141.5, 400.0])
def test_reach_is_the_distance_of_centres(shape, reach_m) -> None:
    lattice = Lattice(shape, 100.0, (3.0, 4.0))
    cells = lattice.cells_within((-700, -700, 700, 700))
    centres = lattice.centres(cells)
    distance = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    expected = (distance > 0) & (distance <= reach_m * (1 + 1e-9))
    assert (lattice.neighbours(cells, reach_m=reach_m).toarray() == expected).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_origin_is_a_corner_and_the_lattice_does_not_depend_on_the_window(shape) -> None:
    lattice = Lattice(shape, 300.0, (500.0, 700.0))
    assert [500.0, 700.0] in lattice.corners(np.array([[0, 0]]))[0].tolist()
    small, large = lattice.cells_within((0, 0, 2000, 2000)), lattice.cells_within((-5000, -5000, 9000, 9000))
    assert {tuple(c) for c in small.tolist()} <= {tuple(c) for c in large.tolist()}


def test_a_point_on_a_border_has_one_cell() -> None:
    lattice = Lattice("square", 100.0)
    assert lattice.cells_of(np.array([[100.0, 0.0], [99.999, 100.0], [0.0, -0.001]])).tolist() == [
        [1, 0],
        [0, 1],
        [0, -1],
    ]
