"""The speeds of travel: dated rows with their source, all problems at once."""

import datetime as dt
import tomllib

import pytest

from gis.city.codebook import codebook
from gis.city.travel_policy import FILE, MODES, travel_policy, travel_policy_of
from gis.errors import InvalidInput


def told(**values: object) -> dict:
    table = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {"row": [row | ({"value": values[row["id"]]} if row["id"] in values else {}) for row in table["row"]]}


def test_the_shipped_policy_speaks_of_the_classes_of_the_code_books() -> None:
    ours = travel_policy()
    for mode in MODES:
        assert ours.of(mode).speed_kmh.keys() <= codebook("road_classes").keys()
        assert set(ours.of(mode).access) <= codebook("segment_access").keys() - {"closed"}
    assert ours.rings_min == (1, 3, 5)
    assert ours.snap_m == 500
    for row in ours.rows:
        assert row.source
        assert row.title.zh != row.title.en


def test_the_newest_row_that_is_in_force_counts() -> None:
    table = told()
    newer = next(row for row in table["row"] if row["id"] == "leg.speed_kmh") | {
        "value": 4.5,
        "valid_from": dt.date(2027, 1, 1),
    }
    table["row"].insert(0, newer)
    assert travel_policy_of(table).leg_kmh == 4.5
    assert travel_policy_of(table, day=dt.date(2026, 12, 31)).leg_kmh == 4.8


def test_every_wrong_number_is_named_at_once() -> None:
    wrong = {
        "drive.speed_kmh": {"main": 0},
        "cycle.speed_kmh": 15,
        "walk.hour_factor": [1.0] * 23,
        "drive.takes_limit": 1,
        "walk.access": "open",
        "limits.least_kmh": -5,
        "leg.limit_m": True,
        "rings.response_min": [3, 1],
    }
    with pytest.raises(InvalidInput) as error:
        travel_policy_of(told(**wrong))
    assert {p.field for p in error.value.problems} == wrong.keys()
    with pytest.raises(InvalidInput, match="no more than"):
        travel_policy_of(told(**{"limits.least_kmh": 140}))
