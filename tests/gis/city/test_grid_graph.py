"""Grids as a graph: borders by length, corners are none, pieces are tied at their narrowest gap."""

import numpy as np
import pytest
import shapely

from gis.city.grid_graph import grid_graph, grids_at, inner_points
from tests.support.small_city import grid_of


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array([shapely.box(*c) for c in corners], dtype=object)


def pairs(shapes: np.ndarray, region: list[int] | None = None) -> dict[tuple[int, int], float]:
    graph, _ = grid_graph(shapes, np.zeros(len(shapes), np.int64) if region is None else np.array(region))
    ends, border_m = graph.pairs()
    return {(int(a), int(b)): round(float(m)) for (a, b), m in zip(ends, border_m, strict=True)}


def test_borders_are_as_long_as_what_is_shared_and_corners_are_none() -> None:
    four = boxes((0, 0, 100, 100), (100, 0, 200, 100), (0, 100, 100, 200), (100, 100, 200, 200))
    found = pairs(four)
    assert set(found) == {(0, 1), (0, 2), (1, 3), (2, 3)}
    assert all(abs(m - 100) <= 2 for m in found.values())


def test_outlines_need_not_match_corner_for_corner() -> None:
    wall = boxes((0, 0, 100, 300), (100, -50, 200, 120), (100.4, 120, 200, 350))
    found = pairs(wall)
    assert found[0, 1] == pytest.approx(120, abs=2)
    assert found[0, 2] == pytest.approx(180, abs=2)


def test_no_border_crosses_from_one_region_to_another() -> None:
    row = boxes((0, 0, 100, 100), (100, 0, 200, 100), (200, 0, 300, 100))
    assert set(pairs(row, [0, 0, 1])) == {(0, 1)}


def test_a_region_in_pieces_is_tied_at_its_narrowest_gaps() -> None:
    apart = boxes((0, 0, 100, 100), (100, 0, 200, 100), (230, 0, 300, 100), (340, 0, 400, 100), (0, 900, 9, 990))
    graph, ties = grid_graph(apart, np.array([0, 0, 0, 0, 1]))
    ends, border_m = graph.pairs()
    assert ties == 2
    assert {tuple(e) for e in ends[border_m == 0].tolist()} == {(1, 2), (2, 3)}
    assert graph.pieces(np.array([0, 0, 0, 0, 1])).max() == 1


def test_perimeters_are_those_of_the_shapes() -> None:
    grids = grid_of(4).to_crs("EPSG:4549").geometry.to_numpy()
    graph, _ = grid_graph(grids, np.zeros(16, np.int64))
    assert graph.perimeter_m == pytest.approx(shapely.length(grids), rel=0.002)


def test_points_are_in_the_first_of_the_grids_that_hold_them() -> None:
    two = boxes((0, 0, 10, 10), (10, 0, 20, 10))
    assert grids_at(two, np.array([[5.0, 5], [10, 5], [15, 5], [30, 5]])).tolist() == [0, 0, 1, -1]


def test_inner_points_are_inside_even_of_a_bow() -> None:
    bow = shapely.difference(shapely.box(0, 0, 100, 100), shapely.box(10, 10, 90, 100))
    frame = grid_of(1).to_crs("EPSG:4549").set_geometry([bow])
    assert shapely.contains_xy(bow, *inner_points(frame)[0])
