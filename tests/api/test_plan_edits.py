"""Actions, weights and the log of a plan over HTTP."""

import json

import pytest
import shapely

from gis.store import cities, plans
from tests.api.conftest import CODES, SOUTH, WEST, draft, say
from tests.support.rows import fill

MIDDLE = [WEST + 0.01, SOUTH + 0.01]
"""The corner that b0 to b3 share."""


def act(client, plan, action, **arguments):
    return say(client, plan, "edits", action=action, arguments=arguments)


def assigned(client, plan):
    return client.json(f"/plans/{plan['id']}/assignment")["assignment"]


def test_a_corner_moves_in_every_block_that_has_it_and_back(planned):
    plan = draft(planned)
    beside = [MIDDLE[0] + 4e-6, MIDDLE[1] - 4e-6]
    to = [MIDDLE[0] + 0.001, MIDDLE[1] + 0.002]
    plan = act(planned, plan, "move_node", at=beside, to=to)
    moved = {
        f["id"]: shapely.geometry.shape(f["geometry"]) for f in planned.json(f"/plans/{plan['id']}/shapes")["features"]
    }
    assert set(moved) == {"b0", "b1", "b2", "b3"}
    assert shapely.coverage_is_valid(list(moved.values()))
    for shape in moved.values():
        assert shape.distance(shapely.Point(to)) < 1e-8
        # Every other corner has the very coordinates that it had.
        corners = set(map(tuple, shapely.get_coordinates(shape).round(9).tolist()))
        assert (
            len(corners & {(round(WEST + 0.01 * i, 9), round(SOUTH + 0.01 * j, 9)) for i in range(3) for j in range(3)})
            == 3
        )
    (edit,) = planned.json(f"/plans/{plan['id']}/edits")["edits"]
    assert edit["action"] == "move_node"
    plan = say(planned, plan, "undo")
    assert planned.json(f"/plans/{plan['id']}/shapes")["features"] == []
    plan = say(planned, plan, "redo")
    assert len(planned.json(f"/plans/{plan['id']}/shapes")["features"]) == 4


@pytest.mark.parametrize(
    ("at", "to", "said"),
    [
        ([WEST + 0.005, SOUTH + 0.005], MIDDLE, "no block has a corner within 1 m"),
        ([WEST, SOUTH + 0.02], [WEST - 0.001, SOUTH + 0.021], "fit together"),
        (MIDDLE, [WEST - 0.01, SOUTH], "fit together"),
    ],
)
def test_a_corner_that_cannot_move_stays(planned, at, to, said):
    plan = draft(planned)
    answer = planned.post(
        f"/plans/{plan['id']}/edits", json={"revision": 1, "action": "move_node", "arguments": {"at": at, "to": to}}
    )
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert answer.json()["message"]["zh"]
    assert planned.json(f"/plans/{plan['id']}/edits")["edits"] == []


def test_blocks_move_as_an_action_that_keeps_grids_whole(planned):
    plan = act(planned, draft(planned), "move_blocks", blocks=["b0"], to=CODES[1])
    assert assigned(planned, plan) == {"b0": CODES[1], "b1": CODES[1], "b2": CODES[2], "b3": CODES[3], "b4": CODES[0]}


def test_an_area_is_locked_and_unlocked(planned):
    plan = draft(planned)
    ring = [
        [WEST - 0.001, SOUTH - 0.011],
        [WEST + 0.011, SOUTH - 0.011],
        [WEST + 0.011, SOUTH + 0.011],
        [WEST - 0.001, SOUTH + 0.011],
    ]
    plan = act(planned, plan, "lock", area=ring, grids=[CODES[3]])
    assert plan["locks"] == {"blocks": ["b0", "b4"], "grids": [CODES[3]]}
    answer = planned.post(
        f"/plans/{plan['id']}/edits",
        json={
            "revision": plan["revision"],
            "action": "merge_grids",
            "arguments": {"grids": [CODES[0]], "into": CODES[1]},
        },
    )
    assert answer.status_code == 422
    assert "locked" in answer.json()["detail"]
    plan = act(planned, plan, "unlock", area=ring)
    assert plan["locks"] == {"blocks": [], "grids": [CODES[3]]}
    plan = say(planned, plan, "undo")
    assert plan["locks"]["blocks"] == ["b0", "b4"]
    crossed = [ring[0], ring[2], ring[1], ring[3]]
    bad = {"revision": plan["revision"], "action": "lock", "arguments": {"area": crossed}}
    assert planned.post(f"/plans/{plan['id']}/edits", json=bad).json()["problems"][0]["code"] == "invalid_geometry"


def test_weights_belong_to_a_plan_and_everything_follows(planned, store, city):
    spots = [f"POINT({WEST + 0.015} {SOUTH + 0.015 + 1e-5 * i})" for i in range(50)]
    fill(store, city, "rentals", [{"kind": "whole", "geom": spot} for spot in spots])
    plan, other = draft(planned), draft(planned, title="另一个")
    before = planned.json(f"/plans/{plan['id']}/workload")
    assert before["own"] is False
    terms = {term["name"]: term for term in before["terms"]}
    assert (terms["households"]["weight"], terms["households"]["share"], terms["households"]["amount"]) == (1, 1, 450)
    assert terms["rentals"]["amount"] == 50
    assert terms["rentals"]["title"]["zh"]
    assert terms["rentals"]["source"]
    assert planned.json(f"/plans/{plan['id']}/board")["blocks"]["load"] == [100, 100, 100, 100, 50]
    plan = say(planned, plan, "workload", method="PATCH", weights={"rentals": 9})
    # 450 households and 50 rentals of 9 each are 900; the same work of 450 is spread anew.
    board = planned.json(f"/plans/{plan['id']}/board")
    assert board["revision"] == plan["revision"]
    assert board["weights"]["rentals"] == 9
    assert board["blocks"]["load"] == [50, 50, 50, 275, 25]
    model = planned.json(f"/plans/{plan['id']}/workload")
    assert model["own"] is True
    assert {term["name"]: term["share"] for term in model["terms"] if term["share"]} == {
        "households": 0.5,
        "rentals": 0.5,
    }
    heavy = [p for p in planned.json(f"/plans/{plan['id']}/problems")["problems"] if p["rule"] == "load_band"]
    assert CODES[3] not in {code for p in heavy for code in p["grids"]}
    assert {code for p in heavy for code in p["grids"]} == set(CODES[:3])
    moved = say(planned, plan, "assignment", method="PATCH", moves={"b4": CODES[1]})
    grids = {row["code"]: row for row in planned.json(f"/plans/{plan['id']}/compare")["grids"]}
    assert (grids[CODES[1]]["load"], grids[CODES[1]]["load_before"]) == (75, 50)
    assert planned.json(f"/plans/{other['id']}/board")["blocks"]["load"] == [100, 100, 100, 100, 50]
    copied = planned.post(f"/plans/{plan['id']}/copy", json={"title": "副本"}).json()
    assert planned.json(f"/plans/{copied['id']}/workload")["own"] is True
    back = say(planned, say(planned, moved, "undo"), "undo")
    assert planned.json(f"/plans/{plan['id']}/workload")["own"] is False
    again = say(planned, back, "redo")
    plain = say(planned, again, "workload", method="PATCH", weights=None)
    assert plain["settings"] == {}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"households": 0}, "nothing makes work"),
        ({"key_units": 3}, "no such frame"),
        ({"rentals": -1}, "not valid"),
        ({"votes": 1}, "not valid"),
    ],
)
def test_weights_that_cannot_be_are_refused_and_change_nothing(planned, weights, said):
    plan = draft(planned)
    answer = planned("PATCH", f"/plans/{plan['id']}/workload", json={"revision": 1, "weights": weights})
    assert answer.status_code == 422, answer.text
    assert said in answer.json()["detail"]
    assert planned.json(f"/plans/{plan['id']}")["revision"] == 1


def test_weights_against_an_older_revision_are_a_conflict(planned):
    plan = draft(planned)
    say(planned, plan, "workload", method="PATCH", weights={"area_km2": 30})
    stale = planned("PATCH", f"/plans/{plan['id']}/workload", json={"revision": 1, "weights": {"area_km2": 60}})
    assert stale.status_code == 409
    assert [edit["action"] for edit in stale.json()["since"]] == ["set_weights"]


def test_actions_and_weights_by_commands(wangge, blocks, store, city):
    assert len(blocks) == 5
    cities.use(store, city.profile.slug)
    wangge("plan", "new", "春季调整")
    assert "revision 2" in wangge("plan", "act", 1, "move_blocks", json.dumps({"blocks": ["b0"], "to": CODES[1]}))
    assert plans.assignment(store, city, 1)["b0"] == CODES[1]
    assert "revision 3" in wangge("plan", "undo", 1)
    assert "revision 4" in wangge("plan", "redo", 1)
    assert "400" in wangge("plan", "weigh", 1, "area_km2=400")
    assert plans.get(store, city, 1).settings["weights"]["area_km2"] == 400
    wangge("plan", "weigh", 1, "--default")
    assert plans.get(store, city, 1).settings == {}
    assert "load_band" in wangge("plan", "check", 1)
    assert "error" in wangge("plan", "act", 1, "explode", "{}", code=2)
    assert "error" in wangge("plan", "act", 1, "move_blocks", "[", code=2)
    assert "error" in wangge("plan", "weigh", 1, "votes=1", code=2)
