"""Incidents are chosen by the city's own clock, and every row left out is counted once."""

import pandas as pd
import pytest

from gis.city.selection import IncidentSelection, select_incidents
from tests.support.small_city import PROFILE, anywhere, incidents_at


def test_hours_and_weekdays_are_those_of_the_city() -> None:
    # Wednesday 2025-01-01, 23:30 UTC, is already Thursday 7:30 in Shanghai.
    frame = incidents_at(anywhere(1, 48))
    frame["occurred_at"] = pd.Timestamp("2024-12-31T23:30Z") + pd.to_timedelta(range(48), unit="h")
    morning = select_incidents(frame, IncidentSelection(hours=(7, 8)), time_zone=PROFILE.time_zone)
    local = morning.incidents["occurred_at"].dt.tz_convert(PROFILE.time_zone)
    assert sorted(local.dt.hour.unique()) == [7, 8]
    assert len(local) == 4
    assert {e.reason: e.count for e in morning.left_out} == {"outside_clock": 44}
    thursday = select_incidents(frame, IncidentSelection(weekdays=(4,), hours=(0,)), time_zone=PROFILE.time_zone)
    assert thursday.incidents["occurred_at"].tolist() == [pd.Timestamp("2025-01-01T16:30Z")]
    assert sum(e.count for e in thursday.left_out) == 47


@pytest.mark.parametrize("wrong", [{"hours": (24,)}, {"weekdays": (0,)}, {"weekdays": (8,)}, {"hours": ()}])
def test_there_is_no_such_hour_or_day(wrong: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        IncidentSelection(**wrong)
