"""A folder for the safe copy of one file, and the end of those that a killed process left behind.

The folder is locked while the process that made it lives; the kernel lets go of the lock however the process ends. A
copy of somebody's data therefore never outlives the next reading of any file.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "wangge-read-"
LOCK = "lock"
HELD = "held"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder that goes with the block; sweep up what dead processes of this account left first."""
    sweep()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        folder = Path(name)
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(HELD)
            lock.flush()
            yield folder


def sweep() -> int:
    """Remove the folders of this account whose process is gone; return how many."""
    removed = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def _is_abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return False
        with (folder / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Still empty: its process is about to lock it.
            return lock.read() == HELD
    except OSError:
        # Locked by its process, being made or removed right now, or not ours to look into.
        return False
