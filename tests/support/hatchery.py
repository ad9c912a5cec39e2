"""Server and worker in processes of their own that start at once and can be killed at any moment.

They are forked from one process that has loaded everything (the fork server of `multiprocessing`): what is killed is a
whole process with its threads and connections, what is saved are the seconds that loading the libraries takes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import gis
from api import opening, server
from gis import runs
from gis.store import cities, ingest, plans
from gis.store.engine import Store
from gis.store.frames import today
from gis.store.ingest import ImportOptions, importer
from gis.store.jobs import queue, worker
from tests.support import cell_counts

gis.services()


def hatched(target: Any, *args: Any) -> BaseProcess:
    """Start a process of a function of this module."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=target, args=args, daemon=True)
    process.start()
    return process


@contextmanager
def telling(target: Any, *args: Any) -> Iterator[tuple[BaseProcess, Iterator[Any]]]:
    """Start a process that says things, and give what it says until it ends; it is killed at the end of the block."""
    ear, mouth = multiprocessing.get_context("forkserver").Pipe(duplex=False)
    process = hatched(target, *args, mouth)
    mouth.close()
    with ear:
        try:
            yield process, _heard(ear)
        finally:
            process.kill()
            process.join()


def _heard(ear: Connection) -> Iterator[Any]:
    while True:
        try:
            yield ear.recv()
        except (EOFError, OSError):
            return


def server_process(url: str, folder: str, port: int) -> None:
    """Serve, as ``wangge serve`` does."""
    os.environ["WANGGE_DATABASE_URL"], os.environ["WANGGE_DATA_DIR"] = url, folder
    server.run_server(server.claim("127.0.0.1", port))


def quick() -> None:
    """Let silence count as death after a second or so, and be looked for as often."""
    queue.HEARTBEAT_S, queue.STALLED_S = 0.3, 1.5
    worker.REAP_S = worker.POLL_S = worker.CLOCK_S = worker.PAUSE_S = 0.3


def worker_process(url: str, folder: str) -> None:
    """Work, as ``wangge worker`` does."""
    os.environ["WANGGE_DATABASE_URL"], os.environ["WANGGE_DATA_DIR"] = url, folder
    quick()
    runs.work(opening.ready_store())


def small_worker(url: str) -> None:
    """Work, and know the small service of the tests too."""
    quick()
    cell_counts.register()
    runs.work(Store(url))


def importer_process(url: str, path: str, told: Connection) -> None:
    """Import a file of incidents in small chunks, so that a kill finds it in the middle of many."""
    ordinary = importer.ReadOptions
    importer.ReadOptions = lambda **values: ordinary(**values, chunk_rows=500)  # type: ignore[assignment, misc]
    store = Store(url)
    options = ImportOptions(source="drill", allow_partial=True)
    report = ingest.import_file(
        store,
        cities.current(store),
        "incidents",
        Path(path),
        options,
        progress=lambda _share, words: told.send(words),
    )
    told.send(report.state)


def planner_process(url: str, plan_id: int, told: Connection) -> None:
    """Give one block after the other to another grid, and take every fifth edit back."""
    store = Store(url)
    city = cities.current(store)
    plan = plans.get(store, city, plan_id)
    while True:
        block = f"b{plan.revision % 8}"
        grid = {"g1": "g2", "g2": None, None: "g1"}[plans.assignment(store, city, plan_id)[block]]
        told.send(("sent", plan.revision))
        if plan.revision % 5:
            plan = plans.edit(
                store, city, plan_id, plans.assign({block: grid}), revision=plan.revision, action="move_blocks",
                desk="planner", arguments={"at": plan.revision},
            )  # fmt: skip
        else:
            plan = plans.undo(store, city, plan_id, revision=plan.revision)
        told.send(("done", plan.revision))


def publisher_process(url: str, plan_id: int, told: Connection) -> None:
    """Publish a plan for today."""
    store = Store(url)
    city = cities.current(store)
    plan = plans.get(store, city, plan_id)
    told.send("ready")
    plans.publish(store, city, plan_id, revision=plan.revision, on=today(city))
    told.send("published")
