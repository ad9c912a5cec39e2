"""Actions of the pure core done to a stored plan: from a change on the desk to a patch in the log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import shapely
from pyproj import Transformer
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from gis.crs import LONLAT
from gis.errors import InvalidInput, PlanRuleBroken, Problem
from gis.plans.draft import Delta, Draft
from gis.plans.graph import BlockRow
from gis.plans.plan import Grid as PlanGrid
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.plans.book import PlanRow
from gis.store.plans.desk import Desk, desk, taken_codes
from gis.store.plans.edits import ABSENT, Patch, edit, latest, stale

_KEPT: Final = ("positions_count",)
"""What the store knows of a grid and the core does not."""


def patch_of(laid: Desk, delta: Delta) -> Patch:
    """Return the patch that does to the stored plan what `delta` does to the plan on the desk.

    Corners that a block keeps get back the very coordinates in degrees that they came from, so that blocks which were
    not touched still match them.
    """
    blocks: dict[str, Mapping[str, Any]] = {}
    renamed = dict(delta.renamed)
    for block, grid in laid.plan.assignment().items():
        if grid in renamed:
            blocks[block] = {"grid": renamed[grid]}
    gone = {old.code for old, new in delta.blocks if old is not None and (new is None or new.code != old.code)}
    blocks |= {flip.block: {"grid": flip.new} for flip in delta.flips}
    blocks |= dict.fromkeys(gone, ABSENT)
    return Patch(
        blocks=blocks,
        grids=_grids(laid, delta),
        shapes=_shapes(laid, delta, gone),
        locks=_locks(laid, delta) if delta.locks else None,
    )


def _grids(laid: Desk, delta: Delta) -> dict[str, Mapping[str, Any]]:
    known = {grid.code: grid for grid in laid.grids}
    patch: dict[str, Mapping[str, Any]] = {}
    for old, new in delta.grids:
        if old is not None and (new is None or new.code != old.code):
            patch[old.code] = ABSENT
        if new is not None:
            before = None if old is None else known.get(old.code)
            kept = {name: None if before is None else getattr(before, name) for name in _KEPT}
            patch[new.code] = {**_fields(new), **kept}
    return patch


def _fields(grid: PlanGrid) -> dict[str, Any]:
    said = {name: value or None for name, value in grid.as_dict().items() if name != "code"}
    return {**said, "kind": grid.kind}


def _shapes(laid: Desk, delta: Delta, gone: set[str]) -> dict[str, Mapping[str, Any]]:
    if not delta.blocks:
        return {}
    touched = [old.code for old, _ in delta.blocks if old is not None]
    degrees = _corners(laid, touched)
    to_degrees = Transformer.from_crs(laid.blocks.crs, LONLAT, always_xy=True)
    own = laid.frame.set_index("code")
    parents = {code: own["parent_code"].get(code) or code for code in gone}
    parent = next(iter(parents.values()), None)
    patch: dict[str, Mapping[str, Any]] = {}
    for old, new in delta.blocks:
        if old is not None and old.code in gone and bool(own["own_shape"].get(old.code)):
            patch[old.code] = ABSENT
        if new is not None:
            patch[new.code] = {
                "wkt": shapely.to_wkt(_in_degrees(new, degrees, to_degrees), rounding_precision=-1),
                "parent_code": parent if new.code not in own.index else own["parent_code"].get(new.code) or None,
                "community_code": new.community_code or None,
                "households_count": new.households_count,
                "residents_count": new.residents_count,
            }
    return patch


def _corners(laid: Desk, codes: list[str]) -> dict[tuple[float, float], tuple[float, float]]:
    """Return where in degrees each corner in metres of some blocks came from."""
    at = laid.blocks.positions(codes)
    metres = shapely.get_coordinates(laid.blocks.shapes[at])
    degrees = shapely.get_coordinates(laid.frame.geometry.to_numpy()[at])
    return {tuple(m): tuple(d) for m, d in zip(metres.tolist(), degrees.tolist(), strict=True)}


def _in_degrees(
    row: BlockRow, known: Mapping[tuple[float, float], tuple[float, float]], to_degrees: Transformer
) -> BaseGeometry:
    def placed(metres: np.ndarray) -> np.ndarray:
        moved = np.column_stack(to_degrees.transform(*metres.T))
        return np.array([known.get(tuple(m), tuple(d)) for m, d in zip(metres.tolist(), moved.tolist(), strict=True)])

    return shapely.transform(row.shape, placed)


def _locks(laid: Desk, delta: Delta) -> dict[str, list[str]]:
    held = {"grid": set(laid.plan.locked_grids), "block": set(laid.plan.locked_blocks)}
    for lock in delta.locks:
        (held[lock.kind].add if lock.locked else held[lock.kind].discard)(lock.code)
    return {"blocks": sorted(held["block"]), "grids": sorted(held["grid"])}


Acting = Callable[[Desk, Draft, Collection[str]], Delta]
"""What an action does: from the desk, the draft on it and the codes that no new grid may have."""


def act(
    store: Store,
    city: CityRow,
    plan_id: int,
    acting: Acting,
    *,
    revision: int,
    action: str,
    arguments: Mapping[str, Any],
    desk_name: str,
) -> PlanRow:
    """Do an action of `gis.plans.actions` to a draft, as one edit.

    Raises
    ------
    PlanRuleBroken
        The action would break a rule of structure; nothing is changed, and there is no step to undo.
    StaleRevision, Conflict, NotFound
        As `edit`, and a block or grid does not exist.
    """
    laid = desk(store, city, plan_id)
    if laid.row.revision != revision:
        with store.transaction(city.scope, read_only=True) as connection:
            raise stale(laid.row, latest(connection, plan_id, laid.row.revision - revision))
    delta = acting(laid, Draft(laid.blocks, laid.plan), taken_codes(store, city))
    return edit(
        store,
        city,
        plan_id,
        patch_of(laid, delta),
        revision=revision,
        action=action,
        desk=desk_name,
        arguments=arguments,
    )


def in_metres(laid: Desk, line: Sequence[tuple[float, float]]) -> LineString:
    """Return a line of longitudes and latitudes in the metres of a desk.

    Raises
    ------
    InvalidInput
        The line crosses itself: what it cuts would fall into as many pieces as the square of its corners.
    """
    drawn = LineString(_metres(laid, line))
    if not drawn.is_simple:
        problem = Problem("invalid_geometry", "the line crosses itself", "line", zh="分割线自相交")
        raise InvalidInput("this is no line to cut along", [problem], zh="这不是有效的分割线")
    return drawn


def area_in_metres(laid: Desk, ring: Sequence[tuple[float, float]]) -> Polygon:
    """Return the area inside a ring of longitudes and latitudes in the metres of a desk.

    Raises
    ------
    InvalidInput
        The ring crosses itself.
    """
    area = Polygon(_metres(laid, ring))
    if not area.is_valid:
        problem = Problem("invalid_geometry", "the ring crosses itself", "area", zh="轮廓线自相交")
        raise InvalidInput("this is no area", [problem], zh="这不是有效的区域")
    return area


def corner_near(laid: Desk, place: tuple[float, float], *, within_m: float) -> tuple[float, float]:
    """Return the corner of a block nearest to a longitude and latitude, in metres.

    Raises
    ------
    PlanRuleBroken
        There is none within the distance.
    """
    at = np.array(_metres(laid, [place])[0])
    near = shapely.STRtree(laid.blocks.shapes).query(shapely.Point(at), predicate="dwithin", distance=within_m)
    corners = shapely.get_coordinates(laid.blocks.shapes[near])
    off = np.hypot(*(corners - at).T)
    if not off.size or off.min() > within_m:
        raise PlanRuleBroken(
            f"no block has a corner within {within_m:g} m of {place[0]:.6f}, {place[1]:.6f}",
            zh=f"{place[0]:.6f}, {place[1]:.6f} 附近 {within_m:g} 米内没有单元网格的角点",
        )
    x, y = corners[off.argmin()].tolist()
    return x, y


def point_in_metres(laid: Desk, place: tuple[float, float]) -> tuple[float, float]:
    """Return a longitude and latitude in the metres of a desk."""
    return _metres(laid, [place])[0]


def _metres(laid: Desk, places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    to_metres = Transformer.from_crs(LONLAT, laid.blocks.crs, always_xy=True)
    return [to_metres.transform(*place) for place in places]


def called(delta: Delta, code: str) -> Delta:
    """Return a change that begins one grid, with another code for it; other changes as they are."""
    begun = [new for old, new in delta.grids if old is None and new is not None]
    if len(begun) != 1 or begun[0].code == code:
        return delta
    flips = tuple(replace(flip, new=code) if flip.new == begun[0].code else flip for flip in delta.flips)
    grids = tuple((old, replace(new, code=code)) if new is begun[0] else (old, new) for old, new in delta.grids)
    return replace(delta, flips=flips, grids=grids)
