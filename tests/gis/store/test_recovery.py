"""Back to the moment before a mistake: every row, every policy, every role and flag as they were."""

from __future__ import annotations

import datetime as dt
import time

import pytest
import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import Conflict, InvalidInput, StoreUnavailable
from gis.store import audit, cities, drill, migrate, recovery
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Store
from gis.store.tables import FRAME_TABLES
from tests.support.databases import DURABLE_OPTIONS, kept_folder
from tests.support.rows import fill

INCIDENTS = FRAME_TABLES["incidents"]


def incident(i):
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=i)
    same = {"category": "theft", "origin": "import", "location_withheld": False}
    return {"occurred_at": at, "geom": f"POINT ({120 + i / 7919} {31 + i / 6007})", **same}


def rights(store):
    """Return policies, forced tables, roles and rights of the database."""
    questions = (
        "SELECT schemaname, tablename, policyname, qual, with_check FROM pg_policies ORDER BY 1, 2, 3",
        "SELECT oid::regclass::text FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY 1",
        "SELECT rolname, rolbypassrls, rolsuper FROM pg_roles WHERE rolname LIKE 'wangge%%' ORDER BY 1",
        """SELECT table_schema, table_name, grantee, privilege_type FROM information_schema.role_table_grants
        WHERE grantee LIKE 'wangge%%' ORDER BY 1, 2, 3, 4""",
    )
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return [[tuple(row) for row in connection.exec_driver_sql(question)] for question in questions]


def clock(store):
    with store.transaction(NO_CITY, read_only=True) as connection:
        return connection.scalar(sa.select(sa.func.clock_timestamp()))


@pytest.mark.chaos
def test_a_mistake_is_undone_to_the_moment_before_it():
    with kept_folder() as folder:
        cluster = Cluster(folder, options=DURABLE_OPTIONS)
        with pytest.raises(Conflict, match="not archived"):
            recovery.base_backup(cluster, folder / "copies")
        with pytest.raises(InvalidInput, match="quotes"):
            recovery.archive_to(cluster, folder / 'a"b')
        copies = folder / "copies"
        recovery.archive_to(cluster, copies)
        store = Store(cluster.url)
        migrate.upgrade(store)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        city = cities.create(store, profile)
        fill(store, city, "incidents", [incident(i) for i in range(300)])
        base = recovery.base_backup(cluster, copies)
        assert list(recovery.bases(copies).values()) == [base]
        time.sleep(1.5)  # the copy is called after the second in which it was whole
        fill(store, city, "incidents", [incident(i) for i in range(300, 400)])
        before, kept = drill.digests(store), rights(store)
        assert before["city.incidents"][0] == 400
        right = clock(store)
        time.sleep(0.05)
        with store.transaction(city.scope) as connection:
            assert connection.execute(INCIDENTS.delete()).rowcount == 400
        store.close()

        done = recovery.restore_at(cluster, copies, right)
        assert done.base == base
        assert (done.aside / "PG_VERSION").exists()
        store = Store(cluster.url)
        assert drill.digests(store) == before
        assert rights(store) == kept
        assert all(kept)
        assert migrate.is_leakproof(store)
        assert migrate.has_row_security(store)
        assert not audit.verify(store).faults
        assert drill.smoke(store) == []
        fill(store, city, "incidents", [incident(400)])
        after = drill.digests(store)
        store.close()

        # A moment that no copy or change reaches leaves everything as it is.
        with pytest.raises(InvalidInput, match="older than"):
            recovery.restore_at(cluster, copies, right - dt.timedelta(days=1))
        with pytest.raises(InvalidInput, match="future"):
            recovery.restore_at(cluster, copies, right + dt.timedelta(days=1))
        with pytest.raises(StoreUnavailable, match="nothing has changed"):
            recovery.restore_at(cluster, copies, dt.datetime.now(dt.UTC))
        store = Store(cluster.url)
        assert drill.digests(store) == after
        store.close()


def test_a_drill_finds_a_backup_good_and_leaves_nothing_behind(store, city):
    fill(store, city, "incidents", [incident(i) for i in range(50)])
    before = databases(store)
    found = drill.drill(store)
    assert (found.faults, found.changed) == ((), ())
    assert found.rows_count > 50
    assert set(found.seconds) == {"digest", "dump", "restore", "ensure", "compare", "try"}
    assert databases(store) == before


def test_a_drill_finds_a_row_that_is_not_as_it_was(store, city, monkeypatch):
    fill(store, city, "incidents", [incident(i) for i in range(50)])
    before, restore = databases(store), drill.backup.restore

    def careless(scratch, file):
        restore(scratch, file)
        with scratch.transaction(NO_CITY, as_owner=True) as connection:
            connection.exec_driver_sql("UPDATE city.incidents SET category = 'assault' WHERE source_id LIKE '%%-7'")
            connection.exec_driver_sql("ALTER TABLE city.incidents NO FORCE ROW LEVEL SECURITY")
            connection.exec_driver_sql("CREATE TABLE results.more AS SELECT 1 AS n")

    monkeypatch.setattr(drill.backup, "restore", careless)
    assert drill.drill(store).faults == ("city.incidents is not as it was", "results.more has come from nowhere")
    assert databases(store) == before


def databases(store):
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return set(connection.exec_driver_sql("SELECT datname FROM pg_database").scalars())
