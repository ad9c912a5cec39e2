"""``/signin/first``: the first sign-in of an account, by the one-time code that an administrator gave out.

The code comes behind the ``#`` of the link, which no server and no log ever sees; a page without scripts asks for it.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.deps import LanguageDep, MomentDep, StoreDep
from api.forms import fields, is_form
from api.pages import render
from api.problems import status_of
from api.routes.auth import HOME, MAX_NAME, MAX_PASSWORD, address_of, record_failure, welcome
from api.throttle import Throttle
from gis.contract.text import Language
from gis.errors import GridError, InvalidInput, SignInNeeded, TooMany
from gis.store import accounts
from gis.store.accounts import MIN_LENGTH, Login
from gis.store.engine import Store

router = APIRouter()

MAX_CODE = 100


@router.get("/signin/first")
async def page(request: Request, moment: MomentDep, language: LanguageDep) -> Response:
    """Return the page on which an account chooses its password."""
    given = parameters.known(request.query_params, ("name",))
    del moment
    return _page(request, language, name=given.get("name", "")[:MAX_NAME])


@router.post("/auth/first")
async def choose(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Take the password that somebody with a code chooses, and begin their login."""
    given = await fields(request, ("name", "code", "password"))
    name = given.get("name", "").strip().lower()[:MAX_NAME]
    code, password = given.get("code", "").strip()[:MAX_CODE], given.get("password", "")[:MAX_PASSWORD]
    city_id = moment.city.id if moment.city else None
    try:
        login = await _begin(request, store, city_id, name=name, code=code, password=password)
    except (SignInNeeded, TooMany, InvalidInput) as error:
        if not is_form(request):
            raise
        return _page(request, language, name=name, error=error)
    return welcome(request, login, HOME)


async def _begin(request: Request, store: Store, city_id: int | None, *, name: str, code: str, password: str) -> Login:
    throttle: Throttle = request.app.state.throttle
    throttle.check(name, address_of(request))
    account_id = await run_in_threadpool(accounts.redeem, store, name, code, password)
    if account_id is None:
        throttle.failed(name, address_of(request))
        await run_in_threadpool(record_failure, store, name)
        raise SignInNeeded("the code is not right, or no longer", zh="验证码不正确或已失效")
    throttle.succeeded(name, address_of(request))
    request.app.state.visitors.forget()
    return await run_in_threadpool(accounts.begin, store, account_id, city_id)


def _page(request: Request, language: Language, *, name: str, error: GridError | None = None) -> Response:
    return render(
        request,
        "first.html",
        language=language,
        status=200 if error is None else status_of(error),
        name=name,
        error=error,
        problems=error.problems if isinstance(error, InvalidInput) else (),
        least=MIN_LENGTH,
    )
