"""``/signin`` and ``/auth``: coming in, going out, taking another role."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import demo_accounts, parameters
from api.catalogue import layers_seen
from api.deps import LanguageDep, MomentDep, StoreDep
from api.forms import csrf_said, fields, is_form
from api.logs import log
from api.matrix import LINES, WHOLE_CITY
from api.oidc import STATE_COOKIE, Provider
from api.pages import Json, render
from api.problems import status_of
from api.roles import VisitorDep
from api.throttle import Throttle
from api.visitors import Visitor, check_csrf, csrf_of, forget_cookies, remember
from api.watch import Moment
from gis.contract.roles import TITLES, Role
from gis.contract.text import Language
from gis.errors import GridError, InvalidInput, NotFound, Problem, SignInNeeded, TooMany
from gis.store import accounts, audit
from gis.store.accounts import MAX_LENGTH, MIN_LENGTH, Login
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import Store

router = APIRouter()

HOME: Final = "/map"
MAX_NAME: Final = 200
MAX_PASSWORD: Final = 4 * MAX_LENGTH
LEFT_NOTHING: Final = '"cache", "storage"'
"""What a browser empties when a login ends: ticks of a route, reasons, the look, and strokes that the editor has sent
before. Not ``"cookies"``, which takes those of every host below the same registered name, and with them the logins of
other programs there: our two are taken back by name."""


@router.get("/signin")
async def page(
    request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Return the page to sign in on; it works without scripts."""
    given = parameters.known(request.query_params, ("next",))
    del moment
    return await _page(request, store, visitor, language, following=_safe(given.get("next", HOME)))


@router.get("/auth/me")
async def me(request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep) -> Response:
    """Return who is signed in, in which role and for which areas, and which roles they could take."""
    parameters.known(request.query_params, ())
    actor = visitor.actor
    narrow = visitor.areas is not None
    seen = await run_in_threadpool(_areas, store, moment.city) if moment.city and narrow else []
    document: dict[str, Any] = {
        "signed_in": actor is not None,
        "name": actor.name if actor else None,
        "role": visitor.role,
        "roles": [{"id": role, "title": TITLES[role]._asdict()} for role in (actor.roles if actor else ())],
        "title": TITLES[visitor.role]._asdict(),
        # None for the whole city, and for whoever sees none of it.
        "areas": seen if narrow else None,
        "may": sorted(
            name for name, roles in LINES.items() if visitor.role in roles and not (narrow and name in WHOLE_CITY)
        ),
        "layers": list(layers_seen(visitor.role)),
    }
    if visitor.via == "login":
        document["csrf"] = csrf_of(visitor.secret)
    return Json(document)


@router.post("/auth/sign-in")
async def sign_in(
    request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep, language: LanguageDep
) -> Response:
    """Begin a login with a name and a password: a form is answered by the page that follows, JSON by JSON."""
    given = await fields(request, ("name", "password", "next"))
    name, password = given.get("name", "").strip().lower()[:MAX_NAME], given.get("password", "")
    following = _safe(given.get("next", HOME))
    try:
        login = await _begin(request, store, moment, visitor, name=name, password=password)
    except (SignInNeeded, TooMany) as error:
        if not is_form(request):
            raise
        return await _page(request, store, visitor, language, following=following, error=error, name=name)
    return welcome(request, login, following)


@router.post("/auth/demo")
async def demo(request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep) -> Response:
    """Begin a login with the demo account of a role; in the demo only, and from this machine only."""
    if not _is_demo(request):
        raise NotFound("there are no demo accounts here: this server is not the demo")
    given = await fields(request, ("role", "account", "next"))
    role = _role(given.get("role", ""))
    account = await run_in_threadpool(accounts.get, store, given.get("account") or demo_accounts.name_of(role))
    if not account.is_demo:
        raise NotFound(f"'{account.name}' is no account of the demo")
    city_id = moment.city.id if moment.city else None
    login = await run_in_threadpool(
        lambda: accounts.begin(store, account.id, city_id, role=role, instead_of=visitor.secret or None)
    )
    return welcome(request, login, _safe(given.get("next", HOME)))


@router.post("/auth/sign-out")
async def sign_out(request: Request, store: StoreDep, visitor: VisitorDep) -> Response:
    """End the login."""
    given = await fields(request, ("csrf",))
    check_csrf(visitor, csrf_said(request, given))
    if visitor.secret:
        await run_in_threadpool(accounts.end, store, visitor.secret)
        request.app.state.visitors.forget()
        log().info("signed_out", account=visitor.account_id)
    answer = RedirectResponse("/signin", 303) if is_form(request) else Response(status_code=204)
    forget_cookies(answer)
    answer.headers["Clear-Site-Data"] = LEFT_NOTHING
    return answer


@router.post("/auth/role")
async def take_role(request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep) -> Response:
    """Go on in another role of the account; the login's secret changes with it."""
    given = await fields(request, ("role", "csrf", "next"))
    if visitor.via != "login":
        raise SignInNeeded("sign in first; a token acts in its one role")
    check_csrf(visitor, csrf_said(request, given))
    role, city_id = _role(given.get("role", "")), moment.city.id if moment.city else None
    login = await run_in_threadpool(accounts.take_role, store, visitor.secret, city_id, role)
    if login is None:
        raise SignInNeeded("the login has ended")
    request.app.state.visitors.forget()
    log().info("took_role", account=login.actor.account_id, role=role)
    return welcome(request, login, _safe(given.get("next", HOME)))


@router.post("/auth/password")
async def password(request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep) -> Response:
    """Take another password; every login of the account ends, and this browser begins a new one."""
    given = await fields(request, ("old", "new", "csrf"))
    if visitor.via != "login" or visitor.actor is None:
        raise SignInNeeded("sign in first; a token changes no password")
    check_csrf(visitor, csrf_said(request, given))
    actor = visitor.actor
    throttle: Throttle = request.app.state.throttle
    throttle.check(actor.name, address_of(request))
    if await run_in_threadpool(accounts.authenticate, store, actor.name, given.get("old", "")) is None:
        throttle.failed(actor.name, address_of(request))
        problem = Problem("wrong_password", "is not the present password", "old")
        raise InvalidInput("the password was not changed", [problem])
    await run_in_threadpool(accounts.set_password, store, actor.name, given.get("new", ""))
    city_id = moment.city.id if moment.city else None
    login = await run_in_threadpool(lambda: accounts.begin(store, actor.account_id, city_id, role=_acting(visitor)))
    request.app.state.visitors.forget()
    log().info("password_changed", account=actor.account_id)
    return welcome(request, login, HOME)


@router.get("/auth/oidc")
async def to_provider(request: Request) -> Response:
    """Send the browser to the provider of the settings."""
    given = parameters.known(request.query_params, ("next",))
    address, state = await _provider(request).send(_redirect_uri(request), _safe(given.get("next", HOME)))
    answer = RedirectResponse(address, 303)
    answer.set_cookie(STATE_COOKIE, state, max_age=600, path="/", secure=True, httponly=True, samesite="lax")
    return answer


@router.get("/auth/oidc/callback")
async def from_provider(request: Request, store: StoreDep, moment: MomentDep, visitor: VisitorDep) -> Response:
    """Take the browser back from the provider, and begin a login with what that one vouches for."""
    provider, state = _provider(request), request.query_params.get("state", "")
    cookie = request.cookies.get(STATE_COOKIE, "")
    known, following = await provider.receive(_redirect_uri(request), str(request.url), state=state, cookie=cookie)
    city_id = moment.city.id if moment.city else None

    def begun() -> Login:
        account_id = accounts.signed_in_elsewhere(
            store,
            issuer=known.issuer,
            subject=known.subject,
            name=known.name,
            roles=known.roles,
            city=moment.city,
        )
        return accounts.begin(store, account_id, city_id, instead_of=visitor.secret or None)

    login = await run_in_threadpool(begun)
    answer = welcome(request, login, following, as_page=True)
    answer.delete_cookie(STATE_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return answer


async def _begin(
    request: Request, store: Store, moment: Moment, visitor: Visitor, *, name: str, password: str
) -> Login:
    throttle: Throttle = request.app.state.throttle
    address = address_of(request)
    throttle.check(name, address)
    account_id = await run_in_threadpool(accounts.authenticate, store, name, password[:MAX_PASSWORD])
    if account_id is None:
        throttle.failed(name, address)
        log().warning("sign_in_failed")
        await run_in_threadpool(record_failure, store, name)
        raise SignInNeeded("the name or the password is not right", zh="账号或密码不正确")
    throttle.succeeded(name, address)
    city_id = moment.city.id if moment.city else None
    return await run_in_threadpool(
        lambda: accounts.begin(store, account_id, city_id, instead_of=visitor.secret or None)
    )


def record_failure(store: Store, name: str) -> None:
    """Write down that somebody could not sign in; the name only where it is an account's, for it may be a password."""
    known = accounts.exists(store, name)
    audit.record(store, Entry("sign_in_failed", f"accounts/{name}" if known else "accounts"))


async def _page(
    request: Request,
    store: Store,
    visitor: Visitor,
    language: Language,
    *,
    following: str,
    error: GridError | None = None,
    name: str = "",
) -> Response:
    provider: Provider = request.app.state.provider
    return render(
        request,
        "signin.html",
        language=language,
        status=200 if error is None else status_of(error),
        following=following,
        error=error,
        name=name,
        actor=visitor.actor,
        demo_roles=demo_accounts.FIRST if _is_demo(request) else (),
        demo_areas=await run_in_threadpool(demo_accounts.of_areas, store) if _is_demo(request) else (),
        provider=request.app.state.settings.oidc_title if provider.is_there else "",
        has_any=await run_in_threadpool(accounts.has_any, store),
        least=MIN_LENGTH,
    )


def _areas(store: Store, city: CityRow) -> list[dict[str, Any]]:
    return [
        {"level": area.level, "code": area.code, "title": area.title._asdict()}
        for area in accounts.seen(store, city, highest=True)
    ]


def welcome(request: Request, login: Login, following: str, *, as_page: bool | None = None) -> Response:
    """Return the answer that gives a browser its login: the page that follows for a form, else JSON."""
    log().info("signed_in", account=login.actor.account_id, role=login.actor.role)
    if as_page if as_page is not None else is_form(request):
        answer: Response = RedirectResponse(following, 303)
    else:
        answer = Json({"name": login.actor.name, "role": login.actor.role, "csrf": csrf_of(login.secret)})
    remember(answer, login)
    return answer


def _acting(visitor: Visitor) -> Role | None:
    return None if visitor.role == "public" else visitor.role


def _role(text: str) -> Role:
    role = next((known for known in demo_accounts.FIRST if known == text), None)
    if role is None:
        problem = Problem("unknown_role", f"must be one of {', '.join(demo_accounts.FIRST)}", "role")
        raise InvalidInput("there is no such role", [problem])
    return role


def _safe(path: str) -> str:
    r"""Return a path of this server, the map in the place of anything else.

    Examples
    --------
    >>> _safe("/edit/3?lang=en"), _safe("//evil.example"), _safe("https://evil.example"), _safe("/\\evil.example")
    ('/edit/3?lang=en', '/map', '/map', '/map')
    """
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if is_ours and not path.startswith(("/auth/", "/signin")) else HOME


def _is_demo(request: Request) -> bool:
    return bool(request.app.state.settings.demo_accounts) and _is_loopback(address_of(request))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def address_of(request: Request) -> str:
    """Return the address of the client, by which failures are counted."""
    return request.client.host if request.client else ""


def _provider(request: Request) -> Provider:
    provider: Provider = request.app.state.provider
    if not provider.is_there:
        raise NotFound("no sign-in provider is set up: WANGGE_OIDC_ISSUER names one")
    return provider


def _redirect_uri(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/auth/oidc/callback"
