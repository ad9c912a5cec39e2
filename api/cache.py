"""Finished tiles in memory, by their key; one request computes a tile, the others wait for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

ENTRY_BYTES: Final = 400
"""What an entry costs beside its bytes, about."""


def etag(key: Hashable) -> str:
    """Return the ETag of a key.

    Of the key and not of the bytes: a key holds the version of everything the tile was made from, so a matching
    If-None-Match is answered without touching cache or database.
    """
    return f'"{hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'


class _Flight:
    """A tile being computed, and how many wait for it."""

    __slots__ = ("task", "waiting")

    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiting = 0


class TileCache:
    """Least recently used tiles up to `max_bytes`; single flight; errors are never kept."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._tiles: OrderedDict[Hashable, bytes] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}

    def __len__(self) -> int:
        return len(self._tiles)

    def peek(self, key: Hashable) -> bytes | None:
        """Return the finished tile, or None."""
        tile = self._tiles.get(key)
        if tile is not None:
            self._tiles.move_to_end(key)
        return tile

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return the tile, computing it at most once at a time.

        A caller that is cancelled does not cancel the others; the computation ends when the last one has left.
        """
        tile = self.peek(key)
        if tile is not None:
            return tile
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

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        tile = await make()
        self._keep(key, tile)
        return tile

    def _landed(self, key: Hashable, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.done() and not flight.task.cancelled():
            # Read it, so that a failure nobody waits for any more is not reported as lost.
            flight.task.exception()

    def _keep(self, key: Hashable, tile: bytes) -> None:
        size = len(tile) + ENTRY_BYTES
        if size > self.max_bytes:
            return
        self._tiles[key] = tile
        self.bytes += size
        while self.bytes > self.max_bytes:
            _, oldest = self._tiles.popitem(last=False)
            self.bytes -= len(oldest) + ENTRY_BYTES
