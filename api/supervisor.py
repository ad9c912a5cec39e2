"""Keeps the worker process alive beside the server: starts it again when it dies, ends it when asked."""

from __future__ import annotations

import subprocess
import sys
import threading
from types import TracebackType
from typing import Final, Self

from api.logs import log

COMMAND: Final = (sys.executable, "-m", "api.cli", "worker", "--with-parent", "--quiet")
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 30.0
STOP_S: Final = 10.0


class Worker:
    """A worker process for the time of a ``with`` block."""

    def __init__(self, command: tuple[str, ...] = COMMAND, *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self.command = command
        self.first_pause_s = first_pause_s
        self.starts = 0
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch = threading.Thread(target=self._keep_alive, name="worker-supervisor", daemon=True)

    @property
    def pid(self) -> int | None:
        """Number of the process that runs now."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def __enter__(self) -> Self:
        self._start()
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self._watch.join(STOP_S)

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C reaches the parent alone, which then ends the worker in order. The open
            # standard input tells the worker that its parent lives.
            self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, start_new_session=True)
            self.starts += 1
            return self._process

    def _keep_alive(self) -> None:
        pause = self.first_pause_s
        process = self._process
        while process is not None:
            code = process.wait()
            if process.stdin is not None:
                process.stdin.close()
            if self._stopping.is_set():
                return
            log().warning("worker_died", exit_code=code, again_in_s=pause)
            self._stopping.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            process = self._start()
