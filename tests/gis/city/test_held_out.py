"""Periods in the city's own days: whole days, days without a midnight, and kinds that are rare."""

import pandas as pd
import pytest

from gis.city.held_out import covered, held_out, midnight
from gis.city.selection import IncidentSelection
from gis.errors import InvalidParams
from tests.support.small_city import anywhere, incidents_at


def test_a_day_without_a_midnight_begins_when_it_begins() -> None:
    """In Santiago the clock went from 23:59:59 on 7 September 2024 to 1:00 on the 8th."""
    start = midnight(pd.Timestamp("2024-09-08T12:00Z"), "America/Santiago")
    assert start.isoformat() == "2024-09-08T01:00:00-03:00"


def test_a_rare_kind_does_not_end_the_period() -> None:
    frame = incidents_at(anywhere(1, 365))
    frame.loc[frame.index < 100, "category"] = "burglary"
    every = covered(frame, IncidentSelection(), time_zone="Asia/Shanghai")
    assert every is not None
    assert [str(t.date()) for t in every] == ["2025-01-01", "2026-01-01"]
    assert covered(frame, IncidentSelection(categories=("burglary",)), time_zone="Asia/Shanghai") == every
    asked = IncidentSelection(occurred_from="2025-03-01T00:00:00+08:00", occurred_before="2025-05-01T00:00:00+08:00")
    period = covered(frame, asked, time_zone="Asia/Shanghai")
    assert period is not None
    assert [str(t.date()) for t in period] == ["2025-03-01", "2025-05-01"]


def test_what_is_held_out() -> None:
    frame = incidents_at(anywhere(1, 365))
    cut = held_out(frame, IncidentSelection(), None, time_zone="Asia/Shanghai")
    assert (cut.rule, cut.end - cut.split, cut.split - cut.last_from) == (
        "last_28_days",
        pd.Timedelta(days=28),
        pd.Timedelta(days=28),
    )
    early = held_out(frame, IncidentSelection(), pd.Timestamp("2025-02-01", tz="UTC"), time_zone="Asia/Shanghai")
    assert (early.rule, early.last_from) == ("asked", early.start)
    with pytest.raises(InvalidParams, match="no incident"):
        held_out(frame.head(0), IncidentSelection(), None, time_zone="Asia/Shanghai")
