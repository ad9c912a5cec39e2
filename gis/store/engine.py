"""The one door into PostGIS.

Every statement of wangge runs inside a transaction opened here, and every transaction carries its scope: the city, and
later the caller's areas. The scope is set for that transaction only (``set_config(..., true)``), so that a pooled
connection cannot carry it to the next user. A house test finds no other ``set_config`` and no ``SET`` in the code base.

There are two leaves of the same door: `Store.transaction` for everything, on SQLAlchemy and psycopg; `Store.reading`
for the hot path of tiles and items, on asyncpg.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from gis.errors import StoreUnavailable
from gis.store.settings import settings

API_TIMEOUT_S: Final = 10.0
TILE_TIMEOUT_S: Final = 3.0
WORKER_TIMEOUT_S: Final = 1800.0
POOL_TIMEOUT_S: Final = 2.0
CONNECT_TIMEOUT_S: Final = 5

SCOPE_SQL: Final = (
    "SELECT set_config('wangge.city', $1, true), set_config('statement_timeout', $2, true), "
    "set_config('transaction_read_only', $3, true)"
)

_UNAVAILABLE_STATES: Final = frozenset({"57014", "57P01", "57P02", "57P03", "53300", "55P03"})
"""SQLSTATEs that mean away or too slow: cancelled, shutting down, starting, too many connections, lock not had."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see.

    Attributes
    ----------
    city_id
        The city; 0 where none is concerned yet (creating one, the job queue).
    """

    city_id: int

    @property
    def hash(self) -> str:
        """Short stable name of the scope, for cache keys and job keys."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


NO_CITY: Final = Scope(0)


class Store:
    """A database, and the only two ways to a transaction in it."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        size = settings().pool_size
        self.engine = sa.create_engine(
            self.url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "wangge"},
        )
        self._pool: asyncpg.Pool | None = None

    @contextmanager
    def transaction(
        self, scope: Scope, *, timeout_s: float = API_TIMEOUT_S, read_only: bool = False
    ) -> Iterator[sa.Connection]:
        """Open a transaction in `scope`; commit at the end, roll back on an error.

        Raises
        ------
        StoreUnavailable
            PostGIS is away, no connection came free in time, or a statement took longer than `timeout_s`.
        """
        try:
            with self.engine.begin() as connection:
                connection.exec_driver_sql(
                    SCOPE_SQL.replace("$1", "%s").replace("$2", "%s").replace("$3", "%s"),
                    _scope_values(scope, timeout_s, read_only=read_only),
                )
                yield connection
        except sa.exc.TimeoutError as error:
            raise StoreUnavailable("no database connection came free in time") from error
        except sa.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", None)
            if error.connection_invalidated or state in _UNAVAILABLE_STATES or (state or "08").startswith("08"):
                raise StoreUnavailable(_away(state)) from error
            raise

    @asynccontextmanager
    async def reading(self, scope: Scope, *, timeout_s: float = API_TIMEOUT_S) -> AsyncIterator[asyncpg.Connection]:
        """Open a read-only transaction in `scope` on the asynchronous pool.

        Raises
        ------
        StoreUnavailable
            As `transaction`.
        """
        try:
            pool = await self._asynchronous_pool()
            async with pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction():
                await connection.fetchrow(SCOPE_SQL, *_scope_values(scope, timeout_s, read_only=True))
                yield connection
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise StoreUnavailable(_away(None)) from error
        except asyncpg.PostgresError as error:
            if error.sqlstate in _UNAVAILABLE_STATES:
                raise StoreUnavailable(_away(error.sqlstate)) from error
            raise

    async def _asynchronous_pool(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self.url.set(drivername="postgresql").render_as_string(hide_password=False),
                min_size=0,
                max_size=settings().pool_size,
                timeout=CONNECT_TIMEOUT_S,
                server_settings={"application_name": "wangge"},
            )
        return self._pool

    async def aclose(self) -> None:
        """Close both pools."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        self.engine.dispose()

    def close(self) -> None:
        """Close the pool of `transaction`; for processes that never read asynchronously."""
        self.engine.dispose()


def _scope_values(scope: Scope, timeout_s: float, *, read_only: bool) -> tuple[str, str, str]:
    return str(scope.city_id), f"{int(timeout_s * 1000)}ms", "on" if read_only else "off"


def _away(state: str | None) -> str:
    return "the query took too long" if state == "57014" else "the database cannot be reached"
