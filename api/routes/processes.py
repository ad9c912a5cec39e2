"""``/processes``: what the city can compute, and how to ask for it (OGC API Processes 1)."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import services_of
from api.deps import CityDep, LanguageDep, MomentDep, StoreDep
from api.execution import finished, wanted
from api.jobs import status_info
from api.links import GEOJSON, JSON, link, self_links
from api.pages import Json, respond
from api.parameters import known
from api.problems import NoSuchProcess
from api.roles import VisitorDep
from api.schemas import for_process, params_schema
from api.words import terms, worded
from gis.contract.service import Service
from gis.contract.text import Language
from gis.errors import InvalidInput, Problem
from gis.store import jobs
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.jobs import By, Job

router = APIRouter()

EXECUTE_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/execute"
LONGEST_WAIT_S: Final = 10
"""A request is not held open longer than this, whatever it asks for."""
FIRST_PAUSE_S: Final = 0.01
LONGEST_PAUSE_S: Final = 0.05
BESIDE_INPUTS: Final = frozenset({"inputs", "outputs", "response", "mode"})
"""Members of an execution request; ``mode`` is of an older draft, taken and without effect."""


@router.get("/processes")
async def processes(request: Request, language: LanguageDep) -> Response:
    """Return every service."""
    known(request.query_params, ())
    summaries = [_summary(request, service, language) for service in services_of(request).values()]
    document = {"processes": summaries, "links": self_links(request)}
    return respond(request, document, "processes.html", language=language)


@router.get("/processes/{id_}")
async def process(request: Request, id_: str, moment: MomentDep, language: LanguageDep) -> Response:
    """Return one service with its parameters."""
    known(request.query_params, ())
    service = _service(request, id_)
    schema = params_schema(service.params)
    document = {
        **_summary(request, service, language),
        "inputs": {
            name: {
                "title": entry.get("title", name),
                "description": entry.get("description", ""),
                "minOccurs": 1 if name in schema.get("required", ()) else 0,
                "maxOccurs": 1,
                "schema": for_process(entry),
            }
            for name, entry in schema.get("properties", {}).items()
        },
        "outputs": {
            "features": {
                "title": service.output.title.in_(language),
                "description": service.output.description,
                "schema": {"type": "object", "contentMediaType": GEOJSON},
            },
            "summary": {"title": "summary", "schema": {"type": "object"}},
            "provenance": {"title": "provenance", "schema": {"type": "object"}},
        },
        "wangge:schema": worded(schema, open_categories=bool(moment.city and moment.city.profile.open_categories)),
        "wangge:words": terms(),
    }
    return respond(request, document, "process.html", language=language)


@router.post("/processes/{id_}/execution")
async def execute(request: Request, id_: str, store: StoreDep, city: CityDep, visitor: VisitorDep) -> Response:
    """Take a run into the queue; the same question is the same job.

    With ``Prefer: respond-async`` the answer is the job. Else the request waits, and the answer is what came out; or
    the job after all, where the run takes longer than a request is held open, or no worker is there to run it.
    """
    known(request.query_params, ())
    service = _service(request, id_)
    body = await request.body()
    values = inputs_of(body)
    want = wanted(body)
    service.parse(values)
    actor = visitor.actor
    by = None if actor is None else By(actor.account_id, actor.role)
    preferred = preferences(request.headers.get("prefer", ""))
    job = await run_in_threadpool(jobs.submit, store, city, service.id, values, by=by)
    is_async = "respond-async" in preferred
    wait_s = float(preferred["wait"]) if "wait" in preferred else 0.0 if is_async else float(LONGEST_WAIT_S)
    if wait_s and not job.is_done and await run_in_threadpool(jobs.has_worker, store):
        job = await _ended(store, city, job, wait_s)
    headers = {"Location": f"/jobs/{job.id}"}
    if preferred:
        headers["Preference-Applied"] = ", ".join(f"{k}={v}" if v else k for k, v in preferred.items())
    if job.is_done and not is_async:
        return await finished(request, store, city, job, want=want, headers=headers)
    return Json(status_info(request, job), 201, headers)


def preferences(header: str) -> dict[str, str]:
    """Return those preferences of a ``Prefer`` header (RFC 7240) that are honoured here; others are to be ignored.

    Examples
    --------
    >>> preferences("respond-async, wait=90, handling=lenient")
    {'respond-async': '', 'wait': '10'}
    """
    known: dict[str, str] = {}
    for part in header.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name.lower() == "respond-async":
            known["respond-async"] = ""
        elif name.lower() == "wait" and re.fullmatch(r"[0-9]{1,6}", value):
            known["wait"] = str(min(int(value), LONGEST_WAIT_S))
    return known


async def _ended(store: Store, city: CityRow, job: Job, wait_s: float) -> Job:
    """Return the job when it has ended, or as it is after `wait_s` seconds."""
    until, pause = time.monotonic() + wait_s, FIRST_PAUSE_S
    while not job.is_done and time.monotonic() < until:
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, LONGEST_PAUSE_S)
        job = await run_in_threadpool(jobs.get, store, city, job.id)
    return job


def inputs_of(body: bytes) -> dict[str, Any]:
    """Return the parameters of an execution request: those below ``inputs``, or the bare ones.

    Examples
    --------
    >>> inputs_of(b'{"inputs": {"lattice_m": 300}}')
    {'lattice_m': 300}
    """
    try:
        given = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        raise InvalidInput("the body is not JSON") from None
    if not isinstance(given, dict):
        raise InvalidInput("the body must be a JSON object")
    if "inputs" not in given:
        return given
    unknown = [
        Problem("unknown_member", "there is no such member of an execution request", name)
        for name in given
        if name not in BESIDE_INPUTS
    ]
    inputs = given["inputs"]
    if not isinstance(inputs, Mapping):
        unknown.append(Problem("not_an_object", "must be a JSON object", "inputs"))
    if unknown:
        raise InvalidInput("the execution request is not valid", unknown)
    return dict(inputs)


def _service(request: Request, id_: str) -> Service:
    seen = services_of(request)
    if id_ not in seen:
        raise NoSuchProcess(f"no process '{id_}'; there are: {', '.join(seen)}")
    return seen[id_]


def _summary(request: Request, service: Service, language: Language) -> dict[str, Any]:
    base = f"/processes/{service.id}"
    return {
        "id": service.id,
        "version": str(service.version),
        "title": service.title.in_(language),
        "description": service.abstract.in_(language),
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "wangge:mandate": service.mandate,
        "wangge:card": service.card._asdict(),
        "wangge:titles": service.title._asdict(),
        "links": [
            link(request, "self", base, JSON, service.title.in_(language)),
            link(request, EXECUTE_REL, f"{base}/execution", JSON),
        ],
    }
