"""Nobody takes a file along without saying what for, and nobody writes a person down there."""

import pytest

from api.purpose import HEADER, LONGEST
from gis.store import audit

GRIDS = "/collections/grids"


@pytest.mark.parametrize(
    ("purpose", "code"),
    [
        ("", "no_purpose"),
        ("  ", "no_purpose"),
        ("ab", "bad_purpose"),
        ("x" * (LONGEST + 1), "bad_purpose"),
        ("a\x07bc", "bad_purpose"),
        ("call 13812345678", "personal_purpose"),
        ("查 11010519491231002X", "personal_purpose"),
        ("苏E12345 的行踪", "personal_purpose"),
    ],
)
def test_a_file_needs_a_purpose_that_names_no_person(shared, purpose, code):
    answer = shared.get(f"{GRIDS}/export.csv", params={"purpose": purpose}, headers={HEADER: ""}, role="analyst")
    assert answer.status_code == 400
    (problem,) = answer.json()["problems"]
    assert (problem["code"], problem["field"]) == (code, "purpose")
    assert problem["zh"]
    assert answer.json()["message"]["zh"]
    assert "13812345678" not in answer.text


def test_the_purpose_may_stand_in_a_header(served, store):
    for said, kept in (("yearly  report", "yearly report"), ("%E5%B9%B4%E6%8A%A5%E7%BB%9F%E8%AE%A1", "年报统计")):
        assert served.get(f"{GRIDS}/export.csv", headers={HEADER: said}, role="analyst").status_code == 200
        row = next(iter(audit.read(store, actions=["export"])))
        assert row.purpose == kept
