"""A stored plan laid out for work: its blocks with their borders and loads, and the plan made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

import geopandas as gpd
import sqlalchemy as sa

from gis.city import FRAMES
from gis.plans.compare import Comparison, compare
from gis.plans.draft import Draft
from gis.plans.graph import Blocks
from gis.plans.plan import NONE, Plan, plan_of
from gis.plans.plan import Grid as PlanGrid
from gis.plans.policy import Policy, WorkloadWeights, policy
from gis.plans.propose import Proposals, Way, propose
from gis.plans.workload import Workload
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import in_force, today
from gis.store.plans import ground
from gis.store.plans.book import Grid, PlanRow, contents, held, locks_in_force
from gis.store.plans.files import blocks_frame
from gis.store.plans.ground import Kept, Laid, Places
from gis.store.tables import FRAME_TABLES

WEIGHTS: Final = "weights"
"""Where a plan keeps weights of its own among its settings."""
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """What one needs to work on a plan.

    Attributes
    ----------
    row
        The plan at the revision that all of this is of.
    laid
        Its blocks, and what lies in them.
    places
        Of the city, in metres.
    rules
        The policy, with the plan's own weights where it has any.
    in_force : (n,)
        Code of the grid that each block belongs to today, None for none; of a block that the plan cut, its parent's.
    base
        The plan in force, on the city's own blocks.
    """

    row: PlanRow
    laid: Laid
    places: Places
    rules: Policy
    plan: Plan
    workload: Workload
    grids: tuple[Grid, ...]
    in_force: tuple[str | None, ...]
    base: Draft

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """Its blocks (n,) in EPSG:4326, in the order of `blocks`, with ``id`` of the city's own block, -1 for none."""
        return self.laid.frame

    @property
    def blocks(self) -> Blocks:
        """Its blocks (n,) in metres."""
        return self.laid.blocks


_desks: Final[Kept[Desk]] = Kept(6)


def desk(store: Store, city: CityRow, plan_id: int) -> Desk:
    """Return a plan laid out for work; NotFound when the city has none of that id.

    Raises
    ------
    FrameMismatch
        The blocks of the plan overlap or leave gaps.
    Conflict
        Blocks of the plan are no longer in the city.
    """
    key = ground.now(store, city)
    with store.transaction(city.scope, read_only=True) as connection:
        row = held(connection, city, plan_id, for_update=False)
        locks = locks_in_force(connection, city)
    known = _desks.get((key, plan_id, row.revision, repr(locks)), lambda: _laid_out(store, city, key, row, locks))
    # A plan whose day comes changes its state and not its revision.
    return replace(known, row=row)


def board(laid: Desk) -> dict[str, Any]:
    """Return all that a page needs to redraw a plan by itself, as plain lists by block, by grid and by border."""
    sheet, band = laid.laid.sheet, laid.rules.band
    # Grids of today that the plan ends have places behind its own, so that every block can say where it comes from.
    ended = [grid for grid in laid.base.plan.grids if grid.code not in {own.code for own in laid.plan.grids}]
    position = {grid.code: i for i, grid in enumerate((*laid.plan.grids, *ended))}
    changing = {
        "grid": laid.plan.grid.tolist(),
        "base": [NONE if code is None else position.get(code, NONE) for code in laid.in_force],
        "load": laid.workload.load.round(3).tolist(),
    }
    return {
        "revision": laid.row.revision,
        "band": {"target": band.target, "low": band.least, "high": band.most},
        "weights": asdict(laid.rules.workload),
        "communities": sheet["communities"]["code"],
        "blocks": {**sheet["blocks"], **changing},
        "grids": [
            {name: getattr(grid, name) for name in Grid.__slots__}
            for grid in sorted(laid.grids, key=lambda grid: grid.code)
        ],
        "ended": [{**grid.as_dict(), "positions_count": None} for grid in ended],
        "neighbours": sheet["neighbours"],
        "locks": {"blocks": list(laid.row.locks.get("blocks", ())), "grids": list(laid.row.locks.get("grids", ()))},
    }


def compared(laid: Desk, other: Mapping[str, str | None] | None = None) -> Comparison:
    """Return what the plan changes: of the grids in force today, or of another plan's assignment."""
    own = laid.plan.assignment()
    codes = [str(code) for code in laid.blocks.codes]
    return compare(laid.blocks, laid.workload, before(laid, other), [own[code] for code in codes])


def before(laid: Desk, other: Mapping[str, str | None] | None = None) -> list[str | None]:
    """Return the grid (n,) of each block that a plan is compared with: today's, or another plan's."""
    if other is None:
        return list(laid.in_force)
    parents = _parents(laid.frame)
    return [other.get(str(code), other.get(parent)) for code, parent in zip(laid.blocks.codes, parents, strict=True)]


def proposals(
    store: Store, city: CityRow, laid: Desk, *, ways: Sequence[Way], seed: int = 0, progress: Progress
) -> Proposals:
    """Return better plans than the draft as it is; new grids get codes that no grid of the city ever had."""
    return propose(
        laid.blocks,
        laid.plan,
        laid.workload.load,
        laid.rules.band,
        ways=ways,
        seed=seed,
        taken_codes=taken_codes(store, city),
        progress=progress,
    )


def taken_codes(store: Store, city: CityRow) -> list[str]:
    """Return every code that a grid of the city has or ever had: a code never comes back."""
    codes = sa.select(FRAME_TABLES["grids"].c.code).where(FRAME_TABLES["grids"].c.city_id == city.id).distinct()
    with store.transaction(city.scope, read_only=True) as connection:
        return list(connection.scalars(codes))


def own_weights(settings: Mapping[str, Any]) -> WorkloadWeights:
    """Return the weights that a plan's settings say, those of the policy where they say none."""
    given = settings.get(WEIGHTS)
    if given is None:
        return policy().workload
    return WorkloadWeights(**{f.name: float(given.get(f.name, 0.0)) for f in fields(WorkloadWeights)})


def _laid_out(
    store: Store, city: CityRow, key: tuple[Hashable, ...], row: PlanRow, locks: Mapping[str, list[str]]
) -> Desk:
    inside = contents(store, city, row.id)
    own = tuple(sorted((shape.code, shape.geometry.wkb) for shape in inside.shapes))
    name = (tuple(inside.blocks), own)
    laid = ground.laid(store, city, key, name, lambda: blocks_frame(store, city, row.id))
    plan = plan_of(
        laid.blocks.codes,
        [inside.blocks[code] for code in laid.blocks.codes],
        [_plan_grid(grid) for grid in inside.grids],
        locked_grids=row.locks.get("grids", ()),
        locked_blocks=row.locks.get("blocks", ()),
    )
    rules = replace(policy(), workload=own_weights(row.settings))
    base = _base(store, city, key, locks)
    today_is = base.plan.assignment()
    return Desk(
        row=row,
        laid=laid,
        places=ground.places(store, city, key),
        rules=rules,
        plan=plan,
        workload=laid.counts.weighed(rules.workload),
        grids=inside.grids,
        in_force=tuple(today_is.get(code) for code in _parents(laid.frame)),
        base=base,
    )


def _parents(frame: gpd.GeoDataFrame) -> list[str]:
    """Return the code (n,) of the city's block that each block is or was cut from."""
    return list(frame["parent_code"].where(frame["parent_code"].notna(), frame["code"]))


def _base(store: Store, city: CityRow, key: tuple[Hashable, ...], locks: Mapping[str, list[str]]) -> Draft:
    """Return the plan in force on the city's own blocks."""
    frame = ground.city_blocks(store, city, key)
    laid = ground.laid(store, city, key, (tuple(frame["code"]), ()), lambda: frame)
    grids = FRAME_TABLES["grids"]
    query = sa.select(*(grids.c[name] for name in Grid.__slots__)).where(
        grids.c.city_id == city.id, *in_force(FRAMES["grids"], grids, today(city))
    )
    with store.transaction(city.scope, read_only=True) as connection:
        current = [_plan_grid(Grid(*row)) for row in connection.execute(query)]
    known = {grid.code for grid in current}
    plan = plan_of(
        laid.blocks.codes,
        [code if code in known else None for code in frame["grid_code"]],
        current,
        locked_grids=locks.get("grids", ()),
        locked_blocks=locks.get("blocks", ()),
    )
    return Draft(laid.blocks, plan)


def _plan_grid(grid: Grid) -> PlanGrid:
    words = (grid.beat_code or "", grid.name_zh or "", grid.name_en or "")
    return PlanGrid(grid.code, grid.community_code or "", grid.kind, *words)
