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
