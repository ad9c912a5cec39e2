"""How many points of a frame lie in each cell of each tile on small scales, counted beforehand."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from gis.store.tables.base import metadata

COUNTED_FRAMES: Final = ("incidents", "rentals", "key_units")
"""Frames whose points are counted; triggers on their tables keep the counts, in the transaction that changes them."""
COUNTED_ZOOM: Final = 12
"""The largest scale that is counted; beyond it a tile holds few enough points to be counted when it is asked for."""

TILE_CELLS = sa.Table(
    "tile_cells",
    metadata,
    sa.Column("city_id", sa.SmallInteger, nullable=False),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("zoom", sa.SmallInteger, nullable=False),
    sa.Column("x", sa.SmallInteger, nullable=False, comment="column of the tile"),
    sa.Column("y", sa.SmallInteger, nullable=False, comment="row of the tile"),
    sa.Column("cell", sa.SmallInteger, nullable=False, comment="row times 64 plus column, from the north-west corner"),
    sa.Column("area_id", sa.Integer, nullable=False, comment="of the points; 0 where they lie in no area"),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("east", sa.BigInteger, nullable=False, comment="sum of the points' places, in units of zoom 22"),
    sa.Column("south", sa.BigInteger, nullable=False),
    sa.Column("ids", sa.BigInteger, nullable=False, comment="the points' keys, exclusive or: of one point its key"),
    # No foreign key to the city: a city's rows are counted down as its points go.
    sa.PrimaryKeyConstraint("city_id", "frame", "zoom", "x", "y", "cell", "area_id"),
    sa.Index("ix_tile_cells_empty", "city_id", "frame", postgresql_where=sa.text("n = 0")),
    comment="Points of a frame by cell of a tile; whole numbers, so that any order of changes gives the same.",
)
