"""An invented city of blocks with its plan, for whatever redraws grids."""

from __future__ import annotations

import numpy as np

from data.synth.voronoi import CRS, block_frame
from gis.plans.graph import Blocks, blocks_of
from gis.plans.ground import NO_GROUND, Ground
from gis.plans.plan import Grid, Plan, plan_of
from tests.support.block_cities import grown


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
