"""The policy of a city about its grids: every number of the rules, dated, with its source.

It lives as TOML in ``data/policy/grids.toml``, so that a city can read and change it without programming. A row is in
force from its day on, until a newer one of the same id.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from gis.city.policy_rows import FOLDER, PolicyRow, rows_in_force
from gis.errors import InvalidInput, Problem
from gis.kernels.plan_objective import Band

FILE = FOLDER / "grids.toml"


@dataclass(frozen=True, slots=True)
class WorkloadWeights:
    """What makes work, in households.

    Attributes
    ----------
    households, rentals, key_units
        Of one of each.
    incidents_per_year
        Of one incident a year.
    area_km2
        Of a square kilometre to walk.
    """

    households: float = 1.0
    rentals: float = 0.0
    key_units: float = 0.0
    incidents_per_year: float = 0.0
    area_km2: float = 0.0

    def __post_init__(self) -> None:
        problems = [
            Problem("bad_weight", "a weight is a number from 0", f.name, zh="权重须为不小于0的数")
            for f in fields(self)
            if not 0 <= getattr(self, f.name) < float("inf")
        ]
        if problems:
            raise InvalidInput("this is no model of the workload", problems, zh="这不是有效的工作量模型")
        if not any(getattr(self, f.name) for f in fields(self)):
            raise InvalidInput("nothing makes work: at least one weight must be above 0", zh="至少一个权重须大于0")


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers in force on one day.

    Attributes
    ----------
    target_households, soft_least_households, soft_most_households, hard_most_households
        The load band of a comprehensive grid: as it should be, limits of the warning, limit of failing.
    water_is_barrier, barrier_road_classes
        What a grid does not hang together across.
    border_road_classes, preferred_weight
        Where borders are preferred, and what a metre of them counts then.
    dedicated_kinds, dedicated_least_area_m2, dedicated_most_households
        Key units that ask for a dedicated grid, and the blocks that may become one.
    gap_width_m
        A gap narrower than this is an error of drawing.
    open_days
        Incidents this near to the newest one count as open.
    rows
        The rows that these numbers come from.
    """

    target_households: float
    soft_least_households: float
    soft_most_households: float
    hard_most_households: float
    water_is_barrier: bool
    barrier_road_classes: tuple[str, ...]
    border_road_classes: tuple[str, ...]
    preferred_weight: float
    dedicated_kinds: tuple[str, ...]
    dedicated_least_area_m2: float
    dedicated_most_households: float
    workload: WorkloadWeights
    gap_width_m: float
    open_days: float
    rows: tuple[PolicyRow, ...] = ()

    def __post_init__(self) -> None:
        _ = self.band
        if self.hard_most_households < self.soft_most_households:
            raise InvalidInput(
                "load.hard_most_households must not be below load.soft_most_households", zh="户数硬上限不得低于户数上限"
            )

    @property
    def band(self) -> Band:
        """The load band, in households."""
        return Band(self.target_households, self.soft_least_households, self.soft_most_households)


_IDS = {
    "target_households": "load.target_households",
    "soft_least_households": "load.soft_least_households",
    "soft_most_households": "load.soft_most_households",
    "hard_most_households": "load.hard_most_households",
    "water_is_barrier": "barriers.water",
    "barrier_road_classes": "barriers.road_classes",
    "border_road_classes": "borders.road_classes",
    "preferred_weight": "borders.preferred_weight",
    "dedicated_kinds": "dedicated.kinds",
    "dedicated_least_area_m2": "dedicated.least_area_m2",
    "dedicated_most_households": "dedicated.most_households",
    "gap_width_m": "seamless.gap_width_m",
    "open_days": "incidents.open_days",
}
_WEIGHTS = {f.name: f"workload.{f.name}" for f in fields(WorkloadWeights)}


@cache
def policy(day: dt.date | None = None, file: Path = FILE) -> Policy:
    """Return the numbers in force on a day; the newest ones without a day.

    Raises
    ------
    InvalidInput
        Names every row that is missing, unknown or wrong.

    Examples
    --------
    >>> policy().band
    Band(target=300, least=150, most=500)
    """
    return policy_of(tomllib.loads(file.read_text(encoding="utf-8")), day=day)


def policy_of(told: Mapping[str, Any], *, day: dt.date | None = None) -> Policy:
    """Return the numbers in force on a day, from the rows of a policy table."""
    rows = rows_in_force(told, {*_IDS.values(), *_WEIGHTS.values()}, day=day)
    values = {name: rows[id_].value for name, id_ in _IDS.items()}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    weights = WorkloadWeights(**{name: rows[id_].value for name, id_ in _WEIGHTS.items()})
    return Policy(**values, workload=weights, rows=tuple(rows[id_] for id_ in sorted(rows)))
