"""What a database says of itself: versions, size, connections."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from gis.store.engine import NO_CITY, Store


@dataclass(frozen=True, slots=True)
class Database:
    """A database as it is now.

    Attributes
    ----------
    pool_size, pool_used
        Connections for changes that this process may hold, and those in use.
    """

    postgresql: str
    postgis: str
    size_bytes: int
    pool_size: int
    pool_used: int


def database(store: Store) -> Database:
    """Return what `store` says of itself."""
    extensions = sa.table("pg_extension", sa.column("extname"), sa.column("extversion"), schema="pg_catalog")
    postgis = sa.select(extensions.c.extversion).where(extensions.c.extname == "postgis").scalar_subquery()
    query = sa.select(
        sa.func.current_setting("server_version"), postgis, sa.func.pg_database_size(sa.func.current_database())
    )
    with store.transaction(NO_CITY, read_only=True) as connection:
        version, spatial, size = connection.execute(query).one()
    pool = store.engine.pool
    used, most = (pool.checkedout(), pool.size()) if isinstance(pool, sa.QueuePool) else (0, 0)
    return Database(str(version).split(" ", maxsplit=1)[0], str(spatial), int(size), most, used)
