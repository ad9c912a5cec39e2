"""Edits of a plan: each with its inverse in the log, each against the revision that its maker saw.

An edit is a patch: what it changed, as it was and as it became. Whatever an action does, undoing it writes the one and
redoing it the other, so both are exact, and both outlive the page, the server and the machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa
from geoalchemy2.elements import WKTElement
from geoalchemy2.shape import to_shape
from sqlalchemy.dialects import postgresql as pg

from gis.errors import Conflict, InvalidInput, PlanRuleBroken, Problem
from gis.store import audit
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.plans.book import COLUMNS, STATE_ZH, PlanRow, held, told
from gis.store.spatial import SRID
from gis.store.tables import PLAN_BLOCKS, PLAN_EDITS, PLAN_GRIDS, PLAN_SHAPES, PLANS

GRID_FIELDS: Final = ("kind", "name_zh", "name_en", "community_code", "beat_code", "positions_count")
SHAPE_FIELDS: Final = ("parent_code", "community_code", "households_count", "residents_count")
ABSENT: Final = {"absent": True}
MOST_TOLD: Final = 100
"""How many edits a refusal tells whoever was too slow."""


@dataclass(frozen=True, slots=True)
class Patch:
    """New values of some parts of a plan; what it does not name stays.

    Attributes
    ----------
    blocks
        Block code -> ``{"grid": code or None}``, or ``{"absent": True}`` for a block that the plan loses.
    grids
        Grid code -> its fields (`GRID_FIELDS`), or ``{"absent": True}``.
    shapes
        Block code -> ``{"wkt": ..., **SHAPE_FIELDS}`` in EPSG:4326, or ``{"absent": True}`` for the city's own shape.
    locks
        ``blocks`` and ``grids`` -> codes; None leaves the locks alone.
    settings
        What of the policy the plan has its own way; None leaves the settings alone.
    """

    blocks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    grids: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shapes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    locks: Mapping[str, list[str]] | None = None
    settings: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for the log."""
        parts = {"blocks": self.blocks, "grids": self.grids, "shapes": self.shapes}
        plain: dict[str, Any] = {name: {k: dict(v) for k, v in part.items()} for name, part in parts.items() if part}
        whole = {"locks": self.locks, "settings": self.settings}
        return {**plain, **{name: dict(value) for name, value in whole.items() if value is not None}}

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.blocks or self.grids or self.shapes or self.locks is not None or self.settings is not None)


def assign(moves: Mapping[str, str | None]) -> Patch:
    """Return the patch that assigns blocks to grids."""
    return Patch(blocks={code: {"grid": grid} for code, grid in moves.items()})


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit as the log has it."""

    seq: int
    action: str
    arguments: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undone: bool
    desk: str
    made_at: dt.datetime


_EDIT_COLUMNS: Final = tuple(PLAN_EDITS.c[name] for name in Edit.__slots__)


class StaleRevision(Conflict):
    """The plan was changed since it was read.

    Attributes
    ----------
    revision
        The plan's own now.
    since
        What was done to it in the meantime.
    """

    def __init__(self, message: str, *, revision: int = 0, since: Sequence[Edit] = (), zh: str = "") -> None:
        super().__init__(message, zh=zh)
        self.revision = revision
        self.since = tuple(since)


def stale(plan: PlanRow, since: Sequence[Edit] = ()) -> StaleRevision:
    """Return the error of a change to another revision than `plan` is at."""
    message = f"plan {plan.id} was changed since you read it: it is now at revision {plan.revision}"
    zh = f"方案 {plan.id} 在您读取之后已被修改，现为第 {plan.revision} 版"
    return StaleRevision(message, revision=plan.revision, since=since, zh=zh)


def edit(
    store: Store,
    city: CityRow,
    plan_id: int,
    patch: Patch,
    *,
    revision: int,
    action: str,
    desk: str,
    arguments: Mapping[str, Any] | None = None,
) -> PlanRow:
    """Apply a patch to a draft and log it with its inverse; edits that were undone before it are forgotten.

    Returns
    -------
    PlanRow
        The plan at its new revision; as it was where the patch changes nothing.

    Raises
    ------
    StaleRevision
        `revision` is not the plan's any more; nothing is changed.
    Conflict
        The plan is no draft.
    PlanRuleBroken
        A block or grid is locked; names the grids.
    InvalidInput
        There is no such block, or no such grid to assign it to; names them all.
    """
    with store.transaction(city.scope) as connection:
        plan = _draft(connection, city, plan_id, revision)
        before = _as_it_is(connection, plan, patch)
        changed = _difference(before, patch)
        if changed.is_empty:
            return plan
        before = _as_it_is(connection, plan, changed)
        _refuse_strangers(connection, plan, before, changed)
        _refuse_locked(plan, before, changed)
        connection.execute(PLAN_EDITS.delete().where(PLAN_EDITS.c.plan_id == plan_id, PLAN_EDITS.c.undone))
        newest = sa.select(sa.func.coalesce(sa.func.max(PLAN_EDITS.c.seq), 0) + 1).where(
            PLAN_EDITS.c.plan_id == plan_id
        )
        connection.execute(
            PLAN_EDITS.insert().values(
                plan_id=plan_id,
                seq=newest.scalar_subquery(),
                action=action,
                arguments=dict(arguments or {}),
                before=before.as_dict(),
                after=changed.as_dict(),
                desk=desk,
            )
        )
        done = _apply(connection, plan, changed)
        audit.record(connection, told(done, action))
        return done


def undo(store: Store, city: CityRow, plan_id: int, *, revision: int) -> PlanRow:
    """Take the last edit back; Conflict when there is none, otherwise as `edit`."""
    return _step(store, city, plan_id, revision=revision, back=True)


def redo(store: Store, city: CityRow, plan_id: int, *, revision: int) -> PlanRow:
    """Do the edit again that was undone last; Conflict when there is none, otherwise as `edit`."""
    return _step(store, city, plan_id, revision=revision, back=False)


def edits(store: Store, city: CityRow, plan_id: int, *, after: int = 0, limit: int = 1000) -> list[Edit]:
    """Return the log of a plan in order, from the edit after number `after`; those undone are marked."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return _log(connection, plan_id, after=after, limit=limit)


def _step(store: Store, city: CityRow, plan_id: int, *, revision: int, back: bool) -> PlanRow:
    newest = PLAN_EDITS.c.seq.desc() if back else PLAN_EDITS.c.seq.asc()
    query = (
        sa.select(*_EDIT_COLUMNS)
        .where(PLAN_EDITS.c.plan_id == plan_id, PLAN_EDITS.c.undone.is_(not back))
        .order_by(newest)
        .limit(1)
    )
    with store.transaction(city.scope) as connection:
        plan = _draft(connection, city, plan_id, revision)
        row = connection.execute(query).one_or_none()
        if row is None:
            if back:
                raise Conflict("there is nothing to undo", zh="没有可撤销的操作")
            raise Conflict("there is nothing to redo", zh="没有可重做的操作")
        step = Edit(*row)
        connection.execute(
            PLAN_EDITS.update().where(PLAN_EDITS.c.plan_id == plan_id, PLAN_EDITS.c.seq == step.seq).values(undone=back)
        )
        done = _apply(connection, plan, Patch(**(step.before if back else step.after)))
        audit.record(connection, told(done, "undo" if back else "redo"))
        return done


def _draft(connection: sa.Connection, city: CityRow, plan_id: int, revision: int) -> PlanRow:
    plan = held(connection, city, plan_id)
    if plan.state != "draft":
        raise Conflict(
            f"plan {plan_id} is {plan.state}: only a draft can be edited; make a copy of it",
            zh=f"方案 {plan_id} 处于“{STATE_ZH[plan.state]}”，只有草案可以编辑；请另存副本",
        )
    if plan.revision != revision:
        raise stale(plan, latest(connection, plan_id, plan.revision - revision))
    return plan


def _log(connection: sa.Connection, plan_id: int, *, after: int, limit: int) -> list[Edit]:
    query = (
        sa.select(*_EDIT_COLUMNS)
        .where(PLAN_EDITS.c.plan_id == plan_id, PLAN_EDITS.c.seq > after)
        .order_by(PLAN_EDITS.c.seq)
        .limit(limit)
    )
    return [Edit(*row) for row in connection.execute(query)]


def latest(connection: sa.Connection, plan_id: int, count: int) -> list[Edit]:
    """Return the last edits of a plan in order, `count` of them and never more than `MOST_TOLD`."""
    query = sa.select(*_EDIT_COLUMNS).where(PLAN_EDITS.c.plan_id == plan_id).order_by(PLAN_EDITS.c.seq.desc())
    rows = connection.execute(query.limit(min(max(count, 0), MOST_TOLD)))
    return [Edit(*row) for row in rows][::-1]


def _as_it_is(connection: sa.Connection, plan: PlanRow, patch: Patch) -> Patch:
    """Return the present values of what a patch names: its inverse."""
    blocks = {row.code: {"grid": row.grid_code} for row in _rows(connection, PLAN_BLOCKS, plan, patch.blocks)}
    grids = {
        row.code: {name: getattr(row, name) for name in GRID_FIELDS}
        for row in _rows(connection, PLAN_GRIDS, plan, patch.grids)
    }
    shapes = {
        row.code: {"wkt": to_shape(row.geom).wkt, **{name: getattr(row, name) for name in SHAPE_FIELDS}}
        for row in _rows(connection, PLAN_SHAPES, plan, patch.shapes)
    }
    return Patch(
        blocks={code: blocks.get(code, ABSENT) for code in patch.blocks},
        grids={code: grids.get(code, ABSENT) for code in patch.grids},
        shapes={code: shapes.get(code, ABSENT) for code in patch.shapes},
        locks=None if patch.locks is None else plan.locks,
        settings=None if patch.settings is None else plan.settings,
    )


def _rows(connection: sa.Connection, table: sa.Table, plan: PlanRow, codes: Mapping[str, Any]) -> list[sa.Row[Any]]:
    if not codes:
        return []
    return list(connection.execute(table.select().where(table.c.plan_id == plan.id, table.c.code.in_(list(codes)))))


def _difference(before: Patch, patch: Patch) -> Patch:
    """Return what of a patch is not so already."""
    return Patch(
        blocks={code: value for code, value in patch.blocks.items() if before.blocks[code] != dict(value)},
        grids={code: value for code, value in patch.grids.items() if before.grids[code] != dict(value)},
        shapes={code: value for code, value in patch.shapes.items() if before.shapes[code] != dict(value)},
        locks=patch.locks if patch.locks != before.locks else None,
        settings=patch.settings if patch.settings != before.settings else None,
    )


def _refuse_strangers(connection: sa.Connection, plan: PlanRow, before: Patch, patch: Patch) -> None:
    wanted = {value["grid"] for value in patch.blocks.values() if value.get("grid") is not None}
    made = {code for code, value in patch.grids.items() if value != ABSENT}
    lost = patch.grids.keys() - made
    known = {row.code for row in _rows(connection, PLAN_GRIDS, plan, dict.fromkeys(wanted))}
    problems = [
        Problem("unknown_grid", f"the plan has no grid {code}", "grid", zh=f"方案中没有网格 {code}")
        for code in sorted(wanted - known - made | wanted & lost)
    ]
    problems += [
        Problem("unknown_block", f"the plan has no block {code}", "block", zh=f"方案中没有单元网格 {code}")
        for code, value in sorted(before.blocks.items())
        # A new block comes with its shape; any other must be there.
        if value == ABSENT and code not in patch.shapes
    ]
    if problems:
        raise InvalidInput("the edit names what the plan does not have", problems, zh="编辑中有方案里不存在的对象")


def _refuse_locked(plan: PlanRow, before: Patch, patch: Patch) -> None:
    blocks, grids = set(plan.locks.get("blocks", ())), set(plan.locks.get("grids", ()))
    touched = {code for value in (*before.blocks.values(), *patch.blocks.values()) if (code := value.get("grid"))}
    locked_blocks = sorted(blocks & (patch.blocks.keys() | patch.shapes.keys()))
    locked_grids = sorted(grids & (touched | patch.grids.keys()))
    if locked_blocks or locked_grids:
        what = ", ".join([*(f"block {code}" for code in locked_blocks[:5]), *(f"grid {c}" for c in locked_grids[:5])])
        around = {before.blocks[code].get("grid") for code in locked_blocks if code in before.blocks}
        zh = "、".join(
            [*(f"单元网格 {code}" for code in locked_blocks[:5]), *(f"网格 {code}" for code in locked_grids[:5])]
        )
        highlight = sorted({*locked_grids, *(code for code in around if code)})
        raise PlanRuleBroken(f"locked: {what}", highlight, zh=f"已锁定：{zh}")


def _apply(connection: sa.Connection, plan: PlanRow, patch: Patch) -> PlanRow:
    """Write the values of a patch and raise the revision."""
    _write(connection, PLAN_BLOCKS, plan, {k: _block_values(v) for k, v in patch.blocks.items()})
    _write(connection, PLAN_GRIDS, plan, {k: _grid_values(v) for k, v in patch.grids.items()})
    _write(connection, PLAN_SHAPES, plan, {k: _shape_values(v) for k, v in patch.shapes.items()})
    raised = PLANS.update().where(PLANS.c.id == plan.id).values(revision=PLANS.c.revision + 1, changed_at=sa.func.now())
    if patch.locks is not None:
        raised = raised.values(locks=dict(patch.locks))
    if patch.settings is not None:
        raised = raised.values(settings=dict(patch.settings))
    return PlanRow(*connection.execute(raised.returning(*COLUMNS)).one())


def _block_values(value: Mapping[str, Any]) -> dict[str, Any] | None:
    return None if value == ABSENT else {"grid_code": value["grid"]}


def _grid_values(value: Mapping[str, Any]) -> dict[str, Any] | None:
    return None if value == ABSENT else {name: value.get(name) for name in GRID_FIELDS}


def _shape_values(value: Mapping[str, Any]) -> dict[str, Any] | None:
    if value == ABSENT:
        return None
    return {"geom": WKTElement(value["wkt"], srid=SRID), **{name: value.get(name) for name in SHAPE_FIELDS}}


def _write(
    connection: sa.Connection, table: sa.Table, plan: PlanRow, values: Mapping[str, dict[str, Any] | None]
) -> None:
    gone = [code for code, value in values.items() if value is None]
    if gone:
        connection.execute(table.delete().where(table.c.plan_id == plan.id, table.c.code.in_(gone)))
    rows = [{"plan_id": plan.id, "code": code, **value} for code, value in values.items() if value is not None]
    if rows:
        insert = pg.insert(table)
        fields = [name for name in rows[0] if name not in ("plan_id", "code")]
        upsert = insert.on_conflict_do_update(
            index_elements=[table.c.plan_id, table.c.code], set_={name: insert.excluded[name] for name in fields}
        )
        connection.execute(upsert, rows)
