"""A stretch of network between a server and its database that can be slow, cut, or silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL


class Flaky:
    """What the network does now; every attribute may be changed at any time.

    Attributes
    ----------
    delay_s
        How long each piece of data is under way.
    silent
        Connections stay open and are taken, but nothing comes through (half-open).
    refusing
        New connections are closed at once.
    taken
        How many connections there have been.
    """

    def __init__(self, host: str, port: int) -> None:
        self.delay_s = 0.0
        self.refusing = False
        self.taken = 0
        self.port = 0
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._carried: set[asyncio.Task[None] | None] = set()
        self._loop = asyncio.new_event_loop()
        self._sound = asyncio.Event()
        self._sound.set()

    @property
    def silent(self) -> bool:
        return not self._sound.is_set()

    @silent.setter
    def silent(self, wanted: bool) -> None:
        self._loop.call_soon_threadsafe(self._sound.clear if wanted else self._sound.set)

    def cut(self) -> None:
        """Break every connection that there is now."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()

    async def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        self._carried.add(asyncio.current_task())
        if self.refusing:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        mine = {writer, far_writer}
        self._open |= mine
        try:
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except OSError:
            pass  # cut
        finally:
            self._open -= mine
            for each in mine:
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await self._sound.wait()
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _serve(self, ready: threading.Event, end: asyncio.Event) -> None:
        async with await asyncio.start_server(self._take, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            await end.wait()
            self._sound.set()
            await self._cut()
            await asyncio.gather(*filter(None, self._carried), return_exceptions=True)

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """Carry data while the block runs."""
        ready, end = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(ready, end)))
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(end.set)
            thread.join()
            self._loop.close()


@contextmanager
def between(url: URL) -> Iterator[tuple[Flaky, URL]]:
    """Give the network before a database, and the address of the database behind it."""
    network = Flaky(url.host or "127.0.0.1", url.port or 5432)
    with network.carrying():
        yield network, url.set(host="127.0.0.1", port=network.port)
