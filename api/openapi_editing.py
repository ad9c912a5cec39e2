"""Editing feature by feature in the OpenAPI document, with a body for each layer that is edited."""

from __future__ import annotations

from typing import Any

from api.catalogue import properties
from api.editing import MERGE_PATCH, WHOLE
from api.schemas import column_schema, for_openapi_30
from gis.contract.text import Language
from layers.engine.layer import Layer

Node = dict[str, Any]


def on_items(layer: Layer, language: Language) -> Node:
    """Return what may be done with the features of a layer besides reading, method -> operation."""
    if not layer.is_edited:
        return {}
    operation = _operation(f"{layer.id}_create", layer, "add a feature", language, status="201")
    operation["responses"]["201"]["headers"] = {
        "Location": {"description": "Its address.", "schema": {"type": "string"}},
        **_tag(),
    }
    retry = _header("Idempotency-Key", "The same key again adds nothing twice; kept for a day.")
    operation["parameters"] = [_header("Content-Crs", _CRS), retry]
    operation["requestBody"] = _body(_feature(layer, language), *WHOLE)
    return {"post": operation, "options": _options(f"{layer.id}_itemsOptions", layer, language, ())}


def on_item(layer: Layer, language: Language) -> Node:
    """Return what may be done with one feature of a layer besides reading, method -> operation."""
    if not layer.is_edited:
        return {}
    key = {"$ref": "#/components/parameters/featureId"}
    state = _header("If-Match", "The ETag of the state that is meant; needed where all of a feature is replaced.")
    crs = _header("Content-Crs", _CRS)
    replace = _operation(f"{layer.id}_replace", layer, "replace a feature", language)
    replace |= {"parameters": [key, state, crs], "requestBody": _body(_feature(layer, language), *WHOLE)}
    update = _operation(f"{layer.id}_update", layer, "change a feature", language)
    update |= {"parameters": [key, state, crs], "requestBody": _body(_patch(layer, language), MERGE_PATCH)}
    for changing in (replace, update):
        changing["responses"]["204"]["headers"] = _tag()
    remove = _operation(f"{layer.id}_delete", layer, "remove a feature", language)
    remove["parameters"] = [key, state]
    options = _options(f"{layer.id}_itemOptions", layer, language, (key,))
    return {"put": replace, "patch": update, "delete": remove, "options": options}


_CRS = "Reference system of the coordinates, one of those that the collection names under `crs`."


def _operation(id_: str, layer: Layer, words: str, language: Language, *, status: str = "204") -> Node:
    return {
        "operationId": id_,
        "summary": f"{layer.title.in_(language)}: {words}",
        "tags": ["Features"],
        "responses": {
            status: {"description": "Done."},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }


def _options(id_: str, layer: Layer, language: Language, takes: tuple[Node, ...]) -> Node:
    operation = _operation(id_, layer, "what whoever asks may do", language, status="200")
    operation["parameters"] = list(takes)
    operation["responses"]["200"]["headers"] = {
        "Allow": {"description": "The methods.", "schema": {"type": "string"}},
    }
    return operation


def _header(name: str, description: str) -> Node:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": {"type": "string"}}


def _tag() -> Node:
    return {"ETag": {"description": "The name of its new state.", "schema": {"type": "string"}}}


def _body(schema: Node, *types: str) -> Node:
    return {"required": True, "content": {kind: {"schema": schema} for kind in types}}


def _columns(layer: Layer, language: Language) -> Node:
    return {c.name: {**for_openapi_30(column_schema(c, language)), "nullable": True} for c in properties(layer)}


def _geometry(layer: Layer) -> Node:
    return {
        "type": "object",
        "nullable": True,
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"type": "string", "enum": sorted(layer.spec.geometry)},
            "coordinates": {"type": "array", "items": {}},
        },
    }


def _feature(layer: Layer, language: Language) -> Node:
    needed = [c.name for c in properties(layer) if c.required and c.default is None]
    return {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "additionalProperties": False,
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer", "description": "Not read: keys are made here."},
            "geometry": _geometry(layer),
            "properties": {
                "type": "object",
                "additionalProperties": False,
                "properties": _columns(layer, language),
                **({"required": needed} if needed else {}),
            },
        },
    }


def _patch(layer: Layer, language: Language) -> Node:
    """Return the schema of a JSON merge patch: null unsets, what is not named stays."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "geometry": _geometry(layer),
            "properties": {
                "type": "object",
                "additionalProperties": False,
                "properties": _columns(layer, language),
            },
        },
    }
