"""From approved to in force: new versions of the grids that change, from a date on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import sqlalchemy as sa
from geoalchemy2.shape import from_shape, to_shape
from sqlalchemy.dialects import postgresql as pg

from gis.city import FRAMES
from gis.errors import Conflict, InvalidInput, PlanRuleBroken
from gis.store import audit, cities
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.frames import in_force, raise_version, today
from gis.store.placing import place
from gis.store.plans.blocks import dissolved, plan_blocks
from gis.store.plans.book import COLUMNS, STATE_ZH, Grid, PlanRow, held, told
from gis.store.plans.edits import stale
from gis.store.plans.lineage import Lineage, relate
from gis.store.spatial import SRID
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES, PLAN_BLOCKS, PLAN_GRIDS, PLAN_LINEAGE, PLAN_SHAPES, PLANS

_FIELDS: Final = ("kind", "name_zh", "name_en", "community_code", "beat_code", "positions_count")
_BLOCKS, _GRIDS = FRAME_TABLES["blocks"], FRAME_TABLES["grids"]
_ENDED: Final = "ended"
"""In the ledger: keys of the versions of grids that a plan ended, so that its publication can be undone."""
_PLAN: Final = "plan-"
"""Before the number of the plan stands this as the source of what a plan has written."""
_NO_OPTIONS: Final[Mapping[str, Any]] = {}
_LOCK_SPACE: Final = 0x706C616E
"""Of the advisory locks of plans; "plan" in ASCII."""


def publish(store: Store, city: CityRow, plan_id: int, *, revision: int, on: dt.date) -> PlanRow:
    """Give an approved plan its date: from then on the map shows its grids.

    The versions of grids that change end on that day and new ones begin; grids that keep their blocks and their names
    keep their version. The plan is in force once the day has come (`settle`).

    Of several plans for one day the one published last counts. One that still waits for that day is withdrawn, as if it
    had never been published, and is superseded. One that took effect earlier on the same day, today, is followed by the
    new one: days are the smallest measure, so that of a grid which both change only the later version is kept.

    Raises
    ------
    StaleRevision, Conflict
        The plan was changed since it was read, is not approved, another plan waits for a later day, or one that waits
        for an earlier day cuts blocks that this plan does not know.
    InvalidInput
        The day is past.
    PlanRuleBroken
        A block is assigned to no grid.
    """
    if on < today(city):
        raise InvalidInput(
            f"{on} is past: a plan takes effect today or later", zh=f"{on} 已过：方案只能自今日或以后生效"
        )
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        _alone(connection, city)
        settled = _settle(connection, city)
        plan = held(connection, city, plan_id)
        _refuse_unready(plan, revision)
        waiting = _waiting(connection, city)
        for other in waiting:
            if other.effective_on == on:
                _withdraw(connection, city, other, on)
        before = _before(connection, city, [other for other in waiting if other.effective_on != on], on)
        blocks = plan_blocks(connection, city, plan_id)
        if (loose := blocks.loc[blocks["grid_code"].isna(), "code"]).size:
            raise PlanRuleBroken(
                f"{loose.size} block(s) have no grid, such as {', '.join(loose.head(5))}",
                zh=f"{loose.size} 个单元网格没有网格，例如 {'、'.join(loose.head(5))}",
            )
        if before.plan is not None:
            _refuse_other_blocks(connection, before.plan, plan)
        _replace_versions(connection, city, plan, blocks, on, before)
        _write_lineage(connection, plan, blocks, before)
        dated = PLANS.update().where(PLANS.c.id == plan_id).values(
            effective_on=on, revision=PLANS.c.revision + 1, changed_at=sa.func.now()
        )  # fmt: skip
        connection.execute(dated)
        settled += _settle(connection, city)
        done = held(connection, city, plan_id, for_update=False)
        audit.record(connection, told(done, "published", effective_on=str(on)))
        _tell(connection, settled)
        return done


def _alone(connection: sa.Connection, city: CityRow) -> None:
    """Let one plan of a city at a time be published or put in force; others wait until this transaction ends."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK_SPACE, city.id)))


def _refuse_unready(plan: PlanRow, revision: int) -> None:
    if plan.state != "approved" or plan.effective_on is not None:
        what = plan.state if plan.effective_on is None else f"{plan.state}, published for {plan.effective_on}"
        zh = STATE_ZH[plan.state] + ("" if plan.effective_on is None else f"，已定于 {plan.effective_on} 生效")
        raise Conflict(
            f"plan {plan.id} is {what}, not approved and waiting for its day", zh=f"方案 {plan.id} {zh}，不能再发布"
        )
    if plan.revision != revision:
        raise stale(plan)


def _waiting(connection: sa.Connection, city: CityRow) -> list[PlanRow]:
    """Return the plans that have been published for a day still to come, the earliest first."""
    query = sa.select(*COLUMNS).where(
        PLANS.c.city_id == city.id, PLANS.c.state == "approved", PLANS.c.effective_on.is_not(None)
    )
    rows = connection.execute(query.order_by(PLANS.c.effective_on, PLANS.c.id).with_for_update())
    return [PlanRow(*row) for row in rows]


def _withdraw(connection: sa.Connection, city: CityRow, plan: PlanRow, on: dt.date) -> None:
    """Undo the publication of a plan that another one supersedes before its day has come."""
    ledger = sa.select(IMPORT_BATCHES.c.options).where(
        IMPORT_BATCHES.c.city_id == city.id, IMPORT_BATCHES.c.frame == "grids", IMPORT_BATCHES.c.source == _source(plan)
    )
    ended = (connection.scalar(ledger) or {}).get(_ENDED, [])
    connection.execute(
        _GRIDS.delete().where(_GRIDS.c.city_id == city.id, _GRIDS.c.source == _source(plan), _GRIDS.c.valid_from == on)
    )
    connection.execute(
        _GRIDS.update()
        .where(_GRIDS.c.city_id == city.id, _GRIDS.c.id.in_(ended), _GRIDS.c.valid_to == on)
        .values(valid_to=None, version=_GRIDS.c.version + 1)
    )
    connection.execute(PLAN_LINEAGE.delete().where(PLAN_LINEAGE.c.plan_id == plan.id))
    connection.execute(
        PLANS.update()
        .where(PLANS.c.id == plan.id)
        .values(state="superseded", revision=PLANS.c.revision + 1, changed_at=sa.func.now())
    )
    raise_version(connection, city.id, "grids")
    place(connection, city.id, ["grids"])


@dataclass(frozen=True, slots=True)
class _Before:
    """What a plan finds on its day.

    Attributes
    ----------
    plan
        The plan that waits for an earlier day and will be in force then; None where none does.
    grid_of
        Block code -> grid code.
    reshaped
        Blocks that the earlier plan cut or moved.
    """

    plan: PlanRow | None
    grid_of: Mapping[str, str | None]
    reshaped: frozenset[str] = frozenset()


def _before(connection: sa.Connection, city: CityRow, waiting: Sequence[PlanRow], on: dt.date) -> _Before:
    later = [plan for plan in waiting if plan.effective_on is not None and plan.effective_on > on]
    if later:
        first = later[0]
        raise Conflict(
            f"plan {first.id} waits for {first.effective_on} and was made for the grids of today: choose that day to "
            "supersede it, or a later one",
            zh=f"方案 {first.id} 已定于 {first.effective_on} 生效，且以当前网格为基础："
            "请选择同一天以取代它，或更晚的日期",
        )
    if waiting:
        plan = waiting[-1]
        rows = connection.execute(
            sa.select(PLAN_BLOCKS.c.code, PLAN_BLOCKS.c.grid_code).where(PLAN_BLOCKS.c.plan_id == plan.id)
        )
        cut = connection.scalars(sa.select(PLAN_SHAPES.c.code).where(PLAN_SHAPES.c.plan_id == plan.id))
        return _Before(plan, {row.code: row.grid_code for row in rows}, frozenset(cut))
    rows = connection.execute(sa.select(_BLOCKS.c.code, _BLOCKS.c.grid_code).where(_BLOCKS.c.city_id == city.id))
    return _Before(None, {row.code: row.grid_code for row in rows})


def _refuse_other_blocks(connection: sa.Connection, earlier: PlanRow, plan: PlanRow) -> None:
    """Refuse a plan that does not have the blocks as an earlier one will have cut or moved them by its day."""

    def cut(plan_id: int) -> dict[str, bytes]:
        query = sa.select(PLAN_SHAPES.c.code, sa.func.ST_AsBinary(PLAN_SHAPES.c.geom)).where(
            PLAN_SHAPES.c.plan_id == plan_id
        )
        return {code: bytes(wkb) for code, wkb in connection.execute(query)}

    has = cut(plan.id)
    if lacking := sorted(code for code, wkb in cut(earlier.id).items() if has.get(code) != wkb):
        raise Conflict(
            f"plan {earlier.id} takes effect before, on {earlier.effective_on}, with {len(lacking)} block(s) cut or "
            f"moved that this plan has otherwise, such as {', '.join(lacking[:5])}: make it as a copy of that plan",
            zh=f"方案 {earlier.id} 将先于 {earlier.effective_on} 生效，其中 {len(lacking)} 个单元网格的形状与本方案不同"
            f"（如 {'、'.join(lacking[:5])}）：请以该方案的副本为基础",
        )


def settle(store: Store, city: CityRow) -> bool:
    """Put those plans in force whose day has come; return whether there was one."""
    with store.transaction(city.scope, read_only=True) as connection:
        if not connection.scalar(sa.select(_due(city))):
            return False
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        _alone(connection, city)
        settled = _settle(connection, city)
        _tell(connection, settled)
        return bool(settled)


def _tell(connection: sa.Connection, settled: list[PlanRow]) -> None:
    """Write down, at the end of the transaction, which plans took effect in it; the day did that, and nobody else."""
    for plan in settled:
        audit.record(connection, told(plan, "took effect"), by=audit.Asker())


def settle_all(store: Store) -> list[CityRow]:
    """Put those plans of every city in force whose day has come there; return the cities where one had."""
    return [city for city in cities.all_(store) if settle(store, city)]


def _due(city: CityRow) -> sa.Exists:
    return sa.exists().where(
        PLANS.c.city_id == city.id, PLANS.c.state == "approved", PLANS.c.effective_on <= today(city)
    )


@dataclass(frozen=True, slots=True)
class _Change:
    """What a plan does to the versions of grids: those that end, and the codes that begin anew."""

    ending: dict[str, sa.Row[Any]]
    beginning: set[str]


def _replace_versions(  # noqa: PLR0917 - from the same names in one place
    connection: sa.Connection, city: CityRow, plan: PlanRow, blocks: gpd.GeoDataFrame, on: dt.date, before: _Before
) -> None:
    columns = [PLAN_GRIDS.c[name] for name in Grid.__slots__]
    said = {row.code: row for row in connection.execute(sa.select(*columns).where(PLAN_GRIDS.c.plan_id == plan.id))}
    change = _change(connection, city, blocks, said, on, before)
    _refuse_later_versions(connection, city, change, on)
    if not (change.ending or change.beginning):
        return
    # A version that would end on the day it began was never in force on any day.
    unborn = [row.id for row in change.ending.values() if row.valid_from == on]
    ended = [row.id for row in change.ending.values() if row.valid_from < on]
    connection.execute(_GRIDS.delete().where(_GRIDS.c.id.in_(unborn)))
    connection.execute(_GRIDS.update().where(_GRIDS.c.id.in_(ended)).values(valid_to=on, version=_GRIDS.c.version + 1))
    batch = _batch(connection, city, plan, "grids", {_ENDED: ended})
    if change.beginning:
        own = blocks[blocks["grid_code"].isin(change.beginning)]
        areas, households = dissolved(own), own.groupby("grid_code")["households_count"].sum()
        rows = [
            {
                "city_id": city.id,
                "source": _source(plan),
                "source_id": f"{code}@{on}",
                "batch_id": batch,
                "code": code,
                **{name: getattr(said[code], name) for name in _FIELDS},
                "households_count": int(households[code]),
                "valid_from": on,
                "geom": from_shape(area, srid=SRID),
            }
            for code, area in areas.items()
        ]
        connection.execute(_GRIDS.insert(), rows)
    raise_version(connection, city.id, "grids")
    place(connection, city.id, ["grids"])


def _change(  # noqa: PLR0917 - from the same names in one place
    connection: sa.Connection,
    city: CityRow,
    blocks: gpd.GeoDataFrame,
    said: Mapping[str, sa.Row[Any]],
    on: dt.date,
    found: _Before,
) -> _Change:
    """Return which grids a plan changes; one with the same blocks of the same shape and the same names stays."""
    current = sa.select(_GRIDS).where(_GRIDS.c.city_id == city.id, *in_force(FRAMES["grids"], _GRIDS, on))
    before = {row.code: row for row in connection.execute(current)}
    had: dict[str, set[str]] = {}
    for code, grid in found.grid_of.items():
        if grid is not None:
            had.setdefault(grid, set()).add(code)
    has = blocks.groupby("grid_code")["code"].agg(set).to_dict()
    reshaped = set(blocks.loc[blocks["own_shape"] | blocks["code"].isin(found.reshaped), "grid_code"])
    kept = {
        code
        for code, row in before.items()
        if code in has
        and code not in reshaped
        and has[code] == had.get(code)
        and all(getattr(row, name) == getattr(said[code], name) for name in _FIELDS)
    }
    return _Change({code: row for code, row in before.items() if code not in kept}, has.keys() - kept)


def _refuse_later_versions(connection: sa.Connection, city: CityRow, change: _Change, on: dt.date) -> None:
    """Refuse to write over what was imported for the day or later; plans of the day have been looked at before."""
    later = sa.select(_GRIDS.c.code).where(
        _GRIDS.c.city_id == city.id,
        _GRIDS.c.code.in_(sorted(change.beginning | change.ending.keys())),
        _GRIDS.c.valid_from >= on,
        sa.or_(_GRIDS.c.valid_from > on, _GRIDS.c.source.not_like(f"{_PLAN}%")),
    )
    if found := sorted(set(connection.scalars(later))):
        named = ", ".join(found[:5])
        raise Conflict(
            f"{len(found)} grid(s) have a version that begins on {on} or later already, such as {named}: choose "
            "another day",
            zh=f"{len(found)} 个网格已有自 {on} 或以后开始的版本，例如 {named}：请另选日期",
        )


def _write_lineage(connection: sa.Connection, plan: PlanRow, blocks: gpd.GeoDataFrame, before: _Before) -> None:
    parents = blocks["parent_code"].where(blocks["parent_code"].notna(), blocks["code"])
    # A plan made of an earlier one has its halves of a block; both may go back to the whole block of today.
    was = [
        before.grid_of.get(code, before.grid_of.get(parent))
        for code, parent in zip(blocks["code"], parents, strict=True)
    ]
    rows = relate(
        old=was,
        new=blocks["grid_code"].tolist(),
        households=blocks["households_count"].fillna(0).astype(int).tolist(),
    )
    if rows:
        given = [{"plan_id": plan.id, **{name: getattr(row, name) for name in Lineage.__slots__}} for row in rows]
        connection.execute(PLAN_LINEAGE.insert(), given)


def _settle(connection: sa.Connection, city: CityRow) -> list[PlanRow]:
    """Put the plans in force whose day has come, the earliest first, and return them."""
    query = (
        sa.select(*COLUMNS)
        .where(PLANS.c.city_id == city.id, PLANS.c.state == "approved", PLANS.c.effective_on <= today(city))
        .order_by(PLANS.c.effective_on, PLANS.c.id)
        .with_for_update()
    )
    due = [PlanRow(*row) for row in connection.execute(query)]
    for plan in due:
        in_use = (PLANS.c.city_id == city.id, PLANS.c.state == "effective")
        connection.execute(PLANS.update().where(*in_use).values(state="superseded", changed_at=sa.func.now()))
        connection.execute(
            PLANS.update().where(PLANS.c.id == plan.id).values(state="effective", changed_at=sa.func.now())
        )
        _assign_blocks(connection, city, plan)
    if due:
        # What is in force depends on the day, which no version number knows: whoever keeps tiles must ask anew.
        raise_version(connection, city.id, "grids")
    return due


def _assign_blocks(connection: sa.Connection, city: CityRow, plan: PlanRow) -> None:
    """Let the city's blocks be those of the plan."""
    mine = PLAN_BLOCKS.c.plan_id == plan.id
    gone = _BLOCKS.delete().where(
        _BLOCKS.c.city_id == city.id,
        _BLOCKS.c.code.in_(
            sa.select(PLAN_SHAPES.c.parent_code).where(
                PLAN_SHAPES.c.plan_id == plan.id,
                PLAN_SHAPES.c.parent_code.not_in(sa.select(PLAN_BLOCKS.c.code).where(mine)),
            )
        ),
    )
    connection.execute(gone)
    own = connection.execute(PLAN_SHAPES.select().where(PLAN_SHAPES.c.plan_id == plan.id)).all()
    if own:
        batch = _batch(connection, city, plan, "blocks")
        insert = pg.insert(_BLOCKS)
        fields = ("community_code", "households_count", "residents_count")
        for row in own:
            values = {
                **{name: getattr(row, name) for name in fields},
                "geom": from_shape(to_shape(row.geom), srid=SRID),
            }
            here = _BLOCKS.update().where(_BLOCKS.c.city_id == city.id, _BLOCKS.c.code == row.code).values(**values)
            if connection.execute(here).rowcount == 0:
                new = {"city_id": city.id, "source": _source(plan), "source_id": row.code, "batch_id": batch}
                connection.execute(insert.values(**new, code=row.code, **values))
    assigned = (
        _BLOCKS.update()
        .where(
            _BLOCKS.c.city_id == city.id,
            mine,
            PLAN_BLOCKS.c.code == _BLOCKS.c.code,
            _BLOCKS.c.grid_code.is_distinct_from(PLAN_BLOCKS.c.grid_code),
        )
        .values(grid_code=PLAN_BLOCKS.c.grid_code, version=_BLOCKS.c.version + 1)
    )
    connection.execute(assigned)
    raise_version(connection, city.id, "blocks")
    place(connection, city.id, ["blocks", "grids"])


def _source(plan: PlanRow) -> str:
    return f"{_PLAN}{plan.id}"


def _batch(
    connection: sa.Connection, city: CityRow, plan: PlanRow, frame: str, options: Mapping[str, Any] = _NO_OPTIONS
) -> int:
    """Enter the plan into the ledger of where rows come from."""
    entry = IMPORT_BATCHES.insert().values(
        city_id=city.id,
        frame=frame,
        source=_source(plan),
        content_sha256=f"plan {plan.id} revision {plan.revision}",
        options=dict(options),
        state="applied",
        applied_at=sa.func.now(),
    )
    return int(connection.execute(entry.returning(IMPORT_BATCHES.c.id)).scalar_one())
