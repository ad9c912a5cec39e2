"""How much one client may ask for: buckets that fill again by the second, in this process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from api.logs import log
from api.problems import problem_response
from api.settings import ServerSettings

KEPT: Final = 10_000
"""Clients that are remembered; of more, those unseen for longest are forgotten, and begin with a full bucket."""
FREE_PATHS: Final = ("/livez", "/healthz", "/readyz", "/metrics")


class Buckets:
    """A bucket of requests a client.

    Parameters
    ----------
    rate_per_s
        How many come in again a second.
    burst
        How many a full bucket holds.
    clock
        Seconds, never going back.

    Examples
    --------
    >>> now = [0.0]
    >>> buckets = Buckets(2.0, 1, clock=lambda: now[0])
    >>> buckets.take("a"), buckets.take("a"), buckets.take("b")
    (0.0, 0.5, 0.0)
    """

    def __init__(self, rate_per_s: float, burst: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate_per_s = rate_per_s
        self.burst = burst
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take one request out of a client's bucket; return the seconds to wait, 0 when it was there."""
        now = self._clock()
        left, seen = self._kept.pop(client, (float(self.burst), now))
        left = min(float(self.burst), left + (now - seen) * self.rate_per_s)
        wait = 0.0 if left >= 1 else (1 - left) / self.rate_per_s
        self._kept[client] = (left - 1 if wait == 0 else left, now)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return wait


class RateLimit:
    """Answers 429 with the seconds to wait where a client asks for too much."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.buckets = Buckets(settings.requests_per_s, settings.requests_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not scope["path"].startswith(FREE_PATHS):
            client = scope["client"][0] if scope.get("client") else ""
            wait = self.buckets.take(client)
            if wait > 0:
                log().warning("slowed", by="requests")
                response = problem_response(
                    429, "too many requests in a short time", headers={"Retry-After": str(math.ceil(wait))}
                )
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
