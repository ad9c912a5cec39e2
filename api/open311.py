"""Open311 GeoReport v2: what is read of a request, and how an answer is written, as JSON and as XML.

XML is written with the standard library and never read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.pages import VARY
from api.parameters import COMMON
from api.problems import BadHeader, BadQuery, answer, status_of
from gis.errors import GridError, InvalidInput, NotFound, Problem, TooLarge, UnsupportedMedia
from gis.store.reports import Report

FORM: Final = "application/x-www-form-urlencoded"
FORMATS: Final = ("json", "xml")
JSON_TYPE: Final = "application/json; charset=utf-8"
XML_TYPE: Final = "text/xml; charset=utf-8"
MOST_BYTES: Final = 16_384
MOST_FIELDS: Final = 60
MOST_NAMES: Final = 50
SEEN_AT: Final = "attribute[seen_at]"
READ: Final = ("service_code", "lat", "long", SEEN_AT, "jurisdiction_id", "api_key", "lang")
DROPPED: Final = (
    "first_name", "last_name", "email", "phone", "account_id", "device_id",
    "description", "media_url", "address_string", "address_id",
)  # fmt: skip
"""Fields of the specification that would say who reports, or hold free text: taken and not kept, which is said."""
_ITEMS: Final = {"attributes": "attribute", "values": "value", "endpoints": "endpoint", "formats": "format"}
"""Lists within an answer, and what XML calls their entries."""
_DEGREES: Final = re.compile(r"[+-]?\d{1,3}(\.\d{1,20})?")
_ZONED: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")


class Open311Route(APIRoute):
    """A route whose errors are as the specification has them: codes and descriptions, in the format asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with its errors translated."""
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handler(request)
            except GridError as error:
                return _refusal(request, error)

        return told


def written(ending: str, root: str, item: str | None, content: Any, status: int = 200) -> Response:
    """Return an answer in the format of its ending; NotFound where there is no such format.

    Parameters
    ----------
    root, item
        What XML calls the whole, and each entry of a list; no item where the content is one thing.
    """
    if ending == "json":
        return Response(orjson.dumps(content), status, VARY, JSON_TYPE)
    if ending != "xml":
        raise NotFound(f"there is no format '{ending}'; there are {' and '.join(FORMATS)}")
    top = ET.Element(root)
    if item is None:
        _fill(top, content)
    else:
        for entry in content:
            _fill(ET.SubElement(top, item), entry)
    return Response(ET.tostring(top, encoding="utf-8", xml_declaration=True), status, VARY, XML_TYPE)


def _fill(element: ET.Element, content: Any) -> None:
    if isinstance(content, Mapping):
        for name, value in content.items():
            _fill(ET.SubElement(element, name), value) if not isinstance(value, list) else _list(element, name, value)
    elif content is not None:
        element.text = str(content).lower() if isinstance(content, bool) else str(content)


def _list(element: ET.Element, name: str, entries: Sequence[Any]) -> None:
    inner = ET.SubElement(element, name)
    for entry in entries:
        _fill(ET.SubElement(inner, _ITEMS[name]), entry)


def _refusal(request: Request, error: GridError) -> Response:
    usual = answer(error)
    problems = error.problems if isinstance(error, InvalidInput) else ()
    status = usual.status_code
    if status_of(error) == 422:  # noqa: PLR2004 - which the specification does not know
        missing = any(problem.field == "service_code" and problem.code == "unknown_code" for problem in problems)
        status = 404 if missing else 400
    # The page says in which language it is read; a client that does not is answered in English.
    zh = request.query_params.get("lang") == "zh"
    words = [(zh and problem.zh) or problem.message for problem in problems]
    said = [f"{p.field}: {text}" if p.field else text for p, text in zip(problems, words, strict=True)]
    summary = (zh and error.zh) or (error.message if isinstance(error, InvalidInput) else str(error))
    content = [{"code": status, "description": text} for text in said or [summary]]
    ending = "xml" if request.url.path.endswith(".xml") else "json"
    response = written(ending, "errors", "error", content, status)
    for name in ("retry-after", "www-authenticate"):
        if name in usual.headers:
            response.headers[name] = usual.headers[name]
    return response


def arguments(request: Request, allowed: Collection[str], *, jurisdiction: str) -> dict[str, str]:
    """Return the arguments of a query; an empty one counts as not given, as the specification says.

    Raises
    ------
    BadQuery
        One is unknown or given twice.
    NotFound
        It is about another jurisdiction.
    """
    names = [name for name, _ in request.query_params.multi_items()]
    expected = (*allowed, "jurisdiction_id", "api_key", *COMMON)
    problems = [Problem("unknown_parameter", "there is no such argument", n) for n in set(names) - set(expected)]
    problems += [Problem("doubled_parameter", "given more than once", n) for n in set(names) if names.count(n) > 1]
    if problems:
        raise BadQuery("an argument is not valid", problems)
    given = {name: value for name, value in request.query_params.items() if value}
    _of(given, jurisdiction)
    return given


def _of(given: Mapping[str, str], jurisdiction: str) -> None:
    if given.get("jurisdiction_id", jurisdiction) != jurisdiction:
        raise NotFound(f"there is no such jurisdiction_id; this server serves '{jurisdiction}'")


async def report_of(request: Request, *, jurisdiction: str, now: dt.datetime) -> tuple[Report, list[str]]:
    """Return what a form reports, and which of its fields are not kept.

    Raises
    ------
    UnsupportedMedia, TooLarge, BadHeader
        The body is no form, or too long.
    InvalidInput
        Names every field that is wrong.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not kind:
        raise BadHeader("the header Content-Type is missing")
    if kind != FORM:
        raise UnsupportedMedia(f"send the report as {FORM}")
    given = _form(await request.body())
    _of(given, jurisdiction)
    problems = [
        Problem("unknown_field", "is not read here", name[:80]) for name in given if name not in (*READ, *DROPPED)
    ]
    code = given.get("service_code", "")
    if not code:
        problems.append(Problem("missing_value", "is needed", "service_code", zh="必填"))
    place = []
    for name in ("long", "lat"):
        text = given.get(name, "")
        if _DEGREES.fullmatch(text):
            place.append(float(text))
        else:
            problems.append(
                Problem(
                    "bad_value",
                    "is needed, in degrees of WGS84 such as 31.2989",
                    name,
                    zh="必填，WGS84 度数，如 31.2989",
                )
            )
    seen_at = _seen_at(given.get(SEEN_AT, ""), now)
    if seen_at is None:
        problems.append(
            Problem("bad_value", "must be a time with its zone, such as 2026-01-31T08:00:00+08:00", SEEN_AT)
        )
    if problems or seen_at is None:
        raise InvalidInput("the report cannot be taken", problems)
    return Report(code, seen_at, (place[0], place[1])), [name for name in DROPPED if name in given]


def _form(raw: bytes) -> dict[str, str]:
    if len(raw) > MOST_BYTES:
        raise TooLarge(f"a report may have at most {MOST_BYTES:,} bytes")
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidInput("the body is no form in UTF-8, or has too many fields") from None
    names = [name for name, _ in pairs]
    if doubled := sorted({name[:80] for name in names if names.count(name) > 1}):
        raise InvalidInput("the report cannot be taken", [Problem("given_twice", "given twice", n) for n in doubled])
    return {name: value.strip() for name, value in pairs if value.strip()}


def _seen_at(text: str, now: dt.datetime) -> dt.datetime | None:
    if not text:
        return now
    if not _ZONED.fullmatch(text):
        return None
    try:
        return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
