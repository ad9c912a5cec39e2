"""Where the embedded cluster keeps a copy of every change, so that any moment can be gone back to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gis.errors import InvalidInput

NOTE: Final = "archive"
"""File in the cluster's folder that holds the path of the archive."""
CHANGES: Final = "wal"
"""Below the archive: the segments of PostgreSQL's log."""
LATEST_S: Final = 60
"""A change is in the archive after so long, however little else changes."""
_PLAIN: Final = re.compile(r"[^\"'$`\\%\n]+")


def folder_of(cluster_folder: Path) -> Path | None:
    """Return the archive of the cluster in a folder, None where it keeps none."""
    note = cluster_folder / NOTE
    return Path(note.read_text(encoding="utf-8").strip()) if note.exists() else None


def checked(folder: Path) -> Path:
    """Return the absolute path of an archive; `InvalidInput` when a shell would read something else in it."""
    path = folder.absolute()
    if not _PLAIN.fullmatch(str(path)):
        raise InvalidInput(f"{path} cannot be an archive: quotes, $, %, ` and \\ are not taken in its path")
    return path


def options(cluster_folder: Path) -> dict[str, str]:
    """Return the options with which a server fills the archive of its folder.

    A segment appears there when it is whole and on the disk. One that is there already was copied by a server that died
    before it could note that down; another content under its name is never written over.
    """
    folder = folder_of(cluster_folder)
    if folder is None:
        return {}
    kept = f"{folder / CHANGES}/%f"
    part = f"{folder / CHANGES}/.%f.part"
    return {
        "archive_mode": "on",
        "archive_timeout": f"{LATEST_S}s",
        "archive_command": (
            f'if test -f "{kept}"; then cmp -s "%p" "{kept}"; '
            f'else cp "%p" "{part}" && sync "{part}" && mv "{part}" "{kept}"; fi'
        ),
    }
