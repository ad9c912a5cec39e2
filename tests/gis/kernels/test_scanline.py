"""Nodes inside polygons: what shapely says, and on a shared border each node once."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.city.study_area import ring_edges
from gis.kernels.density import Nodes
from gis.kernels.scanline import nodes_inside

NODES = Nodes(0.13, -0.21, 0.37, 40, 50)


def grid_points(nodes: Nodes) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[: nodes.rows, : nodes.columns]
    return nodes.west + columns * nodes.step, nodes.south + rows * nodes.step


@given(st.integers(0, 100_000))
def test_it_is_what_shapely_says_of_any_overlapping_shapes_with_holes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    discs = shapely.buffer(shapely.points(rng.uniform(-3, 22, (12, 2))), rng.uniform(0.5, 6, 12))
    shapes = np.append(shapely.difference(discs[:6], discs[6:]), shapely.union_all(discs[:2]))
    shapes = shapes[~shapely.is_empty(shapes)]
    truth = shapely.contains_xy(shapely.union_all(shapes), *grid_points(NODES))
    assert (nodes_inside(ring_edges(shapes), NODES) == truth).all()


def test_areas_that_share_their_borders_share_out_the_nodes() -> None:
    """Nodes lie on the borders and corners of every one of them."""
    nodes = Nodes(0.0, 0.0, 0.5, 21, 21)
    corners = np.arange(0, 10)
    squares = [shapely.box(x, y, x + 1, y + 1) for x in corners for y in corners]
    halves = [half for box in squares for half in shapely.ops.split(box, diagonal(box)).geoms]
    counted = sum(nodes_inside(ring_edges(np.array([half])), nodes).astype(int) for half in halves)
    assert (counted[:-1, :-1] == 1).all()
    assert counted[-1].sum() == counted[:, -1].sum() == 0
    assert (nodes_inside(ring_edges(np.array(halves)), nodes) == (counted > 0)).all()


def diagonal(box: shapely.Polygon) -> shapely.LineString:
    west, south, east, north = box.bounds
    return shapely.LineString([(west - 1, south - 1), (east + 1, north + 1)])


@pytest.mark.parametrize("box", [(-50, -50, -40, -40), (100, 0, 110, 10), (0, 100, 10, 110)])
def test_what_lies_beyond_the_nodes_covers_none(box: tuple[float, float, float, float]) -> None:
    assert not nodes_inside(ring_edges(np.array([shapely.box(*box)])), NODES).any()


def test_what_lies_around_the_nodes_covers_all() -> None:
    assert nodes_inside(ring_edges(np.array([shapely.box(-50, -50, 100, 100)])), NODES).all()
    assert not nodes_inside(np.empty((0, 4)), NODES).any()
