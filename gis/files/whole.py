"""A whole file as one frame in memory, by the same steps as an import: plan, convert, check, never repair.

`declared_crs` and `place_problems` say what an import says too; everything here is pure but for reading the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import geopandas as gpd
import pandas as pd

from gis.contract.frame import FrameSpec
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.crs import parse_declared
from gis.errors import CrsMissing, FrameMismatch, InvalidInput, Problem
from gis.files.faults import Fault, summarise
from gis.files.intake import WITHHELD, Checked, Rules, check_chunk
from gis.files.plan import PLACE_COLUMNS, Plan, make_plan
from gis.files.read import Reading, ReadOptions, open_file
from gis.files.shapes import WORLD

COUNTS_ATTR = "wangge_counts"
"""Key in ``frame.attrs`` of what was read, left out or assumed before there were rows, where the format has that."""
CRS84 = "OGC:CRS84"
"""What GeoJSON and GeoParquet mean by saying nothing: WGS84, longitude first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """What a file means where it does not say it itself.

    Attributes
    ----------
    crs
        ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``epsg:N``; the file's own when None.
    mapping
        Column of the frame -> field of the file; also ``lon`` and ``lat``, or ``wkt``, for the place.
    skip
        Fields to leave out.
    constants
        Column -> one value for every row.
    time_zone
        Zone of local times that name none; the city's when None.
    time_format
        `strptime` format of times and dates; ISO 8601 when None.
    id_from_content
        Make `source_id` from each row's content where the source has no identifier of its own.
    layer, encoding
        Of a file that has several, or whose text says nothing about it.
    """

    crs: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    time_format: str | None = None
    id_from_content: bool = False
    layer: str | None = None
    encoding: str | None = None


def read_whole(
    path: Path,
    spec: FrameSpec,
    profile: CityProfile,
    *,
    codes: Mapping[str, Mapping[str, Text]],
    options: FileOptions | None = None,
) -> gpd.GeoDataFrame:
    """Return a file as a frame in EPSG:4326 that keeps its contract.

    Parameters
    ----------
    codes
        Codebook -> code -> words.

    Raises
    ------
    FrameMismatch
        Names everything that is wrong with the header and with any row, with row numbers.
    CrsMissing
        Neither the file nor the caller says what the coordinates are in.
    UnsupportedMedia, TooLarge, InvalidInput
        The file cannot be read at all, see `gis.files.read.open_file`.
    """
    options = options or FileOptions()
    reading_options = ReadOptions(
        places={column: options.mapping[column] for column in PLACE_COLUMNS if column in options.mapping},
        drop=options.skip,
        layer=options.layer,
        encoding=options.encoding,
        frame=spec.id,
    )
    with open_file(path, reading_options) as reading:
        rules = _rules(reading, spec, profile, codes, options)
        problems = [*rules.plan.problems, *place_problems(spec, rules.plan, reading)]
        checked = [check_chunk(c.fields, c.rows, c.geometry, c.troubles, rules) for c in reading.chunks]
        counts = [problem.as_dict() for problem in reading.counts]
    problems += summarise([*(fault for part in checked for fault in part.faults), *_repeated_ids(checked, spec)])
    if problems:
        raise FrameMismatch(f"{path.name}: {len(problems)} problem(s)", problems)
    whole = gpd.GeoDataFrame(pd.concat([part.frame for part in checked], ignore_index=True))
    names = [name for name in spec.names if name in whole.columns]
    frame = whole[[*names, "geometry"]]
    if counts:
        frame.attrs[COUNTS_ATTR] = counts
    return frame


def _rules(
    reading: Reading,
    spec: FrameSpec,
    profile: CityProfile,
    codes: Mapping[str, Mapping[str, Text]],
    options: FileOptions,
) -> Rules:
    plan = make_plan(
        spec,
        reading.names,
        mapping=options.mapping,
        skip=options.skip,
        constants=options.constants,
        id_from_content=options.id_from_content,
    )
    return Rules(
        spec=spec,
        profile=profile,
        codes=codes,
        plan=plan,
        crs=declared_crs(reading, options.crs),
        area=WORLD,
        zone=ZoneInfo(options.time_zone or profile.time_zone),
        time_format=options.time_format,
        guarded=reading.format.guarded,
    )


def declared_crs(reading: Reading, declared: str | None) -> str:
    """Return what a file's coordinates are in, as declared or as it says itself.

    Raises
    ------
    CrsMissing
        Nobody says it, or the file names a system without an EPSG code.
    """
    if declared is not None:
        return parse_declared(declared)
    if reading.crs is not None:
        try:
            return "wgs84" if reading.crs == CRS84 else parse_declared(reading.crs)
        except InvalidInput:
            raise CrsMissing("the file names a reference system without an EPSG code: declare the one it is") from None
    if not reading.has_place:
        return "wgs84"
    title = reading.format.title
    raise CrsMissing(
        f"{title} does not say what its coordinates are in: declare wgs84, cgcs2000, gcj02, bd09 or epsg:N"
    )


def place_problems(spec: FrameSpec, plan: Plan, reading: Reading) -> list[Problem]:
    """Return the problem of a file without places where the frame needs them."""
    withheld = plan.fields.keys() | plan.constants.keys()
    if reading.has_place or (not spec.geometry_required and WITHHELD in withheld):
        return []
    hint = f", or say of every row whether its place is withheld ({WITHHELD})" if WITHHELD in spec.names else ""
    message = f"no field holds the place: map lon and lat, or wkt, to the fields that do{hint}"
    return [Problem("no_place", message, "geometry")]


def _repeated_ids(checked: list[Checked], spec: FrameSpec) -> list[Fault]:
    """Return the rows whose identifier another row has before them."""
    ids = pd.concat([part.frame[spec.key] for part in checked]) if checked else pd.Series(dtype="str")
    again = ids.index[ids.duplicated() & ids.notna()].to_numpy(dtype="int64")
    return [Fault("duplicate_id", "another row has the same identifier", spec.key, again)] if again.size else []
