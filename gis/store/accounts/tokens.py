"""Tokens of programs: ``wg_<id>_<secret>``, told once, good for one role and until a day."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from gis.contract.roles import Role
from gis.errors import InvalidInput, NotFound, Problem
from gis.store import audit
from gis.store.accounts.areas import areas_of
from gis.store.accounts.logins import NOTED, SECRET_BYTES, Actor, acting_in, digest, in_city, roles_of
from gis.store.audit import Entry
from gis.store.engine import NO_CITY, Store
from gis.store.query import MAX_KEY
from gis.store.tables import ACCOUNTS, TOKENS

MOST_DAYS: Final = 366
FORM: Final = re.compile(r"wg_([1-9][0-9]{0,18})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret."""

    id: int
    account: str
    title: str
    role: str
    may_change: bool
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


def issue(
    store: Store, account_id: int, city_id: int | None, *, title: str, role: Role, days: int, may_change: bool = False
) -> str:
    """Make a token and return it; it is told this once.

    Raises
    ------
    InvalidInput
        The account has no such role, or the days are too many.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with store.transaction(NO_CITY) as connection:
        has = roles_of(connection, account_id, city_id)
        problems = []
        if role not in has:
            problems.append(Problem("not_granted", f"the account has: {', '.join(has) or 'no role here'}", "role"))
        if not 1 <= days <= MOST_DAYS:
            problems.append(Problem("bad_days", f"must be 1 to {MOST_DAYS}", "days"))
        if not title.strip():
            problems.append(Problem("no_title", "say what it is for", "title"))
        if problems:
            raise InvalidInput("the token cannot be made", problems)
        row = TOKENS.insert().values(
            account_id=account_id,
            secret_sha256=digest(secret),
            title=title.strip(),
            role=role,
            may_change=may_change,
            expires_at=sa.func.now() + dt.timedelta(days=days),
        )
        key = connection.scalar(row.returning(TOKENS.c.id))
        name = connection.scalar(sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.id == account_id))
        told = {"what": "issued", "account": name, "role": role, "days": days, "may_change": may_change}
        audit.record(connection, Entry("token", f"tokens/{key}", detail=told))
    return f"wg_{key}_{secret}"


def find_token(store: Store, text: str, city_id: int | None) -> Actor | None:
    """Return who a token stands for; None when it is none, has expired or was revoked."""
    parts = FORM.fullmatch(text)
    if parts is None or int(parts[1]) > MAX_KEY:
        return None
    key, secret = int(parts[1]), parts[2]
    query = (
        sa.select(TOKENS, ACCOUNTS.c.name, (_last_noted() < sa.func.now() - NOTED).label("is_to_be_noted"))
        .join(ACCOUNTS, ACCOUNTS.c.id == TOKENS.c.account_id)
        .where(
            TOKENS.c.id == key,
            TOKENS.c.revoked_at.is_(None),
            TOKENS.c.expires_at > sa.func.now(),
            ACCOUNTS.c.disabled_at.is_(None),
        )
    )
    with store.transaction(in_city(city_id), read_only=True) as connection:
        row = connection.execute(query).one_or_none()
        if row is None or not secrets.compare_digest(bytes(row.secret_sha256), digest(secret)):
            return None
        acting = acting_in(row.role, roles_of(connection, row.account_id, city_id))
        areas = areas_of(connection, row.account_id, acting, city_id)
    if row.is_to_be_noted:
        with store.transaction(NO_CITY) as connection:
            connection.execute(TOKENS.update().where(TOKENS.c.id == key).values(used_at=sa.func.now()))
    return Actor(row.account_id, row.name, acting, (acting,), row.may_change, areas)


def tokens(store: Store) -> list[Token]:
    """Return every token, the newest first."""
    columns = [TOKENS.c[name] for name in Token.__slots__ if name != "account"]
    query = sa.select(ACCOUNTS.c.name, *columns).join(ACCOUNTS, ACCOUNTS.c.id == TOKENS.c.account_id)
    with store.transaction(NO_CITY, read_only=True) as connection:
        rows = connection.execute(query.order_by(TOKENS.c.id.desc())).all()
    return [Token(row.id, row.name, *tuple(row)[2:]) for row in rows]


def revoke_token(store: Store, key: int) -> None:
    """End a token; NotFound when there is none of that number, or it has ended."""
    gone = TOKENS.update().where(TOKENS.c.id == key, TOKENS.c.revoked_at.is_(None)).values(revoked_at=sa.func.now())
    with store.transaction(NO_CITY) as connection:
        if connection.execute(gone).rowcount == 0:
            raise NotFound(f"there is no token {key} that could be revoked")
        audit.record(connection, Entry("token", f"tokens/{key}", detail={"what": "revoked"}))


def _last_noted() -> sa.ColumnElement[dt.datetime]:
    return sa.func.coalesce(TOKENS.c.used_at, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
