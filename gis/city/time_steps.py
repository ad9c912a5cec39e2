"""Time in whole steps, cut backwards from the end of the data by the city's own calendar."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from gis.city.local_clock import date_of

EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class TimeSteps:
    """Steps of time one after the other.

    Attributes
    ----------
    edges : (t + 1,)
        Local days since 1970-01-01 on which the steps begin, and the day after the last one.
    """

    edges: np.ndarray

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.edges) - 1

    def step_of(self, days: np.ndarray) -> np.ndarray:
        """Return the step (n,) of local days (n,): -1 before the first, `count` after the last."""
        step = np.searchsorted(self.edges, days, side="right") - 1
        return np.asarray(np.minimum(step, self.count))

    def instants(self, time_zone: str) -> list[str]:
        """Return when each edge begins (t + 1,), midnight by the city's clock in ISO 8601."""
        zone = ZoneInfo(time_zone)
        return [dt.datetime.combine(date_of(day), dt.time(), zone).isoformat() for day in self.edges]


def steps_until(first: int, end: int, *, days: int | None = None) -> TimeSteps:
    """Return the whole steps between the days `first` and `end`, the last of which ends where `end` begins.

    Parameters
    ----------
    days
        Of one step; months of the calendar when None. A month before the 31st is the last day of a shorter one.

    Examples
    --------
    >>> march = (dt.date(2025, 3, 31) - EPOCH).days
    >>> [str(date_of(day)) for day in steps_until(march - 95, march).edges]
    ['2024-12-31', '2025-01-31', '2025-02-28', '2025-03-31']
    >>> steps_until(0, 17, days=7).edges.tolist()
    [3, 10, 17]
    """
    if days is not None:
        return TimeSteps(np.arange(end, first - 1, -days)[::-1].copy())
    edges, months = [end], 1
    while (before := months_before(end, months)) >= first:
        edges.append(before)
        months += 1
    return TimeSteps(np.array(edges[::-1]))


def months_before(day: int, months: int) -> int:
    """Return the same day of the month, or the last there is, so many months earlier; days since 1970-01-01."""
    date = date_of(day)
    year, month = divmod(date.year * 12 + date.month - 1 - months, 12)
    next_month = dt.date(year + (month == 11), (month + 1) % 12 + 1, 1)  # noqa: PLR2004 - December
    last = (next_month - dt.timedelta(days=1)).day
    return (dt.date(year, month + 1, min(date.day, last)) - EPOCH).days
