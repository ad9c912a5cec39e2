"""Every rule of a plan over HTTP: broken on purpose, it arrives with the place to zoom to."""

import datetime as dt

import pytest
import sqlalchemy as sa

from gis.store.frames import raise_version, today
from gis.store.tables import FRAME_TABLES
from tests.api.conftest import CODES, SOUTH, START, WEST, draft, say, square
from tests.support.rows import fill

B4 = pytest.approx([WEST, SOUTH - 0.01, WEST + 0.01, SOUTH], abs=1e-4)
B1 = pytest.approx([WEST + 0.01, SOUTH, WEST + 0.02, SOUTH + 0.01], abs=3e-4)


def told(client, plan, rule):
    found = client.json(f"/plans/{plan['id']}/problems")["problems"]
    return [problem for problem in found if problem["rule"] == rule]


def set_column(store, city, frame, code, **values):
    table = FRAME_TABLES[frame]
    with store.transaction(city.scope) as connection:
        connection.execute(table.update().where(table.c.code == code).values(**values))
        raise_version(connection, city.id, frame)


def test_a_lock_in_force_that_a_plan_breaks(planned, city):
    first = say(planned, draft(planned), "locks", method="PUT", blocks=["b4"])
    first = say(planned, say(planned, first, "submit"), "approve", desk="supervisor")
    say(planned, first, "publish", effective_on=today(city).isoformat())
    # A draft begins with the locks in force, also one that was drawn up elsewhere and does not keep them.
    own = {f"b{i}": CODES[i] for i in range(4)} | {"b0": CODES[1], "b4": CODES[1]}
    plan = draft(planned, assignment=own)
    assert plan["locks"] == {"blocks": ["b4"], "grids": []}
    (broken,) = told(planned, plan, "locks")
    assert (broken["severity"], broken["grids"], broken["blocks"]) == ("broken", CODES[:2], ["b4"])
    assert broken["bbox"] == B4
    refused = planned.post(f"/plans/{plan['id']}/submit", json={"revision": plan["revision"]})
    assert refused.status_code == 422
    assert "locked" in refused.json()["detail"]
    # Whoever undoes the lock means it, and it is told to whoever approves.
    plan = say(planned, plan, "locks", method="PUT")
    assert [problem["severity"] for problem in told(planned, plan, "locks")] == ["warning"]
    assert say(planned, plan, "submit")["state"] == "review"


def test_a_code_that_has_ended_and_one_that_is_another_s(planned, store, city):
    ended = "320508001000900"
    fill(store, city, "grids", [{
        "code": ended, "kind": "comprehensive", "name_zh": "旧网格", "geom": square(5, 5),
        "valid_from": dt.date(2020, 1, 1), "valid_to": dt.date(2021, 1, 1),
    }])  # fmt: skip
    plan = say(planned, draft(planned), "grids", method="PATCH", grids={ended: {}})
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": ended})
    (broken,) = told(planned, plan, "code_history")
    assert (broken["severity"], broken["grids"], broken["bbox"]) == ("broken", [ended], B4)
    swapped = say(planned, draft(planned), "assignment", method="PATCH", moves={"b1": CODES[2], "b2": CODES[1]})
    found = told(planned, swapped, "code_history")
    assert {tuple(problem["grids"]) for problem in found} == {(CODES[1], CODES[2]), (CODES[2], CODES[1])}
    assert {problem["severity"] for problem in found} == {"warning"}
    assert all(problem["bbox"] for problem in found)


def test_a_beat_whose_border_moves(planned, store, city):
    for code, beat in zip(CODES, ("J1", "J2", "J1", "J2"), strict=True):
        set_column(store, city, "grids", code, beat_code=beat)
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b1": CODES[0]})
    (told_of,) = told(planned, plan, "beat_borders")
    assert (told_of["severity"], told_of["grids"], told_of["blocks"]) == ("warning", [CODES[0]], ["b1"])
    assert told_of["bbox"] == B1
    assert "100 households leave beat J2 for J1" in told_of["message"]["en"]
    set_column(store, city, "grids", CODES[3], beat_code=None)
    bare = draft(planned)
    (without,) = told(planned, bare, "beats")
    assert (without["grids"], bool(without["bbox"])) == ([CODES[3]], True)


def test_incidents_of_the_last_days_lie_in_a_grid(planned, store, city):
    plan = draft(planned)
    assert told(planned, plan, "places") == []
    fill(store, city, "incidents", [
        {
            "source_id": name, "category": "theft", "origin": "public_report", "location_withheld": False,
            "occurred_at": START + dt.timedelta(days=day),
            "geom": f"POINT({WEST + 0.001 + east} {SOUTH - 0.005})",
        }
        # The newest incident is of day 90: only the last 30 days before it count as open.
        for name, day, east in (("old", 10, 0), ("new", 90, 0), ("far", 89, -0.5))
    ])  # fmt: skip
    (astray,) = told(planned, plan, "places")
    assert astray["severity"] == "warning"
    assert "1 open incident(s)" in astray["message"]["en"]
    assert "far" in astray["message"]["en"]
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": None})
    loose = next(problem for problem in told(planned, plan, "places") if problem["severity"] == "incomplete")
    assert loose["blocks"] == ["b4"]
    assert "1 open incident(s) lie in no grid: new" in loose["message"]["en"]
    assert loose["bbox"] == pytest.approx([WEST + 0.001, SOUTH - 0.005] * 2, abs=1e-5)


def test_blocks_that_no_longer_fit_together_are_shown_where(planned, store, city):
    plan = draft(planned)
    # Between b4 and b0 above it a gap opens, a third of a metre wide at most.
    middle, east, low = WEST + 0.005, WEST + 0.01, SOUTH - 0.01
    drawn = f"POLYGON(({WEST} {low},{east} {low},{east} {SOUTH},{middle} {SOUTH - 3e-6},{WEST} {SOUTH},{WEST} {low}))"
    blocks = FRAME_TABLES["blocks"]
    with store.transaction(city.scope) as connection:
        connection.execute(
            blocks.update().where(blocks.c.code == "b4").values(geom=sa.func.ST_GeomFromText(drawn, 4326))
        )
        raise_version(connection, city.id, "blocks")
    (gap,) = told(planned, plan, "seamless")
    assert (gap["severity"], gap["blocks"]) == ("broken", ["b0", "b4"])
    assert gap["bbox"] == pytest.approx([WEST, SOUTH - 0.01, WEST + 0.01, SOUTH + 0.01], abs=3e-4)


def test_a_grid_in_pieces_may_be_handed_in_when_it_was_so_before(planned, store, city):
    # In force, b4 belongs to a grid that it does not touch.
    set_column(store, city, "blocks", "b4", grid_code=CODES[3])
    plan = draft(planned)
    (torn,) = told(planned, plan, "contiguous")
    assert torn["severity"] == "broken"
    worse = say(planned, plan, "assignment", method="PATCH", moves={"b0": CODES[3], "b3": None})
    assert planned.post(f"/plans/{plan['id']}/submit", json={"revision": worse["revision"]}).status_code == 422
    plan = say(planned, worse, "undo")
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b2": CODES[3]}, grids={CODES[2]: None})
    (still,) = told(planned, plan, "contiguous")
    assert still["grids"] == [CODES[3]]
    assert say(planned, plan, "submit")["state"] == "review"
