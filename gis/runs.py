"""One run: from the store through a service back to the store. The only module that knows both."""

from __future__ import annotations

import gc
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from gis.city.policy_rows import policy_digests
from gis.contract.frame import FrameSpec
from gis.contract.service import Context, Prepared, Service, prepare, service, services
from gis.errors import NotFound, StoreUnavailable
from gis.store import audit, cities, plans, results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import has_validity, read_frame, today, versions
from gis.store.jobs import Finish, Progress, unwatched
from gis.store.jobs import work as work_jobs

READ_SHARE: Final = 0.1
COMPUTED_SHARE: Final = 0.9


def execute(
    store: Store,
    city: CityRow,
    service_id: str,
    params: Mapping[str, Any],
    progress: Progress = unwatched,
    *,
    finish: Finish | None = None,
) -> int:
    """Run a service on a city's frames, keep the result, and return the id of the run.

    Parameters
    ----------
    progress
        Called with the share done (0-1) and a short message; may raise to cancel.
    finish
        Called with the connection and the run's id in the transaction that writes the result; an error in it undoes
        the run.

    Raises
    ------
    NotFound
        There is no such service.
    InvalidParams
        A parameter is wrong, or a frame that the service needs is empty.
    """
    definition = service(service_id)
    parameters = definition.parse(params)
    definition.must_not_tell(parameters.model_dump(mode="json"), city.unseen)
    progress(0.0, "reading")
    frames = _SHELF.take(store, city, definition)
    progress(READ_SHARE, "computing")
    span = COMPUTED_SHARE - READ_SHARE
    context = Context(
        city.profile,
        lambda share, message: progress(READ_SHARE + span * share, message),
        policy_digests(definition.policies),
    )
    result = definition.run_prepared(frames, parameters, context)
    progress(COMPUTED_SHARE, "writing")
    run_id = results.write(store, city, result, also=finish)
    progress(1.0, "done")
    return run_id


def work(store: Store, *, stop: threading.Event | None = None) -> None:
    """Take jobs and run them until told to stop, by `stop` or, without one, by SIGTERM or SIGINT.

    Plans whose day has come take effect meanwhile, whether or not anybody looks at them, and the end of the audit log
    is kept outside the database every hour.
    """
    work_jobs(store, execute, by_the_clock=_by_the_clock, stop=stop)


def _by_the_clock(store: Store) -> None:
    try:
        plans.settle_all(store)
    finally:
        audit.anchor_hourly(store)


def warm(store: Store) -> None:
    """Read what the services of the city in use will ask for, so that the first question is answered like the next."""
    with suppress(NotFound, StoreUnavailable):
        city = cities.current(store)
        for definition in services().values():
            _SHELF.take(store, city, definition)


class Shelf:
    """Frames of a city ready for computing, kept while they are current.

    Reading and preparing them takes longer than most runs. The frames used last stay, up to `most_rows` rows together.
    """

    def __init__(self, most_rows: int = 3_000_000) -> None:
        self.most_rows = most_rows
        self._kept: dict[tuple[object, ...], Prepared | None] = {}
        self._lock = threading.Lock()

    def take(self, store: Store, city: CityRow, definition: Service) -> dict[str, Prepared]:
        """Return those frames of a service that the city has, without those whose places it would tell unseen."""
        without = definition.withheld(city.unseen)
        wanted = {i.frame.id: i.frame for i in definition.inputs if i.frame.id not in without}
        # What is read is the same for whoever does not see another frame.
        city = replace(city, unseen=())
        # The version is asked for before the rows: rows that are newer than their name are read once more, never less.
        with store.transaction(city.scope, read_only=True) as connection:
            now = versions(connection, city.id, wanted)
        found = {name: self._one(store, city, spec, now[name]) for name, spec in wanted.items()}
        return {name: frame for name, frame in found.items() if frame is not None}

    def _one(self, store: Store, city: CityRow, spec: FrameSpec, version: int) -> Prepared | None:
        day = today(city) if has_validity(spec) else None
        key = (store.url, city.id, city.scope.hash, city.profile.metric_crs, spec.id, version, day)
        with self._lock:
            if key in self._kept:
                # Used last: at the end of the order in which frames leave.
                self._kept[key] = self._kept.pop(key)
                return self._kept[key]
        frame = read_frame(store, city, spec.id, on=day)
        ready = None if frame.empty else prepare(spec, frame, city.profile)
        # Hundreds of thousands of geometries that stay: the collector of cycles need not walk over them in every run.
        gc.collect()
        gc.freeze()
        with self._lock:
            same = key[:5]
            self._kept = {other: kept for other, kept in self._kept.items() if other[:5] != same}
            self._kept[key] = ready
            while len(self._kept) > 1 and sum(_rows(kept) for kept in self._kept.values()) > self.most_rows:
                del self._kept[next(iter(self._kept))]
        return ready


def _rows(kept: Prepared | None) -> int:
    return 0 if kept is None else len(kept.metric)


_SHELF: Final = Shelf()
