"""Finished answers in memory, by their key; one request computes an answer, the others wait for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

ENTRY_BYTES: Final = 400
"""What an entry costs beside its bytes, about."""

V = TypeVar("V")


def etag(key: Hashable) -> str:
    """Return the ETag of a key.

    Of the key and not of the bytes: a key holds the version of everything the answer was made from, so a matching
    If-None-Match is answered without touching cache or database.
    """
    return f'"{hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'


def weigh_bytes(content: bytes) -> int:
    """Return what some bytes cost in memory."""
    return len(content) + ENTRY_BYTES


class _Flight(Generic[V]):
    """An answer being computed, and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Future[V]) -> None:
        self.task = task
        self.waiting = 0


class Cache(Generic[V]):
    """Least recently used answers up to a total weight; single flight; errors are never kept.

    Parameters
    ----------
    limit
        Greatest total weight.
    weigh
        Gives the weight of an answer; 1 each by default.
    """

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self.limit = limit
        self.weight = 0
        self.hits = 0
        self.misses = 0
        self._weigh = weigh
        self._kept: OrderedDict[Hashable, V] = OrderedDict()
        self._flights: dict[Hashable, _Flight[V]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def peek(self, key: Hashable) -> V | None:
        """Return the finished answer, or None."""
        found = self._kept.get(key)
        if found is not None:
            self.hits += 1
            self._kept.move_to_end(key)
        return found

    async def get(self, key: Hashable, make: Callable[[], Awaitable[V]]) -> V:
        """Return the answer, computing it at most once at a time.

        A caller that is cancelled does not cancel the others; the computation ends when the last one has left.
        """
        found = self.peek(key)
        if found is not None:
            return found
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.ensure_future(self._make(key, make)))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.task.done():
                flight.task.cancel()
                self._landed(key, flight)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[V]]) -> V:
        self.misses += 1
        made = await make()
        self.keep(key, made)
        return made

    def _landed(self, key: Hashable, flight: _Flight[V]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.done() and not flight.task.cancelled():
            # Read it, so that a failure nobody waits for any more is not reported as lost.
            flight.task.exception()

    def keep(self, key: Hashable, made: V) -> None:
        """Keep an answer that was computed besides."""
        weight = self._weigh(made)
        if weight > self.limit:
            return
        if (before := self._kept.pop(key, None)) is not None:
            self.weight -= self._weigh(before)
        self._kept[key] = made
        self.weight += weight
        while self.weight > self.limit:
            _, oldest = self._kept.popitem(last=False)
            self.weight -= self._weigh(oldest)
