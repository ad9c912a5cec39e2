"""Plans: edits against the revision one saw, undone exactly, approved by another desk, in force on their day."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.errors import Conflict, Forbidden, InvalidInput, NotFound, PlanRuleBroken
from gis.store import plans
from gis.store.cities import NO_CITY
from gis.store.frames import read_frame, today
from gis.store.plans import Patch, StaleRevision
from gis.store.tables import PLANS
from tests.support.little_city import STEP, approved, area, in_force, move, settle_city


@pytest.fixture
def blocks(store, city):
    return settle_city(store, city)


@pytest.fixture
def draft(store, city, blocks):
    assert len(blocks) == 8
    return plans.from_current(store, city, title="春季调整", desk="planner")


def test_a_draft_begins_with_what_is_in_force(store, city, draft):
    assert (draft.state, draft.revision, draft.made_by) == ("draft", 1, "planner")
    assert plans.assignment(store, city, draft.id) == {f"b{i}": "g1" if i % 4 < 2 else "g2" for i in range(8)}
    assert [g.code for g in plans.grids(store, city, draft.id)] == ["g1", "g2"]
    assert [p.id for p in plans.list_(store, city)] == [draft.id]


def test_a_city_without_blocks_has_nothing_to_plan(store, city):
    with pytest.raises(InvalidInput, match="no blocks"):
        plans.from_current(store, city, title="x", desk="planner")
    assert plans.list_(store, city) == []


def test_undo_and_redo_are_exact_and_outlive_the_server(store, city, draft):
    start = plans.assignment(store, city, draft.id)
    plan = move(store, city, draft, b1="g2", b5="g2")
    plan = plans.edit(
        store,
        city,
        plan.id,
        Patch(
            blocks={"b0": {"absent": True}, "b0-1": {"grid": "g1"}, "b0-2": {"grid": "g3"}},
            grids={"g3": {"kind": "dedicated", "name_zh": "专属", "community_code": "c"}},
            shapes={
                f"b0-{k}": {
                    "wkt": area((k - 1) / 2, 0, 0.5),
                    "parent_code": "b0",
                    "community_code": "c",
                    "households_count": 5,
                }
                for k in (1, 2)
            },
        ),
        revision=plan.revision,
        action="split_block",
        desk="planner",
    )
    after = plans.assignment(store, city, plan.id)
    assert after["b0-2"] == "g3"
    assert "b0" not in after
    shapes = plans.shapes(store, city, plan.id)
    plan = plans.undo(store, city, plan.id, revision=plan.revision)
    assert plans.shapes(store, city, plan.id) == []
    assert [g.code for g in plans.grids(store, city, plan.id)] == ["g1", "g2"]
    plan = plans.undo(store, city, plan.id, revision=plan.revision)
    assert plans.assignment(store, city, plan.id) == start
    with pytest.raises(Conflict, match="nothing to undo"):
        plans.undo(store, city, plan.id, revision=plan.revision)
    plan = plans.redo(store, city, plan.id, revision=plan.revision)
    plan = plans.redo(store, city, plan.id, revision=plan.revision)
    assert plans.assignment(store, city, plan.id) == after
    assert plans.shapes(store, city, plan.id) == shapes
    assert [(e.seq, e.action, e.undone) for e in plans.edits(store, city, plan.id)] == [
        (1, "move_blocks", False),
        (2, "split_block", False),
    ]


def test_an_edit_after_an_undo_forgets_what_was_undone(store, city, draft):
    plan = move(store, city, draft, b1="g2")
    plan = plans.undo(store, city, plan.id, revision=plan.revision)
    plan = move(store, city, plan, b2="g1")
    with pytest.raises(Conflict, match="nothing to redo"):
        plans.redo(store, city, plan.id, revision=plan.revision)
    assert [e.after["blocks"] for e in plans.edits(store, city, plan.id)] == [{"b2": {"grid": "g1"}}]


def test_who_saw_an_older_revision_changes_nothing_and_is_told_what_happened(store, city, draft):
    newer = move(store, city, draft, b1="g2")
    with pytest.raises(StaleRevision) as stale:
        move(store, city, draft, b1=None)
    assert stale.value.revision == newer.revision
    assert [e.after["blocks"] for e in stale.value.since] == [{"b1": {"grid": "g2"}}]
    assert plans.assignment(store, city, draft.id)["b1"] == "g2"
    mine = plans.copy(store, city, draft.id, title="另存", desk="planner")
    assert plans.assignment(store, city, mine.id) == plans.assignment(store, city, draft.id)
    assert mine.base_plan_id == draft.id


def test_what_changes_nothing_is_no_edit(store, city, draft):
    assert move(store, city, draft, b1="g1") == draft
    assert plans.edits(store, city, draft.id) == []


def test_an_edit_that_names_strangers_is_refused_whole(store, city, draft):
    with pytest.raises(InvalidInput) as refused:
        move(store, city, draft, b1="g2", b99="g1", b2="g9")
    assert [p.code for p in refused.value.problems] == ["unknown_grid", "unknown_block"]
    assert plans.get(store, city, draft.id) == draft
    with pytest.raises(NotFound):
        plans.get(store, city, draft.id + 1)


def test_locks_hold_for_blocks_and_grids_and_are_edits_themselves(store, city, draft):
    locks = Patch(locks={"blocks": ["b0"], "grids": ["g2"]})
    plan = plans.edit(store, city, draft.id, locks, revision=draft.revision, action="lock", desk="planner")
    for moves in ({"b0": "g2"}, {"b1": "g2"}, {"b2": "g1"}, {"b0": None}):
        with pytest.raises(PlanRuleBroken, match="locked"):
            move(store, city, plan, **moves)
    plan = plans.undo(store, city, plan.id, revision=plan.revision)
    assert move(store, city, plan, b1="g2").revision == plan.revision + 1


def test_two_desks_are_needed(store, city, draft):
    plan = plans.submit(store, city, draft.id, revision=draft.revision, desk="planner")
    with pytest.raises(Conflict, match="only a draft"):
        move(store, city, plan, b1="g2")
    with pytest.raises(Forbidden, match="another desk"):
        plans.approve(store, city, plan.id, revision=plan.revision, desk="planner")
    with pytest.raises(StaleRevision):
        plans.approve(store, city, plan.id, revision=plan.revision - 1, desk="supervisor")
    back = plans.send_back(store, city, plan.id, revision=plan.revision, note="g2 太大")
    assert (back.state, back.note, back.submitted_by) == ("draft", "g2 太大", None)
    plan = approved(store, city, back)
    assert (plan.state, plan.submitted_by, plan.approved_by) == ("approved", "planner", "supervisor")
    with pytest.raises(sa.exc.IntegrityError), store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(PLANS.update().values(approved_by="planner"))
    with pytest.raises(Conflict, match="stays on record"):
        plans.delete(store, city, plan.id)


def test_the_map_changes_on_the_day(store, city, draft):
    tomorrow = today(city) + dt.timedelta(days=1)
    plan = approved(store, city, move(store, city, draft, b1="g2", b5="g2"))
    with pytest.raises(InvalidInput, match="past"):
        plans.publish(store, city, plan.id, revision=plan.revision, on=today(city) - dt.timedelta(days=1))
    plan = plans.publish(store, city, plan.id, revision=plan.revision, on=tomorrow)
    assert (plan.state, plan.effective_on) == ("approved", tomorrow)
    assert set(in_force(store, city)[0]) == {"g1", "g2"}
    _, today_shapes = in_force(store, city)
    households, shapes = in_force(store, city, tomorrow)
    assert households == {"g1": 10 + 50, "g2": 20 + 60 + 30 + 40 + 70 + 80}
    assert today_shapes["g1"].area == pytest.approx(4 * STEP**2)
    assert shapes["g1"].area == pytest.approx(2 * STEP**2)
    assert shapes["g1"].intersection(shapes["g2"]).area == 0
    assert read_frame(store, city, "blocks").set_index("code")["grid_code"]["b1"] == "g1"
    assert not plans.settle(store, city)
    kinds = {
        (row.old_code, row.new_code): (row.kind, row.households_count) for row in plans.lineage(store, city, plan.id)
    }
    assert kinds == {("g1", "g1"): ("split", 60), ("g1", "g2"): ("reshaped", 80), ("g2", "g2"): ("merged", 220)}
    with pytest.raises(Conflict, match="published for"):
        plans.publish(store, city, plan.id, revision=plan.revision, on=tomorrow)


def test_a_plan_in_force_assigns_the_blocks_and_supersedes_the_last_one(store, city, draft):
    first = approved(store, city, move(store, city, draft, b1="g2"))
    first = plans.publish(store, city, first.id, revision=first.revision, on=today(city))
    assert first.state == "effective"
    assert read_frame(store, city, "blocks").set_index("code")["grid_code"]["b1"] == "g2"
    second = plans.from_current(store, city, title="再调", desk="planner")
    assert plans.assignment(store, city, second.id)["b1"] == "g2"
    second = approved(store, city, move(store, city, second, b2="g1"))
    second = plans.publish(store, city, second.id, revision=second.revision, on=today(city) + dt.timedelta(days=2))
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(PLANS.update().where(PLANS.c.id == second.id).values(effective_on=today(city)))
    assert plans.settle(store, city)
    assert plans.get(store, city, first.id).state == "superseded"
    assert plans.get(store, city, second.id).state == "effective"


def test_a_grid_that_keeps_its_blocks_keeps_its_version(store, city, draft):
    ids = dict(zip(read_frame(store, city, "grids")["code"], read_frame(store, city, "grids").index, strict=True))
    plan = plans.edit(
        store, city, draft.id,
        Patch(grids={"g2": {"kind": "comprehensive", "name_zh": "新名"}}),
        revision=draft.revision, action="rename", desk="planner",
    )  # fmt: skip
    plan = approved(store, city, plan)
    plans.publish(store, city, plan.id, revision=plan.revision, on=today(city))
    now = read_frame(store, city, "grids").set_index("code", append=True).reset_index(level=0)
    assert now.loc["g1", "id"] == ids["g1"]
    assert now.loc["g2", "id"] != ids["g2"]
    assert now.loc["g2", "name_zh"] == "新名"


def test_cut_blocks_become_the_citys_blocks(store, city, draft):
    halves = {
        f"b0-{k}": {
            "wkt": area((k - 1) / 2, 0, 0.5),
            "parent_code": "b0",
            "community_code": "c",
            "households_count": 5,
        }
        for k in (1, 2)
    }
    patch = Patch(blocks={"b0": {"absent": True}, **{c: {"grid": "g1"} for c in halves}}, shapes=halves)
    plan = plans.edit(store, city, draft.id, patch, revision=1, action="split_block", desk="planner")
    plan = approved(store, city, plan)
    plans.publish(store, city, plan.id, revision=plan.revision, on=today(city))
    codes = set(read_frame(store, city, "blocks")["code"])
    assert "b0" not in codes
    assert set(halves) <= codes
    assert in_force(store, city)[0]["g1"] == 5 + 5 + 20 + 50 + 60


def test_a_block_without_a_grid_cannot_be_published(store, city, draft):
    plan = approved(store, city, move(store, city, draft, b1=None))
    with pytest.raises(PlanRuleBroken, match="b1"):
        plans.publish(store, city, plan.id, revision=plan.revision, on=today(city))
    assert set(in_force(store, city)[0]) == {"g1", "g2"}


moves = st.dictionaries(st.sampled_from([f"b{i}" for i in range(8)]), st.sampled_from(["g1", "g2", None]), min_size=1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(moves, min_size=1, max_size=4))
@pytest.mark.usefixtures("blocks")
def test_any_edits_taken_back_give_the_beginning(store, city, steps):
    plan = plans.from_current(store, city, title="x", desk="planner")
    start = plans.assignment(store, city, plan.id)
    seen = [start]
    for step in steps:
        plan = move(store, city, plan, **step)
        if plans.assignment(store, city, plan.id) != seen[-1]:
            seen.append(plans.assignment(store, city, plan.id))
    for before in reversed(seen[:-1]):
        plan = plans.undo(store, city, plan.id, revision=plan.revision)
        assert plans.assignment(store, city, plan.id) == before
    for after in seen[1:]:
        plan = plans.redo(store, city, plan.id, revision=plan.revision)
        assert plans.assignment(store, city, plan.id) == after
