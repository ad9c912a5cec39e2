"""Areas that a scope is made of: the districts, streets and communities of a city, each with what it belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry

from gis.store.spatial import SRID
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES

LEVELS = ("district", "street", "community")
"""From the largest to the smallest."""

AREAS = sa.Table(
    "areas",
    metadata,
    sa.Column("id", sa.Integer, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("parent_id", sa.Integer, sa.ForeignKey("city.areas.id", ondelete="SET NULL")),
    sa.UniqueConstraint("city_id", "level", "code"),
    sa.CheckConstraint("level IN ('district', 'street', 'community')", name="level"),
    sa.Index("ix_areas_parent_id", "parent_id"),
    comment="Kept equal to the frames of districts, streets and communities; what grants and rows point to",
)


AREA_PIECES = sa.Table(
    "area_pieces",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("area_id", sa.Integer, sa.ForeignKey(AREAS.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("depth", sa.SmallInteger, nullable=False, comment="0 of a district, 1 of a street, 2 of a community"),
    sa.Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False), nullable=False),
    sa.Index("ix_area_pieces_area_id", "area_id"),
    sa.Index("ix_area_pieces_geom", "geom", postgresql_using="gist"),
    comment="The areas cut into pieces of few vertices, so that a point finds its area in microseconds",
)


def area_id() -> sa.Column[int]:
    """Return the column that says in which area the middle of a row lies.

    No foreign key: an area that goes takes no row along, and the rows are placed anew in the same transaction.
    """
    return sa.Column("area_id", sa.Integer, comment="smallest area that covers its middle; empty outside all areas")
