"""Choosing and ordering the visits of patrol routes: insertion, two-opt, relocation, and taking out and putting back.

Insertion takes the visit with the most profit per second of delay. The search then takes strings of neighbouring visits
out of a few routes and puts absent ones in where they delay least, now and then passing over the best place (slack
induction by string removals with blinks: Christiaens and Vanden Berghe 2020, Transportation Science 54, 417-433, here
with a profit instead of a fleet to save), under simulated annealing.
"""

# ruff: noqa: ANN001, ANN201, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

import numpy as np
from numba import njit

from gis.kernels.random_stream import below, unit
from gis.kernels.route_schedule import (
    NOWHERE,
    best_place,
    copy_plan,
    copy_route,
    delay,
    put,
    refresh,
    serves,
    take,
    timed,
    worth,
)

BLINK = 0.02
"""How often the best place for a visit is passed over."""
STRING = 8
"""Longest run of visits taken out of one route."""
FIRST = 1e300
"""Added to the value of a visit that must be made."""
TAKEN_OUT = 8
"""Visits taken out of all routes, on average."""


@njit(cache=True, nogil=True)
def least_time(ins):  # type: ignore[no-untyped-def]
    """Return the least that each visit (n,) takes, with the way there and on."""
    return ins.dwell[: ins.first_in.size] + ins.first_in + ins.first_out


@njit(cache=True, nogil=True)
def insert_all(ins, plan, closed, exponent):  # type: ignore[no-untyped-def]
    """Insert what is not visited, the most profit (to the power of `exponent`) per second first, until none fits."""
    n, k = plan.unit.size, plan.size.size
    time = least_time(ins)
    value = np.full((n, k), -1.0)
    place = np.zeros((n, k), np.int64)
    for u in range(k):
        if not closed[u]:
            _price(ins, plan, u, exponent, time, value, place)
    while True:
        best = to = np.int64(-1)
        top = -0.5
        for h in range(n):
            for u in range(k):
                if value[h, u] > top and plan.unit[h] < 0:
                    top = value[h, u]
                    best = np.int64(h)
                    to = np.int64(u)
        if best < 0:
            return
        put(ins, plan, to, place[best, to], best)
        shorten(ins, plan, to)
        _price(ins, plan, to, exponent, time, value, place)


@njit(cache=True, nogil=True)
def _price(ins, plan, u, exponent, time, value, place):  # type: ignore[no-untyped-def]
    """Write what each visit that is not made gains per second of delay in a route, and where; -1 where it has none."""
    rng = np.zeros(1, np.uint64)
    for h in range(plan.unit.size):
        if plan.unit[h] >= 0:
            continue
        where, seconds = best_place(ins, plan, u, h, time[h], 0.0, rng)
        place[h, u] = where
        value[h, u] = -1.0
        if where >= 0:
            value[h, u] = ins.profit[h] ** exponent / max(seconds, 1)
            if ins.must[h]:
                value[h, u] += FIRST


@njit(cache=True, nogil=True)
def shorten(ins, plan, u):  # type: ignore[no-untyped-def]
    """Turn parts of a route round (two-opt) while that saves time, each leg inside priced as it is then walked."""
    size = plan.size[u]
    nodes = np.empty(size, np.int64)
    begin = np.empty(size, np.int64)
    improved = True
    while improved:
        improved = False
        for i in range(size - 1):
            for j in range(i + 1, size):
                for m in range(size):
                    nodes[m] = plan.route[u, i + j - m] if i <= m <= j else plan.route[u, m]
                ok, _, travel = timed(ins, u, nodes, size, begin)
                if ok and travel < plan.travel[u]:
                    plan.route[u, :size] = nodes
                    refresh(ins, plan, u)
                    improved = True


@njit(cache=True, nogil=True)
def relocate(ins, plan, closed, spare):  # type: ignore[no-untyped-def]
    """Move visits to wherever in all routes they cost less, until none does; `spare` is room for a copy."""
    improved = True
    while improved:
        improved = False
        for h in range(plan.unit.size):
            a = plan.unit[h]
            if a < 0 or closed[a]:
                continue
            copy_route(plan, spare, a)
            before = plan.travel[a]
            to = where = np.int64(-1)
            if take(ins, plan, a, _position(plan, a, h)):
                to, where = _nearest_place(ins, plan, closed, h, before - plan.travel[a])
            if to >= 0 and _gains(ins, plan, spare, a, to, where, h):
                improved = True
            else:
                copy_route(spare, plan, a)
                plan.unit[h] = a


@njit(cache=True, nogil=True)
def _gains(ins, plan, spare, a, to, where, h):  # type: ignore[no-untyped-def]
    """Put a visit taken out of route `a` into another or the same; undo that where nothing is saved."""
    before = spare.travel[a]
    if to != a:
        copy_route(plan, spare, to)
        before += plan.travel[to]
    put(ins, plan, to, where, h)
    after = plan.travel[a] + plan.travel[to] if to != a else plan.travel[a]
    if after < before:
        return True
    if to != a:
        copy_route(spare, plan, to)
    return False


@njit(cache=True, nogil=True)
def level(ins, plan, closed, spare):  # type: ignore[no-untyped-def]
    """Move visits from busy routes to idler ones, as long as the sum of the squares of busy times falls.

    Busy is whoever halts, rests, travels or waits on the way.
    """
    k = plan.size.size
    busy = np.empty(k)
    tried = np.zeros(plan.unit.size, np.bool_)
    moved = True
    while moved:
        moved = False
        for u in range(k):
            busy[u] = _busy(ins, plan, u)
        for a in np.argsort(-busy):
            if not closed[a] and _lighten(ins, plan, closed, spare, a, busy, tried):
                moved = True
                break


@njit(cache=True, nogil=True)
def _busy(ins, plan, u):  # type: ignore[no-untyped-def]
    time = plan.travel[u]
    for i in range(plan.size[u]):
        time += ins.dwell[plan.route[u, i]]
    return float(time)


@njit(cache=True, nogil=True)
def _lighten(ins, plan, closed, spare, a, busy, tried):  # type: ignore[no-untyped-def]
    """Move the visit out of a route that levels most; return whether there is one.

    Of a visit that would have had to wait at its new place, that it was tried is kept.
    """
    while True:
        best = 0.0
        which = to = where = np.int64(-1)
        for i in range(plan.size[a]):
            h = plan.route[a, i]
            if ins.place[h] >= 0 and not tried[h]:
                gain, u, j = _relief(ins, plan, closed, a, i, busy)
                if gain > best:
                    best = gain
                    which, to, where = np.int64(i), u, j
        if which < 0:
            return False
        copy_route(plan, spare, a)
        copy_route(plan, spare, to)
        h = plan.route[a, which]
        if take(ins, plan, a, which):
            put(ins, plan, to, where, h)
            if _busy(ins, plan, a) ** 2 + _busy(ins, plan, to) ** 2 < busy[a] ** 2 + busy[to] ** 2:
                return True
        copy_route(spare, plan, a)
        copy_route(spare, plan, to)
        plan.unit[h] = a
        tried[h] = True


@njit(cache=True, nogil=True)
def _relief(ins, plan, closed, a, i, busy):  # type: ignore[no-untyped-def]
    """Return where the visit at `i` of a route would level most, and by how much if nobody has to wait for it."""
    h = plan.route[a, i]
    here, dwell = ins.place[h], ins.dwell[h]
    saved = dwell + plan.leg[a, i] + ins.seconds[here, plan.after[a, i + 1]]
    saved -= ins.seconds[plan.before[a, i], plan.after[a, i + 1]]
    best = 0.0
    to = where = np.int64(-1)
    for u in range(plan.size.size):
        if u == a or closed[u] or busy[u] >= busy[a] or not serves(ins, u, h):
            continue
        for j in range(plan.size[u] + 1):
            if plan.room[u, j] < dwell:
                continue
            added = dwell + ins.seconds[plan.before[u, j], here] + ins.seconds[here, plan.after[u, j]] - plan.leg[u, j]
            gain = busy[a] ** 2 + busy[u] ** 2 - (busy[a] - saved) ** 2 - (busy[u] + added) ** 2
            if gain > best and delay(ins, plan, u, j, h) >= 0:
                best = gain
                to, where = np.int64(u), np.int64(j)
    return best, to, where


@njit(cache=True, nogil=True)
def _position(plan, u, h):  # type: ignore[no-untyped-def]
    i = 0
    while plan.route[u, i] != h:
        i += 1
    return i


@njit(cache=True, nogil=True)
def _nearest_place(ins, plan, closed, h, least):  # type: ignore[no-untyped-def]
    """Return the route and the place in it where a visit adds least travel, less than `least`; -1 where none does."""
    to = where = np.int64(-1)
    here = ins.place[h]
    for u in range(plan.size.size):
        if closed[u] or not serves(ins, u, h):
            continue
        for i in range(plan.size[u] + 1):
            if plan.room[u, i] < ins.dwell[h]:
                continue
            more = ins.seconds[plan.before[u, i], here] + ins.seconds[here, plan.after[u, i]] - plan.leg[u, i]
            if more < least and delay(ins, plan, u, i, h) >= 0:
                least = more
                to = np.int64(u)
                where = np.int64(i)
    return to, where


@njit(cache=True, nogil=True)
def replace(ins, plan, closed):  # type: ignore[no-untyped-def]
    """Put visits that are not made in the place of ones worth less, until nothing is gained."""
    improved = True
    while improved:
        improved = False
        for u in range(plan.size.size):
            if closed[u]:
                continue
            for i in range(plan.size[u]):
                old = plan.route[u, i]
                if ins.place[old] < 0:
                    continue
                for h in range(plan.unit.size):
                    if plan.unit[h] >= 0 or ins.profit[h] <= ins.profit[old] or not serves(ins, u, h):
                        continue
                    plan.route[u, i] = h
                    if refresh(ins, plan, u):
                        plan.unit[old] = NOWHERE
                        plan.unit[h] = u
                        old = h
                        improved = True
                    else:
                        plan.route[u, i] = old
                        refresh(ins, plan, u)


@njit(cache=True, nogil=True)
def polish(ins, plan, closed, spare):  # type: ignore[no-untyped-def]
    """Shorten, relocate, replace and insert, again and again, as long as that gains profit or saves travel."""
    profit, travel = worth(ins, plan)
    while True:
        for u in range(plan.size.size):
            if not closed[u]:
                shorten(ins, plan, u)
        relocate(ins, plan, closed, spare)
        insert_all(ins, plan, closed, 1.0)
        replace(ins, plan, closed)
        new_profit, new_travel = worth(ins, plan)
        if not (new_profit > profit or (new_profit == profit and new_travel < travel)):
            return
        profit, travel = new_profit, new_travel


@njit(cache=True, nogil=True)
def _ruin(ins, plan, closed, spare, touched, rng):  # type: ignore[no-untyped-def]
    """Take runs of visits out of routes that pass near a place drawn; return whether what is left keeps its limits."""
    n, k = plan.unit.size, plan.size.size
    made = 0
    for h in range(n):
        if plan.unit[h] >= 0:
            made += 1
    longest = max(1.0, min(float(STRING), made / max(k, 1)))
    most = 4.0 * TAKEN_OUT / (1.0 + longest) - 1.0
    strings = np.int64(unit(rng) * most + 1.0)
    seed = below(rng, n)
    for near in range(ins.near.shape[1]):
        if strings <= 0:
            break
        h = ins.near[seed, near]
        u = plan.unit[h]
        if u < 0 or closed[u] or touched[u]:
            continue
        copy_route(plan, spare, u)
        touched[u] = True
        strings -= 1
        length = 1 + below(rng, np.int64(max(1.0, min(longest, float(plan.size[u])))))
        first = _position(plan, u, h) - below(rng, length)
        first = max(0, min(first, plan.size[u] - length))
        out = 0
        for i in range(plan.size[u]):
            node = plan.route[u, i]
            if first <= i < first + length and ins.place[node] >= 0:
                plan.unit[node] = NOWHERE
                out += 1
            else:
                plan.route[u, i - out] = node
        plan.size[u] -= out
        if not refresh(ins, plan, u):
            return False
        _move_breaks(ins, plan, u, rng)
    return True


@njit(cache=True, nogil=True)
def _move_breaks(ins, plan, u, rng):  # type: ignore[no-untyped-def]
    """Take the breaks of a route at other moments drawn, where that keeps its limits."""
    size = plan.size[u]
    for i in range(size):
        if ins.place[plan.route[u, i]] >= 0:
            continue
        j = below(rng, size)
        _shift(plan.route[u], i, j)
        if not refresh(ins, plan, u):
            _shift(plan.route[u], j, i)
            refresh(ins, plan, u)


@njit(cache=True, nogil=True)
def _shift(nodes, i, j):  # type: ignore[no-untyped-def]
    """Move the node at `i` to `j`; those between make room."""
    node = nodes[i]
    step = 1 if j > i else -1
    while i != j:
        nodes[i] = nodes[i + step]
        i += step
    nodes[j] = node


@njit(cache=True, nogil=True)
def _queue(ins, plan, time, rng):  # type: ignore[no-untyped-def]
    """Return the visits that are not made in the order in which they are tried: those that must be, then by a draw."""
    absent = np.flatnonzero(plan.unit < 0)
    key = np.empty(absent.size)
    by_lot = below(rng, 8) == 0
    exponent = 0.6 + 0.8 * unit(rng)
    for i, h in enumerate(absent):
        if ins.must[h]:
            key[i] = -FIRST
        elif by_lot:
            key[i] = -unit(rng)
        else:
            key[i] = -(ins.profit[h] ** exponent) / max(time[h], 1) * (0.8 + 0.4 * unit(rng))
    return absent[np.argsort(key)]


@njit(cache=True, nogil=True)
def _recreate(ins, plan, closed, spare, touched, time, rng):  # type: ignore[no-untyped-def]
    """Put absent visits where they delay least, in an order drawn, blinking."""
    for h in _queue(ins, plan, time, rng):
        to = where = np.int64(-1)
        least = np.int64(0)
        for u in range(plan.size.size):
            if closed[u] or plan.most[u] < time[h]:
                continue
            i, found = best_place(ins, plan, u, h, time[h], BLINK, rng)
            if i >= 0 and (to < 0 or found < least):
                least = found
                to = np.int64(u)
                where = i
        if to >= 0:
            if not touched[to]:
                copy_route(plan, spare, to)
                touched[to] = True
            put(ins, plan, to, where, h)


@njit(cache=True, nogil=True)
def anneal(ins, plan, best, spare, closed, rng, rounds, hot, cooling, per_second):  # type: ignore[no-untyped-def]
    """Take out and put back `rounds` times; the best plan met is left in `best`.

    `hot` is the temperature to begin with, in units of profit, `cooling` its factor a round, and `per_second` what a
    second of travel is worth in between: as a plan that travels less is nearer to holding one visit more.
    """
    touched = np.zeros(plan.size.size, np.bool_)
    time = least_time(ins)
    old_unit = np.empty_like(plan.unit)
    profit, travel = worth(ins, plan)
    best_profit, best_travel = worth(ins, best)
    temperature = hot
    for _ in range(rounds):
        temperature *= cooling
        touched[:] = False
        old_unit[:] = plan.unit
        kept = _ruin(ins, plan, closed, spare, touched, rng)
        if kept:
            _recreate(ins, plan, closed, spare, touched, time, rng)
            new_profit, new_travel = worth(ins, plan)
            loss = profit - new_profit + per_second * (new_travel - travel)
            kept = loss <= 0.0 or unit(rng) < np.exp(-loss / temperature)
        if not kept:
            for u in range(plan.size.size):
                if touched[u]:
                    copy_route(spare, plan, u)
            plan.unit[:] = old_unit
            continue
        profit, travel = new_profit, new_travel
        if profit > best_profit or (profit == best_profit and travel < best_travel):
            copy_plan(plan, best)
            best_profit, best_travel = profit, travel
