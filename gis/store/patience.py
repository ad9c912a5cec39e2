"""How long an answer of the database is waited for.

The limit of a statement is kept by the server. One that has stopped without going away keeps no limit, and one deep in
a computation of GEOS keeps it late (88 s instead of 2, measured): then the connection is given up, so that the pool
does not fill with connections on which nobody will ever answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import psycopg
import sqlalchemy as sa
from psycopg.errors import _WaitTimeout

ANSWER_S: Final = 5.0
"""How much longer than the limit of its statement an answer may take."""
KEEPALIVE: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 25_000}
"""Options of libpq by which a machine that has vanished is found out, whatever is waited for."""
_LOOK_S: Final = 0.1
"""How often a signal of the process is looked for meanwhile, as in psycopg."""


class PatientConnection(psycopg.Connection[Any]):
    """A connection that closes itself when an answer does not come.

    Attributes
    ----------
    patience_s
        For each answer.
    """

    patience_s: float = ANSWER_S

    def wait(self, gen: Any, interval: float = _LOOK_S, timeout: float | None = None) -> Any:
        """Wait for the end of an exchange; `psycopg.OperationalError` when it does not come."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience_s)
        except _WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("the database did not answer in time") from None


def watch(engine: sa.Engine) -> None:
    """Give an engine patient connections."""
    sa.event.listen(engine, "do_connect", _connect)
    sa.event.listen(engine, "checkin", _forget)


def expect(connection: sa.Connection, timeout_s: float) -> None:
    """Say how long a statement of the transaction may take."""
    raw = connection.connection.driver_connection
    if isinstance(raw, PatientConnection):
        raw.patience_s = timeout_s + ANSWER_S


@asynccontextmanager
async def expected(connection: asyncpg.Connection, timeout_s: float) -> AsyncIterator[None]:
    """Give an asynchronous connection up when the block takes longer than its statements may and an answer more."""
    timer = asyncio.get_running_loop().call_later(timeout_s + ANSWER_S, connection.terminate)
    try:
        yield
    finally:
        timer.cancel()


def _connect(_dialect: Any, _record: Any, arguments: Any, options: Any) -> PatientConnection:
    return PatientConnection.connect(*arguments, **options)


def _forget(connection: Any, _record: Any) -> None:
    if isinstance(connection, PatientConnection):
        connection.patience_s = ANSWER_S
