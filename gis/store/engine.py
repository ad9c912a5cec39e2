"""The one door into PostGIS.

Every statement of wangge runs inside a transaction opened here, and every transaction carries its scope: the city and
the areas that the caller may see. Scope and database role are set for that transaction only
(``set_config(..., true)``), so that a pooled connection cannot carry them to the next user. A house test finds no other
``set_config`` and no ``SET`` in the code base.

The role is ``wangge_app``, or ``wangge_ro`` where nothing is to be written: row-level security (`gis.store.policies`)
binds both, whatever the login may do. Only what the house does for itself, over all cities, runs as the login.

There are three leaves of the same door: `Store.transaction` for everything, on SQLAlchemy and psycopg; `Store.reading`
for what is asked often, on asyncpg; and for what is asked most often `Store.value`, and `Store.call` where that writes:
a statement that brings its scope along and is a transaction by itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

import asyncpg
import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from gis.errors import StoreUnavailable
from gis.store import patience
from gis.store.settings import settings

API_TIMEOUT_S: Final = 10.0
TILE_TIMEOUT_S: Final = 3.0
WORKER_TIMEOUT_S: Final = 1800.0
POOL_TIMEOUT_S: Final = 2.0
CONNECT_TIMEOUT_S: Final = 5

# A login that row-level security binds can do without the roles; one that it does not bind fails without them.
_ROLE: Final = (
    "CASE WHEN pg_has_role(session_user, to_regrole({0})::oid, 'MEMBER') OR current_setting('is_superuser') = 'on' "
    "THEN {0} ELSE 'none' END"
)
SCOPE_SQL: Final = (
    "SELECT set_config('wangge.city', $1, true), set_config('wangge.areas', $4, true), "
    "set_config('statement_timeout', $2, true), "
    "set_config('transaction_read_only', $3, true), set_config('lock_timeout', '3s', true), "
    "set_config('idle_in_transaction_session_timeout', '15s', true), "
    "set_config('client_connection_check_interval', '2s', true), "
    "set_config('plan_cache_mode', 'force_custom_plan', true), "
    "set_config('role', {role}, true)"
).format(role=_ROLE.format("$5"))
"""Scope, role and limits of one transaction; a given database has no limits of its own.

Each statement is planned for its own values: from its sixth run on, a prepared one would be planned as if a hundred
rows lay in any box, and a tile of 800,000 points then takes four times as long.
"""
_VALUE_SQL: Final = (
    "WITH scope AS MATERIALIZED (SELECT set_config('wangge.city', {city}, true) AS city, "
    "set_config('wangge.areas', {areas}, true) AS areas) "
    "SELECT CASE WHEN scope.city IS NOT NULL AND scope.areas IS NOT NULL THEN ({statement}) END FROM scope"
)
"""A statement of one value, and its scope before it: the condition is what makes PostgreSQL set the one first. Were the
order ever another, the policies would find no city and let nothing through."""

APP_ROLE: Final = "wangge_app"
READING_ROLE: Final = "wangge_ro"
_ROLE_SQL: Final = "SELECT set_config('role', {role}, false)".format(role=_ROLE.format("$1"))
"""For the connections on which single statements run: they are one role, and never anything else."""
NO_ROLE: Final = "none"
"""What PostgreSQL calls the login's own role."""
EVERYTHING: Final = "*"
"""Value of a setting of the scope: all cities, or all areas of the city."""

_TOO_SLOW: Final = "57014"
_BAD_VALUE: Final = "22023"
_SCOPE_BY_NAME: Final = re.sub(
    r"\$([1-5])", lambda place: f"%({('city', 'limit', 'read_only', 'areas', 'role')[int(place[1]) - 1]})s", SCOPE_SQL
)
"""The same for psycopg, which has names for its places."""
_UNAVAILABLE: Final = {
    _TOO_SLOW: "the query took too long",
    "55P03": "another change holds what this one needs; try again in a moment",
    "25P03": "the transaction was left open too long",
    "08": "the database cannot be reached",
    "53": "the database has no memory, disk or connection to spare",
    "57P": "the database is shutting down or starting",
}
"""SQLSTATE, or the beginning of it, that means away or too slow, and what to tell."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction may see.

    Attributes
    ----------
    city_id
        The city; 0 where none is concerned yet (creating one, the job queue).
    since
        Events before this instant are not seen; None where all are.
    areas
        Ids of all the areas that are seen, in ascending order: a district with its streets and communities. None for
        the whole city, and what lies in no area besides.
    unseen
        Frames of whose single places nothing is seen, in ascending order: no run that tells of them, either.
    """

    city_id: int
    since: dt.datetime | None = None
    areas: tuple[int, ...] | None = None
    unseen: tuple[str, ...] = ()

    @property
    def covered(self) -> str:
        """The areas as the policies read them: their numbers, or what stands for all."""
        return EVERYTHING if self.areas is None else ",".join(map(str, self.areas))

    @property
    def hash(self) -> str:
        """Short stable name of the scope, for cache keys and job keys."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


NO_CITY: Final = Scope(0)

Plan = Literal["once", "each"]


class _Single(NamedTuple):
    """Connections on which single statements run.

    Attributes
    ----------
    role
        That they are.
    limit_s
        How long a statement may take.
    plan
        Whether it is planned once for all values, or each time for its own.
    """

    role: str
    limit_s: float
    plan: Plan


@dataclass(slots=True)
class _LoopPool:
    """The asynchronous connections of one event loop, made at the first use."""

    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    pools: dict[_Single | None, asyncpg.Pool] = field(default_factory=dict)
    """For transactions under None."""


class Store:
    """A database, and the only ways to a transaction in it."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url).set(drivername="postgresql+psycopg")
        size = settings().pool_size
        self.engine = sa.create_engine(
            self.url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "application_name": "wangge",
                **patience.KEEPALIVE,
            },
        )
        patience.watch(self.engine)
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _LoopPool] = WeakKeyDictionary()

    @contextmanager
    def transaction(
        self,
        scope: Scope,
        *,
        timeout_s: float = API_TIMEOUT_S,
        read_only: bool = False,
        as_owner: bool = False,
    ) -> Iterator[sa.Connection]:
        """Open a transaction in `scope`; commit at the end, roll back on an error.

        Parameters
        ----------
        as_owner
            As the login itself and with every row of every city, whatever the scope: for changes of the schema and
            for what the house does over all cities. A house test holds the list of who asks for it.

        Raises
        ------
        StoreUnavailable
            PostGIS is away, no connection came free in time, or a statement took longer than `timeout_s`.
        """
        try:
            with self.engine.begin() as connection:
                patience.expect(connection, timeout_s)
                given = _scope_values(scope, timeout_s, read_only=read_only, as_owner=as_owner)
                with _needing_roles():
                    connection.exec_driver_sql(_SCOPE_BY_NAME, given)
                yield connection
        except sa.exc.TimeoutError as error:
            raise StoreUnavailable("no database connection came free in time") from error
        except sa.exc.DBAPIError as error:
            if (away := _away(error.orig)) is not None:
                raise StoreUnavailable(away) from error
            raise
        except psycopg.Error as error:
            # From a cursor of the driver itself, as COPY needs one.
            if (away := _away(error)) is not None:
                raise StoreUnavailable(away) from error
            raise

    @asynccontextmanager
    async def reading(self, scope: Scope, *, timeout_s: float = API_TIMEOUT_S) -> AsyncIterator[asyncpg.Connection]:
        """Open a read-only transaction in `scope` on the asynchronous pool of the running event loop.

        Raises
        ------
        StoreUnavailable
            As `transaction`.
        """
        async with (
            self._connection(None) as connection,
            patience.expected(connection, timeout_s),
            _scoped(connection, _opening(scope, timeout_s)),
        ):
            yield connection

    async def value(
        self,
        scope: Scope,
        statement: str,
        arguments: Sequence[object],
        *,
        timeout_s: float = API_TIMEOUT_S,
        plan: Plan = "each",
    ) -> Any:
        """Return the one value of a statement that reads in `scope`, as a transaction of its own: one round trip.

        Parameters
        ----------
        statement
            A SELECT of one row and one column, its places ``$1`` and so on.
        plan
            ``each`` for its own values, as in a `reading`. ``once`` for all of them, which saves half the time of a
            small tile, and fits only what finds its few rows by an index whatever the values are.

        Raises
        ------
        StoreUnavailable
            As `transaction`.
        """
        return await self._single(_Single(READING_ROLE, timeout_s, plan), scope, statement, arguments)

    async def call(
        self, scope: Scope, statement: str, arguments: Sequence[object], *, timeout_s: float = API_TIMEOUT_S
    ) -> Any:
        """Do the same with a statement that calls a function of the database which writes: all of it or nothing."""
        return await self._single(_Single(APP_ROLE, timeout_s, "once"), scope, statement, arguments)

    async def _single(self, how: _Single, scope: Scope, statement: str, arguments: Sequence[object]) -> Any:
        text = _with_scope(statement, len(arguments))
        async with self._connection(how) as connection, patience.expected(connection, how.limit_s):
            return await connection.fetchval(text, *arguments, str(scope.city_id), scope.covered)

    @asynccontextmanager
    async def _connection(self, how: _Single | None) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection of the running event loop."""
        try:
            pool = await self._asynchronous_pool(how)
            with _needing_roles():
                connection = await pool.acquire(timeout=POOL_TIMEOUT_S)
        except TimeoutError as error:
            raise StoreUnavailable("no database connection came free in time") from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(_UNAVAILABLE["08"]) from error
        try:
            yield connection
        except (ConnectionError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if (away := _away(error)) is not None:
                raise StoreUnavailable(away) from error
            raise
        finally:
            await pool.release(connection)

    async def _asynchronous_pool(self, how: _Single | None = None) -> asyncpg.Pool:
        mine = self._pools.setdefault(asyncio.get_running_loop(), _LoopPool())
        if (known := mine.pools.get(how)) is not None:
            return known
        async with mine.making:
            if how not in mine.pools:
                mine.pools[how] = await asyncpg.create_pool(
                    self.url.set(drivername="postgresql").render_as_string(hide_password=False),
                    min_size=0,
                    max_size=settings().pool_size,
                    timeout=CONNECT_TIMEOUT_S,
                    server_settings={**_SESSION, **({} if how is None else _limits(how))},
                    init=None if how is None else partial(_take_role, role=how.role),
                    reset=_nothing_to_reset,
                )
            return mine.pools[how]

    async def aclose(self) -> None:
        """Close the connections of the running event loop and those of `transaction`."""
        mine = self._pools.pop(asyncio.get_running_loop(), None)
        for pool in mine.pools.values() if mine is not None else ():
            await pool.close()
        self.close()

    def close(self) -> None:
        """Close the pool of `transaction`; for processes that never read asynchronously."""
        self.engine.dispose()


@asynccontextmanager
async def _scoped(connection: asyncpg.Connection, opening: str) -> AsyncIterator[None]:
    """Open a transaction and its scope in one round trip; give up a connection that cannot be rolled back."""
    try:
        with _needing_roles():
            await connection.execute(opening)
        yield
        await connection.execute("COMMIT")
    except BaseException:
        try:
            await connection.execute("ROLLBACK")
        except BaseException:  # noqa: BLE001 - whatever it is, the scope must not reach the next user
            with suppress(asyncpg.InterfaceError):  # one that was lost is the pool's no longer
                connection.terminate()
        raise


@lru_cache(maxsize=1024)
def _opening(scope: Scope, timeout_s: float) -> str:
    """Return what begins a reading transaction; its values stand in the text, as several statements take no others."""
    values = [*_scope_values(scope, timeout_s, read_only=True).values()]
    if wrong := [value for value in values if not _PLAIN_VALUE.fullmatch(value)]:
        raise ValueError(f"not a value of a scope: {wrong}")
    scoped = re.sub(r"\$([1-5])", lambda place: f"'{values[int(place[1]) - 1]}'", SCOPE_SQL)
    return f"BEGIN READ ONLY; {scoped}"


_SESSION: Final = {"application_name": "wangge", "DateStyle": "ISO"}
_PLAIN_VALUE: Final = re.compile(r"[\w*,]*", re.ASCII)


@lru_cache(maxsize=1024)
def _with_scope(statement: str, count: int) -> str:
    """Return a statement with its scope before it, whose values take the two places after its own."""
    return _VALUE_SQL.format(city=f"${count + 1}", areas=f"${count + 2}", statement=statement)


def _limits(how: _Single) -> dict[str, str]:
    """Return the settings of connections on which single statements run."""
    return {
        "default_transaction_read_only": "on" if how.role == READING_ROLE else "off",
        "statement_timeout": f"{max(1, round(how.limit_s * 1000))}ms",
        "lock_timeout": "3s",
        "client_connection_check_interval": "2s",
        "plan_cache_mode": "force_generic_plan" if how.plan == "once" else "force_custom_plan",
    }


async def _take_role(connection: asyncpg.Connection, *, role: str) -> None:
    """Let a new connection be a role for good."""
    await connection.fetchval(_ROLE_SQL, role)


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Do nothing when a connection goes back: whatever was set, was set for its transaction. Saves a round trip."""


def _scope_values(scope: Scope, timeout_s: float, *, read_only: bool, as_owner: bool = False) -> dict[str, str]:
    """Return the values of `SCOPE_SQL`, in the order of its places."""
    role = READING_ROLE if read_only else APP_ROLE
    return {
        "city": EVERYTHING if as_owner else str(scope.city_id),
        # 0 would mean no limit at all.
        "limit": f"{max(1, round(timeout_s * 1000))}ms",
        "read_only": "on" if read_only else "off",
        "areas": EVERYTHING if as_owner else scope.covered,
        "role": NO_ROLE if as_owner else role,
    }


@contextmanager
def _needing_roles() -> Iterator[None]:
    """Say what to do where the login is above row-level security and the roles below it are missing."""
    try:
        yield
    except (sa.exc.DBAPIError, asyncpg.PostgresError) as error:
        if getattr(getattr(error, "orig", error), "sqlstate", None) != _BAD_VALUE:
            raise
        raise StoreUnavailable("the database lacks the roles of wangge: 'wangge db migrate' makes them") from error


def _away(error: BaseException | None) -> str | None:
    """Return what to tell when an error means that the database is away or too slow, None when it is another one."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        return next((words for start, words in _UNAVAILABLE.items() if state.startswith(start)), None)
    # The driver itself speaks: the connection is gone, or, as asyncpg has it, was used in a wrong way.
    if isinstance(error, psycopg.OperationalError | ConnectionError):
        return _UNAVAILABLE["08"]
    if isinstance(error, asyncpg.InterfaceError) and ("closed" in str(error) or "released" in str(error)):
        return _UNAVAILABLE["08"]
    return None
