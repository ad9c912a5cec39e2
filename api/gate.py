"""The gate of every route: who comes, and whether the matrix has a line that lets them in."""

from __future__ import annotations

from starlette.requests import Request

from api import recording
from api.logs import log
from api.matrix import LINES, OPEN, READING, WHOLE_CITY, line
from api.visitors import CSRF_HEADER, NOBODY, Visitor, Visitors, brings_proof, check_csrf
from api.watch import Watch
from gis.contract.roles import TITLES
from gis.errors import Forbidden, SignInNeeded

OWN_CSRF = ("/auth/", "/admin/", "/logins/")
"""Routes whose forms carry the token in a field; each reads it by itself."""


async def gate(request: Request) -> None:
    """Stand before every route of the routers."""
    await admit(request, request.scope["route"].path)


async def admit(request: Request, path: str) -> None:
    """Let a request in, or say why not; whoever is let in stands in ``request.state.visitor``.

    Parameters
    ----------
    path
        Of the route, as the matrix has it.

    Raises
    ------
    SignInNeeded
        Nobody has signed in, and the route is not everybody's.
    Forbidden
        The role may not ask this, a token may not change anything, or a page of another site asks.
    """
    name = line(request.method, path)
    recording.begin(request, name, NOBODY, None)
    visitor = NOBODY if name in OPEN else await _recognised(request, name)
    if visitor.role not in LINES.get(name, frozenset()):
        log().warning("denied", route=name, role=visitor.role, account=visitor.account_id)
        recording.deny(request)
        if visitor.via == "nobody":
            raise SignInNeeded("sign in to see this", zh="请先登录")
        raise Forbidden(f"the role '{visitor.role}' may not do this", zh=f"{TITLES[visitor.role].zh}无权进行此操作")
    if visitor.areas is not None and name in WHOLE_CITY:
        log().warning("denied", route=name, role=visitor.role, account=visitor.account_id, areas=visitor.areas)
        recording.deny(request)
        raise Forbidden(
            "a plan is of the whole city, and your role here is of some of its areas",
            zh="划分方案以全市为单位，您的岗位只负责部分辖区",
        )
    if request.method in READING:
        return
    if visitor.actor is not None and not visitor.actor.may_change:
        raise Forbidden("this token may read, and change nothing", zh="此令牌只能读取，不能修改")
    if not request.url.path.startswith(OWN_CSRF):
        check_csrf(visitor, request.headers.get(CSRF_HEADER, ""))


async def _recognised(request: Request, name: str) -> Visitor:
    if not brings_proof(request):
        return NOBODY
    watch: Watch = request.app.state.watch
    visitors: Visitors = request.app.state.visitors
    city = (await watch.moment()).city
    visitor = await visitors.of(request, city.id if city else None)
    request.state.visitor = visitor
    recording.begin(request, name, visitor, city.id if city else None)
    return visitor
