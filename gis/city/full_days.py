"""Which days of the city's own calendar the data cover to their end: a day half told must not look quiet."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from gis.city.local_clock import LocalClock, observed_days, seconds
from gis.city.selection import IncidentSelection


def full_days(incidents: gpd.GeoDataFrame, params: IncidentSelection, clock: LocalClock) -> tuple[int, int] | None:
    """Return the days ``[first, end)``, since 1970-01-01, that incidents of any kind cover within the period asked for.

    The day of the very last incident may not be over and is left out, unless the period asked for ends later on it or
    after it: who names an end vouches for what lies before it. None where no day is covered.
    """
    reached = observed_days(incidents, params, clock)
    if reached is None:
        return None
    first, last = reached
    if params.occurred_from is not None:
        first = int(clock.days(np.array([int(params.occurred_from.timestamp())]))[0])
    end = last
    if params.occurred_before is not None:
        latest = int(clock.days(seconds(incidents["occurred_at"]).max(keepdims=True))[0])
        asked = int(clock.days(np.array([int(params.occurred_before.timestamp())]))[0])
        end = min(asked, latest + 1)
    return (first, end) if first < end else None
