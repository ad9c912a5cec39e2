"""One attempt at a job: its claim, its words of progress, its end.

Each attempt has a number, and whatever it writes is written only while that number is the job's own and the job is
running. So a worker that was thought dead and wakes up, or whose job was dismissed, can no longer change anything.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from gis.errors import GridError, InvalidInput, StoreUnavailable
from gis.store import accounts, cities
from gis.store.cities import CityRow
from gis.store.engine import NO_CITY, Store
from gis.store.jobs import queue
from gis.store.tables import JOBS

MAX_ATTEMPTS: Final = 5
"""A job that has brought down so many workers is at fault itself."""
REPORT_S: Final = 0.5
"""Progress is written at most this often; as often a running job learns that it is dismissed."""

Progress = Callable[[float, str], None]
Finish = Callable[[sa.Connection, int], None]


class Cancelled(Exception):
    """The job is no longer this attempt's: it was dismissed, or another worker has it."""


class Interrupted(Exception):
    """The worker is stopping; the job goes back into the queue."""


def unwatched(share: float, message: str) -> None:
    """Take a report of progress and do nothing with it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one attempt."""

    job_id: int
    attempt: int
    city: CityRow
    service: str
    parameters: Mapping[str, Any]

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(JOBS.c.id == self.job_id, JOBS.c.attempts == self.attempt, JOBS.c.state == "running")

    def finish(self, connection: sa.Connection, run_id: int) -> None:
        """Mark the job successful in the transaction that writes its run; Cancelled undoes the run."""
        done = JOBS.update().values(
            state="successful", run_id=run_id, progress_share=1.0, message="", finished_at=sa.func.now()
        )
        if connection.execute(done.where(self._mine())).rowcount == 0:
            raise Cancelled

    def report(self, store: Store, share: float, message: str) -> None:
        """Write progress down; Cancelled when the job is no longer this attempt's."""
        words = JOBS.update().values(progress_share=share, message=message).where(self._mine())
        with store.transaction(self.city.scope) as connection:
            if connection.execute(words).rowcount == 0:
                raise Cancelled

    def fail(self, store: Store, problem: Mapping[str, Any]) -> None:
        """Mark the job failed, saying why."""
        failed = JOBS.update().values(state="failed", problem=problem, finished_at=sa.func.now())
        with store.transaction(self.city.scope) as connection:
            connection.execute(failed.where(self._mine()))

    def release(self, store: Store, *, counts: bool) -> None:
        """Put the job back into the queue; `counts` where the attempt itself is to blame."""
        back = JOBS.update().values(state="accepted", progress_share=0.0, message="")
        if not counts:
            back = back.values(attempts=JOBS.c.attempts - 1)
        with store.transaction(self.city.scope) as connection:
            if connection.execute(back.where(self._mine())).rowcount:
                queue.enqueue(connection, self.job_id)


def claim(store: Store, job_id: int) -> Claim | None:
    """Begin an attempt at a job; None when there is nothing to do, as it is done, dismissed or hopeless."""
    begin = (
        JOBS.update()
        .where(JOBS.c.id == job_id, JOBS.c.state.in_(("accepted", "running")))
        .values(
            state="running",
            attempts=JOBS.c.attempts + 1,
            started_at=sa.func.coalesce(JOBS.c.started_at, sa.func.now()),
            progress_share=0.0,
            message="",
        )
        .returning(
            JOBS.c.attempts,
            JOBS.c.city_id,
            JOBS.c.service,
            JOBS.c.parameters,
            JOBS.c.areas,
            JOBS.c.since,
            JOBS.c.without,
            JOBS.c.account_id,
            JOBS.c.role,
        )
    )
    owners = {city.id: city for city in cities.all_(store)}
    with store.transaction(NO_CITY, as_owner=True) as connection:
        row = connection.execute(begin).one_or_none()
    if row is None or row.city_id not in owners:
        return None
    # In the scope of whoever asked, as it was then.
    areas = None if row.areas is None else tuple(row.areas)
    city = replace(owners[row.city_id], since=row.since, areas=areas, unseen=tuple(row.without))
    begun = Claim(job_id, row.attempts, city, row.service, row.parameters)
    if begun.attempt > MAX_ATTEMPTS:
        begun.fail(store, _problem("The computation was cut off", f"its worker ended {MAX_ATTEMPTS} times"))
        return None
    if row.role is not None and not accounts.may_still(store, row.account_id, row.role, city):
        begun.fail(store, _lost_right())
        return None
    return begun


class Reporter:
    """Writes an attempt's progress down now and then, and stops it when it is no longer wanted."""

    def __init__(self, store: Store, mine: Claim, stop: threading.Event) -> None:
        self._store = store
        self._claim = mine
        self._stop = stop
        self._next = 0.0
        self._finished = False

    def progress(self, share: float, message: str) -> None:
        """Take a report of progress.

        Raises
        ------
        Interrupted
            The worker is stopping.
        Cancelled
            The job is no longer this attempt's.
        """
        if self._finished:
            return
        if self._stop.is_set():
            raise Interrupted
        if time.monotonic() < self._next:
            return
        # A report may be lost; the result is what counts.
        with suppress(StoreUnavailable):
            self._claim.report(self._store, min(max(share, 0.0), 1.0), message)
        self._next = time.monotonic() + REPORT_S

    def finish(self, connection: sa.Connection, run_id: int) -> None:
        """Mark the job successful, in the transaction that writes its run."""
        self._claim.finish(connection, run_id)
        self._finished = True


def problem_of(error: GridError) -> dict[str, Any]:
    """Return why a job failed, as plain values; ``message`` in both languages where the error has words in both."""
    title = (type(error).__doc__ or type(error).__name__).split("\n", maxsplit=1)[0].rstrip(".")
    detail = error.message if isinstance(error, InvalidInput) else str(error)
    problems = error.problems if isinstance(error, InvalidInput) else ()
    said = {"message": {"zh": error.zh, "en": detail}} if error.zh else {}
    return {**_problem(title, detail, [problem.as_dict() for problem in problems]), **said}


def unexpected(job_id: int) -> dict[str, Any]:
    """Return what a user may know of a failure that is a bug: nothing but where to look."""
    return _problem("The computation failed unexpectedly", f"the worker's log says why, under job {job_id}")


def _lost_right() -> dict[str, Any]:
    problem = _problem("Forbidden", "whoever asked for it may no longer see what it would read", [])
    return {**problem, "message": {"zh": "提交该计算的账号已无权查看其所需数据", "en": problem["detail"]}}


def _problem(title: str, detail: str, problems: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"title": title, "detail": detail, "problems": problems or []}
