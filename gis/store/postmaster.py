"""The server process of a data folder: is it there, is it ours, and what remains of it after ``kill -9``.

``postmaster.pid`` alone proves nothing. Where PID 1 does not reap, a killed server stays a zombie that still answers
to signal 0; after a reboot its number may belong to another program. So the process state and the command line count.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROCESSES: Final = Path("/proc")
PID_FILE: Final = "postmaster.pid"
READY: Final = "ready"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A living server process of a data folder."""

    pid: int
    port: int
    status: str

    @property
    def is_ready(self) -> bool:
        """Whether it takes connections."""
        return self.status == READY


def find(data: Path) -> Postmaster | None:
    """Return the living server of the data folder, None when there is none."""
    lines = _lines(data / PID_FILE)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    if not _is_server_of(pid, data):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else 0  # noqa: PLR2004 - 4th line: port
    return Postmaster(pid, port, lines[7].strip() if len(lines) > 7 else "starting")  # noqa: PLR2004 - 8th: status


def clear_remains(data: Path, sockets: Path) -> None:
    """Remove the pid file and socket locks of a server that no longer lives.

    The caller must hold the folder's locks and have seen that no process of the server is left.
    """
    for remains in (data / PID_FILE, *sockets.glob(".s.PGSQL.*")):
        remains.unlink(missing_ok=True)


def end_orphans(data: Path) -> None:
    """Kill the server processes that outlived their postmaster.

    They end by themselves unless deep in one computation (a GEOS call can take minutes). Recovery from the log
    discards whatever they held in memory, and the server cannot start while one is left.
    """
    for process in PROCESSES.glob("[0-9]*"):
        try:
            at_home = (process / "cwd").readlink() == data
            is_server = (process / "comm").read_text().strip() == "postgres"
        except OSError:
            continue
        if at_home and is_server:
            signal_(int(process.name), signal.SIGKILL)


def signal_(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has just ended is no error."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def wait_until_gone(data: Path, timeout_s: float) -> bool:
    """Return whether the folder's server has ended within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while find(data) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _is_server_of(pid: int, data: Path) -> bool:
    try:
        state = (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        command = (PROCESSES / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return state != "Z" and "postgres" in Path(command[0]).name and str(data) in command


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []
