"""An invented city of blocks with its plan, for whatever redraws grids."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gis.plans.graph import Blocks, blocks_of
from gis.plans.ground import NO_GROUND, Ground
from gis.plans.plan import Grid, Plan, plan_of
from tests.support.block_cities import grown, voronoi_blocks, voronoi_city

CRS = "EPSG:4549"
SIDE_M = 100.0
CORNER = np.array([550_000.0, 3_460_000.0])


def block_frame(n: int, seed: int, *, communities: int = 1) -> gpd.GeoDataFrame:
    """Return n Voronoi blocks of about a hectare; communities are vertical strips of them."""
    shapes = shapely.transform(voronoi_blocks(n, seed), lambda xy: np.round(CORNER + xy * SIDE_M, 3))
    _, load, centres = voronoi_city(n, seed)
    strip = np.minimum((centres[:, 0] / np.sqrt(n) * communities).astype(int), communities - 1)
    return gpd.GeoDataFrame(
        {
            "source_id": [f"B{i:06d}" for i in range(n)],
            "code": [f"B{i:06d}" for i in range(n)],
            "community_code": [f"3205080170{c + 1:02d}" for c in strip],
            "grid_code": None,
            "households_count": load.astype(int),
            "residents_count": (load * 2.6).astype(int),
        },
        geometry=shapes,
        crs=CRS,
    )


def city_blocks(n: int, seed: int, *, communities: int = 1, ground: Ground = NO_GROUND) -> Blocks:
    """Return the same as blocks of a plan."""
    return blocks_of(block_frame(n, seed, communities=communities), crs=CRS, ground=ground)


def grown_plan(blocks: Blocks, grids_per_community: int, seed: int) -> Plan:
    """Return a plan whose grids hang together inside their communities, however uneven."""
    codes = np.empty(len(blocks), object)
    grids = []
    for community in np.unique(blocks.communities):
        mine = np.flatnonzero(blocks.communities == community)
        local = grown(blocks.open_graph.part(mine), grids_per_community, seed)
        names = [f"{community}{i + 1:03d}" for i in range(grids_per_community)]
        codes[mine] = np.array(names, object)[local]
        grids += [Grid(name, community, beat_code=f"J{community[-2:]}") for name in names]
    return plan_of(blocks.codes, codes, grids)
