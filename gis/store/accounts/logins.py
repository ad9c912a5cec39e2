"""Logins of browsers: an opaque secret a browser keeps, of which the database knows the digest alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import sqlalchemy as sa

from gis.contract.roles import GRANTABLE, Role
from gis.errors import Forbidden, NotFound
from gis.store import audit
from gis.store.accounts.areas import areas_of
from gis.store.audit import Entry
from gis.store.engine import NO_CITY, Scope, Store
from gis.store.tables import ACCOUNTS, GRANTS, LOGINS

IDLE: Final = dt.timedelta(minutes=30)
"""A login that nothing came from for so long has ended."""
LONGEST: Final = dt.timedelta(hours=12)
"""A login ends after so long, whatever came from it."""
NOTED: Final = dt.timedelta(minutes=1)
"""That a login was seen is written down at most this often."""
SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Actor:
    """An account in the one role that it acts in.

    Attributes
    ----------
    role
        ``public`` where the account has no grant here.
    roles
        All it could act in, in the city in use.
    may_change
        Whether more than reading.
    areas
        Ids of the areas that it sees in this role, in ascending order; None for the whole city.
    """

    account_id: int
    name: str
    role: Role
    roles: tuple[Role, ...]
    may_change: bool = True
    areas: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """A login that has just begun; `secret` is told once."""

    secret: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class LiveLogin:
    """A login that has not ended, as its account sees it: where from and with which browser is nowhere kept.

    Attributes
    ----------
    seen_at
        When something last came from it, to the minute.
    ends_at
        When it ends if nothing comes from it any more.
    is_this
        Whether it is the one that asks.
    """

    id: int
    role: str
    began_at: dt.datetime
    seen_at: dt.datetime
    ends_at: dt.datetime
    is_this: bool


def begin(
    store: Store,
    account_id: int,
    city_id: int | None,
    *,
    role: Role | None = None,
    instead_of: str | None = None,
    action: Literal["sign_in", "role"] = "sign_in",
) -> Login:
    """Begin a login.

    Parameters
    ----------
    role
        What it acts in; by default the first that the account has.
    instead_of
        The secret of a login that ends with it, so that no secret known before a sign-in is good after it.
    action
        What the audit log calls it.

    Raises
    ------
    Forbidden
        The account has no such role.
    """
    secret = secrets.token_urlsafe(SECRET_BYTES)
    with store.transaction(in_city(city_id)) as connection:
        name, has = _account(connection, account_id, city_id)
        if role is not None and role not in has:
            raise Forbidden(f"the account does not have the role '{role}'")
        acting = role or (has[0] if has else "public")
        if instead_of is not None:
            connection.execute(LOGINS.delete().where(LOGINS.c.secret_sha256 == digest(instead_of)))
        connection.execute(LOGINS.delete().where(sa.not_(_is_live())))
        row = {"account_id": account_id, "secret_sha256": digest(secret), "role": acting}
        connection.execute(LOGINS.insert().values(row))
        by = replace(audit.trail().asker, account_id=account_id, account=name, role=acting)
        audit.record(connection, Entry(action, f"accounts/{name}", detail={"role": acting}), by=by)
        areas = areas_of(connection, account_id, acting, city_id)
    return Login(secret, Actor(account_id, name, acting, has, areas=areas))


def take_role(store: Store, secret: str, city_id: int | None, role: Role) -> Login | None:
    """Begin a login of the same account in another role, in the place of an old one and ending no later.

    Returns
    -------
    Login or None
        None when the old one has ended.

    Raises
    ------
    Forbidden
        The account has no such role.
    """
    with store.transaction(NO_CITY, read_only=True) as connection:
        query = sa.select(LOGINS.c.account_id, LOGINS.c.began_at).where(LOGINS.c.secret_sha256 == digest(secret))
        row = connection.execute(query.where(_is_live())).one_or_none()
    if row is None:
        return None
    begun = begin(store, row.account_id, city_id, role=role, instead_of=secret, action="role")
    with store.transaction(NO_CITY) as connection:
        mine = LOGINS.update().where(LOGINS.c.secret_sha256 == digest(begun.secret))
        connection.execute(mine.values(began_at=row.began_at))
    return begun


def find(store: Store, secret: str, city_id: int | None) -> Actor | None:
    """Return who a login's secret stands for; None when it has ended or never began."""
    query = (
        sa.select(
            LOGINS.c.account_id, LOGINS.c.role, (LOGINS.c.seen_at < sa.func.now() - NOTED).label("is_to_be_noted")
        )
        .join(ACCOUNTS, ACCOUNTS.c.id == LOGINS.c.account_id)
        .where(LOGINS.c.secret_sha256 == digest(secret), _is_live(), ACCOUNTS.c.disabled_at.is_(None))
    )
    with store.transaction(in_city(city_id), read_only=True) as connection:
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        name, has = _account(connection, row.account_id, city_id)
        acting = acting_in(row.role, has)
        areas = areas_of(connection, row.account_id, acting, city_id)
    if row.is_to_be_noted:
        with store.transaction(NO_CITY) as connection:
            mine = LOGINS.update().where(LOGINS.c.secret_sha256 == digest(secret))
            connection.execute(mine.values(seen_at=sa.func.now()))
    return Actor(row.account_id, name, acting, has, areas=areas)


def end(store: Store, secret: str) -> None:
    """End a login."""
    gone = LOGINS.delete().where(LOGINS.c.secret_sha256 == digest(secret)).returning(LOGINS.c.account_id)
    with store.transaction(NO_CITY) as connection:
        account_id = connection.scalar(gone)
        if account_id is not None:
            name, _ = _account(connection, account_id, None)
            audit.record(connection, Entry("sign_out", f"accounts/{name}"))


def end_all(store: Store, account_id: int) -> None:
    """End every login of an account."""
    with store.transaction(NO_CITY) as connection:
        connection.execute(LOGINS.delete().where(LOGINS.c.account_id == account_id))
        name, _ = _account(connection, account_id, None)
        audit.record(connection, Entry("account", f"accounts/{name}", detail={"what": "logins ended"}))


def live(store: Store, account_id: int, secret: str) -> list[LiveLogin]:
    """Return the logins of an account that have not ended, the one last seen first.

    Parameters
    ----------
    secret
        Of the login that asks; empty where a token does.
    """
    ends = sa.func.least(LOGINS.c.seen_at + IDLE, LOGINS.c.began_at + LONGEST)
    is_this = LOGINS.c.secret_sha256 == digest(secret)
    columns = (LOGINS.c.id, LOGINS.c.role, LOGINS.c.began_at, LOGINS.c.seen_at)
    query = sa.select(*columns, ends.label("ends_at"), is_this.label("is_this"))
    query = query.where(LOGINS.c.account_id == account_id, _is_live())
    with store.transaction(NO_CITY, read_only=True) as connection:
        rows = connection.execute(query.order_by(LOGINS.c.seen_at.desc(), LOGINS.c.id.desc())).all()
    return [LiveLogin(*row) for row in rows]


def end_some(store: Store, account_id: int, keys: Collection[int]) -> int:
    """End logins of an account by their numbers; return how many of them there were.

    Raises
    ------
    NotFound
        None of them is a login of the account.
    """
    mine = (LOGINS.c.account_id == account_id, LOGINS.c.id.in_(keys))
    with store.transaction(NO_CITY) as connection:
        ended_count = connection.execute(LOGINS.delete().where(*mine)).rowcount
        if not ended_count:
            raise NotFound("there is no such login, or no longer", zh="没有这个登录，或已经结束")
        name, _ = _account(connection, account_id, None)
        told = {"what": "logins ended", "ended_count": ended_count}
        audit.record(connection, Entry("account", f"accounts/{name}", detail=told))
    return ended_count


def in_city(city_id: int | None) -> Scope:
    """Return the scope in which a grant's areas are seen."""
    return NO_CITY if city_id is None else Scope(city_id)


def digest(secret: str) -> bytes:
    """Return what is kept of a secret; it is random, so it needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def acting_in(role: str, has: tuple[Role, ...]) -> Role:
    """Return the role that a proof acts in: its own while the account has it, else none but the public's."""
    return next((known for known in has if known == role), "public")


def roles_of(connection: sa.Connection, account_id: int, city_id: int | None) -> tuple[Role, ...]:
    """Return the roles of an account in a city, in the order in which roles are listed."""
    query = sa.select(GRANTS.c.role).where(
        GRANTS.c.account_id == account_id, sa.or_(GRANTS.c.city_id.is_(None), GRANTS.c.city_id == city_id)
    )
    have = set(connection.scalars(query))
    return tuple(role for role in GRANTABLE if role in have)


def _account(connection: sa.Connection, account_id: int, city_id: int | None) -> tuple[str, tuple[Role, ...]]:
    name: Any = connection.scalar(sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.id == account_id))
    return str(name), roles_of(connection, account_id, city_id)


def _is_live() -> sa.ColumnElement[bool]:
    now = sa.func.now()
    return sa.and_(LOGINS.c.seen_at > now - IDLE, LOGINS.c.began_at > now - LONGEST)
