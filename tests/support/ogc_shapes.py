"""What the OGC standards ask of each kind of answer, put down from their text as JSON Schema.

Features 1 (17-069r4) clause 7 and annex B, Features 3 (19-079r2), Tiles 1 (20-057) with Tile Matrix Set 2 (17-083r4),
Processes 1 (18-062r2), and the draft of Styles 1 (20-009): the members they require, their kinds and their words.
"""

from __future__ import annotations

from typing import Any

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker
from openapi_schema_validator import OAS30Validator

Shape = dict[str, Any]

TEXT: Shape = {"type": "string", "minLength": 1}
NUMBER: Shape = {"type": "number"}
INSTANT: Shape = {"type": "string", "format": "date-time"}
URI: Shape = {"type": "string", "format": "uri", "pattern": "^https?://"}


def thing(required: Shape, optional: Shape | None = None, **more: Any) -> Shape:
    """Return the shape of an object with members that must and that may be there."""
    return {"type": "object", "required": [*required], "properties": {**required, **(optional or {})}, **more}


def some(shape: Shape, **more: Any) -> Shape:
    """Return the shape of a list."""
    return {"type": "array", "items": shape, **more}


LINK = thing(
    {"href": TEXT, "rel": TEXT},
    {"type": TEXT, "title": TEXT, "hreflang": TEXT, "length": {"type": "integer"}, "templated": {"type": "boolean"}},
)
LINKS = some(LINK)
REL = "http://www.opengis.net/def/rel/ogc/1.0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def links_with(*rels: str) -> Shape:
    """Return the shape of a list of links that holds one of each relation."""
    return {**LINKS, "allOf": [{"contains": {"properties": {"rel": {"const": rel}}}} for rel in rels]}


BOX = {"anyOf": [some(NUMBER, minItems=n, maxItems=n) for n in (4, 6)]}
EXTENT = thing(
    {},
    {
        "spatial": thing({"bbox": some(BOX, minItems=1)}, {"crs": {"const": CRS84}}),
        "temporal": thing(
            {"interval": some({"type": "array", "items": {"anyOf": [INSTANT, {"type": "null"}]},
                               "minItems": 2, "maxItems": 2}, minItems=1)},
            {"trs": {"const": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}},
        ),
    },
)  # fmt: skip
LANDING = thing({"links": some(LINK, minItems=4)}, {"title": TEXT, "description": TEXT})
CONFORMANCE = thing({"conformsTo": some(URI, minItems=1, uniqueItems=True)})
COLLECTION = thing(
    {"id": TEXT, "links": some(LINK, minItems=1)},
    {
        "title": TEXT,
        "description": TEXT,
        "extent": EXTENT,
        "itemType": {"const": "feature"},
        "crs": some(URI, minItems=1, uniqueItems=True),
        "storageCrs": URI,
    },
)
COLLECTIONS = thing({"links": LINKS, "collections": some(COLLECTION)})


def _geometry(kind: str, *least: int) -> Shape:
    """Return the shape of a kind, with how many parts each level has at least, from the positions outwards."""
    shape: Shape = some(NUMBER, minItems=2, maxItems=3)
    for count in least:
        shape = some(shape, minItems=count)
    return thing({"type": {"const": kind}, "coordinates": shape})


GEOMETRY: Shape = {
    "oneOf": [
        {"type": "null"},
        _geometry("Point"),
        _geometry("MultiPoint", 0),
        _geometry("LineString", 2),
        _geometry("MultiLineString", 2, 0),
        _geometry("Polygon", 4, 0),
        _geometry("MultiPolygon", 4, 0, 0),
    ]
}
FEATURE = thing(
    {"type": {"const": "Feature"}, "geometry": GEOMETRY, "properties": {"type": ["object", "null"]}},
    {"id": {"type": ["string", "integer"]}, "links": LINKS},
)
COUNT: Shape = {"type": "integer", "minimum": 0}
FEATURES = thing(
    {"type": {"const": "FeatureCollection"}, "features": some(FEATURE)},
    {"links": some(LINK, minItems=2), "timeStamp": INSTANT, "numberMatched": COUNT, "numberReturned": COUNT},
)
QUERYABLES = thing(
    {
        "$schema": {"const": "https://json-schema.org/draft/2020-12/schema"},
        "$id": {**URI, "pattern": r"^https?://[^?]+$"},
        "type": {"const": "object"},
        "properties": {"type": "object", "additionalProperties": {"type": "object"}},
    },
    {"title": TEXT, "additionalProperties": {"type": "boolean"}},
)
PROBLEM = thing({"type": TEXT, "title": TEXT, "status": {"type": "integer", "minimum": 400}}, {"detail": TEXT})

WORDS_OF_TILES: Shape = {"enum": ["map", "vector", "coverage"]}
LIMITS = thing(
    {
        "tileMatrix": TEXT,
        **dict.fromkeys(("minTileRow", "maxTileRow", "minTileCol", "maxTileCol"), COUNT),
    }
)
TILESET = thing(
    {
        "dataType": WORDS_OF_TILES,
        "crs": URI,
        "tileMatrixSetURI": URI,
        "links": links_with("self", REL + "tiling-scheme"),
    },
    {
        "title": TEXT,
        "tileMatrixSetLimits": some(LIMITS),
        "boundingBox": thing(
            {"lowerLeft": some(NUMBER, minItems=2, maxItems=2), "upperRight": some(NUMBER, minItems=2, maxItems=2)},
            {"crs": URI},
        ),
        "layers": some(
            thing(
                {"id": TEXT, "dataType": WORDS_OF_TILES},
                {"geometryDimension": {"type": "integer", "minimum": 0, "maximum": 3}, "minTileMatrix": TEXT,
                 "propertiesSchema": thing(
                     {"type": {"const": "object"},
                      "properties": {"type": "object", "additionalProperties": thing({}, {
                          "type": {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]},
                          "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
                      })}},
                     {"required": some(TEXT, minItems=1)},
                 )},
            ),
            minItems=1,
        ),
    },
)  # fmt: skip
TILESETS = thing({"tilesets": some(TILESET), "links": LINKS})
TILE_MATRIX_SET = thing(
    {
        "crs": URI,
        "tileMatrices": some(
            thing(
                {
                    "id": TEXT,
                    "scaleDenominator": NUMBER,
                    "cellSize": NUMBER,
                    "pointOfOrigin": some(NUMBER, minItems=2, maxItems=2),
                    "tileWidth": {"type": "integer", "minimum": 1},
                    "tileHeight": {"type": "integer", "minimum": 1},
                    "matrixWidth": {"type": "integer", "minimum": 1},
                    "matrixHeight": {"type": "integer", "minimum": 1},
                },
                {"cornerOfOrigin": {"enum": ["topLeft", "bottomLeft"]}},
            ),
            minItems=1,
        ),
    },
    {"id": TEXT, "uri": URI, "orderedAxes": some(TEXT, minItems=1), "wellKnownScaleSet": URI},
)
TILE_MATRIX_SETS = thing({"tileMatrixSets": some(thing({"id": TEXT, "links": links_with("self")}, {"uri": URI}))})
STYLES = thing(
    {"styles": some(thing({"id": TEXT, "links": some(LINK, minItems=1)}, {"title": TEXT}))}, {"default": TEXT}
)
STYLE_METADATA = thing(
    {"id": TEXT, "links": LINKS},
    {
        "title": TEXT,
        "scope": {"const": "style"},
        "stylesheets": some(thing({"link": LINK}, {"title": TEXT, "version": TEXT, "specification": URI}), minItems=1),
        "layers": some(thing({"id": TEXT}, {"type": {"enum": ["point", "line", "polygon"]}, "sampleData": LINK})),
    },
)

PROCESS_SUMMARY = thing(
    {"id": TEXT, "version": TEXT},
    {
        "title": TEXT,
        "description": TEXT,
        "jobControlOptions": some({"enum": ["sync-execute", "async-execute", "dismiss"]}, uniqueItems=True),
        "outputTransmission": some({"enum": ["value", "reference"]}, uniqueItems=True),
        "links": LINKS,
    },
)
PROCESSES = thing({"processes": some(PROCESS_SUMMARY), "links": LINKS})
FLAG: Shape = {"type": "boolean"}
ANY_TEXT: Shape = {"type": "string"}
_INNER: Shape = {"$ref": "#"}
SCHEMA: Shape = {
    # What an input or output may be: a schema in the words of OpenAPI 3.0, and no word besides.
    "$id": "urn:wangge:shape:schema",
    "type": "object",
    "properties": {
        "type": {"enum": ["array", "boolean", "integer", "number", "object", "string"]},
        "enum": {"type": "array", "minItems": 1},
        "required": some(TEXT, minItems=1, uniqueItems=True),
        "properties": {"type": "object", "additionalProperties": _INNER},
        "additionalProperties": {"anyOf": [{"type": "boolean"}, _INNER]},
        **dict.fromkeys(("items", "not"), _INNER),
        **dict.fromkeys(("allOf", "oneOf", "anyOf"), some(_INNER)),
        **dict.fromkeys(("maximum", "minimum", "multipleOf"), NUMBER),
        **dict.fromkeys(
            ("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"),
            COUNT,
        ),
        **dict.fromkeys(
            ("exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable", "readOnly", "writeOnly", "deprecated"),
            FLAG,
        ),
        **dict.fromkeys(
            ("title", "description", "format", "contentMediaType", "contentEncoding", "contentSchema"),
            ANY_TEXT,
        ),
        "pattern": {"type": "string", "format": "regex"},
        **dict.fromkeys(("default", "example"), True),
    },
    "additionalProperties": False,
}
_DESCRIBED: Shape = {"title": TEXT, "description": {"type": "string"}}
PROCESS = {
    **PROCESS_SUMMARY,
    "properties": {
        **PROCESS_SUMMARY["properties"],
        "inputs": {
            "type": "object",
            "additionalProperties": thing(
                {"schema": SCHEMA},
                {
                    **_DESCRIBED,
                    "minOccurs": COUNT,
                    "maxOccurs": {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "unbounded"}]},
                },
            ),
        },
        "outputs": {"type": "object", "additionalProperties": thing({"schema": SCHEMA}, _DESCRIBED)},
    },
    "required": ["id", "version", "inputs", "outputs"],
}
STATUS = thing(
    {
        "jobID": TEXT,
        "processID": TEXT,
        "type": {"const": "process"},
        "status": {"enum": ["accepted", "running", "successful", "failed", "dismissed"]},
    },
    {
        "message": {"type": "string"},
        **dict.fromkeys(("created", "started", "finished", "updated"), INSTANT),
        "progress": {"type": "integer", "minimum": 0, "maximum": 100},
        "links": LINKS,
    },
)
JOBS = thing({"jobs": some(STATUS), "links": LINKS})
RESULTS: Shape = {
    "type": "object",
    "additionalProperties": {
        # An object by value stands in a member of its own; bare it could not be told from an address.
        "oneOf": [
            {"type": ["string", "number", "boolean", "array"]},
            {"type": "object", "required": ["value"], "properties": {"mediaType": TEXT}},
            thing({"href": TEXT}, {"type": TEXT, "title": TEXT}),
        ]
    },
}


def faults(document: Any, shape: Shape) -> list[str]:
    """Return everything in which a document is not of a shape."""
    Draft202012Validator.check_schema(shape)
    found = Draft202012Validator(shape, format_checker=FormatChecker()).iter_errors(document)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in found]


def openapi_faults(schema: Shape) -> list[str]:
    """Return what in a schema is not in the words of OpenAPI 3.0."""
    try:
        OAS30Validator.check_schema(schema)
    except jsonschema.exceptions.SchemaError as error:
        return [error.message]
    return []
