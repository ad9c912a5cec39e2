"""Better plans, one block at a time: simulated annealing that never tears a grid apart.

A block is drawn, and one of the grids that it touches. The change of the objective comes first, because it is cheap;
only what Metropolis accepts is tested for contiguity, because that is the walk.

References: Kirkpatrick, Gelatt and Vecchi (1983), Science 220; on districts, Macmillan and Pierce (1994), in
Fotheringham and Rogerson, Spatial Analysis and GIS, chapter 11.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints
from gis.kernels.contiguity import stays_whole, walking_room
from gis.kernels.plan_objective import PER_BLOCK, Band, Objective, Weights, load_cost, objective
from gis.kernels.random_stream import below, stream, unit

CHUNK = 1_000_000
"""Proposals between two reports of progress: a few tenths of a second."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long to look, and how freely.

    Attributes
    ----------
    proposals_per_block
        Tries, on average, of each block.
    hottest, coldest
        Temperatures at the beginning and the end, between which it falls geometrically, in units of the objective.
    """

    proposals_per_block: int
    hottest: float
    coldest: float


THOROUGH = Schedule(1_500, 0.25, 0.02)
BRIEF = Schedule(200, 0.25, 0.02)
GENTLE = Schedule(200, 0.05, 0.001)
"""From a plan in force: hot enough to get over small steps, too cold to forget the plan."""
LATTICE = Schedule(2_000, 1.0, 0.02)
"""For blocks of one load each."""


@dataclass(frozen=True, slots=True)
class Annealed:
    """Where it ended.

    Attributes
    ----------
    grid : (n,)
        The plan; the one it began with when nothing better was found.
    before, after
        What the plan cost, part by part.
    proposals, accepted
        How many were drawn, and how many were taken.
    """

    grid: Ints
    before: Objective
    after: Objective
    proposals: int
    accepted: int


def anneal(
    graph: BlockGraph,
    load: Floats,
    grid: Ints,
    *,
    grids_count: int,
    band: Band,
    weights: Weights,
    schedule: Schedule,
    base: Ints | None = None,
    fixed: Bools | None = None,
    closed: Bools | None = None,
    place_cost: Floats | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Annealed:
    """Improve a plan (n,) by moving single blocks to grids that they touch.

    Every grid keeps at least one block, and has as many pieces at the end as it had before, or fewer.

    Parameters
    ----------
    graph
        Of the borders that a grid may reach across: two grids of different parts never meet.
    load : (n,)
        Of each block, not negative.
    grid : (n,)
        0 to `grids_count` - 1.
    base : (n,), optional
        The plan that `weights.stability` counts changes against.
    fixed : (n,), optional
        Blocks that stay where they are.
    closed : (`grids_count`,), optional
        Grids that take no block in and give none away.
    place_cost : (n, `grids_count`), optional
        What each block costs besides in each grid, in units of the objective.
    seed
        The same seed gives the same plan, however progress is reported.
    progress
        Called with the share done (0-1); may raise to cancel.
    """
    n = graph.blocks_count
    account = {"grids_count": grids_count, "band": band, "weights": weights, "base": base, "closed": closed}
    account["place_cost"] = place_cost
    before = objective(graph, load, grid, **account)  # type: ignore[arg-type]
    total = n * schedule.proposals_per_block
    shut = np.zeros(grids_count, bool) if closed is None else closed
    still = shut[grid] if fixed is None else shut[grid] | fixed
    if total == 0 or still.all():
        return Annealed(grid.copy(), before, before, 0, 0)
    new = np.array(grid, dtype=np.int64)
    arrays = (
        *(graph.first, graph.neighbour, graph.border_m / graph.side_m * weights.cut, load, still, shut),
        *(np.full(n, -1) if base is None else base, new, np.bincount(new, load, minlength=grids_count)),
        *(np.bincount(new, minlength=grids_count), *walking_room(n), np.empty(_most_neighbours(graph), np.int64)),
        *(np.empty(_most_neighbours(graph)), stream(seed)),
        np.empty((0, 0)) if place_cost is None else np.ascontiguousarray(place_cost, dtype=np.float64),
    )
    numbers = np.array(
        [band.target, band.least, band.most, weights.spread, weights.band, weights.stability, weights.stability]
    )
    numbers[5] /= band.target
    numbers[6] *= PER_BLOCK
    cooling = (schedule.coldest / schedule.hottest) ** (1.0 / max(total - 1, 1))
    accepted = 0
    for begun in range(0, total, CHUNK):
        if progress is not None:
            progress(begun / total)
        temperature = schedule.hottest * cooling**begun
        accepted += _run(*arrays, numbers, temperature, cooling, min(CHUNK, total - begun))
    after = objective(graph, load, new, **account)  # type: ignore[arg-type]
    if after.total > before.total:
        return Annealed(grid.copy(), before, before, total, accepted)
    return Annealed(new, before, after, total, accepted)


def _most_neighbours(graph: BlockGraph) -> int:
    return int(np.diff(graph.first).max(initial=1))


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912, PLR0915 - one loop, without a call it can do without
    first,
    neighbour,
    border,
    load,
    still,
    shut,
    base,
    grid,
    grid_load,
    grid_blocks,
    marks,
    queue,
    stamp,
    near_grid,
    near_border,
    state,
    place_cost,
    numbers,
    temperature,
    cooling,
    proposals,
):
    target, least, most, spread, steep = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    per_load, per_block = numbers[5], numbers[6]
    n = grid.size
    priced = place_cost.size > 0
    accepted = 0
    for _ in range(proposals):
        temperature *= cooling
        u = below(state, n)
        if still[u]:
            continue
        a = grid[u]
        found = 0
        own_border = 0.0
        for dart in range(first[u], first[u + 1]):
            g = grid[neighbour[dart]]
            if g == a:
                own_border += border[dart]
                continue
            if shut[g]:
                continue
            i = 0
            while i < found and near_grid[i] != g:
                i += 1
            if i == found:
                near_grid[found] = g
                near_border[found] = 0.0
                found += 1
            near_border[i] += border[dart]
        if found == 0 or grid_blocks[a] == 1:
            continue
        chosen = below(state, found)
        b = near_grid[chosen]
        w = load[u]
        change = own_border - near_border[chosen]
        change += load_cost(grid_load[a] - w, target, least, most, spread, steep)
        change -= load_cost(grid_load[a], target, least, most, spread, steep)
        change += load_cost(grid_load[b] + w, target, least, most, spread, steep)
        change -= load_cost(grid_load[b], target, least, most, spread, steep)
        if base[u] == a:
            change += per_load * w + per_block
        elif base[u] == b:
            change -= per_load * w + per_block
        if priced:
            change += place_cost[u, b] - place_cost[u, a]
        if change > 0.0 and unit(state) >= np.exp(-change / temperature):
            continue
        if not stays_whole(first, neighbour, grid, u, marks, queue, stamp):
            continue
        grid[u] = b
        grid_load[a] -= w
        grid_load[b] += w
        grid_blocks[a] -= 1
        grid_blocks[b] += 1
        accepted += 1
    return accepted
