"""The notice of change: which blocks, households and places get another grid."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np

from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.text import Text
from gis.plans.places import block_of
from gis.plans.plan import NONE
from gis.store.plans.desk import Desk, compared

NOTICE: Final = FrameSpec(
    "notice",
    Text("网格调整告知", "Notice of changed grids"),
    (
        Column("block_code", "code", Text("单元网格", "Block"), required=True),
        Column("old_grid", "code", Text("原网格", "Grid until then")),
        Column("new_grid", "code", Text("新网格", "Grid from then on")),
        Column("community_code", "code", Text("所属社区", "Community")),
        Column("households_count", "integer", Text("户数", "Households"), required=True, minimum=0),
        Column("rentals_count", "integer", Text("出租房屋", "Rentals"), required=True, minimum=0),
        Column("key_units_count", "integer", Text("重点单位", "Key units"), required=True, minimum=0),
        Column("posts_count", "integer", Text("巡防点", "Posts"), required=True, minimum=0),
        Column("incidents_per_year", "real", Text("年均事件", "Incidents a year"), required=True, minimum=0),
    ),
    AREAS,
    key="block_code",
    mandate="Art. 15",
)


def notice(laid: Desk) -> gpd.GeoDataFrame:
    """Return the blocks (m,) that the plan gives another grid than they have today, by code, in EPSG:4326."""
    moved = compared(laid).moved
    at = laid.blocks.positions(moved["block"].tolist())
    amounts = laid.workload.amounts.iloc[at]
    posts = np.zeros(len(laid.blocks), np.int64)
    if laid.places.posts is not None:
        held = block_of(laid.blocks, laid.places.posts)
        np.add.at(posts, held[held != NONE], 1)
    return gpd.GeoDataFrame(
        {
            "block_code": moved["block"].to_numpy(dtype=object),
            "old_grid": moved["old"].to_numpy(dtype=object),
            "new_grid": moved["new"].to_numpy(dtype=object),
            "community_code": laid.blocks.communities[at],
            "households_count": laid.blocks.households[at],
            "rentals_count": amounts["rentals"].to_numpy().astype(int),
            "key_units_count": amounts["key_units"].to_numpy().astype(int),
            "posts_count": posts[at],
            "incidents_per_year": amounts["incidents_per_year"].to_numpy().round(1),
        },
        geometry=laid.frame.geometry.to_numpy()[at],
        crs=laid.frame.crs,
    )
