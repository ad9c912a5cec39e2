"""What every request passes on its way in and out: an id, a log line, a door, a size limit, security headers.

Plain ASGI: no request is wrapped twice, and a tile pays microseconds.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import log, start_request
from api.matrix import READING
from api.problems import answer, problem_response, unexpected
from api.settings import ServerSettings
from gis.errors import StoreUnavailable, TooLarge

CSP = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HEADERS = [
    (name.lower().encode(), value.encode())
    # Who may see an answer is decided each time.
    for name, value in {"Cache-Control": "no-store", **SECURITY_HEADERS}.items()
]
"""Of every answer that does not say something else itself."""
QUIET_PATHS = ("/livez", "/healthz", "/readyz", "/assets/")
SECRET_PATHS = ("/open311/v2/tokens/", "/open311/v2/requests/")
"""Below these an address ends in what only one person knows."""
MULTIPART_OVERHEAD_BYTES = 100_000
UPLOADS = ("/imports/", "/plans/imports", "/admin/imports")
"""Beginnings of the paths at which files are taken."""


class Journal:
    """The outermost layer: names the request, logs it, and turns what nobody caught into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        id_ = uuid.uuid4().hex
        start_request(id_)
        started = time.perf_counter()
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                said = message.get("headers", ())
                have = {name for name, _ in said}
                more = (header for header in _HEADERS if header[0] not in have)
                message["headers"] = [*said, *more, (b"x-request-id", id_.encode())]
            await send(message)

        try:
            await self.app(scope, receive, named)
        except Exception as error:  # noqa: BLE001 - the last resort of the server
            response = unexpected(error)
            if status == 0:
                await response(scope, receive, named)
        finally:
            if not scope["path"].startswith(QUIET_PATHS):
                log().log(
                    logging.WARNING if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO,
                    "request",
                    method=scope["method"],
                    path=_without_secret(scope["path"]),
                    status=status,
                    ms=round((time.perf_counter() - started) * 1000, 1),
                )


def _without_secret(path: str) -> str:
    """Return a path as it may stand in a log: whoever reads the log could ask by a token of the public.

    Examples
    --------
    >>> _without_secret("/open311/v2/tokens/abcd.json"), _without_secret("/map")
    ('/open311/v2/tokens/*', '/map')
    """
    return next((f"{start}*" for start in SECRET_PATHS if path.startswith(start)), path)


class Door:
    """Lets in what is addressed to this server, and changes only from its own pages.

    A page of another site in the same browser may not read (the host name is checked, against DNS rebinding) nor write
    (the origin is checked, before the gate asks for the CSRF token as well).
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.hosts = frozenset(name.lower() for name in settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host = headers.get("host", "")
            if _host_name(host) not in self.hosts:
                log().warning("foreign_host")
                response = problem_response(400, "this server does not answer to that host name")
                await response(scope, receive, send)
                return
            if scope["method"] not in READING and not _same_origin(headers, host):
                log().warning("foreign_origin")
                response = problem_response(403, "changes are only taken from this server's own pages")
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same_origin(headers: Headers, host: str) -> bool:
    """Return whether a change comes from a page of this server, or from no page at all (curl, a script)."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return urlsplit(origin).netloc.lower() == host.lower()


class Deadline:
    """Answers 503 where an answer has not begun in time; whatever still works at it has limits of its own.

    Work in a thread cannot be stopped from here. What it says afterwards is heard by nobody.
    """

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or "/tiles/" in scope["path"]:
            await self.app(scope, receive, send)
            return
        begun = late = False

        async def timely(message: Message) -> None:
            nonlocal begun
            if not late:
                begun = True
                await send(message)

        limit_s = self.settings.max_file_s if carries_file(scope["path"]) else self.settings.max_request_s
        work = asyncio.ensure_future(self.app(scope, receive, timely))
        try:
            await asyncio.wait((work,), timeout=limit_s)
            late = not begun and not work.done()
            if late:
                log().warning("too_late", limit_s=limit_s)
                await answer(StoreUnavailable("the answer took too long"))(scope, receive, send)
            else:
                await work
        finally:
            work.cancel()


def carries_file(path: str) -> bool:
    """Return whether a file comes in or goes out at a path.

    Examples
    --------
    >>> carries_file("/imports/grids"), carries_file("/plans/1/export.gpkg"), carries_file("/plans/1")
    (True, True, False)
    """
    return path.startswith(UPLOADS) or "/export." in path


class BodyLimit:
    """Refuses a body that is too large: by its declared length before reading, else as soon as it has grown."""

    def __init__(self, app: ASGIApp, settings: ServerSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] in READING:
            await self.app(scope, receive, send)
            return
        upload = scope["path"].startswith(UPLOADS)
        limit = self.settings.max_upload_bytes + MULTIPART_OVERHEAD_BYTES if upload else self.settings.max_body_bytes
        too_large = TooLarge(f"the body may have at most {limit:,} bytes")
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > limit:
            await answer(too_large)(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise too_large
            return message

        await self.app(scope, counted, send)
