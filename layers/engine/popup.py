"""What a click on a feature tells: rows made from the layer's columns and their contract."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from gis.city import codebook
from gis.contract.frame import Column
from gis.contract.text import Language, Text
from layers.engine.layer import Layer
from layers.engine.scale import Categorical

Format = Literal["text", "int", "real", "pct", "date", "instant", "code"]

GROUPED_FROM = 1000
"""Real numbers from here on are written whole, with their thousands grouped."""

WRITTEN: Mapping[Format, Callable[[Any], str]] = {
    "text": str,
    "int": lambda value: f"{int(value):,}",
    "real": lambda value: f"{value:,.0f}" if abs(value) >= GROUPED_FROM else f"{value:.3g}",
    "pct": lambda value: f"{100 * value:.3g} %",
    "date": lambda value: str(pd.Timestamp(value).strftime("%Y-%m-%d")),
}

YES_NO = {"true": Text("是", "Yes"), "false": Text("否", "No")}


class Row(NamedTuple):
    """One line of a popup.

    Attributes
    ----------
    codes
        Word for each code, where the format is ``code``.
    """

    field: str
    title: Text
    format: Format
    codes: Mapping[str, Text]


def rows(layer: Layer) -> tuple[Row, ...]:
    """Return the popup of a layer, in the order of reading."""
    return tuple(_row(layer, layer.spec.column(name)) for name in layer.popup)


def words(row: Row, value: Any, *, language: Language, time_zone: str) -> str:
    """Return a value as a person reads it; empty when there is none.

    Examples
    --------
    >>> words(Row("share", Text("占比", "Share"), "pct", {}), 0.125, language="en", time_zone="UTC")
    '12.5 %'
    """
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if row.format == "code":
        # A truth value comes as True from Python and as true from a tile.
        code = str(value).lower() if row.codes is YES_NO else str(value)
        return row.codes[code].in_(language) if code in row.codes else str(value)
    if row.format == "instant":
        return str(pd.Timestamp(value).tz_convert(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M"))
    return WRITTEN[row.format](value)


def _row(layer: Layer, column: Column) -> Row:
    codes = _codes(layer, column)
    unit = f" ({column.unit})" if column.unit else ""
    return Row(column.name, Text(column.title.zh + unit, column.title.en + unit), _format(column, codes), codes)


def _codes(layer: Layer, column: Column) -> Mapping[str, Text]:
    if column.kind == "boolean":
        return YES_NO
    if column.codebook:
        return codebook(column.codebook)
    symbol = layer.symbol
    if isinstance(symbol, Categorical) and symbol.field == column.name:
        # A result's classes have no codebook; the legend's words are theirs.
        return {c.codes[0]: c.label for c in symbol.classes if len(c.codes) == 1}
    return {}


def _format(column: Column, codes: Mapping[str, Text]) -> Format:
    match column.kind:
        case "integer":
            return "int"
        case "real":
            return "pct" if column.name == "share" or column.name.endswith("_share") else "real"
        case "boolean":
            return "code"
        case "code":
            return "code" if codes else "text"
        case "instant" | "date" | "text" as same:
            return same
