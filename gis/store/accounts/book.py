"""The book of accounts: made, granted, revoked, disabled; and the first administrator."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.roles import GRANTABLE, Role
from gis.errors import Conflict, InvalidInput, NotFound, Problem
from gis.store import audit
from gis.store.accounts import passwords
from gis.store.accounts.areas import area_ids, give, names_of
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import NO_CITY, Scope, Store
from gis.store.tables import ACCOUNTS, GRANT_AREAS, GRANTS, LOGINS, PROFILES, TOKENS

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,62}")
LOCK: Final = 0x77616E676561
"""Key of the advisory lock under which administrators come and go."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in a city; of the whole server (`city` is None) for administrators.

    Attributes
    ----------
    areas
        Such as ``district:320505``; None for the whole city.
    """

    role: Role
    city: str | None
    areas: tuple[str, ...] | None = None


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
    kept = password and passwords.hashed(password, name=name, words=names_of_cities(store))
    values = {"name": name, "password_hash": kept, "is_demo": is_demo}
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
    kept = passwords.hashed(password, name=name, words=names_of_cities(store))
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


def grant(
    store: Store, name: str, role: Role, city: CityRow | None = None, *, areas: Collection[str] | None = None
) -> Account:
    """Give an account a role in a city (an administrator is one of the whole server); twice is as good as once.

    Parameters
    ----------
    areas
        Areas of the city such as ``district:320505``, each with all that belongs to it; None for the whole city. They
        are added to those that the account has in the role; the whole city stays the whole city.

    Raises
    ------
    InvalidInput
        There is no such role or no such area, or a city is missing.
    NotFound
        There is no such account.
    """
    city_id = _city_of(role, city)
    account = get(store, name)
    if areas is not None and role == "admin":
        problem = Problem("whole_server", "an administrator is one of the whole server", "area")
        raise InvalidInput("the role has no areas", [problem])
    with store.transaction(NO_CITY if city is None else Scope(city.id)) as connection:
        named = [] if areas is None or city is None else area_ids(connection, city, areas)
        if _give(connection, account.id, role, city_id, named if areas is not None else None):
            more = {} if areas is None else {"areas": sorted(areas)}
            audit.record(connection, _told("grant", name, city, what="granted", role=role, **more))
    return get(store, name)


def _give(
    connection: sa.Connection, account_id: int, role: str, city_id: int | None, areas: Sequence[int] | None
) -> int:
    """Give a role over some areas, or over all (None); return how much that changed."""
    row = pg.insert(GRANTS).values(account_id=account_id, role=role, city_id=city_id, is_whole=areas is None)
    # Not rowcount, which says nothing of a row that brings its new number along.
    changed = int(connection.scalar(row.on_conflict_do_nothing().returning(GRANTS.c.id)) is not None)
    mine = (
        GRANTS.c.account_id == account_id,
        GRANTS.c.role == role,
        GRANTS.c.city_id.is_not_distinct_from(city_id),
        ~GRANTS.c.is_whole,
    )
    if areas is not None:
        narrow = connection.scalar(sa.select(GRANTS.c.id).where(*mine))
        return changed if narrow is None else changed + give(connection, narrow, areas)
    widened = connection.scalar(GRANTS.update().where(*mine).values(is_whole=True).returning(GRANTS.c.id))
    if widened is not None:
        connection.execute(GRANT_AREAS.delete().where(GRANT_AREAS.c.grant_id == widened))
        changed += 1
    return changed


def revoke(
    store: Store, name: str, role: Role, city: CityRow | None = None, *, areas: Collection[str] | None = None
) -> Account:
    """Take a role away again; what acts in it stops at once.

    Parameters
    ----------
    areas
        Only these of the grant's areas; the grant goes with the last one.

    Raises
    ------
    NotFound
        There is no such account, or it has no such grant.
    Conflict
        Nobody would be left to administer the server.
    """
    city_id = _city_of(role, city)
    account = get(store, name)
    with store.transaction(NO_CITY if city is None else Scope(city.id)) as connection:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        if role == "admin" and _admins(connection) == {account.id}:
            raise Conflict(f"'{name}' is the only administrator left")
        of_role = (GRANTS.c.account_id == account.id, GRANTS.c.role == role)
        gone = GRANTS.delete().where(*of_role, GRANTS.c.city_id.is_not_distinct_from(city_id))
        if areas is not None and city is not None:
            mine = sa.select(GRANTS.c.id).where(*of_role, GRANTS.c.city_id == city.id).scalar_subquery()
            named = (GRANT_AREAS.c.grant_id == mine, GRANT_AREAS.c.area_id.in_(area_ids(connection, city, areas)))
            if connection.execute(GRANT_AREAS.delete().where(*named)).rowcount < len(set(areas)):
                raise NotFound(f"'{name}' has no such grant")
            left = sa.exists().where(GRANT_AREAS.c.grant_id == GRANTS.c.id)
            connection.execute(gone.where(~GRANTS.c.is_whole, ~left))
        elif connection.execute(gone).rowcount == 0:
            raise NotFound(f"'{name}' has no such grant")
        more = {} if areas is None else {"areas": sorted(areas)}
        audit.record(connection, _told("grant", name, city, what="revoked", role=role, **more))
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
    kept = passwords.hashed(password, name=name, words=names_of_cities(store))
    with store.transaction(NO_CITY) as connection:
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.id == account.id).values(password_hash=kept))
        connection.execute(LOGINS.delete().where(LOGINS.c.account_id == account.id))
        audit.record(connection, _told("account", name, what="password"))


def names_of_cities(store: Store) -> set[str]:
    """Return the words of which the names of the cities here are made: in a password they are no secret."""
    query = sa.select(PROFILES.c.slug, PROFILES.c.title_zh, PROFILES.c.title_en)
    with store.transaction(NO_CITY, read_only=True) as connection:
        names = [name for row in connection.execute(query) for name in row]
    return {word for name in names for word in re.findall(r"[^\W_]{2,}", name)}


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
            connection.execute(again.values(password_hash=passwords.hashed_again(password)))
    return int(row.id)


def signed_in_elsewhere(
    store: Store,
    *,
    issuer: str,
    subject: str,
    name: str,
    roles: Mapping[Role, Collection[str] | None],
    city: CityRow | None,
) -> int:
    """Return the account that another house vouches for, made at its first coming; its grants are what that one says.

    Parameters
    ----------
    roles
        Those its groups there stand for, each with its areas or None for the whole city; grants it has besides in this
        city, or as administrator, end.
    city
        The city in use; None grants the role of administrator alone.

    Raises
    ------
    Conflict
        A local account has the name already.
    InvalidInput
        An area is none of the city.
    """
    wanted = {role: areas for role, areas in roles.items() if role == "admin" or city is not None}
    try:
        with store.transaction(NO_CITY if city is None else Scope(city.id)) as connection:
            mine = (ACCOUNTS.c.issuer == issuer, ACCOUNTS.c.subject == subject)
            key = connection.scalar(sa.select(ACCOUNTS.c.id).where(*mine).with_for_update())
            if key is None:
                row = ACCOUNTS.insert().values(name=name, issuer=issuer, subject=subject)
                key = connection.scalar(row.returning(ACCOUNTS.c.id))
            here = sa.or_(GRANTS.c.city_id.is_(None), GRANTS.c.city_id == (city.id if city else None))
            before = _held(connection, key, here)
            connection.execute(GRANTS.delete().where(GRANTS.c.account_id == key, here))
            for role, areas in wanted.items():
                named = None if areas is None or city is None else area_ids(connection, city, areas)
                _give(connection, key, role, _city_of(role, city), named)
            if before != _held(connection, key, here):
                told = {"what": "as the provider says", "roles": sorted(wanted)}
                narrow = {role: sorted(areas) for role, areas in wanted.items() if areas is not None}
                audit.record(connection, _told("grant", name, city, **told, **({"areas": narrow} if narrow else {})))
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is a local account '{name}' already") from error
    return int(key or 0)


def _held(connection: sa.Connection, account_id: int, here: sa.ColumnElement[bool]) -> set[tuple[Any, ...]]:
    """Return the grants of an account: role, city, whether it is whole, and each of its areas."""
    columns = (GRANTS.c.role, GRANTS.c.city_id, GRANTS.c.is_whole, GRANT_AREAS.c.area_id)
    query = sa.select(*columns).outerjoin(GRANT_AREAS, GRANT_AREAS.c.grant_id == GRANTS.c.id)
    return {tuple(row) for row in connection.execute(query.where(GRANTS.c.account_id == account_id, here))}


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
        sa.select(GRANTS.c.id, GRANTS.c.account_id, GRANTS.c.role, GRANTS.c.is_whole, PROFILES.c.slug)
        .outerjoin(PROFILES, PROFILES.c.id == GRANTS.c.city_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == GRANTS.c.account_id)
        .where(wanted)
        .order_by(PROFILES.c.slug, GRANTS.c.role)
    )
    # As the owner: the grants of all cities are named together.
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        rows = connection.execute(ACCOUNTS.select().where(wanted).order_by(ACCOUNTS.c.name)).all()
        grants = connection.execute(granted).all()
        named = names_of(connection)
    return [
        Account(
            id=row.id,
            name=row.name,
            grants=tuple(
                Grant(entry.role, entry.slug, None if entry.is_whole else named.get(entry.id, ()))
                for entry in grants
                if entry.account_id == row.id
            ),
            has_password=row.password_hash is not None,
            issuer=row.issuer,
            is_demo=row.is_demo,
            disabled_at=row.disabled_at,
            created_at=row.created_at,
        )
        for row in rows
    ]
