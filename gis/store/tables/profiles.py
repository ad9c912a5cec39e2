"""Cities of this server, the policy of each, and which one is in use."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.store.tables.base import metadata

PROFILES = sa.Table(
    "profiles",
    metadata,
    sa.Column("id", sa.SmallInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("title_zh", sa.Text, nullable=False),
    sa.Column("title_en", sa.Text, nullable=False),
    sa.Column("metric_crs", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("lattice_origin", pg.ARRAY(sa.Float(53)), nullable=False),
    sa.Column("languages", pg.ARRAY(sa.Text), nullable=False),
    sa.Column("open_categories", sa.Boolean, nullable=False),
    sa.Column("grid_code_pattern", sa.Text, nullable=False),
    sa.Column("attribution", sa.Text, nullable=False, server_default=""),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("in_use", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("uq_profiles_in_use", "in_use", unique=True, postgresql_where=sa.text("in_use")),
)

FRAME_VERSIONS = sa.Table(
    "frame_versions",
    metadata,
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("frame", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    comment="Raised in the transaction of every change: names caches, ETags and the inputs of a job.",
)

MASK_SECRETS = sa.Table(
    "mask_secrets",
    metadata,
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column(
        "secret",
        sa.LargeBinary,
        nullable=False,
        server_default=sa.text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())"),
    ),
    comment="Where masked places are moved to, nobody can tell without it; leaves the database in a backup only.",
)
