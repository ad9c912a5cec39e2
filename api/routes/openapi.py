"""``/api``: the OpenAPI document, and a page made from it that loads nothing from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import layers_of, services_of
from api.deps import LanguageDep
from api.links import OPENAPI
from api.openapi import document
from api.pages import respond
from api.parameters import known

router = APIRouter()


@router.get("/api")
async def api(request: Request, language: LanguageDep) -> Response:
    """Return the description of every address of this server."""
    known(request.query_params, ())
    server = str(request.base_url).rstrip("/")
    described = document(layers_of(request).values(), services_of(request).values(), language=language, server=server)
    return respond(request, described, "api.html", language=language, media_type=OPENAPI)
