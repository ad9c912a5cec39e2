"""Plans over HTTP: from the first stroke to the day they take effect."""

import io
import json

import geopandas as gpd
import pandas as pd
import pytest
import sqlalchemy as sa

from gis.store import cities, plans
from gis.store.frames import read_frame, today
from gis.store.tables import FRAME_TABLES
from tests.api.conftest import CODES, SOUTH, WEST, draft, say


@pytest.mark.asvs("2.3.1")
def test_from_the_first_stroke_to_the_day(planned, store, city):
    plan = draft(planned)
    assert planned.json("/plans?state=draft")["plans"][0]["id"] == plan["id"]
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"]["b4"] == CODES[0]
    merged = {"moves": {"b4": CODES[1], "b0": CODES[1]}, "grids": {CODES[0]: None}}
    plan = say(planned, plan, "assignment", method="PATCH", action="merge", **merged)
    undone = say(planned, plan, "undo")
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"]["b4"] == CODES[0]
    plan = say(planned, undone, "redo")
    (edit,) = planned.json(f"/plans/{plan['id']}/edits")["edits"]
    assert (edit["action"], edit["blocks"], edit["undone"], edit["desk"]) == ("merge", ["b0", "b4"], False, "planner")
    plan = say(planned, plan, "submit")
    own = planned.post(f"/plans/{plan['id']}/approve", role="planner", json={"revision": plan["revision"]})
    assert own.status_code == 403
    plan = say(planned, plan, "send-back", desk="supervisor", note="再看看")
    assert (plan["state"], plan["note"]) == ("draft", "再看看")
    plan = say(planned, say(planned, plan, "submit"), "approve", desk="supervisor")
    plan = say(planned, plan, "publish", effective_on=today(city).isoformat())
    assert plan["state"] == "effective"
    kinds = {(row["old_code"], row["new_code"]) for row in planned.json(f"/plans/{plan['id']}/lineage")["lineage"]}
    assert (CODES[0], CODES[1]) in kinds
    grids = planned.json("/collections/grids/items")["features"]
    assert {f["properties"]["code"]: f["properties"].get("households_count") for f in grids}[CODES[1]] == 250
    blocks = FRAME_TABLES["blocks"]
    with store.transaction(city.scope, read_only=True) as connection:
        assert connection.scalar(sa.select(blocks.c.grid_code).where(blocks.c.code == "b4")) == CODES[1]


def test_a_stale_write_is_told_what_to_choose_from(planned):
    plan = draft(planned)
    say(planned, plan, "assignment", method="PATCH", moves={"b4": CODES[1]})
    stale = planned("PATCH", f"/plans/{plan['id']}/assignment", json={"revision": 1, "moves": {"b4": None}})
    assert stale.status_code == 409
    body = stale.json()
    assert body["revision"] == 2
    assert [edit["blocks"] for edit in body["since"]] == [["b4"]]
    kept = planned.post(f"/plans/{plan['id']}/copy", json={"title": "我的"}).json()
    assert kept["base_plan_id"] == plan["id"]


def test_locks_and_grids_are_edits_too(planned):
    plan = draft(planned)
    plan = say(planned, plan, "locks", method="PUT", grids=[CODES[2]])
    locked = planned(
        "PATCH", f"/plans/{plan['id']}/assignment", json={"revision": plan["revision"], "moves": {"b2": CODES[0]}}
    )
    assert locked.status_code == 422
    assert locked.json()["grids"] == [CODES[2]]
    plan = say(planned, plan, "grids", method="PATCH", grids={"g-new": {"kind": "dedicated", "name_zh": "医院"}})
    assert "g-new" in [grid["code"] for grid in planned.json(f"/plans/{plan['id']}/grids")["grids"]]
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": "g-new"})
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": "g-2"}, grids={"g-2": {}, "g-new": None})
    assert [grid["code"] for grid in planned.json(f"/plans/{plan['id']}/grids")["grids"]] == [*CODES, "g-2"]
    plan = say(planned, plan, "undo")
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"]["b4"] == "g-new"
    assert planned.json(f"/plans/{plan['id']}/shapes")["features"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/plans", {"title": ""}, 422),
        ("POST", "/plans", {"title": "x", "owner": "someone"}, 422),
        ("POST", "/plans", {"title": "x", "copy_of": 999}, 404),
        ("PATCH", "/plans/1/assignment", {"moves": {"b4": "x"}}, 422),
        ("PATCH", "/plans/1/assignment", {"revision": 1, "moves": {"b4": "nowhere"}}, 422),
        ("PATCH", "/plans/1/assignment", {"revision": 1, "moves": {}}, 422),
        ("POST", "/plans/1/undo", {"revision": 1}, 409),
        ("POST", "/plans/1/approve", {"revision": 1}, 409),
        ("POST", "/plans/1/publish", {"revision": 1, "effective_on": "soon"}, 422),
        ("GET", "/plans/999", None, 404),
        ("GET", "/plans/x", None, 404),
        ("GET", "/plans?state=lost", None, 400),
        ("GET", "/plans/1/grids?x=1", None, 400),
    ],
)
def test_what_cannot_be_is_refused_in_words(planned, method, path, body, status):
    plan = draft(planned)
    answer = planned(method, path.replace("/1/", f"/{plan['id']}/"), **({} if body is None else {"json": body}))
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_a_draft_can_be_thrown_away(planned):
    plan = draft(planned, assignment={"b0": "g", "b1": None})
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"] == {"b0": "g", "b1": None}
    assert planned("DELETE", f"/plans/{plan['id']}").status_code == 204
    assert planned.get(f"/plans/{plan['id']}").status_code == 404


def test_a_plan_leaves_as_grids_or_as_the_grid_of_each_block(planned):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[1], "b3": None})
    table = pd.read_csv(io.BytesIO(planned.get(f"/plans/{plan['id']}/export.csv").content), dtype=str)
    assert dict(zip(table["block_code"], table["grid_code"].fillna(""), strict=True)) == {
        "b0": CODES[0], "b1": CODES[1], "b2": CODES[2], "b3": "", "b4": CODES[1],
    }  # fmt: skip
    for ending in ("gpkg", "geojson"):
        grids = gpd.read_file(io.BytesIO(planned.get(f"/plans/{plan['id']}/export.{ending}").content))
        assert sorted(grids["code"]) == CODES[:3]
        assert grids.set_index("code").loc[CODES[1], "households_count"] == 150
        assert grids.is_valid.all()
    assert planned.get(f"/plans/{plan['id']}/export.exe").status_code == 415


def test_the_whole_way_by_commands(wangge, blocks, store, city, tmp_path):
    assert len(blocks) == 5
    cities.use(store, city.profile.slug)
    assert "draft at revision 1" in wangge("plan", "new", "春季调整")
    wangge("plan", "export", 1, tmp_path / "plan.gpkg")
    fit = wangge("plan", "new", "照图", "--drawn", tmp_path / "plan.gpkg")
    assert "blocks_cut_count" in fit
    assert plans.assignment(store, city, 2) == plans.assignment(store, city, 1)
    assert "review" in wangge("plan", "submit", 2)
    assert "another desk" in wangge("plan", "approve", 2, "--desk", "planner", code=1)
    assert "approved" in wangge("plan", "approve", 2)
    assert "effective" in wangge("plan", "publish", 2, "--on", today(city))
    listed = wangge("plan", "list")
    assert "照图" in listed
    assert "effective" in listed
    wangge("plan", "export", 1, tmp_path / "plan.csv")
    assert len(pd.read_csv(tmp_path / "plan.csv")) == 5
    for words in (("publish", 1, "--on", "soon"), ("new", "x", "--desk", "mayor"), ("submit", 99)):
        assert "error" in wangge("plan", *words, code=2)


def test_a_board_holds_all_that_a_page_needs(planned, store, city):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[1]})
    board = planned.json(f"/plans/{plan['id']}/board")
    blocks = board["blocks"]
    assert board["revision"] == plan["revision"]
    assert blocks["code"] == ["b0", "b1", "b2", "b3", "b4"]
    assert len({len(column) for column in blocks.values()}) == 1
    assert [board["grids"][i]["code"] for i in blocks["grid"]] == [*CODES, CODES[1]]
    assert [board["grids"][i]["code"] for i in blocks["base"]] == [*CODES, CODES[0]]
    frame = read_frame(store, city, "blocks")
    assert dict(zip(blocks["code"], blocks["id"], strict=True)) == dict(zip(frame["code"], frame.index, strict=True))
    pairs = {
        (blocks["code"][a], blocks["code"][b]) for a, b in zip(*(board["neighbours"][k] for k in "ab"), strict=True)
    }
    assert pairs == {("b0", "b1"), ("b0", "b2"), ("b1", "b3"), ("b2", "b3"), ("b0", "b4")}
    metric = frame.to_crs(city.profile.metric_crs).set_index("code").geometry
    assert blocks["area_m2"] == pytest.approx(metric.area.reindex(blocks["code"]).tolist(), abs=0.06)
    assert blocks["perimeter_m"] == pytest.approx(metric.length.reindex(blocks["code"]).tolist(), abs=0.06)
    assert sum(blocks["incidents"]) > 0
    west, south, east, north = blocks["bbox"][0]
    assert west < blocks["lon"][0] < east
    assert south < blocks["lat"][0] < north


def test_proposals_come_line_by_line_and_keep_nothing(planned):
    plan = draft(planned)
    answer = planned.post(f"/plans/{plan['id']}/proposals", json={"ways": ["fewest_moves", "even"]})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    *told, last = [json.loads(line) for line in answer.text.splitlines()]
    assert told
    assert all(0 <= line["share"] <= 1 for line in told)
    assert [a["way"] for a in last["alternatives"]] == ["fewest_moves", "even"]
    for alternative in last["alternatives"]:
        assert alternative["out_of_band_count"] <= last["before"]["out_of_band_count"]
        assert set(alternative["moves"]) <= {"b0", "b1", "b2", "b3", "b4"}
    assert planned.json(f"/plans/{plan['id']}")["revision"] == plan["revision"]


def test_a_plan_with_loose_blocks_gets_no_proposal_and_is_told_why(planned):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": None})
    answer = planned.post(f"/plans/{plan['id']}/proposals", json={})
    last = json.loads(answer.text.splitlines()[-1])
    assert last["problem"]["status"] == 422
    assert "b4" in last["problem"]["problems"][0]["message"]
    assert planned.post(f"/plans/{plan['id']}/proposals", json={"ways": ["best"]}).status_code == 422


def test_what_a_plan_breaks_is_said_with_the_place_to_look_at(planned):
    plan = draft(planned)
    before = planned.json(f"/plans/{plan['id']}/problems")["problems"]
    assert {p["severity"] for p in before} == {"warning"}
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": CODES[3], "b0": None})
    told = planned.json(f"/plans/{plan['id']}/problems")
    assert told["revision"] == plan["revision"]
    torn = next(p for p in told["problems"] if p["rule"] == "contiguous")
    assert (torn["severity"], torn["grids"], torn["blocks"]) == ("broken", [CODES[3]], ["b4"])
    assert torn["bbox"] == pytest.approx([WEST, SOUTH - 0.01, WEST + 0.01, SOUTH], abs=1e-4)
    assert torn["message"]["zh"]
    assert torn["suggestion"]["en"]
    loose = next(p for p in told["problems"] if p["rule"] == "assigned" and p["blocks"])
    assert loose["blocks"] == ["b0"]


def test_two_plans_side_by_side(planned):
    first = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[1]})
    found = planned.json(f"/plans/{first['id']}/compare")
    assert found["moved"] == [{"block": "b4", "from": CODES[0], "to": CODES[1], "households": 50}]
    assert found["totals"]["households_moved_count"] == 50
    grids = {row["code"]: row for row in found["grids"]}
    assert (grids[CODES[1]]["households"], grids[CODES[1]]["households_before"]) == (150, 100)
    second = draft(planned, title="原样")
    back = planned.json(f"/plans/{second['id']}/compare?with={first['id']}")
    assert back["moved"] == [{"block": "b4", "from": CODES[1], "to": CODES[0], "households": 50}]
    assert planned.get(f"/plans/{first['id']}/compare?with=999").status_code == 404


@pytest.mark.asvs("2.2.3")
def test_a_plan_that_breaks_a_rule_cannot_be_handed_in(planned):
    plan = say(planned, draft(planned), "assignment", method="PATCH", moves={"b4": CODES[3]})
    refused = planned.post(f"/plans/{plan['id']}/submit", json={"revision": plan["revision"]})
    assert refused.status_code == 422
    assert refused.json()["grids"] == [CODES[3]]
    assert "hang together" in refused.json()["detail"]
    plan = say(planned, plan, "undo")
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": None})
    assert planned.post(f"/plans/{plan['id']}/submit", json={"revision": plan["revision"]}).status_code == 422
    assert say(planned, say(planned, plan, "undo"), "submit")["state"] == "review"


def test_the_notice_names_whom_a_plan_concerns(planned):
    plan = draft(planned, title="<b>春季</b>调整")
    quiet = planned.get(f"/plans/{plan['id']}/notice.html?lang=en")
    assert "Nothing changes" in quiet.text
    plan = say(planned, plan, "assignment", method="PATCH", moves={"b4": CODES[1]})
    page = planned.get(f"/plans/{plan['id']}/notice.html?lang=zh")
    assert page.headers["content-type"].startswith("text/html")
    assert "1 个单元网格、50 户" in page.text
    assert "&lt;b&gt;春季" in page.text
    rows = pd.read_csv(io.BytesIO(planned.get(f"/plans/{plan['id']}/notice.csv").content), dtype=str)
    assert rows[["block_code", "old_grid", "new_grid", "households_count"]].to_numpy().tolist() == [
        ["b4", CODES[0], CODES[1], "50"]
    ]
    shapes = gpd.read_file(io.BytesIO(planned.get(f"/plans/{plan['id']}/notice.gpkg").content))
    assert shapes.geometry.iloc[0].area > 0
    assert planned.get(f"/plans/{plan['id']}/notice.exe").status_code == 415


def test_actions_are_single_edits_that_undo_takes_back_whole(planned):
    plan = draft(planned)
    start = planned.json(f"/plans/{plan['id']}/assignment")["assignment"]
    plan = say(planned, plan, "edits", action="merge_grids", arguments={"grids": [CODES[1]], "into": CODES[0]})
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"]["b1"] == CODES[0]
    assert CODES[1] not in [grid["code"] for grid in planned.json(f"/plans/{plan['id']}/grids")["grids"]]
    west, south = WEST + 0.005, SOUTH
    cut = [[west, south - 0.001], [west, south + 0.011]]
    plan = say(planned, plan, "edits", action="split_block", arguments={"block": "b0", "line": cut})
    after = planned.json(f"/plans/{plan['id']}/assignment")["assignment"]
    assert "b0" not in after
    assert after["b0-1"] == after["b0-2"] == CODES[0]
    shapes = {f["id"]: f["properties"] for f in planned.json(f"/plans/{plan['id']}/shapes")["features"]}
    assert shapes["b0-1"]["parent_code"] == "b0"
    assert shapes["b0-1"]["households_count"] + shapes["b0-2"]["households_count"] == 100
    # The neighbours above and below have the new corners, so that nothing gapes.
    assert set(shapes) == {"b0-1", "b0-2", "b2", "b4"}
    assert not [p for p in planned.json(f"/plans/{plan['id']}/problems")["problems"] if p["rule"] == "seamless"]
    line = [[WEST + 0.01, SOUTH - 0.02], [WEST + 0.01, SOUTH + 0.02]]
    plan = say(planned, plan, "edits", action="split_grid", arguments={"grid": CODES[0], "line": line})
    board = planned.json(f"/plans/{plan['id']}/board")
    codes = board["blocks"]["code"]
    assert board["blocks"]["grid"][codes.index("b1")] != board["blocks"]["grid"][codes.index("b0-1")]
    assert [board["blocks"]["id"][codes.index(c)] for c in ("b0-1", "b2")] == [None, None]
    plan = say(planned, plan, "edits", action="rename", arguments={"grid": CODES[2], "name_zh": "改名"})
    named = {grid["code"]: grid["name_zh"] for grid in planned.json(f"/plans/{plan['id']}/grids")["grids"]}
    assert named[CODES[2]] == "改名"
    for _ in range(4):
        plan = say(planned, plan, "undo")
    assert planned.json(f"/plans/{plan['id']}/assignment")["assignment"] == start
    assert planned.json(f"/plans/{plan['id']}/shapes")["features"] == []
    assert [grid["code"] for grid in planned.json(f"/plans/{plan['id']}/grids")["grids"]] == CODES


def test_a_cut_block_is_published_without_a_gap(planned, store, city):
    plan = draft(planned)
    cut = [[WEST + 0.004, SOUTH - 0.001], [WEST + 0.006, SOUTH + 0.011]]
    plan = say(planned, plan, "edits", action="split_block", arguments={"block": "b0", "line": cut})
    plan = say(planned, say(planned, plan, "submit"), "approve", desk="supervisor")
    say(planned, plan, "publish", effective_on=today(city).isoformat())
    blocks = read_frame(store, city, "blocks")
    assert sorted(blocks["code"]) == ["b0-1", "b0-2", "b1", "b2", "b3", "b4"]
    assert blocks.geometry.is_valid_coverage()
    assert blocks["households_count"].sum() == 450
    grids = read_frame(store, city, "grids")
    assert grids.geometry.is_valid_coverage()


@pytest.mark.parametrize(
    ("action", "arguments", "status", "words"),
    [
        ("split_block", {"block": "b0", "line": [[WEST - 1, SOUTH], [WEST - 1, SOUTH + 1]]}, 422, "pieces"),
        ("split_block", {"block": "b99", "line": [[WEST, SOUTH], [WEST + 1, SOUTH]]}, 404, "b99"),
        ("merge_grids", {"grids": [CODES[0]], "into": CODES[3]}, 422, ""),
        ("create_dedicated", {"blocks": ["b0", "b3"]}, 422, ""),
        ("create_dedicated", {"blocks": ["b4"], "code": CODES[2]}, 422, "in use"),
        ("explode", {}, 422, "not valid"),
        ("rename", {"grid": CODES[0], "owner": "x"}, 422, "not valid"),
    ],
)
def test_an_action_that_cannot_be_done_is_no_step(planned, action, arguments, status, words):
    plan = draft(planned)
    body = {"revision": plan["revision"], "action": action, "arguments": arguments}
    answer = planned.post(f"/plans/{plan['id']}/edits", json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.json()["detail"]
    assert planned.json(f"/plans/{plan['id']}")["revision"] == plan["revision"]
    assert planned.json(f"/plans/{plan['id']}/edits")["edits"] == []
