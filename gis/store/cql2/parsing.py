"""From the text of a filter to its tree, with limits that are looked at before the parser sees it.

The parser of ``cql2`` 0.6 calls itself once a bracket, NOT or sign, and some thousands of them end the whole process:
1,000 of any kind are parsed in a thread of its own, 3,000 NOTs are a segmentation fault (measured).
"""

from __future__ import annotations

import io
import re
from typing import Any, Final, Literal

import cql2

from gis.errors import InvalidInput, Problem
from gis.files.json_depth import deepest

Language = Literal["cql2-text", "cql2-json"]

MAX_CHARACTERS: Final = 100_000
MAX_NESTING: Final = 64
MAX_REPEATED: Final = 200
"""NOTs, signs and powers in all; each of them can be one level of the parser."""
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_NESTING: Final = {"(": 1, ")": -1}
_REPEATED: Final = re.compile(r"\bnot\b|[-+^]", re.IGNORECASE)


def parse(text: str, language: Language = "cql2-text") -> Any:
    """Return the tree of a filter as CQL2-JSON has it: dicts, lists and plain values.

    Raises
    ------
    InvalidInput
        It is no CQL2, too long or too deeply nested.

    Examples
    --------
    >>> parse("n > 3")
    {'op': '>', 'args': [{'property': 'n'}, 3.0]}
    """
    if len(text) > MAX_CHARACTERS:
        raise refused(Problem("filter_too_long", f"has more than {MAX_CHARACTERS:,} characters", "filter"))
    if "\x00" in text:
        raise refused(Problem("bad_text", "must not hold a null character", "filter"))
    nesting = (
        _nesting(text) if language == "cql2-text" else deepest(io.BytesIO(text.encode()), cap=2 * MAX_NESTING) // 2
    )
    if nesting > MAX_NESTING or (language == "cql2-text" and _repeated(text) > MAX_REPEATED):
        raise refused(Problem("filter_too_deep", "is nested too deeply", "filter"))
    try:
        parsed = cql2.parse_text(text) if language == "cql2-text" else cql2.parse_json(text)
        tree = parsed.to_json()
    except (cql2.ParseError, cql2.ValidationError, ValueError, OverflowError) as error:
        raise refused(Problem("bad_filter", f"is not {language}: {_where(error)}", "filter")) from None
    # A sum of many terms is as deep as it is long, without a single bracket.
    if _depth(tree) > 2 * MAX_NESTING:
        raise refused(Problem("filter_too_deep", "is nested too deeply", "filter"))
    return tree


def refused(*problems: Problem) -> InvalidInput:
    """Return the error of a filter that cannot be used."""
    return InvalidInput("the filter is not valid", problems)


def _nesting(text: str) -> int:
    depth = most = 0
    for letter in _QUOTED.sub("", text):
        depth += _NESTING.get(letter, 0)
        most = max(most, depth)
    return most


def _depth(tree: Any) -> int:
    """Return how many dicts and lists lie in one another, without calling itself."""
    depth, level = 0, [tree]
    while level:
        inner: list[Any] = []
        for part in level:
            inner += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        level = inner
        depth += 1
    return depth


def _repeated(text: str) -> int:
    # A sign inside a number, as those of coordinates, is no level of its own.
    plain = re.sub(r"(?<=[\s(,=<>])[-+](?=[\d.])|(?<=[eE])[-+](?=\d)", "", _QUOTED.sub("", text))
    return len(_REPEATED.findall(plain))


def _where(error: Exception) -> str:
    """Return where the parser stopped, in one line."""
    if place := re.search(r"--> (\d+):(\d+)", str(error)):
        line, character = place.groups()
        return f"it stops being so at character {character}" + (f" of line {line}" if line != "1" else "")
    return (str(error).splitlines() or ["it cannot be read"])[0][:200]
