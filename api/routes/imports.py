"""``/imports``: files that go in, and the report of each."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.deps import CityDep, LanguageDep, StoreDep, watch_of
from api.jobs import instant
from api.links import JSON, link, self_links
from api.pages import Json, respond
from api.pairs import pairs
from api.problems import problem_response
from gis.city import FRAMES
from gis.errors import InvalidInput, NotFound, Problem, TooLarge, UnsupportedMedia
from gis.files.formats import by_extension
from gis.store import ingest
from gis.store.ingest import BatchRow, ImportOptions, ImportReport
from gis.store.settings import settings

router = APIRouter()

WORDS: Final = ("crs", "source", "time_zone", "time_format", "dissolve", "layer", "encoding")
SWITCHES: Final = ("dry_run", "allow_partial", "trust_crs", "id_from_content")
LISTS: Final = ("map", "set", "skip")
FILE: Final = "file"
MAX_NAME: Final = 120
MAX_FIELDS: Final = 600


@router.post("/imports/{frame}")
async def take(request: Request, frame: str, store: StoreDep, city: CityDep) -> Response:
    """Import an uploaded file: 201 with its report, 200 when it had been imported before, 422 when it is refused."""
    parameters.known(request.query_params, ())
    if frame not in FRAMES:
        raise NotFound(f"there is no frame '{frame}'; the frames are {', '.join(FRAMES)}")
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise UnsupportedMedia("send the file as multipart/form-data, in the field 'file'")
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as form:
        upload, options = read_form(form)
        if (upload.size or 0) > request.app.state.settings.max_upload_bytes:
            raise TooLarge(f"a file may have at most {request.app.state.settings.max_upload_bytes:,} bytes")
        report = await run_in_threadpool(import_upload, store, city, frame, upload, options)
    watch_of(request).forget()
    return answer_of(request, report)


@router.get("/imports")
async def listed(request: Request, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the imports of the city in use, the newest first."""
    limit = parameters.limit(parameters.known(request.query_params, ("limit",)).get("limit"))
    found = await run_in_threadpool(ingest.batches, store, city, limit=limit)
    document = {"imports": [_batch(request, row) for row in found], "links": self_links(request)}
    return respond(request, document, "imports.html", language=language)


@router.get("/imports/{id_}")
async def one(request: Request, id_: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the report of one import."""
    parameters.known(request.query_params, ())
    row = await run_in_threadpool(ingest.batch, store, city, _number(id_))
    document = {**_batch(request, row), "report": row.report.as_dict() if row.report else None}
    return respond(request, document, "import.html", language=language)


@router.get("/imports/{id_}/errors")
async def errors(request: Request, id_: str, store: StoreDep, city: CityDep, language: LanguageDep) -> Response:
    """Return the problems of an import, row by row, in the order of the file."""
    given = parameters.known(request.query_params, ("limit", "after_row"))
    limit = parameters.limit(given.get("limit"))
    after = parameters.row_number(given.get("after_row"))
    number = _number(id_)
    found = await run_in_threadpool(ingest.row_errors, store, city, number, limit=limit, after_row=after)
    rows = [{"row": e.row_number, "field": e.field, "code": e.code, "message": e.message} for e in found]
    document: dict[str, Any] = {"id": number, "errors": rows, "links": self_links(request)}
    if len(found) == limit:
        # A row may have several problems: go on from the last whole one.
        last = next((e.row_number for e in reversed(found) if e.row_number != found[-1].row_number), None)
        if last is not None:
            following = {"limit": limit, "after_row": last}
            document["links"].append(link(request, "next", f"/imports/{number}/errors", JSON, query=following))
    return respond(request, document, "import_errors.html", language=language)


def read_form(form: FormData) -> tuple[UploadFile, ImportOptions]:
    """Return the file and how to read it; `InvalidInput` names everything that is wrong with the form."""
    problems = [
        Problem("unknown_field", "there is no such field of an import", name)
        for name in dict.fromkeys(form)
        if name not in (FILE, *WORDS, *SWITCHES, *LISTS)
    ]
    uploads = [entry for entry in form.getlist(FILE) if isinstance(entry, UploadFile)]
    if not uploads or not uploads[0].filename:
        problems.append(Problem("missing_file", "the file is missing", FILE))
    texts = {name: [entry for entry in form.getlist(name) if isinstance(entry, str)] for name in (*WORDS, *SWITCHES)}
    problems += [Problem("doubled_field", "given twice", name) for name, given in texts.items() if len(given) > 1]
    problems += [
        Problem("not_a_switch", "must be true or false", name)
        for name in SWITCHES
        if texts[name] and texts[name][0] not in ("true", "false")
    ]
    if problems:
        raise InvalidInput("the form is not valid", problems)
    words = {name: texts[name][0] for name in WORDS if texts[name] and texts[name][0]}
    switches = {name: texts[name] == ["true"] for name in SWITCHES}
    lists = {name: [str(entry) for entry in form.getlist(name)] for name in LISTS}
    return uploads[0], _options(uploads[0], words, switches, lists)


def _options(
    upload: UploadFile, words: Mapping[str, str], switches: Mapping[str, bool], lists: Mapping[str, list[str]]
) -> ImportOptions:
    return ImportOptions(
        crs=words.get("crs"),
        mapping=pairs(lists["map"], "map"),
        skip=tuple(lists["skip"]),
        constants=pairs(lists["set"], "set"),
        time_zone=words.get("time_zone"),
        time_format=words.get("time_format"),
        source=words.get("source") or plain_name(upload.filename or ""),
        dissolve=words.get("dissolve"),
        layer=words.get("layer"),
        encoding=words.get("encoding"),
        dry_run=switches["dry_run"],
        allow_partial=switches["allow_partial"],
        trust_crs=switches["trust_crs"],
        id_from_content=switches["id_from_content"],
    )


def plain_name(name: str) -> str:
    r"""Return a file name as a source's name: no folders, no control characters, not endless.

    Examples
    --------
    >>> plain_name("../../etc/../data\\grids.gpkg")
    'grids.gpkg'
    """
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME] or "upload"


def import_upload(store: Any, city: Any, frame: str, upload: UploadFile, options: ImportOptions) -> ImportReport:
    """Import an upload, which is kept as a file for as long as that takes."""
    with kept(upload) as path:
        return ingest.import_file(store, city, frame, path, options)


@contextmanager
def kept(upload: UploadFile) -> Iterator[Path]:
    """Give the upload as a file under a name of our own: nothing ever opens the name that came with it."""
    ending = by_extension(Path(plain_name(upload.filename or ""))).extensions
    suffix = next(e for e in ending if plain_name(upload.filename or "").lower().endswith(e))
    folder = settings().data_dir / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as private:
        path = Path(private) / f"{secrets.token_hex(8)}{suffix}"
        with path.open("wb") as file:
            shutil.copyfileobj(upload.file, file)
        yield path


def answer_of(request: Request, report: ImportReport) -> Response:
    """Return the answer to an import: its report, or why the file is refused."""
    if report.refused:
        return problem_response(
            422,
            f"{report.frame}: the file is refused, nothing was changed",
            problems=report.problems,
            report=report.as_dict(),
        )
    here = f"/imports/{report.batch_id}"
    document = {**report.as_dict(), "id": report.batch_id, "links": [link(request, "self", here, JSON)]}
    return Json(document, 200 if report.state == "already_applied" else 201, {"Location": here})


def batch_facts(row: BatchRow) -> dict[str, Any]:
    """Return how an import stands."""
    return {
        "id": row.id,
        "frame": row.frame,
        "source": row.source,
        "state": row.state,
        "rows_read": row.rows_read,
        "rows_bad": row.rows_bad,
        "started": instant(row.started_at),
        "applied": instant(row.applied_at),
    }


def _batch(request: Request, row: BatchRow) -> dict[str, Any]:
    here = f"/imports/{row.id}"
    links = [link(request, "self", here, JSON), link(request, "errors", f"{here}/errors", JSON)]
    return {**batch_facts(row), "links": links}


def _number(text: str) -> int:
    number = parameters.key(text)
    if number is None:
        raise NotFound(f"there is no import {text}")
    return number
