"""The city's own clock: which day and hour it was there, through every change of its time zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd

from gis.city.selection import IncidentSelection

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class LocalClock:
    """Local time as steps: from each start on, UTC and an offset.

    Attributes
    ----------
    time_zone
        IANA name.
    starts_s, offsets_s : (k,)
        From which second since 1970 (UTC) each offset, in seconds, holds; the first holds before as well.
    """

    time_zone: str
    starts_s: np.ndarray
    offsets_s: np.ndarray

    def local_s(self, utc_s: np.ndarray) -> np.ndarray:
        """Return local time (n,), in seconds since the local start of 1970."""
        step = np.searchsorted(self.starts_s, utc_s, side="right") - 1
        return np.asarray(utc_s + self.offsets_s[np.maximum(step, 0)])

    def days(self, utc_s: np.ndarray) -> np.ndarray:
        """Return the local day (n,) as days since 1970-01-01."""
        return np.asarray(self.local_s(utc_s) // DAY_S)

    def midnight_s(self, day: int) -> int:
        """Return the instant, in seconds since 1970 (UTC), at which a local day begins."""
        start = dt.datetime.combine(date_of(day), dt.time(), ZoneInfo(self.time_zone))
        return int(start.timestamp())


def local_clock(time_zone: str, first_s: int, last_s: int) -> LocalClock:
    """Return the clock of a time zone, with every change between two instants (seconds since 1970, UTC).

    Examples
    --------
    >>> clock = local_clock("Europe/Berlin", 1_743_000_000, 1_744_000_000)
    >>> clock.offsets_s.tolist(), str(np.datetime64(int(clock.starts_s[1]), "s"))
    ([3600, 7200], '2025-03-30T01:00:00')
    """
    zone = ZoneInfo(time_zone)
    starts, offsets = [first_s], [_offset_s(zone, first_s)]
    for day in range(first_s, last_s + 1, DAY_S):
        before, after = day, day + DAY_S
        if (offset := _offset_s(zone, after)) == offsets[-1]:
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (before, middle) if _offset_s(zone, middle) == offset else (middle, after)
        starts.append(after)
        offsets.append(offset)
    return LocalClock(time_zone, np.array(starts), np.array(offsets))


def clock_of(incidents: gpd.GeoDataFrame, time_zone: str) -> LocalClock:
    """Return the clock over the whole time of a frame of incidents, the spans of their times included."""
    times = seconds(incidents["occurred_at"])
    if "occurred_until_at" in incidents.columns:
        times = np.append(times, seconds(incidents["occurred_until_at"].dropna()))
    return local_clock(time_zone, int(times.min()), int(times.max())) if times.size else local_clock(time_zone, 0, 0)


def observed_days(incidents: gpd.GeoDataFrame, params: IncidentSelection, clock: LocalClock) -> tuple[int, int] | None:
    """Return the first and last local day that the city's incidents, of any kind, reach within the period asked for.

    A kind that is rare does not end with its last incident: what was recorded meanwhile shows that nothing happened.
    None where no incident lies in the period.
    """
    times = seconds(incidents["occurred_at"])
    if params.occurred_from is not None:
        times = times[times >= params.occurred_from.timestamp()]
    if params.occurred_before is not None:
        times = times[times < params.occurred_before.timestamp()]
    if times.size == 0:
        return None
    first, last = clock.days(np.array([times.min(), times.max()])).tolist()
    return first, last


def seconds(times: pd.Series) -> np.ndarray:
    """Return instants (n,) as whole seconds since 1970 (UTC), rounded down."""
    # One unit for all: files keep seconds, milliseconds, microseconds or nanoseconds.
    return np.asarray(pd.to_datetime(times, utc=True).dt.as_unit("us").astype("int64") // 1_000_000)


def date_of(day: int) -> dt.date:
    """Return the date of a day since 1970-01-01."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(day))


def _offset_s(zone: ZoneInfo, utc_s: int) -> int:
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=utc_s)
    offset = moment.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
