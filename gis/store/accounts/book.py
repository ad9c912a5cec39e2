"""The book of accounts: made, granted, revoked, disabled; and the first administrator."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.roles import GRANTABLE, Role
from gis.errors import Conflict, InvalidInput, NotFound, Problem
from gis.store import audit
from gis.store.accounts import passwords
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import NO_CITY, Store
from gis.store.tables import ACCOUNTS, GRANTS, LOGINS, PROFILES, TOKENS

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")
LOCK: Final = 0x77616E676561
"""Key of the advisory lock under which administrators come and go."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a city; of the whole server (`city` is None) for administrators."""

    role: Role
    city: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its grants, without its proofs."""

    id: int
    name: str
    grants: tuple[Grant, ...]
    has_password: bool
    issuer: str | None
    is_demo: bool
    disabled_at: dt.datetime | None
    created_at: dt.datetime


def create(store: Store, name: str, *, password: str | None = None, is_demo: bool = False) -> Account:
    """Make an account without grants; without a password one can only sign in where something else vouches for it.

    Raises
    ------
    InvalidInput
        The name or the password cannot be taken.
    Conflict
        There is an account of that name already.
    """
    _check_name(name)
    values = {"name": name, "password_hash": password and passwords.hashed(password, name=name), "is_demo": is_demo}
    try:
        with store.transaction(NO_CITY) as connection:
            connection.execute(ACCOUNTS.insert().values(values))
            audit.record(connection, _told("account", name, what="created"))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is an account '{name}' already") from error
    return get(store, name)


def create_first_admin(store: Store, name: str, password: str) -> Account:
    """Make the first administrator; once there is one, only administrators make others.

    Raises
    ------
    Conflict
        There is an administrator already, or an account of that name.
    """
    _check_name(name)
    kept = passwords.hashed(password, name=name)
    try:
        with store.transaction(NO_CITY) as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            if _admins(connection):
                raise Conflict("there is an administrator already; 'wangge user list' names the accounts")
            key = connection.scalar(ACCOUNTS.insert().values(name=name, password_hash=kept).returning(ACCOUNTS.c.id))
            connection.execute(GRANTS.insert().values(account_id=key, role="admin"))
            audit.record(connection, _told("account", name, what="created"))
            audit.record(connection, _told("grant", name, what="granted", role="admin"))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is an account '{name}' already") from error
    return get(store, name)


def get(store: Store, name: str) -> Account:
    """Return the account called `name`; NotFound when there is none."""
    found = _read(store, ACCOUNTS.c.name == name)
    if not found:
        raise NotFound(f"there is no account '{name}'")
    return found[0]


def exists(store: Store, name: str) -> bool:
    """Return whether there is an account called `name`."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        return bool(connection.scalar(sa.select(sa.exists().where(ACCOUNTS.c.name == name))))


def list_(store: Store) -> list[Account]:
    """Return every account, by name."""
    return _read(store, sa.true())


def has_any(store: Store) -> bool:
    """Return whether there is an account that could sign in."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        return bool(connection.scalar(sa.select(sa.exists().where(ACCOUNTS.c.disabled_at.is_(None)))))


def grant(store: Store, name: str, role: Role, city: CityRow | None = None) -> Account:
    """Give an account a role in a city (an administrator is one of the whole server); twice is as good as once.

    Raises
    ------
    InvalidInput
        There is no such role, or a city is missing.
    NotFound
        There is no such account.
    """
    city_id = _city_of(role, city)
    account = get(store, name)
    with store.transaction(NO_CITY) as connection:
        row = pg.insert(GRANTS).values(account_id=account.id, role=role, city_id=city_id)
        if connection.execute(row.on_conflict_do_nothing()).rowcount:
            audit.record(connection, _told("grant", name, city, what="granted", role=role))
    return get(store, name)


def revoke(store: Store, name: str, role: Role, city: CityRow | None = None) -> Account:
    """Take a role away again; what acts in it stops at once.

    Raises
    ------
    NotFound
        There is no such account, or it has no such grant.
    Conflict
        Nobody would be left to administer the server.
    """
    city_id = _city_of(role, city)
    account = get(store, name)
    with store.transaction(NO_CITY) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if role == "admin" and _admins(connection) == {account.id}:
            raise Conflict(f"'{name}' is the only administrator left")
        gone = GRANTS.delete().where(
            GRANTS.c.account_id == account.id, GRANTS.c.role == role, GRANTS.c.city_id.is_not_distinct_from(city_id)
        )
        if connection.execute(gone).rowcount == 0:
            raise NotFound(f"'{name}' has no such grant")
        audit.record(connection, _told("grant", name, city, what="revoked", role=role))
    return get(store, name)


def set_password(store: Store, name: str, password: str) -> None:
    """Give an account another password; all its logins end.

    Raises
    ------
    InvalidInput
        The password cannot be taken, or the account is one of the demo.
    """
    account = get(store, name)
    if account.is_demo:
        raise InvalidInput("an account of the demo has no password")
    kept = passwords.hashed(password, name=name)
    with store.transaction(NO_CITY) as connection:
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == account.id).values(password_hash=kept))
        connection.execute(LOGINS.delete().where(LOGINS.c.account_id == account.id))
        audit.record(connection, _told("account", name, what="password"))


def disable(store: Store, name: str) -> Account:
    """Shut an account: its logins and tokens end, nobody signs in with it.

    Raises
    ------
    Conflict
        Nobody would be left to administer the server.
    """
    account = get(store, name)
    with store.transaction(NO_CITY) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if _admins(connection) == {account.id}:
            raise Conflict(f"'{name}' is the only administrator left")
        now = sa.func.coalesce(ACCOUNTS.c.disabled_at, sa.func.now())
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == account.id).values(disabled_at=now))
        connection.execute(LOGINS.delete().where(LOGINS.c.account_id == account.id))
        live = TOKENS.update().where(TOKENS.c.account_id == account.id, TOKENS.c.revoked_at.is_(None))
        connection.execute(live.values(revoked_at=sa.func.now()))
        audit.record(connection, _told("account", name, what="disabled"))
    return get(store, name)


def enable(store: Store, name: str) -> Account:
    """Open an account again; its old logins and tokens stay ended."""
    account = get(store, name)
    with store.transaction(NO_CITY) as connection:
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == account.id).values(disabled_at=None))
        audit.record(connection, _told("account", name, what="enabled"))
    return get(store, name)


def authenticate(store: Store, name: str, password: str) -> int | None:
    """Return the account whose name and password these are, None when they are nobody's; in the same time."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        query = sa.select(ACCOUNTS.c.id, ACCOUNTS.c.password_hash).where(
            ACCOUNTS.c.name == name, ACCOUNTS.c.disabled_at.is_(None), ~ACCOUNTS.c.is_demo
        )
        row = connection.execute(query).one_or_none()
    if not passwords.matches(row.password_hash if row else None, password) or row is None:
        return None
    if passwords.is_outdated(row.password_hash):
        with store.transaction(NO_CITY) as connection:
            again = ACCOUNTS.update().where(ACCOUNTS.c.id == row.id)
            connection.execute(again.values(password_hash=passwords.hashed(password, name=name)))
    return int(row.id)


def signed_in_elsewhere(
    store: Store, *, issuer: str, subject: str, name: str, roles: Iterable[Role], city: CityRow | None
) -> int:
    """Return the account that another house vouches for, made at its first coming; its grants are what that one says.

    Parameters
    ----------
    roles
        Those its groups there stand for; grants it has besides in this city, or as administrator, end.
    city
        The city in use; None grants the role of administrator alone.

    Raises
    ------
    Conflict
        A local account has the name already.
    """
    wanted = [(role, _city_of(role, city)) for role in dict.fromkeys(roles) if role == "admin" or city is not None]
    try:
        with store.transaction(NO_CITY) as connection:
            mine = (ACCOUNTS.c.issuer == issuer, ACCOUNTS.c.subject == subject)
            key = connection.scalar(sa.select(ACCOUNTS.c.id).where(*mine).with_for_update())
            if key is None:
                row = ACCOUNTS.insert().values(name=name, issuer=issuer, subject=subject)
                key = connection.scalar(row.returning(ACCOUNTS.c.id))
            here = sa.or_(GRANTS.c.city_id.is_(None), GRANTS.c.city_id == (city.id if city else None))
            gone = GRANTS.delete().where(GRANTS.c.account_id == key, here).returning(GRANTS.c.role, GRANTS.c.city_id)
            had = {tuple(row) for row in connection.execute(gone)}
            for role, city_id in wanted:
                connection.execute(GRANTS.insert().values(account_id=key, role=role, city_id=city_id))
            if had != set(wanted):
                told = {"what": "as the provider says", "roles": sorted(role for role, _ in wanted)}
                audit.record(connection, _told("grant", name, city, **told))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is a local account '{name}' already") from error
    return int(key or 0)


def _told(action: audit.Action, name: str, city: CityRow | None = None, **detail: Any) -> Entry:
    """Return what the log says of a change to an account."""
    where = {} if city is None or detail.get("role") == "admin" else {"city": city.profile.slug}
    return Entry(action, f"accounts/{name}", detail={**where, **detail})


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        problem = Problem(
            "bad_name", "2 to 63 small letters, digits and . _ @ -, beginning with one of the first", "name"
        )
        raise InvalidInput("the account cannot be made", [problem])


def _city_of(role: str, city: CityRow | None) -> int | None:
    if role not in GRANTABLE:
        problem = Problem("unknown_role", f"must be one of {', '.join(GRANTABLE)}", "role")
        raise InvalidInput("there is no such role", [problem])
    if role == "admin":
        return None
    if city is None:
        raise InvalidInput("the role needs its city", [Problem("no_city", "no city is in use", "city")])
    return city.id


def _admins(connection: sa.Connection) -> set[int]:
    """Return the accounts that administer the server and are open."""
    query = (
        sa.select(GRANTS.c.account_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == GRANTS.c.account_id)
        .where(GRANTS.c.role == "admin", ACCOUNTS.c.disabled_at.is_(None))
    )
    return set(connection.scalars(query))


def _read(store: Store, wanted: sa.ColumnElement[bool]) -> list[Account]:
    granted = (
        sa.select(GRANTS.c.account_id, GRANTS.c.role, PROFILES.c.slug)
        .outerjoin(PROFILES, PROFILES.c.id == GRANTS.c.city_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == GRANTS.c.account_id)
        .where(wanted)
        .order_by(PROFILES.c.slug, GRANTS.c.role)
    )
    with store.transaction(NO_CITY, read_only=True) as connection:
        rows = connection.execute(ACCOUNTS.select().where(wanted).order_by(ACCOUNTS.c.name)).all()
        grants = connection.execute(granted).all()
    return [
        Account(
            id=row.id,
            name=row.name,
            grants=tuple(Grant(entry.role, entry.slug) for entry in grants if entry.account_id == row.id),
            has_password=row.password_hash is not None,
            issuer=row.issuer,
            is_demo=row.is_demo,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
        )
        for row in rows
    ]
