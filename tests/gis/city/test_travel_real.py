"""Real streets: parts and times are those of igraph, and adding up parallel arcs would have been wrong."""

from __future__ import annotations

import igraph
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.sparse import csgraph

import gis
from gis.city.travel import Places, travel
from gis.city.travel_policy import travel_policy

POSTS = 100


@pytest.mark.parametrize(
    ("place", "wrong"), [("porto_alegre/poa_osm.pbf", 50), ("helsinki/helsinki.osm.pbf", 0)], ids=["poa", "helsinki"]
)
def test_parts_and_times_of_a_real_city(shared_data, place: str, wrong: int) -> None:
    city = gis.City.from_files(segments=shared_data / "streets" / place)
    segments = city.segments.to_crs(city.profile.metric_crs)
    trips = travel(segments)
    told = trips.connection

    # The same streets by the numbers of their nodes, without any geometry but their length.
    rules = travel_policy().drive
    open_to = segments[segments["road_class"].isin(rules.speed_kmh) & segments["access"].isin(rules.access)]
    kmh = open_to["speed_kmh"].fillna(open_to["road_class"].map(dict(rules.speed_kmh))).to_numpy(float)
    seconds = open_to.length.to_numpy() / (kmh / 3.6)
    number, nodes = pd.factorize(pd.concat([open_to["from_node"], open_to["to_node"]]))
    tail, head = number.reshape(2, -1)
    back = ~open_to["oneway"].to_numpy(bool)
    ends = np.concatenate([np.column_stack([tail, head]), np.column_stack([head, tail])[back]])
    arc_s = np.concatenate([seconds, seconds[back]])
    loops = ends[:, 0] == ends[:, 1]
    ends, arc_s = ends[~loops], arc_s[~loops]
    other = igraph.Graph(n=len(nodes), edges=ends, directed=True)
    strong = other.connected_components("strong")
    assert told.nodes_count == len(nodes)
    assert told.arcs_count == len(ends)
    assert told.parallel_count == len(ends) - len(np.unique(ends, axis=0)) > 0
    assert told.strong_count == len(strong)
    assert told.weak_count == len(other.connected_components("weak"))
    assert told.largest_share == pytest.approx(max(strong.sizes()) / len(nodes))

    # From 100 ends of streets to the far ends of all.
    rng = np.random.default_rng(1)
    inside = np.flatnonzero(np.isin(np.arange(len(nodes)), max(strong, key=len)))
    posts = rng.choice(inside, POSTS, replace=False)
    expected = np.array(other.distances(source=posts.tolist(), weights=arc_s)).min(axis=0)
    row = {row: i for i, row in enumerate(np.flatnonzero(segments.index.isin(open_to.index)))}
    edges = np.flatnonzero(np.isfinite(trips.streets.along_s))
    at = np.array([row[r] for r in trips.streets.network.edge_segment[edges]])
    leaves = {int(tail[i]): int(edge) for edge, i in zip(edges, at, strict=True)}
    arrives = {int(head[i]): int(edge) for edge, i in zip(edges, at, strict=True)}
    length = trips.streets.network.graph.length_m
    here = [leaves.get(int(node), -1) for node in posts]
    there = [arrives.get(int(node), -1) for node in posts]
    edge = np.where(np.array(here) >= 0, here, there)
    along = np.where(np.array(here) >= 0, 0.0, length[edge])
    origins = Places(edge, along, np.zeros(POSTS), np.full(POSTS, np.nan))
    goals = np.array(list(arrives.items()))
    zero = np.zeros(len(goals))
    places = Places(goals[:, 1], length[goals[:, 1]], zero, zero)
    two = trips.nearest_two(origins, places)
    np.testing.assert_allclose(two.first_s, expected[goals[:, 0]], rtol=1e-9)
    rows = np.sort(trips.matrix_s(origins, places), axis=0)
    np.testing.assert_allclose(two.first_s, rows[0], rtol=1e-9)
    np.testing.assert_allclose(two.second_s, rows[1], rtol=1e-9)

    # The trap: a sparse matrix adds up what stands twice.
    added = sparse.coo_array((arc_s, ends.T), shape=(len(nodes), len(nodes))).tocsr()
    trapped = csgraph.dijkstra(added, indices=posts, min_only=True)
    assert (trapped[inside] > expected[inside] + 1e-6).sum() >= wrong
    assert (trapped[inside] < expected[inside] - 1e-6).sum() == 0
