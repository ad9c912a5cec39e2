"""A planner whose process is killed again and again: every edit and every publication is there whole or not at all."""

from __future__ import annotations

import time

import numpy as np
import pytest
import sqlalchemy as sa

from gis.store import plans
from gis.store.frames import read_frame, today
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES, PLAN_LINEAGE
from tests.support.hatchery import planner_process, publisher_process, telling
from tests.support.little_city import approved, in_force, settle_city

KILLS = 5


def replayed(store, city, plan_id, begun):
    """Return the assignment that the log comes to, worked out from the log alone."""
    now = dict(begun)
    for edit in plans.edits(store, city, plan_id, limit=100_000):
        if not edit.undone:
            for code, value in edit.after["blocks"].items():
                assert now[code] == edit.before["blocks"][code]["grid"]
                now[code] = value["grid"]
    return now


@pytest.mark.chaos
def test_no_edit_is_lost_and_none_is_done_twice(store, city):
    settle_city(store, city)
    plan = plans.from_current(store, city, title="演练", desk="planner")
    begun = plans.assignment(store, city, plan.id)
    rng = np.random.default_rng(3)
    url = store.url.render_as_string(hide_password=False)
    told = 0
    for _ in range(KILLS):
        with telling(planner_process, url, plan.id) as (process, heard):
            left = int(rng.integers(1, 25))
            for what, revision in heard:
                if what == "done":
                    told, left = revision, left - 1
                if left == 0 and what == "sent":
                    break
            time.sleep(rng.random() / 100)
            process.kill()
            process.join()
            told = max([told, *(revision for what, revision in heard if what == "done")])
        # A database process that lost its client may finish the one edit that was on its way.
        time.sleep(0.2)
        now = plans.get(store, city, plan.id)
        assert told <= now.revision <= told + 1
        assert plans.assignment(store, city, plan.id) == replayed(store, city, plan.id, begun)
        log = plans.edits(store, city, plan.id, limit=100_000)
        assert [edit.seq for edit in log] == list(range(1, len(log) + 1))
    assert told > KILLS
    while not all(edit.undone for edit in plans.edits(store, city, plan.id, limit=100_000)):
        plans.undo(store, city, plan.id, revision=plans.get(store, city, plan.id).revision)
    assert plans.assignment(store, city, plan.id) == begun


@pytest.mark.chaos
def test_a_plan_takes_effect_whole_or_not_at_all(store, city):
    settle_city(store, city)
    rng = np.random.default_rng(4)
    url = store.url.render_as_string(hide_password=False)
    outcomes = set()
    for turn in range(KILLS):
        draft = plans.from_current(store, city, title=f"第{turn}次", desk="planner")
        grid = "g2" if plans.assignment(store, city, draft.id)["b1"] == "g1" else "g1"
        draft = plans.edit(store, city, draft.id, plans.assign({"b1": grid}), revision=draft.revision,
                           action="move_blocks", desk="planner")  # fmt: skip
        plan = approved(store, city, draft)
        before = in_force(store, city)[0]
        with telling(publisher_process, url, plan.id) as (process, heard):
            assert next(heard) == "ready"
            time.sleep(rng.random() * 0.12 * (turn % 4 > 0))
            process.kill()
            process.join()
        time.sleep(0.3)
        now = plans.get(store, city, plan.id)
        outcomes.add(now.state)
        block = read_frame(store, city, "blocks").set_index("code")["grid_code"]["b1"]
        with store.transaction(city.scope, read_only=True) as connection:
            lineage = connection.scalar(
                sa.select(sa.func.count()).select_from(PLAN_LINEAGE).where(PLAN_LINEAGE.c.plan_id == plan.id)
            )
            batches = connection.scalar(
                sa.select(sa.func.count()).select_from(IMPORT_BATCHES).where(
                    IMPORT_BATCHES.c.source == f"plan-{plan.id}"
                )
            )  # fmt: skip
        if now.state == "effective":
            assert (block, lineage > 0, batches) == (grid, True, 1)
            assert in_force(store, city)[0] != before
        else:
            assert (now.state, now.effective_on, lineage, batches) == ("approved", None, 0, 0)
            assert (block != grid, in_force(store, city)[0]) == (True, before)
            plans.publish(store, city, plan.id, revision=now.revision, on=today(city))
        grids = FRAME_TABLES["grids"]
        with store.transaction(city.scope, read_only=True) as connection:
            codes = list(connection.scalars(sa.select(grids.c.code).where(grids.c.valid_to.is_(None))))
        assert sorted(codes) == ["g1", "g2"]
    assert "approved" in outcomes
