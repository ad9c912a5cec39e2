"""What the public reported and a desk has to decide on: a place, a category, a time, and nothing about anybody."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry

from gis.store.spatial import SRID
from gis.store.tables.accounts import ACCOUNTS
from gis.store.tables.areas import area_id
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES

REPORTS = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("token_sha256", sa.LargeBinary, nullable=False, unique=True, comment="the token itself is nowhere"),
    sa.Column("request_sha256", sa.LargeBinary, nullable=False, unique=True, comment="of the name it is asked by"),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("geom", Geometry("POINT", srid=SRID, spatial_index=False), nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("reason", sa.Text, comment="why it was not taken up"),
    sa.Column(
        "twin_id",
        sa.BigInteger,
        sa.ForeignKey("city.reports.id", ondelete="SET NULL"),
        comment="an earlier report that may be of the same matter",
    ),
    sa.Column("incident_id", sa.BigInteger, comment="what it was taken up as"),
    sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("decided_at", sa.DateTime(timezone=True)),
    sa.Column("decided_account_id", sa.BigInteger, sa.ForeignKey(ACCOUNTS.c.id, ondelete="SET NULL")),
    area_id(),
    sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name="state"),
    sa.CheckConstraint("(state = 'rejected') = (reason IS NOT NULL)", name="reason"),
    sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name="decided"),
    sa.Index("ix_reports_state", "city_id", "state", "id"),
    sa.Index("ix_reports_geom", "geom", "reported_at", postgresql_using="gist"),
    sa.Index("ix_reports_decided_at", "decided_at"),
    comment="Anonymous reports of the public",
)
