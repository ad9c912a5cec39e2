"""The server: `create_app` puts middleware, routes and the two pools together; nothing happens at import."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Depends, FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from api.cache import Cache, weigh_bytes
from api.extents import Extents
from api.gate import gate
from api.handlers import on_grid_error, on_http_error
from api.ledger import Ledger
from api.limits import Buckets, RateLimit
from api.metrics import Measure, Metrics
from api.middleware import BodyLimit, Deadline, Door, Journal
from api.oidc import Provider
from api.opening import ready_store
from api.recording import Recorder
from api.routes import (
    admin,
    admin_server,
    audit,
    auth,
    collections,
    editing,
    exports,
    first,
    health,
    imports,
    items,
    jobs,
    landing,
    logins,
    maps,
    open311,
    openapi,
    plan_imports,
    plans,
    processes,
    reports,
    runs,
    styles,
    tiles,
    tilesets,
    web,
)
from api.settings import ServerSettings, server_settings
from api.throttle import Throttle
from api.visitors import Visitors
from api.watch import Watch
from gis.errors import GridError
from gis.kernels import vector_tiles
from gis.store import changes
from gis.store.engine import Store

ROUTERS = (
    landing.router,
    auth.router,
    first.router,
    logins.router,
    openapi.router,
    collections.router,
    items.router,
    editing.router,
    exports.router,
    tilesets.router,
    styles.router,
    processes.router,
    jobs.router,
    runs.router,
    plan_imports.router,
    plans.router,
    imports.router,
    open311.router,
    reports.router,
    audit.router,
    admin.router,
    admin_server.router,
    maps.router,
    health.router,
    web.router,
)
PLAIN = (*tiles.ROUTES, *items.ROUTES)
COUNTS: Final = 50_000
"""Filters of which is remembered how many features pass them."""


def create_app(store: Store | None = None, settings: ServerSettings | None = None) -> FastAPI:
    """Return the server.

    Parameters
    ----------
    store
        A database that the caller opened and will close; without it the server opens its own when it starts.
    """
    settings = settings or server_settings()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if store is not None:
            async with app.state.ledger.keeping(), changes.heard(store, app.state.watch.forget):
                yield
            return
        await run_in_threadpool(vector_tiles.prepare)
        own = await run_in_threadpool(ready_store)
        _use(app, own)
        try:
            async with app.state.ledger.keeping(), changes.heard(own, app.state.watch.forget):
                yield
        finally:
            await own.aclose()

    app = FastAPI(
        title="wangge",
        lifespan=lifespan,
        openapi_url=None,  # the document is made from the catalogue, see api.openapi
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # `api.metrics` counts
        middleware=[
            Middleware(Journal),
            Middleware(Measure, metrics=metrics),
            Middleware(RateLimit, settings=settings),
            Middleware(Door, settings=settings),
            Middleware(Deadline, settings=settings),
            Middleware(BodyLimit, settings=settings),
            Middleware(Recorder),
        ],
        exception_handlers={GridError: on_grid_error, HTTPException: on_http_error},
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.cache = Cache(settings.tile_cache_bytes, weigh_bytes)
    app.state.counts = Cache(COUNTS)
    app.state.throttle = Throttle()
    app.state.report_buckets = Buckets(settings.reports_per_hour / 3600, settings.reports_burst)
    app.state.provider = Provider(settings)
    if store is not None:
        _use(app, store)
    # Before the routers: a tile is asked for a hundred times as often as anything else.
    app.router.routes[0:0] = PLAIN
    for router in ROUTERS:
        app.include_router(router, dependencies=[Depends(gate)])
    return app


def _use(app: FastAPI, store: Store) -> None:
    app.state.store = store
    app.state.watch = Watch(store)
    app.state.visitors = Visitors(store)
    app.state.ledger = Ledger(store)
    app.state.extents = Extents(store)
    app.state.metrics.watch(store, app.state.cache)
