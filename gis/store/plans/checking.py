"""What a plan breaks, and whether it can be handed in."""

from __future__ import annotations

import sqlalchemy as sa

from gis.errors import PlanRuleBroken
from gis.plans.rule import Rule, Subject, Violation, added_faults, violations
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import today
from gis.store.plans.book import PlanRow
from gis.store.plans.desk import Desk, compared, desk
from gis.store.plans.review import submit
from gis.store.tables import FRAME_TABLES

TOLD = 3
"""How many faults a refusal names."""


def problems(store: Store, city: CityRow, laid: Desk) -> list[tuple[Rule, Violation]]:
    """Return every rule that the plan breaks, and where; what is broken first."""
    return violations(subject(store, city, laid))


def hand_in(
    store: Store, city: CityRow, plan_id: int, *, revision: int, desk_name: str, account_id: int | None = None
) -> PlanRow:
    """Hand a draft in for review when the grids that it changes keep the rules.

    What the plan in force breaks already may stay as bad as it is, also in a grid that the draft changes, but not get
    worse (`gis.plans.rule.added_faults`); it stays in `problems` for people to see.

    Raises
    ------
    PlanRuleBroken
        Names the grids to highlight.
    StaleRevision, Conflict
        As `submit`.
    """
    laid = desk(store, city, plan_id)
    changed = set(compared(laid).grids.index)
    faults = [
        violation
        for _, violation in added_faults(subject(store, city, laid))
        if not violation.grids or changed.intersection(violation.grids)
    ]
    if faults:
        named = sorted({code for fault in faults for code in fault.grids})
        said, more = faults[:TOLD], len(faults) - TOLD
        en = "; ".join(fault.message.en for fault in said) + (f"; and {more} more" if more > 0 else "")
        zh = "；".join(fault.message.zh for fault in said) + (f"；另有{more}处" if more > 0 else "")
        raise PlanRuleBroken(
            f"the plan breaks {len(faults)} rule(s): {en}", named, zh=f"方案有{len(faults)}处不符合规则：{zh}"
        )
    return submit(store, city, plan_id, revision=revision, desk=desk_name, account_id=account_id)


def subject(store: Store, city: CityRow, laid: Desk) -> Subject:
    """Return what the rules look at: the plan beside the one in force, with all that lies in its blocks."""
    return Subject(
        blocks=laid.blocks,
        plan=laid.plan,
        workload=laid.workload,
        policy=laid.rules,
        key_units=laid.places.key_units,
        grid_code_pattern=city.profile.grid_code_pattern,
        base=laid.base,
        retired_codes=retired_codes(store, city),
        open_incidents=laid.places.open_incidents,
    )


def retired_codes(store: Store, city: CityRow) -> frozenset[str]:
    """Return the codes of grids that have ended, every version of them, by today."""
    grids = FRAME_TABLES["grids"]
    last = sa.func.max(sa.func.coalesce(grids.c.valid_to, sa.literal("infinity", sa.Date)))
    query = sa.select(grids.c.code).where(grids.c.city_id == city.id).group_by(grids.c.code).having(last <= today(city))
    with store.transaction(city.scope, read_only=True) as connection:
        return frozenset(connection.scalars(query))
