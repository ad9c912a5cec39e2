"""Patrol routes as arrays: what is to be visited, by whom and when, and what a timetable must keep (team orienteering).

Units start and end at a place of their own and have a shift. A *visit* is one halt of some seconds at a place, worth a
profit, to begin within a window, by a unit that has all the kinds it asks for. A *break* belongs to one unit, begins
within a window of its own and is taken where the unit then is. Not all visits fit: those worth most are chosen.

Times are whole seconds from any one moment. Legs and halts are rounded up and limits down, so that a timetable that
keeps them keeps the given ones too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

UNREACHED_S = 1 << 40
"""Stands for a leg that cannot be travelled: longer than any shift, and sums of many still fit a whole number."""
MAX_KINDS = 62


class Visits(NamedTuple):
    """What may be visited.

    Attributes
    ----------
    place : (n,)
        Row and column of the matrix of seconds.
    profit : (n,)
        What a visit is worth, not negative.
    dwell_s : (n,)
        How long it takes.
    opens_s, closes_s : (n,)
        The visit begins within them, both included.
    must : (n,)
        Visits that come before all others, whatever they are worth.
    kinds : (n,)
        Bits of the kinds of unit that it asks for, all of them at once.
    """

    place: Ints
    profit: Floats
    dwell_s: Floats
    opens_s: Floats
    closes_s: Floats
    must: Bools
    kinds: Ints


class Units(NamedTuple):
    """Who goes.

    Attributes
    ----------
    start, end : (k,)
        Rows and columns of the matrix of seconds.
    begins_s, ends_s : (k,)
        The shift: nobody leaves the start before, or reaches the end after it.
    kinds : (k,)
        Bits of the kinds of a unit; a joint patrol has several and walks as one.
    """

    start: Ints
    end: Ints
    begins_s: Floats
    ends_s: Floats
    kinds: Ints


class Breaks(NamedTuple):
    """When units rest: the unit (b,) of each break, its length, and the window (b,) in which it begins."""

    unit: Ints
    length_s: Floats
    opens_s: Floats
    closes_s: Floats

    @classmethod
    def none(cls) -> Breaks:
        """Return no breaks."""
        return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))


class Instance(NamedTuple):
    """A problem as the compiled search reads it: visits 0 to n - 1, then breaks as nodes without a place.

    Attributes
    ----------
    seconds : (p, p)
    place, dwell, opens, closes, profit, kinds : (n + b,)
        Of each node; the place of a break is -1, and its profit 0.
    first_in, first_out : (n,)
        The shortest leg that leads to, and away from, each visit.
    near : (n, m)
        The visits nearest to each, itself first.
    must : (n,)
    start, end, begins, ends, unit_kinds : (k,)
    """

    seconds: Ints
    place: Ints
    dwell: Ints
    opens: Ints
    closes: Ints
    profit: Floats
    kinds: Ints
    first_in: Ints
    first_out: Ints
    near: Ints
    must: Bools
    start: Ints
    end: Ints
    begins: Ints
    ends: Ints
    unit_kinds: Ints


MOST_NEAR = 120


@dataclass(frozen=True, slots=True)
class RouteProblem:
    """Visits, units and breaks over a matrix of seconds, checked, in whole seconds.

    Attributes
    ----------
    instance
        For the search; the profit of a visit that must be made is larger than all others together.
    profit : (n,)
        As given.
    break_unit : (b,)
        The unit of each break; its node is n and its number.
    """

    instance: Instance
    profit: Floats
    break_unit: Ints

    @property
    def visits_count(self) -> int:
        """How many visits there are to choose from."""
        return self.profit.size

    @property
    def units_count(self) -> int:
        """How many units there are."""
        return self.instance.start.size

    def breaks_of(self, unit: int) -> Ints:
        """Return the nodes of the breaks of a unit, the one that has to begin first coming first."""
        nodes = self.visits_count + np.flatnonzero(self.break_unit == unit)
        return np.asarray(nodes[np.argsort(self.instance.closes[nodes], kind="stable")])


def route_problem(seconds: Floats, visits: Visits, units: Units, breaks: Breaks | None = None) -> RouteProblem:
    """Return the problem in whole seconds.

    Parameters
    ----------
    seconds : (p, p)
        Shortest times from each place to each, so that no way by a third place is shorter; infinite where there is
        none. It need not be symmetric.

    Raises
    ------
    ValueError
        Negative or missing numbers, or places that are not in the matrix; the message names all of them.
    """
    breaks = Breaks.none() if breaks is None else breaks
    seconds = np.asarray(seconds, dtype=np.float64)
    if wrong := _wrong(seconds, visits, units, breaks):
        raise ValueError(f"routes: {'; '.join(wrong)}")
    whole = np.full(seconds.shape, UNREACHED_S, dtype=np.int64)
    known = np.isfinite(seconds)
    whole[known] = rounded_up(seconds[known])
    np.fill_diagonal(whole, 0)
    n, b = visits.place.size, breaks.unit.size
    profit = np.asarray(visits.profit, dtype=np.float64)
    must = np.asarray(visits.must, dtype=bool)
    place = np.concatenate([visits.place, np.full(b, -1)]).astype(np.int64)
    between = whole[np.ix_(place[:n], place[:n])]
    instance = Instance(
        seconds=whole,
        place=place,
        dwell=rounded_up(np.concatenate([visits.dwell_s, breaks.length_s])),
        opens=rounded_up(np.concatenate([visits.opens_s, breaks.opens_s])),
        closes=rounded_down(np.concatenate([visits.closes_s, breaks.closes_s])),
        profit=np.concatenate([np.where(must, profit + profit.sum() + 1.0, profit), np.zeros(b)]),
        kinds=np.concatenate([visits.kinds, np.zeros(b)]).astype(np.int64),
        first_in=_shortest(np.vstack([between, whole[np.ix_(units.start, place[:n])]])),
        first_out=_shortest(np.vstack([between.T, whole[np.ix_(place[:n], units.end)].T])),
        near=np.argsort(np.minimum(between, between.T) - np.eye(n), axis=1, kind="stable")[:, :MOST_NEAR].copy(),
        must=must,
        start=np.asarray(units.start, dtype=np.int64),
        end=np.asarray(units.end, dtype=np.int64),
        begins=rounded_up(units.begins_s),
        ends=rounded_down(units.ends_s),
        unit_kinds=np.asarray(units.kinds, dtype=np.int64),
    )
    return RouteProblem(instance, profit, np.asarray(breaks.unit, dtype=np.int64))


def _wrong(seconds: Floats, visits: Visits, units: Units, breaks: Breaks) -> list[str]:
    """Return everything that is wrong with the arrays, in words."""
    p = seconds.shape[0]
    numbers = {
        **{f"visits.{name}": getattr(visits, name) for name in ("profit", "dwell_s")},
        "breaks.length_s": breaks.length_s,
    }
    wrong = [f"{name} must be finite and not negative" for name, a in numbers.items() if not _not_negative(a)]
    if seconds.shape != (p, p) or np.isnan(seconds).any() or (seconds < 0).any():
        wrong.append("seconds must be a square of numbers that are not negative")
    places = {"visits.place": visits.place, "units.start": units.start, "units.end": units.end}
    wrong += [f"{name} must be a row of seconds" for name, a in places.items() if ((a < 0) | (a >= p)).any()]
    limits = {
        "visits.opens_s": visits.opens_s,
        "visits.closes_s": visits.closes_s,
        "units.begins_s": units.begins_s,
        "units.ends_s": units.ends_s,
        "breaks.opens_s": breaks.opens_s,
        "breaks.closes_s": breaks.closes_s,
    }
    wrong += [f"{name} must be finite" for name, a in limits.items() if not np.isfinite(a).all()]
    if ((breaks.unit < 0) | (breaks.unit >= units.start.size)).any():
        wrong.append("breaks.unit must be a unit")
    return wrong


def _not_negative(values: ArrayLike) -> bool:
    array = np.asarray(values, dtype=np.float64)
    return bool(np.isfinite(array).all() and (array >= 0).all())


def rounded_up(seconds: ArrayLike) -> Ints:
    """Return whole seconds, no less than given; what is off by rounding alone is no second more."""
    return np.ceil(np.asarray(seconds, dtype=np.float64) - 1e-6).astype(np.int64)


def rounded_down(seconds: ArrayLike) -> Ints:
    """Return whole seconds, no more than given."""
    return np.floor(np.asarray(seconds, dtype=np.float64) + 1e-6).astype(np.int64)


def _shortest(legs: Ints) -> Ints:
    """Return the shortest leg (n,) of each column, the legs (n,) of each visit to itself left out."""
    n = legs.shape[1]
    others = legs.copy()
    others[np.arange(n), np.arange(n)] = UNREACHED_S
    return np.asarray(others.min(axis=0, initial=UNREACHED_S))


def profit_bound(problem: RouteProblem) -> float:
    """Return a profit that no timetable exceeds: what fits when nobody has to travel, nor keep a window or a kind.

    The largest profits, as many as halts of the shortest kind fit into the shifts; or, where halts differ, the profits
    that are largest for their time in all shifts together, the last of them in part; whichever is less.
    """
    n, units = problem.visits_count, problem.instance
    rest = np.bincount(problem.break_unit, weights=units.dwell[n:], minlength=problem.units_count)
    time = np.maximum(units.ends - units.begins - rest, 0)
    dwell = units.dwell[:n]
    count = n if n == 0 or dwell.min() == 0 else int((time // dwell.min()).sum())
    by_count = float(np.sort(problem.profit)[::-1][:count].sum())
    return min(by_count, _in_part(problem.profit, dwell, float(time.sum())))


def _in_part(profit: Floats, dwell: Ints, time: float) -> float:
    """Return the profit of the best choice that fits `time` when one visit may be made in part."""
    order = np.argsort(-profit / np.maximum(dwell, 1e-9), kind="stable")
    used = np.cumsum(dwell[order])
    whole = used <= time
    total = float(profit[order][whole].sum())
    if not whole.all():
        last = int(np.argmin(whole))
        left = time - (used[last] - dwell[order][last])
        total += float(profit[order][last] * max(left, 0.0) / dwell[order][last])
    return total
