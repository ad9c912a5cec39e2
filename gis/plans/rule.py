"""The contract of a rule: what it looks at, and what it says where a plan breaks it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from gis.plans.history import carried
from gis.plans.plan import Plan
from gis.plans.policy import Policy
from gis.plans.workload import Workload

Severity = Literal["broken", "incomplete", "warning"]
"""``broken`` and ``incomplete`` keep a plan from being approved; a warning is for people to weigh."""
SEVERITIES: tuple[Severity, ...] = ("broken", "incomplete", "warning")
_SAME = 1e-9


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
    extent
        How much of it there is, in the rule's own measure: a plan may leave what was broken before, but add nothing.
    """

    severity: Severity
    message: Text
    grids: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    bounds: tuple[float, float, float, float] | None = None
    suggestion: Text | None = None
    extent: float = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    check
        Gives every violation; nothing where the plan keeps the rule.
    about
        Whether it looks at which grid each block has, or at the blocks themselves.
    """

    id: str
    title: Text
    check: Callable[[Subject], Iterable[Violation]]
    about: Literal["plan", "blocks"] = "plan"


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


def added_faults(subject: Subject) -> list[tuple[Rule, Violation]]:
    """Return what keeps a plan from being approved and is the plan's own doing.

    What the plan in force breaks already may stay as it is: a fault counts where a rule is broken in a grid to a larger
    extent than before. Without a plan in force every fault is the plan's own.
    """
    found = _faults(subject)
    if subject.base is None:
        return found
    base = subject.base
    as_it_was = {
        "plan": replace(subject, plan=carried(base, subject.blocks)),
        "blocks": replace(subject, blocks=base.blocks, plan=base.plan),
    }
    before = _extents(
        (rule, violation)
        for rule in rules().values()
        for violation in rule.check(as_it_was[rule.about])
        if violation.severity != "warning"
    )
    after = _extents(found)
    return [
        (rule, violation)
        for rule, violation in found
        if after[rule.id, violation.grids] > before.get((rule.id, violation.grids), 0.0) * (1 + _SAME) + _SAME
    ]


def _faults(subject: Subject) -> list[tuple[Rule, Violation]]:
    return [(rule, violation) for rule, violation in violations(subject) if violation.severity != "warning"]


def _extents(faults: Iterable[tuple[Rule, Violation]]) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return how much of each rule's faults there is in each grid; of all blocks together where no grid is named."""
    sums: dict[tuple[str, tuple[str, ...]], float] = {}
    for rule, violation in faults:
        at = rule.id, violation.grids
        sums[at] = sums.get(at, 0.0) + violation.extent
    return sums


def bounds_of(blocks: Blocks, positions: Ints) -> tuple[float, float, float, float]:
    """Return where some blocks lie, in metres."""
    west, south, east, north = shapely.total_bounds(blocks.shapes[positions])
    return float(west), float(south), float(east), float(north)


def codes_of(blocks: Blocks, positions: Sequence[int] | Ints) -> tuple[str, ...]:
    """Return the codes of some blocks."""
    return tuple(str(code) for code in blocks.codes[np.asarray(positions, dtype=np.int64)])
