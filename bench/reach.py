"""Travel times on a big city's streets: our use of scipy's Dijkstra against igraph and networkx, and what limits gain.

The streets are the driving network of Porto Alegre, nine times side by side and joined along their borders; where the
shared data are absent, a lattice of as many junctions with one-way and missing streets, and the claims then end in
``_lattice``. ``nearest_post``: from 100 posts, each on a street between two junctions with a leg to walk, to every
junction, at once. igraph and networkx get the same as one search from a virtual source behind all posts; their graphs
are built beforehand, ours takes the posts in within its time. Only igraph and networkx say the time alone; ours says
which post as well. ``matrix_limit``: 1,000 places to 1,000 places up to 10 minutes against the same without a limit.
The floor is one pass over the times of all arcs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import igraph
import networkx as nx
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

import gis
from bench.harness import Contest, Disagreement, main
from gis.city.travel import travel
from gis.kernels.reach import Ends, Floats, build_graph, many_to_many_s, nearest_s

PORTO_ALEGRE = Path(__file__).parents[2] / "shared" / "data" / "streets" / "porto_alegre" / "poa_osm.pbf"
COPIES = 3
JOINED = 60
"""Streets from one copy to the next."""
JOIN_M_S = 50 / 3.6
SIDE = 373
POSTS, PLACES = 100, 1_000
LIMIT_S = 600.0
CLOSE_S = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """A directed graph, where its junctions lie, and what its claims end in."""

    graph: sparse.csr_array
    xy: Floats
    suffix: str


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield the contests; the quick set looks from fewer places."""
    streets = _porto_alegre() if PORTO_ALEGRE.exists() else _lattice()
    graph, n = streets.graph, streets.graph.shape[0]
    posts = _places(graph, POSTS, 1)
    for name, anchor, target in (("igraph", _igraph(graph, posts), 3.0), ("networkx", _networkx(graph, posts), 20.0)):
        yield Contest(
            name=f"nearest_post_{name}{streets.suffix}",
            n=n,
            ours=partial(nearest_s, graph, posts),
            anchor=anchor,
            anchor_name=f"{name}, virtual source",
            target=target,
            agree=_agree_nearest,
            floor=graph.data.sum,
            repeats=3 if quick else 15,
        )
    count = PLACES // 20 if quick else PLACES
    starts, goals = _places(graph, count, 2), _places(graph, PLACES, 3)
    yield Contest(
        name=f"matrix_limit{streets.suffix}",
        n=n,
        ours=partial(many_to_many_s, graph, starts, goals, limit_s=LIMIT_S),
        anchor=partial(many_to_many_s, graph, starts, goals),
        anchor_name=f"{count} x {PLACES} without a limit",
        target=5.0,
        agree=_agree_matrix,
    )


def _porto_alegre() -> Streets:
    """Return the largest strongly connected part of the driving network, copied and joined."""
    city = gis.City.from_files(segments=PORTO_ALEGRE)
    trips = travel(city.segments.to_crs(city.profile.metric_crs))
    inside, xy = _largest(trips.graph), _junctions(trips)
    one = trips.graph[inside][:, inside].tocoo()
    xy = xy[inside]
    n, size = len(xy), np.ptp(xy, axis=0) + 50.0
    copies = [(i, j) for j in range(COPIES) for i in range(COPIES)]
    tail, head, seconds = ([values + k * n for k in range(len(copies))] for values in (one.row, one.col, np.zeros(0)))
    everywhere = np.concatenate([xy + size * copy for copy in copies])
    seconds = [one.data] * len(copies)
    for k, (i, j) in enumerate(copies):
        for axis, neighbour in ((0, k + 1 if i + 1 < COPIES else None), (1, k + COPIES if j + 1 < COPIES else None)):
            if neighbour is None:
                continue
            last = k * n + np.argsort(-xy[:, axis], kind="stable")[:JOINED]
            away, nearest = cKDTree(everywhere[neighbour * n : (neighbour + 1) * n]).query(everywhere[last])
            tail += [last, nearest + neighbour * n]
            head += [nearest + neighbour * n, last]
            seconds += [away / JOIN_M_S] * 2
    graph = build_graph(
        np.concatenate(tail).astype(np.int64),
        np.concatenate(head).astype(np.int64),
        np.concatenate(seconds),
        n_nodes=len(everywhere),
    )
    return Streets(graph, everywhere, "")


def _junctions(trips) -> Floats:  # noqa: ANN001 - Travel
    """Return where the nodes (n, 2) of a travel network lie."""
    streets = trips.streets
    edge = np.flatnonzero(np.isfinite(streets.along_s))
    xy = np.empty((trips.graph.shape[0], 2))
    for side, along in ((0, np.zeros(edge.size)), (1, streets.network.graph.length_m[edge])):
        xy[streets.ends[edge, side]] = streets.network.points(edge, along)
    return xy


def _largest(graph: sparse.csr_array) -> np.ndarray:
    _, part = csgraph.connected_components(graph, connection="strong")
    return np.flatnonzero(part == np.argmax(np.bincount(part)))


def _lattice() -> Streets:
    """Return a lattice of streets of 80 to 160 m: every tenth missing, every fourth one-way, 30 or 50 km/h."""
    rng = np.random.default_rng(5)
    at = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    ends = np.concatenate(
        [
            np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]),
            np.column_stack([at[:-1].ravel(), at[1:].ravel()]),
        ]
    )
    ends = ends[rng.random(len(ends)) > 0.1]
    ends = np.where(rng.random((len(ends), 1)) < 0.5, ends, ends[:, ::-1])
    seconds = rng.uniform(80, 160, len(ends)) / (rng.choice([30.0, 50.0], len(ends)) / 3.6)
    back = rng.random(len(ends)) > 0.25
    graph = build_graph(
        np.concatenate([ends[:, 0], ends[back, 1]]),
        np.concatenate([ends[:, 1], ends[back, 0]]),
        np.concatenate([seconds, seconds[back]]),
        n_nodes=at.size,
    )
    inside = _largest(graph)
    xy = 120.0 * np.column_stack([inside % SIDE, inside // SIDE])
    return Streets(graph[inside][:, inside].tocsr(), xy, "_lattice")


def _places(graph: sparse.csr_array, count: int, seed: int) -> Ends:
    """Return places on random arcs: seconds to both ends, with a leg of up to 100 s."""
    rng = np.random.default_rng(seed)
    arc = rng.choice(graph.nnz, count, replace=False)
    tail = np.searchsorted(graph.indptr, arc, side="right") - 1
    share = rng.random(count)
    seconds = graph.data[arc][:, None] * np.column_stack([share, 1 - share]) + rng.uniform(0, 100, (count, 1))
    return Ends(np.column_stack([tail, graph.indices[arc]]).astype(np.int64), seconds)


def _with_source(graph: sparse.csr_array, posts: Ends) -> sparse.coo_array:
    """Return the graph with one node more, from which all posts start: the quickest arc to each end of a post."""
    n, arcs = graph.shape[0], graph.tocoo()
    node, seconds = posts.node.ravel(), posts.seconds.ravel()
    tail = np.concatenate([arcs.row, np.full(node.size, n)]).astype(np.int64)
    head = np.concatenate([arcs.col, node]).astype(np.int64)
    return build_graph(tail, head, np.concatenate([arcs.data, seconds]), n_nodes=n + 1).tocoo()


def _igraph(graph: sparse.csr_array, posts: Ends):  # noqa: ANN202 - a callable
    arcs = _with_source(graph, posts)
    n = graph.shape[0]
    made = igraph.Graph(n=n + 1, edges=np.column_stack([arcs.row, arcs.col]), directed=True)
    made.es["s"] = arcs.data.tolist()
    return lambda: np.array(made.distances(source=n, weights="s")[0][:n])


def _networkx(graph: sparse.csr_array, posts: Ends):  # noqa: ANN202 - a callable
    arcs = _with_source(graph, posts)
    n = graph.shape[0]
    made = nx.DiGraph()
    made.add_nodes_from(range(n + 1))
    made.add_weighted_edges_from(zip(arcs.row.tolist(), arcs.col.tolist(), arcs.data.tolist(), strict=True), weight="s")

    def search() -> Floats:
        found = nx.single_source_dijkstra_path_length(made, n, weight="s")
        return np.array([found.get(node, np.inf) for node in range(n)])

    return search


def _agree_nearest(ours: tuple[Floats, np.ndarray], anchor: Floats) -> str:
    apart = float(np.abs(ours[0] - anchor).max())
    if not apart < CLOSE_S:
        raise Disagreement(f"times differ by {apart:.3g} s")
    if not (ours[1] >= 0).all():
        raise Disagreement("a junction has no post")
    return f"same times within {apart:.1g} s, {np.unique(ours[1]).size} posts nearest somewhere"


def _agree_matrix(ours: Floats, anchor: Floats) -> str:
    within = np.where(anchor <= LIMIT_S, anchor, np.inf)
    if not np.array_equal(ours, within):
        raise Disagreement("the times within the limit are not those of the full matrix")
    return f"the same {np.isfinite(ours).mean():.1%} of the times"


if __name__ == "__main__":
    sys.exit(main(contests, title="Travel times on n junctions"))
