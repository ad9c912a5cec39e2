"""Hours of a shift: times of day in minutes from the midnight before it, past the next midnight and on."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import Field

from gis.city.frames import CLOCK

DAY_MIN: Final = 1_440.0
Clock = Annotated[str, Field(pattern=f"^{CLOCK}$", examples=["20:00"])]
"""A time of day, HH:MM on the city's clock."""


def minutes(clock: str) -> float:
    """Return minutes since midnight.

    Examples
    --------
    >>> minutes("20:30")
    1230.0
    """
    hours, rest = clock.split(":")
    return float(int(hours) * 60 + int(rest))


def clock_text(minute: float) -> str:
    """Return the time of day of a minute of any day, whole minutes, rounded down.

    Examples
    --------
    >>> clock_text(1_470.9)
    '00:30'
    """
    whole = math.floor(minute + 1e-9) % int(DAY_MIN)
    return f"{whole // 60:02}:{whole % 60:02}"


def near(clock: str, to_min: float) -> float:
    """Return the minute of a time of day that is nearest to a minute; of two, the earlier.

    Examples
    --------
    >>> near("01:00", 1_200.0), near("18:00", 1_200.0)
    (1500.0, 1080.0)
    """
    minute = minutes(clock)
    return minute + DAY_MIN * math.ceil((to_min - minute) / DAY_MIN - 0.5)


def window(opens: str | None, closes: str | None, from_min: float, to_min: float) -> tuple[float, float] | None:
    """Return the part of a daily window that lies within a span, the longest where there are several; None without one.

    A missing end is open; a window that ends before it begins runs past midnight.

    Examples
    --------
    >>> window("23:00", "01:00", 1_200.0, 1_680.0)
    (1380.0, 1500.0)
    >>> window("07:00", "08:30", 1_200.0, 1_680.0) is None
    True
    """
    if opens is None and closes is None:
        return from_min, to_min
    begin = 0.0 if opens is None else minutes(opens)
    end = DAY_MIN if closes is None else minutes(closes)
    if end < begin:
        end += DAY_MIN
    first = math.floor(from_min / DAY_MIN) - 1
    days = range(first, math.floor(to_min / DAY_MIN) + 2)
    parts = [(max(begin + day * DAY_MIN, from_min), min(end + day * DAY_MIN, to_min)) for day in days]
    kept = [part for part in parts if part[0] <= part[1]]
    return max(kept, key=lambda part: part[1] - part[0], default=None)


def instant(day: dt.date, start_min: float, minute: float, time_zone: str) -> dt.datetime:
    """Return the instant of a minute, by the clock at the beginning of the shift and the time that passed since.

    An hour that is skipped or repeated in between is so neither lost nor counted twice.
    """
    midnight = dt.datetime.combine(day, dt.time())
    local = midnight + dt.timedelta(minutes=start_min)
    began = local.replace(tzinfo=ZoneInfo(time_zone)).astimezone(dt.UTC)
    return began + dt.timedelta(minutes=minute - start_min)
