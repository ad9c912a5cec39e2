"""Bring a database to the schema of this version, and keep what a dump does not carry.

Alembic runs the numbered files of `gis.store.migrations` on the connection of a `Store`; no ``alembic.ini``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from gis.errors import GridError, InvalidInput, StoreUnavailable
from gis.store import placing, policies
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Store
from gis.store.jobs.queue import ensure_queue
from gis.store.tables import CITY_SCHEMA

POSTGIS_NEEDED: Final = (3, 3)
VERSION_TABLE: Final = "schema_version"
EXTENSIONS: Final = ("postgis", "btree_gist")
LOCK: Final = 0x77616E67676500
"""Key of the advisory lock that lets one process at a time change the schema ("wangge" in ASCII)."""
LOCK_WAIT_S: Final = 120.0

BOX_TEST: Final = "geometry_overlaps(geometry, geometry)"
"""The function behind ``&&``. Under row-level security only a LEAKPROOF one may use the GiST index; it compares two
boxes and has no error that could tell a value."""


@cache
def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def head() -> str:
    """Return the number of the newest migration."""
    newest = _scripts().get_current_head()
    if newest is None:
        raise GridError("there is no migration")
    return newest


def knows(revision: str) -> bool:
    """Return whether this version of wangge has a migration of that number."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def current(store: Store) -> str | None:
    """Return the number of the last migration that `store` has had, None before the first."""
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return _revision(connection)


def upgrade(store: Store) -> None:
    """Bring `store` to the newest schema; does nothing where it is there already.

    Raises
    ------
    InvalidInput
        The database was made by a newer wangge, or PostGIS is missing or too old.
    """
    with _alone(store) as connection:
        have = _revision(connection)
        if have is not None and not knows(have):
            raise InvalidInput(
                f"the database has schema {have}, newer than this wangge knows ({head()}): update wangge"
            )
        if have != head():
            _require_postgis(connection)
            connection.execute(sa.schema.CreateSchema(CITY_SCHEMA, if_not_exists=True))
            _run(connection, head(), downwards=False)
            placing.place_everything(connection)
        _keep(connection)
    ensure_queue(store)


def downgrade(store: Store, revision: str) -> None:
    """Take `store` back to an older schema, ``base`` for none; loses what the newer one kept."""
    with _alone(store) as connection:
        _run(connection, revision, downwards=True)


def ensure(store: Store) -> None:
    """Put back what a dump does not carry: roles and their rights, the LEAKPROOF flag of ``&&``, the queue.

    To be called after every start, restore and update of the extension; changes nothing when all is well. Where the
    account is no superuser the flag cannot be set, and spatial filters under row-level security will be slow.
    """
    with _alone(store) as connection:
        _keep(connection)
    ensure_queue(store)


def install_extensions(store: Store) -> None:
    """Install PostGIS and what else the tables need, without any table; for a database that will be restored."""
    with _alone(store) as connection:
        _require_postgis(connection)
        for extension in EXTENSIONS:
            connection.exec_driver_sql(f"CREATE EXTENSION IF NOT EXISTS {extension}")


def extensions(store: Store) -> dict[str, tuple[str | None, str | None]]:
    """Return the version of each extension that the database has, and the one that its server would install."""
    known = sa.table(
        "pg_available_extensions", sa.column("name"), sa.column("installed_version"), sa.column("default_version")
    )
    query = sa.select(known.c.name, known.c.installed_version, known.c.default_version)
    with store.transaction(NO_CITY, read_only=True) as connection:
        found = {row.name: (row[1], row[2]) for row in connection.execute(query.where(known.c.name.in_(EXTENSIONS)))}
    return {name: found.get(name, (None, None)) for name in EXTENSIONS}


def is_leakproof(store: Store) -> bool:
    """Return whether ``&&`` may use the GiST index under row-level security."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        return _leakproof(connection)


def has_row_security(store: Store) -> bool:
    """Return whether row-level security binds what this server asks."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        return policies.is_in_force(connection) and not policies.unprotected(connection)


def _run(connection: sa.Connection, revision: str, *, downwards: bool) -> None:
    """Run the steps to `revision` in the connection's own transaction."""
    scripts = _scripts()

    def steps(have: Any, context: MigrationContext) -> list[RevisionStep]:
        del context
        # What alembic.command calls as well, after importing an env.py, which this function stands for.
        plan = scripts._downgrade_revs if downwards else scripts._upgrade_revs  # noqa: SLF001
        return list(plan(revision, have))

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(
            connection=connection,
            version_table=VERSION_TABLE,
            version_table_schema=CITY_SCHEMA,
            transaction_per_migration=False,
        )
        environment.run_migrations()


def _revision(connection: sa.Connection) -> str | None:
    context = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE, "version_table_schema": CITY_SCHEMA}
    )
    return context.get_current_revision()


@contextmanager
def _alone(store: Store) -> Iterator[sa.Connection]:
    """Open a transaction that no other one of this function runs beside."""
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
            if connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
                yield connection
                return
        if time.monotonic() > deadline:
            raise StoreUnavailable("another process has been changing the schema; try again later")
        time.sleep(0.1)


def _keep(connection: sa.Connection) -> None:
    _require_postgis(connection)
    is_superuser = connection.scalar(sa.select(sa.func.current_setting("is_superuser"))) == "on"
    if is_superuser and not _leakproof(connection):
        connection.exec_driver_sql(f"ALTER FUNCTION {BOX_TEST} LEAKPROOF")
    if _revision(connection) == head():
        policies.keep(connection)


def _leakproof(connection: sa.Connection) -> bool:
    functions = sa.table("pg_proc", sa.column("oid"), sa.column("proleakproof"), schema="pg_catalog")
    flag = sa.select(functions.c.proleakproof).where(functions.c.oid == sa.func.to_regprocedure(BOX_TEST))
    return bool(connection.scalar(flag))


def _require_postgis(connection: sa.Connection) -> None:
    extensions = sa.table(
        "pg_available_extensions", sa.column("name"), sa.column("default_version"), sa.column("installed_version")
    )
    version = connection.scalar(
        sa.select(sa.func.coalesce(extensions.c.installed_version, extensions.c.default_version)).where(
            extensions.c.name == "postgis"
        )
    )
    needed = ".".join(map(str, POSTGIS_NEEDED))
    if version is None:
        raise InvalidInput(f"the database server has no PostGIS; wangge needs {needed} or newer")
    if tuple(int(part) for part in version.split(".")[:2]) < POSTGIS_NEEDED:
        raise InvalidInput(f"the database has PostGIS {version}; wangge needs {needed} or newer")
