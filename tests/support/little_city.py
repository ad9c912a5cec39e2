"""A little city of eight blocks in two rows and two grids in the database, and what is done to its plans."""

from __future__ import annotations

import datetime as dt

from shapely import box

from gis.store import plans
from gis.store.frames import read_frame
from gis.store.plans import assign
from tests.support.rows import fill

WEST, SOUTH, STEP = 120.60, 31.30, 0.01


def area(column, row, columns=1.0, rows=1.0):
    """Return a box of the little city, in whole and half steps, whose neighbours share their corners to the bit."""
    west, south, east, north = column, row, column + columns, row + rows
    corners = (WEST + STEP * west, SOUTH + STEP * south, WEST + STEP * east, SOUTH + STEP * north)
    return box(*(round(corner, 6) for corner in corners)).wkt


def block(i, grid):
    """Return block i of eight."""
    return {
        "geom": area(i % 4, i // 4),
        "code": f"b{i}",
        "grid_code": grid,
        "community_code": "c",
        "households_count": 10 * (i + 1),
    }


def grid(code, column):
    """Return a grid of four blocks."""
    return {
        "geom": area(column, 0, 2, 2),
        "code": code,
        "kind": "comprehensive",
        "name_zh": f"网格{code}",
        "valid_from": dt.date(2020, 1, 1),
    }


def move(store, city, plan, **moves):
    """Give blocks to grids, as one edit."""
    return plans.edit(store, city, plan.id, assign(moves), revision=plan.revision, action="move_blocks", desk="planner")


def approved(store, city, plan):
    """Hand a plan in, and approve it at the other desk."""
    plan = plans.submit(store, city, plan.id, revision=plan.revision, desk="planner")
    return plans.approve(store, city, plan.id, revision=plan.revision, desk="supervisor")


def in_force(store, city, day=None):
    """Return households and shapes of the grids in force on a day, by code."""
    frame = read_frame(store, city, "grids", on=day)
    return dict(zip(frame["code"], frame["households_count"], strict=True)), frame.set_index("code").geometry


def settle_city(store, city):
    """Put eight blocks and two grids into a city: the left four blocks are grid g1, the right four g2."""
    fill(store, city, "grids", [grid("g1", 0), grid("g2", 2)])
    return fill(store, city, "blocks", [block(i, "g1" if i % 4 < 2 else "g2") for i in range(8)])
