"""Open the database at the schema of this version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gis.errors import StoreUnavailable
from gis.store import audit, jobs, migrate
from gis.store.audit import Asker
from gis.store.connect import open_store
from gis.store.engine import Store
from gis.store.settings import settings


def ready_store() -> Store:
    """Return the opened database.

    The embedded one is brought to the schema of this version. One that was given may be in use by others, so its
    schema changes only by ``wangge db migrate``.

    Raises
    ------
    StoreUnavailable
        It cannot be reached, or a given one has another schema.
    """
    store = open_store()
    try:
        _bring_up(store)
    except BaseException:
        store.close()
        raise
    return store


def _bring_up(store: Store) -> None:
    """Bring schema and queue to the form this version needs."""
    if settings().database_url is None:
        migrate.upgrade(store)
    elif (have := migrate.current(store)) != migrate.head():
        raise StoreUnavailable(
            f"the database of WANGGE_DATABASE_URL has schema {have}, this version needs {migrate.head()}: "
            "run 'wangge db migrate'"
        )
    jobs.ensure_queue(store)


@contextmanager
def opened() -> Iterator[Store]:
    """Give the opened database to a command, and close it at the end."""
    store = ready_store()
    try:
        with audit.asking(Asker(audit.CONSOLE)):
            yield store
    finally:
        store.close()
