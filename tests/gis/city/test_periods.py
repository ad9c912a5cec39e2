"""Two periods side by side: whose incidents are whose, how long each is, and nobody counted twice."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from gis.city.periods import Compared, ComparedSelection, days_between, select_compared
from gis.city.selection import IncidentSelection
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, anywhere, incidents_at

MARCH = {"occurred_from": "2025-03-01T00:00+08:00", "occurred_before": "2025-04-01T00:00+08:00"}
JANUARY = {"compare_from": "2025-01-01T00:00+08:00", "compare_before": "2025-02-01T00:00+08:00"}


def compared(frame, **options: object) -> Compared:
    return select_compared(frame.to_crs(PROFILE.metric_crs), ComparedSelection(**options), time_zone=PROFILE.time_zone)


def is_complete(result: Compared, n: int) -> bool:
    return sum(len(s.points) for s in result.both) + sum(entry.count for entry in result.left_out) == n


def test_every_row_is_in_one_period_or_left_out_for_one_reason() -> None:
    frame = incidents_at(anywhere(1, 730))
    frame.loc[0:9, "origin"] = "patrol"
    frame.loc[30:34, "category"] = "fire"
    frame.loc[60:64, "geometry"] = None
    result = compared(frame, **MARCH, **JANUARY, categories=["theft"])
    assert result.other is not None
    assert (len(result.chosen.points), len(result.other.points)) == (2 * 31 - 5, 2 * 31 - 10 - 1)
    reasons = {entry.reason: entry.count for entry in result.left_out}
    assert reasons == {"other_origin": 10, "other_category": 1, "no_location": 5, "outside_period": 730 - 4 * 31}
    assert is_complete(result, 730)
    assert result.times == 1.0
    assert result.choices == {"period_days": 31.0, "compare_days": 31.0}


def test_without_a_comparison_it_is_the_selection_alone() -> None:
    result = compared(incidents_at(anywhere(2, 365)), **MARCH)
    assert result.other is None
    assert result.both == (result.chosen,)
    assert (len(result.chosen.points), result.times) == (31, 1.0)
    assert is_complete(result, 365)


def test_an_open_end_is_that_of_the_data_of_any_kind() -> None:
    frame = incidents_at(anywhere(3, 365))
    frame.loc[200:, "category"] = "fire"
    result = compared(frame, occurred_from="2025-03-01T00:00+08:00", categories=["theft"], **JANUARY)
    # From 1 March to the last incident, on 31 December.
    assert result.choices["period_days"] == 305.0
    assert result.times == pytest.approx(305 / 31)
    assert is_complete(result, 365)
    earlier = compared(frame, occurred_before="2025-03-01T00:00+08:00", compare_from="2025-06-01T00:00+08:00",
                       compare_before="2025-07-01T00:00+08:00")  # fmt: skip
    assert earlier.choices["period_days"] == 59.0
    assert is_complete(earlier, 365)


@pytest.mark.parametrize(
    "options",
    [
        {**MARCH, "compare_from": "2025-03-31T23:59+08:00", "compare_before": "2025-05-01T00:00+08:00"},
        {**MARCH, "compare_from": "2025-03-01T00:00+08:00", "compare_before": "2025-04-01T00:00+08:00"},
        JANUARY,
    ],
)
def test_periods_that_overlap_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(InvalidParams, match="overlap") as refused:
        compared(incidents_at(anywhere(4, 365)), **options)
    assert refused.value.problems[0].field == "compare_from"


def test_periods_that_touch_are_compared() -> None:
    result = compared(
        incidents_at(anywhere(5, 365)), **MARCH, compare_from="2025-04-01T00:00+08:00",
        compare_before="2025-05-01T00:00+08:00",
    )  # fmt: skip
    assert [len(s.points) for s in result.both] == [31, 30]


@pytest.mark.parametrize(
    "options",
    [
        {"compare_from": "2025-03-01T00:00+08:00"},
        {"compare_before": "2025-03-01T00:00+08:00"},
        {"compare_from": "2025-03-01T00:00+08:00", "compare_before": "2025-03-01T00:00+08:00"},
        {"compare_from": "2025-03-01", "compare_before": "2025-04-01"},
    ],
)
def test_half_a_comparison_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="compare_"):
        ComparedSelection(**options)


def test_a_period_without_the_hours_chosen_is_refused() -> None:
    day = {"occurred_from": "2025-03-03T00:00+08:00", "occurred_before": "2025-03-04T00:00+08:00"}
    with pytest.raises(InvalidParams, match="empty") as refused:
        compared(incidents_at(anywhere(6, 365)), **day, **JANUARY, weekdays=[6, 7])
    assert [problem.field for problem in refused.value.problems] == ["occurred_from"]


@pytest.mark.parametrize(
    ("start", "end", "options", "zone", "days"),
    [
        ("2025-03-01T00:00+08:00", "2025-04-01T00:00+08:00", {}, "Asia/Shanghai", 31),
        ("2025-03-01T00:00+08:00", "2025-04-01T00:00+08:00", {"hours": (22, 23)}, "Asia/Shanghai", 31 * 2 / 24),
        ("2025-03-01T00:00+08:00", "2025-04-01T00:00+08:00", {"weekdays": (6, 7)}, "Asia/Shanghai", 10),
        ("2025-03-01T01:30+08:00", "2025-03-01T02:20+08:00", {"hours": (1,)}, "Asia/Shanghai", 0.5 / 24),
        ("2025-03-01T01:07+08:00", "2025-03-01T01:12+08:00", {"hours": (1,)}, "Asia/Shanghai", 5 / 1440),
        ("2025-03-01T00:00+05:45", "2025-03-02T00:00+05:45", {"hours": (0,)}, "Asia/Kathmandu", 1 / 24),
        # The hour that is skipped in spring, and the one that comes twice in autumn.
        ("2018-03-11T00:00-06:00", "2018-03-12T00:00-05:00", {"hours": (2,)}, "America/Chicago", 0),
        ("2018-11-04T00:00-05:00", "2018-11-05T00:00-06:00", {"hours": (1,)}, "America/Chicago", 2 / 24),
    ],
)
def test_a_period_is_as_long_as_its_hours_and_weekdays(
    start: str, end: str, options: dict[str, tuple[int, ...]], zone: str, days: float
) -> None:
    found = days_between(pd.Timestamp(start), pd.Timestamp(end), IncidentSelection(**options), zone)
    np.testing.assert_allclose(found, days, atol=1e-9)
