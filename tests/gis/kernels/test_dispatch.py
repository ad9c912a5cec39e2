"""Who answers: own units first, the soonest of the others next; accounts of beats and of units agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.kernels.dispatch import dispatch
from gis.kernels.hypercube import approximate_hypercube, erlang, hypercube

MINUTE = 60.0


def test_two_units_by_hand() -> None:
    # Each has a beat of one atom; a = 1 erlang in all, so that Erlang B of two units is 1/5.
    seconds = np.array([[60.0, 240.0], [180.0, 90.0]])
    found = dispatch(
        seconds, np.array([0.05, 0.05]), unit_beat=np.array([0, 1]), atom_beat=np.array([0, 1]), service_min=10.0
    )
    assert found.busy_share == pytest.approx([0.4, 0.4])
    assert found.own_share == pytest.approx([0.6, 0.6])
    assert found.other_share == pytest.approx([0.2, 0.2])
    assert found.lost_share == pytest.approx([0.2, 0.2])
    assert found.response_s == pytest.approx([(0.6 * 60 + 0.2 * 180) / 0.8, (0.6 * 90 + 0.2 * 240) / 0.8])
    assert found.answered_per_min == pytest.approx([0.04, 0.04])
    assert found.elsewhere_share == pytest.approx([0.25, 0.25])
    assert found.unit_travel_s == pytest.approx([0.75 * 60 + 0.25 * 240, 0.75 * 90 + 0.25 * 180])
    assert found.exact


def test_the_own_unit_goes_even_where_another_is_nearer() -> None:
    seconds = np.array([[300.0], [10.0]])
    found = dispatch(seconds, np.array([1e-6]), unit_beat=np.array([0, 1]), atom_beat=np.array([0]), service_min=1.0)
    assert found.own_share[0] == pytest.approx(1.0, abs=1e-5)
    assert found.response_s[0] == pytest.approx(300.0, rel=1e-4)


def test_of_two_own_units_the_nearer_goes_and_a_beat_without_one_is_served_by_others() -> None:
    seconds = np.array([[300.0, 50.0], [10.0, 70.0]])
    found = dispatch(
        seconds, np.array([1e-6, 1e-6]), unit_beat=np.array([0, 0]), atom_beat=np.array([0, 5]), service_min=1.0
    )
    assert found.response_s == pytest.approx([10.0, 50.0], rel=1e-3)
    assert found.own_share == pytest.approx([1.0, 0.0], abs=1e-5)
    assert found.other_share == pytest.approx([0.0, 1.0], abs=1e-5)


def test_waiting_is_part_of_the_response() -> None:
    seconds = np.array([[60.0], [120.0]])
    found = dispatch(
        seconds, np.array([0.1]), unit_beat=np.array([0, 1]), atom_beat=np.array([0]), service_min=10.0,
        when_busy="waits",
    )  # fmt: skip
    # a = 1 on two units: the chance to wait is 1/3, the mean wait 10 min / (2 - 1) of those.
    assert found.lost_share == pytest.approx([1 / 3])
    assert found.wait_s == pytest.approx(10 * MINUTE / 3)
    assert found.answered_per_min.sum() == pytest.approx(0.1)
    own, other = found.own_share[0], found.other_share[0]
    assert found.response_s[0] == pytest.approx(own * 60 + other * 120 + (60 + 120) / 2 / 3 + found.wait_s)


@settings(max_examples=25, deadline=None)
@given(units=st.integers(1, 24), load=st.floats(0.01, 0.95), seed=st.integers(0, 10_000))
def test_what_units_answer_is_what_beats_have_answered(units: int, load: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    atoms, beats = 30, max(units // 2, 1)
    seconds = rng.uniform(10, 900, (units, atoms))
    rate = rng.random(atoms)
    rate *= load * units / rate.sum() / 25.0
    found = dispatch(
        seconds,
        rate,
        unit_beat=rng.integers(0, beats, units),
        atom_beat=rng.integers(0, beats, atoms),
        service_min=25.0,
    )
    assert found.exact == (units <= 15)
    lost = erlang(load * units, units)[-1]
    assert found.own_share + found.other_share + found.lost_share == pytest.approx(np.ones(atoms), abs=1e-9)
    assert found.lost_share == pytest.approx(np.full(atoms, lost), abs=1e-9)
    assert found.answered_per_min.sum() == pytest.approx(rate.sum() * (1 - lost), rel=1e-5)
    assert found.busy_share.mean() == pytest.approx(load * (1 - lost), abs=1e-9)
    time = (found.answered_per_min * found.unit_travel_s).sum() / found.answered_per_min.sum()
    answered = (found.own_share + found.other_share) * rate
    assert time == pytest.approx((answered * found.response_s).sum() / answered.sum(), rel=1e-4)
    elsewhere = (found.elsewhere_share * found.answered_per_min).sum()
    assert elsewhere == pytest.approx((found.other_share * rate).sum(), rel=1e-4, abs=1e-9)


def test_lists_grow_until_nothing_is_beyond_them() -> None:
    rng = np.random.default_rng(3)
    units, atoms = 60, 50
    seconds, rate = rng.uniform(10, 900, (units, atoms)), np.full(atoms, 0.85 * units / atoms)
    found = dispatch(seconds, rate, unit_beat=np.arange(units), atom_beat=np.full(atoms, -2), service_min=1.0)
    whole = approximate_hypercube(rate, np.argsort(seconds.T, axis=1), units=units, service_min=1.0)
    assert found.busy_share == pytest.approx(whole.busy_share, abs=1e-4)


def test_units_that_get_nowhere_are_asked_last_and_not_averaged() -> None:
    seconds = np.array([[np.inf], [100.0]])
    found = dispatch(seconds, np.array([0.1]), unit_beat=np.array([1, 2]), atom_beat=np.array([0]), service_min=5.0)
    exact = hypercube(np.array([0.1]), np.array([[1, 0]]), units=2, service_min=5.0)
    assert found.busy_share == pytest.approx(exact.busy_share)
    assert found.response_s == pytest.approx([100.0])
    assert np.isnan(found.unit_travel_s[0])
