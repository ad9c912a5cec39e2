"""Code books: the closed lists of kinds, categories and origins, in both languages.

They live as TOML in ``data/codebook``, one file a book, so that a city can read and change them without programming::

    [codes.burglary]
    zh = "入室盗窃"
    en = "Burglary"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from gis.contract.text import Text
from gis.errors import NotFound

FOLDER = Path(__file__).parents[2] / "data" / "codebook"


@cache
def codebook(name: str) -> Mapping[str, Text]:
    """Return the codes of one book with their words, in the book's order."""
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise NotFound(f"no codebook '{name}' in {FOLDER}")
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["codes"]
    return MappingProxyType({code: Text(entry["zh"], entry["en"]) for code, entry in entries.items()})


@cache
def codebooks() -> Mapping[str, Mapping[str, Text]]:
    """Return every book, name -> codes."""
    return MappingProxyType({path.stem: codebook(path.stem) for path in sorted(FOLDER.glob("*.toml"))})
