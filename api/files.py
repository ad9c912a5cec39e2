"""What comes out of a run, as a file: features by the file's ending, or the map."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gis.contract.result import Result
from gis.errors import InvalidInput, Problem, UnsupportedMedia
from gis.files.formats import to_write
from gis.store.cities import CityRow
from gis.store.export import export_result

MAP_SUFFIX: Final = ".html"


def check_target(path: Path) -> None:
    """Raise `InvalidInput` when nothing could be written there; asked before a long run."""
    problems = []
    if path.suffix.lower() != MAP_SUFFIX:
        try:
            to_write(path)
        except UnsupportedMedia as error:
            problems.append(Problem("unknown_format", f"{error.message}; or a map ({MAP_SUFFIX})", "--out"))
    if not path.absolute().parent.is_dir():
        problems.append(Problem("no_folder", f"there is no folder {path.absolute().parent}", "--out"))
    if problems:
        raise InvalidInput("the result could not be written", problems)


def write_result(result: Result, path: Path, *, city: CityRow) -> Path:
    """Write the features of a run, or its map as one self-contained page, and return where."""
    if path.suffix.lower() == MAP_SUFFIX:
        result.map().save(path)
        return path
    return export_result(result, path, city=city)
