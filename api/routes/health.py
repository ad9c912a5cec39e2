"""``/livez`` asks nothing, ``/readyz`` everything, ``/metrics`` counts; none of them tells a secret."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.health import checks
from api.pages import Json
from api.parameters import known
from gis.store.engine import Store

router = APIRouter()

NO_STORE = {"Cache-Control": "no-store"}


@router.api_route("/livez", methods=["GET", "HEAD"])
@router.api_route("/healthz", methods=["GET", "HEAD"])
async def alive(request: Request) -> Response:
    """Return that the process lives; the database is not asked."""
    known(request.query_params, ())
    return Json({"status": "ok"}, headers=NO_STORE)


@router.api_route("/readyz", methods=["GET", "HEAD"])
async def ready(request: Request) -> Response:
    """Return whether the server can serve: 200 or 503, with each check by name."""
    known(request.query_params, ())
    store: Store = request.app.state.store
    found = await run_in_threadpool(checks, store)
    good = all(check.good for check in found if check.needed)
    whole = all(check.good for check in found)
    document = {
        "status": "ok" if whole else "degraded" if good else "not ready",
        "checks": {check.name: {"good": check.good, "needed": check.needed, "detail": check.detail} for check in found},
    }
    return Json(document, 200 if good else 503, NO_STORE if good else {**NO_STORE, "Retry-After": "2"})


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the numbers of this process for Prometheus."""
    known(request.query_params, ())
    registry = request.app.state.metrics.registry
    text = await run_in_threadpool(generate_latest, registry)
    return Response(text, headers=NO_STORE, media_type=CONTENT_TYPE_LATEST)
