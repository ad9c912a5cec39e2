"""What a plan is worth in numbers that a planner reads, and what no plan could better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import shapely

from gis.contract.text import Text
from gis.kernels.block_graph import Ints
from gis.kernels.partition_bounds import balance_bounds, grids_allowed, load_that_must_flow, load_that_must_move
from gis.kernels.plan_metrics import grid_metrics
from gis.kernels.plan_objective import ROUNDING
from gis.plans.graph import Blocks
from gis.plans.improve import suitable_count
from gis.plans.plan import NONE
from gis.plans.task import Task, members


@dataclass(frozen=True, slots=True)
class Score:
    """The numbers of one plan; open grids are those that are neither locked nor dedicated nor ended.

    Attributes
    ----------
    grids_count, open_grids_count
    loose_pieces_count
        Pieces beyond one a grid: what lies beyond a barrier from its grid.
    out_of_band_count
        Open grids whose load lies outside the band.
    excess_share
        Sum over open grids of what lies outside the band, in targets.
    load_cv_share
        Standard deviation of the loads of open grids over their mean.
    worst_deviation_share
        Largest difference of an open grid from the target, in targets.
    cut_m
        Length of all borders between grids.
    compactness
        Mean of Polsby and Popper's measure over open grids.
    moved_households_count, moved_households_share
        In blocks with another grid than in the base plan.
    changed_grids_count
        Grids that have other blocks than in the base plan, those that begin and end with them.
    """

    grids_count: int
    open_grids_count: int
    loose_pieces_count: int
    out_of_band_count: int
    excess_share: float
    load_cv_share: float
    worst_deviation_share: float
    cut_m: float
    compactness: float
    moved_households_count: int
    moved_households_share: float
    changed_grids_count: int

    def as_dict(self) -> dict[str, float]:
        """Return plain JSON-ready values."""
        return asdict(self)


def score(task: Task, blocks: Blocks, grid: Ints) -> Score:
    """Return the numbers of a plan (n,), counted against the base plan of the task."""
    used = np.bincount(grid, minlength=task.grids_count) > 0
    asked = used & ~task.closed
    loads, excess = task.loads(grid), task.excess(grid)
    metrics = grid_metrics(blocks.graph, np.empty((len(blocks), 0)), grid, grids_count=task.grids_count)
    away = (task.base != NONE) & (task.base != grid)
    moved, total = float(task.households[away].sum()), float(task.households.sum())
    changed = np.union1d(task.base[away], grid[away])
    mean = float(loads[asked].mean()) if asked.any() else 0.0
    return Score(
        grids_count=int(used.sum()),
        open_grids_count=int(asked.sum()),
        loose_pieces_count=task.loose_pieces(grid),
        out_of_band_count=int((excess[asked] > ROUNDING).sum()),
        excess_share=float(excess[asked].sum()),
        load_cv_share=float(loads[asked].std() / mean) if mean > 0 else 0.0,
        worst_deviation_share=float((np.abs(loads[asked] / task.band.target - 1)).max(initial=0.0)),
        cut_m=metrics.cut_m,
        compactness=float(metrics.compactness[asked].mean()) if asked.any() else 0.0,
        moved_households_count=round(moved),
        moved_households_share=moved / total if total > 0 else 0.0,
        changed_grids_count=int(changed.size),
    )


@dataclass(frozen=True, slots=True)
class Island:
    """A part of the city that makes balance impossible, because nothing can cross to it.

    Attributes
    ----------
    reason
        ``too_small`` for a grid; ``too_large`` or ``uneven`` for any number of grids it can have; ``heavy_block`` when
        a block alone exceeds the band; ``no_plan`` when all plans were looked through and none keeps the band;
        ``cut_off`` from the grid that it belongs to.
    grids
        Codes of the grids that it belongs to.
    bounds
        West, south, east, north in metres: where to look.
    """

    reason: str
    community_code: str
    grids: tuple[str, ...]
    blocks: tuple[str, ...]
    load: float
    least_deviation_share: float
    bounds: tuple[float, float, float, float]
    message: Text


@dataclass(frozen=True, slots=True)
class Bounds:
    """What no plan of these blocks can better, whoever draws it.

    Attributes
    ----------
    must_move_load
        Load that has to change grids before the loads are in the band, or as near to it as this plan has brought
        them. A proof.
    flow_load
        The same if load only ever goes to neighbouring grids of the base plan: a yardstick, and a proof for plans that
        keep to it. nan when no such flow exists.
    islands
        Parts in which no plan keeps the band.
    """

    must_move_load: float
    flow_load: float
    islands: tuple[Island, ...]


def bounds_of(task: Task, blocks: Blocks, codes: Sequence[str], grid: Ints) -> Bounds:
    """Return the bounds for a plan (n,) that was made from the base plan of the task, whose grids have codes (k,)."""
    asked = ~task.closed
    held = task.base != NONE
    had = np.bincount(task.base[held], task.load[held], minlength=task.grids_count).astype(np.float64)
    has = task.loads(grid)
    # A grid that is open may stay outside the band where nothing else is possible, and closed ones keep what they have.
    least = np.where(asked, np.minimum(task.band.least, has), has)
    most = np.where(asked, np.maximum(task.band.most, has), has)
    tail, head = task.graph.tail, task.graph.neighbour
    pairs = np.column_stack([task.base[tail], task.base[head]])
    pairs = np.unique(pairs[(pairs[:, 0] < pairs[:, 1]) & (pairs[:, 0] != NONE)], axis=0)
    return Bounds(
        must_move_load=load_that_must_move(had, least=least, most=most, component=task.exchanges(grid)),
        flow_load=load_that_must_flow(had, least=least, most=most, near=pairs),
        islands=islands_of(task, blocks, codes, grid),
    )


def islands_of(task: Task, blocks: Blocks, codes: Sequence[str], grid: Ints) -> tuple[Island, ...]:
    """Return the parts of the city in which no plan keeps every grid in one piece and in the band."""
    free = np.flatnonzero(~np.append(task.closed, np.True_)[task.base])
    if not free.size:
        return ()
    parts, component = np.unique(task.component[free], return_inverse=True)
    balance = balance_bounds(task.load[free], component, band=task.band)
    home, outside = task.home(grid), task.excess(grid) > ROUNDING
    found = []
    for i, at in members(component).items():
        mine = free[at]
        # Water joins nothing, and nobody lives there.
        if blocks.watery[mine].all() and task.load[mine].sum() == 0:
            continue
        own = np.unique(grid[mine])
        reason = _reason(task, mine, cut_off=not (home[own] == parts[i]).any(), outside=bool(outside[own].any()))
        if not reason:
            continue
        if reason == "heavy_block":
            # Split first: other grids here may be outside the band because of it.
            beside = own[outside[own]]
            mine = mine[task.load[mine] > task.band.most * (1 + ROUNDING)]
            own = np.union1d(grid[mine], beside)
        named = tuple(codes[g] for g in own)
        found.append(_island(blocks, mine, reason, named, float(task.load[mine].sum()), float(balance.deviation[i])))
    return tuple(found)


def _reason(task: Task, blocks: Ints, *, cut_off: bool, outside: bool) -> str:
    """Return why a component cannot keep the band, or not in one piece with its grid; empty where it can."""
    load = float(task.load[blocks].sum())
    if task.load[blocks].max() > task.band.most * (1 + ROUNDING):
        return "heavy_block"
    if load < task.band.least:
        return "cut_off" if cut_off else "too_small"
    if grids_allowed(load, blocks.size, band=task.band) is None:
        return "too_large" if load > blocks.size * task.band.most else "uneven"
    if cut_off:
        return "cut_off"
    return "no_plan" if outside and suitable_count(task, blocks, 1) is None else ""


_MESSAGES: Mapping[str, tuple[str, str]] = {
    "too_small": (
        "{where}：仅{load:.0f}户，不足以单独成格；可并入邻格（跨越障碍）或接受",
        "{where}: only {load:.0f} households, too few for a grid of its own; merge it across the barrier, or accept it",
    ),
    "cut_off": (
        "{where}：{load:.0f}户与所属网格之间有障碍；可改属邻格或接受",
        "{where}: {load:.0f} households lie across a barrier from their grid; give them to another one, or accept it",
    ),
    "too_large": (
        "{where}：{load:.0f}户，地块太少，无法分到上限以下；请拆分地块",
        "{where}: {load:.0f} households in too few blocks to come below the limit; split a block",
    ),
    "uneven": (
        "{where}：{load:.0f}户，任何网格数都不能使各格落在范围内；请接受或放宽范围",
        "{where}: {load:.0f} households suit no number of grids; accept it, or widen the band",
    ),
    "no_plan": (
        "{where}：已逐一检查所有划分，{load:.0f}户无法使各格都落在范围内；请接受、拆分地块或放宽范围",
        "{where}: no division of these {load:.0f} households keeps the band, all were looked through; split a block",
    ),
    "heavy_block": (
        "{where}：一个地块就有{load:.0f}户，超过上限；请拆分该地块",
        "{where}: a block alone has {load:.0f} households, above the limit; split it",
    ),
}


def _island(  # noqa: PLR0917
    blocks: Blocks, mine: Ints, reason: str, grids: tuple[str, ...], load: float, deviation: float
) -> Island:
    community = str(blocks.communities[mine[0]])
    where = ", ".join(grids) or community
    zh, en = _MESSAGES[reason]
    return Island(
        reason=reason,
        community_code=community,
        grids=grids,
        blocks=tuple(str(code) for code in blocks.codes[mine]),
        load=load,
        least_deviation_share=deviation,
        bounds=tuple(float(x) for x in shapely.total_bounds(blocks.shapes[mine])),  # type: ignore[arg-type]
        message=Text(zh.format(where=where, load=load), en.format(where=where, load=load)),
    )
