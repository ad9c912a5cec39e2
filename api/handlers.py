"""From an exception to its answer: RFC 9457 for programs, a page with the same words for people."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlencode

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.pages import LANGUAGES, accepts_html, render
from api.problems import answer, problem_response, status_of, unexpected
from gis.contract.text import Language
from gis.errors import GridError


async def on_grid_error(request: Request, error: Exception) -> Response:
    """Answer an error of the tree."""
    if not isinstance(error, GridError):
        raise error
    if status_of(error) == HTTPStatus.INTERNAL_SERVER_ERROR:
        return for_reader(request, unexpected(error))
    return for_reader(request, answer(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: no such path, no such method, a broken multipart body."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return Response(status_code=error.status_code, headers=error.headers)
    return for_reader(request, problem_response(error.status_code, error.detail, headers=error.headers))


def for_reader(request: Request, problem: Response) -> Response:
    """Return the problem, or a page that says the same where a person asked in a browser."""
    asked = request.query_params.get("f")
    person = asked == "html" or (asked is None and accepts_html(request.headers.get("accept", "")))
    if not person or request.method not in ("GET", "HEAD"):
        return problem
    if problem.status_code == HTTPStatus.UNAUTHORIZED and "authorization" not in request.headers:
        here = request.url.replace(scheme="", netloc="")
        way_back = {"next": str(here), "lang": _language(request)}
        return RedirectResponse(f"/signin?{urlencode(way_back)}", HTTPStatus.SEE_OTHER)
    document = orjson.loads(bytes(problem.body))
    page = render(request, "problem.html", language=_language(request), status=problem.status_code, document=document)
    for name in ("retry-after", "www-authenticate"):
        if name in problem.headers:
            page.headers[name] = problem.headers[name]
    return page


def _language(request: Request) -> Language:
    """Return the language of an error page; a broken ``lang`` is no second error."""
    asked = request.query_params.get("lang", "")
    accepted = request.headers.get("accept-language", "").lower()
    return next((each for each in LANGUAGES if each == asked), "en" if accepted.startswith("en") else "zh")
