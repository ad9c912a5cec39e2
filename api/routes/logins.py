"""``/logins``: an account's own logins, each of which it can end.

Whoever ends one proves again who they are: by the password, or, where the account has none, by a login that has just
begun.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import parameters
from api.deps import LanguageDep, MomentDep, StoreDep
from api.forms import csrf_said, fields, is_form
from api.jobs import instant
from api.logs import log
from api.pages import Json, render, respond
from api.problems import status_of
from api.roles import VisitorDep
from api.routes.auth import LEFT_NOTHING, MAX_PASSWORD, address_of, record_failure
from api.throttle import Throttle
from api.visitors import Visitor, check_csrf, forget_cookies
from gis.contract.roles import TITLES
from gis.contract.text import Language
from gis.errors import Forbidden, InvalidInput, NotFound, Problem, SignInNeeded, TooMany
from gis.store import accounts
from gis.store.accounts import Actor, LiveLogin
from gis.store.engine import Store

router = APIRouter()

JUST_BEGUN: Final = dt.timedelta(minutes=5)
"""So old a login may be that proves by itself who ends another one."""


@router.get("/logins")
async def listed(
    request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Return the logins of the account that asks."""
    parameters.known(request.query_params, ())
    del moment
    return await _page(request, store, visitor, language)


@router.post("/logins/end")
async def ended(
    request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """End the logins that are named by their numbers, or all but the one that asks."""
    del moment
    given = await fields(request, ("logins", "others", "password", "csrf"))
    if visitor.via != "login" or visitor.actor is None:
        raise SignInNeeded("sign in first; a token ends no login")
    check_csrf(visitor, csrf_said(request, given))
    actor = visitor.actor
    mine = await run_in_threadpool(accounts.live, store, actor.account_id, visitor.secret)
    this = next((login.id for login in mine if login.is_this), None)
    if given.get("others") == "true":
        keys = {login.id for login in mine if not login.is_this}
    else:
        keys = {key for key in map(parameters.key, given.get("logins", "").split()) if key is not None}
    try:
        await _prove(request, store, actor, mine, given.get("password", ""))
        ended_count = await run_in_threadpool(accounts.end_some, store, actor.account_id, keys)
    except (Forbidden, InvalidInput, NotFound, TooMany) as error:
        if not is_form(request):
            raise
        return await _page(request, store, visitor, language, error=error)
    request.app.state.visitors.forget()
    log().info("logins_ended", account=actor.account_id, count=ended_count)
    is_out = this in keys
    if is_form(request):
        answer: Response = RedirectResponse(f"{'/signin' if is_out else '/logins'}?lang={language}", 303)
    else:
        answer = Json({"ended_count": ended_count})
    if is_out:
        forget_cookies(answer)
        answer.headers["Clear-Site-Data"] = LEFT_NOTHING
    return answer


async def _prove(request: Request, store: Store, actor: Actor, mine: list[LiveLogin], password: str) -> None:
    account = await run_in_threadpool(accounts.get, store, actor.name)
    if not account.has_password:
        began_at = next((login.began_at for login in mine if login.is_this), account.created_at)
        if dt.datetime.now(dt.UTC) - began_at > JUST_BEGUN:
            raise Forbidden(
                f"sign in again first: this login began more than {JUST_BEGUN.seconds // 60} minutes ago",
                zh="请先重新登录：本次登录已超过五分钟",
            )
        return
    throttle: Throttle = request.app.state.throttle
    address = address_of(request)
    throttle.check(actor.name, address)
    if await run_in_threadpool(accounts.authenticate, store, actor.name, password[:MAX_PASSWORD]) is None:
        throttle.failed(actor.name, address)
        await run_in_threadpool(record_failure, store, actor.name)
        problem = Problem("wrong_password", "is not the password of this account", "password", zh="密码不正确")
        raise InvalidInput("no login was ended", [problem], zh="密码不正确，没有结束任何登录")


async def _page(
    request: Request,
    store: Store,
    visitor: Visitor,
    language: Language,
    error: Forbidden | InvalidInput | NotFound | TooMany | None = None,
) -> Response:
    if visitor.actor is None:
        raise SignInNeeded("sign in to see this", zh="请先登录")
    account = await run_in_threadpool(accounts.get, store, visitor.actor.name)
    logins = await run_in_threadpool(accounts.live, store, visitor.actor.account_id, visitor.secret)
    document = {"logins": [_told(login) for login in logins]}
    said: dict[str, Any] = {"titles": TITLES, "error": error, "has_password": account.has_password}
    if error is None:
        return respond(request, document, "logins.html", language=language, **said)
    status = status_of(error)
    return render(request, "logins.html", language=language, status=status, document=document, **said)


def _told(login: LiveLogin) -> dict[str, Any]:
    return {
        "id": login.id,
        "role": login.role,
        "began": instant(login.began_at),
        "last_used": instant(login.seen_at),
        "ends": instant(login.ends_at),
        "this": login.is_this,
    }
