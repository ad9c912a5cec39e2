"""A stored plan laid out for work: its blocks with their borders and loads, and the plan made of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa

from gis.errors import PlanRuleBroken
from gis.plans.compare import Comparison, compare
from gis.plans.graph import Blocks, blocks_of
from gis.plans.ground import ground_of
from gis.plans.plan import NONE, Plan, plan_of
from gis.plans.plan import Grid as PlanGrid
from gis.plans.policy import policy
from gis.plans.propose import Proposals, Way, propose
from gis.plans.rule import Rule, Subject, Violation, violations
from gis.plans.workload import Workload, workload_of
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.frames import read_frame, versions
from gis.store.plans.book import Grid, PlanRow, get, grids
from gis.store.plans.files import blocks_frame
from gis.store.plans.review import submit
from gis.store.tables import FRAME_TABLES

FRAMES: Final = ("blocks", "rentals", "key_units", "incidents", "water_areas", "segments")
MOST_KEPT: Final = 3
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """What one needs to work on a plan.

    Attributes
    ----------
    row
        The plan at the revision that all of this is of.
    frame : (n,) rows
        Its blocks in EPSG:4326, in the order of `blocks`, with ``id`` of the city's own block where it is that.
    in_force : (n,)
        Code of the grid that each block belongs to today, None for none; of a block that the plan cut, its parent's.
    key_units
        Of the city, in metres; None where it has none.
    """

    row: PlanRow
    frame: gpd.GeoDataFrame
    blocks: Blocks
    plan: Plan
    workload: Workload
    grids: tuple[Grid, ...]
    in_force: tuple[str | None, ...]
    key_units: gpd.GeoDataFrame | None


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    """What does not change when blocks change hands: the same for all plans of the same blocks."""

    frame: gpd.GeoDataFrame
    blocks: Blocks
    workload: Workload
    in_force: Mapping[str, str]
    key_units: gpd.GeoDataFrame | None


_KEPT: dict[tuple[object, ...], _Ground] = {}
_LOCK = threading.Lock()


def desk(store: Store, city: CityRow, plan_id: int) -> Desk:
    """Return a plan laid out for work; NotFound when the city has none of that id.

    Raises
    ------
    FrameMismatch
        The blocks of the plan overlap or leave gaps.
    Conflict
        Blocks of the plan are no longer in the city.
    """
    row = get(store, city, plan_id)
    frame = blocks_frame(store, city, plan_id)
    ground = _ground(store, city, frame)
    said = grids(store, city, plan_id)
    named = [
        PlanGrid(g.code, g.community_code or "", g.kind, g.beat_code or "", g.name_zh or "", g.name_en or "")
        for g in said
    ]
    own = frame.set_index("code")["grid_code"].reindex(ground.blocks.codes)
    plan = plan_of(
        ground.blocks.codes,
        own.to_numpy(dtype=object),
        named,
        locked_grids=row.locks.get("grids", ()),
        locked_blocks=row.locks.get("blocks", ()),
    )
    cut_from = ground.frame["parent_code"].where(ground.frame["parent_code"].notna(), ground.frame["code"])
    in_force = tuple(ground.in_force.get(code) for code in cut_from)
    return Desk(row, ground.frame, ground.blocks, plan, ground.workload, tuple(said), in_force, ground.key_units)


def board(laid: Desk) -> dict[str, Any]:
    """Return all that a page needs to redraw a plan by itself, as plain lists by block, by grid and by border."""
    blocks, amounts = laid.blocks, laid.workload.amounts
    bounds = shapely.bounds(laid.frame.geometry.to_numpy())
    middle = shapely.point_on_surface(laid.frame.geometry.to_numpy())
    communities, community = np.unique(blocks.communities.astype(str), return_inverse=True)
    ends, shared_m = blocks.graph.pairs()
    open_pairs = {tuple(pair) for pair in blocks.open_graph.pairs()[0].tolist()}
    band = policy().band
    position = {grid.code: i for i, grid in enumerate(laid.plan.grids)}
    return {
        "revision": laid.row.revision,
        "band": {"target": band.target, "low": band.least, "high": band.most},
        "weights": asdict(policy().workload),
        "communities": communities.tolist(),
        "blocks": {
            "id": [None if i < 0 else int(i) for i in laid.frame["id"]],
            "code": blocks.codes.tolist(),
            "community": community.tolist(),
            "grid": laid.plan.grid.tolist(),
            "base": [NONE if code is None else position.get(code, NONE) for code in laid.in_force],
            "load": laid.workload.load.round(3).tolist(),
            "households": blocks.households.tolist(),
            "rentals": amounts["rentals"].astype(int).tolist(),
            "key_units": amounts["key_units"].astype(int).tolist(),
            "incidents": amounts["incidents_per_year"].round(1).tolist(),
            "area_m2": blocks.graph.area_m2.round(1).tolist(),
            "perimeter_m": blocks.graph.perimeter_m.round(2).tolist(),
            "lon": shapely.get_x(middle).round(7).tolist(),
            "lat": shapely.get_y(middle).round(7).tolist(),
            "bbox": bounds.round(7).tolist(),
        },
        "grids": [
            {name: getattr(grid, name) for name in Grid.__slots__}
            for grid in sorted(laid.grids, key=lambda grid: grid.code)
        ],
        "neighbours": {
            "a": ends[:, 0].tolist(),
            "b": ends[:, 1].tolist(),
            "shared_m": shared_m.round(2).tolist(),
            "barrier": [tuple(pair) not in open_pairs for pair in ends.tolist()],
        },
        "locks": {"blocks": list(laid.row.locks.get("blocks", ())), "grids": list(laid.row.locks.get("grids", ()))},
    }


def problems(laid: Desk, city: CityRow) -> list[tuple[Rule, Violation]]:
    """Return every rule that the plan breaks, and where; what is broken first."""
    subject = Subject(laid.blocks, laid.plan, laid.workload, policy(), laid.key_units, city.profile.grid_code_pattern)
    return violations(subject)


def hand_in(
    store: Store, city: CityRow, plan_id: int, *, revision: int, desk_name: str, account_id: int | None = None
) -> PlanRow:
    """Hand a draft in for review when the grids that it changes keep the rules.

    What was broken before and is left as it was is not the plan's doing; it stays in `problems` for people to see.

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
        for _, violation in problems(laid, city)
        if violation.severity != "warning" and (not violation.grids or changed.intersection(violation.grids))
    ]
    if faults:
        named = sorted({code for fault in faults for code in fault.grids})
        said = "; ".join(fault.message.en for fault in faults[:3])
        more = f"; and {len(faults) - 3} more" if len(faults) > 3 else ""  # noqa: PLR2004 - three are told
        raise PlanRuleBroken(f"the plan breaks {len(faults)} rule(s): {said}{more}", named)
    return submit(store, city, plan_id, revision=revision, desk=desk_name, account_id=account_id)


def compared(laid: Desk, other: Mapping[str, str | None] | None = None) -> Comparison:
    """Return what the plan changes: of the grids in force today, or of another plan's assignment."""
    own = laid.plan.assignment()
    codes = [str(code) for code in laid.blocks.codes]
    before = laid.in_force if other is None else [other.get(code) for code in codes]
    return compare(laid.blocks, laid.workload, before, [own[code] for code in codes])


def proposals(
    store: Store, city: CityRow, laid: Desk, *, ways: Sequence[Way], seed: int = 0, progress: Progress
) -> Proposals:
    """Return better plans than the draft as it is; new grids get codes that no grid of the city ever had."""
    return propose(
        laid.blocks,
        laid.plan,
        laid.workload.load,
        policy().band,
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


def _ground(store: Store, city: CityRow, frame: gpd.GeoDataFrame) -> _Ground:
    with store.transaction(city.scope, read_only=True) as connection:
        now = versions(connection, city.id, (*FRAMES, "grids"))
    own = frame[frame["own_shape"]]
    shapes = tuple(zip(own["code"], own.geometry.to_wkb(), strict=True))
    key = (store.url, city.id, city.profile.metric_crs, tuple(sorted(now.items())), tuple(frame["code"]), shapes)
    with _LOCK:
        if key in _KEPT:
            _KEPT[key] = _KEPT.pop(key)
            return _KEPT[key]
    made = _made(store, city, frame)
    with _LOCK:
        _KEPT[key] = made
        while len(_KEPT) > MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
    return made


def _made(store: Store, city: CityRow, frame: gpd.GeoDataFrame) -> _Ground:
    crs, rules = city.profile.metric_crs, policy()
    given = {name: _or_none(read_frame(store, city, name)) for name in FRAMES}
    metric = {name: None if rows is None else rows.to_crs(crs) for name, rows in given.items()}
    ground = ground_of(rules, water_areas=metric["water_areas"], segments=metric["segments"])
    rows = frame.assign(source_id=frame["code"]).sort_values("code", kind="stable", ignore_index=True)
    blocks = blocks_of(rows, crs=crs, ground=ground)
    workload = workload_of(
        blocks,
        rules.workload,
        rentals=metric["rentals"],
        key_units=metric["key_units"],
        incidents=metric["incidents"],
    )
    city_blocks = given["blocks"]
    ids = {} if city_blocks is None else dict(zip(city_blocks["code"], city_blocks.index, strict=True))
    own = rows["own_shape"].to_numpy(dtype=bool)
    keyed = rows.assign(id=[-1 if cut else ids.get(code, -1) for code, cut in zip(rows["code"], own, strict=True)])
    current = set(read_frame(store, city, "grids")["code"])
    in_force = (
        {}
        if city_blocks is None
        else {
            code: grid
            for code, grid in zip(city_blocks["code"], city_blocks["grid_code"], strict=True)
            if grid in current
        }
    )
    return _Ground(keyed, blocks, workload, in_force, metric["key_units"])


def _or_none(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame | None:
    return None if frame.empty else frame
