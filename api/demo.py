"""Everything at once, from nothing to the map: PostGIS, demo city, default runs, worker, server."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from api import demo_accounts, demo_city
from api.console import err, progress
from api.logs import configure
from api.opening import ready_store
from api.server import claim, run_server
from api.settings import server_settings
from api.supervisor import Worker
from gis.errors import NotFound
from gis.store import cities, jobs
from gis.store.cities import CityRow
from gis.store.connect import embedded_cluster
from gis.store.engine import Store
from gis.store.settings import settings

POLL_S: Final = 0.3
PATIENCE_S: Final = 600.0
HOST: Final = "127.0.0.1"


def show(port: int, *, fresh: bool) -> None:
    """Serve the demo city until told to stop; leave nothing running that was not running before."""
    configure(level=logging.WARNING)  # the terminal belongs to the one who watches the demo
    with _ending_on_signals(), claim(HOST, port) as listening, _cluster():
        with progress("Starting PostGIS"):
            store = ready_store()
        try:
            city = _load(store, fresh=fresh)
            names = demo_accounts.ensure(store, city)
            waiting = [jobs.submit(store, city, service, values).id for service, values in demo_city.RUNS]
            if (desk := demo_accounts.desk(store, city)) is not None:
                waiting += [jobs.submit(store, desk, service, values).id for service, values in demo_city.DESK_RUNS]
            with Worker():
                _wait(store, city, waiting)
                _say_accounts(names)
                run_server(listening, server_settings().model_copy(update={"demo_accounts": True}))
        finally:
            store.close()


@contextmanager
def _cluster() -> Iterator[None]:
    """Stop the embedded PostGIS at the end if it did not run before."""
    ours = settings().database_url is None and embedded_cluster().status().state != "running"
    try:
        yield
    finally:
        if ours:
            embedded_cluster().stop()
            err.print("PostGIS stopped")


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Let SIGTERM end the command in order, as Ctrl-C does."""

    def end(number: int, _frame: FrameType | None) -> None:
        # A second one must not cut the clearing up short.
        signal.signal(number, signal.SIG_IGN)
        sys.exit(0)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _load(store: Store, *, fresh: bool) -> CityRow:
    before = _in_use(store)
    with progress("Demo city") as report:
        city = demo_city.load(store, report, server_settings().demo_dir, fresh=fresh)
    if before not in (None, city.profile.slug):
        err.print(
            f"The map now shows the demo city; '{before}' is untouched, and 'wangge city use {before}' takes it back."
        )
    return city


def _say_accounts(names: Sequence[str]) -> None:
    """Say which accounts are offered; none of them has a password, and none is any good without this command."""
    err.print(
        f"Demo accounts, one a role, taken by a click on the sign-in page, from this machine only: {', '.join(names)}"
    )


def _in_use(store: Store) -> str | None:
    try:
        return cities.current(store).profile.slug
    except NotFound:
        return None


def _wait(store: Store, city: CityRow, waiting: list[int]) -> None:
    """Show how far the default runs are, until each is done; a run that fails does not keep the map away."""
    deadline = time.monotonic() + PATIENCE_S
    with progress("Default runs") as report:
        while time.monotonic() < deadline:
            found = [jobs.get(store, city, id_) for id_ in waiting]
            message = next((job.message for job in found if job.state == "running"), "")
            report(sum(1.0 if job.is_done else job.progress_share for job in found) / len(found), message)
            if all(job.is_done for job in found):
                break
            time.sleep(POLL_S)
    for job in (jobs.get(store, city, id_) for id_ in waiting):
        if job.state != "successful":
            err.print(f"The run of {job.service} is {job.state}: {job.message}", markup=False)
