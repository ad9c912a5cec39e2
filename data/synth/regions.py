"""Dividing a graph of areas into connected regions of about equal load."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

ROUNDS = 28


def divide(
    graph: sparse.csr_array, xy: np.ndarray, load: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the region (n,) of each area, every region connected and near its share of the load.

    Regions are grown as in `grow`; then single areas on a border change sides while that makes the shares more even.

    Parameters
    ----------
    graph : (n, n)
        Connected; distances between neighbours.
    xy : (n, 2)
        Where the areas are, metres.
    load : (n,)
        What is to be shared out, such as households.
    share : (k,)
        Of each region; need not sum to one.
    """
    if len(share) == 1:
        return np.zeros(len(load), dtype=int)
    seeds = _spread(xy, load + load.mean() * 0.2, len(share), rng)
    region = grow(graph, load, share, seeds, xy=xy)
    return _trade(graph, region, load, share / share.sum() * load.sum())


def grow(
    graph: sparse.csr_array, load: np.ndarray, share: np.ndarray, seeds: np.ndarray, *, xy: np.ndarray | None = None
) -> np.ndarray:
    """Return regions (n,) grown from seeds (k,); the seeds move to the middle of their region where `xy` is given.

    Every area goes to the seed with the shortest path, a head start added. A shortest path stays in its region, so
    regions are connected whatever the head starts are; these are raised where a region is too heavy.
    """
    k, n = len(share), graph.shape[0]
    target = share / share.sum() * load.sum()
    head, scale = np.zeros(k), float(np.median(graph.data)) * np.sqrt(n / k)
    best, best_off = _grow(graph, seeds, head), np.inf
    for _ in range(ROUNDS):
        region = _grow(graph, seeds, head)
        off = _unevenness(region, load, target)
        if off < best_off and len(np.unique(region)) == k:
            best, best_off = region, off
        ratio = np.bincount(region, weights=load, minlength=k) / target
        head = np.clip(head + 0.25 * scale * np.clip(ratio - 1, -0.8, 0.8), -1.5 * scale, 1.5 * scale)
        if xy is not None:
            seeds = _middles(region, xy, load, seeds)
    return best


def connected(graph: sparse.csr_array, region: np.ndarray) -> bool:
    """Whether every region is in one piece."""
    rows, cols = graph.nonzero()
    inner = region[rows] == region[cols]
    kept = sparse.csr_array((np.ones(inner.sum()), (rows[inner], cols[inner])), shape=graph.shape)
    return bool(csgraph.connected_components(kept, directed=False)[0] == len(np.unique(region)))


def _grow(graph: sparse.csr_array, seeds: np.ndarray, head: np.ndarray) -> np.ndarray:
    n, k = graph.shape[0], len(seeds)
    start = sparse.csr_array((head - head.min() + 1e-6, (np.arange(k), seeds)), shape=(k, n))
    wide = sparse.block_array([[graph, None], [start, sparse.csr_array((k, k))]], format="csr")
    _, _, source = csgraph.dijkstra(wide, indices=np.arange(n, n + k), min_only=True, return_predecessors=True)
    return np.asarray(source[:n] - n, dtype=int)


def _spread(xy: np.ndarray, weight: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Return k areas far from one another, heavy ones first (k-means++)."""
    chosen = [int(rng.choice(len(xy), p=weight / weight.sum()))]
    while len(chosen) < k:
        apart = ((xy[:, None] - xy[chosen]) ** 2).sum(axis=2).min(axis=1) * weight
        chosen.append(int(rng.choice(len(xy), p=apart / apart.sum())))
    return np.array(chosen)


def _middles(region: np.ndarray, xy: np.ndarray, load: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    moved = seeds.copy()
    for i in np.unique(region):
        mine = np.flatnonzero(region == i)
        weight = load[mine] + load.mean() * 0.2 + 1e-9
        middle = np.average(xy[mine], axis=0, weights=weight)
        moved[i] = mine[np.argmin(((xy[mine] - middle) ** 2).sum(axis=1))]
    return moved


def _unevenness(region: np.ndarray, load: np.ndarray, target: np.ndarray) -> float:
    return float(((np.bincount(region, weights=load, minlength=len(target)) / target - 1) ** 2).sum())


def _trade(graph: sparse.csr_array, region: np.ndarray, load: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Move single border areas to lighter neighbours while that evens the shares and breaks nothing apart."""
    region = region.copy()
    total = np.bincount(region, weights=load, minlength=len(target))
    for _ in range(4):
        moved = False
        for area in np.argsort(load, kind="stable"):
            here = region[area]
            around = graph.indices[graph.indptr[area] : graph.indptr[area + 1]]
            for there in np.unique(region[around][region[around] != here]):
                before = (total[here] / target[here] - 1) ** 2 + (total[there] / target[there] - 1) ** 2
                after = ((total[here] - load[area]) / target[here] - 1) ** 2 + (
                    (total[there] + load[area]) / target[there] - 1
                ) ** 2
                if after < before - 1e-4 and _holds_without(graph, region, int(area)):
                    total[here] -= load[area]
                    total[there] += load[area]
                    region[area] = there
                    moved = True
                    break
        if not moved:
            break
    return region


def _holds_without(graph: sparse.csr_array, region: np.ndarray, area: int) -> bool:
    """Whether the region of an area stays in one piece, and exists, without it."""
    mine = np.flatnonzero(region == region[area])
    rest = mine[mine != area]
    if len(rest) == 0:
        return False
    inside = graph[rest][:, rest]
    return bool(csgraph.connected_components(inside, directed=False)[0] == 1)
