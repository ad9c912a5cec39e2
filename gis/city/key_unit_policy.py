"""The policy of a city about key units: guards, drills, inspections, plans, and distances from hazards.

Every number is a dated row with its source in ``data/policy/key_units.toml``.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gis.city.codebook import codebook
from gis.city.policy_rows import FOLDER, PolicyRow, rows_in_force
from gis.errors import InvalidInput, Problem

FILE = FOLDER / "key_units.toml"
DEFAULT = "default"
_TABLES = ("guards.least_count", "drill.every_days", "inspection.every_days", "plan.every_days", "hazard.buffer_m")
_SENSITIVE = "hazard.sensitive_kinds"


@dataclass(frozen=True, slots=True)
class KeyUnitPolicy:
    """The numbers in force on one day.

    Attributes
    ----------
    guards_count, drill_days, inspection_days, plan_days
        Kind -> fewest guards, and the longest time between two drills, inspections and reviews of the plan; what is
        not named has that of ``default``.
    buffer_m
        Kind of a hazardous unit -> how far around it a sensitive one should not be.
    sensitive_kinds
    rows
        The rows that these numbers come from.
    """

    guards_count: Mapping[str, float]
    drill_days: Mapping[str, float]
    inspection_days: Mapping[str, float]
    plan_days: Mapping[str, float]
    buffer_m: Mapping[str, float]
    sensitive_kinds: tuple[str, ...]
    rows: tuple[PolicyRow, ...] = ()


def key_unit_policy(day: dt.date | None = None, file: Path = FILE) -> KeyUnitPolicy:
    """Return the numbers in force on a day; the newest ones without a day.

    Raises
    ------
    InvalidInput
        Names every row that is missing, unknown or wrong.

    Examples
    --------
    >>> policy = key_unit_policy()
    >>> policy.guards_count["school"], policy.sensitive_kinds[0]
    (2, 'school')
    """
    return _read(file.read_text(encoding="utf-8"), day)


@cache
def _read(text: str, day: dt.date | None) -> KeyUnitPolicy:
    """Return the numbers of a table as it is written; a table that was edited is another one."""
    return key_unit_policy_of(tomllib.loads(text), day=day)


def key_unit_policy_of(told: Mapping[str, Any], *, day: dt.date | None = None) -> KeyUnitPolicy:
    """Return the numbers in force on a day, from the rows of a policy table."""
    rows = rows_in_force(told, {*_TABLES, _SENSITIVE}, day=day)
    kinds = codebook("key_unit_kinds")
    problems = []
    for id_ in _TABLES:
        value, whole = rows[id_].value, id_ != "hazard.buffer_m"
        if not _is_table(value):
            problems.append(Problem("bad_value", "needed: for each kind a number from 0", id_))
            continue
        if unknown := sorted(set(value) - set(kinds) - ({DEFAULT} if whole else set())):
            problems.append(Problem("unknown_kind", f"no such kind {', '.join(unknown)}", id_))
        if whole and DEFAULT not in value:
            problems.append(Problem("missing_value", "needed: a number for 'default'", id_))
    sensitive = rows[_SENSITIVE].value
    if not isinstance(sensitive, list) or set(sensitive) - set(kinds):
        problems.append(Problem("bad_value", "needed: a list of kinds of key units", _SENSITIVE))
    if problems:
        raise InvalidInput("this policy cannot be used", problems)
    guards, drill, inspection, plan, buffer = (_WithDefault(rows[id_].value) for id_ in _TABLES)
    every = tuple(rows[id_] for id_ in sorted(rows))
    return KeyUnitPolicy(guards, drill, inspection, plan, buffer, tuple(sensitive), every)


class _WithDefault(dict[str, float]):
    """Numbers by kind; a kind that is not named has that of ``default``, where there is one."""

    def __missing__(self, kind: str) -> float:
        if kind == DEFAULT:
            raise KeyError(kind)
        return self[DEFAULT]


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(one, (int, float)) and not isinstance(one, bool) and one >= 0 for one in value.values()
    )
