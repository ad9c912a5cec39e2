"""A secret a city: where its places are moved to when they are masked, nobody can tell without it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    fresh = sa.text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())")
    op.create_table(
        "mask_secrets",
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("secret", sa.LargeBinary, nullable=False, server_default=fresh),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.profiles.id"], name=op.f("fk_mask_secrets_city_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("city_id", name=op.f("pk_mask_secrets")),
        schema="city",
        comment="Where masked places are moved to, nobody can tell without it; leaves the database in a backup only.",
    )


def downgrade() -> None:
    op.drop_table("mask_secrets", schema="city")
