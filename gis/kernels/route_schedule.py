"""Timetables of patrol routes, and what a visit more would cost: the compiled ground of the search.

A route is a row of nodes. Its timetable is the earliest one; beside it stands, for each node, the latest moment at
which it may begin so that all behind it still keep their limits. With both, whether a visit fits between two others,
and by how much it delays what comes after, is known without walking along the route (Vansteenwegen and others 2009,
Computers & Operations Research 36, 3281-3290, section 3.1).
"""

# ruff: noqa: ANN001, ANN201, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gis.kernels.random_stream import unit
from gis.kernels.route_problem import Instance, Ints

NOWHERE = -1


class Plan(NamedTuple):
    """Routes (k, n + b) under search, with their timetables; only the first `size` entries of a row count.

    The arrays of places between nodes, (k, n + b + 1), have one entry before each node and one before the end.

    Attributes
    ----------
    route
        Nodes in order.
    size : (k,)
    begin, latest
        When each node begins, and when it may begin at the latest.
    left
        When a unit is free to leave for each node, and for the end.
    before, after
        The place in the matrix where it then is, and the next one that it goes to, breaks passed over.
    leg
        Seconds between these two.
    room
        Seconds in which a unit can go from the one to a visit more, make it and go on to the other.
    most : (k,)
        The largest room of each route.
    finish, travel : (k,)
        When a unit is back, and how long it travelled and waited on its way.
    unit : (n,)
        Of each visit, -1 where it is not made.
    """

    route: Ints
    size: Ints
    begin: Ints
    latest: Ints
    left: Ints
    before: Ints
    after: Ints
    leg: Ints
    room: Ints
    most: Ints
    finish: Ints
    travel: Ints
    unit: Ints


def empty_plan(instance: Instance) -> Plan:
    """Return routes without a node."""
    nodes, k = instance.place.size, instance.start.size
    route, begin, latest = (np.zeros((k, nodes), np.int64) for _ in range(3))
    left, before, after, leg, room = (np.zeros((k, nodes + 1), np.int64) for _ in range(5))
    size, most, finish, travel = (np.zeros(k, np.int64) for _ in range(4))
    unit = np.full(instance.first_in.size, NOWHERE)
    return Plan(route, size, begin, latest, left, before, after, leg, room, most, finish, travel, unit)


@njit(cache=True, nogil=True)
def timed(ins, u, nodes, size, begin):  # type: ignore[no-untyped-def]
    """Write when each node begins; return whether all limits are kept, the finish, and the travel with waits.

    Waiting before the first node counts for nothing: the unit leaves later.
    """
    t = ins.begins[u]
    at = ins.start[u]
    travel = np.int64(0)
    for i in range(size):
        h = nodes[i]
        if ins.place[h] >= 0:
            leg = ins.seconds[at, ins.place[h]]
            travel += leg
            t += leg
            at = ins.place[h]
        if t < ins.opens[h]:
            if i > 0:
                travel += ins.opens[h] - t
            t = ins.opens[h]
        if t > ins.closes[h]:
            return False, t, travel
        begin[i] = t
        t += ins.dwell[h]
    leg = ins.seconds[at, ins.end[u]]
    return t + leg <= ins.ends[u], t + leg, travel + leg


@njit(cache=True, nogil=True)
def refresh(ins, plan, u):  # type: ignore[no-untyped-def]
    """Write the timetable of a route; return whether it keeps all limits."""
    nodes = plan.route[u]
    size = plan.size[u]
    ok, finish, travel = timed(ins, u, nodes, size, plan.begin[u])
    if not ok:
        return False
    plan.finish[u] = finish
    plan.travel[u] = travel
    at = ins.start[u]
    plan.left[u, 0] = ins.begins[u]
    plan.before[u, 0] = at
    for i in range(size):
        h = nodes[i]
        if ins.place[h] >= 0:
            at = ins.place[h]
        plan.left[u, i + 1] = plan.begin[u, i] + ins.dwell[h]
        plan.before[u, i + 1] = at
    there = ins.end[u]
    leg = ins.seconds[at, there]
    room = ins.ends[u] - plan.left[u, size]
    most = room
    plan.after[u, size] = there
    plan.leg[u, size] = leg
    plan.room[u, size] = room
    # The latest moment to be done with a node.
    done = ins.ends[u] - leg
    for i in range(size - 1, -1, -1):
        h = nodes[i]
        latest = min(ins.closes[h], done - ins.dwell[h])
        if ins.place[h] >= 0:
            there = ins.place[h]
            leg = ins.seconds[plan.before[u, i], there]
            room = latest - plan.left[u, i]
            done = latest - leg
        else:
            # In front of a break, the way on begins only after it.
            leg = ins.seconds[plan.before[u, i], there]
            room += plan.begin[u, i] - plan.left[u, i]
            done = latest
        plan.latest[u, i] = latest
        plan.after[u, i] = there
        plan.leg[u, i] = leg
        plan.room[u, i] = room
        most = max(most, room)
    plan.most[u] = most
    return True


@njit(cache=True, nogil=True)
def delay(ins, plan, u, i, h):  # type: ignore[no-untyped-def]
    """Return by how many seconds visit `h` before the `i`-th node delays the next place; -1 where it does not fit."""
    nodes = plan.route[u]
    size = plan.size[u]
    here = ins.place[h]
    t = max(plan.left[u, i] + ins.seconds[plan.before[u, i], here], ins.opens[h])
    if t > ins.closes[h]:
        return np.int64(-1)
    t += ins.dwell[h]
    j = i
    # Breaks in between are taken wherever the unit is: now at the new visit.
    while j < size and ins.place[nodes[j]] < 0:
        t = max(t, ins.opens[nodes[j]])
        if t > ins.closes[nodes[j]]:
            return np.int64(-1)
        t += ins.dwell[nodes[j]]
        j += 1
    t += ins.seconds[here, plan.after[u, j]]
    if t > (plan.latest[u, j] if j < size else ins.ends[u]):
        return np.int64(-1)
    return max(t - plan.left[u, j] - plan.leg[u, j], np.int64(0))


@njit(cache=True, nogil=True)
def serves(ins, u, h):  # type: ignore[no-untyped-def]
    """Return whether a unit has all the kinds that a visit asks for."""
    return ins.kinds[h] & ~ins.unit_kinds[u] == 0


@njit(cache=True, nogil=True)
def best_place(ins, plan, u, h, time, blink, rng):  # type: ignore[no-untyped-def]
    """Return where in a route a visit delays least, and by how much; -1 where it fits nowhere.

    `time` is the least that the visit takes with its legs, and `blink` how often a place is passed over.
    """
    where = np.int64(-1)
    least = np.int64(-1)
    if plan.most[u] < time or not serves(ins, u, h):
        return where, least
    seconds = ins.seconds
    here, dwell, opens, closes = ins.place[h], ins.dwell[h], ins.opens[h], ins.closes[h]
    size = plan.size[u]
    room, left, before, after, leg = plan.room[u], plan.left[u], plan.before[u], plan.after[u], plan.leg[u]
    nodes = plan.route[u]
    for i in range(size + 1):
        if room[i] < time:
            continue
        if i < size and ins.place[nodes[i]] < 0:
            found = delay(ins, plan, u, i, h)
            if found < 0:
                continue
        else:
            start = left[i] + seconds[before[i], here]
            if start > closes:
                continue
            found = max(start, opens) - left[i] + dwell + seconds[here, after[i]]
            if found > room[i]:
                continue
            found = max(found - leg[i], np.int64(0))
        if (where < 0 or found < least) and (blink <= 0.0 or unit(rng) >= blink):
            least = found
            where = np.int64(i)
    return where, least


@njit(cache=True, nogil=True)
def put(ins, plan, u, i, h):  # type: ignore[no-untyped-def]
    """Put a visit that fits before the `i`-th node."""
    for j in range(plan.size[u], i, -1):
        plan.route[u, j] = plan.route[u, j - 1]
    plan.route[u, i] = h
    plan.size[u] += 1
    plan.unit[h] = u
    refresh(ins, plan, u)


@njit(cache=True, nogil=True)
def take(ins, plan, u, i):  # type: ignore[no-untyped-def]
    """Take the visit at `i` out of a route; return False where what is left cannot keep its limits."""
    plan.unit[plan.route[u, i]] = NOWHERE
    for j in range(i, plan.size[u] - 1):
        plan.route[u, j] = plan.route[u, j + 1]
    plan.size[u] -= 1
    return refresh(ins, plan, u)


@njit(cache=True, nogil=True)
def copy_route(source, target, u):  # type: ignore[no-untyped-def]
    """Copy one route with its timetable; `unit` is not touched."""
    size = source.size[u]
    target.size[u] = size
    for i in range(size):
        target.route[u, i] = source.route[u, i]
        target.begin[u, i] = source.begin[u, i]
        target.latest[u, i] = source.latest[u, i]
    for i in range(size + 1):
        target.left[u, i] = source.left[u, i]
        target.before[u, i] = source.before[u, i]
        target.after[u, i] = source.after[u, i]
        target.leg[u, i] = source.leg[u, i]
        target.room[u, i] = source.room[u, i]
    target.most[u] = source.most[u]
    target.finish[u] = source.finish[u]
    target.travel[u] = source.travel[u]


@njit(cache=True, nogil=True)
def copy_plan(source, target):  # type: ignore[no-untyped-def]
    """Copy all routes."""
    for u in range(source.size.size):
        copy_route(source, target, u)
    target.unit[:] = source.unit


@njit(cache=True, nogil=True)
def worth(ins, plan):  # type: ignore[no-untyped-def]
    """Return the profit of all visits that are made, and the travel and waiting of all routes."""
    profit = 0.0
    for h in range(plan.unit.size):
        if plan.unit[h] >= 0:
            profit += ins.profit[h]
    return profit, plan.travel.sum()
