"""A study cut in time: what is known at a moment and what came after it, in the city's own days."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gis.city.selection import IncidentSelection
from gis.errors import InvalidParams, Problem

LONGEST_TEST = pd.Timedelta(days=28)
TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A period cut in two: [start, split) to learn from, [split, end) to judge by.

    Attributes
    ----------
    rule
        ``asked``, ``last_28_days`` or ``last_fifth``: how the split came about.
    """

    start: pd.Timestamp
    split: pd.Timestamp
    end: pd.Timestamp
    rule: str

    @property
    def last_from(self) -> pd.Timestamp:
        """Start of the last period before the split that is as long as the one after it, where there is so much."""
        return max(self.start, self.split - (self.end - self.split))


def covered(
    incidents: gpd.GeoDataFrame, params: IncidentSelection, *, time_zone: str
) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the period [start, end) that is asked for; where a limit is not given, whole days with incidents.

    Incidents of any kind count: a kind that is rare does not end with its last incident. None where there are none.
    """
    times = incidents["occurred_at"]
    start = params.occurred_from and pd.Timestamp(params.occurred_from).tz_convert(time_zone)
    end = params.occurred_before and pd.Timestamp(params.occurred_before).tz_convert(time_zone)
    if times.empty and (start is None or end is None):
        return None
    return start or midnight(times.min(), time_zone), end or midnight(times.max() + pd.Timedelta(days=1), time_zone)


def held_out(
    incidents: gpd.GeoDataFrame, params: IncidentSelection, split_at: pd.Timestamp | None, *, time_zone: str
) -> HeldOut:
    """Return the period cut at an instant; without one the last fifth is held out, 28 days at most.

    Raises
    ------
    InvalidParams
        There is no incident, or nothing on one side of the split.
    """
    period = covered(incidents, params, time_zone=time_zone)
    if period is None:
        raise InvalidParams("there is nothing to split", [Problem("no_incidents", "there is no incident", "split_at")])
    start, end = period
    if split_at is not None:
        split, rule = split_at.tz_convert(time_zone), "asked"
    else:
        fifth = TEST_SHARE * (end - start)
        rule = "last_28_days" if fifth >= LONGEST_TEST else "last_fifth"
        split = end - min(fifth, LONGEST_TEST)
        # From midnight on, unless the whole period is of a few days.
        split = day if (day := midnight(split, time_zone)) > start else split
    if not start < split < end:
        why = f"the split {split.isoformat()} is not between {start.isoformat()} and {end.isoformat()}"
        raise InvalidParams("there is nothing to split", [Problem("split_outside_period", why, "split_at")])
    return HeldOut(start, split, end, rule)


def midnight(instant: pd.Timestamp, time_zone: str) -> pd.Timestamp:
    """Return the start of an instant's day by the city's clock.

    Examples
    --------
    >>> midnight(pd.Timestamp("2025-03-01T20:00Z"), "Asia/Shanghai").isoformat()
    '2025-03-02T00:00:00+08:00'
    """
    return instant.tz_convert(time_zone).floor("D", ambiguous=True, nonexistent="shift_forward")
