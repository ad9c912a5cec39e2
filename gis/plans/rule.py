"""The contract of a rule: what it looks at, and what it says where a plan breaks it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely

from gis.contract.text import Text
from gis.kernels.block_graph import Ints
from gis.plans.draft import Draft
from gis.plans.graph import Blocks
from gis.plans.plan import Plan
from gis.plans.policy import Policy
from gis.plans.workload import Workload

Severity = Literal["broken", "incomplete", "warning"]
"""``broken`` and ``incomplete`` keep a plan from being approved; a warning is for people to weigh."""
SEVERITIES: tuple[Severity, ...] = ("broken", "incomplete", "warning")


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What rules look at.

    Attributes
    ----------
    key_units
        Rows of the frame of that name, where the city has any.
    grid_code_pattern
        What a grid's code looks like.
    base
        The plan in force, where there is one to compare with.
    retired_codes
        Of grids that have ended: never to be used again.
    open_incidents
        Rows of the frame ``incidents`` that somebody still works on, where the city has any.
    """

    blocks: Blocks
    plan: Plan
    workload: Workload
    policy: Policy
    key_units: gpd.GeoDataFrame | None = None
    grid_code_pattern: str = r"\d{15}"
    base: Draft | None = None
    retired_codes: frozenset[str] = frozenset()
    open_incidents: gpd.GeoDataFrame | None = None

    def members(self) -> list[Ints]:
        """Return the positions of the blocks of each grid (k,)."""
        order = np.argsort(self.plan.grid, kind="stable")
        cuts = np.searchsorted(self.plan.grid[order], np.arange(self.plan.grids_count + 1))
        return [order[a:b] for a, b in pairwise(cuts)]


@dataclass(frozen=True, slots=True)
class Violation:
    """One place where a plan breaks a rule.

    Attributes
    ----------
    grids, blocks
        Codes of what to highlight.
    bounds
        West, south, east, north of where to look, in metres; None for what has no place.
    suggestion
        What would mend it, where that can be said.
    """

    severity: Severity
    message: Text
    grids: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None
    suggestion: Text | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    check
        Gives every violation; nothing where the plan keeps the rule.
    """

    id: str
    title: Text
    check: Callable[[Subject], Iterable[Violation]]


@cache
def rules() -> Mapping[str, Rule]:
    """Return every rule of `gis.plans.rules`, id -> rule, in alphabetical order."""
    package = importlib.import_module("gis.plans.rules")
    found: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        rule: Rule = importlib.import_module(f"gis.plans.rules.{module.name}").RULE
        found[rule.id] = rule
    return MappingProxyType(found)


def violations(subject: Subject) -> list[tuple[Rule, Violation]]:
    """Return everything that a plan breaks, what is broken first, warnings last."""
    found = [(rule, violation) for rule in rules().values() for violation in rule.check(subject)]
    return sorted(found, key=lambda pair: SEVERITIES.index(pair[1].severity))


def bounds_of(blocks: Blocks, positions: Ints) -> tuple[float, float, float, float]:
    """Return where some blocks lie, in metres."""
    west, south, east, north = shapely.total_bounds(blocks.shapes[positions])
    return float(west), float(south), float(east), float(north)


def codes_of(blocks: Blocks, positions: Sequence[int] | Ints) -> tuple[str, ...]:
    """Return the codes of some blocks."""
    return tuple(str(code) for code in blocks.codes[np.asarray(positions, dtype=np.int64)])
