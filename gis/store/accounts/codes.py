"""One-time codes: whoever is given one chooses the password of an account, so that nobody else ever knows it."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final

import sqlalchemy as sa

from gis.errors import InvalidInput, Problem
from gis.store import audit
from gis.store.accounts import passwords
from gis.store.accounts.book import get, names_of_cities
from gis.store.accounts.logins import digest
from gis.store.audit import Entry
from gis.store.engine import NO_CITY, Store
from gis.store.tables import ACCOUNTS, LOGINS

GOOD_FOR: Final = dt.timedelta(minutes=30)
BYTES: Final = 16


def issue_code(store: Store, name: str) -> str:
    """Return a code with which the account `name` chooses a password within half an hour; an older code ends.

    Raises
    ------
    NotFound
        There is no such account.
    InvalidInput
        It is disabled, one of the demo, or another house vouches for it.
    """
    account = get(store, name)
    if account.is_demo or account.issuer or account.disabled_at:
        problem = Problem("no_password", "an account that is open and signs in with a password", "name")
        raise InvalidInput("the account takes no code", [problem], zh="此账号不使用密码，或已停用")
    code = secrets.token_urlsafe(BYTES)
    with store.transaction(NO_CITY) as connection:
        mine = ACCOUNTS.update().where(ACCOUNTS.c.id == account.id)
        connection.execute(mine.values(code_sha256=digest(code), code_expires_at=sa.func.now() + GOOD_FOR))
        audit.record(connection, Entry("account", f"accounts/{name}", detail={"what": "one-time code"}))
    return code


def redeem(store: Store, name: str, code: str, password: str) -> int | None:
    """Give the account `name` a password by its code, once; all its logins end.

    Returns
    -------
    int or None
        The account; None when the code is not its code, or no longer.

    Raises
    ------
    InvalidInput
        The password cannot be taken; the code stays good.
    """
    kept = passwords.hashed(password, name=name, words=names_of_cities(store))
    mine = (
        ACCOUNTS.c.name == name,
        ACCOUNTS.c.code_sha256 == digest(code),
        ACCOUNTS.c.code_expires_at > sa.func.now(),
        ACCOUNTS.c.disabled_at.is_(None),
    )
    values = {"password_hash": kept, "code_sha256": None, "code_expires_at": None}
    with store.transaction(NO_CITY) as connection:
        key = connection.scalar(ACCOUNTS.update().where(*mine).values(values).returning(ACCOUNTS.c.id))
        if key is None:
            return None
        connection.execute(LOGINS.delete().where(LOGINS.c.account_id == key))
        audit.record(connection, Entry("account", f"accounts/{name}", detail={"what": "password by one-time code"}))
    return int(key)
