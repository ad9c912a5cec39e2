"""Open the store that the settings name."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from gis.errors import StoreUnavailable
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Store
from gis.store.settings import settings


@cache
def embedded_cluster() -> Cluster:
    """Return the cluster in the data folder of the settings, started or not."""
    return Cluster(settings().data_dir)


def open_store() -> Store:
    """Open the database of ``WANGGE_DATABASE_URL``, or the embedded one, which is started when needed.

    The schema is not touched: call `gis.store.migrate.upgrade` before the first use.

    Raises
    ------
    StoreUnavailable
        The database cannot be reached or started; the message says why and what to do.
    """
    given = settings().database_url
    if given is None:
        return Store(embedded_cluster().start())
    try:
        store = Store(given)
    except sa.exc.ArgumentError:
        raise StoreUnavailable(
            "WANGGE_DATABASE_URL is not an address such as postgresql://user:password@host:5432/database"
        ) from None
    try:
        with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
            connection.execute(sa.select(sa.literal(1)))
    except StoreUnavailable as error:
        store.close()
        where = store.url.set(drivername="postgresql").render_as_string(hide_password=True)
        raise StoreUnavailable(f"{where} (WANGGE_DATABASE_URL): {error}") from error
    return store
