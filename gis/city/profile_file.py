"""A city's profile as a file: the same few lines for the demo, for a notebook and for ``wangge city create``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import InvalidInput, NotFound, Problem

FIELDS: dict[str, type] = {
    "slug": str,
    "title": dict,
    "metric_crs": str,
    "time_zone": str,
    "lattice_origin": list,
    "languages": list,
    "open_categories": bool,
    "grid_code_pattern": str,
    "attribution": str,
    "synthetic": bool,
}
NEEDED = ("slug", "title", "metric_crs", "time_zone")


def read_profile(path: Path) -> CityProfile:
    """Return the profile written in a TOML file.

    The keys are the fields of `CityProfile`, `title` a table of ``zh`` and ``en``; the demo city has such a file.

    Raises
    ------
    NotFound
        There is no such file.
    InvalidInput
        Names every key that is missing, unknown or of a wrong kind, and every value that cannot be used.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} is no TOML: {error}") from None
    problems = [Problem("missing_key", "is needed", key) for key in NEEDED if key not in values]
    problems += [Problem("unknown_key", "is no field of a city profile", key) for key in values if key not in FIELDS]
    problems += [
        Problem("wrong_kind", f"must be a TOML {_WORDS[kind]}", key)
        for key, kind in FIELDS.items()
        if key in values and not isinstance(values[key], kind)
    ]
    problems += _title_problems(values.get("title"))
    if problems:
        raise InvalidInput(f"{path.name} is no city profile", problems)
    return CityProfile.from_dict(values)


_WORDS: dict[type, str] = {str: "string", dict: "table", list: "array", bool: "boolean"}


def _title_problems(title: object) -> list[Problem]:
    if not isinstance(title, dict) or all(isinstance(title.get(language), str) for language in Text._fields):
        return []
    return [Problem("missing_key", "needs the names zh and en", "title")]
