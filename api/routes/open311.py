"""``/open311``: the public reports a place, a kind and a time, without a name (Open311 GeoReport v2)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.deps import CityDep, LanguageDep, StoreDep
from api.jobs import instant
from api.limits import Buckets
from api.links import address
from api.logs import log
from api.open311 import FORMATS, MOST_NAMES, SEEN_AT, Open311Route, arguments, report_of, written
from api.problems import bad_query
from gis.city import codebook
from gis.city.public_reports import ReportService, report_policy
from gis.contract.text import Language
from gis.errors import NotFound, TooMany
from gis.store import reports
from gis.store.reports import Standing

router = APIRouter(prefix="/open311", route_class=Open311Route)

SPECIFICATION: Final = "http://wiki.open311.org/GeoReport_v2"
CHANGESET: Final = "2026-11-25T00:00:00Z"
SEARCHES: Final = ("service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size")


@router.get("/discovery.{ending}")
async def discovery(request: Request, ending: str, city: CityDep, language: LanguageDep) -> Response:
    """Return where the service is, and in which formats."""
    arguments(request, (), jurisdiction=city.profile.slug)
    zh = language == "zh"
    endpoint = {
        "specification": SPECIFICATION,
        "url": address(request, "/open311/v2"),
        "changeset": CHANGESET,
        "type": "test" if city.profile.synthetic else "production",
        "formats": ["text/xml", "application/json"],
    }
    content = {
        "changeset": CHANGESET,
        "contact": f"{city.profile.title.in_(language)}: {address(request, '/report')}",
        "key_service": "无需密钥，不需要姓名。" if zh else "No key is needed, and no name.",
        "endpoints": [endpoint],
    }
    return written(ending, "discovery", None, content)


@router.get("/v2/services.{ending}")
async def services(request: Request, ending: str, city: CityDep, language: LanguageDep) -> Response:
    """Return what may be reported."""
    arguments(request, (), jurisdiction=city.profile.slug)
    content = [_service(service, language) for service in report_policy().services.values()]
    return written(ending, "services", "service", content)


@router.get("/v2/services/{code}.{ending}")
async def service(request: Request, code: str, ending: str, city: CityDep, language: LanguageDep) -> Response:
    """Return what a report of a kind may say besides its place."""
    arguments(request, (), jurisdiction=city.profile.slug)
    if code not in report_policy().services:
        raise NotFound(f"there is no service_code '{code[:80]}'")
    days = report_policy().seen_within.days
    words = (
        f"何时看到的；不填则为现在，最早为 {days} 天前。"
        if language == "zh"
        else f"When it was seen; now where it is left out, and at most {days} days ago."
    )
    seen_at = {
        "variable": True,
        "code": SEEN_AT.removeprefix("attribute[").removesuffix("]"),
        "datatype": "datetime",
        "required": False,
        "datatype_description": "2026-01-31T08:00:00+08:00",
        "order": 1,
        "description": words,
        "values": [],
    }
    return written(ending, "service_definition", None, {"service_code": code, "attributes": [seen_at]})


@router.post("/v2/requests.{ending}")
async def create(request: Request, ending: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Take a report: 201 with its token, which is told once."""
    _known_format(ending)
    arguments(request, (), jurisdiction=city.profile.slug)
    buckets: Buckets = request.app.state.report_buckets
    wait_s = buckets.take(request.client.host if request.client else "")
    if wait_s > 0:
        log().warning("slowed", by="reports")
        raise TooMany("too many reports from one address; try again later", wait_s, zh="同一地址上报过多，请稍后再试")
    report, dropped = await report_of(request, jurisdiction=city.profile.slug, now=dt.datetime.now(dt.UTC))
    token = await run_in_threadpool(reports.add, store, city, report)
    content = [{"token": token, "service_notice": _notice(dropped, language), "account_id": None}]
    return written(ending, "service_requests", "request", content, 201)


@router.get("/v2/tokens/{token}.{ending}")
async def by_token(request: Request, token: str, ending: str, store: StoreDep, city: CityDep) -> Response:
    """Return the name under which the report of a token is asked for."""
    _known_format(ending)
    arguments(request, (), jurisdiction=city.profile.slug)
    if not await run_in_threadpool(reports.has_token, store, city, token):
        raise NotFound("there is no such token, or its report was deleted")
    content = [{"service_request_id": reports.request_name(token), "token": token}]
    return written(ending, "service_requests", "request", content)


@router.get("/v2/requests/{name}.{ending}")
async def one(
    request: Request, name: str, ending: str, *, store: StoreDep, city: CityDep, language: LanguageDep
) -> Response:
    """Return how one report stands."""
    _known_format(ending)
    arguments(request, (), jurisdiction=city.profile.slug)
    found = await run_in_threadpool(reports.standings, store, city, [name])
    if not found:
        raise NotFound("there is no such service_request_id, or its report was deleted")
    return written(ending, "service_requests", "request", [_standing(each, language) for each in found])


@router.get("/v2/requests.{ending}")
async def several(request: Request, ending: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return how the reports stand whose names are given; without names none: nobody lists what others reported."""
    _known_format(ending)
    given = arguments(request, SEARCHES, jurisdiction=city.profile.slug)
    names = [name for name in given.get("service_request_id", "").split(",") if name]
    if len(names) > MOST_NAMES:
        raise bad_query("service_request_id", f"at most {MOST_NAMES} at once")
    found = await run_in_threadpool(reports.standings, store, city, names) if names else []
    return written(ending, "service_requests", "request", [_standing(each, language) for each in found])


def _known_format(ending: str) -> None:
    if ending not in FORMATS:
        raise NotFound(f"there is no format '{ending[:20]}'; there are {' and '.join(FORMATS)}")


def _service(service: ReportService, language: Language) -> dict[str, Any]:
    return {
        "service_code": service.code,
        "service_name": service.title.in_(language),
        "description": service.description.in_(language),
        "metadata": True,
        "type": "batch",
        "keywords": service.keywords,
        "group": service.group.in_(language),
    }


def _notice(dropped: list[str], language: Language) -> str:
    kept = report_policy().kept.days
    if language == "zh":
        left_out = f"未保存：{'、'.join(dropped)}。" if dropped else ""
        return (
            f"只保存位置、类别和时间。{left_out}请记下查询码，它只显示一次；处理后 {kept} 天删除。紧急情况请拨打110。"
        )
    left_out = f" Not kept: {', '.join(dropped)}." if dropped else ""
    return (
        f"Only place, kind and time are kept.{left_out} Keep the token, which is told once; the report is deleted "
        f"{kept} days after a desk has decided. In an emergency call 110."
    )


def _standing(standing: Standing, language: Language) -> dict[str, Any]:
    service = report_policy().services.get(standing.category)
    title = codebook("incident_categories")[standing.category]
    notes = codebook("report_states")[standing.state].in_(language)
    if standing.reason is not None:
        notes += f"{'：' if language == 'zh' else ': '}{codebook(reports.REASONS)[standing.reason].in_(language)}"
    return {
        "service_request_id": standing.name,
        "status": "open" if standing.state == "waiting" else "closed",
        "status_notes": notes,
        "service_name": title.in_(language),
        "service_code": standing.category,
        "description": service.description.in_(language) if service else "",
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": instant(standing.reported_at),
        "updated_datetime": instant(standing.changed_at),
        "expected_datetime": None,
        # Whoever finds a token learns from it no place.
        "address": None,
        "address_id": None,
        "zipcode": None,
        "lat": None,
        "long": None,
        "media_url": None,
    }
