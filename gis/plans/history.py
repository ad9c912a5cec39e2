"""History on new boundaries: places are attributed again, exactly; totals are carried over, and marked as estimates.

A series on new grids comes from the places wherever there are places. Only where a total per old grid is all there is,
it is spread over blocks by a weight and summed up again, which is right no better than the weight says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import InvalidInput
from gis.kernels.block_graph import Bools, Floats, Ints
from gis.plans.draft import Draft
from gis.plans.graph import Blocks
from gis.plans.places import block_of
from gis.plans.plan import NONE, Plan

NO_GRID = ""
"""Stands in tables for places and blocks without a grid."""
_NOTHING = 1e-9


def attributed(draft: Draft, places: gpd.GeoDataFrame) -> pd.Series:
    """Return the grid code (p,) of each place, ``""`` for one that lies in none; index as given. Exact."""
    codes = grid_names(draft.plan)
    return pd.Series(codes[block_of(draft.blocks, places)], index=places.index, name="grid_code", dtype=object)


def grid_names(plan: Plan) -> np.ndarray:
    """Return the grid code (n + 1,) of each block, ``""`` for a block without one; the last stands for no block."""
    codes = np.array([*(grid.code for grid in plan.grids), NO_GRID], dtype=object)
    return np.asarray(codes[np.append(plan.grid, NONE)])


def carried(old: Draft, blocks: Blocks) -> Plan:
    """Return the plan of a draft on other blocks of the same city.

    A block that the draft does not know, because it was split or reshaped since, has the grid that holds a point in it.
    """
    known = np.array([code in old.plan.place for code in blocks.codes], dtype=bool)
    grid = np.full(len(blocks), NONE)
    grid[known] = old.plan.grid[[old.plan.place[code] for code in blocks.codes[known]]]
    if not known.all():
        inside = shapely.point_on_surface(blocks.shapes[~known])
        held = block_of(old.blocks, gpd.GeoDataFrame(geometry=inside, crs=blocks.crs))
        grid[~known] = np.append(old.plan.grid, NONE)[held]
    return Plan(blocks.codes, grid, old.plan.grids, old.plan.locked_grids, old.plan.locked_blocks, blocks.place)


def handed_over(old: Draft, new: Draft, places: Mapping[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return the places that change hands from one plan to another, one row each.

    Parameters
    ----------
    places
        Kind -> rows with `source_id`, such as the frames ``key_units``, ``incidents`` and ``posts``.

    Returns
    -------
    (m,) rows
        ``kind``, ``source_id``, ``old_grid``, ``new_grid``; ``""`` where a place lies in no grid.
    """
    was, now = grid_names(carried(old, new.blocks)), grid_names(new.plan)
    parts = [pd.DataFrame(columns=["kind", "source_id", "old_grid", "new_grid"], dtype=object)]
    for kind, frame in places.items():
        block = block_of(new.blocks, frame)
        apart = was[block] != now[block]
        parts.append(
            pd.DataFrame(
                {
                    "kind": kind,
                    "source_id": frame["source_id"].to_numpy()[apart],
                    "old_grid": was[block][apart],
                    "new_grid": now[block][apart],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """Totals of old grids on new ones.

    Attributes
    ----------
    totals
        One row a new grid, by code; columns as given.
    estimated : (k,)
        Whether a row is an estimate; that of a grid with exactly the blocks of one old grid is not.
    lost
        Sum of each column that stands in no row, because its blocks have no grid now.
    """

    totals: pd.DataFrame
    estimated: pd.Series
    lost: pd.Series


def carried_totals(totals: pd.DataFrame, old: Draft, new: Draft, weight: Floats) -> Carried:
    """Return totals per old grid, carried over to new grids by the weights of blocks.

    A block takes the share of its old grid's total that it has of that grid's weight, or of its area where a grid has
    no weight at all.

    Parameters
    ----------
    totals
        One row an old grid, by code; numeric columns, such as months. Old grids without a row count as zero.
    weight : (n,)
        Of each block of `new`, not negative: households, or how many incidents it usually has.

    References
    ----------
    Areal interpolation with ancillary weights: Goodchild and Lam (1980), Geo-Processing 1, 297-312.
    """
    unknown = sorted(set(totals.index) - {grid.code for grid in old.plan.grids})
    if unknown:
        raise InvalidInput(
            f"totals of grids that the old plan does not have: {', '.join(map(str, unknown[:10]))}",
            zh=f"原方案中没有这些网格：{'、'.join(map(str, unknown[:10]))}",
        )
    before = carried(old, new.blocks)
    share = _shares(before.grid, weight, new.blocks.graph.area_m2, before.grids_count)
    given = totals.reindex([grid.code for grid in before.grids]).fillna(0.0)
    values = given.to_numpy(dtype=np.float64)
    placed = (before.grid != NONE) & (new.plan.grid != NONE)
    sums = np.zeros((new.plan.grids_count, values.shape[1]))
    np.add.at(sums, new.plan.grid[placed], share[placed, None] * values[before.grid[placed]])
    codes = pd.Index([grid.code for grid in new.plan.grids], name=totals.index.name or "code")
    found = pd.DataFrame(sums, index=codes, columns=totals.columns)
    same = _same_blocks(before, new.plan)
    lost = given.sum() - found.sum()
    return Carried(found, pd.Series(~same, index=codes, name="estimated"), lost.where(lost.abs() > _NOTHING, 0.0))


def _shares(grid: Ints, weight: Floats, area_m2: Floats, grids_count: int) -> Floats:
    """Return which share of its grid each block (n,) is; 0 for one without a grid."""
    held = grid != NONE
    in_grid = np.bincount(grid[held], weight[held], minlength=grids_count)
    heavy = np.append(in_grid > 0, np.False_)[grid]
    basis = np.where(heavy, weight, area_m2)
    total = np.append(np.bincount(grid[held], basis[held], minlength=grids_count), 1.0)[grid]
    return np.where(held, basis / np.where(total > 0, total, 1.0), 0.0)


def _same_blocks(old: Plan, new: Plan) -> Bools:
    """Return which new grids (k,) have exactly the blocks of one old grid."""
    same = np.zeros(new.grids_count, bool)
    pairs, counts = np.unique(np.column_stack([old.grid, new.grid]), axis=0, return_counts=True)
    sizes = [np.bincount(p.grid[p.grid != NONE], minlength=p.grids_count + 1) for p in (old, new)]
    whole = (counts == sizes[0][pairs[:, 0]]) & (counts == sizes[1][pairs[:, 1]]) & (pairs != NONE).all(axis=1)
    same[pairs[whole, 1]] = True
    return same
