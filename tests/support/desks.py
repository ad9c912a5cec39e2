"""Somebody signed in at each desk, for tests that are about something else: a token a role."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit

from api.matrix import LINES
from gis.contract.roles import GRANTABLE, Role
from gis.errors import Conflict, NotFound, StoreUnavailable
from gis.store import accounts, cities
from gis.store.engine import Store

FIRST: tuple[Role, ...] = ("analyst", "planner", "supervisor", "admin", "officer", "public")
"""Who asks where several roles may."""


class Desks:
    """Tokens of an account a role, made when first needed; all of the city in use."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[tuple[str, int | None], str] = {}

    def token(self, role: str) -> str:
        """Return a token that acts in a role."""
        try:
            city = cities.current(self._store)
        except NotFound:
            city = None
        key = (role, city.id if city else None)
        if key not in self._tokens:
            name = f"desk-{role}"
            with suppress(Conflict):
                accounts.create(self._store, name)
            granted = next(known for known in GRANTABLE if known == role)
            account = accounts.grant(self._store, name, granted, city)
            self._tokens[key] = accounts.issue(
                self._store, account.id, key[1], title="tests", role=granted, days=1, may_change=True
            )
        return self._tokens[key]

    def headers(self, role: str) -> dict[str, str]:
        """Return what a request in a role says; without a city there are administrators only."""
        if role == "public":
            return {}
        try:
            cities.current(self._store)
        except NotFound:
            role = "admin"
        except StoreUnavailable:
            return {}
        return {"Authorization": f"Bearer {self.token(role)}"}


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str], frozenset[Role]], ...]:
    found = []
    for name, roles in LINES.items():
        method, path = name.split(" ", 1)
        pattern = re.sub(r"\{[a-z_]+:path\}", ".+", path)
        pattern = re.sub(r"\{[a-z_]+(:int)?\}", "[^/]+", pattern)
        found.append((method, re.compile(pattern), roles))
    return tuple(found)


def role_for(method: str, path: str) -> Role:
    """Return a role that may ask an address; the analyst's where there is no such address."""
    bare = urlsplit(path).path
    asked = "GET" if method == "HEAD" else method
    for known, pattern, roles in _patterns():
        if known == asked and pattern.fullmatch(bare):
            return next(role for role in FIRST if role in roles)
    return FIRST[0]
