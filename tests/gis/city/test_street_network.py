"""Streets meet where they should, bridges stay bridges, a place finds its nearest street."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.ops import substring

from gis.city.street_network import StreetNetwork, street_network
from gis.kernels.street_graph import lixels


def network(*paths: list[tuple[float, float]]) -> StreetNetwork:
    return street_network(gpd.GeoDataFrame(geometry=[shapely.LineString(path) for path in paths], crs="EPSG:4549"))


def degrees(made: StreetNetwork) -> list[int]:
    return sorted(made.graph.degree.tolist())


def test_an_end_on_the_middle_of_a_street_makes_a_junction() -> None:
    made = network([(0, 0), (100, 0)], [(40, 0.3), (40, 90)])
    assert degrees(made) == [1, 1, 1, 3]
    assert made.line.tolist() == [0, 0, 1]
    assert made.graph.length_m.tolist() == pytest.approx([40, 60, 89.7])
    assert degrees(network([(0, 0), (100, 0)], [(40, 0.6), (40, 90)])) == [1, 1, 1, 1]


def test_ends_meet_within_half_a_metre() -> None:
    assert degrees(network([(0, 0), (100, 0)], [(100.3, 0.3), (200, 0)])) == [1, 1, 2]
    assert degrees(network([(0, 0), (100, 0)], [(100.4, 0.4), (200, 0)])) == [1, 1, 1, 1]


def test_streets_that_only_cross_are_a_bridge_and_a_common_corner_is_a_junction() -> None:
    assert degrees(network([(0, 0), (100, 0)], [(50, -50), (50, 50)])) == [1, 1, 1, 1]
    corner = (50, 0)
    assert degrees(network([(0, 0), corner, (100, 0)], [(50, -50), corner, (50, 50)])) == [1, 1, 1, 1, 4]
    # One of them has no corner there: a bridge.
    assert degrees(network([(0, 0), corner, (100, 0)], [(50, -50), (50, 50)])) == [1, 1, 1, 1]


def test_a_street_that_meets_itself() -> None:
    ring = network([(0, 0), (60, 0), (60, 60), (0, 60), (0, 0)])
    assert degrees(ring) == [2]
    assert ring.graph.length_m.tolist() == [240]
    lollipop = network([(-50, 0), (0, 0), (60, 0), (60, 60), (0, 60), (0, 0)])
    assert degrees(lollipop) == [1, 3]


def test_the_rest_of_a_cut_is_no_street_and_nothing_else_is_lost() -> None:
    # Two ends meet the long street 0.4 m apart: one junction of four, not two of three.
    made = network([(0, 0), (100, 0)], [(40, 0), (40, 90)], [(40.4, 0), (40.4, -90)])
    assert degrees(made) == [1, 1, 1, 1, 4]
    assert made.graph.length_m.sum() == pytest.approx(279.6)
    tiny = network([(0, 0), (0.3, 0)])
    assert len(tiny.line) == 0
    assert tiny.nearest(np.array([[0.0, 0.0]]), 50)[0].tolist() == [-1]


def test_parts_of_one_street_and_heights() -> None:
    shape = shapely.from_wkt("MULTILINESTRING Z ((0 0 5, 50 0 5), (50 0 9, 90 0 9), (200 0 1, 300 0 1))")
    made = street_network(gpd.GeoDataFrame(geometry=[shape], crs="EPSG:4549"))
    assert made.edge_segment.tolist() == [0, 0, 0]
    assert degrees(made) == [1, 1, 1, 1, 2]


def numbered(paths: list, **columns: object) -> StreetNetwork:
    lines = [shapely.LineString(path) for path in paths]
    return street_network(gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4549"))


def test_streets_that_say_the_numbers_of_their_nodes_meet_at_equal_ones_only() -> None:
    cross = [[(0, 0), (50, 0)], [(50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)]]
    # The third passes over, though it has a corner where the others end.
    made = numbered(cross, from_node=["a", "b", "e"], to_node=["b", "c", "f"])
    assert degrees(made) == [1, 1, 1, 1, 2]
    # Equal numbers meet, also where their places are drawn some metres apart.
    made = numbered([[(0, 0), (50, 0)], [(54, 0), (100, 0)]], from_node=["a", "b"], to_node=["b", "c"])
    assert degrees(made) == [1, 1, 2]
    assert made.graph.length_m.tolist() == [50, 46]
    # A ring that passes its own beginning in between.
    lasso = [[(0, 0), (50, 0), (50, 50), (0, 0), (-50, 0)]]
    assert degrees(numbered(lasso, from_node=["a"], to_node=["b"])) == [1, 1]
    assert degrees(numbered(lasso)) == [1, 3]


def test_an_end_without_number_joins_the_one_node_that_is_nearest() -> None:
    paths = [[(0, 0), (50, 0)], [(50.3, 0), (100, 0)], [(50.1, 0), (50, 50)]]
    made = numbered(paths, from_node=["a", "c", None], to_node=["b", "d", None])
    assert degrees(made) == [1, 1, 1, 1, 2]
    assert made.graph.ends[2, 0] == made.graph.ends[0, 1]


def test_two_sources_that_number_alike_do_not_meet_across_the_city() -> None:
    paths = [[(0, 0), (50, 0)], [(50, 0), (100, 0)], [(0, 900), (50, 900)], [(50, 900), (100, 900)]]
    made = numbered(paths, from_node=["1", "2", "1", "2"], to_node=["2", "3", "2", "3"])
    assert degrees(made) == [1, 1, 1, 1, 2, 2]


def test_a_street_without_length_joins_its_two_numbers() -> None:
    paths = [[(0, 0), (50, 0)], [(50, 0), (50, 0)], [(50, 0), (100, 0)]]
    made = numbered(paths, from_node=["a", "b", "c"], to_node=["b", "c", "d"])
    assert degrees(made) == [1, 1, 2]


def test_levels_meet_at_ends_only() -> None:
    over = [[(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)]]
    assert degrees(numbered(over, level=[0, 0])) == [1, 1, 1, 1, 4]
    assert degrees(numbered(over, level=[0, 1])) == [1, 1, 1, 1]
    # Two bridges that cross each other over a crossing: two junctions, one above the other.
    assert degrees(numbered([*over, *over], level=[0, 0, 1, 1])) == [2, 2, 2, 2, 4, 4]
    ramp = [[(0, 0), (50, 0)], [(50, 0), (100, 0)]]
    assert degrees(numbered(ramp, level=[0, 1])) == [1, 1, 2]
    end_below = [[(0, 0), (100, 0)], [(50, 0), (50, 50)]]
    assert degrees(numbered(end_below, level=[1, 0])) == [1, 1, 1, 1]


def town(seed: int) -> StreetNetwork:
    rng = np.random.default_rng(seed)
    at = rng.uniform(0, 500, (30, 2))
    return network(*[[*map(tuple, np.cumsum([at[i], *rng.normal(0, 60, (3, 2))], axis=0))] for i in range(30)])


@given(st.integers(0, 200))
def test_the_nearest_street_is_the_one_that_a_search_of_all_finds(seed: int) -> None:
    made = town(seed)
    points = np.random.default_rng(seed + 1).uniform(-100, 600, (40, 2))
    points[7] = points[8]
    points[9] = np.nan
    edge, along = made.nearest(points, 50)
    away = shapely.distance(shapely.points(points)[:, None], made.lines[None, :])
    for i in range(40):
        if not (away[i] <= 50).any():
            assert edge[i] == -1
            continue
        assert made.line[edge[i]] == away[i].argmin()
        place = shapely.line_interpolate_point(made.lines[made.line[edge[i]]], made.from_m[edge[i]] + along[i])
        assert shapely.distance(place, shapely.Point(points[i])) == pytest.approx(away[i].min(), abs=1e-6)
        assert 0 <= along[i] <= made.graph.length_m[edge[i]]


def test_of_two_streets_equally_near_the_first_is_taken() -> None:
    paths = ([(0, 0), (100, 0)], [(0, 20), (100, 20)])
    assert network(*paths).nearest(np.array([[30.0, 10.0]]), 50)[0].tolist() == [0]
    assert network(*paths[::-1]).nearest(np.array([[30.0, 10.0]]), 50)[0].tolist() == [0]


@given(st.integers(0, 200), st.floats(5, 90))
def test_pieces_are_the_substrings_of_their_streets(seed: int, lixel_m: float) -> None:
    made = town(seed)
    cut = lixels(made.graph.length_m, lixel_m)
    lines = made.pieces(cut.edge, cut.lower_m, cut.upper_m)
    assert shapely.length(lines) == pytest.approx(cut.length_m, abs=1e-6)
    for i in range(0, len(lines), 7):
        start = made.from_m[cut.edge[i]]
        whole = made.lines[made.line[cut.edge[i]]]
        one = substring(whole, start + cut.lower_m[i], start + cut.upper_m[i])
        assert shapely.hausdorff_distance(lines[i], one) < 1e-6
