"""Grants of some areas of a city: how they are named, and what they cover."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.roles import GRANTABLE, Role
from gis.contract.text import Text
from gis.errors import InvalidInput, Problem
from gis.store.cities import CityRow
from gis.store.engine import Scope, Store
from gis.store.placing import AREA_FRAMES
from gis.store.tables import ACCOUNTS, AREAS, FRAME_TABLES, GRANT_AREAS, GRANTS, LEVELS

OF_AREAS: Final = frozenset(GRANTABLE) - {"admin"}
"""Roles that may be of some areas; an administrator sees none, and the public what is suppressed for it."""

_NAME: Final = AREAS.c.level.concat(":").concat(AREAS.c.code)


def area_ids(connection: sa.Connection, city: CityRow, names: Collection[str]) -> list[int]:
    """Return the areas that are called ``district:320505`` and so on, in the scope of their city.

    Raises
    ------
    InvalidInput
        Names every one that is no area of the city.
    """
    called = _NAME.label("name")
    asked = sa.any_(sa.cast(list(names), pg.ARRAY(sa.Text)))
    query = sa.select(called, AREAS.c.id).where(AREAS.c.city_id == city.id, called == asked)
    found = {row.name: row.id for row in connection.execute(query)}
    if unknown := sorted(set(names) - found.keys()):
        how = f"write {LEVELS[0]}:CODE, with the code of a row of the frame districts, streets or communities"
        problems = [Problem("unknown_area", f"'{name}' is no area of the city; {how}", "area") for name in unknown]
        raise InvalidInput("there are no such areas", problems)
    return sorted(found.values())


def areas_of(connection: sa.Connection, account_id: int, role: str, city_id: int | None) -> tuple[int, ...] | None:
    """Return the ids of all areas that an account's grant of a role covers, in ascending order; None for all of a city.

    The transaction must see the areas of the city. An area that is gone is covered by nobody: a grant of it alone
    covers nothing.
    """
    if role not in OF_AREAS:
        return None
    mine = (GRANTS.c.account_id == account_id, GRANTS.c.role == role, GRANTS.c.city_id == city_id)
    grant = connection.execute(sa.select(GRANTS.c.id, GRANTS.c.is_whole).where(*mine)).one_or_none()
    if grant is None:
        return ()  # taken away this very moment
    if grant.is_whole:
        return None
    named = sa.select(GRANT_AREAS.c.area_id.label("id")).where(GRANT_AREAS.c.grant_id == grant.id)
    covered = named.cte("covered", recursive=True)
    below = sa.select(AREAS.c.id).join(covered, AREAS.c.parent_id == covered.c.id)
    covered = covered.union(below)
    return tuple(connection.scalars(sa.select(covered.c.id).order_by(covered.c.id)))


def covered(store: Store, account_id: int, role: Role | str, city: CityRow) -> tuple[int, ...] | None:
    """Return the ids of all areas that an account's grant of a role covers in a city; None for all of it."""
    with store.transaction(Scope(city.id), read_only=True) as connection:
        return areas_of(connection, account_id, role, city.id)


def names_of(connection: sa.Connection) -> dict[int, tuple[str, ...]]:
    """Return what the areas of each narrow grant are called; the transaction must see the areas of every city."""
    names = sa.func.array_agg(pg.aggregate_order_by(_NAME, AREAS.c.level, AREAS.c.code))
    query = (
        sa.select(GRANT_AREAS.c.grant_id, names.label("names"))
        .join(AREAS, AREAS.c.id == GRANT_AREAS.c.area_id)
        .group_by(GRANT_AREAS.c.grant_id)
    )
    return {row.grant_id: tuple(row.names) for row in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Area:
    """An area of a city: its level, its code there, and what it is called."""

    level: str
    code: str
    title: Text

    @property
    def name(self) -> str:
        """What a grant calls it."""
        return f"{self.level}:{self.code}"


def seen(store: Store, city: CityRow, *, highest: bool = False) -> list[Area]:
    """Return the areas that a scope of a city sees, the largest first.

    Parameters
    ----------
    highest
        Without those that belong to another one of them: what the scope is named by.
    """
    parts = []
    for depth, (level, frame) in enumerate(AREA_FRAMES.items()):
        table = FRAME_TABLES[frame]
        called = sa.and_(table.c.city_id == AREAS.c.city_id, table.c.code == AREAS.c.code)
        rows = (
            sa.select(
                sa.literal(depth).label("depth"),
                AREAS.c.level,
                AREAS.c.code,
                sa.func.min(table.c.name_zh).label("zh"),
                sa.func.min(table.c.name_en).label("en"),
            )
            .select_from(AREAS.outerjoin(table, called))
            .where(AREAS.c.city_id == city.id, AREAS.c.level == level)
            .group_by(AREAS.c.level, AREAS.c.code)
        )
        if city.areas is not None:
            covered = sa.cast(list(city.areas), pg.ARRAY(sa.Integer))
            rows = rows.where(AREAS.c.id == sa.any_(covered))
            if highest:
                rows = rows.where(sa.or_(AREAS.c.parent_id.is_(None), AREAS.c.parent_id != sa.all_(covered)))
        elif highest:
            rows = rows.where(AREAS.c.parent_id.is_(None))
        parts.append(rows)
    found = sa.union_all(*parts).subquery()
    with store.transaction(city.scope, read_only=True) as connection:
        rows_ = connection.execute(sa.select(found).order_by(found.c.depth, found.c.code)).all()
    return [Area(row.level, row.code, Text(row.zh or row.code, row.en or row.zh or row.code)) for row in rows_]


def give(connection: sa.Connection, grant_id: int, areas: Sequence[int]) -> int:
    """Add areas to a grant that is not of the whole city; return how many it did not have."""
    if not areas:
        return 0
    rows: list[dict[str, Any]] = [{"grant_id": grant_id, "area_id": area} for area in areas]
    return connection.execute(pg.insert(GRANT_AREAS).values(rows).on_conflict_do_nothing()).rowcount


def may_still(store: Store, account_id: int | None, role: Role | str, city: CityRow) -> bool:
    """Return whether an account has a role for all that a scope of a city covers, and is open."""
    with store.transaction(Scope(city.id), read_only=True) as connection:
        has = connection.scalar(
            sa.select(GRANTS.c.id)
            .join(ACCOUNTS, ACCOUNTS.c.id == GRANTS.c.account_id)
            .where(
                GRANTS.c.account_id == account_id,
                GRANTS.c.role == role,
                GRANTS.c.city_id == city.id,
                ACCOUNTS.c.disabled_at.is_(None),
            )
        )
        if has is None or account_id is None:
            return False
        covered = areas_of(connection, account_id, role, city.id)
    return covered is None or (city.areas is not None and set(city.areas) <= set(covered))
