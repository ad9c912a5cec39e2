"""Two neighbouring grids divided anew, where moving single blocks gets stuck.

With few heavy blocks no single move helps, although a swap, or another division of the two, would. Small pairs are
looked through completely. Larger ones are joined and cut along random spanning trees, the step of recombination chains.

Reference: DeFord, Duchin and Solomon (2021), Harvard Data Science Review 3(1), section 3.1 (recombination).
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints
from gis.kernels.block_sets import flood, near_sets, place
from gis.kernels.contiguity import walk, walking_room
from gis.kernels.plan_objective import PER_BLOCK, Band, Objective, Weights, load_cost, objective
from gis.kernels.random_stream import below, stream, unit

MOST_PAIR_BLOCKS = 18
"""Two grids of so many blocks together are looked through: at most 2^17 divisions, a few milliseconds."""
MOST_TREE_BLOCKS = 4_096
TREES = 20
"""Random trees drawn for a larger pair, each time it is looked at."""
MOST_ROUNDS = 50
_WORTH = 1e-9
"""A smaller gain than this is rounding."""


@dataclass(frozen=True, slots=True)
class Recombined:
    """Where it ended.

    Attributes
    ----------
    grid : (n,)
    before, after
        What the plan cost, part by part.
    pairs
        How many pairs of grids were divided anew for the better.
    settled
        No pair that was looked through completely can be divided better.
    """

    grid: Ints
    before: Objective
    after: Objective
    pairs: int
    settled: bool


def recombine(
    graph: BlockGraph,
    load: Floats,
    grid: Ints,
    *,
    grids_count: int,
    band: Band,
    weights: Weights,
    base: Ints | None = None,
    fixed: Bools | None = None,
    closed: Bools | None = None,
    only: Bools | None = None,
    place_cost: Floats | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Recombined:
    """Divide pairs of neighbouring grids anew for as long as that lowers the objective.

    Only grids in one piece take part.

    Parameters
    ----------
    only : (`grids_count`,), optional
        Begin with pairs that hold one of these grids; others follow when a neighbour has changed. All by default.

    The others are those of `gis.kernels.annealing.anneal`.
    """
    new = np.array(grid, dtype=np.int64)
    account = {"grids_count": grids_count, "band": band, "weights": weights, "base": base, "closed": closed}
    account["place_cost"] = place_cost
    before = objective(graph, load, new, **account)  # type: ignore[arg-type]
    task = _Task(
        graph,
        load,
        band,
        weights,
        np.full(load.size, -1) if base is None else base,
        np.zeros(load.size, bool) if fixed is None else fixed,
        place_cost,
        stream(seed),
    )
    shut = np.zeros(grids_count, bool) if closed is None else closed
    open_pairs = _neighbouring(graph, new, shut)
    open_pairs = open_pairs if only is None else open_pairs[only[open_pairs].any(axis=1)]
    changed = 0
    for round_ in range(MOST_ROUNDS):
        if not len(open_pairs):
            break
        if progress is not None:
            progress(round_ / MOST_ROUNDS)
        touched = np.zeros(grids_count, bool)
        for pair in open_pairs:
            if task.divide(new, pair):
                touched[pair] = True
                changed += 1
        pairs = _neighbouring(graph, new, shut)
        open_pairs = pairs[touched[pairs].any(axis=1)]
    after = objective(graph, load, new, **account)  # type: ignore[arg-type]
    return Recombined(new, before, after, changed, settled=not len(open_pairs))


def _neighbouring(graph: BlockGraph, grid: Ints, shut: Bools) -> Ints:
    """Return the pairs (p, 2) of open grids that share a border."""
    pairs = np.column_stack([grid[graph.tail], grid[graph.neighbour]])
    pairs = pairs[(pairs[:, 0] < pairs[:, 1]) & ~shut[pairs].any(axis=1)]
    return np.unique(pairs, axis=0)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    graph: BlockGraph
    load: Floats
    band: Band
    weights: Weights
    base: Ints
    fixed: Bools
    place_cost: Floats | None
    state: np.ndarray

    def divide(self, grid: Ints, pair: Ints) -> bool:
        """Divide a pair of grids better, in place; return whether that was possible."""
        a, b = (int(g) for g in pair)
        blocks = np.flatnonzero((grid == a) | (grid == b))
        if not 1 < blocks.size <= MOST_TREE_BLOCKS or self.fixed[blocks].all():
            return False
        part = self.graph.part(blocks)
        in_b = grid[blocks] == b
        # One piece each, and still neighbours: pairs before this one may have been divided meanwhile.
        if not _whole_pair(part.first, part.neighbour, in_b, *walking_room(blocks.size)):
            return False
        numbers = np.array([self.band.target, self.band.least, self.band.most, self.weights.spread, self.weights.band])
        load = self.load[blocks].astype(np.float64)
        away = self.weights.stability * (load / self.band.target + PER_BLOCK)
        # What a block costs in a, and in b, compared with a place that is neither's.
        in_a_cost = np.where((self.base[blocks] >= 0) & (self.base[blocks] != a), away, 0.0)
        in_b_cost = np.where((self.base[blocks] >= 0) & (self.base[blocks] != b), away, 0.0)
        if self.place_cost is not None:
            in_a_cost += self.place_cost[blocks, a]
            in_b_cost += self.place_cost[blocks, b]
        stay = np.where(self.fixed[blocks], in_b.astype(np.int64), -1)
        border = part.border_m / self.graph.side_m * self.weights.cut
        arrays = (part.first, part.neighbour, border, load, in_a_cost, in_b_cost, stay)
        best = in_b.copy()
        worth = _cost_of(*arrays[:6], numbers, in_b) - _WORTH
        if blocks.size <= MOST_PAIR_BLOCKS:
            better = _best_of_all(near_sets(part), *arrays, numbers, worth, best)
        else:
            better = _best_of_trees(*arrays, numbers, worth, best, TREES, self.state)
        if better:
            grid[blocks] = np.where(best, b, a)
        return bool(better)


@njit(cache=True, nogil=True)
def _whole_pair(first, neighbour, in_b, marks, queue, stamp):  # type: ignore[no-untyped-def]
    """Return whether both grids hang together, and touch."""
    for side in (False, True):
        count, start = 0, -1
        for u in range(in_b.size):
            if in_b[u] == side:
                count += 1
                start = u
        if count == 0 or walk(first, neighbour, in_b, start, marks, queue, stamp) < count:
            return False
    for u in range(in_b.size):
        for dart in range(first[u], first[u + 1]):
            if in_b[u] != in_b[neighbour[dart]]:
                return True
    return False


@njit(cache=True, nogil=True)
def _cost_of(first, neighbour, border, load, in_a_cost, in_b_cost, numbers, in_b):  # type: ignore[no-untyped-def]
    cost = load_a = load_b = 0.0
    for u in range(load.size):
        if in_b[u]:
            load_b += load[u]
            cost += in_b_cost[u]
        else:
            load_a += load[u]
            cost += in_a_cost[u]
        for dart in range(first[u], first[u + 1]):
            if in_b[u] != in_b[neighbour[dart]]:
                cost += border[dart] / 2.0
    cost += load_cost(load_a, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    return cost + load_cost(load_b, numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])


@njit(cache=True, nogil=True)
def _best_of_all(  # type: ignore[no-untyped-def]
    near,
    first,
    neighbour,
    border,
    load,
    in_a_cost,
    in_b_cost,
    stay,
    numbers,
    worth,
    best,
):
    """Look at every division; one block changes sides at a time (a Gray code), so that each costs a few additions."""
    n = near.size
    target, least, most, spread, steep = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    everything = (np.int64(1) << n) - 1
    must_b = np.int64(0)
    may_b = everything
    for u in range(n):
        if stay[u] == 1:
            must_b |= np.int64(1) << u
        elif stay[u] == 0:
            may_b &= ~(np.int64(1) << u)
    in_b = np.int64(0)
    load_a, load_b, cut, moved = load.sum(), 0.0, 0.0, in_a_cost.sum()
    found = False
    for step in range(1, everything + 1):
        u = place(step & -step)
        bit = np.int64(1) << u
        entering = not in_b & bit
        in_b ^= bit
        sign = 1.0 if entering else -1.0
        load_b += sign * load[u]
        load_a -= sign * load[u]
        moved += sign * (in_b_cost[u] - in_a_cost[u])
        for dart in range(first[u], first[u + 1]):
            apart = (in_b >> neighbour[dart] & 1) != (in_b >> u & 1)
            cut += border[dart] if apart else -border[dart]
        if in_b == everything or in_b & ~may_b or must_b & ~in_b or cut + moved >= worth:
            continue
        cost = cut + moved + load_cost(load_a, target, least, most, spread, steep)
        cost += load_cost(load_b, target, least, most, spread, steep)
        if cost >= worth:
            continue
        in_a = everything & ~in_b
        if flood(near, in_b, in_b & -in_b) != in_b or flood(near, in_a, in_a & -in_a) != in_a:
            continue
        worth = cost - 1e-9
        found = True
        for v in range(n):
            best[v] = in_b >> v & 1
    return found


@njit(cache=True, nogil=True)
def _best_of_trees(  # type: ignore[no-untyped-def]
    first,
    neighbour,
    border,
    load,
    in_a_cost,
    in_b_cost,
    stay,
    numbers,
    worth,
    best,
    trees,
    state,
):
    """Cut random spanning trees at every branch; below a branch may go to either grid."""
    n = load.size
    target, least, most, spread, steep = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    order, parent = np.empty(n, np.int64), np.empty(n, np.int64)
    found = False
    total, total_a, total_b = load.sum(), in_a_cost.sum(), in_b_cost.sum()
    held_a, held_b = np.sum(stay == 0), np.sum(stay == 1)
    for _ in range(trees):
        _random_tree(first, neighbour, border, order, parent, state)
        weight, cut = load.copy(), _branch_cuts(first, neighbour, border, order, parent)
        cost_a, cost_b = in_a_cost.copy(), in_b_cost.copy()
        stay_a, stay_b = (stay == 0).astype(np.int64), (stay == 1).astype(np.int64)
        for i in range(n - 1, 0, -1):
            u = order[i]
            for below_in_b in (True, False):
                if below_in_b:
                    right = stay_a[u] == 0 and stay_b[u] == held_b
                    moved = cost_b[u] + total_a - cost_a[u]
                else:
                    right = stay_b[u] == 0 and stay_a[u] == held_a
                    moved = cost_a[u] + total_b - cost_b[u]
                cost = cut[u] + moved + load_cost(weight[u], target, least, most, spread, steep)
                cost += load_cost(total - weight[u], target, least, most, spread, steep)
                if right and cost < worth:
                    worth = cost - 1e-9
                    found = True
                    _mark_branch(order, parent, u, below_in_b, best)
            p = parent[u]
            weight[p] += weight[u]
            cost_a[p] += cost_a[u]
            cost_b[p] += cost_b[u]
            stay_a[p] += stay_a[u]
            stay_b[p] += stay_b[u]
    return found


@njit(cache=True, nogil=True)
def _random_tree(first, neighbour, border, order, parent, state):  # type: ignore[no-untyped-def]
    """Grow a tree from a random block by Prim's rule, with random weights that keep long borders inside it."""
    n = order.size
    key = np.full(n, np.inf)
    done = np.zeros(n, np.bool_)
    key[below(state, n)] = -1.0
    parent[:] = -1
    for i in range(n):
        u = -1
        for v in range(n):
            if not done[v] and (u < 0 or key[v] < key[u]):
                u = v
        done[u] = True
        order[i] = u
        for dart in range(first[u], first[u + 1]):
            v = neighbour[dart]
            if done[v]:
                continue
            drawn = -np.log(1.0 - unit(state)) / (border[dart] + 1e-12)
            if drawn < key[v]:
                key[v] = drawn
                parent[v] = u


@njit(cache=True, nogil=True)
def _branch_cuts(first, neighbour, border, order, parent):  # type: ignore[no-untyped-def]
    """Return the border (n,) between what hangs below each block of a tree and everything else."""
    n = order.size
    cut, depth = np.zeros(n), np.zeros(n, np.int64)
    for i in range(1, n):
        depth[order[i]] = depth[parent[order[i]]] + 1
    for u in range(n):
        for dart in range(first[u], first[u + 1]):
            v = neighbour[dart]
            cut[u] += border[dart]
            if u < v:
                a, b = u, v
                while a != b:
                    if depth[a] >= depth[b]:
                        a = parent[a]
                    else:
                        b = parent[b]
                # A border inside what hangs below their common ancestor is no border of that.
                cut[a] -= 2.0 * border[dart]
    for i in range(n - 1, 0, -1):
        cut[parent[order[i]]] += cut[order[i]]
    return cut


@njit(cache=True, nogil=True)
def _mark_branch(order, parent, top, below_in_b, best):  # type: ignore[no-untyped-def]
    under = np.zeros(order.size, np.bool_)
    under[top] = True
    for i in range(order.size):
        u = order[i]
        if parent[u] >= 0 and under[parent[u]]:
            under[u] = True
        best[u] = under[u] == below_in_b
