"""From a plan in force to a better one: as few changes as the load band allows.

Component by component. Small ones are solved exactly; large ones by annealing, and where that gets stuck by dividing
pairs of grids anew. The weight of stability begins high, and is lowered only where the band cannot be kept with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from gis.kernels.annealing import BRIEF, Schedule, anneal
from gis.kernels.block_graph import Bools, Floats, Ints
from gis.kernels.exact_partition import MOST_EXACT_BLOCKS, cheapest_plan, shortest_cut
from gis.kernels.partition_bounds import grids_allowed
from gis.kernels.plan_objective import ROUNDING, Weights
from gis.kernels.recombination import recombine
from gis.plans.division import ROOM, in_two
from gis.plans.plan import NONE, relabelled
from gis.plans.task import Task, members

EASING = ((1.0, 6), (1 / 3, 6), (1 / 10, 12), (1 / 30, 24), (0.0, 48))
"""Where the band is not kept yet: the share of the stability weight, and how many grids away from the trouble blocks
may move, one after the other."""
RINGS = 3
"""How many grids away from a grid outside the band blocks may move at first."""
_EXACT_AT_ONCE = 16
"""Small components between two reports of progress."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """A plan with as many grids as the loads ask for.

    Attributes
    ----------
    task
        Knows the grids that were added.
    grid : (n,)
    opened : (o,)
        Positions of new grids.
    ended : (e,)
        Positions of grids that have given all their blocks away.
    """

    task: Task
    grid: Ints
    opened: Ints
    ended: Ints


def counted(task: Task, grid: Ints, *, seed: int) -> Counted:
    """Open and end grids until every component has a number of them whose mean load lies in the band.

    A component that no number suits keeps those it has. The heaviest grid is split in two; the lightest one ends, and
    its blocks go to the lightest neighbour. Nothing ends that holds a block that is fixed.
    """
    new, ended, count = np.array(grid), [], task.grids_count
    home = members(task.home(grid))
    outside = set(np.flatnonzero(_excess_of(task, grid) > ROUNDING).tolist())
    for part, blocks in members(task.component, ~task.closed[grid]).items():
        own = home[part].tolist() if part in home else []
        wanted = suitable_count(task, blocks, len(own)) if part in outside or not own else len(own)
        wanted = _least_bad_count(task, blocks, len(own)) if wanted is None else wanted
        while len(own) < wanted and (half := _to_split_off(task, new, own, blocks, seed=seed)) is not None:
            new[half] = count
            own.append(count)
            count += 1
        while len(own) > wanted and (pair := _lightest_pair(task, new, own, blocks)) is not None:
            light, neighbour = pair
            new[(new == light) & (task.component == part)] = neighbour
            own.remove(light)
            ended.append(light)
    opened = np.arange(task.grids_count, count)
    gone = np.array(ended, dtype=np.int64)
    return Counted(task.with_grids(count, gone), new, opened, gone)


def suitable_count(task: Task, blocks: Ints, wanted: int) -> int | None:
    """Return the number of grids nearest to `wanted` with which a component can keep the band; None when none can.

    Small components are looked through, so that None is a proof for them.
    """
    allowed = grids_allowed(float(task.load[blocks].sum()), blocks.size, band=task.band)
    if allowed is None:
        return None
    counts = sorted(range(allowed[0], allowed[1] + 1), key=lambda k: (abs(k - wanted), k))
    if blocks.size > MOST_EXACT_BLOCKS:
        return counts[0]
    part, load, band = task.graph.part(blocks), task.load[blocks], task.band
    for k in counts:
        found = shortest_cut(part, load, k, least=band.least, most=band.most)
        if found.grid is not None or not found.proven:
            return k
    return None


def _least_bad_count(task: Task, blocks: Ints, count: int) -> int:
    """Return the number of grids, at most one more or less, with which a small component comes nearest to the band."""
    if blocks.size > MOST_EXACT_BLOCKS or count == 0 or task.fixed[blocks].any():
        return count
    only_band, least = Weights(cut=0.0, spread=0.0, band=1.0), {}
    part, load = task.graph.part(blocks), task.load[blocks]
    for k in (count, count - 1, count + 1):
        if 0 < k <= blocks.size:
            grid = cheapest_plan(part, load, grids_count=k, band=task.band, weights=only_band)
            if grid is not None:
                least[k] = task.band.excess(np.bincount(grid, load).astype(float)).sum()
    return min(least, key=lambda k: (round(least[k], 9), abs(k - count))) if count in least else count


def _to_split_off(task: Task, grid: Ints, own: list[int], blocks: Ints, *, seed: int) -> Ints | None:
    """Return half of the heaviest grid of a component that can be split; all its blocks where no grid is at home."""
    if not own:
        return None if task.fixed[blocks].any() else blocks
    for g in sorted(own, key=lambda g: -task.load[grid == g].sum()):
        mine: Ints = blocks[grid[blocks] == g]
        if mine.size <= 1 or task.graph.part(mine).components().any():
            continue
        half = in_two(task.graph.part(mine), task.load[mine], seed=seed)
        for side in (0, 1):
            if not task.fixed[mine[half == side]].any():
                return np.asarray(mine[half == side])
    return None


def _lightest_pair(task: Task, grid: Ints, own: list[int], blocks: Ints) -> tuple[int, int] | None:
    loads = {g: float(task.load[grid == g].sum()) for g in own}
    for g in sorted(own, key=loads.__getitem__):
        mine = grid == g
        if (task.fixed & mine).any() or not np.isin(np.flatnonzero(mine), blocks).all():
            continue
        near = np.unique(grid[task.graph.neighbour[mine[task.graph.tail]]])
        neighbours = [int(other) for other in near if other != g and other in loads]
        if neighbours:
            return g, min(neighbours, key=loads.__getitem__)
    return None


def eased(
    task: Task,
    start: Ints,
    *,
    weights: Weights,
    schedule: Schedule,
    everywhere: bool,
    seed: int,
    progress: Progress,
) -> Ints:
    """Return a plan (n,) in which as many grids as possible keep the band, and few blocks have moved.

    Parameters
    ----------
    start : (n,)
    weights
        With the stability weight to begin with.
    everywhere
        Redraw the whole city; otherwise only around grids outside the band.
    """
    best = np.array(start)
    zone = ~task.closed[start] if everywhere else _around(task, best, RINGS)
    hopeless = np.zeros(task.parts_count, bool)
    for step, (share, rings) in enumerate(((1.0, 0), *EASING)):
        if step:
            zone = _around(task, best, rings) & ~hopeless[task.component]
        if not zone.any():
            break
        lighter = replace(weights, stability=weights.stability * share)
        # What nothing gentle has helped may be stirred up.
        heated = schedule if share else BRIEF

        def told(done: float, step: int = step, blocks: int = int(zone.sum())) -> None:
            progress((step + done) / (1 + len(EASING)), f"{blocks} blocks")

        tried = _improved(task, best, zone, lighter, heated, seed + step, told)
        best = _better_of(task, best, tried, weights)
        if not step:
            hopeless = _hopeless(task, best, schedule)
    return best


def _around(task: Task, grid: Ints, rings: int) -> Bools:
    """Return the blocks (n,) of grids at most `rings` grids away from one outside the band; small components whole."""
    tail, head = grid[task.graph.tail], grid[task.graph.neighbour]
    near = sparse.coo_array((np.ones(tail.size), (tail, head)), shape=(task.grids_count, task.grids_count)).tocsr()
    reached = (task.excess(grid) > ROUNDING).astype(float)
    for _ in range(rings):
        reached = np.minimum(reached + near @ reached, 1.0)
    free = ~task.closed[grid]
    chosen = free & (reached[grid] > 0)
    sizes = np.bincount(task.component[free], minlength=task.parts_count)
    touched = np.bincount(task.component[chosen], minlength=task.parts_count) > 0
    return np.asarray(chosen | (free & (touched & (sizes <= MOST_EXACT_BLOCKS))[task.component]))


def _hopeless(task: Task, grid: Ints, schedule: Schedule) -> Bools:
    """Return the small components (c,) that come no nearer to the band even when anything may move: a proof."""
    zone = _around(task, grid, 0)
    sizes = np.bincount(task.component[~task.closed[grid]], minlength=task.parts_count)
    small = sizes <= MOST_EXACT_BLOCKS
    zone &= small[task.component]
    freely = Weights(cut=0.0, spread=0.0, band=1.0)
    tried = _improved(task, grid, zone, freely, schedule, 0, lambda _: None) if zone.any() else grid
    return np.asarray(small & (_excess_of(task, tried) >= _excess_of(task, grid) - ROUNDING))


def _excess_of(task: Task, grid: Ints) -> Floats:
    """Return how far the grids of each component lie outside the band in all, in targets."""
    home, excess = task.home(grid), task.excess(grid)
    held = home != NONE
    return np.bincount(home[held], excess[held], minlength=task.parts_count).astype(np.float64)


def _better_of(task: Task, old: Ints, new: Ints, weights: Weights) -> Ints:
    """Return, component by component, the plan with less outside the band; of equals, the one of less cost."""
    free = ~task.closed[old]
    cost = [(_excess_of(task, grid), _cost_of_parts(task, grid, weights)) for grid in (old, new)]
    worse = cost[1][0] > cost[0][0] + ROUNDING
    equal = np.abs(cost[1][0] - cost[0][0]) <= ROUNDING
    keep = worse | (equal & (cost[1][1] >= cost[0][1]))
    return np.where(free & ~keep[task.component], new, old)


def _cost_of_parts(task: Task, grid: Ints, weights: Weights) -> Floats:
    """Return what each component costs besides leaving the band: spread, borders, blocks away from their base grid."""
    loads, home, parts = task.loads(grid), task.home(grid), task.parts_count
    held = (home != NONE) & ~task.closed
    spread = weights.spread * ((loads - task.band.target) / task.band.target) ** 2
    apart = grid[task.graph.tail] != grid[task.graph.neighbour]
    cut = weights.cut * task.graph.border_m[apart] / task.graph.side_m / 2
    away = (task.base != NONE) & (task.base != grid)
    moved = weights.stability * task.load[away] / task.band.target
    return np.asarray(
        np.bincount(home[held], spread[held], minlength=parts)
        + np.bincount(task.component[task.graph.tail[apart]], cut, minlength=parts)
        + np.bincount(task.component[away], moved, minlength=parts)
    )


def _improved(  # noqa: PLR0917 - called in two places, from the same names
    task: Task,
    start: Ints,
    chosen: Bools,
    weights: Weights,
    schedule: Schedule,
    seed: int,
    progress: Callable[[float], None],
) -> Ints:
    """Return the plan with the chosen blocks (n,) rearranged by annealing, and small components then exactly."""
    free = chosen & ~task.closed[start]
    account = {"grids_count": task.grids_count, "band": task.band.narrowed(ROOM), "weights": weights, "base": task.base}
    account |= {"fixed": task.fixed | ~free, "closed": task.closed, "seed": seed}
    grid = anneal(
        task.graph,
        task.load,
        start,
        schedule=schedule,
        progress=lambda done: progress(0.6 * done),
        **account,  # type: ignore[arg-type]
    ).grid
    outside = task.excess(grid) > ROUNDING
    if outside[grid[free]].any():
        grid = recombine(task.graph, task.load, grid, only=outside, **account).grid  # type: ignore[arg-type]
    sizes = np.bincount(task.component[free])
    small = np.flatnonzero((sizes > 0) & (sizes <= MOST_EXACT_BLOCKS))
    parts = members(task.component, free)
    # What is done in one component changes neither in another.
    home, loads = task.home(grid), task.loads(grid)
    for done, part in enumerate(small.tolist()):
        if done % _EXACT_AT_ONCE == 0:
            progress(0.6 + 0.4 * done / small.size)
        blocks = parts[part]
        if (home[grid[blocks]] == part).all():
            grid[blocks] = _exactly(task, grid, blocks, loads, weights)
    return grid


def _exactly(task: Task, grid: Ints, blocks: Ints, loads: Floats, weights: Weights) -> Ints:
    """Return the best plan of a small component, all of whose grids are at home there.

    `loads` (k,) are those of the whole city before it.
    """
    own, local = np.unique(grid[blocks], return_inverse=True)
    if own.size == 1:
        return grid[blocks]
    at = {g: i for i, g in enumerate(own.tolist())}
    base = np.array([at.get(g, NONE) for g in task.base[blocks].tolist()])
    part, load = task.graph.part(blocks), task.load[blocks]
    elsewhere = loads[own] - np.bincount(local, load, minlength=own.size)
    # Borders are weighed in mean sides of the whole city, not of this part of it.
    here = replace(weights, cut=weights.cut * part.side_m / task.graph.side_m)
    solved = cheapest_plan(
        part,
        load,
        grids_count=own.size,
        band=task.band,
        weights=here,
        base=np.where(task.fixed[blocks], local, base),
        fixed=task.fixed[blocks],
        elsewhere=elsewhere,
        known=local,
    )
    if solved is None and not task.fixed[blocks].any() and not task.band.holds(loads[own]).all():
        # Few large grids are looked through one by one rather than listed, and then named.
        anew = shortest_cut(part, load, own.size, least=task.band.least, most=task.band.most).grid
        if anew is not None and not elsewhere.any():
            names = relabelled(anew, base, task.households[blocks], grids_count=own.size, base_count=own.size)
            spare = np.setdiff1d(np.arange(own.size), names)
            names[names == NONE] = spare
            solved = names[anew]
    return grid[blocks] if solved is None else own[solved]
