"""A frame of a city, or the result of a run, to a file; importing it again changes nothing."""

from __future__ import annotations

from pathlib import Path

from gis.city import FRAMES
from gis.contract.result import Result
from gis.contract.service import service
from gis.files.write import About, write_file
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import read_frame


def export_frame(store: Store, city: CityRow, frame_id: str, path: Path) -> Path:
    """Write one frame of a city, of grids those in force today; the format goes by the file's ending.

    Only the columns of the contract leave the house, geometry in EPSG:4326, instants in UTC.

    Returns
    -------
    Path
        Where it was written, see `gis.files.write.write_file`.

    Raises
    ------
    NotFound
        There is no frame of that name.
    UnsupportedMedia, InvalidInput, TooLarge
        The format is not written here, or cannot hold these rows.
    """
    frame = read_frame(store, city, frame_id)
    spec = FRAMES[frame_id]
    return write_file(path, frame, spec, about(frame_id, spec.title.en, city))


def export_result(result: Result, path: Path, *, city: CityRow) -> Path:
    """Write the features of a run; as `export_frame`."""
    declared = service(result.service)
    return write_file(path, result.features, declared.output, about(result.service, declared.title.en, city))


def about(layer: str, title: str, city: CityRow) -> About:
    """Return what a file of a city's layer says about itself."""
    profile = city.profile
    return About(layer, f"{title}, {profile.title.en}", profile.attribution, profile.synthetic)
