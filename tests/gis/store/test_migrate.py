"""The migrations give exactly the schema that the models declare, and can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers

from gis.errors import InvalidInput
from gis.store import migrate
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Store
from gis.store.tables import CITY_SCHEMA, metadata
from tests.support.databases import fresh_database

SHAPE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
               pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'city'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relname <> 'schema_version'
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'city'::regnamespace AND conrelid::regclass::text <> 'city.schema_version'
    """,
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'city' AND tablename <> 'schema_version'
    """,
    "tables": """
        SELECT c.relname, obj_description(c.oid), c.relpersistence FROM pg_class c
        WHERE c.relnamespace = 'city'::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_version'
    """,
}


OLD_STREET = """
    WITH made AS (
        INSERT INTO city.profiles (slug, title_zh, title_en, metric_crs, time_zone, lattice_origin, languages,
                                   open_categories, grid_code_pattern, synthetic)
        VALUES ('old', '旧', 'Old', 'EPSG:4549', 'UTC', '{0,0}', '{zh}', false, '.*', false) RETURNING id
    ), batch AS (
        INSERT INTO city.import_batches (city_id, frame, source, content_sha256, options, state)
        SELECT id, 'segments', 'roads', 'x', '{}', 'applied' FROM made RETURNING id, city_id
    )
    INSERT INTO city.segments (city_id, source, source_id, road_class, oneway, batch_id, geom)
    SELECT city_id, 'roads', '1', 'main', true, id, 'SRID=4326;LINESTRING(120 31, 121 31)' FROM batch
"""


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[Store]:
    """A database in which wangge has never been."""
    with fresh_database(cluster) as url:
        store = Store(url)
        yield store
        store.close()


def shape(store: Store) -> dict[str, set[tuple[object, ...]]]:
    """Return all that the catalogue says about schema city."""
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return {what: {tuple(row) for row in connection.exec_driver_sql(query)} for what, query in SHAPE.items()}


def schemas(store: Store) -> set[str]:
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return set(sa.inspect(connection).get_schema_names())


def test_migrations_give_exactly_the_models(store: Store, empty: Store) -> None:
    with empty.transaction(NO_CITY, as_owner=True) as connection:
        for extension in ("postgis", "btree_gist"):
            connection.exec_driver_sql(f"CREATE EXTENSION {extension}")
        connection.exec_driver_sql("CREATE SCHEMA city")
        metadata.create_all(connection)
    migrated, declared = shape(store), shape(empty)
    assert declared["tables"]
    for what in SHAPE:
        assert migrated[what] == declared[what], what


def test_alembic_finds_no_difference(store: Store) -> None:
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_object": alembic_helpers.include_object,
                "include_name": lambda name, kind, _: kind != "schema" or name == CITY_SCHEMA,
                "compare_type": True,
                "version_table": migrate.VERSION_TABLE,
                "version_table_schema": CITY_SCHEMA,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_up_down_up_gives_the_same(empty: Store) -> None:
    assert migrate.current(empty) is None
    migrate.upgrade(empty)
    assert migrate.current(empty) == migrate.head()
    first = shape(empty)
    assert {"city", "results"} <= schemas(empty)
    migrate.downgrade(empty, "base")
    assert migrate.current(empty) is None
    assert shape(empty)["tables"] == set()
    assert "results" not in schemas(empty)
    migrate.upgrade(empty)
    assert shape(empty) == first


def upgraded_with(store: Store, revision: str, rows: str) -> None:
    """Put rows into the schema as it was at a revision, and bring it up to the newest."""
    migrate.upgrade(store)
    migrate.downgrade(store, revision)
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql(rows)
    migrate.upgrade(store)


def test_streets_that_are_there_stay_when_streets_learn_more(empty: Store) -> None:
    upgraded_with(empty, "0004", OLD_STREET)
    with empty.transaction(NO_CITY, as_owner=True) as connection:
        query = "SELECT road_class, oneway, level, access, from_node, to_node, ST_AsText(geom) FROM city.segments"
        rows = connection.exec_driver_sql(query).all()
    assert rows == [("main", True, 0, "open", None, None, "LINESTRING(120 31,121 31)")]
    migrate.downgrade(empty, "0004")
    with empty.transaction(NO_CITY, as_owner=True) as connection:
        assert connection.exec_driver_sql("SELECT road_class FROM city.segments").all() == [("main",)]


OLD_RUNS = """
WITH town AS (
    INSERT INTO city.profiles (slug, title_zh, title_en, metric_crs, time_zone, lattice_origin, languages,
        open_categories, grid_code_pattern, attribution, synthetic, in_use)
    VALUES ('t', '城', 'Town', 'EPSG:4549', 'Asia/Shanghai', '{0,0}', '{zh}', false, '', '', false, false) RETURNING id
)
INSERT INTO city.runs (city_id, service, service_version, summary, provenance)
SELECT town.id, service, 1, '{}', jsonb_build_object('parameters', parameters::jsonb)
FROM town, (VALUES
    ('coverage_gaps', '{"demand": "households"}'), ('coverage_gaps', '{"demand": "incidents"}'),
    ('coverage_gaps', '{"demand": "rentals"}'), ('eighty_twenty', '{"unit": "addresses"}'),
    ('post_siting', '{"demand": "rentals", "candidates": "key_units"}'), ('event_impact', '{}'),
    ('key_unit_exposure', '{}')
) AS old (service, parameters) ORDER BY service, parameters
"""


def test_runs_that_are_there_say_what_they_tell_of_and_those_that_name_rentals_go(empty: Store) -> None:
    upgraded_with(empty, "0017", OLD_RUNS)
    with empty.transaction(NO_CITY, as_owner=True) as connection:
        rows = connection.exec_driver_sql("SELECT service, tells, without FROM city.runs ORDER BY id").all()
    assert [(service, set(tells), without) for service, tells, without in rows] == [
        ("coverage_gaps", set(), []),
        ("coverage_gaps", {"incidents"}, []),
        ("eighty_twenty", {"incidents"}, []),
        ("key_unit_exposure", {"key_units"}, []),
        ("post_siting", {"key_units", "rentals"}, []),
    ]


def test_an_upgrade_at_the_newest_schema_changes_nothing(store: Store) -> None:
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("CREATE TABLE results.kept (n int)")
    before = shape(store)
    migrate.upgrade(store)
    assert shape(store) == before
    with store.transaction(NO_CITY, as_owner=True) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM results.kept").scalar() == 0


def test_processes_that_upgrade_at_once_do_not_disturb_each_other(empty: Store) -> None:
    failures: list[BaseException] = []

    def upgrade() -> None:
        mine = Store(empty.url)
        try:
            migrate.upgrade(mine)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert migrate.current(empty) == migrate.head()


def test_a_failed_migration_leaves_nothing(empty: Store) -> None:
    with empty.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("CREATE SCHEMA city")
        connection.exec_driver_sql("CREATE TABLE city.incidents (in_the_way int)")
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        migrate.upgrade(empty)
    assert migrate.current(empty) is None
    assert {row[0] for row in shape(empty)["tables"]} == {"incidents"}


def test_a_newer_schema_is_refused(store: Store) -> None:
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("UPDATE city.schema_version SET version_num = '9999'")
    with pytest.raises(InvalidInput, match="9999"):
        migrate.upgrade(store)


def test_the_box_test_is_leakproof_and_stays_so(store: Store) -> None:
    assert migrate.is_leakproof(store)
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("ALTER FUNCTION geometry_overlaps(geometry, geometry) NOT LEAKPROOF")
    assert not migrate.is_leakproof(store)
    migrate.ensure(store)
    assert migrate.is_leakproof(store)
    migrate.ensure(store)
    assert migrate.is_leakproof(store)


def test_wangge_puts_nothing_into_the_public_schema(store: Store) -> None:
    """A backup takes every schema but that one, which belongs to the extensions."""
    foreign = """
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace
          AND c.relkind IN ('r', 'v', 'm', 'p', 'S', 'f')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
    """
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        assert connection.exec_driver_sql(foreign).all() == []
