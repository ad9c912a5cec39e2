"""Hypercube queueing: Erlang's formulas, all balance equations solved densely, a simulation, and what must be true."""

from __future__ import annotations

import heapq
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import Infeasible, InvalidInput, TooLarge
from gis.kernels.hypercube import (
    MOST_EXACT_UNITS,
    Dispatch,
    Floats,
    Ints,
    WhenBusy,
    approximate_hypercube,
    erlang,
    hypercube,
)

ERLANG = (
    (4, 2.0, 0.09523809523809523, 0.4523809523809524),
    (8, 4.0, 0.0304200582258927, 0.48478997088705367),
    (10, 5.0, 0.018384570336648136, 0.49080771483167596),
)
"""Units, load, chance that all are busy, mean utilisation: Erlang B, computed by others."""


def some_calls(seed: int, units: int, load: float, *, atoms: int = 12) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(seed)
    rate = rng.random(atoms) + 0.05
    return rate * load / rate.sum(), np.argsort(rng.random((atoms, units)), axis=1)


def along_a_street(units: int, load: float, *, atoms: int = 40, skew: float = 0.0) -> tuple[Floats, Ints]:
    """Units and atoms on a line, calls denser at one end: lists as distance makes them."""
    places, posts = (np.arange(atoms) + 0.5) / atoms, (np.arange(units) + 0.45) / units
    rate = np.exp(-skew * places)
    lists = np.argsort(np.abs(places[:, None] - posts), axis=1, kind="stable")
    return rate * load / rate.sum(), lists


def densely(rate: Floats, lists: Ints, units: int, service_min: float, queue: int) -> dict[str, Floats]:
    """Solve the balance equations of all sets of busy units, and of a line of up to `queue` calls, one by one."""
    sets = [frozenset(u for u in range(units) if bits[u]) for bits in product((0, 1), repeat=units)]
    states: list[tuple[frozenset[int], int]] = [(s, 0) for s in sets]
    states += [(frozenset(range(units)), waiting) for waiting in range(1, queue + 1)]
    at = {state: i for i, state in enumerate(states)}
    flow = np.zeros((len(states), len(states)))
    for (busy, waiting), i in at.items():
        for one, wishes in zip(rate, lists, strict=True):
            free = [u for u in wishes if u not in busy]
            target = (busy | {free[0]}, 0) if free else (busy, waiting + 1)
            if target in at:
                flow[i, at[target]] += one
        for u in busy:
            flow[i, at[(busy, waiting - 1) if waiting else (busy - {u}, 0)]] += 1 / service_min
    equations = (flow - np.diag(flow.sum(axis=1))).T
    equations[0] = 1.0
    p = np.linalg.solve(equations, np.eye(len(states))[0])
    answered = np.zeros(lists.shape)
    for (busy, _), i in at.items():
        for atom, wishes in enumerate(lists):
            free_places = [place for place, u in enumerate(wishes) if u not in busy]
            if free_places:
                answered[atom, free_places[0]] += p[i]
    return {
        "busy": np.array([sum(p[i] for (busy, _), i in at.items() if u in busy) for u in range(units)]),
        "answered": answered,
        "length": np.array(sum(waiting * p[i] for (_, waiting), i in at.items())),
    }


@pytest.mark.parametrize(("units", "load", "all_busy", "mean_busy"), ERLANG)
def test_erlangs_loss_formula_holds_whatever_the_lists(
    units: int, load: float, all_busy: float, mean_busy: float
) -> None:
    assert erlang(load, units)[-1] == pytest.approx(all_busy, abs=1e-14)
    for seed in range(3):
        rate, lists = some_calls(seed, units, load)
        found = hypercube(rate, lists, units=units, service_min=1.0)
        assert found.exact
        assert np.abs(found.all_busy_share - all_busy).max() < 1e-12
        assert abs(found.busy_share.mean() - mean_busy) < 1e-12


@pytest.mark.parametrize("units", [1, 2, 3, 4])
@pytest.mark.parametrize("service_min", [1.0, 25.0])
def test_the_balance_equations_solved_densely_agree(units: int, service_min: float) -> None:
    for seed, load in enumerate((0.2, 1.5, 6.0)):
        rate, lists = some_calls(seed, units, load / service_min)
        found = hypercube(rate, lists, units=units, service_min=service_min)
        right = densely(rate, lists, units, service_min, 0)
        assert np.abs(found.busy_share - right["busy"]).max() < 1e-12
        assert np.abs(found.answered - right["answered"]).max() < 1e-12


@pytest.mark.parametrize("units", [2, 3, 4])
def test_lists_that_do_not_name_every_unit_lose_more(units: int) -> None:
    rate, lists = some_calls(units, units, 1.3 * units)
    short = lists[:, :-1]
    found = hypercube(rate, short, units=units, service_min=1.0)
    right = densely(rate, short, units, 1.0, 0)
    assert np.abs(found.busy_share - right["busy"]).max() < 1e-12
    assert np.abs(found.answered - right["answered"]).max() < 1e-12
    assert found.all_busy_share @ rate / rate.sum() > erlang(1.3 * units, units)[-1]


@pytest.mark.parametrize("units", [1, 2, 3, 4])
def test_a_line_solved_densely_agrees(units: int) -> None:
    rate, lists = some_calls(units, units, 0.6 * units / 20.0)
    found = hypercube(rate, lists, units=units, service_min=20.0, when_busy="waits")
    right = densely(rate, lists, units, 20.0, 80)
    assert np.abs(found.busy_share - right["busy"]).max() < 1e-12
    assert np.abs(found.answered - right["answered"]).max() < 1e-12
    # Little's law, which the kernel does not use.
    assert found.wait_min * rate.sum() == pytest.approx(float(right["length"]), abs=1e-10)
    assert found.busy_share.mean() == pytest.approx(0.6, abs=1e-12)


def simulated(rate: Floats, lists: Ints, units: int, service_min: float, calls: int) -> tuple[Floats, float]:
    """Let calls come one by one; return each unit's share of busy time, and the share of calls lost."""
    rng = np.random.default_rng(20)
    busy_min, lost, now = np.zeros(units), 0, 0.0
    free, ends = set(range(units)), list[tuple[float, int]]()
    gaps = rng.exponential(1 / rate.sum(), calls)
    atoms, lengths = rng.choice(rate.size, calls, p=rate / rate.sum()), rng.exponential(service_min, calls)
    for gap, atom, length in zip(gaps, atoms, lengths, strict=True):
        now += gap
        while ends and ends[0][0] <= now:
            free.add(heapq.heappop(ends)[1])
        unit = next((int(u) for u in lists[atom] if u in free), None)
        if unit is None:
            lost += 1
            continue
        free.remove(unit)
        busy_min[unit] += length
        heapq.heappush(ends, (now + length, unit))
    return busy_min / now, lost / calls


@pytest.mark.parametrize(("units", "load"), [(5, 2.5), (18, 11.0)])
def test_a_simulation_agrees(units: int, load: float) -> None:
    rate, lists = along_a_street(units, load / 30.0, skew=1.5)
    model = hypercube if units <= MOST_EXACT_UNITS else approximate_hypercube
    found = model(rate, lists, units=units, service_min=30.0)
    busy, lost = simulated(rate, lists, units, 30.0, 100_000)
    # Five standard errors of the simulation; a long street with calls at one end is hard for the approximation.
    assert np.abs(found.busy_share - busy).max() < (0.013 if found.exact else 0.05)
    assert np.abs(found.all_busy_share - lost).max() < 0.006


def spread_of(exact: Dispatch, near: Dispatch) -> tuple[float, float]:
    return (
        float(np.abs(exact.busy_share - near.busy_share).max()),
        float(np.abs(exact.answered - near.answered).max()),
    )


def test_the_approximation_errs_as_little_as_the_method_page_says() -> None:
    worst_busy = worst_answered = 0.0
    for units, share, skew in product((5, 9, 12), (0.1, 0.3, 0.5, 0.8), (0.0, 1.5, 3.0)):
        rate, lists = along_a_street(units, share * units, skew=skew)
        exact = hypercube(rate, lists, units=units, service_min=1.0)
        near = approximate_hypercube(rate, lists, units=units, service_min=1.0)
        busy, answered = spread_of(exact, near)
        worst_busy, worst_answered = max(worst_busy, busy), max(worst_answered, answered)
    assert worst_busy < 0.05
    assert worst_answered < 0.05


@pytest.mark.parametrize("when_busy", ["lost", "waits"])
def test_the_approximation_is_exact_for_units_that_are_alike(when_busy: WhenBusy) -> None:
    units, load = 6, 3.3
    lists = np.array(list(permutations(range(units))))
    rate = np.full(len(lists), load / len(lists))
    exact = hypercube(rate, lists, units=units, service_min=1.0, when_busy=when_busy)
    near = approximate_hypercube(rate, lists, units=units, service_min=1.0, when_busy=when_busy)
    busy, answered = spread_of(exact, near)
    assert busy < 1e-10
    assert answered < 1e-10
    assert near.wait_min == pytest.approx(exact.wait_min, abs=1e-12)


@pytest.mark.parametrize("depth", [3, 8])
def test_a_list_cut_short_changes_nothing_but_what_is_not_named(depth: int) -> None:
    rate, lists = along_a_street(40, 8.0, atoms=200, skew=1.0)
    whole = approximate_hypercube(rate, lists, units=40, service_min=1.0)
    short = approximate_hypercube(rate, lists[:, :depth], units=40, service_min=1.0)
    beyond = whole.answered[:, depth:].sum(axis=1)
    assert beyond.max() < (0.25 if depth == 3 else 0.01)
    assert np.abs(short.beyond_share - beyond).max() < 0.15 * beyond.max()
    assert np.abs(short.answered - whole.answered[:, :depth]).max() < 2 * beyond.max()
    assert np.allclose(short.answered.sum(axis=1) + short.beyond_share + short.all_busy_share, 1.0)


@st.composite
def problems(draw: st.DrawFn) -> tuple[int, Floats, Ints]:
    units = draw(st.integers(1, 7))
    atoms = draw(st.integers(1, 6))
    rate = np.array(draw(st.lists(st.floats(0, 2), min_size=atoms, max_size=atoms)))
    lists = np.array([draw(st.permutations(range(units))) for _ in range(atoms)])
    return units, rate, lists


@settings(max_examples=60, deadline=None)
@given(problems(), st.floats(0.05, 4))
def test_what_comes_is_answered_or_lost_and_keeps_units_busy(
    problem: tuple[int, Floats, Ints], service_min: float
) -> None:
    units, rate, lists = problem
    for model in (hypercube, approximate_hypercube):
        found = model(rate, lists, units=units, service_min=service_min)
        assert np.allclose(found.answered.sum(axis=1) + found.all_busy_share, 1.0, atol=1e-9)
        assert np.allclose(found.all_busy_share, erlang(rate.sum() * service_min, units)[-1], atol=1e-9)
        assert (found.busy_share >= 0).all()
        assert (found.busy_share <= 1 + 1e-9).all()
        work = np.bincount(lists.ravel(), (found.answered * rate[:, None]).ravel(), minlength=units) * service_min
        assert work.sum() == pytest.approx(found.busy_share.sum(), abs=1e-8)
        if found.exact:
            assert np.allclose(work, found.busy_share, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_other_numbers_for_the_units_change_nothing(problem: tuple[int, Floats, Ints], random: object) -> None:
    units, rate, lists = problem
    order = np.array(random.sample(range(units), units))  # type: ignore[attr-defined]
    first = hypercube(rate, lists, units=units, service_min=1.0)
    second = hypercube(rate, order[lists], units=units, service_min=1.0)
    assert np.allclose(first.busy_share, second.busy_share[order], atol=1e-10)
    assert np.allclose(first.answered, second.answered, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(problems(), st.floats(1.01, 3))
def test_more_calls_make_every_unit_busier(problem: tuple[int, Floats, Ints], factor: float) -> None:
    units, rate, lists = problem
    fewer = hypercube(rate, lists, units=units, service_min=1.0)
    more = hypercube(rate * factor, lists, units=units, service_min=1.0)
    assert more.busy_share.sum() >= fewer.busy_share.sum() - 1e-12
    assert (more.all_busy_share >= fewer.all_busy_share - 1e-12).all()
    assert (more.answered[:, 0] <= fewer.answered[:, 0] + 1e-12).all()


def test_without_calls_everyone_is_free() -> None:
    lists = np.array([[0, 1, 2]])
    for model in (hypercube, approximate_hypercube):
        found = model(np.zeros(1), lists, units=3, service_min=5.0)
        assert found.busy_share.tolist() == [0, 0, 0]
        assert found.answered.tolist() == [[1, 0, 0]]


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        hypercube(np.array([-1.0]), np.array([[0, 0]]), units=2, service_min=0.0)
    assert {p.code for p in caught.value.problems} == {"bad_rate", "bad_lists", "bad_service"}
    with pytest.raises(TooLarge):
        hypercube(np.ones(1), np.arange(20)[None], units=20, service_min=1.0)
    for model in (hypercube, approximate_hypercube):
        with pytest.raises(Infeasible, match="units"):
            model(np.ones(1), np.arange(2)[None], units=2, service_min=2.0, when_busy="waits")
