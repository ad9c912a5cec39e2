"""What is true of the city in use at this moment: its profile, the version of each frame, the latest runs.

Every request asks; so the answer is kept for a second, and forgotten at once when this process has changed something
itself, or another one tells that it has (`gis.store.changes`). What is made under an older version is filed under the
older version, so a late look is never a wrong tile for longer than that second.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from api.catalogue import unseen_by
from api.visitors import Visitor
from gis.city import FRAMES
from gis.contract.roles import Role
from gis.errors import NotFound
from gis.store import cities, frames, results
from gis.store.cities import CityRow
from gis.store.engine import Store

FRESH_S: Final = 1.0
RECENT: Final = dt.timedelta(days=90)
RECENT_ONLY: Final[frozenset[Role]] = frozenset({"officer"})
"""Roles that see the events of so long alone."""
KEPT: Final = 200
"""Scopes of which is remembered what is true in them."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at the database.

    Attributes
    ----------
    city
        The city in use, None when there is none.
    versions
        Frame id -> version, 0 when nothing was ever written.
    runs
        Service id -> its latest run in just this scope that tells of no place which is not seen; a service without one
        is absent.
    day
        The day it is in the city. In a synthetic one time has stopped on the day of its last event that is seen.
    """

    city: CityRow | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    runs: Mapping[str, int] = field(default_factory=dict)
    day: dt.date | None = None


class Watch:
    """Looks at most once a second, for all requests together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._moment = Moment()
        self._until = 0.0
        self._changes = 0
        self._narrow: OrderedDict[tuple[object, ...], tuple[Moment, float]] = OrderedDict()

    async def moment(self) -> Moment:
        """Return what is true of the whole city now, at most a second old."""
        if time.monotonic() < self._until:
            return self._moment
        async with self._lock:
            if time.monotonic() >= self._until:
                before = self._changes
                self._moment = await run_in_threadpool(look, self._store)
                # What changed meanwhile may not be in it: right for whoever asked before, not for the next.
                self._until = time.monotonic() + FRESH_S if self._changes == before else 0.0
            return self._moment

    async def seen_by(self, visitor: Visitor) -> Moment:
        """Return what is true now of what a visitor sees: their areas, their layers, as an officer the last 90 days."""
        whole = await self.moment()
        unseen = unseen_by(visitor.role)
        if whole.city is None or (visitor.areas is None and not unseen and visitor.role not in RECENT_ONLY):
            return whole
        key = (whole.city, visitor.areas, visitor.role in RECENT_ONLY, unseen)
        kept, until = self._narrow.get(key, (whole, 0.0))
        if time.monotonic() >= until:
            before = self._changes
            kept = await run_in_threadpool(narrowed, self._store, whole, visitor.role, visitor.areas)
            if self._changes != before:
                return replace(kept, versions=whole.versions)
            self._narrow[key] = (kept, time.monotonic() + FRESH_S)
            self._narrow.move_to_end(key)
            while len(self._narrow) > KEPT:
                self._narrow.popitem(last=False)
        return replace(kept, versions=whole.versions)

    def forget(self) -> None:
        """Look again at the next request."""
        self._changes += 1
        self._until = 0.0
        self._narrow.clear()


def look(store: Store) -> Moment:
    """Return what is true in the database now."""
    try:
        city = cities.current(store)
    except NotFound:
        return Moment()
    with store.transaction(city.scope, read_only=True) as connection:
        versions = frames.versions(connection, city.id, list(FRAMES))
    return Moment(city, versions, results.latest_ids(store, city), _day(store, city))


def narrowed(store: Store, whole: Moment, role: Role, areas: tuple[int, ...] | None) -> Moment:
    """Return a moment as it is in some areas, and of an officer: as a server would say that holds nothing else."""
    if whole.city is None:
        return whole
    city = replace(whole.city, areas=areas, unseen=unseen_by(role))
    day = whole.day if areas is None else _day(store, city)
    if role in RECENT_ONLY and day is not None:
        zone = ZoneInfo(city.profile.time_zone)
        city = replace(city, since=dt.datetime.combine(day - RECENT, dt.time(), zone).astimezone(dt.UTC))
    return Moment(city, whole.versions, results.latest_ids(store, city), day)


def _day(store: Store, city: CityRow) -> dt.date:
    last = frames.last_event_at(store, city) if city.profile.synthetic else None
    return last.astimezone(ZoneInfo(city.profile.time_zone)).date() if last else frames.today(city)
