"""What goes wrong, as HTTP: one table error -> status, bodies in RFC 9457.

Only sentences of our own error tree reach a client; a message of PostgreSQL, GEOS or Python never does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, ClassVar

import orjson
from starlette.responses import Response

from api.logs import log, request_id
from api.plans import edit_documents
from gis.errors import (
    Conflict,
    Forbidden,
    GridError,
    Infeasible,
    InvalidInput,
    NotFound,
    PlanRuleBroken,
    Problem,
    SignInNeeded,
    StoreUnavailable,
    TooLarge,
    TooMany,
    UnsupportedMedia,
)
from gis.store.plans import StaleRevision

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2


class BadQuery(InvalidInput):
    """A query parameter that is unknown or invalid: 400, a SHALL of OGC API Features."""


class BadHeader(InvalidInput):
    """A header that is missing or not valid: 400, as the standards of OGC API ask for."""


class Stale(Conflict):
    """A feature is no longer in the state that a request means (``If-Match``)."""


class ConditionNeeded(InvalidInput):
    """A request that could undo what others changed must say which state it means (``If-Match``)."""


class NoSuchProcess(NotFound):
    """No service of that name."""

    type_: ClassVar[str] = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-process"


class NoSuchJob(NotFound):
    """No job of that number."""

    type_: ClassVar[str] = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/no-such-job"


class ResultNotReady(NotFound):
    """The job has no result, not yet or never."""

    type_: ClassVar[str] = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/result-not-ready"


STATUS: Mapping[type[GridError], int] = MappingProxyType(
    {
        BadQuery: 400,
        BadHeader: 400,
        InvalidInput: 422,
        UnsupportedMedia: 415,
        SignInNeeded: 401,
        NotFound: 404,
        Forbidden: 403,
        TooMany: 429,
        TooLarge: 413,
        Conflict: 409,
        Stale: 412,
        ConditionNeeded: 428,
        PlanRuleBroken: 422,
        Infeasible: 422,
        StoreUnavailable: 503,
    }
)
"""Error -> status; an error that is not named takes its nearest ancestor's."""


def status_of(error: GridError) -> int:
    """Return the HTTP status of an error of the tree.

    Examples
    --------
    >>> from gis.errors import CrsMissing
    >>> status_of(CrsMissing("no CRS"))
    422
    """
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def bad_query(name: str, message: str) -> BadQuery:
    """Return the error of one query parameter."""
    problem = Problem("bad_parameter", message, name)
    return BadQuery("a query parameter is not valid", [problem])


def problem_response(
    status: int,
    detail: str,
    *,
    problems: tuple[Problem, ...] = (),
    type_: str = "about:blank",
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return an RFC 9457 answer; `members` are extension members such as ``grids``."""
    body = {
        "type": type_,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "problems": [p.as_dict() for p in problems],
        "request_id": request_id(),
        **members,
    }
    return Response(orjson.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


def answer(error: GridError) -> Response:
    """Return the answer to an error of the tree."""
    status = status_of(error)
    _note(error, status)
    detail = error.message if isinstance(error, InvalidInput) else str(error)
    members: dict[str, Any] = {"grids": list(error.grids)} if isinstance(error, PlanRuleBroken) else {}
    if isinstance(error, StaleRevision):
        # What to choose from: take theirs, say mine again at their revision, or keep mine as a copy.
        members = {"revision": error.revision, "since": edit_documents(error.since)}
    if error.zh:
        members["message"] = {"zh": error.zh, "en": detail}
    return problem_response(
        status,
        detail,
        problems=error.problems if isinstance(error, InvalidInput) else (),
        type_=getattr(error, "type_", "about:blank"),
        headers=_headers(error, status),
        **members,
    )


def _note(error: GridError, status: int) -> None:
    """Write what was refused into the log: which of our rules it broke, and nothing of what was sent."""
    if isinstance(error, InvalidInput | TooLarge | PlanRuleBroken):
        codes = {problem.code for problem in error.problems} if isinstance(error, InvalidInput) else set()
        log().info("input_refused", status=status, kind=type(error).__name__, codes=sorted(codes))


def _headers(error: GridError, status: int) -> dict[str, str]:
    if isinstance(error, TooMany):
        return {"Retry-After": str(math.ceil(error.wait_s))}
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="wangge"'}
    return {"Retry-After": str(RETRY_AFTER_S)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def unexpected(error: BaseException) -> Response:
    """Log a bug with its traceback, and return a 500 that tells nothing but the request id."""
    log().error("unexpected_error", exc_info=error)
    return problem_response(500, "Something went wrong on the server; its log knows more under this request id.")
