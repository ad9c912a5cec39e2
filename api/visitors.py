"""Who a request comes from: a browser's login, a program's token, or nobody known.

What the database said is believed for a second, so that a map of forty tiles asks once; what ends in this process ends
at once, what ends elsewhere within that second.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.logs import log
from gis.contract.roles import Role
from gis.errors import Forbidden, SignInNeeded
from gis.store import accounts
from gis.store.accounts import Actor, Login
from gis.store.engine import Store

COOKIE: Final = "__Host-wangge"
CSRF_COOKIE: Final = "__Host-wangge-csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
"""A change that a login's cookie comes with must say the second cookie once more: only a page of ours can read it."""
BELIEVED_S: Final = 1.0
KEPT: Final = 10_000

Via = Literal["nobody", "login", "token"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes
    ----------
    secret
        Of the login, for the routes that end or change it; empty without one.
    """

    actor: Actor | None = None
    via: Via = "nobody"
    secret: str = ""

    @property
    def role(self) -> Role:
        """The role that the request is made in."""
        return "public" if self.actor is None else self.actor.role

    @property
    def areas(self) -> tuple[int, ...] | None:
        """Ids of the areas that are seen, None for the whole city."""
        return None if self.actor is None else self.actor.areas

    @property
    def account_id(self) -> int | None:
        """The account, None for nobody."""
        return None if self.actor is None else self.actor.account_id


NOBODY: Final = Visitor()


class Visitors:
    """Knows who comes, by the secret they bring."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[tuple[bytes, int | None], tuple[Actor | None, float]] = OrderedDict()

    async def of(self, request: Request, city_id: int | None) -> Visitor:
        """Return who a request comes from.

        Raises
        ------
        SignInNeeded
            It brings a token that is none; a cookie that has ended is nobody's.
        """
        header = request.headers.get("authorization")
        if header is not None:
            token = _token_in(header)
            actor = await self._actor(token, city_id, is_token=True) if token else None
            if actor is None:
                log().warning("token_refused")
                raise SignInNeeded("the token is not valid, or no longer")
            return Visitor(actor, "token")
        secret = request.cookies.get(COOKIE, "")
        if secret and (actor := await self._actor(secret, city_id, is_token=False)) is not None:
            return Visitor(actor, "login", secret)
        return NOBODY

    def forget(self) -> None:
        """Ask the database again, whoever comes."""
        self._known.clear()

    async def _actor(self, secret: str, city_id: int | None, *, is_token: bool) -> Actor | None:
        key = (hashlib.sha256(f"{is_token} {secret}".encode()).digest(), city_id)
        actor, until = self._known.get(key, (None, 0.0))
        if time.monotonic() < until:
            return actor
        find = accounts.find_token if is_token else accounts.find
        actor = await run_in_threadpool(find, self._store, secret, city_id)
        self._known[key] = (actor, time.monotonic() + BELIEVED_S)
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return actor


def _token_in(header: str) -> str:
    """Return the token of an Authorization header, empty where it holds none.

    Desktop programs that know no bearer give it as a password (RFC 7617); the name beside it plays no part.

    Examples
    --------
    >>> _token_in("Bearer wg_1_abc"), _token_in("Basic dG9rZW46d2dfMV9hYmM=")
    ('wg_1_abc', 'wg_1_abc')
    """
    kind, _, given = header.partition(" ")
    if kind.lower() == "bearer":
        return given.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""


def brings_proof(request: Request) -> bool:
    """Return whether a request says at all who it comes from; whoever says nothing costs the database nothing."""
    return "authorization" in request.headers or COOKIE in request.cookies


def visitor_of(request: Request) -> Visitor:
    """Return who a request comes from, as its gate found; nobody where it passed none."""
    visitor: Visitor = getattr(request.state, "visitor", NOBODY)
    return visitor


def csrf_of(secret: str) -> str:
    """Return what a page must say beside a login's secret; it tells nothing of the secret."""
    return hashlib.sha256(f"csrf {secret}".encode()).hexdigest()


def check_csrf(visitor: Visitor, said: str) -> None:
    """Refuse a change that a login's cookie came with and no page of ours made.

    Raises
    ------
    Forbidden
        What was said is not what belongs to the login.
    """
    if visitor.via == "login" and not secrets.compare_digest(said.encode(), csrf_of(visitor.secret).encode()):
        log().warning("csrf_refused", account=visitor.account_id)
        raise Forbidden("changes are only taken from this server's own pages: the CSRF token is missing or wrong")


def remember(response: Response, login: Login) -> None:
    """Give a browser the cookies of a login; they go when it closes, and the login itself sooner."""
    for name, value, is_hidden in ((COOKIE, login.secret, True), (CSRF_COOKIE, csrf_of(login.secret), False)):
        response.set_cookie(name, value, path="/", secure=True, httponly=is_hidden, samesite="lax")


def forget_cookies(response: Response) -> None:
    """Take the cookies of a login back."""
    for name in (COOKIE, CSRF_COOKIE):
        response.delete_cookie(name, path="/", secure=True, httponly=name == COOKIE, samesite="lax")
