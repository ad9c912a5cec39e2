"""Cells and their nodes: as much ground as there is, the same cells in every run."""

import numpy as np
import pytest
import shapely

from gis.city.mesh import mesh_of
from gis.kernels.lattice import Lattice
from tests.support.small_city import PROFILE, SOUTH, WEST, areas

LATTICE = Lattice("square", 200.0, PROFILE.lattice_origin)
DISC = shapely.Point(WEST + 3_000, SOUTH + 3_000).buffer(2_000, quad_segs=64)


def test_the_nodes_measure_the_ground() -> None:
    mesh = mesh_of(DISC, None, LATTICE, parts=8)
    assert mesh.inside_share.sum() * 200**2 == pytest.approx(DISC.area, rel=1e-3)
    assert ((mesh.inside_share > 0) & (mesh.inside_share <= 1)).all()
    squares = shapely.polygons(LATTICE.corners(mesh.cells))
    parts = shapely.area(shapely.intersection(squares, DISC)) / 200**2
    np.testing.assert_allclose(mesh.inside_share, parts, atol=0.1)
    assert (shapely.area(shapely.union_all(squares)) - DISC.area) / DISC.area < 0.2


def test_water_is_no_ground() -> None:
    lake = areas((2_500, 2_500, 3_500, 3_500)).to_crs(PROFILE.metric_crs)
    mesh = mesh_of(DISC, lake, LATTICE, parts=8)
    assert mesh.inside_share.sum() * 200**2 == pytest.approx(DISC.area - 1e6, rel=2e-3)
    centres = LATTICE.centres(mesh.cells)
    middle = np.abs(centres - (WEST + 3_000, SOUTH + 3_000)).max(axis=1) < 400
    assert not middle.any()


def test_means_are_over_the_part_inside() -> None:
    mesh = mesh_of(DISC, None, LATTICE, parts=4)
    inside = mesh.window.inside
    assert mesh.means(np.where(inside, 3.0, np.nan)) == pytest.approx(np.full(len(mesh.cells), 3.0))
    surface = np.where(inside, np.random.default_rng(0).random(inside.shape), np.nan)
    whole = (mesh.means(surface) * mesh.inside_share).sum() * 16
    assert whole == pytest.approx(np.nansum(surface))


def test_nodes_stand_in_the_cells_that_they_belong_to() -> None:
    mesh = mesh_of(DISC, None, LATTICE, parts=5)
    nodes = mesh.window.nodes
    row, column = np.nonzero(mesh.window.inside)
    places = np.column_stack([nodes.west + column * nodes.step, nodes.south + row * nodes.step])
    cells, counts = np.unique(LATTICE.cells_of(places), axis=0, return_counts=True)
    order = np.lexsort(mesh.cells.T[::-1])
    assert (mesh.cells[order] == cells).all()
    assert (np.rint(mesh.inside_share[order] * 25) == counts).all()


def test_another_area_has_the_same_cells_where_both_are() -> None:
    one = mesh_of(DISC, None, LATTICE, parts=4)
    other = mesh_of(
        shapely.union(DISC, shapely.box(WEST - 900, SOUTH, WEST + 3_000, SOUTH + 900)), None, LATTICE, parts=4
    )
    assert {tuple(cell) for cell in one.cells.tolist()} <= {tuple(cell) for cell in other.cells.tolist()}
