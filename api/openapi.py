"""The OpenAPI document, with explicit paths and parameters for every collection and every process.

Written from the catalogue and not from the routes: GDAL filters on the server only where it finds the property among a
collection's parameters, and a reader wants to see the collections there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, get_args

from api import catalogue, openapi_editing, tilesets
from api.filters import LANGUAGES
from api.links import FILE_TYPES, OPENAPI
from api.openapi_admin import admin_paths
from api.openapi_auth import auth_paths, security
from api.openapi_plans import plan_paths
from api.openapi_reports import report_paths
from api.purpose import LONGEST, MASKS, SHORTEST
from api.schemas import column_schema, for_openapi_30, params_schema
from gis.city import FRAMES
from gis.contract.service import Service
from gis.contract.text import Language
from gis.crs import CRS84
from gis.store.jobs import State
from gis.store.query import DEFAULT_LIMIT, MAX_LIMIT
from layers.engine.layer import Layer

Node = dict[str, Any]

OBJECT: Node = {"type": "object"}
EXECUTED: Node = {
    "200": {
        "description": "What came out, where the request waited for it.",
        "content": {"application/json": {"schema": OBJECT}, "application/geo+json": {"schema": OBJECT}},
    },
    "204": {"description": "Where the one output is stands in the header Link."},
}
FORMATS_OF_TILESET: Node = {"type": "string", "enum": ["json", "html", "tilejson"]}


def document(layers: Iterable[Layer], services: Iterable[Service], *, language: Language, server: str) -> Node:
    """Return the whole document."""
    paths: Node = {
        **_fixed_paths(),
        **_import_paths(),
        **plan_paths(),
        **admin_paths(),
        **report_paths(),
        **auth_paths(),
    }
    for layer in layers:
        paths.update(_collection_paths(layer, language))
    for service in services:
        paths.update(_process_paths(service, language))
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "wangge 网格",
            "version": version("wangge"),
            "description": "Open geospatial server for grid governance: places and events, never persons.",
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": _components(),
    }


def _parameter(name: str, schema: Node, description: str, *, where: str = "query", csv: bool = False) -> Node:
    found: Node = {"name": name, "in": where, "required": where == "path", "description": description, "schema": schema}
    if csv:
        found |= {"style": "form", "explode": False}
    return found


def _ref(name: str) -> Node:
    return {"$ref": f"#/components/parameters/{name}"}


def _get(
    id_: str, summary: str, tag: str, *, answers: Mapping[str, Node] | None = None, takes: Iterable[Node] = ()
) -> Node:
    operation = {
        "operationId": id_,
        "summary": summary,
        "tags": [tag],
        "parameters": [*takes],
        "responses": {**(answers or _json(OBJECT)), **_problems()},
    }
    return {"get": operation}


def _json(schema: Node, status: str = "200", media_type: str = "application/json", *, html: bool = True) -> Node:
    content: Node = {media_type: {"schema": schema}}
    if html:
        content["text/html"] = {"schema": {"type": "string"}}
    return {status: {"description": "The answer.", "content": content}}


def _problems() -> Node:
    return {"default": {"$ref": "#/components/responses/Problem"}}


def _fixed_paths() -> Node:
    numbers = {"200": {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    csv_file = {"200": {"description": "A table.", "content": {"text/csv": {"schema": {"type": "string"}}}}}
    page = [_ref("f"), _ref("lang")]
    tms = _parameter("tileMatrixSetId", {"type": "string", "enum": [tilesets.ID]}, "Tile matrix set.", where="path")
    job = _parameter("jobId", {"type": "integer"}, "Number of the job.", where="path")
    theme = _parameter("theme", {"type": "string", "enum": ["light", "dark"]}, "Colours for a light or a dark page.")
    dismiss = _get("dismissJob", "Dismiss a job", "Processes", takes=[job], answers=_json(OBJECT, html=False))["get"]
    return {
        "/": _get("landing", "Landing page", "Server", takes=page),
        "/conformance": _get("conformance", "Conformance classes", "Server", takes=page),
        "/api": _get("api", "This document", "Server", takes=page, answers=_json(OBJECT, media_type=OPENAPI)),
        "/collections": _get("collections", "The collections", "Collections", takes=page),
        "/tileMatrixSets": _get("tileMatrixSets", "Tile matrix sets", "Tiles", takes=page),
        "/tileMatrixSets/{tileMatrixSetId}": _get("tileMatrixSet", "One tile matrix set", "Tiles", takes=[tms, *page]),
        "/styles": _get("styles", "Map styles", "Styles", takes=page),
        "/styles/map": _get("mapStyle", "MapLibre style of the whole map", "Styles", takes=[theme, *page]),
        "/styles/map/metadata": _get("mapStyleMetadata", "What the style of the whole map draws", "Styles", takes=page),
        "/processes": _get("processes", "The processes", "Processes", takes=page),
        "/jobs": _get("jobs", "The jobs", "Processes", takes=[*_job_filters(), _ref("limit"), *page]),
        "/jobs/{jobId}": {
            **_get("job", "State of a job", "Processes", takes=[job, *page]),
            "delete": dismiss,
        },
        "/jobs/{jobId}/results": _get("jobResults", "Results of a job", "Processes", takes=[job, *page]),
        "/runs": _get(
            "runs",
            "Latest runs",
            "Processes",
            takes=[_parameter("service", {"type": "string"}, "Only of this service."), _ref("limit"), *page],
        ),
        "/imports": _get("imports", "Imports of the city in use", "Imports", takes=[_ref("limit"), *page]),
        "/audit": _get(
            "audit",
            "Audit log: a supervisor sees that of the own area, an administrator that of the server",
            "Server",
            takes=[
                *_audit_filters(),
                _parameter("before", {"type": "integer", "minimum": 1}, "Only rows before it."),
                _ref("limit"),
                *page,
            ],
        ),
        "/audit.csv": _get("auditFile", "Audit log as a file", "Server", takes=_audit_filters(), answers=csv_file),
        "/livez": _get("livez", "The process lives", "Server", answers=_json(OBJECT, html=False)),
        "/healthz": _get("healthz", "The process lives", "Server", answers=_json(OBJECT, html=False)),
        "/readyz": _get("readyz", "Everything is ready to serve", "Server", answers=_json(OBJECT, html=False)),
        "/metrics": _get("metrics", "Numbers for Prometheus", "Server", answers=numbers),
    }


def _job_filters() -> list[Node]:
    text: Node = {"type": "string"}
    length: Node = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    states: Node = {"type": "string", "enum": list(get_args(State))}
    return [
        _parameter("type", {"type": "array", "items": text}, "Only jobs of these kinds; all are `process`."),
        _parameter("processID", {"type": "array", "items": text}, "Only jobs of these processes."),
        _parameter("status", {"type": "array", "items": states, "minItems": 1}, "Only jobs in these states."),
        _ref("datetime"),
        _parameter("minDuration", length, "Only jobs that run or ran for at least so many seconds."),
        _parameter("maxDuration", length, "Only jobs that run or ran for at most so many seconds."),
    ]


def _audit_filters() -> list[Node]:
    return [
        _parameter("action", {"type": "string"}, "Only this action."),
        _parameter("actor", {"type": "string"}, "Only what this account did."),
        _ref("datetime"),
    ]


def _import_paths() -> Node:
    batch = _parameter("importId", {"type": "integer"}, "Number of the import.", where="path")
    body = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "crs": {"type": "string", "example": "gcj02"},
            "map": {"type": "array", "items": {"type": "string", "example": "category=Primary Type"}},
            "set": {"type": "array", "items": {"type": "string", "example": "origin=public_report"}},
            "skip": {"type": "array", "items": {"type": "string"}},
            "source": {"type": "string"},
            "dry_run": {"type": "boolean"},
            "allow_partial": {"type": "boolean"},
        },
        "additionalProperties": False,
    }
    paths: Node = {
        "/imports/{importId}": _get("import", "Report of an import", "Imports", takes=[batch, _ref("f"), _ref("lang")]),
        "/imports/{importId}/errors": _get(
            "importErrors", "Errors of an import, row by row", "Imports", takes=[batch, _ref("limit")]
        ),
    }
    for frame in FRAMES.values():
        paths[f"/imports/{frame.id}"] = {
            "post": {
                "operationId": f"import_{frame.id}",
                "summary": f"Import a file of {frame.title.en}",
                "tags": ["Imports"],
                "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": body}}},
                "responses": {
                    **_json(OBJECT, "201", html=False),
                    **_json(OBJECT, "200", html=False),
                    **_problems(),
                },
            }
        }
    return paths


def _collection_paths(layer: Layer, language: Language) -> Node:
    base = f"/collections/{layer.id}"
    title = layer.title.in_(language)
    filters = [
        _parameter(
            column.name,
            {"type": "array", "items": for_openapi_30(column_schema(column, language))},
            f"{column.title.in_(language)}: one value, or several separated by commas.",
            csv=True,
        )
        for column in catalogue.properties(layer)
    ]
    if layer.time is not None:
        filters.append(_ref("datetime"))
    if layer.service is not None:
        filters.append(_ref("run_id"))
    page = [_ref("f"), _ref("lang")]
    box = [_ref("bbox"), _ref("bbox-crs")]
    condition = [_ref("filter"), _ref("filter-lang"), _ref("filter-crs")]
    tile = [_ref("tileMatrix"), _ref("tileRow"), _ref("tileCol")]
    file_answer: Node = {"200": {"description": "A file.", "content": {kind: {} for kind in FILE_TYPES.values()}}}
    tiles_answer: Node = {
        "200": {
            "description": "Mapbox Vector Tile; the main source layer is the id of the collection.",
            "content": {"application/vnd.mapbox-vector-tile": {"schema": {"type": "string", "format": "binary"}}},
        },
        "204": {"description": "Nothing in this tile."},
        "304": {"description": "The tile the client already has."},
    }

    def get(name: str, summary: str, tag: str, *, takes: Iterable[Node], answers: Node | None = None) -> Node:
        return _get(f"{layer.id}_{name}", f"{title}: {summary}", tag, takes=takes, answers=answers)

    features = _json({"$ref": "#/components/schemas/FeatureCollection"}, media_type="application/geo+json")
    feature = _json({"$ref": "#/components/schemas/Feature"}, media_type="application/geo+json")
    schema = _json(OBJECT, media_type="application/schema+json")
    return {
        base: get("collection", "description", "Collections", takes=page),
        f"{base}/queryables": get("queryables", "what one can filter by", "Collections", takes=page, answers=schema),
        f"{base}/schema": get("schema", "schema of its features", "Collections", takes=page, answers=schema),
        f"{base}/items": get(
            "items",
            "features",
            "Features",
            takes=[*box, _ref("crs"), _ref("limit"), _ref("after"), *condition, *filters, *page],
            answers=features,
        )
        | openapi_editing.on_items(layer, language),
        f"{base}/items/{{featureId}}": get(
            "item", "one feature", "Features", takes=[_ref("featureId"), _ref("crs"), *page], answers=feature
        )
        | openapi_editing.on_item(layer, language),
        f"{base}/export.{{ending}}": get(
            "export",
            "a file to keep",
            "Features",
            takes=[_ref("ending"), _ref("purpose"), _ref("mask"), *box, *condition, *filters],
            answers=file_answer,
        ),
        f"{base}/tiles": get("tilesets", "tile sets", "Tiles", takes=page),
        f"{base}/tiles/{tilesets.ID}": get(
            "tileset", "tile set", "Tiles", takes=[_parameter("f", FORMATS_OF_TILESET, "Or as TileJSON."), _ref("lang")]
        ),
        f"{base}/tiles/{tilesets.ID}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}": get(
            "tile", "vector tile", "Tiles", takes=[*tile, *condition, *filters, _ref("v")], answers=tiles_answer
        ),
        f"/styles/{layer.id}": get("style", "MapLibre style", "Styles", takes=page),
        f"/styles/{layer.id}/legend": get("legend", "legend", "Styles", takes=page),
        f"/styles/{layer.id}/metadata": get("styleMetadata", "what its style draws", "Styles", takes=page),
        f"/maps/{layer.id}.html": get(
            "map",
            "map as one self-contained file",
            "Styles",
            takes=[_ref("lang")],
            answers={"200": {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}},
        ),
    }


def _process_paths(service: Service, language: Language) -> Node:
    base = f"/processes/{service.id}"
    title = service.title.in_(language)
    inputs = for_openapi_30(params_schema(service.params))
    body: Node = {"type": "object", "properties": {"inputs": inputs}, "required": ["inputs"]}
    execute = {
        "operationId": f"{service.id}_execute",
        "summary": f"{title}: run it",
        "description": service.abstract.in_(language),
        "tags": ["Processes"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {**EXECUTED, **_json(OBJECT, "201", html=False), **_problems()},
    }
    return {
        base: _get(f"{service.id}_process", f"{title}: description", "Processes", takes=[_ref("f"), _ref("lang")]),
        f"{base}/execution": {"post": execute},
    }


def _components() -> Node:
    number_list = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
    whole = {"type": "integer", "minimum": 0}
    system = {"type": "string", "format": "uri", "default": CRS84}
    among = ": one of those that the collection names under `crs`."
    return {
        "securitySchemes": security(),
        "parameters": {
            "f": _parameter("f", {"type": "string", "enum": ["json", "html"]}, "For programs or for people."),
            "lang": _parameter("lang", {"type": "string", "enum": ["zh", "en"]}, "Language of titles."),
            "limit": _parameter("limit", limit, "At most so many; more than the maximum is taken as the maximum."),
            "bbox": _parameter("bbox", number_list, "West, south, east, north in degrees (CRS84).", csv=True),
            "after": _parameter("after", {"type": "string"}, "Where the next page begins; taken from a link `next`."),
            "crs": _parameter("crs", system, f"Reference system of the answer{among}"),
            "bbox-crs": _parameter("bbox-crs", system, f"Reference system of `bbox`{among}"),
            "filter": _parameter("filter", {"type": "string"}, "A condition in CQL2, as `rooms_count > 4`."),
            "filter-lang": _parameter(
                "filter-lang",
                {"type": "string", "enum": list(LANGUAGES)},
                "How it is written; text by default.",
            ),
            "filter-crs": _parameter("filter-crs", system, f"Reference system of places in the filter{among}"),
            "datetime": _parameter(
                "datetime", {"type": "string"}, "An instant, a day, or from/to, where .. leaves a side open."
            ),
            "run_id": _parameter("run_id", {"type": "integer", "minimum": 1}, "A run; the latest when not given."),
            "mask": _parameter(
                "mask",
                {"type": "string", "enum": list(MASKS)},
                "Move every point onto a ring around where it was, always to the same place; only so where the layer's "
                "places can single out a household. The header Wangge-Mask says how far.",
            ),
            "purpose": _parameter(
                "purpose",
                {"type": "string", "minLength": SHORTEST, "maxLength": LONGEST, "example": "yearly report"},
                "What the file is for; or in the header Wangge-Purpose. Required, and kept in the audit log.",
            ),
            "v": _parameter("v", {"type": "string"}, "Ignored; changes the address for a cache."),
            "ending": _parameter("ending", {"type": "string", "enum": list(FILE_TYPES)}, "Format.", where="path"),
            "featureId": _parameter("featureId", {"type": "integer"}, "Number of the feature.", where="path"),
            "tileMatrix": _parameter("tileMatrix", {**whole, "maximum": tilesets.MAX_ZOOM}, "Zoom.", where="path"),
            "tileRow": _parameter("tileRow", whole, "Row from the north.", where="path"),
            "tileCol": _parameter("tileCol", whole, "Column from the west.", where="path"),
        },
        "responses": {
            "Problem": {
                "description": "What is wrong (RFC 9457).",
                "content": {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
                    "text/html": {"schema": {"type": "string"}},
                },
            }
        },
        "schemas": {
            "Problem": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "problems", "request_id"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "problems": {"type": "array", "items": OBJECT},
                    "request_id": {"type": "string"},
                },
            },
            "Feature": {
                "type": "object",
                "required": ["type", "geometry", "properties"],
                "properties": {
                    "type": {"type": "string", "enum": ["Feature"]},
                    "id": {"type": "integer"},
                    "geometry": {"type": "object", "nullable": True},
                    "properties": {"type": "object", "nullable": True},
                },
            },
            "FeatureCollection": {
                "type": "object",
                "required": ["type", "features"],
                "properties": {
                    "type": {"type": "string", "enum": ["FeatureCollection"]},
                    "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
                    "numberMatched": {"type": "integer", "minimum": 0},
                    "numberReturned": {"type": "integer", "minimum": 0},
                    "timeStamp": {"type": "string", "format": "date-time"},
                    "links": {"type": "array", "items": OBJECT},
                },
            },
        },
    }
