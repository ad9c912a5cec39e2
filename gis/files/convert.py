"""One field of a file to one column of a contract; text is never guessed at beyond the column's own kind.

``00123`` stays a code, ``1e5`` is a number only where a number is asked for, and a time without a zone is the clock of
the city.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gis.contract.frame import Kind

INTEGER = r"^[+-]?\d{1,18}(\.0*)?$"
REAL = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
ZONED = r"\d[Tt ]\d{1,2}(?::?\d\d){0,2}(?:\.\d+)?\s*(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"
TRUE = ("true", "t", "yes", "y", "1", "是", "有")
FALSE = ("false", "f", "no", "n", "0", "否", "无")
EXACT_WHOLE = 2.0**53
Masks = dict[str, np.ndarray]

MISTAKES: Mapping[str, str] = {
    "not_a_whole_number": "not a whole number",
    "not_a_number": "not a number",
    "not_true_or_false": "not true or false (true/false, yes/no, 1/0, 是/否)",
    "not_a_time": "not a time such as 2024-05-01 08:30 or 2024-05-01T08:30:00+08:00",
    "not_a_date": "not a date such as 2024-05-01",
}
NOTES: Mapping[str, str] = {
    "repeated_hour": "this local time happened twice, as the clocks went back; the first one is taken",
    "skipped_hour": "this local time never happened, as the clocks went forward; one hour later is taken",
}


@dataclass(frozen=True, slots=True)
class Converted:
    """One column (n,) and which of its values could not be converted, or only with an assumption."""

    column: pd.Series
    mistakes: Masks = field(default_factory=dict)
    notes: Masks = field(default_factory=dict)


def to_kind(column: pa.Array, kind: Kind, *, zone: ZoneInfo, time_format: str | None = None) -> Converted:
    """Convert the values (n,) of one field; a value that cannot be converted is missing and marked as a mistake.

    Parameters
    ----------
    zone
        Zone of local times that name none.
    time_format
        `strptime` format of times and dates; ISO 8601 (also with ``/``) when None.
    """
    if kind in ("text", "code"):
        return Converted(_series(as_text(column)))
    if kind == "integer":
        return _integers(column)
    if kind == "real":
        return _reals(column)
    if kind == "boolean":
        return _booleans(column)
    return _dates(column, time_format) if kind == "date" else _instants(column, zone, time_format)


def as_text(column: pa.Array) -> pa.Array:
    """Return values as trimmed text, empty ones as missing; a whole number has no decimal point."""
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_finite(column), column, None)
        whole = pc.all(pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), EXACT_WHOLE)))
        # A column of whole numbers with gaps arrives as floats; its codes must not end in ".0".
        column = pc.cast(column, pa.int64()) if whole.as_py() else column
    text = column if pa.types.is_string(kind) else pc.cast(column, pa.string())
    text = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(text, ""), None, text)


def _series(column: pa.Array) -> pd.Series:
    return column.to_pandas().astype("str")


def _mask(column: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(column, fill_value=False).to_numpy(zero_copy_only=False), dtype=bool)


def _given(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)


def _marked(**masks: np.ndarray) -> Masks:
    return {code: mask for code, mask in masks.items() if mask.any()}


def _numbers(column: pa.Array, pattern: str) -> tuple[pa.Array, np.ndarray]:
    """Return (n,) float64 and which values are no numbers of that pattern."""
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = pc.cast(column, pa.float64(), safe=False)
        wrong = _given(values) & _mask(pc.is_inf(values))
        return pc.if_else(pc.is_finite(values), values, None), wrong
    text = as_text(column)
    good = pc.match_substring_regex(text, pattern)
    values = pc.cast(pc.if_else(pc.fill_null(good, fill_value=False), text, None), pa.float64())
    finite = pc.if_else(pc.is_finite(values), values, None)
    return finite, _given(text) & ~_given(finite)


def _integers(column: pa.Array) -> Converted:
    if pa.types.is_integer(column.type):
        return Converted(_nullable(pc.cast(column, pa.int64(), safe=False), "Int64"))
    values, wrong = _numbers(column, INTEGER)
    whole = _mask(pc.and_(pc.equal(pc.floor(values), values), pc.less_equal(pc.abs(values), EXACT_WHOLE)))
    wrong |= _given(values) & ~whole
    kept = pc.cast(pc.if_else(pa.array(whole), values, None), pa.int64())
    return Converted(_nullable(kept, "Int64"), _marked(not_a_whole_number=wrong))


def _reals(column: pa.Array) -> Converted:
    values, wrong = _numbers(column, REAL)
    return Converted(values.to_pandas().astype("float64"), _marked(not_a_number=wrong))


def _booleans(column: pa.Array) -> Converted:
    if pa.types.is_boolean(column.type):
        return Converted(_nullable(column, "boolean"))
    text = pc.utf8_lower(as_text(column))
    yes, no = (_mask(pc.is_in(text, pa.array(words))) for words in (TRUE, FALSE))
    values = pd.Series(pd.array(yes, dtype="boolean")).mask(~(yes | no))
    return Converted(values, _marked(not_true_or_false=_given(text) & ~yes & ~no))


def _nullable(column: pa.Array, dtype: str) -> pd.Series:
    missing = ~_given(column)
    filled = pc.fill_null(column, fill_value=0 if dtype == "Int64" else False).to_numpy(zero_copy_only=False)
    return pd.Series(pd.array(filled, dtype=dtype)).mask(missing)


def _parsed(text: pd.Series, time_format: str | None, *, utc: bool) -> pd.Series:
    if time_format is not None:
        return pd.to_datetime(text, format=time_format, errors="coerce", utc=utc).astype(_dtype(utc=utc))
    plain = text.str.replace("/", "-", regex=False)
    return pd.to_datetime(plain, format="ISO8601", errors="coerce", utc=utc).astype(_dtype(utc=utc))


def _dtype(*, utc: bool) -> str:
    return "datetime64[us, UTC]" if utc else "datetime64[us]"


def _dates(column: pa.Array, time_format: str | None) -> Converted:
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        days = pc.cast(pc.cast(column, pa.date32(), safe=False), pa.timestamp("us"))
        return Converted(days.to_pandas().astype(_dtype(utc=False)))
    text = _series(as_text(column))
    has_zone = text.str.contains(ZONED, regex=True, na=False)
    # Of a time with a zone the calendar day is the one written, not the one in UTC.
    values = _parsed(text.mask(has_zone, text.str.slice(0, 10)), time_format, utc=False).dt.normalize()
    return Converted(values, _marked(not_a_date=(text.notna() & values.isna()).to_numpy()))


def _instants(column: pa.Array, zone: ZoneInfo, time_format: str | None) -> Converted:
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("us"))
    if pa.types.is_timestamp(column.type):
        if column.type.tz is not None:
            return Converted(column.to_pandas().dt.tz_convert("UTC").astype(_dtype(utc=True)))
        return _localised(column.to_pandas().astype(_dtype(utc=False)), zone)
    text = _series(as_text(column))
    zoned = text.str.contains(ZONED, regex=True, na=False) | (time_format is not None and "%z" in time_format)
    local = _localised(_parsed(text.mask(zoned), time_format, utc=False), zone)
    if not zoned.any():
        values = local.column
    else:
        values = local.column.where(~zoned, _parsed(text.where(zoned), time_format, utc=True))
    return Converted(values, _marked(not_a_time=(text.notna() & values.isna()).to_numpy()), local.notes)


def _localised(clock: pd.Series, zone: ZoneInfo) -> Converted:
    """Return the instants of a wall clock; an hour that the clocks skipped or repeated is noted."""
    first = clock.dt.tz_localize(zone, ambiguous=np.ones(len(clock), dtype=bool), nonexistent=pd.Timedelta("1h"))
    second = clock.dt.tz_localize(zone, ambiguous=np.zeros(len(clock), dtype=bool), nonexistent=pd.Timedelta("1h"))
    repeated = (first != second).to_numpy() & clock.notna().to_numpy()
    skipped = (first.dt.tz_localize(None) != clock).to_numpy() & clock.notna().to_numpy()
    values = first.dt.tz_convert("UTC").astype(_dtype(utc=True))
    return Converted(values, notes=_marked(repeated_hour=repeated, skipped_hour=skipped))
