"""Raw rows to rows that keep their contract: everything that is wrong with any row is found here, at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from gis.contract.frame import Column, FrameSpec
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.files import convert
from gis.files.child.request import TROUBLES
from gis.files.faults import Fault
from gis.files.formulas import unguard
from gis.files.personal import DETECTORS, person_labels, personal_values, refused_categories
from gis.files.plan import Plan
from gis.files.shapes import Area, place

WITHHELD: Final = "location_withheld"
UNIT: Final = "unit_label"
GRID_CODE_COLUMNS: Final = frozenset({("grids", "code"), ("blocks", "grid_code"), ("incidents", "grid_code")})
HASH_KEYS: Final = ("wangge row id 01", "wangge row id 02")
"""Two keys of sixteen characters: 64 bits of each make an identifier of 128."""
SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rows of one file are held against.

    Attributes
    ----------
    crs
        Reference system of the coordinates, as declared or as the file states.
    codes
        Codebook -> code -> words.
    zone
        Zone of local times that name none.
    guarded
        Texts of the file may carry the apostrophe that keeps a spreadsheet from running them.
    """

    spec: FrameSpec
    profile: CityProfile
    codes: Mapping[str, Mapping[str, Text]]
    plan: Plan
    crs: str
    area: Area
    zone: ZoneInfo
    time_format: str | None = None
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """One chunk after all checks.

    Attributes
    ----------
    frame
        The good rows in EPSG:4326, their index the row number in the file.
    faults, notes
        What keeps a row out; what was taken with an assumption. Row numbers of the file.
    bad_rows : (k,) distinct row numbers with a fault
    """

    frame: gpd.GeoDataFrame
    faults: tuple[Fault, ...]
    notes: tuple[Fault, ...]
    bad_rows: np.ndarray


def check_chunk(
    fields: pa.RecordBatch, rows: np.ndarray, geometry: np.ndarray, troubles: np.ndarray, rules: Rules
) -> Checked:
    """Convert and check the rows (n,) of one chunk.

    Parameters
    ----------
    rows : (n,) int64 row numbers
    geometry : (n,) shapely geometries in `rules.crs`, or None
    troubles : (n,) reasons why a row or its place could not be read, or None
    """
    frame, faults, notes = _columns(fields, rows, rules)
    broken = troubles == "unreadable_row"
    if WITHHELD in rules.spec.names:
        geometry, dropped = _withhold(frame, geometry, troubles, rules)
        notes += _fault(
            "place_dropped", "withheld by the source, so its coordinates are not kept", WITHHELD, rows, dropped
        )
    placed = place(geometry, rows, rules.spec, crs=rules.crs, area=rules.area)
    faults += [_trouble(code, rows, troubles) for code in sorted({t for t in troubles if t is not None})]
    faults += [fault.without(rows[broken]) for fault in placed.faults]
    table = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(placed.geometry, crs="EPSG:4326"), crs="EPSG:4326")
    faults += _contract_faults(table, rows, rules, troubles=troubles, already=faults)
    faults += _scope_faults(frame, rows, rules)
    _identify(table, geometry, rules)
    faults = [fault.without(rows[broken]) if fault.code != "unreadable_row" else fault for fault in faults]
    bad = np.unique(np.concatenate([np.empty(0, np.int64), *(fault.rows for fault in faults)]))
    table.index = pd.Index(rows, name="row_number")
    return Checked(
        table[~np.isin(rows, bad)],
        tuple(fault for fault in faults if fault.rows.size),
        tuple(note for note in notes if note.rows.size),
        bad,
    )


def _fault(code: str, message: str, name: str, rows: np.ndarray, mask: np.ndarray) -> list[Fault]:
    return [Fault(code, message, name, rows[mask])] if mask.any() else []


def _columns(fields: pa.RecordBatch, rows: np.ndarray, rules: Rules) -> tuple[pd.DataFrame, list[Fault], list[Fault]]:
    """Return the columns of the contract that the file or a constant fills, or that have a default."""
    faults: list[Fault] = []
    notes: list[Fault] = []
    columns: dict[str, pd.Series] = {}
    for column in rules.spec.columns:
        raw = _raw(column, fields, rules.plan)
        if raw is None:
            continue
        done = convert.to_kind(raw, column.kind, zone=rules.zone, time_format=rules.time_format)
        for code, mask in done.mistakes.items():
            faults += _fault(code, convert.MISTAKES[code], column.name, rows, mask)
        for code, mask in done.notes.items():
            notes += _fault(code, convert.NOTES[code], column.name, rows, mask)
        values = _as_codes(done.column, rules.codes.get(column.codebook or ""))
        is_text = column.kind in ("text", "code")
        columns[column.name] = unguard(values) if rules.guarded and is_text else values
    return pd.DataFrame(columns, index=pd.RangeIndex(len(rows))), faults, notes


def _raw(column: Column, fields: pa.RecordBatch, plan: Plan) -> pa.Array | None:
    """Return the values that fill a column: a field, one value for all, or the default; None when nothing does."""
    if column.name in plan.fields:
        return fields[plan.fields[column.name]]
    value: object = plan.constants.get(column.name, column.default)
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return pa.array([text] * fields.num_rows, pa.string())


def _as_codes(values: pd.Series, book: Mapping[str, Text] | None) -> pd.Series:
    """Return codes for the words of a codebook, in either language; what is no word of it stays."""
    if book is None:
        return values
    words = {word: code for code, text in book.items() for word in (text.zh, text.en) if word not in book}
    return values.map(lambda value: words.get(value, value), na_action="ignore").astype("str")


def _withhold(
    frame: pd.DataFrame, geometry: np.ndarray, troubles: np.ndarray, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """Fill in which places are withheld; return the geometry without them, and where one was dropped.

    The source withholds a place when it says so, gives none, or writes the point (0, 0) at midnight, which is how many
    police systems export it.
    """
    flagged = frame[WITHHELD].fillna(value=False).to_numpy(dtype=bool)
    absent = shapely.is_missing(geometry) & _none(troubles)
    origin = np.zeros(len(frame), dtype=bool)
    points = np.asarray(shapely.get_type_id(geometry)) == shapely.GeometryType.POINT
    origin[points] = (shapely.get_coordinates(geometry[points]) == 0).all(axis=1)
    if "occurred_at" in frame:
        clock = frame["occurred_at"].dt.tz_convert(rules.zone)
        origin &= ((clock.dt.hour == 0) & (clock.dt.minute == 0)).to_numpy(dtype=bool)
    frame[WITHHELD] = pd.Series(pd.array(flagged | absent | origin, dtype="boolean"))
    kept = geometry.copy()
    kept[flagged | origin] = None
    return kept, flagged & ~absent & ~origin


def _none(values: np.ndarray) -> np.ndarray:
    return np.array([value is None for value in values], dtype=bool)


def _trouble(code: str, rows: np.ndarray, troubles: np.ndarray) -> Fault:
    return Fault(code, TROUBLES[code], "" if code == "unreadable_row" else "geometry", rows[troubles == code])


def _contract_faults(
    table: gpd.GeoDataFrame,
    rows: np.ndarray,
    rules: Rules,
    *,
    troubles: np.ndarray,
    already: Iterable[Fault],
) -> list[Fault]:
    """Return what the contract finds, without repeating what reading or converting has said of the same value."""
    codes = {name: tuple(book) for name, book in rules.codes.items()}
    if rules.profile.open_categories:
        codes.pop("incident_categories", None)
    said: dict[str, list[np.ndarray]] = {}
    for fault in already:
        said.setdefault(fault.field, []).append(fault.rows)
    said.setdefault("geometry", []).append(rows[~_none(troubles)])
    faults = []
    for finding in rules.spec.findings(table, codes=codes):
        if finding.code == "invalid_geometry":
            continue  # `place` has said which ring, and where.
        known = np.concatenate([np.empty(0, np.int64), *said.get(finding.field, ())])
        fresh = finding.rows & ~np.isin(rows, known)
        if finding.code == "unknown_code":
            messages = [_unknown_code(v, finding.message) for v in table[finding.field][fresh]]
            faults.append(Fault(finding.code, finding.message, finding.field, rows[fresh], tuple(messages)))
        elif finding.field == rules.spec.key and rules.plan.id_from != "field":
            continue  # It is made below.
        else:
            faults += _fault(finding.code, finding.message, finding.field, rows, fresh)
    return faults + _grid_code_faults(table, rows, rules)


def _unknown_code(value: object, message: str) -> str:
    text = str(value)
    if personal_values(pd.Series([text], dtype="str")):
        return message
    return f"'{text[:SHOWN_CHARACTERS]}' is {message}"


def _grid_code_faults(table: gpd.GeoDataFrame, rows: np.ndarray, rules: Rules) -> list[Fault]:
    faults = []
    pattern = rules.profile.grid_code_pattern
    for name in rules.spec.names:
        if (rules.spec.id, name) in GRID_CODE_COLUMNS and name in table.columns:
            matches = table[name].str.fullmatch(pattern, na=True).to_numpy(dtype=bool)
            message = f"a grid code of this city must match {pattern}"
            faults += _fault("wrong_grid_code", message, name, rows, ~matches)
    return faults


def _scope_faults(frame: pd.DataFrame, rows: np.ndarray, rules: Rules) -> list[Fault]:
    """Return rows with a value that identifies a person, and events of a kind that is out of scope."""
    faults = []
    for column in rules.spec.columns:
        if column.name in frame and column.kind in ("text", "code"):
            for code, mask in personal_values(frame[column.name]).items():
                faults += _fault(code, DETECTORS[code], column.name, rows, mask)
    if UNIT in frame:
        for code, mask in person_labels(frame[UNIT]).items():
            faults += _fault(code, DETECTORS[code], UNIT, rows, mask)
    if rules.profile.open_categories and "category" in frame:
        for name, mask in refused_categories(frame["category"]).items():
            message = f"{name} categories are out of scope, in every city"
            faults += _fault("refused_category", message, "category", rows, mask)
    return faults


def _identify(table: gpd.GeoDataFrame, geometry: np.ndarray, rules: Rules) -> None:
    """Fill `source_id` where the file has none, and tell the versions of a grid apart."""
    key = rules.spec.key
    if rules.plan.id_from == "code":
        table[key] = table["code"]
    elif rules.plan.id_from == "content":
        table[key] = _content_ids(table.drop(columns="geometry"), geometry)
    if "valid_from" in table and rules.spec.id == "grids":
        # A grid with another first day is another version of it, a row of its own.
        day = table["valid_from"].dt.strftime("%Y-%m-%d").astype("str")
        first = str(rules.spec.column("valid_from").default)
        versioned = table[key] + "@" + day
        plain = (
            day.isna()
            | (day == first)
            | pd.Series([str(i).endswith(f"@{d}") for i, d in zip(table[key], day, strict=True)], index=table.index)
        )
        table[key] = table[key].where(plain, versioned)


def _content_ids(frame: pd.DataFrame, geometry: np.ndarray) -> pd.Series:
    """Return 128-bit hex names of rows (n,) made from their values and place."""
    plain = frame.assign(place=shapely.to_wkb(geometry, hex=True)).astype("str").fillna("")
    parts = [pd.util.hash_pandas_object(plain, index=False, hash_key=key) for key in HASH_KEYS]
    return pd.Series([f"{a:016x}{b:016x}" for a, b in zip(*parts, strict=True)], index=frame.index, dtype="str")
