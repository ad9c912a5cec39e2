"""What the reading process is asked for, and the shape of what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from gis.files.limits import Limits

ROW, PLACE, TROUBLE = "__row", "__wkb", "__trouble"
"""Columns that the answer adds: row number of the source, geometry as WKB, why a row or its place is unreadable."""

TROUBLES: Mapping[str, str] = {
    "unreadable_row": "the row has more or fewer values than the header, or is no readable record",
    "too_long": "a value is longer than the limit",
    "unreadable_geometry": "the geometry cannot be read",
    "empty_geometry": "the geometry is empty; a place that is not known is left out",
    "not_finite": "a coordinate is not a finite number",
    "not_a_number": "a coordinate is not a number",
    "half_a_place": "one of the two coordinates is missing",
    "wrong_geometry_type": "only single and multiple points, lines and polygons are taken, no collections",
    "too_many_vertices": "the geometry has more vertices than the limit",
}
"""Code -> sentence. A row with `unreadable_row` has no values; the others concern its place only."""


@dataclass(frozen=True, slots=True)
class Request:
    """One reading.

    Attributes
    ----------
    places
        Fields that hold the place: ``{"lon": f, "lat": f}``, ``{"wkt": f}``, or empty to go by the usual names.
    drop
        Fields that must not leave the reading process.
    """

    path: str
    format: str
    driver: str | None
    limits: Limits
    places: Mapping[str, str]
    drop: tuple[str, ...]
    layer: str | None
    encoding: str | None
    chunk_rows: int

    def to_json(self) -> str:
        """Return the request as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Return the request written by `to_json`."""
        values = json.loads(text)
        return cls(**{**values, "limits": Limits(**values["limits"]), "drop": tuple(values["drop"])})


@dataclass(frozen=True, slots=True)
class Source:
    """A file opened by one of the readers.

    Attributes
    ----------
    batches
        Rows with every field; a field named `ROW` holds row numbers, `PLACE` WKB and `TROUBLE` codes where the reader
        knows them already.
    crs
        What the file says about its reference system.
    total
        Number of rows, None where only reading tells.
    """

    fields: tuple[str, ...]
    batches: Iterator[pa.RecordBatch]
    crs: str | None = None
    total: int | None = None
    notes: Mapping[str, Any] | None = None
