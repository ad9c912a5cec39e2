"""The directory of a zip, judged before a single byte of it is unpacked."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from gis.errors import InvalidInput, Problem, TooLarge
from gis.files.limits import MEGABYTE, Limits

SYMLINK_FREE_SYSTEMS = frozenset({0})
"""Zip systems whose members carry no Unix mode."""


def members(path: Path, *, limits: Limits) -> list[zipfile.ZipInfo]:
    """Return the files in a zip after judging its directory.

    Raises
    ------
    TooLarge
        Too many members, too much once unpacked, or one that grows beyond the ratio.
    InvalidInput
        No zip, encrypted, or members that are links or would land outside the folder; names them all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InvalidInput(f"{path.name} is no readable zip") from error
    if len(found) > limits.members:
        raise TooLarge(f"{path.name} holds {len(found)} files, more than the {limits.members} taken here")
    total = sum(info.file_size for info in found)
    if total > limits.unpacked_bytes:
        raise TooLarge(
            f"{path.name} unpacks to {total / MEGABYTE:,.0f} MB, more than the "
            f"{limits.unpacked_bytes / MEGABYTE:,.0f} MB taken here"
        )
    swollen = [info for info in found if info.file_size > limits.ratio * max(info.compress_size, 1)]
    if swollen:
        raise TooLarge(f"{path.name}: {len(swollen)} member(s) grow more than {limits.ratio} times when unpacked")
    problems = [problem for info in found if (problem := _problem(info)) is not None]
    if problems:
        raise InvalidInput(f"{path.name} is not unpacked", problems)
    return [info for info in found if not info.is_dir()]


def extract(path: Path, info: zipfile.ZipInfo, target: Path) -> None:
    """Write one member to `target`; stops when it holds more bytes than the directory promised.

    Raises
    ------
    InvalidInput
        The member is damaged or larger than declared.
    """
    left = info.file_size
    try:
        with zipfile.ZipFile(path) as archive, archive.open(info) as source, target.open("wb") as file:
            while block := source.read(MEGABYTE):
                left -= len(block)
                if left < 0:
                    raise InvalidInput(f"{path.name}: '{info.filename}' is larger than the zip says")
                file.write(block)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise InvalidInput(f"{path.name}: '{info.filename}' is damaged") from error


def _problem(info: zipfile.ZipInfo) -> Problem | None:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0] if path.parts else True:
        return Problem("outside_folder", f"'{info.filename}' would be written outside the folder")
    if info.create_system not in SYMLINK_FREE_SYSTEMS and stat.S_ISLNK(info.external_attr >> 16):
        return Problem("link", f"'{info.filename}' is a link, not a file")
    if info.flag_bits & 1:
        return Problem("encrypted", f"'{info.filename}' is encrypted")
    return None
