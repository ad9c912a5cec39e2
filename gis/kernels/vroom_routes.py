"""The better answer to patrol routes: what VROOM finds, what the insertion finds, and a longer search from the better.

VROOM (https://github.com/VROOM-Project/vroom) takes visits by a priority of 0 to 100 and keeps windows, breaks and
kinds. What it gives is timed again by the rules of `gis.kernels.route_problem`, which let nobody rest on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import vroom

from gis.kernels.route_orders import Order, kept_order
from gis.kernels.route_problem import Bools, Ints, RouteProblem, profit_bound
from gis.kernels.routes import Routes, given_routes, improve_routes, insert_routes

TOP = 100
"""The highest priority that VROOM takes."""
STEEPEST = 4.0
"""Profits beyond so many times that of the last visit that fits count as no more: they are made in any case, and the
others need the steps between 1 and 99."""
ROUNDS_PAIRS = 100_000_000
LEAST_ROUNDS, MOST_ROUNDS = 1_000, 60_000
VROOM_SHARE, SEARCH_SHARE = 0.1, 0.6
"""Of the work, for reports of progress."""


def better_routes(
    problem: RouteProblem,
    *,
    fixed: Mapping[int, Ints] | None = None,
    level: int = 1,
    threads: int = 1,
    rounds: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Routes:
    """Return routes of at least the profit of `insert_routes` and of VROOM, after `rounds` of search from the better.

    Parameters
    ----------
    fixed
        Unit -> its nodes in order, breaks included; such a route stays as it is.
    level
        How far VROOM explores, 0 to 5.
    rounds
        Of the search afterwards; as many as take some seconds when not given.
    """
    fixed = fixed or {}
    instant = insert_routes(problem, fixed=fixed, seed=seed)
    _tell(progress, VROOM_SHARE)
    found = vroom_routes(problem, fixed=fixed, level=level, threads=threads)
    best = found if found.better_than(instant) else instant
    _tell(progress, SEARCH_SHARE)
    if rounds is None:
        size = max(problem.visits_count * problem.units_count, 1)
        most = min(MOST_ROUNDS, LEAST_ROUNDS * (problem.visits_count + 1))
        rounds = int(np.clip(ROUNDS_PAIRS / size, LEAST_ROUNDS, most))
    told = None if progress is None else lambda share: _tell(progress, SEARCH_SHARE + (1 - SEARCH_SHARE) * share)
    return improve_routes(problem, best, fixed=tuple(fixed), rounds=rounds, seed=seed, progress=told)


def _tell(progress: Callable[[float], None] | None, share: float) -> None:
    if progress is not None:
        progress(share)


def vroom_routes(
    problem: RouteProblem, *, fixed: Mapping[int, Ints] | None = None, level: int = 1, threads: int = 1
) -> Routes:
    """Return the routes that VROOM finds, in our timetable.

    Where that makes a route too long, its least worthy visits are left out.

    Parameters
    ----------
    level
        How far it explores, 0 to 5.
    threads
        How many it may use.
    """
    fixed = fixed or {}
    ins, n = problem.instance, problem.visits_count
    base, most = int(ins.begins.min(initial=0)), int(ins.ends.max(initial=0))
    free = np.ones(n, dtype=bool)
    for nodes in fixed.values():
        free[nodes[nodes < n]] = False
    opens, closes = np.maximum(ins.opens, base), np.minimum(ins.closes, most)
    free &= opens[:n] <= closes[:n]
    units = [u for u in range(problem.units_count) if u not in fixed]
    orders = dict(fixed)
    if units and free.any():
        asked = vroom.Input()
        asked.set_durations_matrix("car", np.minimum(ins.seconds, 2 * (most - base) + 1).astype(np.uint32))
        priority = _priorities(problem, free)
        for h in np.flatnonzero(free):
            asked.add_job(
                vroom.Job(
                    int(h),
                    location=int(ins.place[h]),
                    default_service=int(ins.dwell[h]),
                    skills=_bits(int(ins.kinds[h])),
                    priority=int(priority[h]),
                    time_windows=[vroom.TimeWindow(int(opens[h] - base), int(closes[h] - base))],
                )
            )
        for u in units:
            asked.add_vehicle(_vehicle(problem, u, base, most))
        steps = asked.solve(level, threads).routes
        made = steps[steps["type"] == "job"]
        for u in units:
            # Where nobody does anything, VROOM's table has no column of ids.
            mine = made[made["vehicle_id"] == u]
            visits = np.zeros(0, np.int64) if mine.empty else mine["id"].to_numpy(dtype=np.int64)
            orders[u] = _within_limits(problem, u, visits).nodes
    return given_routes(problem, orders)


def _vehicle(problem: RouteProblem, u: int, base: int, most: int) -> vroom.Vehicle:
    ins = problem.instance
    breaks = [
        vroom.Break(
            int(node),
            time_windows=[
                vroom.TimeWindow(int(max(ins.opens[node], base) - base), int(min(ins.closes[node], most) - base))
            ],
            service=int(ins.dwell[node]),
        )
        for node in problem.breaks_of(u)
    ]
    return vroom.Vehicle(
        u,
        start=int(ins.start[u]),
        end=int(ins.end[u]),
        skills=_bits(int(ins.unit_kinds[u])),
        time_window=(int(ins.begins[u] - base), int(ins.ends[u] - base)),
        breaks=breaks,
    )


def _bits(kinds: int) -> set[int]:
    return {bit for bit in range(kinds.bit_length()) if kinds >> bit & 1}


def _priorities(problem: RouteProblem, free: Bools) -> Ints:
    """Return a priority of 1 to 99 for each visit (n,) by its profit, and 100 for those that must be made."""
    profit = problem.profit
    ranked = np.sort(profit[free])[::-1]
    # How many of the largest profits make up the bound: about as many as fit.
    count = min(int(np.searchsorted(np.cumsum(ranked), profit_bound(problem))), ranked.size - 1)
    top = min(float(ranked[0]), STEEPEST * float(ranked[count])) or float(ranked[0]) or 1.0
    scaled = np.clip(np.round(profit / top * (TOP - 1)), 1, TOP - 1).astype(np.int64)
    return np.where(problem.instance.must, TOP, scaled)


def _within_limits(problem: RouteProblem, u: int, visits: Ints) -> Order:
    """Return the timetable of as many of the visits, in their order, as keep all limits."""
    order = kept_order(problem, u, visits)
    while not order.kept and visits.size:
        visits = np.delete(visits, np.argmin(problem.instance.profit[visits]))
        order = kept_order(problem, u, visits)
    return order
