"""The worker: takes jobs and runs services, until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Final

from api.logs import configure, log
from api.opening import ready_store
from gis.runs import warm, work

STDIN: Final = 0


def main(*, with_parent: bool = False, quiet: bool = False) -> None:
    """Work until SIGTERM or SIGINT; a job that is cut off is taken up again by the next worker.

    Parameters
    ----------
    with_parent
        Stop when standard input closes, that is, when the process that started this one is gone, however it went.
    quiet
        Log warnings and errors only.
    """
    configure(level=logging.WARNING if quiet else logging.INFO)
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    store = ready_store()
    log().info("worker_started", pid=os.getpid())
    threading.Thread(target=warm, args=(store,), name="warm", daemon=True).start()
    try:
        work(store)
    finally:
        store.close()
        log().info("worker_stopped", pid=os.getpid())


def _end_with_parent() -> None:
    # Not by sys.stdin: a thread that waits in it brings the interpreter down at its end.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
