"""The server's hand in the audit log: rows that wait for the log together, and views that are counted by the minute."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, NamedTuple

from api.logs import log
from gis.errors import StoreUnavailable
from gis.store import audit
from gis.store.audit import Action, Asker, Entry, Trail
from gis.store.engine import Store

FLUSH_S: Final = 30.0
"""How often what was counted is written: each count is in the log within a minute."""
OVERDUE_S: Final = 180.0
"""With counts older than this and a log that does not take them, nothing more is shown."""
MOST_KEYS: Final = 20_000


class Tallied(NamedTuple):
    """What is counted together: whose requests of what, in which minute since 1970."""

    asker: tuple[Any, ...]
    action: Action
    object: str
    city_id: int | None
    minute: int
    why: str = ""


_Waiting = tuple[Entry, Trail, "asyncio.Future[None]"]


class Ledger:
    """Writes rows before answers go out, and counts what is asked too often for a row each.

    Rows that wait at the same time are written in one transaction: while one is being made durable, the next ones
    gather.

    Parameters
    ----------
    clock
        Seconds, never going back.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._counts: Counter[Tallied] = Counter()
        self._oldest: float | None = None

    async def write(self, entry: Entry, trail: Trail) -> None:
        """Write a row, and return when it is durable.

        Raises
        ------
        StoreUnavailable
            The log cannot be written.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, trail, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write_all())
        await done

    async def _write_all(self) -> None:
        while self._waiting:
            now, self._waiting = self._waiting, []
            error = await self._write_some(now)
            if error is None or isinstance(error, StoreUnavailable) or len(now) == 1:
                _answer(now, error)
                continue
            for one in now:  # one row that cannot be written is nobody else's
                _answer([one], await self._write_some([one]))

    async def _write_some(self, rows: Sequence[_Waiting]) -> Exception | None:
        try:
            await audit.record_all(self._store, [(entry, trail) for entry, trail, _ in rows])
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting
            return error
        return None

    def count(self, entry: Entry, trail: Trail, *, why: str = "") -> None:
        """Count one request, to be written with others like it.

        Raises
        ------
        StoreUnavailable
            What was counted before has long been waiting for the log.
        """
        if self._oldest is not None and self._clock() - self._oldest > OVERDUE_S:
            raise StoreUnavailable("the audit log has been away for too long")
        if len(self._counts) >= MOST_KEYS:
            raise StoreUnavailable("too many different things were asked within a minute")
        by = trail.asker
        asker = (by.role, by.account_id, by.account, by.areas)
        self._counts[Tallied(asker, entry.action, entry.object, entry.city_id, int(time.time() // 60), why)] += 1
        if self._oldest is None:
            self._oldest = self._clock()
        trail.written += 1

    async def flush(self) -> None:
        """Write down what was counted; where that fails the counts stay.

        Raises
        ------
        StoreUnavailable
            The log cannot be written.
        """
        now, self._counts = self._counts, Counter()
        oldest, self._oldest = self._oldest, None
        if not now:
            return
        rows = [(_entry(key, count), Trail(Asker(*key.asker))) for key, count in now.items()]
        try:
            await audit.record_all(self._store, rows)
        except BaseException:
            self._counts.update(now)
            self._oldest = oldest
            raise

    @contextlib.asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Write the counts every half minute, and once more at the end."""
        task = asyncio.ensure_future(self._again_and_again())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._flush_or_say()

    async def _again_and_again(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            await self._flush_or_say()

    async def _flush_or_say(self) -> None:
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001 - whatever it is, the counts are tried again
            log().error("audit_log_away", reason=str(error))


def _answer(waiting: Sequence[_Waiting], error: Exception | None) -> None:
    for _, _, done in waiting:
        if done.done():
            continue  # the client has left
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)


def _entry(key: Tallied, count: int) -> Entry:
    minute = dt.datetime.fromtimestamp(key.minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
    detail = {"minute": minute, "requests": count, **({"why": key.why} if key.why else {})}
    return Entry(key.action, key.object, key.city_id, detail=detail)
