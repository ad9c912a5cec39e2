"""Posts in what a plan changes: in the comparison, in the notice, and what the response rings hold."""

import io

import pandas as pd
import pytest

from tests.api.conftest import CODES, SOUTH, WEST, draft, say
from tests.support.rows import fill

STREET = {"source_id": "s1", "road_class": "local", "oneway": False, "level": 0, "access": "open"}


@pytest.fixture
def streets(planned, store, city):
    """The server of a city with a post in b4, another in b3, and a street through the middle of b4 alone."""
    stand = {"p1": ("南岗", "South", 0.004, -0.005), "p2": ("北岗", None, 0.015, 0.015)}
    rows = [
        {"source_id": name, "kind": "police", "name_zh": zh, "name_en": en, "geom": f"POINT({WEST + x} {SOUTH + y})"}
        for name, (zh, en, x, y) in stand.items()
    ]
    fill(store, city, "posts", rows)
    line = f"LINESTRING({WEST} {SOUTH - 0.005},{WEST + 0.01} {SOUTH - 0.005})"
    fill(store, city, "segments", [{**STREET, "geom": line}])
    return planned


def test_a_comparison_names_posts_that_change_hands(streets):
    plan = say(streets, draft(streets), "assignment", method="PATCH", moves={"b4": CODES[1]})
    found = streets.json(f"/plans/{plan['id']}/compare")
    assert found["posts"] == [
        {"source_id": "p1", "kind": "police", "name_zh": "南岗", "name_en": "South", "from": CODES[0], "to": CODES[1]}
    ]
    same = streets.json(f"/plans/{draft(streets)['id']}/compare")
    assert same["posts"] == []
    assert same["coverage"]["grids"] == []
    coverage = found["coverage"]
    assert coverage["rings_min"] == sorted(coverage["rings_min"])
    grids = {row["code"]: row for row in coverage["grids"]}
    assert set(grids) == {CODES[0], CODES[1]}
    for row in grids.values():
        assert len(row["before"]) == len(row["after"]) == len(coverage["rings_min"])
    # Only b4 lies near the street: it takes its 50 households with it.
    near = [share > 0 for share in grids[CODES[0]]["before"]].index(True)
    assert grids[CODES[0]]["before"][near] == pytest.approx(50 / 150)
    assert grids[CODES[0]]["after"][near] == 0
    assert grids[CODES[1]]["before"][near] == 0
    assert grids[CODES[1]]["after"][near] == pytest.approx(50 / 150)
    assert coverage["city"][near] == pytest.approx(50 / 450, abs=1e-6)


def test_the_notice_names_them_too(streets):
    plan = say(streets, draft(streets), "assignment", method="PATCH", moves={"b4": CODES[1]})
    page = streets.get(f"/plans/{plan['id']}/notice.html?lang=zh").text
    assert "改属其他网格的巡防点" in page
    assert "南岗" in page
    assert "北岗" not in page
    assert "South" in streets.get(f"/plans/{plan['id']}/notice.html?lang=en").text
    rows = pd.read_csv(io.BytesIO(streets.get(f"/plans/{plan['id']}/notice.csv").content))
    assert rows["posts_count"].tolist() == [1]


def test_without_streets_there_is_no_coverage_to_tell(planned):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[1]})
    found = planned.json(f"/plans/{plan['id']}/compare")
    assert (found["posts"], found["coverage"]) == ([], None)


def test_the_log_comes_in_pages(planned):
    plan = draft(planned)
    for turn in range(5):
        plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": CODES[1 - turn % 2]})
    path, seen, pages = f"/plans/{plan['id']}/edits?limit=2", [], 0
    while path:
        page = planned.json(path)
        seen += [edit["seq"] for edit in page["edits"]]
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        pages += 1
    assert (seen, pages) == ([1, 2, 3, 4, 5], 3)
    assert len(planned.json(f"/plans/{plan['id']}/edits")["edits"]) == 5
    assert planned.get(f"/plans/{plan['id']}/edits?after=x").status_code == 400
    stale = planned("PATCH", f"/plans/{plan['id']}/assignment", json={"revision": 3, "moves": {"b4": None}}).json()
    assert [edit["seq"] for edit in stale["since"]] == [3, 4, 5]
