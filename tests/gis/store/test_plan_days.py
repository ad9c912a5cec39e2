"""The day of a plan: several plans for one day, one after another, and days that come without anybody looking."""

import datetime as dt
import threading
import time

import pytest
import sqlalchemy as sa

from gis import runs
from gis.errors import Conflict
from gis.store import cities, plans
from gis.store.cities import NO_CITY
from gis.store.frames import read_frame, today
from gis.store.jobs import ensure_queue
from gis.store.plans import Patch
from gis.store.tables import FRAME_TABLES, PROFILES
from tests.support.little_city import approved, area, in_force, move, settle_city

DAY = dt.timedelta(days=1)


@pytest.fixture
def draft(store, city):
    settle_city(store, city)
    return plans.from_current(store, city, title="一", desk="planner")


def published(store, city, plan, on):
    plan = approved(store, city, plan)
    return plans.publish(store, city, plan.id, revision=plan.revision, on=on)


def versions(store, city):
    """Return code, first and last day of every version of every grid."""
    grids = FRAME_TABLES["grids"]
    query = sa.select(grids.c.code, grids.c.valid_from, grids.c.valid_to).order_by(grids.c.code, grids.c.valid_from)
    with store.transaction(city.scope, read_only=True) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_the_later_of_two_plans_for_a_day_supersedes_the_other_whole(store, city, draft):
    tomorrow, begun = today(city) + DAY, versions(store, city)
    first = published(store, city, move(store, city, draft, b1="g2", b5="g2"), tomorrow)
    other = plans.from_current(store, city, title="二", desk="planner")
    other = published(store, city, move(store, city, other, b2="g1"), tomorrow)
    assert plans.get(store, city, first.id).state == "superseded"
    assert plans.lineage(store, city, first.id) == []
    households, shapes = in_force(store, city, tomorrow)
    assert households == {"g1": 10 + 20 + 50 + 60 + 30, "g2": 40 + 70 + 80}
    assert shapes["g1"].intersection(shapes["g2"]).area == 0
    assert set(in_force(store, city)[0]) == {"g1", "g2"}
    # Each grid has its old version up to the day and one from then on, as if the first plan had never been.
    old = dt.date(2020, 1, 1)
    assert versions(store, city) == [
        ("g1", old, tomorrow), ("g1", tomorrow, None), ("g2", old, tomorrow), ("g2", tomorrow, None),
    ]  # fmt: skip
    # A plan that changes nothing takes the second back in the same way.
    third = plans.from_current(store, city, title="三", desk="planner")
    published(store, city, third, tomorrow)
    assert versions(store, city) == begun
    assert plans.get(store, city, other.id).state == "superseded"


def test_two_plans_take_effect_on_the_same_day(store, city, draft):
    first = published(store, city, move(store, city, draft, b1="g2"), today(city))
    second = plans.from_current(store, city, title="二", desk="planner")
    second = published(store, city, move(store, city, second, b5="g2"), today(city))
    assert (plans.get(store, city, first.id).state, second.state) == ("superseded", "effective")
    assert in_force(store, city)[0] == {"g1": 10 + 50, "g2": 20 + 60 + 30 + 40 + 70 + 80}
    assert [row[0] for row in versions(store, city)] == ["g1", "g1", "g2", "g2"]
    assert read_frame(store, city, "blocks").set_index("code")["grid_code"]["b1"] == "g2"
    kinds = {(row.old_code, row.new_code) for row in plans.lineage(store, city, second.id)}
    assert kinds == {("g1", "g1"), ("g1", "g2"), ("g2", "g2")}


def test_a_plan_after_one_that_waits_is_measured_against_it(store, city, draft):
    tomorrow = today(city) + DAY
    published(store, city, move(store, city, draft, b1="g2", b5="g2"), tomorrow)
    # It keeps the grids of today, which will not be the grids of its day.
    back = plans.from_current(store, city, title="恢复", desk="planner")
    back = published(store, city, back, tomorrow + DAY)
    assert in_force(store, city, tomorrow)[0] == {"g1": 60, "g2": 300}
    assert in_force(store, city, tomorrow + DAY)[0] == {"g1": 10 + 20 + 50 + 60, "g2": 30 + 40 + 70 + 80}
    assert {(row.old_code, row.new_code) for row in plans.lineage(store, city, back.id)} == {
        ("g1", "g1"), ("g2", "g1"), ("g2", "g2"),
    }  # fmt: skip
    before_both = plans.from_current(store, city, title="早", desk="planner")
    with pytest.raises(Conflict, match="choose that day to supersede it") as refused:
        published(store, city, before_both, today(city))
    assert "请选择同一天" in refused.value.zh


def test_a_plan_must_have_the_blocks_as_they_will_be_cut(store, city, draft):
    tomorrow = today(city) + DAY
    halves = {
        f"b0-{k}": {"wkt": area((k - 1) / 2, 0, 0.5), "parent_code": "b0", "community_code": "c", "households_count": 5}
        for k in (1, 2)
    }
    patch = Patch(blocks={"b0": {"absent": True}, **{c: {"grid": "g1"} for c in halves}}, shapes=halves)
    cut = plans.edit(store, city, draft.id, patch, revision=1, action="split_block", desk="planner")
    whole = plans.from_current(store, city, title="整块", desk="planner")
    cut = published(store, city, cut, tomorrow)
    with pytest.raises(Conflict, match="make it as a copy of that plan"):
        published(store, city, whole, tomorrow + DAY)
    follows = plans.copy(store, city, cut.id, title="接着", desk="planner")
    published(store, city, move(store, city, follows, b1="g2"), tomorrow + DAY)
    assert in_force(store, city, tomorrow + DAY)[0]["g1"] == 5 + 5 + 50 + 60


def test_the_day_comes_without_anybody_looking(store, city, draft):
    """The worker puts a plan in force; here the day moves because the city moves across the date line."""
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(PROFILES.update().where(PROFILES.c.id == city.id).values(time_zone="Etc/GMT+12"))
    cities.use(store, city.profile.slug)
    west = cities.current(store)
    plan = published(store, west, move(store, west, draft, b1="g2"), today(west) + DAY)
    assert plan.state == "approved"
    ensure_queue(store)
    stop = threading.Event()
    worker = threading.Thread(target=runs.work, args=(store,), kwargs={"stop": stop})
    worker.start()
    try:
        time.sleep(1)
        assert plans.get(store, west, plan.id).state == "approved"
        with store.transaction(NO_CITY, as_owner=True) as connection:
            connection.execute(PROFILES.update().where(PROFILES.c.id == city.id).values(time_zone="Pacific/Kiritimati"))
        deadline = time.monotonic() + 60
        while plans.get(store, west, plan.id).state != "effective":
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        stop.set()
        worker.join(30)
    assert read_frame(store, west, "blocks").set_index("code")["grid_code"]["b1"] == "g2"
