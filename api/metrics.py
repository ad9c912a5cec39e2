"""``/metrics``: what the server does and how it fares, in the format of Prometheus.

Every app has its own registry, so that two of them in one process do not share numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.cache import Cache
from gis.errors import GridError
from gis.store import jobs
from gis.store.engine import Store

ROUTE_KEY: Final = "wangge.route"
"""Under this key of the scope a plain route says which one it is; those of the framework say it themselves."""
UNMATCHED: Final = "unmatched"
"""The route of a request that no route takes: its own path would make a number for whatever anybody asks."""
BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)


class Metrics:
    """The numbers of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "wangge_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "wangge_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def watch(self, store: Store, cache: Cache[bytes]) -> None:
        """Tell of a database and of a cache too."""
        self.registry.register(_State(store, cache))


class _State(Collector):
    """What is looked up when somebody asks: the cache, the pool and the queue."""

    def __init__(self, store: Store, cache: Cache[bytes]) -> None:
        self.store = store
        self.cache = cache

    def describe(self) -> list[Metric]:
        """Name nothing beforehand, so that nothing is looked up at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Look at everything; a database that is away is a number too."""
        yield GaugeMetricFamily("wangge_tile_cache_bytes", "Memory of finished tiles.", self.cache.weight)
        yield GaugeMetricFamily("wangge_tile_cache_tiles", "Finished tiles in memory.", len(self.cache))
        yield GaugeMetricFamily("wangge_tile_cache_hits", "Tiles answered from memory.", self.cache.hits)
        yield GaugeMetricFamily("wangge_tile_cache_misses", "Tiles that had to be made.", self.cache.misses)
        try:
            counts, worker = jobs.counts(self.store), jobs.has_worker(self.store)
        except GridError:
            yield GaugeMetricFamily("wangge_database_up", "Whether the database answers.", 0)
            return
        yield GaugeMetricFamily("wangge_database_up", "Whether the database answers.", 1)
        yield GaugeMetricFamily("wangge_worker_up", "Whether a worker has been heard of lately.", int(worker))
        states = GaugeMetricFamily("wangge_jobs", "Jobs by their state.", labels=("state",))
        for state, count in counts.items():
            states.add_metric((state,), count)
        yield states


class Measure:
    """Counts and times every request by its route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, seen)
        finally:
            route = getattr(scope.get("route"), "path", None) or scope.get(ROUTE_KEY, UNMATCHED)
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - started)
