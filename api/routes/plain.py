"""Routes without the framework's own work, for what a map asks many times a second.

They stand before all others, pass the gate by themselves, and are described in `api.openapi` like every other one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.gate import admit
from api.metrics import ROUTE_KEY


def plain(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return the route of a GET; the endpoint is called with whoever was let in."""

    async def answered(request: Request) -> Response:
        request.scope[ROUTE_KEY] = path
        await admit(request, path)
        return await endpoint(request)

    return Route(path, answered, methods=["GET"])
