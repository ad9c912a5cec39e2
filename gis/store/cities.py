"""The cities of this server, and which one is in use."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import Conflict, NotFound
from gis.store import audit, changes
from gis.store.audit import Entry
from gis.store.engine import NO_CITY, Scope, Store
from gis.store.tables import PROFILES


@dataclass(frozen=True, slots=True)
class CityRow:
    """A city that this server keeps, as somebody may see it.

    Attributes
    ----------
    since
        Events before this instant are not seen; None where all are.
    areas
        Ids of the areas that are seen, see `gis.store.engine.Scope`; None for the whole city.
    unseen
        Frames of whose single places nothing is seen; none where all are.
    """

    id: int
    profile: CityProfile
    since: dt.datetime | None = None
    areas: tuple[int, ...] | None = None
    unseen: tuple[str, ...] = ()

    @property
    def scope(self) -> Scope:
        """What a transaction about this city may see."""
        return Scope(self.id, self.since, self.areas, self.unseen)


def create(store: Store, profile: CityProfile) -> CityRow:
    """Add a city; the first one is in use from then on.

    Raises
    ------
    Conflict
        There is a city of that slug already.
    """
    nobody_in_use = sa.select(~sa.exists(sa.select(PROFILES.c.id).where(PROFILES.c.in_use))).scalar_subquery()
    try:
        with store.transaction(NO_CITY) as connection:
            key = connection.scalar(
                PROFILES.insert().values(**_values(profile), in_use=nobody_in_use).returning(PROFILES.c.id)
            )
            audit.record(connection, Entry("setting", f"cities/{profile.slug}", key, detail={"what": "created"}))
            changes.tell(connection)
    except sa.exc.IntegrityError as error:
        raise Conflict(f"there is a city '{profile.slug}' already") from error
    return CityRow(int(key or 0), profile)


def all_(store: Store) -> list[CityRow]:
    """Return every city, in the order of their slugs."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        return [_city(row) for row in connection.execute(PROFILES.select().order_by(PROFILES.c.slug))]


def by_slug(store: Store, slug: str) -> CityRow:
    """Return the city called `slug`; `NotFound` when there is none."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        row = connection.execute(PROFILES.select().where(PROFILES.c.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(f"there is no city '{slug}'")
    return _city(row)


def current(store: Store) -> CityRow:
    """Return the city in use; `NotFound` when there is none."""
    with store.transaction(NO_CITY, read_only=True) as connection:
        row = connection.execute(PROFILES.select().where(PROFILES.c.in_use)).one_or_none()
    if row is None:
        raise NotFound("no city is in use: make one with 'wangge city create', or take one with 'wangge city use'")
    return _city(row)


def use(store: Store, slug: str) -> CityRow:
    """Take the city called `slug` into use instead of the present one; `NotFound` when there is none."""
    with store.transaction(NO_CITY) as connection:
        row = connection.execute(PROFILES.select().where(PROFILES.c.slug == slug).with_for_update()).one_or_none()
        if row is None:
            raise NotFound(f"there is no city '{slug}'")
        # Two statements: the unique index on the one in use is checked row by row.
        connection.execute(PROFILES.update().where(PROFILES.c.in_use, PROFILES.c.id != row.id).values(in_use=False))
        connection.execute(PROFILES.update().where(PROFILES.c.id == row.id).values(in_use=True))
        if not row.in_use:
            audit.record(connection, Entry("setting", f"cities/{slug}", row.id, detail={"what": "in use"}))
            changes.tell(connection)
    return _city(row)


def remove(store: Store, slug: str) -> None:
    """Remove a city with everything that belongs to it; `NotFound` when there is none."""
    with store.transaction(NO_CITY, timeout_s=600, as_owner=True) as connection:
        gone = connection.execute(PROFILES.delete().where(PROFILES.c.slug == slug).returning(PROFILES.c.id))
        key = gone.scalar_one_or_none()
        if key is None:
            raise NotFound(f"there is no city '{slug}'")
        audit.record(connection, Entry("setting", f"cities/{slug}", key, detail={"what": "removed"}))
        changes.tell(connection)


def _values(profile: CityProfile) -> dict[str, Any]:
    return {
        "slug": profile.slug,
        "title_zh": profile.title.zh,
        "title_en": profile.title.en,
        "metric_crs": profile.metric_crs,
        "time_zone": profile.time_zone,
        "lattice_origin": list(profile.lattice_origin),
        "languages": list(profile.languages),
        "open_categories": profile.open_categories,
        "grid_code_pattern": profile.grid_code_pattern,
        "attribution": profile.attribution,
        "synthetic": profile.synthetic,
    }


def _city(row: sa.Row[Any]) -> CityRow:
    east, north = row.lattice_origin
    return CityRow(
        row.id,
        CityProfile(
            slug=row.slug,
            title=Text(row.title_zh, row.title_en),
            metric_crs=row.metric_crs,
            time_zone=row.time_zone,
            lattice_origin=(east, north),
            languages=tuple(row.languages),
            open_categories=row.open_categories,
            grid_code_pattern=row.grid_code_pattern,
            attribution=row.attribution,
            synthetic=row.synthetic,
        ),
    )
