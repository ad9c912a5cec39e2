"""Who may ask what: one line a route, and nobody may ask what has no line.

The page ``docs/who-may-what.md`` is written from here, and a test walks every route in every role.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gis.contract.roles import GRANTABLE, ROLES, Role

Roles = frozenset[Role]

EVERYBODY: Final[Roles] = frozenset(ROLES)
SIGNED_IN: Final[Roles] = frozenset(GRANTABLE)
COMPUTING: Final[Roles] = frozenset({"officer", "analyst", "planner", "supervisor"})
SEEING_EVENTS: Final[Roles] = frozenset({"officer", "analyst", "supervisor"})
EXPORTING: Final[Roles] = frozenset({"analyst"})
PLANNING: Final[Roles] = frozenset({"planner"})
APPROVING: Final[Roles] = frozenset({"supervisor"})
READING_PLANS: Final[Roles] = PLANNING | APPROVING
ADDING: Final[Roles] = frozenset({"officer", "planner", "supervisor"})
EDITING: Final[Roles] = frozenset({"planner", "supervisor"})
DECIDING: Final[Roles] = frozenset({"officer", "supervisor"})
ADMINISTERING: Final[Roles] = frozenset({"admin"})
AUDITING: Final[Roles] = frozenset({"supervisor", "admin"})

READING: Final = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing."""

_PLAN: Final = "/plans/{id_}"
PLAN_VIEWS: Final = (
    "assignment",
    "board",
    "problems",
    "compare",
    "grids",
    "shapes",
    "edits",
    "lineage",
    "workload",
)
"""What of a plan is looked at, below its address."""

LINES: Final[Mapping[str, Roles]] = MappingProxyType(
    {
        # What the server is
        "GET /": EVERYBODY,
        "GET /conformance": EVERYBODY,
        "GET /api": EVERYBODY,
        "GET /livez": EVERYBODY,
        "GET /healthz": EVERYBODY,
        "GET /readyz": EVERYBODY,
        "GET /metrics": ADMINISTERING,
        # Its pages
        "GET /assets/{name:path}": EVERYBODY,
        "GET /static/{name:path}": EVERYBODY,
        "GET /favicon.svg": EVERYBODY,
        "GET /favicon.ico": EVERYBODY,
        "GET /map": SIGNED_IN,
        "GET /hotspots": SEEING_EVENTS,
        "GET /print/hotspots": SEEING_EVENTS,
        "GET /coverage": COMPUTING,
        "GET /patrol": COMPUTING,
        "GET /patrol/route": COMPUTING,
        "GET /print/patrol": COMPUTING,
        "GET /edit": READING_PLANS,
        "GET /edit/{plan:int}": READING_PLANS,
        # Coming in and going out
        "GET /signin": EVERYBODY,
        "GET /auth/me": EVERYBODY,
        "POST /auth/sign-in": EVERYBODY,
        "POST /auth/sign-out": EVERYBODY,
        "POST /auth/role": EVERYBODY,
        "POST /auth/password": SIGNED_IN,
        "GET /logins": SIGNED_IN,
        "POST /logins/end": SIGNED_IN,
        "GET /signin/first": EVERYBODY,
        "POST /auth/first": EVERYBODY,
        "POST /auth/demo": EVERYBODY,
        "GET /auth/oidc": EVERYBODY,
        "GET /auth/oidc/callback": EVERYBODY,
        # Layers: each says besides who sees it and which of its columns (`layers`)
        "GET /collections": EVERYBODY,
        "GET /collections/{id_}": EVERYBODY,
        "GET /collections/{id_}/queryables": EVERYBODY,
        "GET /collections/{id_}/schema": EVERYBODY,
        "GET /collections/{id_}/items": EVERYBODY,
        "GET /collections/{id_}/items/{key}": EVERYBODY,
        # Each layer says besides who adds to it and who changes it (OGC API Features 4).
        "OPTIONS /collections/{id_}/items": EVERYBODY,
        "OPTIONS /collections/{id_}/items/{key}": EVERYBODY,
        "POST /collections/{id_}/items": ADDING,
        "PUT /collections/{id_}/items/{key}": EDITING,
        "PATCH /collections/{id_}/items/{key}": EDITING,
        "DELETE /collections/{id_}/items/{key}": EDITING,
        "GET /collections/{id_}/tiles": EVERYBODY,
        "GET /collections/{id_}/tiles/{tms}": EVERYBODY,
        "GET /collections/{id}/tiles/WebMercatorQuad/{z}/{y}/{x}": EVERYBODY,
        # A route to walk goes with whoever walks it; it holds streets and stops, and no single event.
        "GET /collections/{id_}/export.gpx": COMPUTING,
        "GET /collections/{id_}/export.{ending}": EXPORTING,
        "GET /tileMatrixSets": EVERYBODY,
        "GET /tileMatrixSets/{id_}": EVERYBODY,
        "GET /styles": EVERYBODY,
        "GET /styles/{id_}": EVERYBODY,
        "GET /styles/{id_}/legend": EVERYBODY,
        "GET /styles/{id_}/metadata": EVERYBODY,
        "GET /maps/{name}.html": EVERYBODY,
        # Services and their results: those whose layer the role sees
        "GET /processes": SIGNED_IN,
        "GET /processes/{id_}": SIGNED_IN,
        "POST /processes/{id_}/execution": COMPUTING,
        "GET /jobs": SIGNED_IN,
        "GET /jobs/{id_}": SIGNED_IN,
        "DELETE /jobs/{id_}": COMPUTING,
        "GET /jobs/{id_}/results": SIGNED_IN,
        "GET /runs": SIGNED_IN,
        "GET /runs/{id_}": SIGNED_IN,
        # Plans
        "GET /plans": READING_PLANS,
        "POST /plans": PLANNING,
        f"GET {_PLAN}": READING_PLANS,
        f"DELETE {_PLAN}": PLANNING,
        **{f"GET {_PLAN}/{what}": READING_PLANS for what in (*PLAN_VIEWS, "export.{ending}", "notice.{ending}")},
        "POST /plans/imports": PLANNING,
        f"POST {_PLAN}/proposals": PLANNING,
        f"PATCH {_PLAN}/workload": PLANNING,
        f"PATCH {_PLAN}/assignment": PLANNING,
        f"PATCH {_PLAN}/grids": PLANNING,
        f"PUT {_PLAN}/locks": PLANNING,
        **{f"POST {_PLAN}/{what}": PLANNING for what in ("edits", "undo", "redo", "copy", "submit", "withdraw")},
        **{f"POST {_PLAN}/{what}": APPROVING for what in ("send-back", "approve", "publish")},
        # What the public reports without a name (Open311 GeoReport v2), and who decides on it
        "GET /report": EVERYBODY,
        "GET /open311/discovery.{ending}": EVERYBODY,
        "GET /open311/v2/services.{ending}": EVERYBODY,
        "GET /open311/v2/services/{code}.{ending}": EVERYBODY,
        "POST /open311/v2/requests.{ending}": EVERYBODY,
        "GET /open311/v2/requests.{ending}": EVERYBODY,
        "GET /open311/v2/requests/{name}.{ending}": EVERYBODY,
        "GET /open311/v2/tokens/{token}.{ending}": EVERYBODY,
        "GET /reports": DECIDING,
        "POST /reports/{id_}/accept": DECIDING,
        "POST /reports/{id_}/reject": DECIDING,
        # What goes in
        "GET /imports": ADMINISTERING,
        "POST /imports/{frame}": ADMINISTERING,
        "GET /imports/{id_}": ADMINISTERING,
        "GET /imports/{id_}/errors": ADMINISTERING,
        # Who did what: a supervisor sees that of the own area, an administrator that of the server.
        # Running the server
        "GET /admin": ADMINISTERING,
        **{
            f"GET /admin/{what}": ADMINISTERING
            for what in ("users", "users/{name}", "imports", "jobs", "health", "audit", "cities")
        },
        **{
            f"POST /admin/{what}": ADMINISTERING
            for what in (
                "users",
                *(f"users/{{name}}/{act}" for act in ("grants", "revoke", "tokens", "code", "end-logins")),
                *(f"users/{{name}}/{act}" for act in ("disable", "enable")),
                "tokens/{number}/revoke",
                "jobs/{slug}/{number}/dismiss",
                "imports",
                "cities",
            )
        },
        "GET /audit": AUDITING,
        "GET /audit.csv": AUDITING,
    }
)
"""Method and path of a route, as the route itself has it, and who may ask. HEAD is asked as GET."""

WHOLE_CITY: Final = frozenset(name for name in LINES if name.partition(" ")[2].startswith(("/plans", "/edit")))
"""Routes that a role of some areas may not ask: a plan is one of the whole city."""

OPEN: Final = frozenset(
    {
        "GET /livez",
        "GET /healthz",
        "GET /readyz",
        "GET /assets/{name:path}",
        "GET /static/{name:path}",
        "GET /favicon.svg",
        "GET /favicon.ico",
    }
)
"""Routes that answer without asking who comes, and so while the database is away too."""


def line(method: str, path: str) -> str:
    """Return the name of a route's line.

    Examples
    --------
    >>> line("HEAD", "/map")
    'GET /map'
    """
    return f"{'GET' if method == 'HEAD' else method} {path}"


def may_ask(role: Role, method: str, path: str) -> bool:
    """Return whether a role may ask a route; nobody may where it has no line."""
    return role in LINES.get(line(method, path), frozenset())
