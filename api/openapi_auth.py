"""What ``/auth`` takes and gives, for the OpenAPI document: how a browser comes in; programs bring a token instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gis.contract.roles import GRANTABLE

Node = dict[str, Any]

_TEXT: Final[Node] = {"type": "string"}
_ROLE: Final[Node] = {"type": "string", "enum": list(GRANTABLE)}
_TITLE: Final[Node] = {"type": "object", "properties": {"zh": _TEXT, "en": _TEXT}}
_ME: Final[Node] = {
    "type": "object",
    "required": ["signed_in", "role", "may", "layers"],
    "properties": {
        "signed_in": {"type": "boolean"},
        "name": {**_TEXT, "nullable": True},
        "role": {**_TEXT, "description": "The one role that the login or token acts in; `public` without."},
        "roles": {"type": "array", "items": {"type": "object", "properties": {"id": _ROLE, "title": _TITLE}}},
        "title": _TITLE,
        "areas": {
            "type": "array",
            "nullable": True,
            "items": {"type": "object"},
            "description": "What of the city is seen; null for all of it.",
        },
        "may": {"type": "array", "items": _TEXT, "description": "Method and path of what the role may ask."},
        "layers": {"type": "array", "items": _TEXT},
        "csrf": {**_TEXT, "description": "To be sent back as X-CSRF-Token with every change; of logins only."},
    },
}
_WELCOME: Final[Node] = {
    "type": "object",
    "required": ["name", "role", "csrf"],
    "properties": {"name": _TEXT, "role": _TEXT, "csrf": _TEXT},
}
_NUMBER: Final[Node] = {"type": "integer"}
_AT: Final[Node] = {"type": "string", "format": "date-time"}
_LOGIN: Final[Node] = {
    "type": "object",
    "required": ["id", "role", "began", "last_used", "ends", "this"],
    "properties": {
        "id": _NUMBER,
        "role": _TEXT,
        "began": _AT,
        "last_used": {**_AT, "description": "To the minute."},
        "ends": {**_AT, "description": "If nothing comes from it any more."},
        "this": {"type": "boolean", "description": "Whether it is the one that asks."},
    },
}
_LOGINS: Final[Node] = {
    "type": "object",
    "required": ["logins"],
    "properties": {"logins": {"type": "array", "items": _LOGIN}},
}
_NEXT: Final[Node] = {**_TEXT, "description": "Path of this server that a form goes on to."}


def auth_paths() -> Node:
    """Return the paths below ``/auth``."""
    oidc = "the OpenID provider of the settings; 404 where there is none"
    return {
        "/auth/me": {"get": _operation("whoAmI", "Who asks, in which role, and what it may ask", answers=_json(_ME))},
        "/auth/sign-in": _post(
            "signIn", "Begin a login; the answer sets its cookies", {"name": _TEXT, "password": _TEXT, "next": _NEXT}
        ),
        "/auth/demo": _post(
            "signInToDemo", "Take a demo account; in the demo only", {"role": _ROLE, "account": _TEXT, "next": _NEXT}
        ),
        "/auth/role": _post(
            "takeRole", "Go on in another role of the account", {"role": _ROLE, "csrf": _TEXT, "next": _NEXT}
        ),
        "/auth/password": _post(
            "changePassword", "Take another password; every login ends", {"old": _TEXT, "new": _TEXT, "csrf": _TEXT}
        ),
        "/auth/sign-out": {
            "post": _operation(
                "signOut",
                "End the login",
                answers={"204": {"description": "Ended."}, **_REDIRECT},
                takes={"csrf": _TEXT},
            )
        },
        "/logins": {
            "get": _operation(
                "myLogins",
                "The logins of the account that asks",
                answers={
                    "200": {
                        "description": "The answer.",
                        "content": {"application/json": {"schema": _LOGINS}, "text/html": {"schema": _TEXT}},
                    }
                },
                parameters=[{"$ref": f"#/components/parameters/{name}"} for name in ("f", "lang")],
            )
        },
        "/logins/end": {
            "post": _operation(
                "endMyLogins",
                "End logins by their numbers, or all but the one that asks",
                answers={**_json({"type": "object", "properties": {"ended_count": _NUMBER}}), **_REDIRECT},
                takes={
                    "logins": {**_TEXT, "description": "Numbers, with spaces between them."},
                    "others": {**_TEXT, "enum": ["true"], "description": "All but the one that asks."},
                    "password": {**_TEXT, "description": "Once more; of accounts that have one."},
                    "csrf": _TEXT,
                },
            )
        },
        "/auth/oidc": {
            "get": _operation(
                "toProvider",
                f"Go to {oidc}",
                answers=_REDIRECT,
                parameters=[{"name": "next", "in": "query", "required": False, "schema": _NEXT}],
            )
        },
        "/auth/oidc/callback": {"get": _operation("fromProvider", f"Come back from {oidc}", answers=_REDIRECT)},
    }


_REDIRECT: Final[Node] = {"303": {"description": "Elsewhere, see Location; the answer to a form."}}


def _post(id_: str, summary: str, takes: Node) -> Node:
    return {"post": _operation(id_, summary, answers={**_json(_WELCOME), **_REDIRECT}, takes=takes)}


def _json(schema: Node) -> Node:
    return {"200": {"description": "The answer.", "content": {"application/json": {"schema": schema}}}}


def _operation(
    id_: str, summary: str, *, answers: Node, takes: Node | None = None, parameters: Iterable[Node] = ()
) -> Node:
    operation: Node = {
        "operationId": id_,
        "summary": summary,
        "tags": ["Coming in"],
        "parameters": [*parameters],
        "responses": {**answers, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if takes is not None:
        body = {"type": "object", "properties": takes, "additionalProperties": False}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": body} for kind in kinds}}
    return operation


def security() -> Node:
    """Return the ways in, as ``components.securitySchemes`` has them."""
    return {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `wangge user token`; never in an address.",
        },
        "tokenAsPassword": {
            "type": "http",
            "scheme": "basic",
            "description": "The same token as the password of any name, for programs that know no bearer.",
        },
        "login": {"type": "apiKey", "in": "cookie", "name": "__Host-wangge", "description": "Of a browser's login."},
    }
