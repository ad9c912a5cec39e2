"""How a file is to be imported, and the name of one import: its content and how it is read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gis.contract.profile import CityProfile
from gis.files.limits import MEGABYTE

READING = (
    "crs", "mapping", "skip", "constants", "time_zone", "time_format", "trust_crs", "id_from_content", "dissolve",
    "layer", "encoding",
)  # fmt: skip
"""Options that decide what a file means; the others decide only what is done with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How a file is read and what is done with its rows.

    Attributes
    ----------
    crs
        What the coordinates are in: ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``epsg:N``. May be left out only
        where the format itself says it (GeoJSON, GeoPackage, Shapefile, GeoParquet).
    mapping
        Column of the frame -> field of the file; also ``lon`` and ``lat``, or ``wkt``, for the place.
    skip
        Fields to leave out. A field about persons comes in by no other way than being left out.
    constants
        Column -> one value for every row.
    time_zone
        Zone of local times that name none; the city's when None.
    time_format
        `strptime` format of times and dates, such as ``%m/%d/%Y %I:%M:%S %p``; ISO 8601 when None.
    source
        Name of the system the rows come from: a later import of the same source updates its rows. The file's name when
        None.
    dry_run
        Report only; nothing becomes visible. The same import without it goes on from there.
    allow_partial
        Take the good rows of a file that has bad ones; otherwise one bad row refuses the file.
    trust_crs
        Take the declared reference system although the data fit another one better.
    id_from_content
        Make `source_id` from each row's content where the source has no identifier of its own.
    dissolve
        Column whose equal values make one row of several, their areas united.
    layer
        Layer, sheet or Shapefile, where a file has several.
    encoding
        Of a CSV or Shapefile; found out when None.
    """

    crs: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    skip: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    time_zone: str | None = None
    time_format: str | None = None
    source: str | None = None
    dry_run: bool = False
    allow_partial: bool = False
    trust_crs: bool = False
    id_from_content: bool = False
    dissolve: str | None = None
    layer: str | None = None
    encoding: str | None = None

    def reading(self) -> dict[str, Any]:
        """Return the options that decide what the file means, JSON-ready."""
        values = {name: getattr(self, name) for name in READING}
        return {**values, "mapping": dict(self.mapping), "constants": dict(self.constants), "skip": sorted(self.skip)}


def fingerprint(path: Path, options: ImportOptions, *, source: str, profile: CityProfile) -> str:
    """Return the SHA-256 of a file's bytes and everything that decides what they mean."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(MEGABYTE):
            digest.update(block)
    meaning = {**options.reading(), "source": source, "zone": options.time_zone or profile.time_zone}
    digest.update(json.dumps(meaning, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()
