"""Grants of some areas, and the runs and jobs of whoever has one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from gis.contract.service import service
from gis.errors import InvalidInput, NotFound
from gis.runs import execute
from gis.store import accounts, cities, frames, items, jobs, placing, policies, results
from gis.store.engine import Scope
from gis.store.jobs.worker import attempt
from gis.store.query import ItemQuery
from gis.store.relations import result_relation
from gis.store.result_tables import result_table
from gis.store.tables import FRAME_TABLES, JOBS, RUNS
from tests.support import area_city
from tests.support.asking import ask


def test_runs_belong_to_the_areas_they_were_computed_from(store, whole):
    west, east = area_city.narrow(store, whole, "district:WEST"), area_city.narrow(store, whole, "district:EAST")
    street = area_city.narrow(store, whole, "street:WEST-S0")
    made = {
        name: execute(store, of, "hotspots", {"lattice_m": 300})
        for name, of in (("whole", whole), ("west", west), ("street", street))
    }
    assert {run.id for run in results.list_(store, whole)} == set(made.values())
    assert {run.id for run in results.list_(store, west)} == {made["west"], made["street"]}
    assert [run.id for run in results.list_(store, street)] == [made["street"]]
    assert results.list_(store, east) == []
    assert results.latest_ids(store, whole) == {"hotspots": made["whole"]}
    assert results.latest_ids(store, west) == {"hotspots": made["west"]}
    assert results.latest(store, street, "hotspots").id == made["street"]
    assert results.latest(store, east, "hotspots") is None
    for of, name in ((west, "whole"), (street, "west"), (east, "street")):
        with pytest.raises(NotFound):
            results.get(store, of, made[name])
        with pytest.raises(NotFound):
            results.read(store, of, made[name])
        with pytest.raises(NotFound):
            results.delete(store, of, made[name])
        relation = result_relation(service("hotspots"), made[name])
        page = ask(store, items.page(store, of.scope, relation, ("rank",), ItemQuery()))
        assert (page.matched, page.returned) == (0, 0)
    table = result_table(service("hotspots"))
    with store.transaction(east.scope, read_only=True) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0
    results.delete(store, west, made["street"])


def test_what_is_published_for_everybody_is_the_run_of_the_whole_city(store, whole):
    west = area_city.narrow(store, whole, "district:WEST")
    published = execute(store, whole, "public_counts", {})
    execute(store, west, "public_counts", {})
    assert results.latest_ids(store, west)["public_counts"] == published
    assert results.latest_ids(store, whole)["public_counts"] == published
    assert results.get(store, west, published).id == published
    with pytest.raises(NotFound):
        results.delete(store, west, published)


@pytest.fixture
def desk(store, whole):
    """An officer of the western district."""
    accounts.create(store, "west-desk")
    account = accounts.grant(store, "west-desk", "officer", whole, areas=["district:WEST"])
    return jobs.By(account.id, "officer")


@pytest.mark.asvs("8.3.3")
def test_a_job_sees_what_whoever_asked_saw(store, whole, desk):
    jobs.ensure_queue(store)
    since = area_city.LAST_EVENT["WEST"] - dt.timedelta(days=20)
    west = dataclasses.replace(area_city.narrow(store, whole, "district:WEST"), since=since)
    job = jobs.submit(store, west, "hotspots", {"lattice_m": 300}, by=desk)
    assert jobs.submit(store, whole, "hotspots", {"lattice_m": 300}).id != job.id, "another scope is another job"
    assert jobs.submit(store, west, "hotspots", {"lattice_m": 300}, by=desk).id == job.id
    attempt(store, execute, job.id, threading.Event())
    done = jobs.get(store, west, job.id)
    assert done.state == "successful"
    result = results.read(store, west, done.run_id)
    given_ = next(record for record in result.provenance.inputs if record.frame == "incidents")
    seen = frames.read_frame(store, west, "incidents")
    assert given_.n_given == len(seen) < 48
    with store.transaction(whole.scope, read_only=True) as connection:
        row = connection.execute(sa.select(RUNS.c.areas, RUNS.c.since).where(RUNS.c.id == done.run_id)).one()
    assert (tuple(row.areas), row.since) == (west.areas, since)
    # Whoever sees all events is not shown what the last days alone gave, as if it were the latest.
    assert results.latest(store, dataclasses.replace(west, since=None), "hotspots") is None
    assert results.latest(store, west, "hotspots").id == done.run_id
    east = area_city.narrow(store, whole, "district:EAST")
    assert jobs.list_(store, east) == []
    for of in (jobs.get, jobs.dismiss):
        with pytest.raises(NotFound):
            of(store, east, job.id)


@pytest.mark.asvs("8.3.3")
@pytest.mark.parametrize("lost", ["revoked", "disabled", "another area", "area gone"])
def test_a_job_of_whoever_lost_the_right_fails_and_says_so(store, whole, desk, lost):
    jobs.ensure_queue(store)
    west = area_city.narrow(store, whole, "district:WEST")
    job = jobs.submit(store, west, "hotspots", {}, by=desk)
    if lost == "revoked":
        accounts.revoke(store, "west-desk", "officer", whole)
    elif lost == "disabled":
        accounts.disable(store, "west-desk")
    else:
        accounts.revoke(store, "west-desk", "officer", whole)
        accounts.grant(store, "west-desk", "officer", whole, areas=["district:EAST", "community:WEST-S0-C0"])
    attempt(store, execute, job.id, threading.Event())
    failed = jobs.get(store, west, job.id)
    assert failed.state == "failed"
    assert "may no longer see" in failed.problem["detail"]
    assert failed.problem["message"]["zh"]
    with store.transaction(whole.scope, read_only=True) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(RUNS)) == 0
        assert connection.scalar(sa.select(JOBS.c.account_id)) is not None


def test_an_area_that_goes_takes_its_right_along_and_never_widens_a_grant(store, whole):
    accounts.create(store, "desk")
    accounts.grant(store, "desk", "analyst", whole, areas=["community:EAST-S3-C1"])
    login = accounts.begin(store, 1, whole.id)
    assert login.actor.areas
    table = FRAME_TABLES["communities"]
    with store.transaction(whole.scope) as connection:
        connection.execute(table.delete().where(table.c.code == "EAST-S3-C1"))
        placing.place(connection, whole.id, ["communities"])
    actor = accounts.find(store, login.secret, whole.id)
    assert (actor.role, actor.areas) == ("analyst", ())


def test_grants_of_areas_add_up_and_are_taken_back_one_by_one(store, whole):
    accounts.create(store, "desk")

    def areas():
        login = accounts.begin(store, 1, whole.id)
        return None if login.actor.areas is None else len(login.actor.areas)

    accounts.grant(store, "desk", "analyst", whole, areas=["street:WEST-S0"])
    assert areas() == 3, "a street and its communities"
    account = accounts.grant(store, "desk", "analyst", whole, areas=["community:EAST-S2-C0", "street:WEST-S0"])
    assert account.grants[0].areas == ("community:EAST-S2-C0", "street:WEST-S0")
    assert areas() == 4
    with pytest.raises(InvalidInput, match="no such areas") as caught:
        accounts.grant(store, "desk", "analyst", whole, areas=["street:NOWHERE", "galaxy:1", "street:WEST-S1"])
    assert len(caught.value.problems) == 2
    accounts.revoke(store, "desk", "analyst", whole, areas=["street:WEST-S0"])
    assert areas() == 1
    with pytest.raises(NotFound):
        accounts.revoke(store, "desk", "analyst", whole, areas=["street:WEST-S0"])
    accounts.grant(store, "desk", "analyst", whole)
    assert areas() is None
    assert accounts.get(store, "desk").grants[0].areas is None
    accounts.grant(store, "desk", "analyst", whole, areas=["street:WEST-S0"])
    assert areas() is None, "the whole city stays the whole city"
    accounts.revoke(store, "desk", "analyst", whole)
    assert accounts.get(store, "desk").grants == ()
    with pytest.raises(InvalidInput):
        accounts.grant(store, "desk", "admin", whole, areas=["district:WEST"])


def test_the_last_area_of_a_grant_takes_the_grant_along(store, whole):
    accounts.create(store, "desk")
    accounts.grant(store, "desk", "officer", whole, areas=["district:WEST"])
    assert accounts.revoke(store, "desk", "officer", whole, areas=["district:WEST"]).grants == ()


def test_the_areas_of_a_scope_are_named_by_the_highest(store, whole):
    mine = area_city.narrow(store, whole, "street:WEST-S0", "community:EAST-S2-C0")
    assert [area.name for area in accounts.seen(store, mine, highest=True)] == [
        "street:WEST-S0",
        "community:EAST-S2-C0",
    ]
    assert len(accounts.seen(store, mine)) == 4
    assert len(accounts.seen(store, whole)) == 14
    assert accounts.seen(store, mine, highest=True)[0].title.en == "WEST-S0"


def test_removing_a_city_takes_everything_along(store, whole):
    execute(store, area_city.narrow(store, whole, "district:WEST"), "hotspots", {"lattice_m": 300})
    cities.remove(store, "test")
    with store.transaction(Scope(whole.id), as_owner=True) as connection:
        for table in policies.RULES:
            assert connection.exec_driver_sql(f'SELECT count(*) FROM city."{table}"').scalar() == 0, table


BETWEEN_THEM_ALL_FRAMES = ("hotspots", "coverage_gaps", "eighty_twenty", "key_unit_exposure", "temporal_profile")


def test_services_compute_what_they_would_where_nothing_else_is_held(store, whole):
    """The same question to a district of the city, and to a city that holds that district's rows and nothing else."""
    alone = cities.create(store, dataclasses.replace(whole.profile, slug="alone"))
    area_city.populate(store, alone, only="district:WEST")
    west = area_city.narrow(store, whole, "district:WEST")

    def computed(of, name):
        try:
            result = results.read(store, of, execute(store, of, name, {}))
        except InvalidInput as error:
            return error.message, [problem.code for problem in error.problems]
        rows = result.features.to_wkt().to_csv(index=False)
        return rows, results.json_ready(result.summary), [entry.n_given for entry in result.provenance.inputs]

    done = 0
    for name in BETWEEN_THEM_ALL_FRAMES:
        mine, theirs = computed(west, name), computed(alone, name)
        assert mine == theirs, name
        done += len(mine) == 3
    assert done >= 4, "some need more rows than there are"
