"""``/`` and ``/conformance``: what this server is, and which standards it keeps."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.city import city_document
from api.conformance import CLASSES
from api.deps import LanguageDep, MomentDep, StoreDep
from api.links import HTML, JSON, OPENAPI, link, self_links
from api.pages import respond
from api.parameters import known

router = APIRouter()

TITLE = "wangge 网格"
DESCRIPTION = {
    "zh": "面向网格化治理的开放地理空间服务器：只管地点与事件，不涉及个人。",
    "en": "An open geospatial server for grid governance: places and events, never persons.",
}


@router.api_route("/", methods=["GET", "HEAD"])
async def landing(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the landing page."""
    known(request.query_params, ())
    document = {
        "title": TITLE,
        "description": DESCRIPTION[language],
        "city": await city_document(store, moment),
        "links": [
            *self_links(request),
            link(request, "service-desc", "/api", OPENAPI, "OpenAPI", f="json"),
            link(request, "service-doc", "/api", HTML, "API", f="html"),
            link(request, "conformance", "/conformance", JSON),
            link(request, "data", "/collections", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/processes", "/processes", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/job-list", "/jobs", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", "/tileMatrixSets", JSON),
            link(request, "styles", "/styles", JSON),
            link(request, "app", "/map", HTML),
        ],
    }
    return respond(request, document, "landing.html", language=language)


@router.get("/conformance")
async def conformance(request: Request, language: LanguageDep) -> Response:
    """Return the conformance classes."""
    known(request.query_params, ())
    return respond(
        request, {"conformsTo": CLASSES, "links": self_links(request)}, "conformance.html", language=language
    )
