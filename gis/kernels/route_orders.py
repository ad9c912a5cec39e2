"""An order of visits that is given: its timetable with the breaks where they fit best, and what it does not keep."""

# ruff: noqa: ANN001, ANN202 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numba import njit

from gis.kernels.route_problem import UNREACHED_S, Bools, Ints, RouteProblem
from gis.kernels.route_schedule import NOWHERE, best_place, empty_plan, refresh, serves

NO_UNIT, NO_WAY, NO_WINDOW, NO_TIME, NO_ORDER = 1, 2, 3, 4, 5
"""Why a visit is not made: no unit has its kinds; none has a way there and back; its window and dwell fit into no shift
even when nothing else is visited; there is no time for it beside what is worth more; or all units keep orders that do
not name it."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """The earliest timetable of visits in an order.

    Attributes
    ----------
    nodes, begin_s : (m,)
        Visits and breaks, and when each begins.
    late_s : (m,)
        By how much that is too late; 0 where it is in time.
    unreached : (m,)
        Visits to which there is no way from where the unit is before.
    wrong_kind : (m,)
        Visits that ask for a kind that the unit has not.
    finish_s, over_s
        When the unit is back, and by how much that is too late; both are `UNREACHED_S` and more without a way back.
    travel_s
        Travel of the whole route.
    """

    nodes: Ints
    begin_s: Ints
    late_s: Ints
    unreached: Bools
    wrong_kind: Bools
    finish_s: int
    over_s: int
    travel_s: int

    @property
    def kept(self) -> bool:
        """Whether every limit is kept."""
        return not (self.late_s.any() or self.unreached.any() or self.wrong_kind.any() or self.over_s)


def kept_order(problem: RouteProblem, unit: int, visits: Ints) -> Order:
    """Return the timetable of a unit that makes `visits` (m,) in this order, its breaks put where least is late.

    Among places of a break that make nothing later than another, the one that ends soonest, and of those the first.
    """
    ins = problem.instance
    visits, breaks = np.asarray(visits, dtype=np.int64), problem.breaks_of(unit)
    room = np.empty((2, visits.size + breaks.size), dtype=np.int64)
    found: tuple[tuple[int, int], Ints, Ints, Ints, int, int] | None = None
    for places in combinations_with_replacement(range(visits.size + 1), breaks.size):
        nodes = np.insert(visits, places, breaks)
        finish, travel = _walked(ins, unit, nodes, room[0], room[1])
        over = max(finish - int(ins.ends[unit]), 0)
        rank = (int(room[1].sum()) + over, finish)
        if found is None or rank < found[0]:
            found = (rank, nodes, room[0].copy(), room[1].copy(), finish, travel)
    assert found is not None  # noqa: S101 - without breaks there is one way to place none
    _, nodes, begin, late, finish, travel = found
    at = ins.place[visits]
    before = np.concatenate([[ins.start[unit]], at])[: at.size]
    no_way = dict(zip(visits.tolist(), (ins.seconds[before, at] >= UNREACHED_S).tolist(), strict=True))
    return Order(
        nodes=nodes,
        begin_s=begin,
        late_s=late,
        unreached=np.array([no_way.get(h, False) for h in nodes.tolist()], dtype=bool),
        wrong_kind=np.asarray(ins.kinds[nodes] & ~ins.unit_kinds[unit] != 0),
        finish_s=int(finish),
        over_s=max(int(finish) - int(ins.ends[unit]), 0),
        travel_s=int(travel),
    )


@njit(cache=True, nogil=True)
def _walked(ins, u, nodes, begin, late):  # type: ignore[no-untyped-def]
    """Write when each node begins and how much too late; return the finish and the travel."""
    t = ins.begins[u]
    at = ins.start[u]
    travel = np.int64(0)
    for i in range(nodes.size):
        h = nodes[i]
        if ins.place[h] >= 0:
            leg = ins.seconds[at, ins.place[h]]
            travel += leg
            t += leg
            at = ins.place[h]
        t = max(t, ins.opens[h])
        begin[i] = t
        late[i] = max(t - ins.closes[h], 0)
        t += ins.dwell[h]
    leg = ins.seconds[at, ins.end[u]]
    return t + leg, travel + leg


def reasons(problem: RouteProblem, unit: Ints, *, fixed: Bools | None = None) -> Ints:
    """Return why each visit (n,) is not made, 0 where it is.

    Parameters
    ----------
    unit : (n,)
        Who makes each visit, -1 where nobody does.
    fixed : (k,), optional
        Units that take no visit more.
    """
    ins, n = problem.instance, problem.visits_count
    plan = empty_plan(ins)
    for u in range(problem.units_count):
        nodes = problem.breaks_of(u)
        plan.route[u, : nodes.size] = nodes
        plan.size[u] = nodes.size
        refresh(ins, plan, u)
    free = np.ones(problem.units_count, bool) if fixed is None else ~fixed
    why = np.zeros(n, dtype=np.int64)
    if not free.any():
        return np.where(unit == NOWHERE, NO_ORDER, why)
    random = np.zeros(1, dtype=np.uint64)
    for h in np.flatnonzero(unit == NOWHERE):
        able = [u for u in np.flatnonzero(free) if serves(ins, u, h)]
        place = ins.place[h]
        ways = [u for u in able if ins.seconds[ins.start[u], place] + ins.seconds[place, ins.end[u]] < UNREACHED_S]
        fits = [u for u in ways if best_place(ins, plan, u, h, ins.dwell[h], 0.0, random)[0] >= 0]
        why[h] = NO_TIME if fits else NO_WINDOW if ways else NO_WAY if able else NO_UNIT
    return why
