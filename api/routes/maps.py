"""``/maps/{layer}.html``: a layer as one self-contained page, for readers without WebGL, for e-mail and for print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.cache import etag
from api.catalogue import layer_of
from api.deps import CityDep, LanguageDep, MomentDep, StoreDep, cache_of
from api.problems import bad_query
from api.sources import version_of
from gis.contract.service import service
from gis.contract.text import Language
from gis.errors import NotFound
from gis.store import frames, results
from gis.store.cities import CityRow
from gis.store.engine import Store
from layers.engine.catalog import catalog
from layers.engine.layer import FrameSource, Layer

router = APIRouter()

AROUND: Final = ("water_areas", "segments")
"""Layers drawn below, so that one sees where one is."""

CSP: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; sandbox allow-scripts allow-popups"
)
"""The page brings its own scripts, so it may run them; but it may load nothing and is a stranger to this server."""


@router.get("/maps/{name}.html")
async def page(
    request: Request, name: str, *, store: StoreDep, city: CityDep, moment: MomentDep, language: LanguageDep
) -> Response:
    """Return the map of a layer."""
    of = layer_of(request, name)
    given = parameters.known(request.query_params, ("run_id",) if of.service else ())
    run_id = _run_id(of, given.get("run_id"), moment.runs)
    around = tuple(version_of(catalog()[id_], moment) for id_ in AROUND)
    key = ("map", of.id, of.columns, version_of(of, moment, run_id=run_id), around, language, city.scope.hash)
    headers = {"ETag": etag(key), "Cache-Control": "private, no-cache", "Content-Security-Policy": CSP}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)

    async def make() -> bytes:
        return await run_in_threadpool(_render, store, city, of, run_id, language)

    return Response(await cache_of(request).get(key, make), headers=headers, media_type="text/html; charset=utf-8")


def _run_id(of: Layer, text: str | None, latest: Mapping[str, int]) -> int | None:
    if of.service is None:
        return None
    if text is None:
        run_id = latest.get(of.service)
        if run_id is None:
            raise NotFound(f"the service '{of.service}' has not run yet; 'wangge run {of.service}' runs it")
        return run_id
    number = parameters.key(text)
    if number is None:
        raise bad_query("run_id", "must be the number of a run")
    return number


def _render(store: Store, city: CityRow, of: Layer, run_id: int | None, language: Language) -> bytes:
    # folium is heavy and only this page needs it.
    from layers.engine.notebook import folium_map, result_map

    around = {id_: frames.read_frame(store, city, id_) for id_ in AROUND if id_ != of.id}
    if isinstance(of.source, FrameSource):
        frame = frames.read_frame(store, city, of.source.frame)
        drawn = folium_map(of, frame, language=language, profile=city.profile, context=around)
    else:
        result = results.read(store, city, run_id or 0)
        if result.service != service(of.source.service).id:
            raise NotFound(f"run {run_id} is none of the service '{of.source.service}'")
        drawn = result_map(result, language=language, context=around)
    page_: str = drawn.get_root().render()
    return page_.encode()
