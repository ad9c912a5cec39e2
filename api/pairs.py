"""``name=value`` options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from gis.errors import InvalidInput, Problem


def pairs(entries: Iterable[str], option: str) -> dict[str, str]:
    """Return ``name=value`` entries as a dictionary; `InvalidInput` names every entry that is none.

    Examples
    --------
    >>> pairs(["category=Primary Type"], "--map")
    {'category': 'Primary Type'}
    """
    found: dict[str, str] = {}
    problems = []
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip():
            problems.append(Problem("not_a_pair", f"'{entry}' is not name=value", option))
        elif name.strip() in found:
            problems.append(Problem("doubled", f"'{name.strip()}' is given twice", option))
        found[name.strip()] = value
    if problems:
        raise InvalidInput(f"{option} cannot be read", problems)
    return found


def parameters(entries: Iterable[str]) -> dict[str, Any]:
    """Return ``name=value`` entries with values read as JSON where they are JSON, else as text.

    Examples
    --------
    >>> parameters(["lattice_m=300", "units=grids", "period=null"])
    {'lattice_m': 300, 'units': 'grids', 'period': None}
    """
    return {name: _value(text) for name, text in pairs(entries, "--param").items()}


def _value(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
