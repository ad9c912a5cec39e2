"""A night of patrols as a problem of routes, its answer, and who keeps which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from gis.city.patrol_params import PatrolParams
from gis.city.patrol_stops import Stop, Visit, kind_bits
from gis.city.patrol_units import Unit
from gis.city.shift_clock import clock_text
from gis.errors import Infeasible, InvalidParams, Problem
from gis.kernels.route_orders import NO_ORDER, NO_TIME, NO_UNIT, NO_WAY, NO_WINDOW, Order, kept_order, reasons
from gis.kernels.route_problem import UNREACHED_S, Breaks, Ints, RouteProblem, Units, Visits, route_problem
from gis.kernels.routes import Routes, insert_routes
from gis.kernels.vroom_routes import better_routes

REASONS = {
    NO_UNIT: "no_unit_of_kinds",
    NO_WAY: "no_way",
    NO_WINDOW: "outside_shift",
    NO_TIME: "no_time_left",
    NO_ORDER: "not_in_orders",
}
_WORDS = {
    "no_unit_of_kinds": ("no unit has all the kinds it asks for", "没有具备所需全部类别的单元"),
    "no_way": ("no unit gets there and back", "没有单元能往返该处"),
    "outside_shift": ("it fits into no unit's shift", "不在任何单元的班次之内"),
    "no_time_left": ("there is no time for it beside the other stops that must be visited", "其他必巡点之外没有时间"),
    "interval_too_long": ("its visits do not fit with the least interval between them", "按最小间隔容不下所需次数"),
    "no_street": ("it is on no street", "附近没有街道"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """What is to be planned.

    Attributes
    ----------
    stops, visits, units
        The places of the matrix are the stops, then the starts, then the ends of the units.
    seconds : (p, p)
    without
        Stop -> why it has no visit at all.
    """

    stops: list[Stop]
    visits: list[Visit]
    units: list[Unit]
    seconds: np.ndarray
    without: dict[int, str]

    def problem(self) -> RouteProblem:
        """Return the problem in seconds from the midnight before the shift."""
        stops = [self.stops[visit.stop] for visit in self.visits]
        s, k = len(self.stops), len(self.units)
        resting = [i for i, unit in enumerate(self.units) if unit.break_min]
        rest = [self.units[i] for i in resting]
        return route_problem(
            self.seconds,
            Visits(
                place=np.array([visit.stop for visit in self.visits], dtype=np.int64),
                profit=np.array([stop.weight for stop in stops], dtype=float),
                dwell_s=_seconds([stop.dwell_min for stop in stops]),
                opens_s=_seconds([visit.opens_min for visit in self.visits]),
                closes_s=_seconds([visit.closes_min for visit in self.visits]),
                must=np.array([stop.must_visit for stop in stops], dtype=bool),
                kinds=np.array([kind_bits(stop.kinds) for stop in stops], dtype=np.int64),
            ),
            Units(
                start=s + np.arange(k),
                end=s + k + np.arange(k),
                begins_s=_seconds([unit.begins_min for unit in self.units]),
                ends_s=_seconds([unit.ends_min for unit in self.units]),
                kinds=np.array([kind_bits(unit.kinds) for unit in self.units], dtype=np.int64),
            ),
            Breaks(
                unit=np.array(resting, dtype=np.int64),
                length_s=_seconds([unit.break_min for unit in rest]),
                opens_s=_seconds([unit.break_from_min for unit in rest]),
                closes_s=_seconds([unit.break_to_min for unit in rest]),
            ),
        )


def _seconds(minutes: list[float]) -> np.ndarray:
    return np.array(minutes, dtype=float) * 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """The answer: routes, and why each stop that is not visited as often as asked is not.

    Attributes
    ----------
    problem
        What the routes answer.
    fixed
        Which units (k,) kept a given order.
    why
        A reason for each visit (n,), None where it is made.
    """

    problem: RouteProblem
    routes: Routes
    fixed: np.ndarray
    why: list[str | None]


def planned(night: Night, params: PatrolParams, progress: Callable[[float], None]) -> Planned:
    """Return the routes of a night.

    Raises
    ------
    InvalidParams
        An order names a unit or a stop that there is not, or a stop too often.
    Infeasible
        A given order keeps not all limits, a unit cannot rest, or a stop that must be visited cannot be; all are named.
    """
    _refuse_impossible_stops(night)
    problem = night.problem()
    _refuse_tired_units(night, problem)
    fixed = _fixed(night, params, problem)
    if params.search == "longer":
        routes = better_routes(problem, fixed=fixed, seed=params.seed, progress=progress)
    else:
        routes = insert_routes(problem, fixed=fixed, seed=params.seed, progress=progress)
    closed = np.zeros(len(night.units), dtype=bool)
    closed[list(fixed)] = True
    why = [REASONS.get(code) for code in reasons(problem, routes.unit, fixed=closed).tolist()]
    if routes.missing.size and not closed.all():
        _refuse([(night.stops[night.visits[h].stop], why[h] or "no_time_left") for h in routes.missing.tolist()])
    return Planned(problem, routes, closed, why)


def _refuse_impossible_stops(night: Night) -> None:
    """Refuse stops that must be visited and never can be, whoever goes; a shift without their window asks nothing."""
    lost = [(night.stops[i], why) for i, why in night.without.items() if why != "outside_shift"]
    _refuse([(stop, why) for stop, why in lost if stop.must_visit])


def _refuse(stops: list[tuple[Stop, str]]) -> None:
    if not stops:
        return
    told = dict.fromkeys((stop.code, stop.name_zh or stop.name_en, why) for stop, why in stops)
    en = "; ".join(f"{code}{f' ({name})' if name else ''}: {_WORDS[why][0]}" for code, name, why in told)
    zh = "；".join(f"{code}{f'（{name}）' if name else ''}：{_WORDS[why][1]}" for code, name, why in told)
    raise Infeasible(
        f"patrol_routes: {len(told)} stop(s) must be visited and cannot be: {en}",
        zh=f"{len(told)} 个必到点无法安排：{zh}",
    )


def _refuse_tired_units(night: Night, problem: RouteProblem) -> None:
    none = np.zeros(0, dtype=np.int64)
    bad = [unit.label for u, unit in enumerate(night.units) if not kept_order(problem, u, none).kept]
    if bad:
        raise Infeasible(
            f"patrol_routes: with no stop at all, {', '.join(bad)} cannot take the break and be back within the shift",
            zh=f"即使不停靠任何点，{'、'.join(bad)} 也无法在班次内休息并返回",
        )


def _fixed(night: Night, params: PatrolParams, problem: RouteProblem) -> dict[int, Ints]:
    """Return the nodes of each unit whose order is given, breaks put where they fit."""
    orders = _in_time(night, problem, _orders(night, params))
    timed = {u: kept_order(problem, u, visits) for u, visits in orders.items()}
    faults = [fault for u, order in timed.items() for fault in _faults(night, u, order)]
    if faults:
        raise Infeasible(
            f"patrol_routes: {len(faults)} thing(s) in the given orders cannot be kept: "
            + "; ".join(en for en, _ in faults),
            zh=f"给定的顺序有 {len(faults)} 处无法保持：" + "；".join(zh for _, zh in faults),
        )
    return {u: order.nodes for u, order in timed.items()}


def _orders(night: Night, params: PatrolParams) -> dict[int, Ints]:
    """Return the visits of each unit whose order is given."""
    labels = {unit.label: u for u, unit in enumerate(night.units)}
    left: dict[str, list[int]] = {stop.code: [] for stop in night.stops}
    for h, visit in enumerate(night.visits):
        left[night.stops[visit.stop].code].append(h)
    orders: dict[int, Ints] = {}
    problems = []
    for i, kept in enumerate(params.fixed):
        u = labels.get(kept.unit)
        if u is None or u in orders:
            code, words = (
                ("no_such_unit", "there is no unit") if u is None else ("unit_twice", "there are two orders for")
            )
            problems.append(Problem(code, f"{words} '{kept.unit}'", f"fixed.{i}.unit"))
            continue
        visits = []
        for j, stop in enumerate(kept.stops):
            if left.get(stop):
                visits.append(left[stop].pop(0))
                continue
            why = "there is no stop" if stop not in left else "no visit is left to the stop"
            problems.append(Problem("no_such_stop", f"{why} '{stop}'", f"fixed.{i}.stops.{j}"))
        orders[u] = np.array(visits, dtype=np.int64)
    if problems:
        raise InvalidParams("patrol_routes: the given orders do not fit the stops and units", problems)
    return orders


def _in_time(night: Night, problem: RouteProblem, orders: dict[int, Ints]) -> dict[int, Ints]:
    """Let the visits to one stop follow one another in time, whichever units make them.

    When each order comes by is seen from a timetable in which all visits to a stop share their spans.
    """
    opens, closes = problem.instance.opens.copy(), problem.instance.closes.copy()
    of_stop: dict[int, list[int]] = {}
    for h, visit in enumerate(night.visits):
        of_stop.setdefault(visit.stop, []).append(h)
    for visits in of_stop.values():
        opens[visits], closes[visits] = opens[visits].min(), closes[visits].max()
    loose = replace(problem, instance=problem.instance._replace(opens=opens, closes=closes))
    begins: dict[int, int] = {}
    for u, nodes in orders.items():
        order = kept_order(loose, u, nodes)
        begins |= dict(zip(order.nodes.tolist(), order.begin_s.tolist(), strict=True))
    new: dict[int, int] = {}
    for visits in of_stop.values():
        made = sorted((h for nodes in orders.values() for h in nodes.tolist() if h in visits), key=lambda h: begins[h])
        left = list(visits)
        for done, h in enumerate(made):
            most = len(left) - (len(made) - done)
            ends = problem.instance.closes[left[: most + 1]]
            new[h] = left[min(int(np.searchsorted(ends, begins[h])), most)]
            left = left[left.index(new[h]) + 1 :]
    return {u: np.array([new[h] for h in nodes.tolist()], dtype=np.int64) for u, nodes in orders.items()}


def _faults(night: Night, u: int, order: Order) -> list[tuple[str, str]]:
    """Return what an order does not keep, in both languages."""
    unit, faults = night.units[u], []
    for at, node in enumerate(order.nodes.tolist()):
        visit = night.visits[node] if node < len(night.visits) else None
        code = night.stops[visit.stop].code if visit else "break"
        zh = code if visit else "休息"
        if order.wrong_kind[at]:
            faults.append(
                (f"{unit.label} has not the kinds that {code} asks for", f"{unit.label} 不具备 {zh} 所需类别")
            )
        elif order.unreached[at]:
            faults.append((f"{unit.label} has no way to {code}", f"{unit.label} 到不了 {zh}"))
        elif 0 < order.late_s[at] < UNREACHED_S:
            begin = clock_text(float(order.begin_s[at]) / 60)
            late = float(order.late_s[at]) / 60
            faults.append(
                (
                    f"{unit.label} begins {code} at {begin}, {late:.0f} min too late",
                    f"{unit.label} 在 {zh} 开始于 {begin}，晚 {late:.0f} 分钟",
                )
            )
    if order.over_s >= UNREACHED_S:
        faults.append((f"{unit.label} does not get back", f"{unit.label} 无法返回"))
    elif order.over_s:
        over = float(order.over_s) / 60
        faults.append(
            (f"{unit.label} is back {over:.0f} min after its shift", f"{unit.label} 超出班次 {over:.0f} 分钟")
        )
    return faults
