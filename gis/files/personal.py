"""What may not come in: fields about persons, values that identify one, categories that are out of scope.

wangge keeps places and events. A file that brings people along is refused by the names of its fields, and row by row
where a text holds a mobile number, an identity number or a vehicle plate. Such a value is never repeated: not in the
report, not in a log.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

WORDS_FILE = Path(__file__).parents[2] / "data" / "refused" / "words.toml"
NAMELESS_FRAMES = frozenset({"incidents", "rentals", "patrol_runs"})
"""Frames whose rows have no name of their own: a name in them is a person's."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOBILE = re.compile(r"(?<![\w/+.-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\w.])", re.ASCII)
_IDENTITY = re.compile(r"(?<!\d)\d{17}[\dXx](?![\dA-Za-z])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z][·•.\s-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"
    r"(?![A-Za-z0-9])"
)
_STAFF_NUMBER = re.compile(r"[A-Za-z]{0,3}[- ]?\d{5,}", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_WORTH_A_LOOK = (
    r"1[3-9]\d[- ]?\d{4}|\d{17}|[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领][A-HJ-NP-Z]"
)

DETECTORS: Mapping[str, str] = MappingProxyType(
    {
        "mobile_number": "looks like a mobile number; the value is not kept",
        "identity_number": "looks like an identity number; the value is not kept",
        "vehicle_plate": "looks like a vehicle plate; the value is not kept",
        "staff_number": "looks like the number of a member of staff; call the unit by its own, such as Patrol 3",
        "person_name": "looks like a person's name; call the unit by its own, such as Patrol 3; the value is not kept",
    }
)
"""Code -> sentence, which never repeats the value."""


@dataclass(frozen=True, slots=True)
class RefusedWords:
    """The contents of ``data/refused/words.toml``."""

    categories: Mapping[str, tuple[str, ...]]
    fields: tuple[str, ...]
    fields_of_events: tuple[str, ...]
    surnames: frozenset[str]
    units: frozenset[str]


@cache
def refused_words() -> RefusedWords:
    """Return the words that are refused everywhere."""
    content = tomllib.loads(WORDS_FILE.read_text(encoding="utf-8"))
    return RefusedWords(
        MappingProxyType({name: tuple(words) for name, words in content["categories"].items()}),
        tuple(content["personal"]["fields"]),
        tuple(content["personal"]["fields_of_events"]),
        frozenset("".join(content["personal"]["surnames"].split())),
        frozenset("".join(content["personal"]["units"].split())),
    )


def is_personal_field(name: str, frame_id: str) -> bool:
    """Return whether a field's name says that it describes a person.

    Examples
    --------
    >>> [is_personal_field(n, "rentals") for n in ("tenantName", "联系电话", "rooms_count", "name")]
    [True, True, False, True]
    >>> is_personal_field("name", "districts")
    False
    """
    words = refused_words()
    tokens = _tokens(name)
    if any(_names(word, name, tokens) for word in words.fields):
        return True
    return frame_id in NAMELESS_FRAMES and any(
        tokens == word.split() or name.strip() == word for word in words.fields_of_events
    )


def _tokens(name: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", _CAMEL.sub(" ", name).casefold())


def _names(word: str, name: str, tokens: list[str]) -> bool:
    if _HAN.search(word):
        return word in name
    wanted = word.split()
    return any(tokens[i : i + len(wanted)] == wanted for i in range(len(tokens) - len(wanted) + 1))


def personal_values(values: pd.Series) -> dict[str, np.ndarray]:
    """Return which texts (n,) hold a value that identifies a person: detector code -> mask; only detectors that hit."""
    worth = values.str.contains(_WORTH_A_LOOK, regex=True, na=False).to_numpy(dtype=bool)
    found: dict[str, np.ndarray] = {}
    for position in np.flatnonzero(worth):
        text = str(values.iloc[position])
        for code, hit in (
            ("mobile_number", bool(_MOBILE.search(text))),
            ("identity_number", any(_has_check_digit(m.group()) for m in _IDENTITY.finditer(text))),
            ("vehicle_plate", bool(_PLATE.search(text))),
        ):
            if hit:
                found.setdefault(code, np.zeros(len(values), dtype=bool))[position] = True
    return found


def person_labels(values: pd.Series) -> dict[str, np.ndarray]:
    """Return which labels (n,) of units are those of a person: detector code -> mask; only detectors that hit.

    A staff number, or a Chinese name: two or three characters, the first a common surname and none of them a word for a
    unit. Names in other scripts cannot be told from a unit's.

    Examples
    --------
    >>> labels = pd.Series(["Patrol 3", "巡逻三组", "王小明", "金鸡湖", "012345"])
    >>> {code: list(labels[mask]) for code, mask in person_labels(labels).items()}
    {'staff_number': ['012345'], 'person_name': ['王小明']}
    """
    texts = ["" if pd.isna(value) else str(value).strip() for value in values]
    masks = {
        "staff_number": np.array([bool(_STAFF_NUMBER.fullmatch(text)) for text in texts], dtype=bool),
        "person_name": np.array([_is_name(text) for text in texts], dtype=bool),
    }
    return {code: mask for code, mask in masks.items() if mask.any()}


def _is_name(text: str) -> bool:
    words = refused_words()
    short = 2 <= len(text) <= 3 and all(_HAN.match(letter) for letter in text)  # noqa: PLR2004 - surname, given name
    return short and text[0] in words.surnames and not words.units & set(text[1:])


def _has_check_digit(number: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return _CHECK_DIGITS[total % 11] == number[17].upper()


def refused_categories(values: pd.Series) -> dict[str, np.ndarray]:
    """Return which categories (n,) are out of scope: ``political``, ``religious`` or ``petition`` -> mask."""
    distinct = values.dropna().unique()
    found = {}
    for name, words in refused_words().categories.items():
        pattern = _pattern(words)
        hits = [value for value in distinct if pattern.search(str(value))]
        if hits:
            found[name] = values.isin(hits).to_numpy(dtype=bool)
    return found


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    parts = [
        re.escape(word)
        if _HAN.search(word)
        else rf"\b{re.escape(word.removesuffix('*'))}{'' if word.endswith('*') else chr(92) + 'b'}"
        for word in words
    ]
    return re.compile("|".join(parts), re.IGNORECASE)
