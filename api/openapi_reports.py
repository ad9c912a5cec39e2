"""What the public reports, and who decides on it, in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from api.open311 import DROPPED, FORM, FORMATS, SEEN_AT
from api.routes.reports import STATES, Acceptance, Rejection
from api.schemas import for_openapi_30
from gis.city.public_reports import report_policy

Node = dict[str, Any]

_ENDING: Final[Node] = {
    "name": "ending", "in": "path", "required": True, "description": "Format.",
    "schema": {"type": "string", "enum": list(FORMATS)},
}  # fmt: skip
_LIST: Final[Node] = {"type": "array", "items": {"type": "object"}}


def report_paths() -> Node:
    """Return the paths of Open311 GeoReport v2 and those of the desk."""
    code = _path("code", "Of a service.")
    id_ = {**_path("reportId", "Number of the report."), "schema": {"type": "integer", "minimum": 1}}
    state = {
        "name": "state", "in": "query", "description": "Waiting by default.",
        "schema": {"type": "string", "enum": list(STATES)},
    }  # fmt: skip
    names = {
        "name": "service_request_id", "in": "query", "description": "Names, separated by commas.",
        "schema": {"type": "string"},
    }  # fmt: skip
    lang = {"$ref": "#/components/parameters/lang"}
    limit = {"$ref": "#/components/parameters/limit"}
    v2 = "/open311/v2"
    return {
        "/open311/discovery.{ending}": {"get": _told("open311Discovery", "Where Open311 is", {"type": "object"})},
        f"{v2}/services.{{ending}}": {"get": _told("open311Services", "What the public may report", _LIST, lang)},
        f"{v2}/services/{{code}}.{{ending}}": {
            "get": _told("open311Service", "What a report of a kind may say", {"type": "object"}, code, lang)
        },
        f"{v2}/requests.{{ending}}": {
            "get": _told("open311Requests", "How reports stand whose names are known", _LIST, names, lang),
            "post": _told("open311Report", "Report without a name", _LIST, lang, status="201")
            | {"requestBody": _form()},
        },
        f"{v2}/requests/{{name}}.{{ending}}": {
            "get": _told("open311Request", "How one report stands", _LIST, _path("name", "Its name."), lang)
        },
        f"{v2}/tokens/{{token}}.{{ending}}": {
            "get": _told("open311Token", "The name of the report of a token", _LIST, _path("token", "Told once."))
        },
        "/reports": {"get": _desk("reports", "Reports of the public in the caller's area", [state, limit, lang])},
        "/reports/{reportId}/accept": {
            "post": _desk("acceptReport", "Take a report up as an incident", [id_], body=Acceptance, status="201")
        },
        "/reports/{reportId}/reject": {"post": _desk("rejectReport", "Turn a report down", [id_], body=Rejection)},
    }


def _path(name: str, description: str) -> Node:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


def _told(id_: str, words: str, schema: Node, *takes: Node, status: str = "200") -> Node:
    content = {"application/json": {"schema": schema}, "text/xml": {"schema": {"type": "string"}}}
    refused = {"application/json": {"schema": _LIST}, "text/xml": {"schema": {"type": "string"}}}
    # What no route or gate took is said as everywhere else.
    refused["application/problem+json"] = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        "operationId": id_,
        "summary": words,
        "tags": ["Open311"],
        "parameters": [_ENDING, *takes],
        "responses": {
            status: {"description": "The answer.", "content": content},
            "default": {"description": "What is wrong, as Open311 says it.", "content": refused},
        },
    }


def _form() -> Node:
    dropped = {name: {"type": "string", "description": "Taken, and not kept."} for name in DROPPED}
    fields: Node = {
        "service_code": {"type": "string", "enum": list(report_policy().services)},
        "lat": {"type": "number", "minimum": -90, "maximum": 90},
        "long": {"type": "number", "minimum": -180, "maximum": 180},
        SEEN_AT: {"type": "string", "format": "date-time"},
        **dropped,
    }
    schema = {"type": "object", "required": ["service_code", "lat", "long"], "properties": fields}
    return {"required": True, "content": {FORM: {"schema": {**schema, "additionalProperties": False}}}}


def _desk(id_: str, words: str, takes: list[Node], *, body: Any = None, status: str = "200") -> Node:
    content: Node = {"application/json": {"schema": {"type": "object"}}}
    if body is None:
        content["text/html"] = {"schema": {"type": "string"}}
    operation: Node = {
        "operationId": id_,
        "summary": words,
        "tags": ["Reports"],
        "parameters": takes,
        "responses": {
            status: {"description": "The answer.", "content": content},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }
    if body is not None:
        schema = for_openapi_30(body.model_json_schema())
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation
