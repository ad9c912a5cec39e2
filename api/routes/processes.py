"""``/processes``: what the city can compute, and how to ask for it (OGC API Processes 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.deps import CityDep, LanguageDep, MomentDep, StoreDep
from api.jobs import status_info
from api.links import GEOJSON, JSON, link, self_links
from api.pages import Json, respond
from api.parameters import known
from api.problems import NoSuchProcess
from api.schemas import params_schema
from api.words import terms, worded
from gis.contract.service import Service, services
from gis.contract.text import Language
from gis.errors import InvalidInput, Problem
from gis.store import jobs

router = APIRouter()

EXECUTE_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/execute"
BESIDE_INPUTS: Final = frozenset({"inputs", "outputs", "response", "mode"})
"""Members of an execution request; all but the inputs are taken and change nothing: a run is always a job whose
result is a document."""


@router.get("/processes")
async def processes(request: Request, language: LanguageDep) -> Response:
    """Return every service."""
    known(request.query_params, ())
    summaries = [_summary(request, service, language) for service in services().values()]
    document = {"processes": summaries, "links": self_links(request)}
    return respond(request, document, "processes.html", language=language)


@router.get("/processes/{id_}")
async def process(request: Request, id_: str, moment: MomentDep, language: LanguageDep) -> Response:
    """Return one service with its parameters."""
    known(request.query_params, ())
    service = _service(id_)
    schema = params_schema(service.params)
    document = {
        **_summary(request, service, language),
        "inputs": {
            name: {
                "title": entry.get("title", name),
                "description": entry.get("description", ""),
                "minOccurs": 1 if name in schema.get("required", ()) else 0,
                "maxOccurs": 1,
                "schema": entry,
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
async def execute(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Take a run into the queue; the same question is the same job."""
    known(request.query_params, ())
    service = _service(id_)
    values = inputs_of(await request.body())
    service.parse(values)
    job = await run_in_threadpool(jobs.submit, store, city, service.id, values)
    headers = {"Location": f"/jobs/{job.id}"}
    if "respond-async" in request.headers.get("prefer", "").lower():
        headers["Preference-Applied"] = "respond-async"
    return Json(status_info(request, job), 201, headers)


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


def _service(id_: str) -> Service:
    if id_ not in services():
        raise NoSuchProcess(f"no process '{id_}'; there are: {', '.join(services())}")
    return services()[id_]


def _summary(request: Request, service: Service, language: Language) -> dict[str, Any]:
    base = f"/processes/{service.id}"
    return {
        "id": service.id,
        "version": str(service.version),
        "title": service.title.in_(language),
        "description": service.abstract.in_(language),
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": ["value"],
        "wangge:mandate": service.mandate,
        "wangge:card": service.card._asdict(),
        "wangge:titles": service.title._asdict(),
        "links": [
            link(request, "self", base, JSON, service.title.in_(language)),
            link(request, EXECUTE_REL, f"{base}/execution", JSON),
        ],
    }
