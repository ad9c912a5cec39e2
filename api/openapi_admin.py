"""What ``/admin`` takes and gives, for the OpenAPI document: running the server, for administrators alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gis.contract.roles import GRANTABLE

Node = dict[str, Any]

_TEXT: Final[Node] = {"type": "string"}
_ROLE: Final[Node] = {"type": "string", "enum": list(GRANTABLE)}
_NAME: Final[Node] = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "Name of the account.",
    "schema": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._@-]{1,62}$"},
}
_PAGE: Final[list[Node]] = [{"$ref": "#/components/parameters/f"}, {"$ref": "#/components/parameters/lang"}]
_LIMIT: Final[Node] = {"$ref": "#/components/parameters/limit"}
_CHECK: Final[Node] = {
    "name": "check",
    "in": "query",
    "description": "Check the newest rows now.",
    "schema": {"type": "string", "enum": ["true", "false"]},
}
_PROBLEM: Final[Node] = {"default": {"$ref": "#/components/responses/Problem"}}


def admin_paths() -> Node:
    """Return the paths below ``/admin``."""
    tokens = {"role": _ROLE, "title": _TEXT, "days": _TEXT, "may_change": {"type": "string", "enum": ["true", "false"]}}
    return {
        "/admin": {"get": _get("administration", "What an administrator looks at first")},
        "/admin/health": {"get": _get("serverHealth", "Checks, versions, cache and connections")},
        "/admin/audit": {"get": _get("auditState", "Whether the audit log is whole", [_CHECK])},
        "/admin/jobs": {"get": _get("allJobs", "Jobs of all cities, and nothing of what they are about", [_LIMIT])},
        "/admin/imports": {"get": _get("allImports", "Imports of the city in use", [_LIMIT])},
        "/admin/cities": {
            "get": _get("cities", "The cities of the server"),
            "post": _post("useCity", "Take a city into use", {"slug": _TEXT}),
        },
        "/admin/users": {
            "get": _get("accounts", "Every account"),
            "post": _post("addAccount", "Make an account", {"name": _TEXT}, status="201"),
        },
        "/admin/users/{name}": {"get": _get("account", "One account, its grants and tokens", [_NAME])},
        "/admin/users/{name}/grants": {
            "post": _post("grantRole", "Give a role in the city in use", {"role": _ROLE, "areas": _TEXT}, [_NAME])
        },
        "/admin/users/{name}/revoke": {
            "post": _post("revokeRole", "Take a role away again", {"role": _ROLE, "city": _TEXT}, [_NAME])
        },
        "/admin/users/{name}/tokens": {
            "post": _post("issueToken", "Make a token; told this once", tokens, [_NAME], status="201")
        },
        "/admin/users/{name}/code": {
            "post": _post("issueCode", "Make a one-time code; told this once", {}, [_NAME], status="201")
        },
        **{
            f"/admin/users/{{name}}/{act}": {"post": _post(id_, words, {}, [_NAME])}
            for act, id_, words in (
                ("end-logins", "endLogins", "End every login"),
                ("disable", "disableAccount", "Shut the account"),
                ("enable", "enableAccount", "Open the account again"),
            )
        },
    }


def _get(id_: str, summary: str, takes: Iterable[Node] = ()) -> Node:
    content = {"application/json": {"schema": {"type": "object"}}, "text/html": {"schema": _TEXT}}
    return {
        "operationId": id_,
        "summary": summary,
        "tags": ["Administration"],
        "parameters": [*takes, *_PAGE],
        "responses": {"200": {"description": "The answer.", "content": content}, **_PROBLEM},
    }


def _post(id_: str, summary: str, members: dict[str, Any], takes: Iterable[Node] = (), *, status: str = "200") -> Node:
    schema = {"type": "object", "properties": {**members, "csrf": _TEXT}, "additionalProperties": False}
    answer = {"description": "The answer.", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "operationId": id_,
        "summary": summary,
        "tags": ["Administration"],
        "parameters": [*takes],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {status: answer, **_PROBLEM},
    }
