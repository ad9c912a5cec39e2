"""``/`` and ``/conformance``: what this server is, and which standards it keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import layers_of
from api.conformance import CLASSES
from api.deps import ExtentsDep, LanguageDep, MomentDep
from api.extents import Extents
from api.links import HTML, JSON, OPENAPI, link, self_links
from api.pages import respond
from api.parameters import known
from api.watch import Moment

router = APIRouter()

TITLE = "wangge 网格"
DESCRIPTION = {
    "zh": "面向网格化治理的开放地理空间服务器：只管地点与事件，不涉及个人。",
    "en": "An open geospatial server for grid governance: places and events, never persons.",
}


@router.api_route("/", methods=["GET", "HEAD"])
async def landing(request: Request, extents: ExtentsDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the landing page."""
    known(request.query_params, ())
    document: dict[str, Any] = {
        "title": TITLE,
        "description": DESCRIPTION[language],
        "city": await _city(request, extents, moment),
        "links": [
            *self_links(request),
            link(request, "service-desc", "/api", OPENAPI, "OpenAPI", query={"f": "json"}),
            link(request, "service-doc", "/api", HTML, "API", query={"f": "html"}),
            link(request, "conformance", "/conformance", JSON),
            link(request, "data", "/collections", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/processes", "/processes", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/job-list", "/jobs", JSON),
            link(request, "http://www.opengis.net/def/rel/ogc/1.0/tiling-schemes", "/tileMatrixSets", JSON),
            link(request, "styles", "/styles", JSON),
            link(request, "app", "/map", HTML),
        ],
    }
    return respond(request, document, "landing.html", language=language, days=_days(document["city"]))


async def _city(request: Request, extents: Extents, moment: Moment) -> dict[str, Any] | None:
    """Return what one must know of the city in use; None when there is none."""
    if moment.city is None:
        return None
    profile = moment.city.profile
    events = layers_of(request).get("incidents")
    period = (await extents.of(events, moment)).period if events else None
    return {
        "slug": profile.slug,
        "title": profile.title._asdict(),
        "bounds": await extents.city(moment),
        "time_zone": profile.time_zone,
        "languages": profile.languages,
        "synthetic": profile.synthetic,
        "attribution": profile.attribution,
        "period": period and [instant.isoformat().replace("+00:00", "Z") for instant in period],
    }


def _days(city: Mapping[str, Any] | None) -> list[str]:
    """Return first and last day of the events, by the city's own clock."""
    if city is None or city["period"] is None:
        return []
    zone = ZoneInfo(city["time_zone"])
    return [f"{dt.datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d}" for text in city["period"]]


@router.get("/conformance")
async def conformance(request: Request, language: LanguageDep) -> Response:
    """Return the conformance classes."""
    known(request.query_params, ())
    return respond(
        request, {"conformsTo": CLASSES, "links": self_links(request)}, "conformance.html", language=language
    )
