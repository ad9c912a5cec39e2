"""The worker: takes jobs from the queue, runs them, and brings back those whose worker died."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import procrastinate
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job as Entry
from procrastinate.jobs import Status
from procrastinate.worker import Worker

from gis.errors import GridError, StoreUnavailable
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.jobs import queue
from gis.store.jobs.claim import Cancelled, Finish, Interrupted, Progress, Reporter, claim, problem_of, unexpected

POLL_S: Final = 2.0
"""A new job is heard of at once; this is for those that come back."""
REAP_S: Final = 5.0
CLOCK_S: Final = 5.0
"""How often what the time of day brings is looked for."""
STOP_LOOK_S: Final = 0.1
JOBS_AT_ONCE: Final = 2
"""A long computation must not keep a short one waiting; the kernels let go of the interpreter."""
PAUSE_S: Final = 2.0
"""Rest before the next try when the database is away."""

_log = logging.getLogger("wangge.worker")


class Execute(Protocol):
    """What runs a service; see `gis.runs.execute`."""

    def __call__(  # noqa: D102 - the class says it
        self,
        store: Store,
        city: CityRow,
        service_id: str,
        params: Mapping[str, Any],
        progress: Progress,
        *,
        finish: Finish,
    ) -> int: ...


Chore = Callable[[Store], object]


def work(
    store: Store, execute: Execute, *, by_the_clock: Chore | None = None, stop: threading.Event | None = None
) -> None:
    """Take jobs and run them until told to stop, by `stop` or, without one, by SIGTERM or SIGINT.

    Every few seconds `by_the_clock` is called besides, for what a date or a time brings and nobody asks for.

    A job that is running then goes back into the queue at its next word of progress. Where the database goes away, the
    worker waits for it.
    """
    if stop is None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    asyncio.run(_work(store, execute, by_the_clock, stop))


async def _work(store: Store, execute: Execute, chore: Chore | None, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            await _work_while_database_is_there(store, execute, chore, stop)
        except (ProcrastinateException, StoreUnavailable, OSError) as error:
            _log.warning("the queue is away: %s", error)
        if not stop.is_set():
            await asyncio.sleep(PAUSE_S)


async def _work_while_database_is_there(
    store: Store, execute: Execute, chore: Chore | None, stop: threading.Event
) -> None:
    await asyncio.to_thread(queue.ensure_queue, store)
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=queue.address(store),
            kwargs={"options": queue.SEARCH_PATH, "application_name": "wangge worker"},
            min_size=1,
            max_size=4,
        )
    )
    at_work: set[int] = set()
    app.task(name=queue.TASK, queue=queue.QUEUE, pass_context=True)(_task(store, execute, stop, at_work))
    async with app.open_async():
        worker = Worker(
            app,
            queues=[queue.QUEUE],
            name="wangge",
            concurrency=JOBS_AT_ONCE,
            fetch_job_polling_interval=POLL_S,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=queue.HEARTBEAT_S,
            stalled_worker_timeout=queue.STALLED_S,
        )
        beside = [
            asyncio.create_task(_stop_when_told(worker, stop)),
            asyncio.create_task(_reap(store, worker, at_work)),
            *([] if chore is None else [asyncio.create_task(_by_the_clock(store, chore))]),
        ]
        try:
            await worker.run()  # type: ignore[no-untyped-call]
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def _task(
    store: Store, execute: Execute, stop: threading.Event, at_work: set[int]
) -> Callable[[procrastinate.JobContext, int], None]:
    def run(context: procrastinate.JobContext, job_id: int) -> None:
        entry = context.job.id or 0
        at_work.add(entry)
        try:
            attempt(store, execute, job_id, stop)
        finally:
            at_work.discard(entry)

    return run


def attempt(store: Store, execute: Execute, job_id: int, stop: threading.Event) -> None:
    """Make one attempt at a job; afterwards it is done, or back in the queue, or no longer this attempt's."""
    mine = claim(store, job_id)
    if mine is None:
        return
    reporter = Reporter(store, mine, stop)
    try:
        execute(store, mine.city, mine.service, mine.parameters, reporter.progress, finish=reporter.finish)
    except Cancelled:
        _log.info("job %d was dismissed or is another worker's", job_id)
    except Interrupted:
        mine.release(store, counts=False)
    except StoreUnavailable as error:
        _log.warning("job %d goes back into the queue: %s", job_id, error)
        mine.release(store, counts=True)
    except GridError as error:
        mine.fail(store, problem_of(error))
    except Exception:  # noqa: BLE001 - whatever it was, the job must not look as if it were running
        _log.exception("job %d failed", job_id)
        mine.fail(store, unexpected(job_id))


async def _stop_when_told(worker: Worker, stop: threading.Event) -> None:
    while True:
        if stop.is_set():
            worker.stop()  # type: ignore[no-untyped-call]
        await asyncio.sleep(STOP_LOOK_S)


async def _reap(store: Store, worker: Worker, at_work: set[int]) -> None:
    """Bring back, again and again, the jobs that nobody works on any more.

    It runs beside the jobs, not as one of them: a busy worker reaps too.
    """
    idle: set[int] = set()
    while True:
        try:
            idle = await _reap_once(worker, at_work, idle)
            await asyncio.to_thread(queue.enqueue_lost, store)
        except (ProcrastinateException, StoreUnavailable) as error:
            _log.warning("reaping failed: %s", error)
        await asyncio.sleep(REAP_S)


async def _by_the_clock(store: Store, chore: Chore) -> None:
    while True:
        try:
            await asyncio.to_thread(chore, store)
        except GridError as error:
            _log.warning("what the clock asks for has to wait: %s", error)
        except Exception:  # noqa: BLE001 - what goes wrong here must not keep the jobs from being worked on
            _log.exception("what the clock asks for failed")
        await asyncio.sleep(CLOCK_S)


async def _reap_once(worker: Worker, at_work: set[int], idle_before: set[int]) -> set[int]:
    """Bring back the entries of silent workers, and those of this one that it has not worked on since the last look.

    This worker's own heartbeat is not asked: where a computation holds the interpreter for seconds, it is late.
    """
    manager = worker.app.job_manager
    stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=queue.STALLED_S)
    for entry in stalled:
        if entry.worker_id is None or entry.worker_id != worker.worker_id:
            await _bring_back(worker, entry)
    own = [] if worker.worker_id is None else await manager.list_jobs_async(status="doing", worker_id=worker.worker_id)
    idle = {entry.id for entry in own if entry.id is not None} - at_work
    for entry in own:
        if entry.id in idle & idle_before:
            await _bring_back(worker, entry)
    return idle


async def _bring_back(worker: Worker, entry: Entry) -> None:
    manager = worker.app.job_manager
    try:
        await manager.retry_job(entry)
        _log.info("entry %s came back from a worker that is gone", entry.id)
    except procrastinate.exceptions.UniqueViolation:
        # The job waits in the queue already.
        await manager.finish_job(entry, Status.FAILED, delete_job=True)
    except procrastinate.exceptions.ConnectorException as error:
        _log.info("entry %s was taken care of meanwhile: %s", entry.id, error)
