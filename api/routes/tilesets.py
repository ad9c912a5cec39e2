"""Descriptions of tile matrix sets and of the tile sets of a collection."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import tilesets
from api.catalogue import layer_of, properties
from api.deps import LanguageDep
from api.links import JSON, MVT, address, link, self_links
from api.pages import respond
from api.parameters import known
from api.schemas import column_schema
from gis.contract.text import Language
from gis.errors import NotFound
from layers.engine.layer import Layer

router = APIRouter()

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
async def tileset_list(request: Request, id_: str, language: LanguageDep) -> Response:
    """Return the tile sets of a collection: there is one."""
    known(request.query_params, ())
    of = layer_of(request, id_)
    document = {"tilesets": [_tileset(request, of, language)], "links": self_links(request)}
    title = of.title.in_(language)
    return respond(request, document, "document.html", language=language, title=title)


@router.get("/collections/{id_}/tiles/{tms}")
async def tileset(request: Request, id_: str, tms: str, language: LanguageDep) -> Response:
    """Return the tile set of a collection."""
    known(request.query_params, ())
    of = layer_of(request, id_)
    _check(tms)
    document = _tileset(request, of, language)
    return respond(request, document, "document.html", language=language, title=of.title.in_(language))


def _check(tms: str) -> None:
    if tms != tilesets.ID:
        raise NotFound(f"no tile matrix set '{tms}'; there is {tilesets.ID}")


def _tileset(request: Request, of: Layer, language: Language) -> dict[str, Any]:
    base = f"/collections/{of.id}/tiles/{tilesets.ID}"
    template = address(request, base + "/{tileMatrix}/{tileRow}/{tileCol}")
    return {
        "title": of.title.in_(language),
        "dataType": "vector",
        "crs": tilesets.CRS,
        "tileMatrixSetURI": tilesets.URI,
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
            {"rel": "item", "type": MVT, "href": template, "templated": True},
            link(
                request, "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme", f"/tileMatrixSets/{tilesets.ID}", JSON
            ),
        ],
    }
