"""Steps of time: cut backwards, months by the calendar, by the city's own clock."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.city.local_clock import date_of
from gis.city.time_steps import EPOCH, months_before, steps_until


def day(text: str) -> int:
    return (dt.date.fromisoformat(text) - EPOCH).days


@pytest.mark.parametrize(
    ("end", "months", "before"),
    [
        ("2025-03-31", 1, "2025-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2025-01-15", 1, "2024-12-15"),
        ("2025-01-01", 12, "2024-01-01"),
        ("2025-12-31", 13, "2024-11-30"),
        ("2025-07-01", 0, "2025-07-01"),
    ],
)
def test_months_of_the_calendar(end: str, months: int, before: str) -> None:
    assert str(date_of(months_before(day(end), months))) == before


@given(end=st.integers(10_000, 25_000), length=st.integers(0, 2_000), days=st.none() | st.integers(1, 100))
def test_steps_are_whole_end_at_the_end_and_leave_less_than_one_before(end: int, length: int, days: int | None) -> None:
    first = end - length
    steps = steps_until(first, end, days=days)
    assert steps.edges[-1] == end
    assert first <= steps.edges[0]
    assert (np.diff(steps.edges) > 0).all()
    if days is not None:
        assert (np.diff(steps.edges) == days).all()
        assert steps.edges[0] - first < days
    else:
        assert months_before(end, steps.count + 1) < first
        assert ((np.diff(steps.edges) >= 28) & (np.diff(steps.edges) <= 31)).all()


def test_each_day_has_its_step() -> None:
    steps = steps_until(0, 20, days=7)
    assert steps.edges.tolist() == [6, 13, 20]
    assert steps.step_of(np.array([5, 6, 12, 13, 19, 20, 99])).tolist() == [-1, 0, 0, 1, 1, 2, 2]


def test_a_step_begins_at_midnight_of_the_city() -> None:
    steps = steps_until(day("2025-03-20"), day("2025-04-03"), days=7)
    assert steps.instants("Europe/Berlin") == [
        "2025-03-20T00:00:00+01:00",
        "2025-03-27T00:00:00+01:00",
        "2025-04-03T00:00:00+02:00",
    ]
