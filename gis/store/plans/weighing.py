"""The workload model of a plan: weights that everybody can see, and that a plan can have its own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from gis.plans.policy import WorkloadWeights, policy
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.plans.book import PlanRow, get
from gis.store.plans.desk import WEIGHTS, Desk, desk
from gis.store.plans.edits import Patch, edit

PREFIX = "workload."
"""Before the name of a weight stands this in the policy table."""


def model(laid: Desk) -> dict[str, Any]:
    """Return the workload model of a plan: each weight with its title and source, and what it makes of the city.

    Returns
    -------
    dict
        ``own`` (whether the plan has weights of its own), ``band`` and ``terms``: ``name``, ``title``, ``weight``,
        ``default``, ``status``, ``source``, ``amount`` (sum over the plan's blocks) and ``share`` (0-1) of all work.
    """
    used, default, amounts = asdict(laid.rules.workload), policy().workload, laid.laid.counts.amounts
    rows = {row.id: row for row in policy().rows}
    work = {name: weight * float(amounts[name].sum()) for name, weight in used.items()}
    total = sum(work.values()) or 1.0
    band = laid.rules.band
    return {
        "own": WEIGHTS in laid.row.settings,
        "band": {"target": band.target, "low": band.least, "high": band.most},
        "terms": [
            {
                "name": name,
                "title": rows[PREFIX + name].title._asdict(),
                "weight": weight,
                "default": getattr(default, name),
                "status": rows[PREFIX + name].status,
                "source": rows[PREFIX + name].source,
                "amount": float(np.round(amounts[name].sum(), 3)),
                "share": work[name] / total,
            }
            for name, weight in used.items()
        ],
    }


def weigh(
    store: Store, city: CityRow, plan_id: int, weights: Mapping[str, float] | None, *, revision: int, desk_name: str
) -> PlanRow:
    """Give a draft weights of its own, those that are not named staying as they are; None takes the policy's again.

    It is an edit like any other: undo takes it back.

    Raises
    ------
    InvalidInput
        A weight is negative, all are 0, or the city has nothing of what one counts.
    StaleRevision, Conflict, NotFound
        As `edit`.
    """
    row = get(store, city, plan_id)
    rest = {name: value for name, value in row.settings.items() if name != WEIGHTS}
    settings = rest
    if weights is not None:
        laid = desk(store, city, plan_id)
        wanted = WorkloadWeights(**{**asdict(laid.rules.workload), **weights})
        # What cannot be weighed is refused before it is written down.
        laid.laid.counts.weighed(wanted)
        settings = {**rest, WEIGHTS: asdict(wanted)}
    return edit(
        store,
        city,
        plan_id,
        Patch(settings=settings),
        revision=revision,
        action="set_weights",
        desk=desk_name,
        arguments={"weights": None if weights is None else dict(weights)},
    )
