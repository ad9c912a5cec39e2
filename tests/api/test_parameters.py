"""Query parameters are read strictly: the table of bad input, row by row."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from api import parameters
from api.problems import BadQuery
from gis.city import INCIDENTS, RENTALS

UTC = dt.UTC


@pytest.mark.parametrize("text", ["0", "-1", "a", "", "1.5", " 1", "1e3", "+1", "１", "9" * 30, "nan"])
def test_a_limit_that_is_no_whole_number_from_one_is_refused(text):
    with pytest.raises(BadQuery) as caught:
        parameters.limit(text)
    assert caught.value.problems[0].field == "limit"


def test_a_limit_above_the_maximum_is_clamped():
    assert parameters.limit("10001") == parameters.limit("999999999") == 10_000
    assert parameters.limit(None) == 100


@pytest.mark.parametrize(
    "text",
    ["a", "", "1,2,3", "1,2,3,4,5", "1,2,3,4,5,6,7", "1,2,3,", "nan,0,1,1", "0,0,inf,1", "0,0,1e999,1", "0,5,1,4",
     "0,-91,1,0", "-400,0,1,1", "120,31,121,32;DROP", "0x1,0,1,1", "1_0,0,11,1"],
)  # fmt: skip
def test_a_bbox_that_is_none_is_refused(text):
    with pytest.raises(BadQuery):
        parameters.bbox(text)


def test_a_bbox_of_six_numbers_loses_its_heights():
    assert parameters.bbox("120,31,-10,121,32,90") == (120, 31, 121, 32)


def test_a_bbox_may_cross_the_antimeridian():
    assert parameters.bbox("177,65,-177,70") == (177, 65, -177, 70)


@pytest.mark.parametrize(
    "text",
    ["xx", "", "2026-13-01", "2026-02-30", "2026-01-01T00:00:00", "2026-01-01/2025-01-01", "2026-01-01/xx", "a/b/c",
     "..", "2026", "2026-01-01T25:00:00Z", "2026-01-01 00:00:00Z", "now", "2026-01-01T00:00:00+99:00"],
)  # fmt: skip
def test_a_datetime_that_is_none_is_refused(text):
    with pytest.raises(BadQuery) as caught:
        parameters.interval(text, "UTC")
    assert caught.value.problems[0].field == "datetime"


def test_a_day_is_a_day_of_the_city():
    start, end = parameters.interval("2026-01-31", "Asia/Shanghai")
    assert start == dt.datetime(2026, 1, 30, 16, tzinfo=UTC)
    assert end == dt.datetime(2026, 1, 31, 15, 59, 59, 999999, tzinfo=UTC)


def test_a_day_of_the_clock_change_has_its_own_length():
    start, end = parameters.interval("2026-03-08", "America/Chicago")
    assert end - start == dt.timedelta(hours=23) - dt.timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["../..", "/", "../", "/.."])
def test_both_sides_may_be_open(text):
    assert parameters.interval(text, "UTC") == (None, None)


def test_an_interval_with_offsets_is_the_same_instant():
    assert parameters.interval("2026-01-01T08:00:00+08:00/..", "UTC")[0] == dt.datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.asvs("15.3.7")
def test_unknown_and_doubled_parameters_are_all_named():
    with pytest.raises(BadQuery) as caught:
        parameters.known(QueryParams("limit=1&limit=2&colour=red&f=json"), ["limit"])
    assert [(p.code, p.field) for p in caught.value.problems] == [
        ("unknown_parameter", "colour"),
        ("doubled_parameter", "limit"),
    ]
    assert "limit" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (INCIDENTS.column("category"), "theft,burglary", ("theft", "burglary")),
        (RENTALS.column("rooms_count"), "2,3", (2, 3)),
        (RENTALS.column("area_m2"), "12.5", (12.5,)),
        (RENTALS.column("smoke_detectors"), "true", (True,)),
        (RENTALS.column("last_inspected_on"), "2026-01-31", (dt.date(2026, 1, 31),)),
    ],
)
def test_values_have_the_kind_of_their_column(column, text, expected):
    assert parameters.values(column, text) == expected


@pytest.mark.asvs("15.3.5")
@pytest.mark.parametrize(
    ("column", "text"),
    [("rooms_count", "two"), ("rooms_count", "9" * 25), ("area_m2", "nan"), ("smoke_detectors", "yes"),
     ("last_inspected_on", "31.1.2026"), ("address", "a\x00b")],
)  # fmt: skip
def test_values_of_another_kind_are_refused(column, text):
    with pytest.raises(BadQuery) as caught:
        parameters.values(RENTALS.column(column), text)
    assert caught.value.problems[0].field == column


@pytest.mark.asvs("1.4.2")
@pytest.mark.parametrize("text", ["0", "-1", "9223372036854775808", "1.0", "a", "", "1 OR 1=1", "٣"])
def test_what_cannot_be_a_key_is_none(text):
    assert parameters.key(text) is None


def test_the_largest_key():
    assert parameters.key("9223372036854775807") == 2**63 - 1


@given(st.text(max_size=40))
def test_no_text_is_more_than_refused(text):
    for read in (parameters.limit, parameters.bbox, lambda t: parameters.interval(t, "Asia/Shanghai")):
        try:
            read(text)
        except BadQuery:
            continue
