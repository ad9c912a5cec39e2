"""Posts under a plan: which of them change hands, and how many households the response rings hold, grid by grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.travel import Travel
from gis.kernels.block_graph import Floats
from gis.plans.graph import Blocks
from gis.plans.places import block_of

SECONDS_PER_MIN = 60.0


def handed_posts(
    blocks: Blocks, posts: gpd.GeoDataFrame, before: Sequence[str | None], after: Sequence[str | None]
) -> pd.DataFrame:
    """Return the posts that stand in another grid than before, by their source id.

    Parameters
    ----------
    before, after : (n,)
        Grid code of each block, None for none.

    Returns
    -------
    (m,) rows
        ``source_id``, ``kind``, ``name_zh``, ``name_en``, ``old_grid`` and ``new_grid`` (None for none).
    """
    block = block_of(blocks, posts)
    was, now = (np.array([*side, None], dtype=object)[block] for side in (before, after))
    apart = was != now
    named = [name for name in ("source_id", "kind", "name_zh", "name_en") if name in posts.columns]
    found = pd.DataFrame(posts.loc[apart, named])
    for name, side in (("old_grid", was), ("new_grid", now)):
        found[name] = pd.Series(side[apart], index=found.index, dtype=object)
    return found.sort_values("source_id", kind="stable", ignore_index=True)


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How far each block (n,) is from the nearest post.

    Attributes
    ----------
    minutes : (n,)
        Of travel from the nearest post to a point in the block; inf where none gets there.
    rings_min
        Response rings, rising.
    mode
        How one travels.
    """

    minutes: Floats
    rings_min: tuple[float, ...]
    mode: str


def reach_of(blocks: Blocks, posts: gpd.GeoDataFrame, travel: Travel) -> Reach:
    """Return how far every block is from the nearest post, over the streets."""
    there = travel.snap(shapely.get_coordinates(shapely.point_on_surface(blocks.shapes)))
    at = posts.to_crs(blocks.crs).geometry.to_numpy()
    known = at[~(shapely.is_missing(at) | shapely.is_empty(at))]
    nearest = travel.nearest_two(travel.snap(shapely.get_coordinates(shapely.centroid(known))), there)
    return Reach(nearest.first_s / SECONDS_PER_MIN, travel.policy.rings_min, travel.mode)


def held_shares(reach: Reach, blocks: Blocks, grids: Sequence[str | None]) -> pd.DataFrame:
    """Return which share (0-1) of each grid's households lies within each ring of a post, by code; columns as rings.

    A grid without households has nan. The row of code ``""`` is all blocks that have a grid.

    Parameters
    ----------
    grids : (n,)
        Grid code of each block, None for none.
    """
    codes = np.array([code or "" for code in grids], dtype=object)
    names, which = np.unique(codes[codes != ""].astype(str), return_inverse=True)
    held = np.flatnonzero(codes != "")
    households = blocks.households[held].astype(np.float64)
    inside = reach.minutes[held, None] <= np.array(reach.rings_min)
    sums = np.zeros((names.size + 1, len(reach.rings_min)))
    np.add.at(sums, which, inside * households[:, None])
    sums[-1] = sums[:-1].sum(axis=0)
    total = np.append(np.bincount(which, households, minlength=names.size), households.sum())
    shares = np.divide(sums, total[:, None], out=np.full_like(sums, np.nan), where=total[:, None] > 0)
    return pd.DataFrame(shares, index=pd.Index([*names.tolist(), ""], name="code"), columns=list(reach.rings_min))
