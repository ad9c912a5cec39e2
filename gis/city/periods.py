"""Two periods side by side: which incidents belong to each, and how much longer one is than the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import AwareDatetime, model_validator

from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.contract.result import LeftOut
from gis.errors import InvalidParams, Problem

DAY = pd.Timedelta(days=1)
QUARTER_S = 900.0


class ComparedSelection(IncidentSelection):
    """Parameters that choose incidents, and an earlier or later period of the same kind of incidents."""

    compare_from: AwareDatetime | None = None
    """First instant of the period to compare with, included; with its time zone. No comparison when not given."""
    compare_before: AwareDatetime | None = None
    """End of the period to compare with, not included; with its time zone."""

    @model_validator(mode="after")
    def _check_comparison(self) -> ComparedSelection:
        if (self.compare_from is None) != (self.compare_before is None):
            raise ValueError("compare_from and compare_before go together: give both, or neither")
        if self.compare_from and self.compare_before and self.compare_from >= self.compare_before:
            raise ValueError("compare_from must be before compare_before")
        return self


@dataclass(frozen=True, slots=True)
class Compared:
    """The incidents of a period, and those of another where one is asked for.

    Attributes
    ----------
    other
        None where nothing is compared.
    times
        How many times as long the first period is, in the hours and on the weekdays chosen; 1 without a comparison.
    left_out
        Every row of the frame that is in neither, once.
    choices
        Days in both periods, where they are compared.
    """

    chosen: Selected
    other: Selected | None
    times: float
    left_out: tuple[LeftOut, ...]
    choices: dict[str, object]

    @property
    def both(self) -> tuple[Selected, ...]:
        """The selections there are, one or two."""
        return (self.chosen,) if self.other is None else (self.chosen, self.other)


def select_compared(incidents: gpd.GeoDataFrame, params: ComparedSelection, *, time_zone: str) -> Compared:
    """Choose the incidents of both periods; each row that takes no part is counted once, under its first reason.

    An end of the first period that is not given is the first or last instant of the frame, of incidents of any kind.

    Raises
    ------
    InvalidParams
        The periods overlap: common incidents would be compared with themselves. Or one holds none of the hours chosen.
    """
    first, second = params.compare_from, params.compare_before
    if first is None or second is None or incidents.empty:
        alone = select_incidents(incidents, params, time_zone=time_zone)
        return Compared(alone, None, 1.0, alone.left_out, {})
    times = incidents["occurred_at"]
    start = pd.Timestamp(params.occurred_from or times.min())
    end = pd.Timestamp(params.occurred_before or times.max())
    start_other, end_other = pd.Timestamp(first), pd.Timestamp(second)
    if start < end_other and start_other < end:
        why = f"the period from {start} to {end} and the one from {start_other} to {end_other} overlap; compare others"
        raise InvalidParams("the periods overlap", [Problem("periods_overlap", why, "compare_from")])
    days, days_other = (days_between(*ends, params, time_zone) for ends in ((start, end), (start_other, end_other)))
    empty = [name for name, n in (("occurred_from", days), ("compare_from", days_other)) if n <= 0]
    if empty:
        why = "the period holds none of the hours and weekdays chosen"
        raise InvalidParams("a period is empty", [Problem("empty_period", why, name) for name in empty])
    inside = (times >= start) & ((times < end) if params.occurred_before else (times <= end))
    compared = (times >= start_other) & (times < end_other)
    shifted = params.model_copy(update={"occurred_from": first, "occurred_before": second})
    selections = [
        select_incidents(incidents[inside], params, time_zone=time_zone),
        select_incidents(incidents[compared], shifted, time_zone=time_zone),
        # In neither: all of these rows are left out, each for its own reason.
        select_incidents(incidents[~inside & ~compared], params, time_zone=time_zone),
    ]
    counts: Counter[str] = Counter()
    for selection in selections:
        counts.update({entry.reason: entry.count for entry in selection.left_out})
    left_out = tuple(LeftOut("incidents", reason, n) for reason, n in counts.items())
    choices: dict[str, object] = {"period_days": round(days, 3), "compare_days": round(days_other, 3)}
    return Compared(selections[0], selections[1], days / days_other, left_out, choices)


def days_between(start: pd.Timestamp, end: pd.Timestamp, params: IncidentSelection, time_zone: str) -> float:
    """Return the length of a period in days, of the hours and weekdays chosen alone."""
    if params.hours is None and params.weekdays is None:
        return float((end - start) / DAY)
    # Quarters of an hour: in every time zone an hour begins with one of them.
    begin_s, end_s = start.timestamp(), end.timestamp()
    quarters_s = np.arange(begin_s // QUARTER_S * QUARTER_S, end_s, QUARTER_S)
    local = pd.to_datetime(quarters_s, unit="s", utc=True).tz_convert(time_zone)
    chosen = np.ones(len(local), dtype=bool)
    if params.hours is not None:
        chosen &= np.isin(local.hour, params.hours)
    if params.weekdays is not None:
        chosen &= np.isin(local.day_of_week + 1, params.weekdays)
    # The first and the last may be cut by the period's ends.
    lengths_s = np.minimum(quarters_s + QUARTER_S, end_s) - np.maximum(quarters_s, begin_s)
    return float(lengths_s[chosen].sum() / DAY.total_seconds())
