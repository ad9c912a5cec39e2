"""The book of plans: made from the grids in force, from another plan or from an assignment; read; thrown away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import sqlalchemy as sa
from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry

from gis.city import FRAMES
from gis.errors import Conflict, InvalidInput, NotFound
from gis.store import audit, wire
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import in_force, today
from gis.store.tables import FRAME_TABLES, PLAN_BLOCKS, PLAN_GRIDS, PLAN_SHAPES, PLANS

State = Literal["draft", "review", "approved", "effective", "superseded"]
STATE_ZH: Final = {
    "draft": "草案", "review": "审核中", "approved": "已批准", "effective": "生效中", "superseded": "已被取代",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan without its rows.

    Attributes
    ----------
    revision
        Raised by every change; who changes the plan says which one they saw.
    locks
        ``blocks`` and ``grids`` -> codes that no edit may touch.
    settings
        What differs from the policy: load band, weights.
    made_by, submitted_by, approved_by
        Desks such as ``planner`` or ``supervisor``, never persons.
    effective_on
        First day in force, once it is published.
    """

    id: int
    city_id: int
    title: str
    note: str
    base_plan_id: int | None
    state: State
    revision: int
    locks: Mapping[str, list[str]]
    settings: Mapping[str, Any]
    made_by: str
    submitted_by: str | None
    approved_by: str | None
    effective_on: dt.date | None
    created_at: dt.datetime
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Grid:
    """What a plan says of one grid besides its blocks."""

    code: str
    kind: str = "comprehensive"
    name_zh: str | None = None
    name_en: str | None = None
    community_code: str | None = None
    beat_code: str | None = None
    positions_count: int | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A block that the plan itself cut or moved; `geometry` in EPSG:4326, `parent_code` the block it was cut from."""

    code: str
    geometry: BaseGeometry
    parent_code: str | None = None
    community_code: str | None = None
    households_count: int | None = None
    residents_count: int | None = None


COLUMNS: Final = tuple(PLANS.c[name] for name in PlanRow.__slots__)
_GRID_COLUMNS: Final = tuple(PLAN_GRIDS.c[name] for name in Grid.__slots__)


@dataclass(frozen=True, slots=True)
class _Head:
    """What a new plan begins with."""

    title: str
    desk: str
    note: str = ""
    base_plan_id: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise InvalidInput("a plan needs a title", zh="方案须有标题")


def create(
    store: Store,
    city: CityRow,
    *,
    title: str,
    desk: str,
    blocks: Mapping[str, str | None],
    grids: Iterable[Grid],
    note: str = "",
    base_plan_id: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> PlanRow:
    """Write down a new draft; what the plan in force locks, it locks, too.

    Parameters
    ----------
    blocks
        Block code -> grid code, None where the block is assigned to none; every block of the plan.
    grids
        Every grid that a block is assigned to, and empty ones.

    Raises
    ------
    InvalidInput
        The plan has no title, or blocks are assigned to grids that `grids` does not name; names them.
    """
    listed = {grid.code: grid for grid in grids}
    if strange := sorted({code for code in blocks.values() if code is not None} - listed.keys()):
        named = ", ".join(strange[:5])
        raise InvalidInput(
            f"blocks are assigned to {len(strange)} grid(s) that the plan lacks: {named}",
            zh=f"有单元网格划入了方案中没有的 {len(strange)} 个网格：{named}",
        )
    head = _Head(title, desk, note, base_plan_id, settings or {})
    with store.transaction(city.scope) as connection:
        row = _insert(connection, city, head, locks=locks_in_force(connection, city))
        if blocks:
            codes = {"code": pa.array(list(blocks)), "grid_code": pa.array(list(blocks.values()), pa.string())}
            plan_id = pa.array([row.id] * len(blocks), pa.int64())
            wire.insert(connection, PLAN_BLOCKS, {"plan_id": plan_id, **codes})
        if listed:
            connection.execute(PLAN_GRIDS.insert(), [{"plan_id": row.id, **asdict(grid)} for grid in listed.values()])
        audit.record(connection, told(row, "created"))
    return row


def from_current(
    store: Store, city: CityRow, *, title: str, desk: str, note: str = "", settings: Mapping[str, Any] | None = None
) -> PlanRow:
    """Write down a draft that changes nothing yet: the grids in force today and the city's own assignment of blocks.

    What the plan in force locks, it locks, too.

    Raises
    ------
    InvalidInput
        The city has no blocks, and without blocks there is nothing that a plan could move.
    """
    blocks, grids = FRAME_TABLES["blocks"], FRAME_TABLES["grids"]
    head = _Head(title, desk, note, None, settings or {})
    current = sa.select(grids.c.code).where(grids.c.city_id == city.id, *in_force(FRAMES["grids"], grids, today(city)))
    mine = blocks.c.city_id == city.id
    with store.transaction(city.scope) as connection:
        if not connection.scalar(sa.select(sa.exists().where(mine))):
            raise InvalidInput(
                "the city has no blocks; import them first: a plan assigns blocks to grids",
                zh="城市还没有单元网格，请先导入：方案把单元网格划入网格",
            )
        row = _insert(connection, city, head, locks=locks_in_force(connection, city))
        known = sa.case((blocks.c.grid_code.in_(current), blocks.c.grid_code))
        assigned = sa.select(sa.literal(row.id, sa.BigInteger), blocks.c.code, known).where(mine)
        connection.execute(PLAN_BLOCKS.insert().from_select(["plan_id", "code", "grid_code"], assigned))
        columns = [grids.c[name] for name in Grid.__slots__]
        connection.execute(
            PLAN_GRIDS.insert().from_select(
                ["plan_id", *Grid.__slots__],
                sa.select(sa.literal(row.id, sa.BigInteger), *columns).where(
                    grids.c.city_id == city.id, *in_force(FRAMES["grids"], grids, today(city))
                ),
            )
        )
        audit.record(connection, told(row, "created"))
    return row


def copy(store: Store, city: CityRow, plan_id: int, *, title: str, desk: str) -> PlanRow:
    """Write down a draft with all that another plan holds, whatever its state; NotFound when there is none."""
    with store.transaction(city.scope) as connection:
        other = held(connection, city, plan_id, for_update=False)
        head = _Head(title, desk, other.note, other.id, other.settings)
        row = _insert(connection, city, head, locks=other.locks)
        for table in (PLAN_BLOCKS, PLAN_GRIDS, PLAN_SHAPES):
            rest = [column for column in table.c if column.name != "plan_id"]
            same = sa.select(sa.literal(row.id, sa.BigInteger), *rest).where(table.c.plan_id == plan_id)
            connection.execute(table.insert().from_select(["plan_id", *(c.name for c in rest)], same))
        audit.record(connection, told(row, "copied", of=other.id))
    return row


def get(store: Store, city: CityRow, plan_id: int) -> PlanRow:
    """Return a plan; NotFound when the city has none of that id."""
    with store.transaction(city.scope, read_only=True) as connection:
        return held(connection, city, plan_id, for_update=False)


def list_(store: Store, city: CityRow, *, state: State | None = None, limit: int = 100) -> list[PlanRow]:
    """Return the latest plans of a city, the newest first; of one state, or of all."""
    query = sa.select(*COLUMNS).where(PLANS.c.city_id == city.id).order_by(PLANS.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(PLANS.c.state == state)
    with store.transaction(city.scope, read_only=True) as connection:
        return [PlanRow(*row) for row in connection.execute(query)]


def delete(store: Store, city: CityRow, plan_id: int) -> None:
    """Throw a draft away with all its rows.

    Raises
    ------
    NotFound
        The city has no such plan.
    Conflict
        It is no draft: what has been reviewed or was in force stays.
    """
    with store.transaction(city.scope) as connection:
        row = held(connection, city, plan_id)
        if row.state != "draft":
            raise Conflict(
                f"plan {plan_id} is no draft but {row.state}: it stays on record",
                zh=f"方案 {plan_id} 已不是草案（{STATE_ZH[row.state]}），须留存",
            )
        connection.execute(PLANS.delete().where(PLANS.c.id == plan_id))
        audit.record(connection, told(row, "deleted"))


def told(plan: PlanRow, what: str, **more: Any) -> Entry:
    """Return what the audit log says of a change to a plan."""
    detail = {"what": what, "revision": plan.revision, **more}
    return Entry("change", f"plans/{plan.id}", plan.city_id, detail=detail)


def assignment(store: Store, city: CityRow, plan_id: int) -> dict[str, str | None]:
    """Return block code -> grid code for every block of a plan, by block code; None for a block that has no grid."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return _assignment(connection, plan_id)


def grids(store: Store, city: CityRow, plan_id: int) -> list[Grid]:
    """Return what a plan says of its grids, by code."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return _grids(connection, plan_id)


def shapes(store: Store, city: CityRow, plan_id: int) -> list[Shape]:
    """Return the blocks that a plan itself cut or moved, by code."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return _shapes(connection, plan_id)


def _assignment(connection: sa.Connection, plan_id: int) -> dict[str, str | None]:
    table = PLAN_BLOCKS
    query = sa.select(table.c.code, table.c.grid_code).where(table.c.plan_id == plan_id).order_by(table.c.code)
    return {row.code: row.grid_code for row in connection.execute(query)}


def _grids(connection: sa.Connection, plan_id: int) -> list[Grid]:
    query = sa.select(*_GRID_COLUMNS).where(PLAN_GRIDS.c.plan_id == plan_id).order_by(PLAN_GRIDS.c.code)
    return [Grid(*row) for row in connection.execute(query)]


def _shapes(connection: sa.Connection, plan_id: int) -> list[Shape]:
    table = PLAN_SHAPES
    rows = connection.execute(table.select().where(table.c.plan_id == plan_id).order_by(table.c.code))
    return [
        Shape(row.code, to_shape(row.geom), **{name: getattr(row, name) for name in Shape.__slots__[2:]})
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Contents:
    """All rows of a plan, as they are at one moment.

    Attributes
    ----------
    blocks
        Block code -> grid code, by block.
    """

    blocks: Mapping[str, str | None]
    grids: tuple[Grid, ...]
    shapes: tuple[Shape, ...]


def contents(store: Store, city: CityRow, plan_id: int) -> Contents:
    """Return all rows of a plan; NotFound when the city has none of that id."""
    with store.transaction(city.scope, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return Contents(
            _assignment(connection, plan_id), tuple(_grids(connection, plan_id)), tuple(_shapes(connection, plan_id))
        )


def locks_in_force(connection: sa.Connection, city: CityRow) -> dict[str, list[str]]:
    """Return what the plan in force locks; nothing where none is."""
    query = sa.select(PLANS.c.locks).where(PLANS.c.city_id == city.id, PLANS.c.state == "effective")
    return dict(connection.scalar(query) or {})


def _insert(
    connection: sa.Connection, city: CityRow, head: _Head, *, locks: Mapping[str, list[str]] | None = None
) -> PlanRow:
    new = PLANS.insert().values(
        city_id=city.id,
        title=head.title.strip(),
        note=head.note,
        base_plan_id=head.base_plan_id,
        settings=dict(head.settings),
        locks=dict(locks or {}),
        made_by=head.desk,
    )
    return PlanRow(*connection.execute(new.returning(*COLUMNS)).one())


def held(connection: sa.Connection, city: CityRow, plan_id: int, *, for_update: bool = True) -> PlanRow:
    """Return a plan, held against other changes until the transaction ends."""
    query = sa.select(*COLUMNS).where(PLANS.c.city_id == city.id, PLANS.c.id == plan_id)
    row = connection.execute(query.with_for_update() if for_update else query).one_or_none()
    if row is None:
        raise NotFound(f"there is no plan {plan_id}", zh=f"没有方案 {plan_id}")
    return PlanRow(*row)
