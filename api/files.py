"""What comes out of a run, as a file: features by the file's ending, or the map."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gis.errors import InvalidInput, Problem, UnsupportedMedia
from gis.files.formats import to_write
from gis.store import results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.export import export_result
from gis.store.masked import export_masked
from layers.engine.masking import masked_run

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


def write_result(store: Store, city: CityRow, run_id: int, path: Path) -> Path:
    """Write the features of a run, or its map as one self-contained page, and return where.

    Places that leave the server moved only are moved; the map shows them as they are, as it does in the house.
    """
    result = results.read(store, city, run_id)
    if path.suffix.lower() == MAP_SUFFIX:
        result.map().save(path)
        return path
    must = masked_run(result.service, result.provenance.as_dict())
    if must is None:
        return export_result(result, path, city=city)
    return export_masked(store, city, result.service, path, run_id=run_id, only=must.only)[0]
