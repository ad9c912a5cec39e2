"""What the parameters and numbers of services are called in both languages, for forms and tables of results."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from gis.city import codebook, codebooks

FOLDER: Final = Path(__file__).parents[1] / "data" / "words"
"""One file a service, and ``common.toml`` for what they share."""
OPEN_BOOKS: Final = ("incident_categories",)
"""Books whose codes a city may leave aside for its own."""


@cache
def _known() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return section -> name -> entry over all files; ValueError where two files say the same name."""
    known: dict[str, dict[str, Mapping[str, Any]]] = {"parameters": {}, "values": {}, "numbers": {}}
    for path in sorted(FOLDER.glob("*.toml")):
        for section, entries in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if twice := known[section].keys() & entries.keys():
                raise ValueError(f"{path.name}: [{section}] {', '.join(sorted(twice))} stands in another file too")
            known[section] |= entries
    return known


def _both(entry: Mapping[str, Any]) -> dict[str, str]:
    return {"zh": entry["zh"], "en": entry["en"]}


def terms() -> dict[str, dict[str, str]]:
    """Return every word that a result may hold, name or value -> zh and en."""
    known = {code: text._asdict() for book in codebooks().values() for code, text in book.items()}
    for section in ("values", "parameters", "numbers"):
        known |= {name: _both(entry) for name, entry in _known()[section].items()}
    return known


def worded(schema: Mapping[str, Any], *, open_categories: bool) -> dict[str, Any]:
    """Return a schema of parameters with the words of its form, beside those it has.

    Adds ``wangge:title``, ``wangge:description``, ``wangge:labels`` (value -> zh and en), ``wangge:advanced``, and the
    codes of a codebook as ``enum``.
    """
    properties = {
        name: _worded(entry, _known()["parameters"].get(name, {}), open_categories=open_categories)
        for name, entry in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties}


def _worded(entry: Mapping[str, Any], words: Mapping[str, Any], *, open_categories: bool) -> dict[str, Any]:
    known: dict[str, Any] = dict(entry)
    if words:
        known["wangge:title"] = _both(words)
        known["wangge:advanced"] = words.get("advanced", False)
    if "help_zh" in words:
        known["wangge:description"] = {"zh": words["help_zh"], "en": entry.get("description", "")}
    book = words.get("codebook")
    if book is not None and not (open_categories and book in OPEN_BOOKS):
        codes = codebook(book)
        known["wangge:labels"] = {code: text._asdict() for code, text in codes.items()}
        return _with_codes(known, list(codes))
    if values := {value for value in entry.get("enum", ()) if value in _known()["values"]}:
        known["wangge:labels"] = {value: _both(_known()["values"][value]) for value in values}
    return known


def _with_codes(entry: dict[str, Any], codes: list[str]) -> dict[str, Any]:
    """Return the schema of a list with its codes as the values of an item, also where the list may be null."""
    if entry.get("type") == "array":
        return {**entry, "items": {**entry.get("items", {}), "enum": codes}}
    if "anyOf" in entry:
        return {**entry, "anyOf": [_with_codes(branch, codes) for branch in entry["anyOf"]]}
    return entry
