"""What changed in another process, told at once: a notification in the transaction that changes it.

Every look at the database may be kept for a moment only because of this: whoever keeps something listens, and drops it
when a change is told, and when they could not hear for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import sqlalchemy as sa

from gis.store.engine import CONNECT_TIMEOUT_S, Store

CHANNEL: Final = "wangge_changes"
AGAIN_S: Final = 0.5
"""How long to wait before trying to listen again; what is kept is no older than its own limit all the while."""


def tell(connection: sa.Connection) -> None:
    """Tell every listener that something changed, once the transaction at hand is committed; once a transaction."""
    connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))


@asynccontextmanager
async def heard(store: Store, forget: Callable[[], None]) -> AsyncIterator[None]:
    """Call `forget` at every change that any process has committed, while the block runs.

    On a connection of its own beside the pool. A connection that is lost is made again, and `forget` called then too:
    nobody knows what was missed.
    """
    listening = asyncio.create_task(_listen(store, forget))
    try:
        yield
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


async def _listen(store: Store, forget: Callable[[], None]) -> None:
    address = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    name = {"application_name": "wangge, listening"}
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            connection = await asyncpg.connect(address, timeout=CONNECT_TIMEOUT_S, server_settings=name)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda *_, lost=lost: lost.set())
            try:
                await connection.add_listener(CHANNEL, _called(forget))
                forget()
                await lost.wait()
            finally:
                forget()
                connection.terminate()
        await asyncio.sleep(AGAIN_S)


def _called(forget: Callable[[], None]) -> Callable[..., None]:
    def hear(*_: Any) -> None:
        forget()

    return hear
