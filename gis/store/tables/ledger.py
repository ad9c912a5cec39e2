"""The ledger of imports: one row a batch, its errors, and how far it has come."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES

IMPORT_BATCHES = sa.Table(
    "import_batches",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("content_sha256", sa.Text, nullable=False, comment="of the file's bytes and the options it is read with"),
    sa.Column("options", pg.JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("rows_read", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("rows_bad", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("report", pg.JSONB),
    sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("applied_at", sa.DateTime(timezone=True)),
    sa.UniqueConstraint("city_id", "frame", "content_sha256"),
    sa.CheckConstraint("state IN ('loading', 'staged', 'applied', 'refused')", name="state"),
)

IMPORT_ERRORS = sa.Table(
    "import_errors",
    metadata,
    sa.Column("batch_id", sa.BigInteger, sa.ForeignKey(IMPORT_BATCHES.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("row_number", sa.BigInteger, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
)
