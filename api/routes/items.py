"""``/collections/{id}/items``: features as GeoJSON, page by page (OGC API Features 1)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import edit_form, filters, parameters, recording
from api.catalogue import layer_of
from api.deps import (
    CityDep,
    LanguageDep,
    MomentDep,
    StoreDep,
    city_of,
    counts_of,
    moment_of,
    reader_language,
    store_of,
)
from api.editing import tag_of
from api.etags import none_match
from api.links import GEOJSON, HTML, JSON, REL, SCHEMA, address, link, same_with
from api.pages import VARY, render, wants_html
from api.routes.plain import plain
from api.sketch import sketch
from api.sources import relation_of, version_of
from api.visitors import visitor_of
from gis.contract.text import Language
from gis.crs import CRS84
from gis.errors import NotFound
from gis.store import items
from gis.store.cities import CityRow
from gis.store.items import ItemPage
from layers.engine.layer import Layer
from layers.engine.popup import Row, rows, words

router = APIRouter()

NOTHING = ItemPage(features="[]", returned=0, counted=0, next_token=None)


async def page(request: Request) -> Response:
    """Return one page of features, in the order of their numbers."""
    moment = await moment_of(request)
    city, language = city_of(moment), reader_language(request, moment)
    of = layer_of(request, request.path_params["id_"])
    asked = filters.asked(of, request.query_params, own=filters.ITEMS, profile=city.profile)
    as_html = wants_html(request)
    relation = relation_of(of, moment, run_id=asked.run_id)
    found = NOTHING
    if relation is not None:
        with filters.as_bad_query():
            # A page for people has a small map in degrees.
            query = replace(asked.query, crs=None) if as_html else asked.query
            version = version_of(of, moment, run_id=asked.run_id)
            key, counts = (of.id, version, city.scope.hash, query.digest), counts_of(request)
            found = await items.page(
                store_of(request), city.scope, relation, of.columns, query, counted=counts.peek(key)
            )
            counts.keep(key, found.counted)
    recording.note(request, rows_count=found.returned, query=asked.query)
    links = _links(request, of, found)
    if not as_html:
        queryables = address(request, f"/collections/{of.id}/queryables")
        headers = {**_headers(asked), "Link": f'<{queryables}>; rel="{REL}queryables"; type="{SCHEMA}"'}
        return Response(_collection(found, links), headers=headers, media_type=GEOJSON)
    document: dict[str, Any] = {
        "features": orjson.loads(found.features),
        "numberReturned": found.returned,
        "links": links,
    }
    if found.matched is not None:
        document["numberMatched"] = found.matched
    return render(
        request,
        "items.html",
        language=language,
        document=document,
        id=of.id,
        title=of.title.in_(language),
        rows=rows(of),
        sketch=sketch(of, document["features"]),
        words=_words(language, city.profile.time_zone),
        fields=_fields(of, None, city, language) if visitor_of(request).role in of.added_by else [],
    )


@router.get("/collections/{id_}/items/{key}")
async def one(
    request: Request, id_: str, key: str, *, store: StoreDep, city: CityDep, moment: MomentDep, language: LanguageDep
) -> Response:
    """Return one feature."""
    of = layer_of(request, id_)
    asked = filters.asked(of, request.query_params, own=filters.ITEM, profile=city.profile)
    as_html = wants_html(request)
    relation = relation_of(of, moment, run_id=asked.run_id)
    number = parameters.key(key)
    if relation is None or number is None:
        raise NotFound(f"there is no feature {key}")
    crs = None if as_html else asked.query.crs
    found = await items.item(store, city.scope, relation, of.columns, number, crs=crs)
    recording.note(request, rows_count=1)
    tag = tag_of(request, of, number, found.version, crs)
    if not as_html and none_match(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={**_headers(asked), "ETag": tag})
    feature = orjson.loads(found.feature)
    if as_html:
        return render(
            request,
            "item.html",
            language=language,
            document=feature,
            id=of.id,
            title=of.title.in_(language),
            rows=rows(of),
            words=_words(language, city.profile.time_zone),
            fields=_fields(of, feature, city, language) if visitor_of(request).role in of.changed_by else [],
            place=_place(feature),
            tag=tag,
        )
    here = f"/collections/{of.id}/items/{number}"
    run: dict[str, object] = {"run_id": asked.run_id} if asked.run_id is not None else {}
    feature["links"] = [
        link(request, "self", here, GEOJSON, query=run),
        link(request, "alternate", here, HTML, query={**run, "f": "html"}),
        link(request, "collection", f"/collections/{of.id}", JSON),
    ]
    return Response(orjson.dumps(feature), headers={**_headers(asked), "ETag": tag}, media_type=GEOJSON)


def _headers(asked: filters.Asked) -> dict[str, str]:
    crs = asked.query.crs
    return {**VARY, "Content-Crs": f"<{CRS84 if crs is None else crs.uri}>"}


def _fields(of: Layer, feature: dict[str, Any] | None, city: CityRow, language: Language) -> list[edit_form.Field]:
    return edit_form.fields(
        of,
        feature,
        language=language,
        time_zone=city.profile.time_zone,
        open_codes=city.profile.open_categories,
    )


def _place(feature: dict[str, Any]) -> list[float] | tuple[str, str] | None:
    """Return what a form shows of a place: a point, nothing where there is none; None of a shape."""
    geometry = feature["geometry"]
    if geometry is None:
        return "", ""
    point: list[float] | None = geometry["coordinates"] if geometry["type"] == "Point" else None
    return point


def _words(language: Language, time_zone: str) -> Callable[[Row, Any], str]:
    return lambda row, value: words(row, value, language=language, time_zone=time_zone)


def _links(request: Request, of: Layer, found: ItemPage) -> list[dict[str, object]]:
    links: list[dict[str, object]] = [
        {"rel": "self", "type": GEOJSON, "href": str(request.url)},
        {"rel": "alternate", "type": HTML, "href": same_with(request, f="html")},
        link(request, "collection", f"/collections/{of.id}", JSON),
    ]
    if found.next_token is not None:
        links.append({"rel": "next", "type": GEOJSON, "href": same_with(request, after=found.next_token)})
    return links


def _collection(found: ItemPage, links: list[dict[str, object]]) -> bytes:
    """Return the FeatureCollection; its features are the database's own text, never parsed on the way."""
    matched = "" if found.matched is None else f'"numberMatched":{found.matched},'
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    head = f'{{"type":"FeatureCollection",{matched}"numberReturned":{found.returned},"timeStamp":"{now}",'
    return b"".join((head.encode(), b'"links":', orjson.dumps(links), b',"features":', found.features.encode(), b"}"))


ROUTES: Final = [plain("/collections/{id_}/items", page)]
