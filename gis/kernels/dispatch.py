"""Who answers which calls, how soon, and how often from another beat: lists by travel time, then the hypercube model.

A call is answered by a free unit of its own beat where there is one, of several the one that is there soonest, and
otherwise by the free unit that is there soonest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis.kernels.hypercube import (
    MOST_EXACT_UNITS,
    Dispatch,
    Floats,
    Ints,
    WhenBusy,
    approximate_hypercube,
    hypercube,
)

FIRST_DEPTH = 12
"""Units on a list to begin with where there are more than the exact model takes."""
BEYOND = 1e-6
"""Share of all calls that may go to units after the end of the lists; otherwise these are made longer."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Calls from atoms (j,) answered by units (u,).

    Attributes
    ----------
    busy_share : (u,)
    answered_per_min : (u,)
        Calls that each unit answers.
    elsewhere_share : (u,)
        Share of those that are not of its own beat; 0 for a unit that answers none.
    unit_travel_s : (u,)
        Mean travel time to those; nan where there is none that is reached.
    own_share, other_share, lost_share : (j,)
        Chance that a call is answered at once by a unit of its own beat, or of another; or finds all units busy.
    response_s : (j,)
        Mean time from the call until a unit is there, waiting included; lost calls not counted. nan where no unit gets
        there.
    wait_s
        Mean time that a call waits for a free unit.
    exact
        Of the exact model, not of the approximate one.
    """

    busy_share: Floats
    answered_per_min: Floats
    elsewhere_share: Floats
    unit_travel_s: Floats
    own_share: Floats
    other_share: Floats
    lost_share: Floats
    response_s: Floats
    wait_s: float
    exact: bool


def dispatch(
    seconds: Floats,
    rate_per_min: Floats,
    *,
    unit_beat: Ints,
    atom_beat: Ints,
    service_min: float,
    when_busy: WhenBusy = "lost",
) -> Answers:
    """Return who answers which calls.

    Parameters
    ----------
    seconds : (u, j)
        Travel time of each unit to each atom; inf where there is no way.
    rate_per_min : (j,)
        Calls of each atom.
    unit_beat : (u,)
        Beat of each unit, -1 for none.
    atom_beat : (j,)
    service_min, when_busy
        As in `gis.kernels.hypercube`.

    Raises
    ------
    InvalidInput, Infeasible
        As `gis.kernels.hypercube.hypercube` does.
    """
    units = len(unit_beat)
    own = unit_beat[:, None] == atom_beat
    found, lists = _solved(_order(seconds, own), rate_per_min, units, service_min, when_busy)
    atom = np.arange(len(rate_per_min))[:, None]
    time, at_home = seconds[lists, atom], own[lists, atom]
    answered = found.answered
    own_share = (answered * at_home).sum(axis=1)
    waiting = found.all_busy_share if found.waits else np.zeros(len(atom))
    # Whoever waits is answered by whichever unit is free first, wherever that is.
    share = np.concatenate([answered, np.repeat(waiting[:, None] / units, units, axis=1)], axis=1)
    unit = np.concatenate([lists, np.broadcast_to(np.arange(units), (len(atom), units))], axis=1)
    if found.waits:
        time, at_home = seconds[unit, atom], own[unit, atom]
    else:
        share, unit = answered, lists
    calls = share * rate_per_min[:, None]
    reached = np.isfinite(time)
    travel = np.where(reached, time, 0.0)

    def by_unit(values: Floats) -> Floats:
        return np.bincount(unit.ravel(), values.ravel(), minlength=units).astype(np.float64)

    total = by_unit(calls)
    return Answers(
        busy_share=found.busy_share,
        answered_per_min=total,
        elsewhere_share=_ratio(by_unit(calls * ~at_home), total, 0.0),
        unit_travel_s=_ratio(by_unit(calls * travel), by_unit(calls * reached), np.nan),
        own_share=own_share,
        other_share=answered.sum(axis=1) - own_share + found.beyond_share,
        lost_share=found.all_busy_share,
        response_s=_ratio((share * travel).sum(axis=1), (share * reached).sum(axis=1), np.nan) + found.wait_min * 60,
        wait_s=found.wait_min * 60,
        exact=found.exact,
    )


def _order(seconds: Floats, own: np.ndarray) -> Floats:
    """Return what lists are sorted by (j, u): units of the own beat come before all others, unreachable ones last."""
    known = np.isfinite(seconds)
    farthest = float(seconds[known].max(initial=0.0)) + 1.0
    return np.ascontiguousarray((np.where(known, seconds, 2 * farthest) - np.where(own, 4 * farthest, 0.0)).T)


def _solved(
    key: Floats, rate_per_min: Floats, units: int, service_min: float, when_busy: WhenBusy
) -> tuple[Dispatch, Ints]:
    if units <= MOST_EXACT_UNITS:
        lists = np.argsort(key, axis=1, kind="stable")
        return hypercube(rate_per_min, lists, units=units, service_min=service_min, when_busy=when_busy), lists
    depth = FIRST_DEPTH
    while True:
        depth = min(depth, units)
        lists = _first(key, depth)
        found = approximate_hypercube(rate_per_min, lists, units=units, service_min=service_min, when_busy=when_busy)
        if depth == units or found.beyond_share @ rate_per_min <= BEYOND * max(rate_per_min.sum(), 1e-300):
            return found, lists
        depth *= 2


def _first(key: Floats, depth: int) -> Ints:
    """Return the units (j, depth) with the smallest keys, rising; of equals, the first."""
    if depth < key.shape[1]:
        near = np.sort(np.argpartition(key, depth - 1, axis=1)[:, :depth], axis=1)
    else:
        near = np.broadcast_to(np.arange(depth), key.shape)
    order = np.argsort(np.take_along_axis(key, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, order, axis=1)


def _ratio(above: Floats, below: Floats, empty: float) -> Floats:
    return np.asarray(np.divide(above, below, out=np.full(above.shape, empty), where=below > 0))
