"""Descriptions of tile matrix sets and of the tile sets of a collection."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import tilesets
from api.catalogue import layer_of, properties
from api.deps import ExtentsDep, LanguageDep, MomentDep
from api.links import JSON, MVT, address, link, self_links
from api.pages import VARY, Json, respond
from api.parameters import known
from api.schemas import column_schema
from gis.contract.text import Language
from gis.crs import CRS84
from gis.errors import NotFound
from gis.store.boxes import Bounds
from layers.engine.layer import Layer
from layers.engine.maplibre import SOURCE_MAXZOOM

router = APIRouter()

TILEJSON: Final = "tilejson"
DIMENSION = {"point": 0, "line": 1, "polygon": 2}


@router.get("/tileMatrixSets")
async def tile_matrix_sets(request: Request, language: LanguageDep) -> Response:
    """Return the tile matrix sets: there is one."""
    known(request.query_params, ())
    entry = {
        "id": tilesets.ID,
        "title": "Google Maps Compatible for the World",
        "uri": tilesets.URI,
        "crs": tilesets.CRS,
        "links": [link(request, "self", f"/tileMatrixSets/{tilesets.ID}", JSON)],
    }
    document = {"tileMatrixSets": [entry], "links": self_links(request)}
    return respond(request, document, "document.html", language=language, title="Tile matrix sets")


@router.get("/tileMatrixSets/{id_}")
async def tile_matrix_set(request: Request, id_: str, language: LanguageDep) -> Response:
    """Return one tile matrix set."""
    known(request.query_params, ())
    _check(id_)
    return respond(request, tilesets.tile_matrix_set(), "document.html", language=language, title=id_)


@router.get("/collections/{id_}/tiles")
async def tileset_list(
    request: Request, id_: str, extents: ExtentsDep, moment: MomentDep, language: LanguageDep
) -> Response:
    """Return the tile sets of a collection: there is one."""
    known(request.query_params, ())
    of = layer_of(request, id_)
    bounds = (await extents.of(of, moment)).bounds
    document = {"tilesets": [_tileset(request, of, language, bounds)], "links": self_links(request)}
    title = of.title.in_(language)
    return respond(request, document, "document.html", language=language, title=title)


@router.get("/collections/{id_}/tiles/{tms}")
async def tileset(
    request: Request, id_: str, tms: str, *, extents: ExtentsDep, moment: MomentDep, language: LanguageDep
) -> Response:
    """Return the tile set of a collection, for OGC API Tiles or as TileJSON (``f=tilejson``)."""
    known(request.query_params, ())
    of = layer_of(request, id_)
    _check(tms)
    bounds = (await extents.of(of, moment)).bounds
    if request.query_params.get("f") == TILEJSON:
        attribution = moment.city.profile.attribution if moment.city else ""
        return Json(_tilejson(request, of, language, bounds, attribution), headers=VARY)
    document = _tileset(request, of, language, bounds)
    return respond(request, document, "document.html", language=language, title=of.title.in_(language))


def _check(tms: str) -> None:
    if tms != tilesets.ID:
        raise NotFound(f"no tile matrix set '{tms}'; there is {tilesets.ID}")


def _tilejson(
    request: Request, of: Layer, language: Language, bounds: Bounds | None, attribution: str
) -> dict[str, Any]:
    """Return what TileJSON 3.0.0 says of the tiles; many clients know no other description."""
    fields = {column.name: column.title.in_(language) for column in properties(of)}
    ids = [of.id, *([f"{of.id}_label"] if of.label else [])]
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": of.title.in_(language),
        "tiles": [address(request, f"/collections/{of.id}/tiles/{tilesets.ID}/{{z}}/{{y}}/{{x}}")],
        "minzoom": of.minzoom,
        "maxzoom": SOURCE_MAXZOOM,
        "vector_layers": [{"id": id_, "fields": fields} for id_ in ids],
    }
    if attribution:
        document["attribution"] = attribution
    if bounds is not None:
        document["bounds"] = bounds
    return document


def _tileset(request: Request, of: Layer, language: Language, bounds: Bounds | None) -> dict[str, Any]:
    base = f"/collections/{of.id}/tiles/{tilesets.ID}"
    template = address(request, base + "/{tileMatrix}/{tileRow}/{tileCol}")
    where: dict[str, Any] = {}
    if bounds is not None:
        west, south, east, north = bounds
        where["boundingBox"] = {"lowerLeft": [west, south], "upperRight": [east, north], "crs": CRS84}
        where["tileMatrixSetLimits"] = tilesets.limits(bounds, range(tilesets.MAX_ZOOM + 1))
    return {
        "title": of.title.in_(language),
        "dataType": "vector",
        "crs": tilesets.CRS,
        "tileMatrixSetURI": tilesets.URI,
        **where,
        "layers": [
            {
                "id": of.id,
                "title": of.title.in_(language),
                "dataType": "vector",
                "geometryDimension": DIMENSION[of.geometry],
                "minTileMatrix": str(of.minzoom),
                "propertiesSchema": {
                    "type": "object",
                    "properties": {c.name: column_schema(c, language) for c in properties(of)},
                },
            }
        ],
        "links": [
            link(request, "self", base, JSON),
            link(request, "describedby", base, JSON, "TileJSON", query={"f": TILEJSON}),
            {"rel": "item", "type": MVT, "href": template, "templated": True},
            link(
                request, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", f"/tileMatrixSets/{tilesets.ID}", JSON
            ),
        ],
    }
