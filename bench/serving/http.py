"""A small HTTP/1.1 client that costs little beside what it measures: keep-alive, one request at a time a connection."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast
from urllib.parse import urlsplit

import numpy as np
import uvloop

END_OF_HEAD: Final = b"\r\n\r\n"
LENGTH: Final = b"content-length:"
WAIT_S: Final = 120.0
Kept = dict[str, tuple[bytes, bytes]]
"""Path -> head and body of its answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One GET.

    Attributes
    ----------
    kind
        What it is counted under.
    """

    path: str
    kind: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What became of some requests."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes_: int = 0
    wall_s: float = 0.0

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall_s

    def percentile_ms(self, share: float) -> float:
        """Return the latency that a share (0 to 1) of the requests stayed below."""
        return float(np.quantile(self.seconds, share)) * 1000


class _Connection(asyncio.Protocol):
    """Sends requests of an iterator one after another, and keeps what came back."""

    def __init__(self, host: str, requests: Iterator[Request], tallies: dict[str, Tally], keep: Kept | None) -> None:
        self.host = host
        self.requests = requests
        self.tallies = tallies
        self.keep = keep
        self.done = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self.have = bytearray()
        self.wanted = -1
        self.body_at = 0
        self.status = 0
        self.now: Request | None = None
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self.have += data
        if self.wanted < 0:
            end = self.have.find(END_OF_HEAD)
            if end < 0:
                return
            head = bytes(self.have[:end]).lower()
            self.status = int(head[9:12])
            at = head.find(LENGTH)
            if at < 0 and self.status not in (204, 304):
                raise ValueError("an answer without its length")
            length = 0 if at < 0 or self.status == 304 else int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0])
            self.wanted = end + len(END_OF_HEAD) + length
            self.body_at = end + len(END_OF_HEAD)
        if len(self.have) >= self.wanted:
            self._finished()

    def _finished(self) -> None:
        assert self.now is not None
        tally = self.tallies.setdefault(self.now.kind, Tally())
        tally.seconds.append(time.perf_counter() - self.began)
        tally.statuses[self.status] += 1
        tally.bytes_ += self.wanted - self.body_at
        if self.keep is not None:
            end = self.body_at - len(END_OF_HEAD)
            self.keep[self.now.path] = bytes(self.have[:end]), bytes(self.have[self.body_at : self.wanted])
        del self.have[: self.wanted]
        self.wanted = -1
        self._next()

    def _next(self) -> None:
        assert self.transport is not None
        self.now = next(self.requests, None)
        if self.now is None:
            self.done.set_result(None)
            self.transport.close()
            return
        lines = [f"GET {self.now.path} HTTP/1.1", f"host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.now.headers.items()]
        self.began = time.perf_counter()
        self.transport.write("\r\n".join([*lines, "", ""]).encode())


async def _ask(server: str, requests: Iterator[Request], connections: int, keep: Kept | None) -> dict[str, Tally]:
    at = urlsplit(server)
    tallies: dict[str, Tally] = {}
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: _Connection(at.netloc, requests, tallies, keep), at.hostname, at.port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait_for(asyncio.gather(*(one.done for one in made)), WAIT_S)
    return tallies


def ask(server: str, requests: Sequence[Request], *, connections: int = 8) -> Tally:
    """Send requests over some connections at once, each as soon as the answer before has come."""
    began = time.perf_counter()
    tallies = uvloop.run(_ask(server, iter(requests), connections, None))
    whole = Tally(wall_s=time.perf_counter() - began)
    for tally in tallies.values():
        whole.seconds += tally.seconds
        whole.statuses += tally.statuses
        whole.bytes_ += tally.bytes_
    return whole


def ask_for(server: str, requests: Iterator[Request], *, connections: int, seconds: float) -> dict[str, Tally]:
    """Send requests for some time; return what became of them, by their kind."""
    end = time.perf_counter() + seconds

    def until() -> Iterator[Request]:
        for request in requests:
            if time.perf_counter() > end:
                return
            yield request

    began = time.perf_counter()
    tallies = uvloop.run(_ask(server, until(), connections, None))
    for tally in tallies.values():
        tally.wall_s = time.perf_counter() - began
    return tallies


def bodies(server: str, requests: Sequence[Request]) -> dict[str, bytes]:
    """Return the answers of requests by their paths, asked one after another."""
    return {path: body for path, (_, body) in _kept(server, requests).items()}


def heads(server: str, requests: Sequence[Request]) -> dict[str, dict[str, str]]:
    """Return the headers of the answers, their names in small letters, by the requests' paths."""
    return {
        path: {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
        for path, head in (
            (path, head.decode("latin-1").split("\r\n")[1:]) for path, (head, _) in _kept(server, requests).items()
        )
    }


def _kept(server: str, requests: Sequence[Request]) -> Kept:
    keep: Kept = {}
    uvloop.run(_ask(server, iter(requests), 1, keep))
    return keep
