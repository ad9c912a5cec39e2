"""What a row of the audit log says."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from gis.store.boxes import Bounds

Action = Literal[
    "view",
    "export",
    "run",
    "change",
    "import",
    "denied",
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "role",
    "account",
    "grant",
    "token",
    "setting",
    "retention",
]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
BOX_DEG: Final = 0.01
"""Boxes are written down to about a kilometre: a closer one could say which house somebody looked at."""
_DIGITS: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be written down; who it was is taken from the asker at hand.

    Attributes
    ----------
    object
        What it was done to, as its path here: ``collections/incidents``, ``plans/3``, ``accounts/night-desk``.
    city_id
        The city it belongs to; None where it belongs to none.
    bbox
        The box that was asked for, see `rounded`.
    filter
        Names of properties and operators, and a digest; never a value.
    rows_count
        How many rows went out or came in; None where that says nothing.
    detail
        What else; neither rows nor secrets.
    """

    action: Action
    object: str
    city_id: int | None = None
    bbox: str | None = None
    filter: str | None = None
    rows_count: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the chain, in the order of its hash.

    Attributes
    ----------
    seq
        From 1, without gaps.
    areas
        The areas that the asker's scope covered; None for a whole city.
    detail
        JSON, as it was hashed.
    previous, hash
        32 bytes each; the hash of the row before, and of this one.
    """

    seq: int
    at: dt.datetime
    account_id: int | None
    account: str | None
    role: str
    action: str
    object: str
    city_id: int | None
    areas: tuple[int, ...] | None
    bbox: str | None
    filter: str | None
    rows_count: int | None
    purpose: str | None
    request_id: str | None
    detail: str
    previous: bytes
    hash: bytes


def rounded(bounds: Bounds | None) -> str | None:
    """Return a box in degrees, grown to whole hundredths of a degree.

    Examples
    --------
    >>> rounded((120.617, 31.284, 120.6221, 31.29))
    '120.61,31.28,120.63,31.29'
    """
    if bounds is None:
        return None
    west, south, east, north = bounds
    low = [math.floor(round(value / BOX_DEG, 6)) * BOX_DEG for value in (west, south)]
    high = [math.ceil(round(value / BOX_DEG, 6)) * BOX_DEG for value in (east, north)]
    return ",".join(f"{value:.{_DIGITS}f}" for value in (*low, *high))
