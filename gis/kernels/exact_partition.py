"""Small divisions that provably cannot be bettered: up to some 25 blocks, looked through completely.

Two ways, for two questions. `shortest_cut` and `most_even` divide blocks anew: grid by grid, always the one that holds
the first block still free, giving up as soon as the rest cannot be divided or the borders are already too long.
`cheapest_plan` keeps the names of grids: it lists every possible grid and lets HiGHS choose a set of them that covers
each block once (set partitioning; Garfinkel and Nemhauser 1970, Management Science 16(8), B495-B508).
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csgraph

from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints
from gis.kernels.block_sets import connected_sets, flood, near_sets, place, set_cuts, set_loads
from gis.kernels.plan_objective import PER_BLOCK, STEEP, Band, Weights, cut_length, load_costs, objective

MOST_EXACT_BLOCKS = 25
MOST_STEPS = 200_000_000
"""Sets of blocks looked at before a search is given up: some ten seconds."""
MOST_COLUMNS = 20_000
"""Possible grids that HiGHS may choose from: a few seconds at most."""
_EPSILON = 1e-9
_PRICE_SLACK = 1e-6
"""HiGHS keeps its promises up to about this much."""


@dataclass(frozen=True, slots=True)
class Division:
    """What a search found.

    Attributes
    ----------
    grid : (n,)
        Numbered by their first blocks; None when no division keeps the band.
    cut_m
        Length of its borders between grids.
    deviation
        Largest share by which a load differs from the mean of all.
    proven
        The search came to its end: nothing better exists, or nothing at all.
    """

    grid: Ints | None
    cut_m: float
    deviation: float
    proven: bool


def shortest_cut(graph: BlockGraph, load: Floats, grids_count: int, *, least: float, most: float) -> Division:
    """Return the division into grids that hang together, with loads from `least` to `most`, of the shortest borders.

    Parameters
    ----------
    graph
        At most `MOST_BLOCKS` blocks; not more than some 25 can be looked through.
    load : (n,)
        Of each block, not negative.

    Examples
    --------
    >>> from gis.kernels.block_graph import block_graph
    >>> ring = block_graph(np.array([[0, 1], [1, 2], [2, 3], [0, 3]]), np.array([1.0, 5, 2, 5]), np.ones(4), np.ones(4))
    >>> shortest_cut(ring, np.ones(4), 2, least=2, most=2)
    Division(grid=array([0, 1, 1, 0]), cut_m=3.0, deviation=0.0, proven=True)
    """
    found, proven = _looked_through(graph, load, grids_count, least, most, evenest=False)
    return _division(graph, load, found, proven=proven)


def most_even(graph: BlockGraph, load: Floats, grids_count: int) -> Division:
    """Return the division into grids that hang together whose loads deviate least from their mean.

    Of divisions that are equally even it has the shortest borders.
    """
    total = float(load.sum())
    found, proven = _looked_through(graph, load, grids_count, 0.0, total, evenest=True)
    first = _division(graph, load, found, proven=proven)
    if found is None:
        return first
    mean, reached = total / grids_count, first.deviation + _EPSILON
    found, shortest = _looked_through(
        graph, load, grids_count, mean * (1 - reached), mean * (1 + reached), evenest=False
    )
    return first if found is None else _division(graph, load, found, proven=proven and shortest)


def cheapest_plan(
    graph: BlockGraph,
    load: Floats,
    *,
    grids_count: int,
    band: Band,
    weights: Weights,
    base: Ints | None = None,
    fixed: Bools | None = None,
    elsewhere: Floats | None = None,
    known: Ints | None = None,
) -> Ints | None:
    """Return the plan (n,) of least objective with every grid in one piece; None when that is too much to ask.

    Plans that keep the band come before all others, whatever they cost besides.

    Parameters
    ----------
    load : (n,)
    base : (n,), optional
        The plan that changes are counted against, 0 to `grids_count` - 1, or -1. Without it grids have no names, and
        are numbered by their first blocks.
    fixed : (n,), optional
        Blocks that stay in their base grid.
    elsewhere : (`grids_count`,), optional
        Load that each grid of the base plan has besides, in blocks that are not asked about.
    known : (n,), optional
        A plan to better: a grid that alone costs as much as all of it plays no part.

    Returns
    -------
    (n,) or None
        None when more than `MOST_COLUMNS` grids are possible, or no plan keeps every grid in one piece.
    """
    more = np.zeros(grids_count) if elsewhere is None else elsewhere
    names = None if base is None else _Names(base, np.zeros(load.size, bool) if fixed is None else fixed, more)
    at_most, kept = np.inf, False
    if known is not None:
        account = {"grids_count": grids_count, "band": band, "base": base}
        at_most = objective(graph, load, known, weights=replace(weights, spread=0.0, band=0.0), **account).total  # type: ignore[arg-type]
        loads = np.bincount(known, load, minlength=grids_count) + more
        at_most += float(load_costs(loads, band, weights).sum())
        kept = bool(band.holds(loads).all())
    for strict, limit in ((True, at_most if kept else np.inf), (False, at_most)):
        found = _cheapest(graph, load, grids_count, band, weights, names, strict=strict, at_most=limit)
        if found is not None:
            return found if base is not None else _by_first_block(found)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """What tells grids apart: their base plan, the blocks that stay in it, and the load that each has elsewhere."""

    base: Ints
    fixed: Bools
    elsewhere: Floats


def _cheapest(
    graph: BlockGraph,
    load: Floats,
    grids_count: int,
    band: Band,
    weights: Weights,
    names: _Names | None,
    *,
    strict: bool,
    at_most: float,
) -> Ints | None:
    heaviest = band.most * (1 + _EPSILON)
    if not strict:
        # A single grid with more than this costs as much as the whole known plan.
        heaviest = band.most + band.target * _outside(at_most / weights.band) if weights.band > 0 else np.inf
    sets = connected_sets(graph, load, most=heaviest, limit=MOST_COLUMNS)
    if sets is None:
        return None
    held = set_loads(sets, load)
    border = weights.cut * set_cuts(sets, graph) / graph.side_m / 2
    if names is None:
        price = border + load_costs(held, band, weights)
        possible = (price <= at_most + _EPSILON) & (band.holds(held) | (not strict))
        return _chosen(sets[possible], price[possible], None, load.size, grids_count, at_most)
    columns, costs, owners = [], [], []
    for grid in range(grids_count):
        own, still = names.base == grid, names.fixed
        kept, barred = _as_set(own & still), _as_set(~own & still)
        away = sets & ~_as_set(own) & _as_set(names.base >= 0)
        moved = set_loads(away, load) / band.target + PER_BLOCK * np.bitwise_count(away)
        total = held + names.elsewhere[grid]
        price = border + load_costs(total, band, weights) + weights.stability * moved
        possible = ((sets & kept) == kept) & ((sets & barred) == 0)
        possible &= (price <= at_most + _EPSILON) & (band.holds(total) | (not strict))
        columns.append(sets[possible])
        costs.append(price[possible])
        owners.append(np.full(int(possible.sum()), grid))
    chosen, owner = np.concatenate(columns), np.concatenate(owners)
    if chosen.size > MOST_COLUMNS:
        return None
    return _chosen(chosen, np.concatenate(costs), owner, load.size, grids_count, at_most)


def _outside(cost: float) -> float:
    """Return the excess h for which h + 4 h^2 is `cost`."""
    return float((np.sqrt(1 + 4 * STEEP * cost) - 1) / (2 * STEEP)) if np.isfinite(cost) else np.inf


def _as_set(blocks: Bools) -> np.int64:
    return np.int64(np.bitwise_or.reduce(np.int64(1) << np.flatnonzero(blocks), initial=0))


def _chosen(
    sets: Ints, costs: Floats, owner: Ints | None, blocks_count: int, grids_count: int, at_most: float
) -> Ints | None:
    """Let HiGHS choose one set for each grid, or as many sets as grids, so that each block is in exactly one.

    The linear relaxation comes first: a set whose reduced cost exceeds what is left below `at_most` plays no part.
    """
    if sets.size < grids_count:
        return None
    inside = (sets[None, :] >> np.arange(blocks_count)[:, None]) & 1
    named = np.zeros((1, sets.size), np.int64) if owner is None else owner == np.arange(grids_count)[:, None]
    once = np.concatenate([inside, named if owner is not None else named + 1]).astype(float)
    counts = np.ones(blocks_count + len(named))
    counts[blocks_count:] = grids_count if owner is None else 1
    relaxed = linprog(costs, A_eq=sparse.csr_array(once), b_eq=counts, bounds=(0, 1))
    if relaxed.status != 0:
        return None
    left = np.flatnonzero(relaxed.lower.marginals <= at_most - relaxed.fun + _PRICE_SLACK)
    solution = relaxed.x[left]
    if np.abs(solution - np.round(solution)).max(initial=0.0) > _PRICE_SLACK:
        solved = milp(
            costs[left],
            integrality=np.ones(left.size),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(sparse.csr_array(once[:, left]), counts, counts),
            options={"mip_rel_gap": 0.0},
        )
        if solved.status != 0:
            return None
        solution = solved.x
    grid = np.empty(blocks_count, np.int64)
    for order, column in enumerate(left[solution > 0.5]):  # noqa: PLR2004 - zero or one, up to rounding
        grid[inside[:, column] == 1] = order if owner is None else owner[column]
    return grid


def _division(graph: BlockGraph, load: Floats, grid: Ints | None, *, proven: bool) -> Division:
    if grid is None:
        return Division(None, np.nan, np.nan, proven)
    loads = np.bincount(grid, load)
    return Division(grid, cut_length(graph, grid), float(np.abs(loads / loads.mean() - 1).max()), proven)


def _looked_through(
    graph: BlockGraph, load: Floats, grids_count: int, least: float, most: float, *, evenest: bool
) -> tuple[Ints | None, bool]:
    """Return the division of shortest borders, or of the evenest loads, and whether the search came to its end."""
    slack = _EPSILON * max(float(load.sum()), 1.0)
    order = _order(graph)
    ordered = graph.part(order)
    best = np.full(load.size, -1)
    steps = _search(
        *(near_sets(ordered), ordered.first, ordered.neighbour, ordered.border_m, load[order].astype(float)),
        *(grids_count, least - slack, most + slack, evenest, MOST_STEPS, best),
    )
    if best[0] < 0:
        return None, steps < MOST_STEPS
    grid = np.empty(load.size, np.int64)
    grid[order] = best
    return _by_first_block(grid), steps < MOST_STEPS


def _order(graph: BlockGraph) -> Ints:
    """Return the blocks (n,) so that neighbours stand near one another: what is free then hangs together longer."""
    n = graph.blocks_count
    near = sparse.csr_array((np.ones(graph.neighbour.size), graph.neighbour, graph.first), shape=(n, n))
    return np.asarray(csgraph.reverse_cuthill_mckee(near, symmetric_mode=True), dtype=np.int64)


def _by_first_block(grid: Ints) -> Ints:
    _, first, inverse = np.unique(grid, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


@njit(cache=True, nogil=True)
def _search(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0915 - a depth-first search without recursion
    near,
    first,
    neighbour,
    border,
    load,
    grids_count,
    least,
    most,
    evenest,
    most_steps,
    best,
):
    n = near.size
    size = 2 * n + 2
    sets, edges = np.zeros((grids_count, size), np.int64), np.zeros((grids_count, size), np.int64)
    barred, fresh = np.zeros((grids_count, size), np.int64), np.zeros((grids_count, size), np.bool_)
    loads, tops = np.zeros((grids_count, size)), np.zeros(grids_count, np.int64)
    free, parts = np.zeros(grids_count, np.int64), np.zeros(grids_count, np.int64)
    cut, free_load, farthest = np.zeros(grids_count), np.zeros(grids_count), np.zeros(grids_count)
    free_load[0] = load.sum()
    mean = free_load[0] / grids_count
    best_cut = np.inf
    steps = 0
    free[0] = (np.int64(1) << n) - 1
    if not _divisible(near, load, free[0], grids_count, least, most):
        return steps
    if grids_count == 1:
        best[:] = 0
        return steps
    level = 0
    _begin(near, load, free[0], sets[0], edges[0], barred[0], fresh[0], loads[0])
    tops[0] = 1
    while level >= 0:
        if tops[level] == 0 or mean - farthest[level] < least:
            # Nothing left to try, or a grid before this one has become too uneven.
            level -= 1
            continue
        steps += 1
        if steps >= most_steps:
            return steps
        tops[level] -= 1
        top = tops[level]
        held, edge, bar, weight = sets[level, top], edges[level, top], barred[level, top], loads[level, top]
        new = fresh[level, top]
        if edge:
            # Later: all sets without the first block on the edge, and before them all with it.
            low = edge & -edge
            w = place(low)
            sets[level, top], edges[level, top], barred[level, top] = held, edge ^ low, bar | low
            loads[level, top], fresh[level, top] = weight, False
            top += 1
            if weight + load[w] <= most:
                sets[level, top], barred[level, top] = held | low, bar
                edges[level, top] = ((edge ^ low) | (near[w] & free[level])) & ~(held | low | bar)
                loads[level, top], fresh[level, top] = weight + load[w], True
                top += 1
            tops[level] = top
        if not new or weight < least:
            continue
        rest = free[level] & ~held
        length = cut[level] + _border_between(held, rest, first, neighbour, border)
        if length >= best_cut or not _divisible(near, load, rest, grids_count - level - 1, least, most):
            continue
        parts[level] = held
        if level == grids_count - 2:
            parts[level + 1] = rest
            best_cut = length * (1.0 - 1e-12)
            for i in range(grids_count):
                for u in range(n):
                    if parts[i] >> u & 1:
                        best[u] = i
            if evenest:
                best_cut = np.inf
                reach = max(farthest[level], abs(weight - mean), abs(free_load[level] - weight - mean))
                reach = max(reach * (1.0 - 1e-12) - 1e-12 * mean, 0.0)
                least, most = mean - reach, mean + reach
            continue
        level += 1
        free[level], cut[level], free_load[level] = rest, length, free_load[level - 1] - weight
        farthest[level] = max(farthest[level - 1], abs(weight - mean))
        _begin(near, load, rest, sets[level], edges[level], barred[level], fresh[level], loads[level])
        tops[level] = 1
    return steps


@njit(cache=True, nogil=True)
def _begin(near, load, free, sets, edges, barred, fresh, loads):  # type: ignore[no-untyped-def]
    """Put the first free block alone at the bottom of a level's stack."""
    low = free & -free
    block = place(low)
    sets[0], edges[0], barred[0] = low, near[block] & free & ~low, np.int64(0)
    loads[0], fresh[0] = load[block], True


@njit(cache=True, nogil=True)
def _divisible(near, load, free, grids_count, least, most):  # type: ignore[no-untyped-def]
    """Return whether the pieces of what is free can hold so many grids, as far as their loads tell."""
    fewest, largest = 0, 0
    while free:
        piece = flood(near, free, free & -free)
        free &= ~piece
        weight, blocks = 0.0, 0
        while piece:
            low = piece & -piece
            weight += load[place(low)]
            blocks += 1
            piece ^= low
        low_count = max(1, int(np.ceil(weight / most - 1e-12))) if most > 0 else 1
        high_count = min(blocks, int(weight / least + 1e-12)) if least > 0 else blocks
        if low_count > high_count:
            return False
        fewest += low_count
        largest += high_count
    return fewest <= grids_count <= largest


@njit(cache=True, nogil=True)
def _border_between(held, rest, first, neighbour, border):  # type: ignore[no-untyped-def]
    length = 0.0
    while held:
        low = held & -held
        u = place(low)
        held ^= low
        for dart in range(first[u], first[u + 1]):
            if rest >> neighbour[dart] & 1:
                length += border[dart]
    return length
