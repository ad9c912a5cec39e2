"""What is true of the city in use at this moment: its profile, the version of each frame, the latest runs.

Every request asks; so the answer is kept for a second, and forgotten at once when this process has changed something
itself. What is made under an older version is filed under the older version, so a late look is never a wrong tile for
longer than that second.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool

from gis.city import FRAMES
from gis.contract.roles import Role
from gis.errors import NotFound
from gis.store import cities, frames, results
from gis.store.cities import CityRow
from gis.store.engine import Store

FRESH_S: Final = 1.0
RECENT: Final = dt.timedelta(days=90)


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
        Service id -> its latest run; a service that never ran is absent.
    day
        The day it is in the city. In a synthetic one time has stopped on the day of its last event.
    """

    city: CityRow | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    runs: Mapping[str, int] = field(default_factory=dict)
    day: dt.date | None = None

    def seen_by(self, role: Role) -> Moment:
        """Return the moment as a role sees it: an officer sees the events of the last 90 days."""
        if self.city is None or self.day is None or role != "officer":
            return self
        zone = ZoneInfo(self.city.profile.time_zone)
        since = dt.datetime.combine(self.day - RECENT, dt.time(), zone).astimezone(dt.UTC)
        return replace(self, city=replace(self.city, since=since))


class Watch:
    """Looks at most once a second, for all requests together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = asyncio.Lock()
        self._moment = Moment()
        self._until = 0.0

    async def moment(self) -> Moment:
        """Return what is true now, at most a second old."""
        if time.monotonic() < self._until:
            return self._moment
        async with self._lock:
            if time.monotonic() >= self._until:
                self._moment = await run_in_threadpool(look, self._store)
                self._until = time.monotonic() + FRESH_S
            return self._moment

    def forget(self) -> None:
        """Look again at the next request."""
        self._until = 0.0


def look(store: Store) -> Moment:
    """Return what is true in the database now."""
    try:
        city = cities.current(store)
    except NotFound:
        return Moment()
    with store.transaction(city.scope, read_only=True) as connection:
        versions = frames.versions(connection, city.id, list(FRAMES))
    last = frames.last_event_at(store, city) if city.profile.synthetic else None
    day = last.astimezone(ZoneInfo(city.profile.time_zone)).date() if last else frames.today(city)
    return Moment(city, versions, results.latest_ids(store, city), day)
