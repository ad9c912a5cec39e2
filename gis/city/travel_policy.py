"""The policy of a city about travel: how fast one gets along which streets, by mode and hour.

Every number is a dated row with its source in ``data/policy/travel.toml``.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from gis.city.policy_rows import FOLDER, PolicyRow, rows_in_force
from gis.errors import InvalidInput, Problem

FILE = FOLDER / "travel.toml"
Mode = Literal["drive", "cycle", "walk"]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
HOURS = 24
MOST_KMH = 200


@dataclass(frozen=True, slots=True)
class ModePolicy:
    """How one gets along by one mode.

    Attributes
    ----------
    speed_kmh
        Road class -> speed; what it does not name is closed to the mode.
    access
        The codes of access that the mode may use.
    takes_limit
        A street's own speed replaces the one of its class.
    obeys_oneway
        One-way streets are for their own direction only.
    hour_factor
        24 factors on the speeds, from the hour after midnight on.
    """

    speed_kmh: Mapping[str, float]
    access: tuple[str, ...]
    takes_limit: bool
    obeys_oneway: bool
    hour_factor: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TravelPolicy:
    """The numbers in force on one day.

    Attributes
    ----------
    drive, cycle, walk
        By mode.
    least_kmh, most_kmh
        Between these a street's own limit is believed.
    leg_kmh
        Pace between a place and the street, straight.
    snap_m
        A place farther than this from every street is on no street.
    rings_min
        Response rings, rising.
    rows
        The rows that these numbers come from.
    """

    drive: ModePolicy
    cycle: ModePolicy
    walk: ModePolicy
    least_kmh: float
    most_kmh: float
    leg_kmh: float
    snap_m: float
    rings_min: tuple[float, ...]
    rows: tuple[PolicyRow, ...] = ()

    def of(self, mode: Mode) -> ModePolicy:
        """Return the numbers of one mode."""
        return {"drive": self.drive, "cycle": self.cycle, "walk": self.walk}[mode]


_PARTS = ("speed_kmh", "access", "takes_limit", "obeys_oneway", "hour_factor")
_IDS = {
    "least_kmh": "limits.least_kmh",
    "most_kmh": "limits.most_kmh",
    "leg_kmh": "leg.speed_kmh",
    "snap_m": "leg.limit_m",
    "rings_min": "rings.response_min",
}


def travel_policy(day: dt.date | None = None, file: Path = FILE) -> TravelPolicy:
    """Return the numbers in force on a day; the newest ones without a day.

    Raises
    ------
    InvalidInput
        Names every row that is missing, unknown or wrong.

    Examples
    --------
    >>> travel_policy().rings_min
    (1, 3, 5)
    >>> travel_policy().of("walk").speed_kmh["steps"]
    2.4
    """
    return _read(file.read_text(encoding="utf-8"), day)


@cache
def _read(text: str, day: dt.date | None) -> TravelPolicy:
    """Return the numbers of a table as it is written; a table that was edited is another one."""
    return travel_policy_of(tomllib.loads(text), day=day)


def travel_policy_of(told: Mapping[str, Any], *, day: dt.date | None = None) -> TravelPolicy:
    """Return the numbers in force on a day, from the rows of a policy table."""
    known = {*_IDS.values(), *(f"{mode}.{part}" for mode in MODES for part in _PARTS)}
    rows = rows_in_force(told, known, day=day)
    values: dict[str, Any] = {
        id_: tuple(row.value) if isinstance(row.value, list) else row.value for id_, row in rows.items()
    }
    problems = []
    for id_, value in values.items():
        right, needed = _CHECKS[id_.partition(".")[2] if id_.partition(".")[0] in MODES else id_]
        if not right(value):
            problems.append(Problem("bad_value", f"needed: {needed}", id_))
    if not problems and values["limits.least_kmh"] > values["limits.most_kmh"]:
        problems.append(Problem("bad_value", "needed: no more than limits.most_kmh", "limits.least_kmh"))
    if problems:
        raise InvalidInput("this policy cannot be used", problems)
    drive, cycle, walk = (ModePolicy(*(values[f"{mode}.{part}"] for part in _PARTS)) for mode in MODES)
    numbers = {name: values[id_] for name, id_ in _IDS.items()}
    return TravelPolicy(drive, cycle, walk, **numbers, rows=tuple(rows[id_] for id_ in sorted(rows)))


def _number(value: Any, most: float = 100_000) -> bool:
    """Return whether it is a number above 0 and at most `most`."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= most


def _speeds(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(_number(one, MOST_KMH) for one in value.values())


def _codes(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(one, str) for one in value)


def _factors(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == HOURS and all(_number(one, 10) for one in value)


def _rings(value: Any) -> bool:
    numbers = isinstance(value, tuple) and bool(value) and all(_number(one, HOURS * 60) for one in value)
    return numbers and list(value) == sorted(set(value))


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "speed_kmh": (_speeds, f"for each road class a speed above 0, at most {MOST_KMH} km/h"),
    "access": (_codes, "a list of codes of access"),
    "takes_limit": (_flag, "true or false"),
    "obeys_oneway": (_flag, "true or false"),
    "hour_factor": (_factors, "24 factors above 0, at most 10, one an hour"),
    "limits.least_kmh": (_number, "a number above 0"),
    "limits.most_kmh": (_number, "a number above 0"),
    "leg.speed_kmh": (_number, "a number above 0"),
    "leg.limit_m": (_number, "a number above 0"),
    "rings.response_min": (_rings, "rising numbers of minutes, at most a day"),
}
