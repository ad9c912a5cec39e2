"""``/jobs``: runs that were asked for, how far they are, and what came out."""

from __future__ import annotations

from contextlib import suppress
from typing import Final, get_args

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.catalogue import services_of
from api.deps import CityDep, LanguageDep, StoreDep
from api.execution import results_of, why_not
from api.handlers import for_reader
from api.jobs import STATES, results_document, status_info
from api.links import self_links
from api.pages import VARY, Json, render, respond, wants_html
from api.problems import NoSuchJob, ResultNotReady
from api.visitors import visitor_of
from gis.contract.service import services
from gis.errors import NotFound
from gis.store import jobs
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.jobs import Job

router = APIRouter()

SEVERAL: Final = ("type", "processID", "status")
"""Filters of the list that may be given more than once, or with several values separated by commas."""
FILTERS: Final = (*SEVERAL, "datetime", "minDuration", "maxDuration", "limit")
STATE_WORDS = {language: {state: words[language] for state, words in STATES.items()} for language in ("zh", "en")}


@router.get("/jobs")
async def listed(request: Request, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the jobs of the city in use, or those that were asked for, the newest first."""
    asked = parameters.known(request.query_params, FILTERS, several=SEVERAL)
    services_asked, types = (parameters.listed(request.query_params, name) for name in ("processID", "type"))
    wanted = jobs.Wanted(
        services=[id_ for id_ in _seen(request) if services_asked is None or id_ in services_asked],
        states=parameters.listed(request.query_params, "status", among=get_args(jobs.State)),
        created=parameters.interval(asked.get("datetime"), city.profile.time_zone) or (None, None),
        lasted_s=(parameters.seconds(asked, "minDuration"), parameters.seconds(asked, "maxDuration")),
    )
    limit = parameters.limit(asked.get("limit"))
    found = []
    if types is None or "process" in types:
        found = await run_in_threadpool(jobs.list_, store, city, wanted, limit=limit)
    document = {"jobs": [status_info(request, job) for job in found], "links": self_links(request)}
    return respond(request, document, "jobs.html", language=language, states=STATE_WORDS[language])


@router.get("/jobs/{id_}")
async def one(request: Request, id_: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the state of a job."""
    parameters.known(request.query_params, ())
    job = await _job(request, store, city, id_)
    return respond(request, status_info(request, job), "job.html", language=language, states=STATE_WORDS[language])


@router.delete("/jobs/{id_}")
async def dismiss(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Cancel a job, or forget one that is done."""
    parameters.known(request.query_params, ())
    job = await _job(request, store, city, id_)
    dismissed = await run_in_threadpool(jobs.dismiss, store, city, job.id)
    return Json(status_info(request, dismissed))


@router.get("/jobs/{id_}/results")
async def results(request: Request, id_: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return what came out of a job: its outputs by their names, the features by their address."""
    parameters.known(request.query_params, ())
    job = await _job(request, store, city, id_)
    if job.state == "failed":
        return for_reader(request, why_not(job))
    if job.run_id is None:
        raise ResultNotReady(f"job {job.id} is {job.state}: it has no result" + (" yet" if not job.is_done else ""))
    if not wants_html(request):
        return Json(await results_of(request, store, city, job.run_id), headers=VARY)
    document = await results_document(request, store, city, job.run_id)
    title = f"{job.service} {job.run_id}"
    return render(request, "results.html", language=language, document=document, title=title)


def _seen(request: Request) -> list[str]:
    """Return the services whose jobs are shown: an administrator sees how every one goes, and no result."""
    return list(services() if visitor_of(request).role == "admin" else services_of(request))


async def _job(request: Request, store: Store, city: CityRow, text: str) -> Job:
    number = parameters.key(text)
    if number is not None:
        with suppress(NotFound):
            job = await run_in_threadpool(jobs.get, store, city, number)
            if job.service in _seen(request):
                return job
    raise NoSuchJob(f"no job {text}")
