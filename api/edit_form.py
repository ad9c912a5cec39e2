"""The fields of a form that edits a feature, from the contract of its layer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from api.catalogue import properties
from gis.city import codebook
from gis.contract.frame import Column, Kind
from gis.contract.text import Language
from layers.engine.layer import Layer

INPUTS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        "text": "text",
        "code": "text",
        "integer": "number",
        "real": "number",
        "boolean": "select",
        "instant": "text",
        "date": "date",
    }
)
YES_NO: Final[Mapping[Language, tuple[str, str]]] = MappingProxyType({"zh": ("是", "否"), "en": ("yes", "no")})


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes
    ----------
    input
        ``text``, ``number``, ``date`` or ``select``.
    value
        As the input shows it; empty for none.
    options
        Code -> words, of a select.
    needed
        Whether a feature must have it.
    """

    name: str
    title: str
    kind: Kind
    input: str
    value: str
    options: Mapping[str, str]
    needed: bool
    hint: str


def fields(
    layer: Layer, feature: Mapping[str, Any] | None, *, language: Language, time_zone: str, open_codes: bool
) -> list[Field]:
    """Return the fields of a layer's features, filled from one of them or empty for a new one.

    Parameters
    ----------
    open_codes
        Whether the city takes categories of its own as they come.
    """
    values = feature["properties"] if feature is not None else {}
    return [
        _field(column, values.get(column.name), language, time_zone, open_codes=open_codes)
        for column in properties(layer)
    ]


def _field(column: Column, value: Any, language: Language, time_zone: str, *, open_codes: bool) -> Field:
    options: Mapping[str, str] = {}
    if column.codebook is not None and not (open_codes and column.codebook == "incident_categories"):
        options = {code: words.in_(language) for code, words in codebook(column.codebook).items()}
    elif column.kind == "boolean":
        options = dict(zip(("true", "false"), YES_NO[language], strict=True))
    hint = column.unit
    if column.kind == "instant":
        hint = "YYYY-MM-DD HH:MM" if language == "en" else "年-月-日 时:分，如 2026-01-31 08:30"
    return Field(
        column.name,
        column.title.in_(language),
        column.kind,
        "select" if options else INPUTS[column.kind],
        _shown(value, column.kind, time_zone),
        options,
        needed=column.required and column.name != "location_withheld",
        hint=hint,
    )


def _shown(value: Any, kind: Kind, time_zone: str) -> str:
    if value is None:
        return ""
    if kind == "instant":
        # A time without a zone is read as the clock of the city, so that is how it is shown.
        return dt.datetime.fromisoformat(value).astimezone(ZoneInfo(time_zone)).strftime("%Y-%m-%d %H:%M:%S")
    return str(value).lower() if kind == "boolean" else str(value)
