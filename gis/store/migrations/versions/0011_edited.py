"""Imported rows that were edited by hand, and the idempotency keys of requests that add a feature."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edited_rows",
        _city(),
        sa.Column("frame", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("content_md5", sa.Text, nullable=False, comment="of the row as its source last gave it"),
        sa.Column("is_removed", sa.Boolean, nullable=False),
        _now("edited_at"),
        _of_city("edited_rows"),
        sa.PrimaryKeyConstraint("city_id", "frame", "source", "source_id", name=op.f("pk_edited_rows")),
        schema="city",
        comment="Imported rows changed or removed by hand, so that the next import of their source knows",
    )
    op.create_table(
        "write_keys",
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("key_sha256", sa.LargeBinary, nullable=False),
        _city(),
        sa.Column("frame", sa.Text, nullable=False),
        sa.Column("body_sha256", sa.LargeBinary, nullable=False),
        sa.Column("row_id", sa.BigInteger, nullable=False),
        _now("made_at"),
        _of_city("write_keys"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["city.accounts.id"], name=op.f("fk_write_keys_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "key_sha256", name=op.f("pk_write_keys")),
        schema="city",
        comment="Idempotency keys of a day, so that a request sent again adds nothing twice",
    )
    op.create_index("ix_write_keys_made_at", "write_keys", ["made_at"], schema="city")


def downgrade() -> None:
    for name in ("write_keys", "edited_rows"):
        op.drop_table(name, schema="city")


def _city() -> sa.Column[int]:
    return sa.Column("city_id", sa.SmallInteger, nullable=False)


def _of_city(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["city_id"], ["city.profiles.id"], name=op.f(f"fk_{table}_city_id"), ondelete="CASCADE"
    )


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
