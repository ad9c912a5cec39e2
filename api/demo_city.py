"""The demo city in the database: loaded once from its files, by the ordinary importer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from gis.city import FRAMES
from gis.city.city import PROFILE_FILE
from gis.city.profile_file import read_profile
from gis.errors import Conflict, NotFound
from gis.store import cities
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.ingest import ImportOptions, import_file

SOURCE: Final = "demo"
RUNS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("public_counts", {}),
    ("incident_density", {}),
    ("temporal_profile", {}),
    ("hotspots", {"unit": "grids"}),
    ("hotspots", {}),
)
"""The default runs: what the desks ask for first. Of a service the map shows the last one."""
DESK_RUNS: Final[tuple[tuple[str, dict[str, object]], ...]] = (("hotspots", {}),)
"""What is computed besides for the desk that sees one district alone, of what it sees."""

Report = Callable[[float, str], None]


def demo_files(folder: Path) -> list[tuple[str, Path]]:
    """Return frame and file of the demo city, the largest areas first, so that each file is judged against them."""
    return [(frame, path) for frame in FRAMES if (path := folder / f"{frame}.parquet").is_file()]


def load(store: Store, report: Report, folder: Path, *, fresh: bool = False) -> CityRow:
    """Return the demo city, in use and with everything in it; what is there already is left alone.

    Parameters
    ----------
    folder
        Holds ``city.toml`` and a GeoParquet file a frame.
    fresh
        Remove the demo city first, with its runs; other cities are never touched.

    Raises
    ------
    Conflict
        A city of the same short name is there that is not synthetic, so it cannot be this one.
    """
    city = _city(store, folder, fresh=fresh)
    files = demo_files(folder)
    total = sum(path.stat().st_size for _, path in files) or 1
    done = 0
    for frame, path in files:
        start, size = done / total, path.stat().st_size
        options = ImportOptions(source=SOURCE)

        def tell(share: float, message: str, *, start: float = start, size: int = size, frame: str = frame) -> None:
            report(start + share * size / total, f"{frame}: {message}")

        import_file(store, city, frame, path, options, progress=tell).raise_if_refused()
        done += size
    return city


def _city(store: Store, folder: Path, *, fresh: bool) -> CityRow:
    profile = read_profile(folder / PROFILE_FILE)
    try:
        there = cities.by_slug(store, profile.slug)
    except NotFound:
        there = None
    if there is not None and not there.profile.synthetic:
        raise Conflict(f"there is a city '{profile.slug}' that is not the demo; it is left alone")
    if there is not None and (fresh or there.profile != profile):
        cities.remove(store, profile.slug)
        there = None
    if there is None:
        cities.create(store, profile)
    return cities.use(store, profile.slug)
