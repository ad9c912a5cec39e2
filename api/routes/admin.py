"""``/admin/users``: accounts, what they may do, their one-time codes and their tokens.

Every page is one address: a form is answered by the page that follows, JSON by JSON. What is told once is told in the
answer that makes it, and is nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import parameters
from api.deps import LanguageDep, MomentDep, StoreDep, city_of
from api.forms import csrf_said, fields, is_form
from api.jobs import instant
from api.pages import Json, render, respond
from api.problems import answer, status_of
from api.roles import VisitorDep
from api.visitors import Visitor, check_csrf
from gis.contract.roles import GRANTABLE, TITLES, grantable_role
from gis.contract.text import Language
from gis.errors import GridError, InvalidInput, NotFound, Problem
from gis.store import accounts, cities
from gis.store.accounts import Account, Token

router = APIRouter(prefix="/admin")

USERS: Final = "/admin/users"


@router.get("/users")
async def listed(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return every account."""
    parameters.known(request.query_params, ())
    del moment
    found = await run_in_threadpool(accounts.list_, store)
    return respond(
        request,
        {"users": [described(account) for account in found]},
        "admin_users.html",
        language=language,
        titles=TITLES,
    )


@router.post("/users")
async def add(request: Request, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Make an account, without a role and without a password."""
    given = await said(request, visitor, ("name",))
    name = given.get("name", "").strip().lower()
    here = f"{USERS}/{quote(name)}"
    return await acted(
        request, language, lambda: described(accounts.create(store, name)), back=USERS, then=here, status=201
    )


@router.get("/users/{name}")
async def one(request: Request, name: str, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return one account with its grants and tokens."""
    parameters.known(request.query_params, ())
    account = await run_in_threadpool(accounts.get, store, name)
    tokens = [token for token in await run_in_threadpool(accounts.tokens, store) if token.account == name]
    document = {**described(account), "tokens": [_token(token) for token in tokens]}
    areas = await run_in_threadpool(accounts.seen, store, moment.city) if moment.city else []
    return respond(
        request,
        document,
        "admin_user.html",
        language=language,
        titles=TITLES,
        grantable=GRANTABLE,
        areas=areas,
        here=moment.city.profile.slug if moment.city else None,
    )


@router.post("/users/{name}/grants")
async def grant(
    request: Request, name: str, *, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Give an account a role in the city in use, of all of it or of some areas."""
    given = await said(request, visitor, ("role", "areas"))

    def work() -> dict[str, Any]:
        role, areas = grantable_role(given.get("role", "")), given.get("areas", "").replace(",", " ").split()
        city = None if role == "admin" else city_of(moment)
        return described(accounts.grant(store, name, role, city, areas=areas or None))

    return await acted(request, language, work, back=f"{USERS}/{quote(name)}")


@router.post("/users/{name}/revoke")
async def revoke(request: Request, name: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Take a role away again, in a city that is named."""
    given = await said(request, visitor, ("role", "city"))

    def work() -> dict[str, Any]:
        role = grantable_role(given.get("role", ""))
        city = None if role == "admin" else cities.by_slug(store, given.get("city", ""))
        return described(accounts.revoke(store, name, role, city))

    return await acted(request, language, work, back=f"{USERS}/{quote(name)}")


@router.post("/users/{name}/disable")
async def disable(request: Request, name: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Shut an account: its logins and tokens end."""
    await said(request, visitor, ())
    return await acted(
        request, language, lambda: described(accounts.disable(store, name)), back=f"{USERS}/{quote(name)}"
    )


@router.post("/users/{name}/enable")
async def enable(request: Request, name: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Open an account again."""
    await said(request, visitor, ())
    return await acted(
        request, language, lambda: described(accounts.enable(store, name)), back=f"{USERS}/{quote(name)}"
    )


@router.post("/users/{name}/end-logins")
async def end_logins(
    request: Request, name: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """End every login of an account; its tokens stay."""
    await said(request, visitor, ())

    def work() -> dict[str, Any]:
        account = accounts.get(store, name)
        accounts.end_all(store, account.id)
        return described(account)

    return await acted(request, language, work, back=f"{USERS}/{quote(name)}")


@router.post("/users/{name}/code")
async def code(request: Request, name: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep) -> Response:
    """Make a one-time code with which the account chooses a password; told this once."""
    await said(request, visitor, ())

    def work() -> dict[str, Any]:
        made = accounts.issue_code(store, name)
        first = f"{str(request.base_url).rstrip('/')}/signin/first?name={quote(name)}#{quote(made)}"
        return {"name": name, "code": made, "link": first}

    return await _told_once(request, language, work, name=name, status=201)


@router.post("/users/{name}/tokens")
async def issue(
    request: Request, name: str, *, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Make a token of an account, in a role that it has; told this once."""
    given = await said(request, visitor, ("role", "title", "days", "may_change"))

    def work() -> dict[str, Any]:
        account, role, days = accounts.get(store, name), grantable_role(given.get("role", "")), given.get("days", "")
        if not days.isdecimal() or len(days) > 3:  # noqa: PLR2004 - digits of at most 366
            raise InvalidInput("the token cannot be made", [Problem("bad_days", "must be a number of days", "days")])
        made = accounts.issue(
            store,
            account.id,
            moment.city.id if moment.city else None,
            title=given.get("title", "")[:200],
            role=role,
            days=int(days),
            may_change=given.get("may_change") == "true",
        )
        return {"name": name, "token": made}

    return await _told_once(request, language, work, name=name, status=201)


@router.post("/tokens/{number}/revoke")
async def revoke_token(
    request: Request, number: str, store: StoreDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """End a token."""
    given = await said(request, visitor, ("name",))

    def work() -> dict[str, Any]:
        key = parameters.key(number)
        if key is None:
            raise NotFound(f"there is no token {number}")
        accounts.revoke_token(store, key)
        return {"token": key, "revoked": True}

    back = f"{USERS}/{quote(given['name'], safe='')}" if given.get("name") else USERS
    return await acted(request, language, work, back=back)


def described(account: Account) -> dict[str, Any]:
    """Return an account as JSON has it: none of its proofs."""
    return {
        "name": account.name,
        "grants": [
            {"role": entry.role, "city": entry.city, "areas": None if entry.areas is None else list(entry.areas)}
            for entry in account.grants
        ],
        "signs_in_by": (
            "demo" if account.is_demo else account.issuer or ("password" if account.has_password else "tokens")
        ),
        "disabled": instant(account.disabled_at),
        "created": instant(account.created_at),
    }


async def said(request: Request, visitor: Visitor, names: tuple[str, ...]) -> dict[str, str]:
    """Return the fields of a change that a page of ours made.

    Raises
    ------
    Forbidden
        The CSRF token is missing or wrong.
    InvalidInput
        A field is not one of `names`.
    """
    given = await fields(request, (*names, "csrf"))
    check_csrf(visitor, csrf_said(request, given))
    return given


async def acted(
    request: Request,
    language: Language,
    work: Callable[[], dict[str, Any]],
    *,
    back: str,
    then: str | None = None,
    status: int = 200,
) -> Response:
    """Do a change; return JSON, or lead a form back to its page, or to one that says why not."""
    try:
        done = await run_in_threadpool(work)
    except GridError as error:
        return refused(request, language, error, back=back)
    request.app.state.visitors.forget()
    if is_form(request):
        return RedirectResponse(f"{then or back}?lang={language}&f=html", 303)
    return Json(done, status)


def refused(request: Request, language: Language, error: GridError, *, back: str) -> Response:
    """Return why a change was refused: a page with the way back for a form, else the problem."""
    if not is_form(request):
        return answer(error)
    problems = error.problems if isinstance(error, InvalidInput) else ()
    detail = error.message if isinstance(error, InvalidInput) else str(error)
    return render(
        request,
        "admin_refused.html",
        language=language,
        status=status_of(error),
        detail=error.zh if language == "zh" and error.zh else detail,
        problems=problems,
        back=back,
    )


async def _told_once(
    request: Request, language: Language, work: Callable[[], dict[str, Any]], *, name: str, status: int
) -> Response:
    back = f"{USERS}/{quote(name)}"
    try:
        made = await run_in_threadpool(work)
    except GridError as error:
        return refused(request, language, error, back=back)
    if is_form(request):
        return render(request, "admin_told.html", language=language, status=status, made=made, back=back)
    return Json(made, status)


def _token(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "title": token.title,
        "role": token.role,
        "may_change": token.may_change,
        "expires": instant(token.expires_at),
        "used": instant(token.used_at),
        "revoked": instant(token.revoked_at),
    }
