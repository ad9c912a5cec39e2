"""The contract of a table: which columns, of which kind, over which geometry.

A `FrameSpec` is declared once and has four readers: the checks of a service's inputs and outputs, the database table,
the importer's error report and the schema that the API publishes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from gis.contract.text import Text
from gis.errors import CrsMissing, FrameMismatch, Problem

Kind = Literal["text", "code", "integer", "real", "boolean", "instant", "date"]
GeometryKind = Literal["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"]

POINTS: frozenset[GeometryKind] = frozenset({"Point"})
LINES: frozenset[GeometryKind] = frozenset({"LineString", "MultiLineString"})
AREAS: frozenset[GeometryKind] = frozenset({"Polygon", "MultiPolygon"})
ANY_GEOMETRY: frozenset[GeometryKind] = POINTS | LINES | AREAS

EXAMPLE_ROWS = 5
"""How many row numbers a `Problem` names; its `count` is always complete."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a frame.

    Attributes
    ----------
    name
        ``snake_case``, with the unit as suffix (``_m``, ``_count``, ``_share``, ``_at``, ``_on``).
    kind
        ``instant`` is a UTC time stamp, ``date`` a calendar day, ``code`` text of a closed or patterned set.
    required
        Every row must hold a value.
    codebook
        Name of a table in ``data/codebook``; the value must be one of its codes.
    pattern
        Regular expression that the whole value must match.
    minimum, maximum
        Inclusive limits of a number.
    default
        Value taken where the source has no such column.
    """

    name: str
    kind: Kind
    title: Text
    required: bool = False
    codebook: str | None = None
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    default: str | int | float | bool | None = None
    unit: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with some rows of a frame; `rows` is a mask (n,)."""

    code: str
    message: str
    field: str
    rows: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """What a frame must look like: its columns, its geometry, the article of the regulation it serves."""

    id: str
    title: Text
    columns: tuple[Column, ...]
    geometry: frozenset[GeometryKind]
    geometry_required: bool = True
    mandate: str = ""
    description: str = ""
    key: str = "source_id"
    _by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {c.name: c for c in self.columns})

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when there is none."""
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(c.name for c in self.columns)

    def problems(
        self, frame: gpd.GeoDataFrame, *, codes: Mapping[str, Iterable[str]] | None = None, first_row: int = 1
    ) -> tuple[list[Problem], pd.Series]:
        """Return everything that is wrong with `frame`, and which rows are affected.

        Parameters
        ----------
        frame : (n,) rows
        codes
            Codebook name -> its codes. A codebook that is not given is not checked.
        first_row
            Row number of the first row, for frames that are a part of a file.

        Returns
        -------
        problems, bad : list of Problem, boolean Series (n,) aligned to the frame's index
        """
        found = self._missing_columns(frame)
        bad = np.zeros(len(frame), dtype=bool)
        for finding in self.findings(frame, codes=codes):
            bad |= finding.rows
            found.append(_row_problem(finding, first_row))
        return found, pd.Series(bad, index=frame.index)

    def findings(
        self, frame: gpd.GeoDataFrame, *, codes: Mapping[str, Iterable[str]] | None = None
    ) -> Iterator[Finding]:
        """Yield everything that is wrong with rows of `frame`, for a report that names every one of them."""
        for column in self.columns:
            if column.name in frame.columns:
                for code, message, rows in _column_problems(column, frame[column.name], codes or {}):
                    yield Finding(code, message, column.name, rows)
        for code, message, rows in self._geometry_problems(frame):
            yield Finding(code, message, "geometry", rows)

    def _missing_columns(self, frame: gpd.GeoDataFrame) -> list[Problem]:
        return [
            Problem("missing_column", f"column '{column.name}' is missing", column.name)
            for column in self.columns
            if column.name not in frame.columns and column.required and column.default is None
        ]

    def check(self, frame: gpd.GeoDataFrame, *, codes: Mapping[str, Iterable[str]] | None = None) -> None:
        """Raise `FrameMismatch` naming every problem at once; `CrsMissing` when coordinates have no CRS."""
        has_geometry = isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None
        if has_geometry and frame.crs is None:
            raise CrsMissing(
                f"{self.id}: the frame has coordinates but no CRS; declare it with frame.set_crs('EPSG:4326') "
                "or the CRS they are really in"
            )
        found, _ = self.problems(frame, codes=codes)
        if found:
            raise FrameMismatch(f"{self.id}: {len(found)} problem(s)", found)

    def _geometry_problems(self, frame: gpd.GeoDataFrame) -> list[tuple[str, str, np.ndarray]]:
        if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
            if self.geometry_required:
                return [("missing_geometry", "the frame has no geometry", np.ones(len(frame), dtype=bool))]
            return []
        shapes = frame.geometry
        missing = (shapes.isna() | shapes.is_empty).to_numpy()
        kinds = shapes.geom_type.to_numpy()
        wrong_kind = ~missing & ~np.isin(kinds, list(self.geometry))
        invalid = ~missing & ~wrong_kind & ~shapes.is_valid.to_numpy()
        allowed = ", ".join(sorted(self.geometry))
        return [
            (code, message, rows)
            for code, message, rows in (
                ("missing_geometry", "no geometry", missing if self.geometry_required else np.zeros(0, dtype=bool)),
                ("wrong_geometry_type", f"the geometry must be one of {allowed}", wrong_kind),
                ("invalid_geometry", "the geometry crosses or touches itself (not a valid simple feature)", invalid),
            )
            if rows.any()
        ]


def _row_problem(finding: Finding, first_row: int) -> Problem:
    where = np.flatnonzero(finding.rows)
    examples = tuple(int(i) + first_row for i in where[:EXAMPLE_ROWS])
    return Problem(finding.code, finding.message, finding.field, examples, int(where.size))


def _column_problems(
    column: Column, values: pd.Series, codes: Mapping[str, Iterable[str]]
) -> list[tuple[str, str, np.ndarray]]:
    missing = values.isna().to_numpy()
    present = ~missing
    checks: list[tuple[str, str, np.ndarray]] = []
    if column.required:
        checks.append(("missing_value", "a value is required", missing))
    wrong = present & ~_is_kind(column.kind, values)
    checks.append(("wrong_kind", f"not a valid {_KIND_WORDS[column.kind]}", wrong))
    good = present & ~wrong
    if column.kind in ("integer", "real"):
        numbers = pd.to_numeric(values.where(good), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        if column.minimum is not None:
            checks.append(("too_small", f"must be at least {column.minimum:g}", good & (numbers < column.minimum)))
        if column.maximum is not None:
            checks.append(("too_large", f"must be at most {column.maximum:g}", good & (numbers > column.maximum)))
    if column.pattern is not None:
        matches = values.where(good).map(lambda v: bool(re.fullmatch(column.pattern or "", str(v))), na_action="ignore")
        checks.append(("wrong_pattern", f"must match {column.pattern}", good & ~_as_bool(matches)))
    if column.codebook is not None and column.codebook in codes:
        known = values.isin(list(codes[column.codebook])).to_numpy()
        checks.append(("unknown_code", f"not a code of the codebook '{column.codebook}'", good & ~known))
    return [(code, message, rows) for code, message, rows in checks if rows.any()]


_KIND_WORDS: dict[Kind, str] = {
    "text": "text",
    "code": "text code",
    "integer": "whole number",
    "real": "number",
    "boolean": "true or false",
    "instant": "point in time with time zone",
    "date": "date",
}


def _is_kind(kind: Kind, values: pd.Series) -> np.ndarray:
    """Return which values (n,) already are of `kind`; text is never guessed at here."""
    if kind in ("text", "code"):
        return np.ones(len(values), bool) if isinstance(values.dtype, pd.StringDtype) else _each(values, str)
    if kind == "boolean":
        return np.ones(len(values), bool) if _is_bool(values) else _each(values, (bool, np.bool_))
    if kind in ("instant", "date"):
        return _are_times(kind, values)
    if _is_bool(values) or not pd.api.types.is_numeric_dtype(values.dtype):
        return np.zeros(len(values), bool)
    numbers = np.asarray(values.to_numpy(dtype=float, na_value=np.nan))
    whole = numbers == np.floor(numbers) if kind == "integer" else np.ones(len(values), bool)
    return np.asarray(np.isfinite(numbers) & whole)


def _is_bool(values: pd.Series) -> bool:
    return bool(pd.api.types.is_bool_dtype(values.dtype))


def _are_times(kind: Kind, values: pd.Series) -> np.ndarray:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return np.ones(len(values), bool)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        return np.full(len(values), kind == "date")
    return _as_bool(values.map(lambda v: _is_time(kind, v), na_action="ignore"))


def _each(values: pd.Series, types: type | tuple[type, ...]) -> np.ndarray:
    return _as_bool(values.map(lambda v: isinstance(v, types), na_action="ignore"))


def _is_time(kind: Kind, value: object) -> bool:
    if kind == "date":
        return isinstance(value, dt.date)
    return isinstance(value, dt.datetime) and value.tzinfo is not None


def _as_bool(values: pd.Series) -> np.ndarray:
    """Return (n,) bool; a missing value counts as False."""
    return np.asarray(values.isin([True]), dtype=bool)
