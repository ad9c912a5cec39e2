"""The parts of a city that are divided into beats each by itself: how many beats each, and the beats in force there."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from gis.city.grid_graph import grids_at
from gis.errors import Infeasible, InvalidParams, Problem
from gis.kernels.block_graph import Floats, Ints

NO_BEAT = -1


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Regions 0 to r - 1 of grids.

    Attributes
    ----------
    of : (n,)
        Region of each grid.
    names : (r,)
    inside
        What they are: "street", or "city" where there is but one.
    """

    of: Ints
    names: tuple[str, ...]
    inside: str


def regions_of(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame | None, inside: str) -> Regions:
    """Return the statutory streets that grids lie in; the whole city where that is asked for, or streets are not known.

    A grid whose community is not known lies in a region of its own kind, called "".
    """
    codes = None
    if inside == "street" and communities is not None and {"street_code"} <= set(communities.columns):
        street = communities.set_index("code")["street_code"]
        codes = grids["community_code"].map(street[~street.index.duplicated()]).fillna("")
    if codes is None or (codes == "").all():
        return Regions(np.zeros(len(grids), np.int64), ("",), "city")
    names, of = np.unique(codes.to_numpy(str), return_inverse=True)
    return Regions(of.astype(np.int64), tuple(names.tolist()), "street")


def homes(beat: Ints, region: Ints, load: Floats, *, beats_count: int) -> Ints:
    """Return the region (b,) in which each beat has most of its load; -1 for a beat without a grid."""
    held = beat != NO_BEAT
    common = np.zeros((beats_count, int(region.max(initial=0)) + 1))
    np.add.at(common, (beat[held], region[held]), load[held] + 1e-9)
    return np.where(common.any(axis=1), common.argmax(axis=1), -1)


def shared_out(count: int, load: Floats, grids_count: Ints) -> Ints:
    """Return how many of `count` beats each region (r,) has: one at least, otherwise by its load (Sainte-Lague).

    Raises
    ------
    Infeasible
        There are fewer beats than regions, or more than grids.

    Examples
    --------
    >>> shared_out(6, np.array([50.0, 30.0, 1.0]), np.array([9, 9, 9])).tolist()
    [3, 2, 1]
    """
    if count < load.size:
        raise Infeasible(f"{count} beats are fewer than the {load.size} streets, each of which needs one")
    if count > grids_count.sum():
        raise Infeasible(f"{count} beats are more than the {int(grids_count.sum())} grids")
    beats = np.ones(load.size, np.int64)
    for _ in range(count - load.size):
        claim = np.where(beats < grids_count, (load + 1e-9) / (2 * beats + 1), -1.0)
        beats[int(claim.argmax())] += 1
    return beats


@dataclass(frozen=True, slots=True, eq=False)
class PostPlaces:
    """Posts that are centres of beats.

    Attributes
    ----------
    frame : k rows
        By code.
    grid : (k,)
        The grid that each lies in.
    outside_count
        How many others lie in no grid.
    """

    frame: gpd.GeoDataFrame
    grid: Ints
    outside_count: int


def posts_in_grids(
    posts: gpd.GeoDataFrame | None, kinds: tuple[str, ...], grids: gpd.GeoDataFrame, regions: Regions
) -> PostPlaces:
    """Return the posts of some kinds that lie in a grid.

    Raises
    ------
    InvalidParams
        There is none.
    Infeasible
        A street has none.
    """
    chosen = None if posts is None else posts[posts["kind"].isin(kinds)].sort_values("source_id", ignore_index=True)
    if chosen is None or chosen.empty:
        why = f"there is no post of the kinds {', '.join(kinds)}"
        raise InvalidParams("beats: no posts", [Problem("no_posts", why, "post_kinds")])
    points = np.column_stack([chosen.geometry.x, chosen.geometry.y])
    grid = grids_at(grids.geometry.to_numpy(), points)
    inside = grid >= 0
    without = np.setdiff1d(np.arange(len(regions.names)), regions.of[grid[inside]])
    if without.size:
        named = ", ".join(regions.names[r] or "without a street" for r in without)
        raise Infeasible(
            f"these streets have no such post, so that no beat could be theirs: {named}; let beats cross streets, "
            "or name other kinds of posts"
        )
    return PostPlaces(chosen[inside].reset_index(drop=True), grid[inside], int((~inside).sum()))
