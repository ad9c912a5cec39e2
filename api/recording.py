"""Which requests leave a row in the audit log, and the layer that holds an answer back until its row is there.

What changes something writes its row in the transaction of the change (`gis.store`). What only reads has none, so its
row is written after the reading and before the answer; where that cannot be done, the answer is a 503.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.ledger import Ledger
from api.logs import request_id
from api.matrix import PLAN_VIEWS, READING
from api.problems import answer
from api.visitors import Visitor
from api.watch import Moment
from gis.errors import GridError
from gis.store.audit import Action, Asker, Entry, Trail, asking, rounded
from gis.store.query import ItemQuery

KEY: Final = "wangge.doing"
"""Under this key of the scope stands what a request does."""
_PLAN: Final = "/plans/{id_}"
_PUBLIC: Final = "public"

ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "GET /collections/{id_}/items": "view",
        "GET /collections/{id_}/items/{key}": "view",
        "GET /maps/{name}.html": "view",
        "GET /reports": "view",
        "GET /jobs/{id_}/results": "view",
        "GET /runs/{id_}": "view",
        "GET /audit": "view",
        "GET /audit.csv": "export",
        "GET /collections/{id_}/export.gpx": "export",
        "GET /collections/{id_}/export.{ending}": "export",
        f"GET {_PLAN}/export.{{ending}}": "export",
        f"GET {_PLAN}/notice.{{ending}}": "export",
        "POST /processes/{id_}/execution": "run",
        f"POST {_PLAN}/proposals": "run",
        "POST /imports/{frame}": "import",
        "POST /auth/sign-in": "sign_in",
        "POST /auth/demo": "sign_in",
        "GET /auth/oidc/callback": "sign_in",
        "POST /auth/sign-out": "sign_out",
        "POST /auth/role": "role",
        "POST /auth/password": "account",
        "POST /auth/first": "sign_in",
        "POST /logins/end": "account",
        "POST /admin/users": "account",
        **{f"POST /admin/users/{{name}}/{act}": "account" for act in ("code", "end-logins", "disable", "enable")},
        **{f"POST /admin/users/{{name}}/{act}": "grant" for act in ("grants", "revoke")},
        "POST /admin/users/{name}/tokens": "token",
        "POST /admin/tokens/{number}/revoke": "token",
        "POST /admin/imports": "import",
        "POST /admin/cities": "setting",
    }
)
"""Line of the matrix -> what the log calls it. What is not here and changes something is a ``change``."""

TALLIED: Final = frozenset(
    {
        "GET /collections/{id}/tiles/WebMercatorQuad/{z}/{y}/{x}",
        "GET /runs",
        f"GET {_PLAN}",
        *(f"GET {_PLAN}/{what}" for what in PLAN_VIEWS),
    }
)
"""Lines whose requests are counted by the minute: a map asks for forty tiles, and an editor looks every few seconds."""

UNRECORDED: Final = frozenset(
    {
        # The server itself and its pages, which hold no data.
        "GET /", "GET /conformance", "GET /api", "GET /livez", "GET /healthz", "GET /readyz", "GET /metrics",
        "GET /assets/{name:path}", "GET /static/{name:path}", "GET /favicon.svg", "GET /favicon.ico",
        "GET /map", "GET /hotspots", "GET /print/hotspots", "GET /coverage", "GET /patrol", "GET /patrol/route",
        "GET /print/patrol", "GET /edit", "GET /edit/{plan:int}", "GET /signin", "GET /auth/me", "GET /auth/oidc",
        # What there is, not what is in it.
        "GET /collections", "GET /collections/{id_}", "GET /collections/{id_}/queryables",
        "GET /collections/{id_}/schema", "GET /collections/{id_}/tiles", "GET /collections/{id_}/tiles/{tms}",
        "OPTIONS /collections/{id_}/items", "OPTIONS /collections/{id_}/items/{key}",
        "GET /tileMatrixSets", "GET /tileMatrixSets/{id_}", "GET /styles", "GET /styles/{id_}",
        "GET /styles/{id_}/legend", "GET /styles/{id_}/metadata", "GET /processes", "GET /processes/{id_}",
        # What the public reports, and asks about by a token that must stand in no log.
        "GET /report", "GET /open311/discovery.{ending}", "GET /open311/v2/services.{ending}",
        "GET /open311/v2/services/{code}.{ending}", "GET /open311/v2/requests.{ending}",
        "GET /open311/v2/requests/{name}.{ending}", "GET /open311/v2/tokens/{token}.{ending}",
        # How far something is.
        "GET /signin/first", "GET /logins",
        "GET /admin", "GET /admin/users", "GET /admin/users/{name}", "GET /admin/imports",
        "GET /admin/jobs", "GET /admin/health", "GET /admin/audit", "GET /admin/cities",
        "GET /jobs", "GET /jobs/{id_}", "GET /plans", "GET /imports", "GET /imports/{id_}", "GET /imports/{id_}/errors",
    }
)  # fmt: skip
"""Lines that leave no row, so that a new one has to be put somewhere."""

_KINDS_OF_NODE: Final = frozenset({"compare", "temporal", "spatial"})
"""Before an operator stands which kind of condition it makes."""


def action_of(line: str) -> Action | None:
    """Return what the log calls the requests of a line; None for those that leave no row.

    Examples
    --------
    >>> action_of("POST /plans"), action_of("GET /map"), action_of("GET /runs")
    ('change', None, 'view')
    """
    if line in ACTIONS:
        return ACTIONS[line]
    if line in TALLIED:
        return "view"
    return None if line.split(" ", 1)[0] in READING else "change"


@dataclass(slots=True)
class Doing:
    """What a request does, as far as is known by now.

    Attributes
    ----------
    line
        Of the matrix; None while no route has taken it.
    is_denied
        Whether it was refused for who asks; a layer that they do not see is denied, and answers as if it were not
        there.
    facts
        What the row says besides who, when and what.
    """

    trail: Trail
    line: str | None = None
    city_id: int | None = None
    is_denied: bool = False
    facts: dict[str, Any] = field(default_factory=dict)


def doing_of(request: Request) -> Doing:
    """Return what a request does; of one that the layer below has not seen, a new one."""
    doing: Doing | None = request.scope.get(KEY)
    if doing is None:
        doing = request.scope[KEY] = Doing(Trail())
    return doing


def begin(request: Request, line: str, visitor: Visitor, city_id: int | None) -> None:
    """Say who asks for what, once that is known."""
    doing = doing_of(request)
    doing.line, doing.city_id = line, city_id
    if (actor := visitor.actor) is not None:
        doing.trail.asker = replace(
            doing.trail.asker, role=visitor.role, account_id=visitor.account_id, account=actor.name
        )


def within(request: Request, moment: Moment) -> None:
    """Say of which city and areas a request sees something."""
    if moment.city is not None:
        doing = doing_of(request)
        doing.city_id = moment.city.id
        if moment.city.areas is not None:
            doing.trail.asker = replace(doing.trail.asker, areas=moment.city.areas)


def deny(request: Request) -> None:
    """Say that a request is refused for who asks."""
    doing_of(request).is_denied = True


def note(request: Request, *, rows_count: int | None = None, query: ItemQuery | None = None, **detail: Any) -> None:
    """Say what the row of a request holds besides: how many rows, in which box, by which properties."""
    facts = doing_of(request).facts
    if rows_count is not None:
        facts["rows_count"] = rows_count
    if query is not None:
        facts["bbox"] = rounded(query.bbox)
        facts["filter"] = told(query)
    if detail:
        facts["detail"] = {**facts.get("detail", {}), **detail}


def told(query: ItemQuery) -> str | None:
    """Return the properties and operators of a filter, and none of its values.

    Examples
    --------
    >>> told(ItemQuery(equals={"category": ("theft",)}))
    'category ='
    """
    parts = [f"{name} =" for name in query.equals]
    if query.interval is not None:
        parts.append("datetime")
    if query.where is not None:
        operators = sorted(set(_operators(query.where.node)))
        parts.append(f"{', '.join(sorted(query.where.properties))} ({' '.join(operators)})")
    return "; ".join(parts) or None


def _operators(node: tuple[Any, ...]) -> Iterable[str]:
    if node and node[0] in ("value", "property"):
        return
    for part in node:
        if isinstance(part, tuple):
            yield from _operators(part)
        elif isinstance(part, str) and part not in _KINDS_OF_NODE:
            yield part


class Recorder:
    """Holds back an answer until its row is in the log; where the log is away, the answer is a 503 instead."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        doing = Doing(Trail(Asker(_PUBLIC, request_id=request_id())))
        scope[KEY] = doing
        is_refused = False

        async def recorded(message: Message) -> None:
            nonlocal is_refused
            if is_refused:
                return
            if message["type"] == "http.response.start":
                try:
                    await _settle(scope, doing, message["status"])
                except GridError as error:
                    is_refused = True
                    await answer(error)(scope, receive, send)
                    return
            await send(message)

        with asking(doing.trail):
            await self.app(scope, receive, recorded)


async def _settle(scope: Scope, doing: Doing, status: int) -> None:
    if doing.line is None or doing.trail.written:
        return
    is_denied = doing.is_denied or status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    action = "denied" if is_denied else action_of(doing.line)
    if action is None or (status >= HTTPStatus.BAD_REQUEST and not is_denied):
        return
    ledger: Ledger = scope["app"].state.ledger
    facts = {} if is_denied else doing.facts
    entry = Entry(action, scope["path"].strip("/"), doing.city_id, **facts)
    nobody = doing.trail.asker.role == _PUBLIC and action in ("view", "denied")
    if is_denied:
        entry = replace(entry, object=_object(doing.line) if nobody else entry.object, detail={"route": doing.line})
    if nobody or (doing.line in TALLIED and not is_denied):
        ledger.count(replace(entry, object=entry.object if is_denied else _counted(scope, doing.line)), doing.trail)
    else:
        await ledger.write(entry, doing.trail)


def _object(line: str) -> str:
    return line.split(" ", 1)[1].strip("/")


def _counted(scope: Scope, line: str) -> str:
    """Return what the counts of a line are of: a layer, a plan; never a tile, of which there are millions."""
    parts = scope["path"].strip("/").split("/")
    return "/".join((*parts[:2], "tiles")) if "/tiles/" in line else "/".join(parts[:2])
