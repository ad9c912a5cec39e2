"""Codes with which a new account chooses its first password."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("code_sha256", sa.LargeBinary, comment="of the one-time code"), schema="city")
    op.add_column("accounts", sa.Column("code_expires_at", sa.DateTime(timezone=True)), schema="city")


def downgrade() -> None:
    for name in ("code_expires_at", "code_sha256"):
        op.drop_column("accounts", name, schema="city")
