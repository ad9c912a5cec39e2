"""A city in memory: its frames and its profile, without server or database."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

import geopandas as gpd
import pyarrow.parquet as pq
import shapely

from gis.city.codebook import codebooks
from gis.city.frames import FRAMES
from gis.city.profile_file import read_profile
from gis.contract.frame import FrameSpec
from gis.contract.profile import CityProfile
from gis.contract.service import mark
from gis.contract.text import Text
from gis.crs import LONLAT
from gis.errors import FrameMismatch, InvalidInput, NotFound, Problem
from gis.files.convert import to_kind
from gis.files.whole import FileOptions, read_whole

DEMO = Path(__file__).parents[2] / "data" / "samples" / "demo"
"""The demo city's files; ``python -m data.synth`` makes them again."""
PROFILE_FILE = "city.toml"
UNNAMED = CityProfile("unnamed", Text("未命名", "unnamed"), "EPSG:3857", "UTC")


@dataclass(frozen=True, slots=True)
class FrameFile:
    """A file of one frame, and what it means where it does not say it itself."""

    path: Path | str
    options: FileOptions = field(default_factory=FileOptions)


@dataclass(frozen=True, slots=True, repr=False)
class City:
    """The frames of one city, each an attribute: ``city.incidents``, ``city.grids``.

    Attributes
    ----------
    frames
        Frame id -> GeoDataFrame in EPSG:4326, in the order of `gis.city.FRAMES`; each carries the profile, so that a
        service knows where it computes.

    Examples
    --------
    >>> city = City.demo()
    >>> city.profile.title.en
    'Gusu demo (synthetic)'
    >>> len(city.incidents)
    100000
    """

    profile: CityProfile
    frames: Mapping[str, gpd.GeoDataFrame]

    def __post_init__(self) -> None:
        unknown = [name for name in self.frames if name not in FRAMES]
        if unknown:
            raise NotFound(f"there is no frame {', '.join(unknown)}; the frames are {', '.join(FRAMES)}")
        ordered = {name: self.frames[name].copy(deep=False) for name in FRAMES if name in self.frames}
        for frame in ordered.values():
            mark(frame, self.profile)
        object.__setattr__(self, "frames", MappingProxyType(ordered))

    @classmethod
    def demo(cls) -> City:
        """Return the demo city: real outline, codes and names, everything else invented."""
        profile = read_profile(DEMO / PROFILE_FILE)
        paths = {name: DEMO / f"{name}.parquet" for name in FRAMES}
        return cls(profile, {n: _own_file(p, FRAMES[n], profile) for n, p in paths.items() if p.is_file()})

    @classmethod
    def from_files(
        cls,
        profile: CityProfile | Path | str | None = None,
        *,
        crs: str | None = None,
        metric_crs: str | None = None,
        time_zone: str | None = None,
        open_categories: bool = False,
        **files: Path | str | FrameFile,
    ) -> City:
        """Return a city from files, read and checked as an import into the server would.

        Parameters
        ----------
        profile
            The city, or the file of its profile such as ``city.toml``. Without one the city is unnamed, and the
            next parameters say what a profile would.
        crs
            What the coordinates of files are in that do not say it: ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or
            ``epsg:N``; converted on reading.
        metric_crs
            Projected CRS to measure in; the UTM zone of the first frame when None.
        time_zone
            Clock of local times that name no zone; needed with incidents and no profile.
        open_categories
            Take incident categories as they come instead of the codebook's.
        files
            Frame id -> file: CSV, Excel, GeoJSON, GeoPackage, zipped Shapefile or (Geo)Parquet; segments also from an
            OpenStreetMap extract (.osm.pbf), whose counts then stand in ``city.segments.attrs["wangge_counts"]``. A
            `FrameFile` says more about it, such as which field is which column.

        Raises
        ------
        FrameMismatch
            Names everything that is wrong with every file at once.
        NotFound
            There is no frame of that name.

        Examples
        --------
        >>> city = City.from_files(DEMO / "city.toml", posts=DEMO / "posts.parquet")
        >>> len(city.posts)
        60
        """
        unknown = [name for name in files if name not in FRAMES]
        if unknown:
            raise NotFound(f"there is no frame {', '.join(unknown)}; the frames are {', '.join(FRAMES)}")
        if not files:
            raise InvalidInput("a city needs at least one file, such as incidents='incidents.csv'")
        given = [name for name, value in (("metric_crs", metric_crs), ("time_zone", time_zone)) if value is not None]
        if profile is not None and given:
            raise InvalidInput(f"the profile says it already: leave out {' and '.join(given)}")
        if profile is None and time_zone is None and "incidents" in files:
            raise InvalidInput("incidents need the city's clock: time_zone='Asia/Shanghai', or a profile")
        if profile is None:
            city = replace(
                UNNAMED,
                metric_crs=metric_crs or UNNAMED.metric_crs,
                time_zone=time_zone or "UTC",
                open_categories=open_categories,
            )
        else:
            city = profile if isinstance(profile, CityProfile) else read_profile(Path(profile))
        frames = _read_all(files, city, crs)
        if profile is None and metric_crs is None:
            city = replace(city, metric_crs=_utm(frames))
        return cls(city, frames)

    def __getattr__(self, name: str) -> gpd.GeoDataFrame:
        """Return the frame called `name`; `NotFound` when this city has none of that kind."""
        if name not in FRAMES:
            raise AttributeError(f"a city has no '{name}'; its frames are {', '.join(self.frames)}")
        if name not in self.frames:
            raise NotFound(f"this city has no {name}; it has {', '.join(self.frames) or 'no frames'}")
        return self.frames[name]

    def __dir__(self) -> list[str]:
        return sorted([*object.__dir__(self), *self.frames])

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {len(frame):,}" for name, frame in self.frames.items())
        title = self.profile.title.en
        mark = " [synthetic data]" if self.profile.synthetic else ""
        return f"<City {title}{mark}: {counts or 'no frames'}; metres in {self.profile.metric_crs}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(FRAMES[name].title.zh)} {html.escape(FRAMES[name].title.en)}</td>"
            f"<td><code>city.{name}</code></td><td style='text-align:right'>{len(frame):,}</td></tr>"
            for name, frame in self.frames.items()
        )
        title = " ".join(html.escape(word) for word in dict.fromkeys(self.profile.title))
        mark = "<p><strong>合成数据 Synthetic data: invented, not a record of any real place.</strong></p>"
        head = "<tr><th>frame</th><th></th><th>rows</th></tr>"
        facts = (self.profile.metric_crs, self.profile.time_zone, self.profile.attribution)
        note = html.escape(" · ".join(fact for fact in facts if fact))
        return f"<h4>{title}</h4>{mark if self.profile.synthetic else ''}<table>{head}{rows}</table><p>{note}</p>"


def _own_file(path: Path, spec: FrameSpec, profile: CityProfile) -> gpd.GeoDataFrame:
    """Return one of our own GeoParquet files with the column types an import would give."""
    table = pq.read_table(path)
    zone = ZoneInfo(profile.time_zone)
    columns = {
        column.name: to_kind(table[column.name].combine_chunks(), column.kind, zone=zone).column
        for column in spec.columns
        if column.name in table.column_names
    }
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=LONLAT), crs=LONLAT)


def _read_all(
    files: Mapping[str, Path | str | FrameFile], profile: CityProfile, crs: str | None
) -> dict[str, gpd.GeoDataFrame]:
    """Return every frame; raise one error that names the problems of all files."""
    frames: dict[str, gpd.GeoDataFrame] = {}
    problems: list[Problem] = []
    for name, given in files.items():
        file = given if isinstance(given, FrameFile) else FrameFile(given)
        options = file.options if file.options.crs is not None else replace(file.options, crs=crs)
        try:
            frames[name] = read_whole(Path(file.path), FRAMES[name], profile, codes=codebooks(), options=options)
        except InvalidInput as error:
            found = error.problems or (Problem("unreadable_file", error.message),)
            problems += [replace(p, field=f"{name}.{p.field}" if p.field else name) for p in found]
    if problems:
        raise FrameMismatch(f"{len(problems)} problem(s) in {len(files)} file(s)", problems)
    return frames


def _utm(frames: Mapping[str, gpd.GeoDataFrame]) -> str:
    for frame in frames.values():
        if frame.geometry.notna().any():
            return f"EPSG:{frame.estimate_utm_crs().to_epsg()}"
    raise InvalidInput("no frame has a place: say which metric_crs the city measures in")
