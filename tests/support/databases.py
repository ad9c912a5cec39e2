"""A throw-away PostgreSQL cluster for a test run, and a fresh migrated database for each test."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from gis.store import migrate
from gis.store.cluster import OPTIONS, TEST_OPTIONS, Cluster
from gis.store.engine import Store

DURABLE_OPTIONS = {**OPTIONS, "shared_buffers": "32MB", "min_dynamic_shared_memory": "0", "max_wal_size": "256MB"}
"""For tests that kill the server: small, and nothing that was acknowledged is lost."""

_KEEPER = """
import shutil, sys
from pathlib import Path
from gis.store.cluster import Cluster
sys.stdin.read()
Cluster(Path(sys.argv[1])).destroy()
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


MEMORY = Path("/dev/shm")  # noqa: S108 - the system's own, and a private folder in it
ROOM_BYTES = 8 * 1024**3
"""A folder in memory must have so much room: then a new database takes 20 ms there, and 130 ms on a disk."""


def _where() -> Path | None:
    """Return where folders of clusters are made; None for the usual place."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES else None


@contextmanager
def kept_folder() -> Iterator[Path]:
    """Give a data folder that ``postgres`` can enter; its cluster ends with this process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="wangge-test-", dir=_where()))
    folder.chmod(0o755)
    command = [sys.executable, "-c", _KEEPER, str(folder)]
    # Leaving the block closes the pipe, and so does the death of this process: then the keeper clears up.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield folder


@contextmanager
def started_cluster() -> Iterator[Cluster]:
    """Give a running cluster that is fast and may lose everything."""
    with kept_folder() as folder:
        cluster = Cluster(folder, options=TEST_OPTIONS)
        cluster.start()
        yield cluster


def make_template(cluster: Cluster) -> str:
    """Make a database of the newest schema to copy from, and return its name."""
    name = f"template_{migrate.head()}"
    _administer(cluster.url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    store = Store(cluster.url.set(database=name))
    migrate.upgrade(store)
    store.close()
    return name


@contextmanager
def fresh_database(cluster: Cluster, template: str = "template1") -> Iterator[URL]:
    """Give the address of a new database, dropped afterwards."""
    name = sql.Identifier(f"test_{secrets.token_hex(6)}")
    _administer(
        cluster.url,
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(name, sql.Identifier(template)),
    )
    try:
        yield cluster.url.set(database=name.as_string().strip('"'))
    finally:
        _administer(cluster.url, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _administer(url: URL, statement: sql.Composed) -> None:
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement)
