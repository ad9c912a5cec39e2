"""``/report``: the page on which the public reports; ``/reports``: the desk that decides on what was reported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final, get_args
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.deps import CityDep, LanguageDep, StoreDep, watch_of
from api.jobs import instant
from api.links import address, self_links
from api.pages import Json, render, respond
from api.plans import Body, read
from api.problems import bad_query
from api.visitors import visitor_of
from gis.city import codebook
from gis.city.public_reports import report_policy
from gis.errors import NotFound
from gis.store import reports
from gis.store.reports import State, Waiting

router = APIRouter()

STATES: Final[tuple[State, ...]] = get_args(State)


class Acceptance(Body):
    """A report is taken up; as another category where the desk knows better."""

    category: Annotated[str, Field(max_length=60)] | None = None


class Rejection(Body):
    """A report is turned down."""

    reason: Annotated[str, Field(max_length=60)]


@router.get("/report")
async def page(request: Request, city: CityDep, language: LanguageDep) -> Response:
    """Return the page on which the public reports and asks what became of it."""
    parameters.known(request.query_params, ())
    policy = report_policy()
    groups: dict[str, list[Any]] = {}
    for service in policy.services.values():
        groups.setdefault(service.group.in_(language), []).append(service)
    return render(
        request, "report.html", language=language, groups=groups, days=policy.seen_within.days, kept=policy.kept.days,
        title=city.profile.title.in_(language),
    )  # fmt: skip


@router.get("/reports")
async def listed(request: Request, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the reports that wait in the caller's area, the longest waiting first; or those of another state."""
    given = parameters.known(request.query_params, ("state", "limit"))
    state = next((known for known in STATES if known == given.get("state", "waiting")), None)
    if state is None:
        raise bad_query("state", f"must be one of {', '.join(STATES)}")
    limit = min(parameters.limit(given.get("limit")), reports.LISTED)
    found = await run_in_threadpool(lambda: reports.listed(store, city, state=state, limit=limit))
    document = {
        "state": state,
        "reports": [_document(request, row) for row in found],
        "links": self_links(request),
    }
    return respond(
        request,
        document,
        "reports.html",
        language=language,
        states=codebook("report_states"),
        reasons=codebook(reports.REASONS),
        categories=codebook("incident_categories"),
        local=_clock(city.profile.time_zone),
    )


@router.post("/reports/{id_}/accept")
async def accept(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Take a report up as an incident: 201 with its address."""
    parameters.known(request.query_params, ())
    said, number = await read(request, Acceptance), _number(id_)
    account_id = visitor_of(request).account_id
    key = await run_in_threadpool(
        lambda: reports.accept(store, city, number, account_id=account_id, category=said.category)
    )
    watch_of(request).forget()
    here = address(request, f"/collections/incidents/items/{key}")
    return Json({"id": number, "state": "accepted", "incident_id": key}, 201, {"Location": here})


@router.post("/reports/{id_}/reject")
async def reject(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Turn a report down for a reason of the codebook."""
    parameters.known(request.query_params, ())
    said, number = await read(request, Rejection), _number(id_)
    account_id = visitor_of(request).account_id
    await run_in_threadpool(lambda: reports.reject(store, city, number, said.reason, account_id=account_id))
    return Json({"id": number, "state": "rejected", "reason": said.reason})


def _clock(time_zone: str) -> Callable[[str], str]:
    """Return what writes an instant as the clock of the city shows it."""
    zone = ZoneInfo(time_zone)
    return lambda text: dt.datetime.fromisoformat(text).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _document(request: Request, row: Waiting) -> dict[str, Any]:
    incident = row.incident_id
    return {
        "id": row.id,
        "state": row.state,
        "category": row.category,
        "seen": instant(row.seen_at),
        "reported": instant(row.reported_at),
        "geometry": {"type": "Point", "coordinates": list(row.place)},
        "twin": row.twin_id,
        "reason": row.reason,
        "incident": None if incident is None else address(request, f"/collections/incidents/items/{incident}"),
    }


def _number(text: str) -> int:
    number = parameters.key(text)
    if number is None:
        raise NotFound(f"there is no report {text}")
    return number
