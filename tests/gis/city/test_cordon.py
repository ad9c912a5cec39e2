"""The edge of a zone: closed where streets come in, and nowhere else."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.city.cordon import BESIDE_M, Cordon, cordon
from gis.city.street_network import street_network

ZONE = shapely.box(0, 0, 100, 100)
OUT, IN = -BESIDE_M, 100 + BESIDE_M


def streets(*paths: list[tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    lines = [shapely.LineString(path) for path in paths]
    return gpd.GeoDataFrame({"road_class": ["local"] * len(lines), **columns}, geometry=lines, crs="EPSG:4549")


def around(frame: gpd.GeoDataFrame, zone: shapely.Geometry = ZONE) -> Cordon:
    return cordon(frame, street_network(frame), zone)


def points(found: Cordon) -> list[tuple[float, float]]:
    return [tuple(point) for point in found.points.round(6).tolist()]


def test_a_street_that_ends_inside_is_closed_once_and_one_that_passes_twice() -> None:
    found = around(streets([(-50, 30), (50, 30)], [(-50, 70), (150, 70)]))
    assert points(found) == [(OUT, 30), (OUT, 70), (IN, 70)]
    assert found.segment.tolist() == [0, 1, 1]
    assert found.segments_inside_count == 0
    assert found.streets_inside_m == pytest.approx(50 + 100 + 3 * BESIDE_M)


def test_a_street_within_is_not_closed_though_it_leaves_in_between() -> None:
    found = around(streets([(20, 20), (80, 20)], [(20, 80), (50, 180), (80, 80)]))
    assert points(found) == []
    assert found.segments_inside_count == 1


def test_a_street_that_weaves_across_the_edge_is_closed_at_its_outer_end_only() -> None:
    weaving = [(-60, 20), (10, 20), (10, 30), (-30, 30), (-30, 40), (50, 40)]
    assert points(around(streets(weaving))) == [(OUT, 20)]


def test_a_street_along_the_edge_lies_within_and_its_side_streets_are_closed() -> None:
    along = [(0, 0), (0, 50), (0, 100)]
    found = around(streets(along, [(-80, 50), (0, 50)], [(0, 50), (60, 50)], [(0, 100), (0, 180)]))
    assert points(found) == [(OUT, 50), (0, IN)]
    assert found.segments_inside_count == 2


def test_a_street_that_only_touches_is_not_closed() -> None:
    corner = [(-60, 40), (0.2 - BESIDE_M, 50), (-60, 60)]
    assert points(around(streets(corner, [(-20, 130), (130, 130)]))) == []


def test_levels_go_with_the_crossings_and_a_frame_may_have_none() -> None:
    over = streets([(-50, 30), (150, 30)], [(50, -50), (50, 50)], level=[2, 0])
    assert around(over).level.tolist() == [2, 2, 0]
    assert around(over.drop(columns="level")).level.tolist() == [0, 0, 0]


def test_a_zone_of_several_parts_is_closed_around_each() -> None:
    zone = shapely.MultiPolygon([ZONE, shapely.box(200, 0, 300, 100)])
    apart = streets([(50, 50), (150, 50)], [(150, 50), (250, 50)], [(150, 50), (150, 300)])
    assert points(around(apart, zone)) == [(IN, 50), (200 - BESIDE_M, 50)]


def walked(frame: gpd.GeoDataFrame, closed: np.ndarray) -> nx.Graph:
    """Streets in steps of two metres; whatever step lies at a closed point is not there."""
    barrier = shapely.buffer(shapely.multipoints(closed), 1e-6) if len(closed) else shapely.Polygon()
    graph: nx.Graph = nx.Graph()
    for line in shapely.segmentize(frame.geometry.to_numpy(), 2.0):
        xy = shapely.get_coordinates(line).round(6)
        steps = shapely.linestrings(np.stack([xy[:-1], xy[1:]], axis=1))
        for open_, a, b in zip(~shapely.intersects(steps, barrier), xy[:-1], xy[1:], strict=True):
            if open_:
                graph.add_edge(tuple(a), tuple(b))
            graph.add_nodes_from([tuple(a), tuple(b)])
    return graph


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000))
def test_nobody_comes_in_once_all_are_closed_and_somebody_does_where_one_stays_open(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corner = np.stack(np.meshgrid(np.arange(5) * 90.0, np.arange(5) * 90.0), axis=-1) + rng.uniform(-25, 25, (5, 5, 2))
    paths = []
    for i in range(5):
        for j in range(5):
            for a, b in ((i + 1, j), (i, j + 1)):
                if a < 5 and b < 5 and rng.random() < 0.8:
                    bends = np.linspace(corner[i, j], corner[a, b], 4)[1:-1] + rng.normal(0, 12, (2, 2))
                    paths.append([corner[i, j], *bends, corner[a, b]])
    frame = streets(*(np.round(path, 6) for path in paths))
    middle = shapely.Point(rng.uniform(60, 300, 2))
    zone = middle.buffer(rng.uniform(30, 140)) if rng.random() < 0.5 else middle.buffer(110, cap_style="square")
    found = around(frame, zone)
    ends = np.unique(np.concatenate([np.round(np.array(path)[[0, -1]], 6) for path in paths]), axis=0)
    edge = shapely.buffer(zone, BESIDE_M)
    outside = [tuple(xy) for xy in ends[~shapely.intersects_xy(edge, *ends.T)]]

    def comes_in(closed: np.ndarray) -> bool:
        graph = walked(frame, closed)
        reached = set().union(*(nx.node_connected_component(graph, xy) for xy in outside)) if outside else set()
        xy = np.array(list(reached)).reshape(-1, 2)
        # Two metres of a step, and as far as a street may go in that only touches.
        return bool(shapely.intersects_xy(shapely.buffer(zone, -3.0), *xy.T).any())

    assert not comes_in(found.points)
    if len(found.points):
        open_ = rng.integers(len(found.points))
        left = np.delete(found.points, open_, axis=0)
        deep = shapely.length(shapely.intersection(frame.geometry.iloc[found.segment[open_]], shapely.buffer(zone, -3)))
        if deep > 5:
            assert comes_in(left)
