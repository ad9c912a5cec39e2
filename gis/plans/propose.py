"""Proposals: better plans from the plan in force, with what each costs and what no plan could better.

Four ways, from least to most change: repair what breaks the band, even out all loads, shorten all borders, or forget
the plan in force. None is worse than the plan it begins with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from gis.contract.text import Text
from gis.errors import InvalidInput, Problem
from gis.kernels.annealing import GENTLE, THOROUGH, Schedule
from gis.kernels.block_graph import Bools, Floats, Ints
from gis.kernels.plan_objective import FROM_SCRATCH, REBALANCE, ROUNDING, Band, Objective, Weights
from gis.kernels.repair import in_one_piece
from gis.plans.codes import next_code
from gis.plans.division import divided
from gis.plans.graph import Blocks
from gis.plans.improve import Counted, Progress, counted, eased, suitable_count
from gis.plans.plan import NONE, Grid, Plan, aligned, relabelled
from gis.plans.score import Bounds, Score, bounds_of, score
from gis.plans.task import Task, members, task_of

Way = Literal["fewest_moves", "even", "compact", "fresh"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How one way of proposing weighs what is good.

    Attributes
    ----------
    everywhere
        Redraw parts of the city in which every grid keeps the band, too.
    """

    title: Text
    weights: Weights
    schedule: Schedule
    everywhere: bool


WAYS: Mapping[Way, Manner] = {
    "fewest_moves": Manner(Text("变动最少", "Fewest moves"), REBALANCE, GENTLE, everywhere=False),
    "even": Manner(
        Text("工作量均衡", "Even loads"), Weights(0.1, 20.0, 300.0, 1.0), Schedule(400, 0.2, 0.002), everywhere=True
    ),
    "compact": Manner(
        Text("边界紧凑", "Compact grids"), Weights(1.0, 0.5, 300.0, 1.0), Schedule(400, 0.6, 0.02), everywhere=True
    ),
    "fresh": Manner(Text("重新划分", "From scratch"), FROM_SCRATCH, THOROUGH, everywhere=True),
}


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """One proposed plan.

    Attributes
    ----------
    plan
        Grids that continue keep their codes; new ones have codes that were never used.
    score, bounds
        What it is worth, and what no plan could better.
    parts
        The objective it was made with, part by part.
    opened, ended
        Codes of grids that begin and end with it.
    improved
        False when nothing better than the base plan was found: the plan is the base plan.
    """

    way: Way
    plan: Plan
    score: Score
    bounds: Bounds
    parts: Objective
    opened: tuple[str, ...]
    ended: tuple[str, ...]
    improved: bool


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Alternatives for one plan, and the plan itself in the same numbers.

    Attributes
    ----------
    before
        The base plan.
    dominated
        Way -> a way that is at least as good in moves, evenness and borders, and better in one: no reason to take it.
    """

    before: Score
    proposals: tuple[Proposal, ...]
    dominated: Mapping[Way, Way]

    def __getitem__(self, way: Way) -> Proposal:
        """Return the proposal of one way; KeyError when it was not asked for."""
        return {p.way: p for p in self.proposals}[way]


def _silent(share: float, message: str) -> None:
    """Take a progress report and do nothing with it."""


def propose(
    blocks: Blocks,
    plan: Plan,
    load: Floats,
    band: Band,
    *,
    ways: Sequence[Way] = ("fewest_moves",),
    seed: int = 0,
    taken_codes: Sequence[str] = (),
    progress: Progress = _silent,
) -> Proposals:
    """Return better plans than the one in force.

    Locked blocks and grids stay as they are, and so do dedicated grids. A block never leaves its community, and no grid
    reaches across a barrier. The number of grids changes only where the band asks for it.

    Parameters
    ----------
    blocks, plan
        Every block needs a grid.
    load : (n,)
        Of each block, see `gis.plans.workload.Workload`.
    band
        Of a grid's load.
    ways
        Which alternatives.
    seed
        The same seed gives the same plans.
    taken_codes
        Codes of grids that have ended, which no new grid may have.
    progress
        Called with the share done (0-1) and a few words; may raise to cancel.

    Raises
    ------
    InvalidInput
        A block has no grid, or there is nothing to redraw.
    """
    aligned(blocks, plan)
    _check(blocks, plan, load)
    task = task_of(blocks, plan, load, band)
    before = score(task, blocks, task.base)
    found = []
    for number, way in enumerate(ways):

        def told(done: float, words: str, number: int = number, way: Way = way) -> None:
            progress((number + done) / len(ways), f"{way}: {words}")

        found.append(_proposal(way, task, blocks, plan, seed=seed, taken=taken_codes, progress=told))
    progress(1.0, "compared")
    return Proposals(before, tuple(found), _dominated(found))


def _check(blocks: Blocks, plan: Plan, load: Floats) -> None:
    problems = []
    free = np.flatnonzero(plan.grid == NONE)
    if free.size:
        named = ", ".join(str(code) for code in blocks.codes[free[:10]])
        problems.append(
            Problem(
                "not_assigned",
                f"these blocks have no grid: {named}",
                "grid_code",
                count=free.size,
                zh=f"这些单元网格没有网格：{named}",
            )
        )
    if load.shape != (len(blocks),) or not np.isfinite(load).all() or (load < 0).any():
        problems.append(
            Problem(
                "bad_load", "every block needs a load that is not negative", "load", zh="每个单元网格的工作量不得为负"
            )
        )
    if not len(blocks):
        problems.append(Problem("no_blocks", "there is nothing to redraw", zh="没有可重划的内容"))
    if problems:
        raise InvalidInput("no proposal can be made", problems, zh="无法生成建议方案")


def _proposal(
    way: Way, task: Task, blocks: Blocks, plan: Plan, *, seed: int, taken: Sequence[str], progress: Progress
) -> Proposal:
    manner = WAYS[way]
    start = in_one_piece(task.graph, task.load, task.base, fixed=task.fixed, closed=task.closed)
    if way == "fresh":
        wider, grid = _fresh(task, start, manner, seed=seed, progress=progress)
    else:
        ready = counted(task, start, seed=seed)
        wider, grid = ready.task, _from_plan(ready, manner, seed=seed, progress=progress)
    improved = _rank(wider, grid, manner.weights) < _rank(task, task.base, manner.weights)
    if not improved:
        wider, grid = task, task.base
    names = _names(blocks, plan, wider, grid, taken)
    held = set(np.unique(grid).tolist())
    ended = {g for g in np.unique(task.base).tolist() if g not in held}
    kept = [g for i, g in enumerate(names) if i in held or (i < plan.grids_count and i not in ended)]
    return Proposal(
        way=way,
        plan=_plan(plan, kept, names, grid),
        score=score(wider, blocks, grid),
        bounds=bounds_of(wider, blocks, [g.code for g in names], grid),
        parts=wider.cost(grid, manner.weights),
        opened=tuple(g.code for i, g in enumerate(names) if i >= plan.grids_count),
        ended=tuple(plan.grids[i].code for i in sorted(ended)),
        improved=improved,
    )


def _from_plan(ready: Counted, manner: Manner, *, seed: int, progress: Progress) -> Ints:
    return eased(
        ready.task,
        ready.grid,
        weights=manner.weights,
        schedule=manner.schedule,
        everywhere=manner.everywhere,
        seed=seed,
        progress=progress,
    )


def _fresh(task: Task, start: Ints, manner: Manner, *, seed: int, progress: Progress) -> tuple[Task, Ints]:
    """Return the plan divided from nothing, component by component, each grid named after the one it continues.

    Parts with a locked block keep the grids of the plan in force, each in one piece, and so do parts that are too small
    or too large for any number of grids.
    """
    free = ~task.closed[start]
    label, anew = np.array(start), np.zeros(start.size, bool)
    count = task.grids_count
    parts = members(task.component, free)
    for done, blocks in enumerate(parts.values()):
        grids = suitable_count(task, blocks, round(float(task.load[blocks].sum()) / task.band.target))
        if grids is None or task.fixed[blocks].any():
            continue

        def told(share: float, done: int = done) -> None:
            progress((done + share) / len(parts), "divided")

        label[blocks] = count + divided(
            task.graph.part(blocks),
            task.load[blocks],
            grids,
            band=task.band,
            weights=manner.weights,
            schedule=manner.schedule,
            seed=seed,
            progress=told,
        )
        anew[blocks] = True
        count += grids
    return _continued(task, label, anew, count - task.grids_count)


def _continued(task: Task, label: Ints, anew: Bools, new_count: int) -> tuple[Task, Ints]:
    """Return the plan with each new grid numbered as the base grid that it continues, or after all of them."""
    grid = np.array(label)
    # Base grids that keep blocks outside the parts that were divided anew cannot be continued by others.
    taken = np.zeros(task.grids_count, bool)
    taken[label[~anew]] = True
    base = np.where(np.append(taken, np.True_)[task.base], NONE, task.base)
    number = relabelled(
        label[anew] - task.grids_count,
        base[anew],
        task.households[anew],
        grids_count=new_count,
        base_count=task.grids_count,
    )
    added = number == NONE
    number[added] = task.grids_count + np.arange(int(added.sum()))
    grid[anew] = number[label[anew] - task.grids_count]
    used = np.bincount(grid, minlength=task.grids_count) > 0
    ended = np.flatnonzero(~used[: task.grids_count] & ~task.closed)
    return task.with_grids(task.grids_count + int(added.sum()), ended), grid


def _rank(task: Task, grid: Ints, weights: Weights) -> tuple[int, float, float]:
    """Return what makes one plan better than another: in one piece, in the band, and then of less cost."""
    excess = round(float(task.excess(grid).sum()) / ROUNDING) * ROUNDING
    return task.loose_pieces(grid), excess, task.cost(grid, weights).total


def _names(blocks: Blocks, plan: Plan, task: Task, grid: Ints, taken: Sequence[str]) -> list[Grid]:
    """Return every grid by its position: those of the base plan, and new ones with codes that were never used."""
    names = list(plan.grids)
    used = {*taken, *(g.code for g in plan.grids)}
    for position in range(plan.grids_count, task.grids_count):
        blocks_of_it = np.flatnonzero(grid == position)
        neighbour = plan.grids[task.base[blocks_of_it[0]]]
        community = str(blocks.communities[blocks_of_it[0]]) or neighbour.community_code
        code = next_code(community, used)
        used.add(code)
        names.append(Grid(code=code, community_code=community, beat_code=neighbour.beat_code))
    return names


def _plan(plan: Plan, kept: list[Grid], names: list[Grid], grid: Ints) -> Plan:
    ordered = tuple(sorted(kept, key=lambda g: g.code))
    at = {g.code: i for i, g in enumerate(ordered)}
    position = np.array([at.get(g.code, NONE) for g in names], dtype=np.int64)
    return replace(plan, grid=position[grid], grids=ordered)


def _dominated(found: Sequence[Proposal]) -> dict[Way, Way]:
    """Return the proposals that another one is at least as good as in everything, and better in something."""

    def marks(p: Proposal) -> tuple[float, ...]:
        s = p.score
        return s.loose_pieces_count, s.excess_share, s.moved_households_count, s.load_cv_share, s.cut_m

    dominated: dict[Way, Way] = {}
    for p in found:
        for q in found:
            pairs = list(zip(marks(q), marks(p), strict=True))
            if p is not q and all(a <= b for a, b in pairs) and any(a < b for a, b in pairs):
                dominated[p.way] = q.way
                break
    return dominated
