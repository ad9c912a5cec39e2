"""How busy the units are, and who answers when the nearest is busy: the hypercube queueing model.

Calls come from atoms (a Poisson stream each). A call goes to the first free unit on its atom's list; every unit is busy
for the same mean time, travel included. The state is the set of busy units, one corner of a hypercube. Up to
`MOST_EXACT_UNITS` the balance equations of all 2^N states are solved; for more units the approximation takes one
utilisation a unit, corrected for their dependence.

References: Larson (1974), Computers and Operations Research 1(1), 67-95 (exact); Larson (1975), Operations Research
23(5), 845-868 (approximate); Takahashi's aggregation, as in Stewart (1994), Introduction to the Numerical Solution of
Markov Chains, chapter 6.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import Infeasible, InvalidInput, Problem, TooLarge

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
WhenBusy = Literal["lost", "waits"]

MOST_EXACT_UNITS = 15
"""32,768 states: a fraction of a second."""
MOST_SWEEPS = 5_000
SETTLED = 1e-14
"""Share of all transitions that may be out of balance in the end."""
MOST_ROUNDS = 2_000
NO_LOAD = 1e-200
"""So few calls that their squares are no numbers any more: everyone is free."""
STEADY = 1e-12
"""Largest change of a utilisation after which the approximation ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Dispatch:
    """Units (u,) that answer calls from atoms (j,).

    Attributes
    ----------
    busy_share : (u,)
        Share of the time that each unit is busy.
    answered : (j, k)
        Chance that a call of each atom is answered at once by the first, second, ... unit of its list.
    all_busy_share : (j,)
        Chance that a call finds every unit busy (of a shorter list: every unit on it, exact model only).
    beyond_share : (j,)
        Chance that it goes to a unit after the end of a shorter list; approximate model only.
    wait_min
        Mean time that a call waits, over all calls, those that need not wait included; 0 where calls are lost.
    waits
        Calls that find every unit busy wait for the next one that is free, and are not lost.
    exact
        Every state was looked at.
    """

    busy_share: Floats
    answered: Floats
    all_busy_share: Floats
    beyond_share: Floats
    wait_min: float
    waits: bool
    exact: bool


def erlang(load: float, units: int) -> Floats:
    """Return how often 0 to `units` units are busy (units + 1,) where calls that find all busy are lost.

    Parameters
    ----------
    load
        Calls per mean service time (erlangs).

    Examples
    --------
    >>> erlang(2.0, 4)[-1].round(15).item()
    0.095238095238095
    """
    # From the most likely number outwards, so that nothing overflows.
    steps = np.arange(1, units + 1)
    with np.errstate(divide="ignore"):
        logs = np.concatenate([[0.0], np.cumsum(np.log(load) - np.log(steps))])
    terms = np.exp(logs - logs.max())
    return np.asarray(terms / terms.sum())


def hypercube(
    rate_per_min: Floats, preference: Ints, *, units: int, service_min: float, when_busy: WhenBusy = "lost"
) -> Dispatch:
    """Return the exact steady state.

    Parameters
    ----------
    rate_per_min : (j,)
        Calls of each atom.
    preference : (j, k)
        Units, 0 to `units` - 1, in the order in which they are asked; each at most once. A call is lost to this system
        when all on its list are busy.
    service_min
        Mean time that a unit is busy with a call; exponential.
    when_busy
        What happens to a call that finds all units busy. Waiting needs whole lists; the longest waiting goes first.

    Raises
    ------
    TooLarge
        More than `MOST_EXACT_UNITS` units.
    Infeasible
        Calls wait, and there are more than the units can ever answer.

    Examples
    --------
    Two units, each the first choice of one of two atoms; Erlang's formula says that a fifth of the calls is lost:

    >>> found = hypercube(np.array([0.5, 0.5]), np.array([[0, 1], [1, 0]]), units=2, service_min=1.0)
    >>> found.busy_share.round(12).tolist(), found.all_busy_share.round(12).tolist()
    ([0.4, 0.4], [0.2, 0.2])
    >>> found.answered[0].round(12).tolist()
    [0.6, 0.2]
    """
    _check(rate_per_min, preference, units, service_min, when_busy)
    if units > MOST_EXACT_UNITS:
        raise TooLarge(f"{units} units; the exact model takes at most {MOST_EXACT_UNITS}")
    lists, kind = np.unique(preference, axis=0, return_inverse=True)
    load = np.bincount(kind.ravel(), rate_per_min, minlength=len(lists)) * service_min
    upward = _upward(lists, load, units)
    p = _balanced(upward, units)
    by_list = _answered(lists, p)
    waiting, wait_min = 0.0, 0.0
    if when_busy == "waits":
        # Between "all busy" and the queue behind it as many go as come: only the weight of the queue is new.
        total = float(load.sum())
        queue = p[-1] * total / (units - total)
        p, by_list, waiting = p / (1 + queue), by_list / (1 + queue), queue / (1 + queue)
        wait_min = (p[-1] + waiting) * service_min / (units - total)
    bits = np.arange(p.size)
    busy = np.array([p[(bits >> u & 1) == 1].sum() for u in range(units)])
    answered = by_list[kind.ravel()]
    return Dispatch(
        busy_share=busy + waiting,
        answered=answered,
        all_busy_share=np.maximum(1.0 - answered.sum(axis=1), 0.0),
        beyond_share=np.zeros(len(answered)),
        wait_min=float(wait_min),
        waits=when_busy == "waits",
        exact=True,
    )


def approximate_hypercube(
    rate_per_min: Floats, preference: Ints, *, units: int, service_min: float, when_busy: WhenBusy = "lost"
) -> Dispatch:
    """Return Larson's approximation, for any number of units.

    A list may be shorter than the number of units: the rest of it is taken to be there but not named, and
    `Dispatch.beyond_share` says how many calls reach it. The parameters are those of `hypercube`.

    Raises
    ------
    Infeasible
        Calls wait, and there are more than the units can ever answer.

    Examples
    --------
    >>> lists = np.array([[0, 1], [1, 0]])
    >>> found = approximate_hypercube(np.array([0.5, 0.5]), lists, units=2, service_min=1.0)
    >>> found.busy_share.round(9).tolist(), found.answered[0].round(9).tolist()
    ([0.4, 0.4], [0.6, 0.2])
    """
    _check(rate_per_min, preference, units, service_min, when_busy)
    load = rate_per_min * service_min
    total = float(load.sum())
    chance = erlang(total, units)
    waiting = 0.0
    if when_busy == "waits":
        queue = chance[-1] * total / (units - total)
        chance, waiting = chance / (1 + queue), queue / (1 + queue)
    all_busy = float(chance[-1]) + waiting
    mean = total / units if when_busy == "waits" else total * (1.0 - all_busy) / units
    lists = preference
    free = _corrections(chance, mean, lists.shape[1])
    from_queue = total * all_busy / units if when_busy == "waits" else 0.0
    busy = np.full(units, mean)
    for _ in range(MOST_ROUNDS):
        reached = _all_before(busy, lists) * free[:-1]
        offered = np.bincount(lists.ravel(), (load[:, None] * reached).ravel(), minlength=units)
        new = (offered + from_queue) / (1.0 + offered)
        if (sum_ := float(new.sum())) > 0:
            new = np.minimum(new * (mean * units / sum_), 1.0)
        change = float(np.abs(new - busy).max())
        busy = 0.5 * (busy + new)
        if change < STEADY:
            break
    before = _all_before(busy, lists)
    answered = before * free[:-1] * (1.0 - busy[lists])
    beyond = before[:, -1] * busy[lists[:, -1]] * free[-1] if lists.shape[1] < units else np.zeros(len(lists))
    scale = (1.0 - all_busy) / (answered.sum(axis=1) + beyond)
    return Dispatch(
        busy_share=busy,
        answered=answered * scale[:, None],
        all_busy_share=np.full(len(lists), all_busy),
        beyond_share=beyond * scale,
        wait_min=all_busy * service_min / (units - total) if when_busy == "waits" else 0.0,
        waits=when_busy == "waits",
        exact=False,
    )


def _all_before(busy: Floats, lists: Ints) -> Floats:
    """Return the product (j, k) of the utilisations of all units asked before each."""
    product = np.ones(lists.shape)
    np.cumprod(busy[lists[:, :-1]], axis=1, out=product[:, 1:])
    return product


def _corrections(chance: Floats, mean: float, depth: int) -> Floats:
    """Return Larson's Q (depth + 1,): how much likelier it is that so many drawn at random are busy and the next free.

    Likelier than were they independent: with k of N busy, i draws without replacement are all busy with chance
    C(k, i) / C(N, i). The last is that of `depth` busy ones alone, whatever comes next.
    """
    units = chance.size - 1
    number = np.arange(units + 1)
    drawn, factor = chance.copy(), np.ones(depth + 1)
    alone = 1.0
    for i in range(depth):
        # A chance that is no longer a normal number is one that nobody asks about.
        together = float((drawn * (units - number)).sum()) / (units - i)
        factor[i] = together / (alone * (1.0 - mean)) if alone * (1.0 - mean) > 1e-290 else 1.0  # noqa: PLR2004
        drawn *= np.maximum(number - i, 0) / (units - i)
        alone *= mean
    factor[depth] = float(drawn[:-1].sum()) / alone if alone > 1e-290 else 1.0  # noqa: PLR2004
    return factor


def _check(rate_per_min: Floats, preference: Ints, units: int, service_min: float, when_busy: WhenBusy) -> None:
    problems = []
    if units < 1:
        problems.append(Problem("no_units", "there is no unit", "units"))
    if rate_per_min.ndim != 1 or not np.isfinite(rate_per_min).all() or (rate_per_min < 0).any():
        problems.append(Problem("bad_rate", "every atom needs a rate that is not negative", "rate_per_min"))
    if preference.ndim != 2 or len(preference) != rate_per_min.size or not preference.size:  # noqa: PLR2004 - a table
        problems.append(Problem("bad_lists", "every atom needs a list of units", "preference"))
    elif preference.min() < 0 or preference.max() >= units or (np.diff(np.sort(preference, axis=1), axis=1) == 0).any():
        problems.append(Problem("bad_lists", f"a list names units 0 to {units - 1}, each once", "preference"))
    if not (np.isfinite(service_min) and service_min > 0):
        problems.append(Problem("bad_service", "the mean service time has to be positive", "service_min"))
    if problems:
        raise InvalidInput("the units cannot be modelled", problems)
    if when_busy == "waits" and (total := float(rate_per_min.sum()) * service_min) >= units:
        why = f"calls keep {total:.2f} units busy on average, and there are {units}: the line would grow for ever"
        raise Infeasible(why)


@njit(cache=True, nogil=True)
def _upward(lists, load, units):  # type: ignore[no-untyped-def]
    """Return the load (2^N, N) that each unit takes on in each state."""
    upward = np.zeros((1 << units, units))
    for state in range(1 << units):
        for kind in range(lists.shape[0]):
            for place in range(lists.shape[1]):
                unit = lists[kind, place]
                if not state >> unit & 1:
                    upward[state, unit] += load[kind]
                    break
    return upward


@njit(cache=True, nogil=True)
def _answered(lists, p):  # type: ignore[no-untyped-def]
    """Return how often (m, k) the first, second, ... unit of a list is the first that is free."""
    answered = np.zeros(lists.shape)
    for kind in range(lists.shape[0]):
        for state in range(p.size):
            for place in range(lists.shape[1]):
                if not state >> lists[kind, place] & 1:
                    answered[kind, place] += p[state]
                    break
    return answered


@njit(cache=True, nogil=True)
def _balanced(upward, units):  # type: ignore[no-untyped-def]
    """Return the steady state (2^N,): Gauss-Seidel, and after each sweep the levels set right among one another.

    A level is all states with as many busy units. Time is counted in mean service times.
    """
    states = 1 << units
    level = np.zeros(states, np.int64)
    leaving = np.zeros(states)
    for state in range(states):
        for unit in range(units):
            level[state] += state >> unit & 1
        leaving[state] = upward[state].sum() + level[state]
    p = np.ones(states) / states
    if leaving[0] < NO_LOAD:
        p[:] = 0.0
        p[0] = 1.0
        return p
    for sweep in range(MOST_SWEEPS):
        off = _swept(p, upward, leaving, level, units, sweep % 2 == 0)
        _set_levels_right(p, leaving, level, units)
        if off <= SETTLED:
            break
    return p


@njit(cache=True, nogil=True)
def _swept(p, upward, leaving, level, units, rising):  # type: ignore[no-untyped-def]
    """Let every state have what comes into it, in place; return the share of transitions that was out of balance."""
    off = flow = 0.0
    for step in range(p.size):
        state = step if rising else p.size - 1 - step
        coming = 0.0
        for unit in range(units):
            other = state ^ (1 << unit)
            coming += p[other] * upward[other, unit] if level[other] < level[state] else p[other]
        off += abs(coming - p[state] * leaving[state])
        flow += coming
        p[state] = coming / leaving[state]
    return off / flow


@njit(cache=True, nogil=True)
def _set_levels_right(p, leaving, level, units):  # type: ignore[no-untyped-def]
    """Weigh whole levels so that as many transitions lead from each to the next as back, in place."""
    mass, up = np.zeros(units + 1), np.zeros(units + 1)
    for state in range(p.size):
        mass[level[state]] += p[state]
        up[level[state]] += p[state] * (leaving[state] - level[state])
    right, total = 1.0, 0.0
    for k in range(units + 1):
        total += right
        mean_up = up[k] / mass[k] if mass[k] > 0.0 else 0.0
        mass[k] = right / mass[k] if mass[k] > 0.0 else 0.0
        right *= mean_up / (k + 1.0)
    for state in range(p.size):
        p[state] *= mass[level[state]] / total
