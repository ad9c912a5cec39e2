"""Fields of a form or of a JSON body, the same either way."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.requests import Request

from api.visitors import CSRF_HEADER
from gis.errors import InvalidInput, Problem

MAX_FIELDS: Final = 300
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def is_form(request: Request) -> bool:
    """Return whether a page's form was sent, whose answer is a page."""
    return request.headers.get("content-type", "").startswith(FORMS)


async def fields(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a form or of a JSON body; what is chosen several times is joined by spaces.

    Raises
    ------
    InvalidInput
        Names what does not belong there.
    """
    if is_form(request):
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            given: Any = {
                name: " ".join(entry for entry in form.getlist(name) if isinstance(entry, str)) for name in form
            }
    else:
        try:
            given = orjson.loads(await request.body() or b"{}")
        except orjson.JSONDecodeError:
            raise InvalidInput("the body is not JSON") from None
    if not isinstance(given, dict):
        raise InvalidInput("the body must be a JSON object")
    problems = [
        Problem("unknown_field", "there is no such field here", str(name)) for name in given.keys() - set(names)
    ]
    problems += [
        Problem("not_text", "must be text", name)
        for name in names
        if name in given and (not isinstance(given[name], str) or "\x00" in given[name])
    ]
    if problems:
        raise InvalidInput("the request is not valid", problems)
    return given


def csrf_said(request: Request, given: dict[str, str]) -> str:
    """Return what a request says to prove that a page of ours made it."""
    return request.headers.get(CSRF_HEADER) or given.get("csrf", "")
