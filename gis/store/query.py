"""Which features are asked for: area, time, properties, how many, from where on.

Pure: no SQL here. `gis.store.clauses` compiles it, for items, tiles and exports alike.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from gis.crs import Reference
from gis.errors import InvalidInput, Problem
from gis.store.boxes import Bounds, unwrapped
from gis.store.cql2.filter import Filter, Node
from gis.store.texts import storable

Interval = tuple[dt.datetime | None, dt.datetime | None]
"""First and last instant, both included; None where a side is open."""
Value = str | int | float | bool | dt.date | dt.datetime

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
MAX_KEY: Final = 2**63 - 1
LONLAT_SRID: Final = 4326
_TURN: Final = 360.0
_POLE: Final = 90.0


class QueryShape(NamedTuple):
    """What of a query decides its SQL; the values do not. Statements are compiled once a shape."""

    boxes: int = 0
    start: bool = False
    end: bool = False
    equals: tuple[str, ...] = ()
    after: bool = False
    where: Node | None = None
    srid: int = LONLAT_SRID
    north_first: bool = False


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """A filter, and a page of what passes it.

    Attributes
    ----------
    bbox
        West may be greater than east: such a box crosses the antimeridian.
    equals
        Property -> its accepted values, of the property's own kind; all properties must match.
    limit
        At least 1; more than 10,000 is taken as 10,000.
    after
        What `token` returned for the last feature of the page before.
    where
        A condition in CQL2 that has been checked; it holds beside all others.
    crs
        In which the geometries come; degrees of WGS84, east before north, when not given.

    Raises
    ------
    InvalidInput
        Names everything that is wrong.
    """

    bbox: Bounds | None = None
    interval: Interval | None = None
    equals: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    where: Filter | None = None
    crs: Reference | None = None

    def __post_init__(self) -> None:
        problems = [*_bbox_problems(self.bbox), *_interval_problems(self.interval), *_equals_problems(self.equals)]
        if self.limit < 1:
            problems.append(Problem("bad_limit", "must be at least 1", "limit"))
        if problems:
            raise InvalidInput("the query is not valid", problems)
        object.__setattr__(self, "limit", min(self.limit, MAX_LIMIT))
        object.__setattr__(self, "equals", {name: tuple(self.equals[name]) for name in sorted(self.equals)})

    @property
    def boxes(self) -> tuple[Bounds, ...]:
        """The parts of `bbox` between -180 and 180 degrees: none, one or two."""
        return () if self.bbox is None else unwrapped(self.bbox)

    @property
    def shape(self) -> QueryShape:
        """What of this query decides its SQL."""
        start, end = self.interval or (None, None)
        return QueryShape(
            len(self.boxes),
            start is not None,
            end is not None,
            tuple(self.equals),
            after=self.after is not None,
            where=self.where.node if self.where is not None else None,
            srid=self.crs.epsg if self.crs is not None else LONLAT_SRID,
            north_first=self.crs is not None and self.crs.north_first,
        )

    @property
    def digest(self) -> str:
        """Short name of the filter alone, without limit and position; for cache keys and page tokens."""
        return _digest_of_none() if self._is_unfiltered else self._digest()

    @property
    def _is_unfiltered(self) -> bool:
        return self.bbox is None and self.interval is None and not self.equals and self.where is None

    def _digest(self) -> str:
        instants = [None if at is None else at.astimezone(dt.UTC).isoformat() for at in self.interval or ()]
        # The kind stands beside the value: the number 1, the text "1" and true are different filters.
        equals = {name: sorted([type(v).__name__, str(v)] for v in values) for name, values in self.equals.items()}
        where = self.where.digest if self.where is not None else None
        text = json.dumps([self.bbox, instants, equals, where], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def token(self, relation: str, last: int) -> str:
        """Return the opaque position after the feature with the key `last`, bound to this filter and relation."""
        return base64.urlsafe_b64encode(json.dumps([self._binding(relation), last]).encode()).decode().rstrip("=")

    def position(self, relation: str) -> int | None:
        """Return the key that `after` stands for, None at the start.

        Raises
        ------
        InvalidInput
            The token is not one of this filter and relation.
        """
        if self.after is None:
            return None
        try:
            padded = self.after.encode("ascii") + b"=" * (-len(self.after) % 4)
            binding, last = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, TypeError, binascii.Error, RecursionError):
            binding, last = None, None
        if binding != self._binding(relation) or type(last) is not int or not 0 <= last <= MAX_KEY:
            problem = Problem("bad_token", "does not continue this query; follow the 'next' link as it is", "after")
            raise InvalidInput("the page token is not valid", [problem])
        return last

    def _binding(self, relation: str) -> str:
        return hashlib.sha256(f"{relation} {self.digest}".encode()).hexdigest()[:12]


@cache
def _digest_of_none() -> str:
    return ItemQuery()._digest()  # noqa: SLF001 - its own


def _bbox_problems(bbox: Bounds | None) -> list[Problem]:
    if bbox is None:
        return []
    west, south, east, north = bbox
    if not all(map(math.isfinite, bbox)) or max(abs(west), abs(east)) > _TURN or max(abs(south), abs(north)) > _POLE:
        return [Problem("bad_bbox", "must be west, south, east, north in degrees", "bbox")]
    if south > north:
        return [Problem("bad_bbox", "its south is north of its north", "bbox")]
    return []


def _interval_problems(interval: Interval | None) -> list[Problem]:
    start, end = interval or (None, None)
    if any(at is not None and at.tzinfo is None for at in (start, end)):
        return [Problem("bad_interval", "an instant needs its time zone", "datetime")]
    if start is not None and end is not None and start > end:
        return [Problem("bad_interval", "ends before it starts", "datetime")]
    return []


def _equals_problems(equals: Mapping[str, tuple[Value, ...]]) -> list[Problem]:
    problems = [Problem("no_value", "at least one value is needed", name) for name, have in equals.items() if not have]
    problems += [
        Problem("bad_text", "holds a character that text cannot hold", name)
        for name, values in equals.items()
        if any(isinstance(value, str) and not storable(value) for value in values)
    ]
    return problems
