"""Column contracts and parameter models as JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from gis.city import codebook
from gis.contract.frame import Column, Kind
from gis.contract.service import Params
from gis.contract.text import Language

TYPES: Mapping[Kind, Mapping[str, str]] = MappingProxyType(
    {
        "text": {"type": "string"},
        "code": {"type": "string"},
        "integer": {"type": "integer"},
        "real": {"type": "number"},
        "boolean": {"type": "boolean"},
        "instant": {"type": "string", "format": "date-time"},
        "date": {"type": "string", "format": "date"},
    }
)
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_WORDS: Final = frozenset(
    {
        "title", "description", "type", "format", "enum", "default", "example", "nullable", "readOnly", "writeOnly",
        "deprecated", "not", "allOf", "oneOf", "anyOf", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
        "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "items",
        "maxProperties", "minProperties", "required", "properties", "additionalProperties", "contentMediaType",
        "contentEncoding", "contentSchema",
    }
)  # fmt: skip
"""What a schema of an input or output may say in a process description; Processes 1 closes the list."""


def column_schema(column: Column, language: Language, *, open_codes: bool = False) -> dict[str, Any]:
    """Return one column as JSON Schema; `open_codes` where the city takes its own categories as they come."""
    schema: dict[str, Any] = {"title": column.title.in_(language), **TYPES[column.kind]}
    if column.description:
        schema["description"] = column.description
    if column.codebook is not None and not open_codes:
        schema["enum"] = list(codebook(column.codebook))
    if column.pattern is not None:
        schema["pattern"] = f"^(?:{column.pattern})$"
    if column.minimum is not None:
        schema["minimum"] = column.minimum
    if column.maximum is not None:
        schema["maximum"] = column.maximum
    if column.unit:
        schema["x-ogc-unit"] = column.unit
    return schema


def object_schema(
    columns: Iterable[Column],
    language: Language,
    *,
    address: str,
    title: str,
    geometry: Mapping[str, Any],
    open_codes: bool = False,
) -> dict[str, Any]:
    """Return the schema of a feature's properties and geometry (OGC API Features parts 3 and 5)."""
    return {
        "$schema": DIALECT,
        "$id": address,
        "type": "object",
        "title": title,
        "properties": {
            "id": {"type": "integer", "title": "id", "readOnly": True, "x-ogc-role": "id"},
            **{c.name: column_schema(c, language, open_codes=open_codes) for c in columns},
            "geometry": dict(geometry),
        },
        "additionalProperties": False,
    }


def params_schema(params: type[Params]) -> dict[str, Any]:
    """Return the JSON Schema of a service's parameters, every reference resolved."""
    schema = params.model_json_schema()
    definitions = schema.pop("$defs", {})
    resolved: dict[str, Any] = _resolve(schema, definitions)
    return resolved


def _resolve(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(entry, definitions) for entry in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref", "")
    if reference.startswith("#/$defs/"):
        beside = {k: v for k, v in node.items() if k != "$ref"}
        return _resolve({**definitions[reference.removeprefix("#/$defs/")], **beside}, definitions)
    return {name: _resolve(value, definitions) for name, value in node.items()}


def for_openapi_30(node: Any) -> Any:
    """Return a JSON Schema in the words of OpenAPI 3.0, which knows neither ``null`` nor ``const``.

    Examples
    --------
    >>> for_openapi_30({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None})
    {'type': 'integer', 'nullable': True}
    """
    if isinstance(node, list):
        return [for_openapi_30(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    node = dict(node)
    if "anyOf" in node and {"type": "null"} in node["anyOf"]:
        rest = [entry for entry in node.pop("anyOf") if entry != {"type": "null"}]
        node = {**node, **(rest[0] if len(rest) == 1 else {"anyOf": rest}), "nullable": True}
    if "const" in node:
        node["enum"] = [node.pop("const")]
    for limit, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if flag in node:
            node[limit], node[flag] = node.pop(flag), True
    if "prefixItems" in node:
        entries = node.pop("prefixItems")
        node["items"] = entries[0] if all(entry == entries[0] for entry in entries) else {}
    if node.get("default", 0) is None:
        del node["default"]
    if "examples" in node:
        node["example"] = node.pop("examples")[0]
    return {name: for_openapi_30(value) for name, value in node.items() if name not in ("$schema", "$id")}


def for_process(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a JSON Schema as a process description has it: in the words of OpenAPI 3.0, and no others.

    Examples
    --------
    >>> for_process({"type": "number", "exclusiveMinimum": 0, "unit": "m"})
    {'type': 'number', 'minimum': 0, 'exclusiveMinimum': True}
    """
    told: dict[str, Any] = _only_words(for_openapi_30(dict(schema)))
    return told


def _only_words(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    told = {word: value for word, value in node.items() if word in _WORDS}
    for word in ("items", "not", "additionalProperties"):
        if word in told:
            told[word] = _only_words(told[word])
    for word in ("allOf", "oneOf", "anyOf"):
        if word in told:
            told[word] = [_only_words(entry) for entry in told[word]]
    if "properties" in told:
        told["properties"] = {name: _only_words(entry) for name, entry in told["properties"].items()}
    return told
