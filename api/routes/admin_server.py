"""``/admin``: how the server is, what goes in, what is computed, whether the log is whole, which city is in use."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import parameters
from api.deps import LanguageDep, MomentDep, StoreDep, city_of, watch_of
from api.forms import csrf_said
from api.health import checks
from api.jobs import STATES, instant
from api.pages import accepts_html, respond
from api.roles import VisitorDep
from api.routes.admin import acted, refused, said
from api.routes.imports import MAX_FIELDS, answer_of, batch_facts, import_upload, read_form
from api.visitors import check_csrf
from gis.city import FRAMES
from gis.contract.service import services
from gis.errors import GridError, InvalidInput, NotFound, Problem, TooLarge, UnsupportedMedia
from gis.store import about, accounts, audit, cities, ingest, jobs, migrate
from gis.store.audit import Anchor
from gis.store.jobs import Job

router = APIRouter(prefix="/admin")

NEWEST_CHECKED: Final = 200_000
"""Rows of the log that a page checks; all of them take `wangge audit verify`."""
CRS_WORDS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")


@router.get("")
async def overview(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return what an administrator looks at first."""
    parameters.known(request.query_params, ())

    def look() -> dict[str, Any]:
        every = accounts.list_(store)
        found = checks(store)
        return {
            "users": {"open": sum(a.disabled_at is None for a in every), "all": len(every)},
            "jobs": jobs.counts(store),
            "checks": _checks(found),
            "city": moment.city.profile.slug if moment.city else None,
            "audit": {"rows": audit.head(store).seq},
        }

    return respond(request, await run_in_threadpool(look), "admin.html", language=language)


@router.get("/health")
async def health(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return how the server is: every check, versions, cache and connections."""
    parameters.known(request.query_params, ())
    del moment
    state = request.app.state

    def look() -> dict[str, Any]:
        database = about.database(store)
        return {
            "checks": _checks(checks(store)),
            "versions": {
                "wangge": version("wangge"),
                "schema": migrate.current(store),
                "postgresql": database.postgresql,
                "postgis": database.postgis,
                "python": sys.version.split(" ", maxsplit=1)[0],
            },
            "database_bytes": database.size_bytes,
            "pool": {"used": database.pool_used, "size": database.pool_size},
            "cache": {
                "tiles": len(state.cache),
                "bytes": state.cache.weight,
                "limit": state.cache.limit,
                "hits": state.cache.hits,
                "misses": state.cache.misses,
            },
        }

    return respond(request, await run_in_threadpool(look), "admin_health.html", language=language)


@router.get("/jobs")
async def listed_jobs(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the latest jobs of every city: how far they are, and nothing of what they are about."""
    limit = parameters.limit(parameters.known(request.query_params, ("limit",)).get("limit"))
    del moment

    def look() -> list[dict[str, Any]]:
        found = [
            (city.profile.slug, job) for city in cities.all_(store) for job in jobs.list_(store, city, limit=limit)
        ]
        found.sort(key=lambda entry: entry[1].id, reverse=True)
        return [_job(slug, job) for slug, job in found[:limit]]

    titles = {id_: service.title for id_, service in services().items()}
    states = {state: words[language] for state, words in STATES.items()}
    document = {"jobs": await run_in_threadpool(look)}
    return respond(request, document, "admin_jobs.html", language=language, titles=titles, states=states)


@router.post("/jobs/{slug}/{number}/dismiss")
async def dismiss(
    request: Request, slug: str, number: str, *, store: StoreDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Cancel a job of any city, or forget one that is done."""
    await said(request, visitor, ())

    def work() -> dict[str, Any]:
        key = parameters.key(number)
        if key is None:
            raise NotFound(f"there is no job {number}")
        return _job(slug, jobs.dismiss(store, cities.by_slug(store, slug), key))

    return await acted(request, language, work, back="/admin/jobs")


@router.get("/imports")
async def listed_imports(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the imports of the city in use, and the way to another one."""
    limit = parameters.limit(parameters.known(request.query_params, ("limit",)).get("limit"))
    found = await run_in_threadpool(ingest.batches, store, moment.city, limit=limit) if moment.city else []
    return respond(
        request,
        {"imports": [batch_facts(row) for row in found]},
        "admin_imports.html",
        language=language,
        frames=FRAMES,
        systems=CRS_WORDS,
        has_city=moment.city is not None,
    )


@router.post("/imports")
async def take(
    request: Request, *, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Import an uploaded file, or try it out; the answer is the report, as of ``POST /imports/{frame}``."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("send the file as multipart/form-data, in the field 'file'")
    most: int = request.app.state.settings.max_upload_bytes
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        texts = {name: str(value) for name, value in form.items() if not isinstance(value, UploadFile)}
        check_csrf(visitor, csrf_said(request, texts))
        try:
            city, frame = city_of(moment), texts.get("frame", "")
            if frame not in FRAMES:
                problem = Problem("unknown_frame", f"must be one of {', '.join(FRAMES)}", "frame")
                raise InvalidInput("there is no such frame", [problem])
            upload, options = read_form(_import_fields(form))
            if (upload.size or 0) > most:
                raise TooLarge(f"a file may have at most {most:,} bytes")
            report = await run_in_threadpool(import_upload, store, city, frame, upload, options)
        except GridError as error:
            return refused(request, language, error, back="/admin/imports")
    watch_of(request).forget()
    if accepts_html(request.headers.get("accept", "")) and report.batch_id:
        return RedirectResponse(f"/imports/{report.batch_id}?lang={language}&f=html", 303)
    return answer_of(request, report)


@router.get("/audit")
async def log(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return whether the audit log is whole, checked now when asked (``check=true``)."""
    given = parameters.known(request.query_params, ("check",))
    del moment

    def look() -> dict[str, Any]:
        anchors, problem = _anchors()
        document: dict[str, Any] = {
            "rows": audit.head(store).seq,
            "anchors": {
                "count": len(anchors),
                "last": instant(anchors[-1].at) if anchors else None,
                "problem": problem,
            },
        }
        if given.get("check") == "true":
            report = audit.verify(store, anchors, newest=NEWEST_CHECKED)
            document["check"] = {
                "whole": report.is_whole and problem is None,
                "first": report.first,
                "last": report.last,
                "anchors_compared": report.anchors_count,
                "faults": [{"kind": fault.kind, "row": fault.seq} for fault in report.faults[:100]],
            }
        return document

    return respond(request, await run_in_threadpool(look), "admin_audit.html", language=language)


@router.get("/cities")
async def listed_cities(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the cities of the server, and which one is in use."""
    parameters.known(request.query_params, ())
    here = moment.city.profile.slug if moment.city else None
    found = await run_in_threadpool(cities.all_, store)
    rows = [
        {
            "slug": city.profile.slug,
            "title": city.profile.title._asdict(),
            "metric_crs": city.profile.metric_crs,
            "time_zone": city.profile.time_zone,
            "synthetic": city.profile.synthetic,
            "in_use": city.profile.slug == here,
        }
        for city in found
    ]
    return respond(request, {"cities": rows}, "admin_cities.html", language=language)


@router.post("/cities")
async def use(request: Request, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Take a city into use instead of the present one."""
    given = await said(request, visitor, ("slug",))

    def work() -> dict[str, Any]:
        return {"in_use": cities.use(store, given.get("slug", "")).profile.slug}

    done = await acted(request, language, work, back="/admin/cities")
    watch_of(request).forget()
    return done


def _checks(found: list[Any]) -> list[dict[str, Any]]:
    return [{"name": check.name, "good": check.good, "needed": check.needed, "detail": check.detail} for check in found]


def _job(slug: str, job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "city": slug,
        "service": job.service,
        "state": job.state,
        "progress": round(100 * job.progress_share),
        "attempts": job.attempts,
        "created": instant(job.created_at),
        "started": instant(job.started_at),
        "finished": instant(job.finished_at),
        "problem": (job.problem or {}).get("title"),
    }


def _import_fields(form: FormData) -> FormData:
    """Return what an import itself is told, without the fields of the page around it."""
    own = ("frame", "csrf")
    kept = [(name, value) for name, value in form.multi_items() if name not in own and value != ""]
    pairs = [(name, value) for name, value in kept if name != "map"]
    lines = [line.strip() for name, value in kept if name == "map" for line in str(value).splitlines()]
    return FormData([*pairs, *(("map", line) for line in lines if line)])


def _anchors() -> tuple[list[Anchor], str | None]:
    path = audit.anchor_file()
    try:
        return (audit.anchors_of(path) if path.is_file() else []), None
    except (GridError, OSError) as error:
        return [], str(error)
