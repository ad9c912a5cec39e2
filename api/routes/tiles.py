"""Vector tiles: ``/collections/{id}/tiles/WebMercatorQuad/{z}/{y}/{x}``, row before column as OGC has it.

A plain route: the framework's own work would more than double the time of a tile from the cache.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from api import filters, parameters, tilesets
from api.cache import etag
from api.catalogue import layer_of
from api.deps import cache_of, city_of, moment_of, store_of
from api.links import MVT
from api.routes.plain import plain
from api.sources import relation_of, version_of
from gis.errors import NotFound
from gis.store import tiles
from layers.engine.layer import Layer

PATH: Final = f"/collections/{{id}}/tiles/{tilesets.ID}/{{z}}/{{y}}/{{x}}"
PRIVATE: Final = {"Cache-Control": "private, no-cache"}
"""A browser keeps a tile and asks each time whether it is still the one: answered without the database."""
SOON_S: Final = 0.05
"""A tile that is there by then is not worth asking whether its client has left."""
GONE: Final = Response(status_code=499)


async def tile(request: Request) -> Response:
    """Return one tile, 204 where it is empty, 304 where the client has it."""
    of = layer_of(request, request.path_params["id"])
    z, y, x = _place(request)
    moment = await moment_of(request)
    city = city_of(moment)
    asked = filters.asked(of, request.query_params, own=filters.TILES, profile=city.profile)
    relation = relation_of(of, moment, run_id=asked.run_id)
    if relation is None:
        return Response(status_code=204, headers=PRIVATE)
    version = version_of(of, moment, run_id=asked.run_id)
    key = (of.id, of.columns, version, city.scope.hash, z, y, x, asked.query.digest, tiles.DRAWING)
    headers = {**PRIVATE, "ETag": etag(key)}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    cache = cache_of(request)
    content = cache.peek(key)
    if content is None:
        store = store_of(request)

        async def make() -> bytes:
            return await tiles.tile(
                store,
                city.scope,
                relation,
                of.columns,
                z,
                x,
                y,
                asked.query,
                of.id,
                drawn=of.geometry,
                label_columns=_label_columns(of),
            )

        with filters.as_bad_query():
            content = await _unless_gone(request, asyncio.ensure_future(cache.get(key, make)))
    if content is None:
        return GONE
    if not content:
        return Response(status_code=204, headers=headers)
    return Response(content, headers=headers, media_type=MVT)


async def _unless_gone(request: Request, made: asyncio.Future[bytes]) -> bytes | None:
    """Return the tile, or None when the client has left; then its query is cancelled unless others wait for it."""
    leaving: asyncio.Future[None] | None = None
    try:
        await asyncio.wait((made,), timeout=SOON_S)
        if not made.done():
            leaving = asyncio.ensure_future(_disconnected(request))
            both: tuple[asyncio.Future[Any], ...] = (made, leaving)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return made.result() if made.done() else None
    finally:
        made.cancel()
        if leaving is not None:
            leaving.cancel()


def _label_columns(of: Layer) -> tuple[str, ...]:
    return (*of.label.zh, *of.label.en) if of.label else ()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _place(request: Request) -> tuple[int, int, int]:
    texts = [request.path_params[name] for name in ("z", "y", "x")]
    numbers = [0 if text == "0" else parameters.key(text) for text in texts]
    z, y, x = (-1 if number is None else number for number in numbers)
    if not tilesets.in_range(z, y, x):
        raise NotFound(f"there is no tile {'/'.join(texts)}")
    return z, y, x


ROUTES: Final = [plain(PATH, tile)]
