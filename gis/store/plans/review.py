"""From draft to approved: two desks, and nothing changes between what was read and what is approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from gis.errors import Conflict, Forbidden
from gis.store import audit
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.plans.book import COLUMNS, STATE_ZH, PlanRow, State, held, told
from gis.store.plans.edits import stale
from gis.store.tables import PLANS

_BACK: Final = {"state": "draft", "submitted_by": None, "submitted_account_id": None}


def submit(
    store: Store, city: CityRow, plan_id: int, *, revision: int, desk: str, account_id: int | None = None
) -> PlanRow:
    """Hand a draft in for review; it cannot be edited any more until it is sent back.

    Parameters
    ----------
    account_id
        Who is signed in at that desk; None at the machine itself.

    Raises
    ------
    StaleRevision
        The plan was changed since it was read.
    Conflict
        It is no draft.
    """
    values = {"state": "review", "submitted_by": desk, "submitted_account_id": account_id}
    return _turn(store, city, plan_id, out_of="draft", revision=revision, values=values)


def withdraw(store: Store, city: CityRow, plan_id: int, *, revision: int) -> PlanRow:
    """Take a plan back from review before anybody has approved it; errors as `submit`."""
    return _turn(store, city, plan_id, out_of="review", revision=revision, values=_BACK)


def send_back(store: Store, city: CityRow, plan_id: int, *, revision: int, note: str) -> PlanRow:
    """Send a plan back from review with a note of what to change; errors as `submit`."""
    return _turn(store, city, plan_id, out_of="review", revision=revision, values={**_BACK, "note": note})


def approve(
    store: Store, city: CityRow, plan_id: int, *, revision: int, desk: str, account_id: int | None = None
) -> PlanRow:
    """Approve a plan in review.

    Raises
    ------
    Forbidden
        The desk that handed it in cannot approve it, nor the account, whatever role it has taken since.
    StaleRevision, Conflict
        As `submit`.
    """
    values = {"state": "approved", "approved_by": desk, "approved_account_id": account_id}
    return _turn(store, city, plan_id, out_of="review", revision=revision, values=values)


def _turn(
    store: Store, city: CityRow, plan_id: int, *, out_of: State, revision: int, values: Mapping[str, Any]
) -> PlanRow:
    with store.transaction(city.scope) as connection:
        plan = held(connection, city, plan_id)
        if plan.state != out_of:
            raise Conflict(
                f"plan {plan_id} is {plan.state}, not {out_of}",
                zh=f"方案 {plan_id} 处于“{STATE_ZH[plan.state]}”，而不是“{STATE_ZH[out_of]}”",
            )
        if plan.revision != revision:
            raise stale(plan)
        if values.get("approved_by") is not None and values["approved_by"] == plan.submitted_by:
            raise Forbidden(
                f"plan {plan_id} was handed in by '{plan.submitted_by}': another desk must approve it",
                zh=f"方案 {plan_id} 由“{plan.submitted_by}”提交，须由其他岗位批准",
            )
        account_id = values.get("approved_account_id")
        if account_id is not None and account_id == _submitter(connection, plan_id):
            raise Forbidden(
                f"plan {plan_id} was handed in from your own account: somebody else must approve it",
                zh=f"方案 {plan_id} 由本账号提交，须由他人批准",
            )
        turned = PLANS.update().where(PLANS.c.id == plan_id).values(
            **values, revision=PLANS.c.revision + 1, changed_at=sa.func.now()
        )  # fmt: skip
        done = PlanRow(*connection.execute(turned.returning(*COLUMNS)).one())
        audit.record(connection, told(done, f"{out_of} to {done.state}"))
        return done


def _submitter(connection: sa.Connection, plan_id: int) -> int | None:
    return connection.scalar(sa.select(PLANS.c.submitted_account_id).where(PLANS.c.id == plan_id))
