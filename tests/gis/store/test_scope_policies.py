"""Every table is under a policy or open for a reason; nothing leads round the policies; roles have what they need."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import gis
from gis.contract.profile import CityProfile
from gis.contract.service import service
from gis.contract.text import Text
from gis.store import accounts, backup, cities, frames, migrate, policies
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Scope, Store
from gis.store.result_tables import ensure_table, result_table
from gis.store.tables import metadata
from tests.support import area_city
from tests.support.databases import fresh_database

AS_OWNER = {
    "gis/store/accounts/book.py": "names the areas of the grants of every city",
    "gis/store/audit/book.py": "only the owner takes old rows from the log",
    "gis/store/backup.py": "asks which schemas there are, and as whom to read them",
    "gis/store/cities.py": "removes a city with all that belongs to it",
    "gis/store/drill.py": "compares every row of every city with its copy",
    "gis/store/connect.py": "looks whether the database answers, before there is any role",
    "gis/store/ingest/stage.py": "counts the waiting rows for the planner",
    "gis/store/jobs/book.py": "counts the jobs of all cities",
    "gis/store/jobs/claim.py": "a worker begins jobs of all cities, and learns the scope of one with it",
    "gis/store/jobs/queue.py": "makes the queue, and fills it again with the jobs of all cities",
    "gis/store/migrate.py": "changes the schema",
    "gis/store/recovery.py": "waits until a server that goes back in time answers",
    "gis/store/result_tables.py": "makes a table",
}
"""Who opens transactions as the owner, and why."""


def ask(store: Store, query: str) -> list[tuple]:
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_every_table_is_under_forced_row_security_or_open_for_a_reason(store: Store) -> None:
    ensure_table(store, result_table(service("hotspots")))
    tables = ask(
        store,
        """
        SELECT n.nspname, c.relname, c.relrowsecurity AND c.relforcerowsecurity,
            ARRAY(SELECT polname::text FROM pg_policy p WHERE p.polrelid = c.oid ORDER BY 1)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('city', 'results') AND c.relkind IN ('r', 'p', 'f', 'm', 'v')
        """,
    )
    assert len(tables) > 40
    closed = {name for _, name, forced, names in tables if forced and names == ["house", "scope"]}
    openly = {name for _, name, forced, names in tables if not forced and not names}
    assert closed | openly == {name for _, name, *_ in tables}
    assert openly == set(policies.OPEN)
    assert all(policies.OPEN.values())
    assert "hotspots_v" in "".join(closed - set(metadata.tables))
    assert {table.name for table in metadata.tables.values() if "city_id" in table.c} - closed == {"grants"}


def test_no_view_and_no_function_leads_round_the_policies(store: Store) -> None:
    """A view reads as its owner, and so does a SECURITY DEFINER function: only the audit log's own may."""
    views = ask(
        store,
        """
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
          AND has_schema_privilege('wangge_app', n.oid, 'USAGE')
        """,
    )
    assert views == []
    definers = ask(
        store,
        """
        SELECT n.nspname, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND has_schema_privilege('wangge_app', n.oid, 'USAGE')
          AND has_function_privilege('wangge_app', p.oid, 'EXECUTE')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        """,
    )
    assert set(definers) == {("audit", "append"), ("audit", "read")}


@pytest.mark.asvs("13.2.2")
def test_the_roles_cannot_do_more_than_they_need(store: Store) -> None:
    attributes = ask(
        store,
        """
        SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolcanlogin, rolbypassrls FROM pg_roles
        WHERE rolname IN ('wangge_app', 'wangge_ro', 'wangge_backup') ORDER BY rolname
        """,
    )
    assert attributes == [
        ("wangge_app", False, False, False, False, False),
        ("wangge_backup", False, False, False, False, True),
        ("wangge_ro", False, False, False, False, False),
    ]
    may = ask(
        store,
        """
        SELECT n.nspname || '.' || c.relname, r.rolname,
            ARRAY(SELECT p FROM regexp_split_to_table('SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER', ' ') p
                  WHERE has_table_privilege(r.rolname, c.oid, p))
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_roles r
        WHERE n.nspname IN ('city', 'results', 'audit', 'queue') AND c.relkind IN ('r', 'p')
          AND r.rolname IN ('wangge_app', 'wangge_ro', 'wangge_backup')
        """,
    )
    rights = {(table, role): set(what) for table, role, what in may}
    assert all(what == {"SELECT"} for (_, role), what in rights.items() if role == "wangge_backup")
    assert all(what <= {"SELECT"} for (_, role), what in rights.items() if role == "wangge_ro")
    assert all(what <= {"SELECT", "INSERT", "UPDATE", "DELETE"} for (_, role), what in rights.items())
    assert rights["audit.entries", "wangge_app"] == rights["audit.entries", "wangge_ro"] == set()
    assert rights["city.runs", "wangge_app"] == {"SELECT", "INSERT", "DELETE"}
    assert rights["city.stage_incidents", "wangge_ro"] == set()
    with store.transaction(NO_CITY) as connection, pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        connection.exec_driver_sql("CREATE TABLE city.mine (n int)")


def test_what_was_taken_away_or_changed_by_hand_is_put_right_at_the_next_start(store: Store) -> None:
    with store.transaction(NO_CITY, as_owner=True) as connection:
        for statement in (
            "ALTER TABLE city.incidents NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY scope ON city.posts",
            "ALTER TABLE city.rentals DISABLE ROW LEVEL SECURITY",
            "CREATE POLICY everybody ON city.grids USING (true)",
            "GRANT TRUNCATE ON city.grids TO wangge_app",
            "REVOKE SELECT ON city.blocks FROM wangge_ro",
        ):
            connection.exec_driver_sql(statement)
    migrate.ensure(store)
    test_every_table_is_under_forced_row_security_or_open_for_a_reason(store)
    test_the_roles_cannot_do_more_than_they_need(store)
    assert migrate.has_row_security(store)


@pytest.fixture
def plain(cluster: Cluster) -> Iterator[Store]:
    """A database on a server where the login is no superuser and may make no roles, as managed ones are."""
    with fresh_database(cluster) as url:
        above = Store(url)
        with above.transaction(NO_CITY, as_owner=True) as connection:
            connection.exec_driver_sql("CREATE ROLE plain_login LOGIN PASSWORD 'plain' NOSUPERUSER NOCREATEROLE")
            connection.exec_driver_sql(f'GRANT ALL ON DATABASE "{url.database}" TO plain_login')
            for extension in migrate.EXTENSIONS:
                connection.exec_driver_sql(f"CREATE EXTENSION {extension}")
        mine = Store(url.set(username="plain_login", password="plain"))
        try:
            yield mine
        finally:
            mine.close()
            with above.transaction(NO_CITY, as_owner=True) as connection:
                connection.exec_driver_sql("DROP OWNED BY plain_login CASCADE")
                connection.exec_driver_sql("DROP ROLE plain_login")
            above.close()


def test_a_login_that_may_make_no_roles_is_bound_by_the_policies_itself(plain: Store, tmp_path: Path) -> None:
    migrate.upgrade(plain)
    city = cities.create(plain, CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai"))
    area_city.populate(plain, city)
    accounts.create(plain, "desk")
    accounts.grant(plain, "desk", "officer", city, areas=["district:WEST"])
    with plain.transaction(city.scope, read_only=True) as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "plain_login"
        assert accounts.areas_of(connection, 1, "officer", city.id)
    assert migrate.has_row_security(plain)
    assert not migrate.is_leakproof(plain)
    with plain.transaction(Scope(city.id, areas=(1,)), read_only=True) as connection:
        assert connection.exec_driver_sql("SELECT array_agg(code) FROM city.districts").scalar() in (["EAST"], ["WEST"])
        assert connection.exec_driver_sql("SELECT count(*) FROM city.posts").scalar() == 0
    backup.backup(plain, tmp_path / "city.dump")
    before = len(frames.read_frame(plain, city, "posts"))
    backup.restore(plain, tmp_path / "city.dump")
    assert len(frames.read_frame(plain, city, "posts")) == before == 96
    cities.remove(plain, "test")


def test_only_these_act_as_the_owner() -> None:
    root = Path(gis.__file__).parents[1]
    found = set()
    for room in ("gis", "api", "layers", "data"):  # a benchmark fills a database of its own
        for path in (root / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and any(keyword.arg == "as_owner" for keyword in node.keywords):
                    found.add(path.relative_to(root).as_posix())
    assert found - {"gis/store/engine.py"} == set(AS_OWNER)
