"""What is remembered of features that were edited one by one, beside the features themselves."""

from __future__ import annotations

import sqlalchemy as sa

from gis.store.tables.accounts import ACCOUNTS
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES


def _city() -> sa.Column[int]:
    return sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False)


EDITED_ROWS = sa.Table(
    "edited_rows",
    metadata,
    _city(),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("content_md5", sa.Text, nullable=False, comment="of the row as its source last gave it"),
    sa.Column("is_removed", sa.Boolean, nullable=False),
    sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("city_id", "frame", "source", "source_id"),
    comment="Imported rows changed or removed by hand, so that the next import of their source knows",
)

WRITE_KEYS = sa.Table(
    "write_keys",
    metadata,
    sa.Column("account_id", sa.BigInteger, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("key_sha256", sa.LargeBinary, nullable=False),
    _city(),
    sa.Column("frame", sa.Text, nullable=False),
    sa.Column("body_sha256", sa.LargeBinary, nullable=False),
    sa.Column("row_id", sa.BigInteger, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("account_id", "key_sha256"),
    sa.Index("ix_write_keys_made_at", "made_at"),
    comment="Idempotency keys of a day, so that a request sent again adds nothing twice",
)
