"""Trips along streets take as long as another program says, whatever the streets are like."""

from __future__ import annotations

from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.city.travel import Places, Travel, travel
from gis.errors import InvalidParams

LEG_S_PER_M = 3.6 / 4.8


def streets(paths: list, **columns: object) -> gpd.GeoDataFrame:
    lines = [shapely.LineString(path) for path in paths]
    return gpd.GeoDataFrame({"road_class": ["local"] * len(lines), **columns}, geometry=lines, crs="EPSG:4549")


def town(seed: int) -> gpd.GeoDataFrame:
    """A few junctions, more streets than they need: parallel ones, loops, one-way ones, bent ones."""
    rng = np.random.default_rng(seed)
    nodes = rng.uniform(0, 900, (int(rng.integers(3, 9)), 2))
    ends = rng.integers(0, len(nodes), (int(rng.integers(4, 18)), 2))
    paths = []
    for i, (a, b) in enumerate(ends):
        bend = (nodes[a] + nodes[b]) / 2 + rng.normal(0, 60, 2) + 10
        # A loop needs a second bend to have ground inside.
        paths.append([nodes[a], bend, *([bend + np.array([40, 7 + i])] if a == b else []), nodes[b]])
    return streets(
        paths,
        oneway=rng.random(len(ends)) < 0.4,
        speed_kmh=rng.choice([20.0, 36.0, 50.0, np.nan], len(ends)),
        from_node=[str(a) for a in ends[:, 0]],
        to_node=[str(b) for b in ends[:, 1]],
    )


def by_networkx(made: Travel, frame: gpd.GeoDataFrame, origins: Places, destinations: Places) -> np.ndarray:
    """The same trips over a graph in which every place is a node of its own on its street."""
    network, ways = made.streets.network, nx.MultiDiGraph()
    kmh = frame["speed_kmh"].fillna(30.0).to_numpy()
    both = [("o", origins), ("d", destinations)]
    for edge in range(len(network.line)):
        row = network.edge_segment[edge]
        pace = 3.6 / kmh[row]
        stops = [(0.0, ("n", int(network.graph.ends[edge, 0])))]
        stops += [(p.along_m[i], (side, int(i))) for side, p in both for i in np.flatnonzero(p.edge == edge)]
        stops += [(network.graph.length_m[edge], ("n", int(network.graph.ends[edge, 1])))]
        stops.sort(key=lambda stop: stop[0])
        for (at, one), (to, other) in pairwise(stops):
            ways.add_edge(one, other, seconds=(to - at) * pace)
            # Where two stand at one spot no direction keeps them apart.
            if not frame["oneway"].iloc[row] or to == at:
                ways.add_edge(other, one, seconds=(to - at) * pace)
    found = np.full((len(origins), len(destinations)), np.inf)
    for i in np.flatnonzero(origins.found):
        times = nx.single_source_dijkstra_path_length(ways, ("o", int(i)), weight="seconds")
        for j in np.flatnonzero(destinations.found):
            legs = origins.leg_m[i] + destinations.leg_m[j]
            found[i, j] = times.get(("d", int(j)), np.inf) + legs * LEG_S_PER_M
    return found


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_trips_take_as_long_as_networkx_says(seed: int) -> None:
    frame = town(seed)
    made = travel(frame)
    rng = np.random.default_rng(seed + 1)
    origins, destinations = (made.snap(rng.uniform(-100, 1000, (n, 2)), 300) for n in (5, 9))
    expected = by_networkx(made, frame, origins, destinations)
    ours = made.matrix_s(origins, destinations)
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    # Turned around, the fewer side is searched from: the same trips.
    np.testing.assert_allclose(made.matrix_s(origins, destinations.take(np.arange(3))), expected[:, :3], rtol=1e-9)
    limit = float(np.median(expected[np.isfinite(expected)])) if np.isfinite(expected).any() else 60.0
    within = made.matrix_s(origins, destinations, limit_s=limit + 1e-6)
    np.testing.assert_allclose(within, np.where(expected <= limit + 1e-6, expected, np.inf), rtol=1e-9)
    two = made.nearest_two(origins, destinations)
    rising = np.sort(expected, axis=0)
    np.testing.assert_allclose(two.first_s, rising[0], rtol=1e-9)
    np.testing.assert_allclose(two.second_s, rising[1], rtol=1e-9)
    for j in range(9):
        for start, time in ((two.first[j], two.first_s[j]), (two.second[j], two.second_s[j])):
            assert start == -1 if np.isinf(time) else ours[start, j] == pytest.approx(time)
        assert two.first[j] != two.second[j] or two.second[j] == -1


def line_of(made: Travel, x: list[float], y: float = 0.0) -> Places:
    return made.snap(np.column_stack([x, np.full(len(x), y)]))


ROAD = streets([[(0, 0), (1000, 0)]], speed_kmh=[36.0])
ONEWAY_RING = streets(
    [[(0, 0), (400, 0)], [(400, 0), (400, 300), (0, 300)], [(0, 300), (0, 0)]], oneway=[True] * 3, speed_kmh=[36.0] * 3
)


def test_a_trip_within_one_street_is_a_trip_along_it() -> None:
    made = travel(ROAD)
    at = line_of(made, [100, 450])
    assert made.matrix_s(at, at).tolist() == [[0, 35], [35, 0]]
    # 30 m beside the street at both ends, walked at 4.8 km/h.
    legs = line_of(made, [100, 450], 30)
    assert made.matrix_s(legs, legs)[0] == pytest.approx([45, 35 + 45])
    assert [line.length for line in made.paths(at, at.take(np.array([1, 1])))] == [350, 0]


def test_a_one_way_street_is_driven_around_and_walked_back() -> None:
    at = [[100.0, 0.0], [300.0, 0.0], [0.0, 0.0], [400.0, 0.0]]
    drive, walk = travel(ONEWAY_RING), travel(ONEWAY_RING, mode="walk")
    places = drive.snap(np.array(at))
    # Ahead 200 m; back around by (400, 0), (400, 300), (0, 300): 100 + 300 + 400 + 300 + 100 m at 10 m/s.
    assert drive.matrix_s(places, places)[:2, :2] == pytest.approx(np.array([[0, 20], [120, 0]]))
    # Corners are left either way, whichever street they were put on.
    assert drive.matrix_s(places, places)[2:, 2:] == pytest.approx(np.array([[0, 40], [100, 0]]))
    path = drive.paths(places.take(np.array([1])), places.take(np.array([0])))[0]
    assert path.equals(shapely.LineString([(300, 0), (400, 0), (400, 300), (0, 300), (0, 0), (100, 0)]))
    places = walk.snap(np.array(at))
    assert walk.matrix_s(places, places)[1, 0] == pytest.approx(200 / (4.8 / 3.6))
    assert drive.connection.oneway_share == 1
    assert walk.connection.oneway_share == 0


def test_each_mode_has_its_streets() -> None:
    frame = streets(
        [[(0, 0), (500, 0)], [(0, 0), (0, 200), (500, 200), (500, 0)], [(0, 0), (250, 90), (500, 0)]],
        road_class=["steps", "local", "main"],
        access=["open", "no_motor", "walk_only"],
    )
    ends = np.array([[0.0, 0.0], [500.0, 0.0]])
    for mode, kmh, metres in (("walk", 4.8, 2 * np.hypot(250, 90)), ("cycle", 15, 900)):
        made = travel(frame, mode=mode)
        assert made.matrix_s(made.snap(ends), made.snap(ends))[0, 1] == pytest.approx(metres / kmh * 3.6)
    with pytest.raises(InvalidParams, match="no street is open to 'drive'"):
        travel(frame, mode="drive")
    with pytest.raises(InvalidParams) as error:
        travel(frame, mode="swim", hour=24)
    assert {p.field for p in error.value.problems} == {"mode", "hour"}


def test_the_hour_scales_the_streets_and_not_the_legs() -> None:
    free, rush = travel(ROAD), travel(ROAD, hour=18)
    assert rush.streets is free.streets
    factor = rush.policy.drive.hour_factor[18]
    assert rush.factor == factor < 1
    at = line_of(free, [100, 450], 30)
    assert rush.matrix_s(at, at)[0] == pytest.approx([45, 35 / factor + 45])
    assert rush.nearest_two(at, at).second_s == pytest.approx([35 / factor + 45] * 2)


def test_a_limit_of_the_street_counts_within_reason() -> None:
    frame = streets(
        [[(0, 0), (1000, 0)]] * 3, speed_kmh=[0.0, np.nan, 500.0], from_node=list("ace"), to_node=list("bdf")
    )
    made = travel(frame)
    assert 1000 / made.streets.along_s * 3.6 == pytest.approx([5, 30, 130])
    assert made.streets.odd_limit_count == 2


def test_what_is_far_from_every_street_is_on_none() -> None:
    made = travel(ROAD)
    places = made.snap(np.array([[500.0, 499.0], [500.0, 501.0], [np.nan, np.nan]]))
    assert places.found.tolist() == [True, False, False]
    assert places.leg_m.tolist() == [499, np.inf, np.inf]
    seconds = made.matrix_s(places, places)
    assert np.isfinite(seconds).tolist() == [[True, False, False], [False] * 3, [False] * 3]
    two = made.nearest_two(places, places)
    assert (two.first.tolist(), two.second.tolist()) == ([0, -1, -1], [-1, -1, -1])
    assert made.paths(places, places)[1:].tolist() == [None, None]
    nobody = made.snap(np.array([[0.0, 9_000.0]]))
    assert made.nearest_two(nobody, places).first.tolist() == [-1, -1, -1]
    assert np.isinf(made.matrix_s(nobody, places)).all()
    assert len(made.reached(nobody, 600).edge) == 0
    assert made.snap(np.array([[500.0, 30.0]]), 20).found.tolist() == [False]


def test_a_place_is_on_the_streets_that_lead_everywhere() -> None:
    # An island of its own, and a street that one may only leave.
    frame = streets(
        [[(0, 0), (900, 0)], [(0, 0), (0, 500)], [(100, 60), (300, 60)], [(500, 80), (500, 0)]],
        oneway=[False, False, False, True],
    )
    made = travel(frame)
    places = made.snap(np.array([[200.0, 50.0], [500.0, 70.0], [700.0, 10.0]]))
    assert made.streets.network.edge_segment[places.edge].tolist() == [0, 0, 0]
    assert places.leg_m == pytest.approx([50, 70, 10])
    np.testing.assert_array_equal(places.passed_m, [10, 0, np.nan])
    told = made.connection
    assert (told.strong_count, told.weak_count, told.nodes_count) == (3, 2, 7)
    assert told.largest_share == pytest.approx(4 / 7)
    assert told.outside_m == pytest.approx(280)


def test_bridges_and_numbers_of_nodes() -> None:
    under_and_over = [[(0, 0), (500, 0)], [(250, -200), (250, 0)], [(250, 0), (250, 200)]]

    def parts(**columns: object) -> int:
        return travel(streets(under_and_over, **columns)).connection.weak_count

    assert parts() == 1
    assert parts(level=[0, 1, 1]) == 2
    assert parts(from_node=list("aeg"), to_node=list("cgf")) == 2
    assert parts(from_node=list("aeg"), to_node=list("chf")) == 3
    # Who says no number meets as ever.
    assert parts(from_node=["a", None, None], to_node=["c", None, None]) == 1
    assert parts(from_node=["a", "e", None], to_node=["c", "g", None]) == 1


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.floats(0, 200))
def test_what_is_reached_is_what_a_trip_reaches(seed: int, limit: float) -> None:
    made = travel(town(seed))
    rng = np.random.default_rng(seed)
    origins = made.snap(rng.uniform(0, 900, (3, 2)), 300)
    reached = made.reached(origins, limit)
    assert (reached.from_m < reached.to_m).all()
    streets_m = made.streets.network.graph.length_m
    # Every street at many places, those of no way back too, which no place is put on.
    edge = np.repeat(np.arange(len(streets_m)), 25)
    along = np.tile((np.arange(25) + 0.5) / 25, len(streets_m)) * streets_m[edge]
    nothing = np.zeros(len(edge))
    seconds = made.matrix_s(origins, Places(edge, along, nothing, nothing))
    for i in range(3):
        mine = np.flatnonzero(reached.origin == i)
        here = reached.edge[mine, None] == edge
        from_m, to_m = reached.from_m[mine, None], reached.to_m[mine, None]
        covers = here & (from_m <= along) & (along <= to_m)
        sure = np.abs(seconds[i] - limit) > 1e-6
        np.testing.assert_array_equal(covers.any(axis=0)[sure], (seconds[i] <= limit)[sure])
        assert (here & (from_m + 1e-6 < along) & (along < to_m - 1e-6)).sum(axis=0).max() <= 1
        # And when.
        piece, place = np.nonzero(covers)
        piece = mine[piece]
        share = (along[place] - reached.from_m[piece]) / (reached.to_m[piece] - reached.from_m[piece])
        when = reached.from_s[piece] + share * (reached.to_s[piece] - reached.from_s[piece])
        np.testing.assert_allclose(when, seconds[i][place], rtol=1e-6, atol=1e-6)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_a_path_leads_from_place_to_place_in_the_time_it_takes(seed: int) -> None:
    frame = town(seed).assign(speed_kmh=36.0)
    made = travel(frame)
    rng = np.random.default_rng(seed)
    origins, destinations = (made.snap(rng.uniform(0, 900, (6, 2)), 300) for _ in range(2))
    paths = made.paths(origins, destinations)
    for i, path in enumerate(paths):
        one = np.array([i])
        seconds = made.matrix_s(origins.take(one), destinations.take(one))[0, 0]
        if path is None:
            assert np.isinf(seconds)
            continue
        legs = made.leg_s(origins)[i] + made.leg_s(destinations)[i]
        assert path.length / 10 + legs == pytest.approx(seconds)
        network = made.streets.network
        for places, end in ((origins, path.coords[0]), (destinations, path.coords[-1])):
            spot = network.pieces(places.edge[one], places.along_m[one], places.along_m[one])[0]
            assert shapely.Point(end).distance(spot) < 1e-6
        # Only over streets.
        at = shapely.line_interpolate_point(path, np.linspace(0, path.length, 50))
        assert shapely.distance(at[:, None], frame.geometry.to_numpy()).min(axis=1).max() < 1e-6


def test_equal_streets_are_built_once_and_others_anew() -> None:
    made = travel(ROAD)
    assert travel(ROAD.copy()).streets is made.streets
    assert travel(ROAD.assign(name_en="Road")).streets is made.streets
    assert travel(ROAD.assign(speed_kmh=72.0)).streets is not made.streets
    assert travel(ROAD.set_geometry(ROAD.translate(1))).streets is not made.streets
    assert travel(ROAD, mode="walk").streets is not made.streets


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000))
def test_turned_round_every_trip_is_the_one_the_other_way(seed: int) -> None:
    made = travel(town(seed))
    rng = np.random.default_rng(seed)
    here, there = (made.snap(rng.uniform(0, 900, (4, 2)), 400) for _ in range(2))
    turned = made.turned()
    np.testing.assert_allclose(turned.matrix_s(here, there), made.matrix_s(there, here).T, rtol=1e-9)
    for forth, back in zip(made.paths(there, here), turned.paths(here, there), strict=True):
        assert (forth is None) == (back is None)
        if forth is not None:
            seconds = [shapely.length(line) for line in (forth, back)]
            assert seconds[0] == pytest.approx(seconds[1], rel=1e-6)
