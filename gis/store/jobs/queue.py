"""The queue behind the jobs: procrastinate's tables in a schema of their own.

procrastinate writes the names of its tables without a schema. Its own connections therefore look into the schema first,
and so do its functions and triggers wherever they are called from, so that a job is queued in the transaction that
writes it down.
"""

from __future__ import annotations

import hashlib
from typing import Final

import psycopg
import sqlalchemy as sa
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy.dialects import postgresql as pg

from gis.store.engine import CONNECT_TIMEOUT_S, NO_CITY, Store
from gis.store.tables import JOBS

SCHEMA: Final = "queue"
QUEUE: Final = "runs"
TASK: Final = "wangge.run"
HEARTBEAT_S: Final = 2.0
STALLED_S: Final = 8.0
"""A worker silent for so long is gone: four heartbeats."""
LOCK: Final = 0x77616E676571
"""Key of the advisory lock under which the queue is made."""
SEARCH_PATH: Final = f"-c search_path={SCHEMA}"

BIND_FUNCTIONS: Final = """
DO $$
DECLARE
    one regprocedure;
BEGIN
    FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'queue'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = queue, pg_temp', one);
    END LOOP;
END
$$
"""
"""Makes procrastinate's functions find their tables from any connection; a loop over functions has no form in
SQLAlchemy."""

GRANT_RIGHTS: Final = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM (VALUES
        ('wangge_app', 'SELECT, INSERT, UPDATE, DELETE', 'USAGE'),
        ('wangge_ro', 'SELECT', NULL),
        ('wangge_backup', 'SELECT', 'SELECT')
    ) AS rights (role, tables, sequences) WHERE to_regrole(role) IS NOT NULL LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA queue TO %I', one.role);
        EXECUTE format('GRANT %s ON ALL TABLES IN SCHEMA queue TO %I', one.tables, one.role);
        IF one.sequences IS NOT NULL THEN
            EXECUTE format('GRANT %s ON ALL SEQUENCES IN SCHEMA queue TO %I', one.sequences, one.role);
        END IF;
    END LOOP;
END
$$
"""
"""What `gis.store.policies` gives the roles on every other table, in the transaction that makes these."""

_ENTRIES: Final = sa.table(
    "procrastinate_jobs",
    sa.column("queue_name", sa.Text),
    sa.column("task_name", sa.Text),
    sa.column("lock", sa.Text),
    sa.column("queueing_lock", sa.Text),
    sa.column("args", pg.JSONB),
    sa.column("status", sa.Text),
    schema=SCHEMA,
)
_STATUS: Final = sa.cast(_ENTRIES.c.status, sa.Text)
_WORKERS: Final = sa.table(
    "procrastinate_workers", sa.column("id"), sa.column("last_heartbeat", sa.DateTime(timezone=True)), schema=SCHEMA
)


def address(store: Store) -> str:
    """Return the database's address for connections of procrastinate's own."""
    return store.url.set(drivername="postgresql").render_as_string(hide_password=False)


def ensure_queue(store: Store) -> None:
    """Make the queue unless it is there in the form that the installed procrastinate has; idempotent.

    A queue of another form is thrown away: it holds nothing that the jobs do not say, and a worker fills it again.
    """
    script = SchemaManager.get_schema()
    form = f"procrastinate {hashlib.sha256(script.encode()).hexdigest()[:16]}"
    have = sa.select(sa.func.obj_description(sa.func.to_regnamespace(SCHEMA), "pg_namespace"))
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        if connection.scalar(have) == form:
            return
    with psycopg.connect(address(store), options=SEARCH_PATH, connect_timeout=CONNECT_TIMEOUT_S) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        row = connection.execute("SELECT obj_description(to_regnamespace(%s), 'pg_namespace')", [SCHEMA]).fetchone()
        if row == (form,):
            return
        name = sql.Identifier(SCHEMA)
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(name))
        connection.execute(script)
        connection.execute(BIND_FUNCTIONS)
        connection.execute(GRANT_RIGHTS)
        connection.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(name, sql.Literal(form)))


def enqueue(connection: sa.Connection, job_id: int) -> None:
    """Put a job into the queue, in the connection's own transaction, unless it waits there already.

    A worker hears of it at the commit.
    """
    entry = pg.insert(_ENTRIES).values(
        queue_name=QUEUE, task_name=TASK, lock=_lock(job_id), queueing_lock=_lock(job_id), args={"job_id": job_id}
    )
    connection.execute(entry.on_conflict_do_nothing())


def withdraw(connection: sa.Connection, job_id: int) -> None:
    """Take a waiting job out of the queue."""
    connection.execute(_ENTRIES.delete().where(_ENTRIES.c.lock == _lock(job_id), _STATUS == "todo"))


def enqueue_lost(store: Store) -> list[int]:
    """Put those jobs into the queue that are not done and not in it; return their ids."""
    lock = sa.literal("job-").concat(sa.cast(JOBS.c.id, sa.Text))
    known = sa.exists().where(_ENTRIES.c.lock == lock, _STATUS.in_(("todo", "doing")))
    lost = sa.select(JOBS.c.id).where(JOBS.c.state.in_(("accepted", "running")), ~known).order_by(JOBS.c.id)
    with store.transaction(NO_CITY, as_owner=True) as connection:
        ids = list(connection.scalars(lost))
        for job_id in ids:
            enqueue(connection, job_id)
    return ids


def has_worker(store: Store) -> bool:
    """Return whether a worker has been heard of lately."""
    lately = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, STALLED_S)
    alive = sa.select(sa.exists(sa.select(_WORKERS.c.id).where(_WORKERS.c.last_heartbeat > lately)))
    with store.transaction(NO_CITY, read_only=True) as connection:
        return bool(connection.scalar(alive))


def _lock(job_id: int) -> str:
    """Return the name under which one entry a job may wait, and one may run."""
    return f"job-{job_id}"
