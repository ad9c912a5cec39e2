"""``/runs``: the latest results of the services."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.catalogue import services_of
from api.deps import CityDep, LanguageDep, StoreDep
from api.jobs import instant, result_links, results_document
from api.links import JSON, link, self_links
from api.pages import respond
from api.problems import bad_query
from gis.errors import NotFound
from gis.store import results

router = APIRouter()


@router.get("/runs")
async def listed(request: Request, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the latest runs, the newest first."""
    given = parameters.known(request.query_params, ("service", "limit"))
    limit = parameters.limit(given.get("limit"))
    service = given.get("service")
    seen = services_of(request)
    if service is not None and service not in seen:
        raise bad_query("service", f"must be one of {', '.join(seen)}")
    wanted = list(seen) if service is None else [service]
    found = await run_in_threadpool(results.list_, store, city, services=wanted, limit=limit)
    document = {
        "runs": [
            {
                "id": run.id,
                "service": run.service,
                "created": instant(run.created_at),
                "summary": run.summary,
                "links": [
                    link(request, "self", f"/runs/{run.id}", JSON),
                    *result_links(request, run.service, run.id),
                ],
            }
            for run in found
        ],
        "links": self_links(request),
    }
    return respond(request, document, "runs.html", language=language)


@router.get("/runs/{id_}")
async def one(request: Request, id_: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return one run: numbers, provenance, and where its features are."""
    parameters.known(request.query_params, ())
    number = parameters.key(id_)
    if number is None:
        raise NotFound(f"there is no run {id_}")
    document = await results_document(request, store, city, number)
    return respond(request, document, "results.html", language=language, title=f"{document['service']} {number}")
