"""Query parameters, read strictly: unknown, doubled or malformed is a 400 that names the parameter.

Pure functions of text, so that every row of the table of bad input is one small test.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from api.problems import BadQuery, bad_query
from gis.contract.frame import Column, Kind
from gis.errors import Problem
from gis.store.boxes import Bounds
from gis.store.query import DEFAULT_LIMIT, MAX_KEY, MAX_LIMIT, Interval, Value

COMMON: Final = ("f", "lang")
"""Parameters that every page takes: the format and the language."""


def known(query: QueryParams, allowed: Collection[str], *, several: Collection[str] = ()) -> dict[str, str]:
    """Return the parameters, each once; a `BadQuery` names every unknown or doubled one, and what is allowed.

    Those of `several` may be there more than once; `listed` reads them.

    Examples
    --------
    >>> known(QueryParams("limit=3"), ["limit"])
    {'limit': '3'}
    """
    names = [name for name, _ in query.multi_items()]
    expected = ", ".join(sorted({*allowed, *COMMON}))
    problems = [
        Problem("unknown_parameter", f"there is no such parameter here; allowed are: {expected}", name)
        for name in dict.fromkeys(names)
        if name not in allowed and name not in COMMON
    ]
    problems += [
        Problem("doubled_parameter", "given more than once", name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1 and name not in several
    ]
    if problems:
        raise BadQuery("a query parameter is not valid", problems)
    return dict(query)


def limit(text: str | None) -> int:
    """Return the page size: 100 when not given, 10,000 when more was asked (clamped, as the standard allows)."""
    if text is None:
        return DEFAULT_LIMIT
    if not re.fullmatch(r"[0-9]{1,18}", text) or int(text) < 1:
        raise bad_query("limit", f"must be a whole number from 1; more than {MAX_LIMIT} is taken as {MAX_LIMIT}")
    return min(int(text), MAX_LIMIT)


def listed(query: QueryParams, name: str, *, among: Collection[str] | None = None) -> list[str] | None:
    """Return the values of a list, repeated or separated by commas; None when it is not given.

    Examples
    --------
    >>> listed(QueryParams("status=failed&status=running,accepted"), "status")
    ['failed', 'running', 'accepted']
    """
    if name not in query:
        return None
    values = [value for text in query.getlist(name) for value in text.split(",")]
    if among is not None and not set(values) <= set(among):
        raise bad_query(name, f"must be one or more of {', '.join(among)}")
    return values


def seconds(asked: Mapping[str, str], name: str) -> int | None:
    """Return a length of time in whole seconds; None when it is not given."""
    text = asked.get(name)
    if text is not None and not re.fullmatch(r"[0-9]{1,9}", text):
        raise bad_query(name, "must be a whole number of seconds from 0, of at most nine digits")
    return None if text is None else int(text)


def box(text: str) -> Bounds:
    """Return the four numbers of a box in the order of their axes; six are taken without their heights."""
    parts = text.split(",")
    try:
        numbers = [_number(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6):
        raise bad_query("bbox", "must be four numbers (west,south,east,north in degrees), or six with heights")
    half = len(numbers) // 2
    return numbers[0], numbers[1], numbers[half], numbers[half + 1]


def bbox(text: str | None) -> Bounds | None:
    """Return west, south, east, north in degrees.

    West may be greater than east: such a box crosses the antimeridian.

    Examples
    --------
    >>> bbox("120,31,121,32")
    (120.0, 31.0, 121.0, 32.0)
    """
    if text is None:
        return None
    west, south, east, north = box(text)
    if south > north:
        raise bad_query("bbox", "its south is north of its north")
    if max(abs(west), abs(east)) > 360 or max(abs(south), abs(north)) > 90:  # noqa: PLR2004 - degrees
        raise bad_query("bbox", "is not in degrees of longitude and latitude")
    return west, south, east, north


def _number(text: str) -> float:
    if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*", text):
        raise ValueError(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MESSAGE = (
    "must be an instant such as 2026-01-31T12:00:00Z, a day such as 2026-01-31 (in the city's time zone), "
    "or two of them as from/to, where .. leaves a side open"
)


def interval(text: str | None, time_zone: str) -> Interval | None:
    """Return first and last instant, both included, None where a side is open; None when nothing was asked.

    Examples
    --------
    >>> interval("2026-01-31T12:00:00Z/..", "UTC")
    (datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.timezone.utc), None)
    """
    if text is None:
        return None
    parts = text.split("/")
    if len(parts) > 2 or parts == [""]:  # noqa: PLR2004 - from and to
        raise bad_query("datetime", _MESSAGE)
    zone = ZoneInfo(time_zone)
    try:
        spans = [_span(part, zone) for part in parts]
    except (ValueError, OverflowError):
        raise bad_query("datetime", _MESSAGE) from None
    if len(parts) == 1 and spans[0][0] is None:
        raise bad_query("datetime", _MESSAGE)
    start, end = spans[0][0], spans[-1][1]
    if start is not None and end is not None and start > end:
        raise bad_query("datetime", "ends before it starts")
    return start, end


def _span(text: str, zone: ZoneInfo) -> Interval:
    """Return first and last instant of one side: an instant is both, a day is its first and last microsecond."""
    if text in ("", ".."):
        return None, None
    if _INSTANT.fullmatch(text):
        instant = dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
        return instant, instant
    if _DAY.fullmatch(text):
        start = dt.datetime.fromisoformat(text).replace(tzinfo=zone)
        end = start + dt.timedelta(days=1) - dt.timedelta(microseconds=1)
        return start.astimezone(dt.UTC), end.astimezone(dt.UTC)
    raise ValueError(text)


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise ValueError(text)
    return int(text)


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _instant(text: str) -> dt.datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError(text)
    return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)


_READERS: Mapping[Kind, tuple[Callable[[str], Value], str]] = MappingProxyType(
    {
        "text": (str, "text"),
        "code": (str, "text"),
        "integer": (_integer, "a whole number"),
        "real": (_number, "a number"),
        "boolean": (_boolean, "true or false"),
        "instant": (_instant, "an instant such as 2026-01-31T12:00:00Z"),
        "date": (dt.date.fromisoformat, "a day such as 2026-01-31"),
    }
)


def values(column: Column, text: str) -> tuple[Value, ...]:
    """Return the values that a property may have; several are separated by commas.

    Examples
    --------
    >>> from gis.contract.text import Text
    >>> values(Column("rooms_count", "integer", Text("房间数", "Rooms")), "2,3")
    (2, 3)
    """
    read, word = _READERS[column.kind]
    if "\x00" in text:
        raise bad_query(column.name, "must not hold a null character")
    try:
        return tuple(read(part) for part in text.split(","))
    except (ValueError, KeyError, OverflowError):
        raise bad_query(column.name, f"must be {word}; several values are separated by commas") from None


def key(text: str) -> int | None:
    """Return a server-made key, or None where the text cannot be one (answer 404 then)."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or not 0 < int(text) <= MAX_KEY:
        return None
    return int(text)


def row_number(text: str | None) -> int:
    """Return the row to go on after: 0 when not given."""
    if text is None or text == "0":
        return 0
    number = key(text)
    if number is None:
        raise bad_query("after_row", "must be the number of a row")
    return number
