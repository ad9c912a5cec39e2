"""``/collections``: the layers as OGC collections, with what one can filter by and what their features hold."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import layer_of, layers_of, properties
from api.deps import ExtentsDep, LanguageDep, MomentDep
from api.extents import Extents
from api.links import FILE_TYPES, GEOJSON, HTML, JSON, REL, SCHEMA, link, self_links
from api.matrix import may_ask
from api.pages import respond
from api.parameters import known
from api.references import spoken
from api.schemas import object_schema
from api.visitors import visitor_of
from api.watch import Moment
from gis.contract.text import Language
from gis.crs import CRS84
from layers.engine.layer import Layer
from layers.engine.legend import legend

router = APIRouter()

GEOMETRY: Final = {"point": "geometry-point", "line": "geometry-linestring", "polygon": "geometry-polygon"}


@router.get("/collections")
async def collections(request: Request, extents: ExtentsDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return every collection."""
    known(request.query_params, ())
    listed = [await _collection(request, of, extents, moment, language) for of in layers_of(request).values()]
    document = {"collections": listed, "links": self_links(request)}
    return respond(request, document, "collections.html", language=language)


@router.get("/collections/{id_}")
async def collection(
    request: Request, id_: str, extents: ExtentsDep, moment: MomentDep, language: LanguageDep
) -> Response:
    """Return one collection."""
    known(request.query_params, ())
    of = layer_of(request, id_)
    document = await _collection(request, of, extents, moment, language)
    return respond(
        request,
        document,
        "collection.html",
        language=language,
        columns=properties(of),
        legend=legend(of, None, "light"),
        endings=_endings(request, of),
        masked=of.masked,
        points=of.geometry == "point",
    )


@router.get("/collections/{id_}/queryables")
async def queryables(request: Request, id_: str, moment: MomentDep, language: LanguageDep) -> Response:
    """Return what one can filter a collection by."""
    return _schema(request, layer_of(request, id_), "queryables", moment, language)


@router.get("/collections/{id_}/schema")
async def schema(request: Request, id_: str, moment: MomentDep, language: LanguageDep) -> Response:
    """Return what the features of a collection hold."""
    return _schema(request, layer_of(request, id_), "schema", moment, language)


def _schema(request: Request, of: Layer, name: str, moment: Moment, language: Language) -> Response:
    known(request.query_params, ())
    document = object_schema(
        properties(of),
        language,
        address=f"{str(request.base_url).rstrip('/')}/collections/{of.id}/{name}",
        title=of.title.in_(language),
        geometry={"format": _geometry_format(of), "x-ogc-role": "primary-geometry"},
        open_codes=bool(moment.city and moment.city.profile.open_categories),
    )
    title = of.title.in_(language)
    return respond(request, document, "document.html", language=language, media_type=SCHEMA, title=title)


def _geometry_format(of: Layer) -> str:
    kinds = {kind.removeprefix("Multi") for kind in of.spec.geometry}
    return GEOMETRY[of.geometry] if len(kinds) == 1 else "geometry-any"


def _endings(request: Request, of: Layer) -> list[str]:
    """Return the endings of the files in which whoever asks may take a layer along, said what for."""
    role = visitor_of(request).role
    walks = {"unit_label", "sequence"} <= set(of.spec.names)
    return [
        ending
        for ending in FILE_TYPES
        if may_ask(role, "GET", "/collections/{id_}/export." + ("gpx" if ending == "gpx" else "{ending}"))
        and (walks or ending != "gpx")
    ]


async def _collection(
    request: Request, of: Layer, extents: Extents, moment: Moment, language: Language
) -> dict[str, Any]:
    base = f"/collections/{of.id}"
    title = of.title.in_(language)
    document: dict[str, Any] = {
        "id": of.id,
        "title": title,
        "description": of.note.in_(language) if of.note else of.spec.description or title,
        "itemType": "feature",
        "crs": list(spoken(moment.city.profile if moment.city else None)),
        "storageCrs": CRS84,
        "wangge:group": of.group,
        "wangge:geometry": of.geometry,
        "wangge:mandate": of.mandate,
        "links": [
            link(request, "self", base, JSON, title),
            link(request, "alternate", base, HTML, title, query={"f": "html"}),
            link(request, "items", f"{base}/items", GEOJSON, "GeoJSON"),
            link(request, "items", f"{base}/items", HTML, "HTML", query={"f": "html"}),
            link(request, REL + "queryables", f"{base}/queryables", SCHEMA, "queryables"),
            link(request, REL + "schema", f"{base}/schema", SCHEMA, "schema"),
            link(request, REL + "tilesets-vector", f"{base}/tiles", JSON, "tiles"),
            link(request, REL + "styles", f"/styles/{of.id}", JSON, "style"),
            link(request, "preview", f"/maps/{of.id}.html", HTML, "map"),
            *(
                link(request, "enclosure", f"{base}/export.{ending}", FILE_TYPES[ending], f".{ending}")
                for ending in _endings(request, of)
            ),
        ],
    }
    extent = await extents.of(of, moment)
    if extent.bounds is not None:
        document["extent"] = {"spatial": {"bbox": [extent.bounds], "crs": CRS84}}
        if extent.period is not None:
            first, last = (instant.isoformat().replace("+00:00", "Z") for instant in extent.period)
            document["extent"]["temporal"] = {
                "interval": [[first, last]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            }
    return document
