"""One run: from the store through a service back to the store. The only module that knows both."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

import geopandas as gpd

from gis.contract.service import Context, Input, service
from gis.store import results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import read_frame
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
    progress(0.0, "reading")
    frames = {wanted.frame.id: _frame(store, city, wanted) for wanted in definition.inputs}
    progress(READ_SHARE, "computing")
    span = COMPUTED_SHARE - READ_SHARE
    context = Context(city.profile, lambda share, message: progress(READ_SHARE + span * share, message))
    result = definition.run(frames, parameters, context)
    progress(COMPUTED_SHARE, "writing")
    run_id = results.write(store, city, result, also=finish)
    progress(1.0, "done")
    return run_id


def work(store: Store, *, stop: threading.Event | None = None) -> None:
    """Take jobs and run them until told to stop, by `stop` or, without one, by SIGTERM or SIGINT."""
    work_jobs(store, execute, stop=stop)


def _frame(store: Store, city: CityRow, wanted: Input) -> gpd.GeoDataFrame | None:
    frame = read_frame(store, city, wanted.frame.id)
    return None if frame.empty else frame
