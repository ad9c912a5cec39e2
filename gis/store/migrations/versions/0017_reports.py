"""Anonymous reports of the public, waiting for a desk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary, nullable=False, comment="the token itself is nowhere"),
        sa.Column("request_sha256", sa.LargeBinary, nullable=False, comment="of the name it is asked by"),
        sa.Column("category", sa.Text, nullable=False),
        _instant("seen_at", nullable=False),
        sa.Column("geom", Geometry("POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("reason", sa.Text, comment="why it was not taken up"),
        sa.Column("twin_id", sa.BigInteger, comment="an earlier report that may be of the same matter"),
        sa.Column("incident_id", sa.BigInteger, comment="what it was taken up as"),
        _instant("reported_at", nullable=False, server_default=sa.func.now()),
        _instant("decided_at"),
        sa.Column("decided_account_id", sa.BigInteger),
        sa.Column("area_id", sa.Integer, comment="smallest area that covers its middle; empty outside all areas"),
        sa.CheckConstraint("state IN ('waiting', 'accepted', 'rejected')", name=op.f("ck_reports_state")),
        sa.CheckConstraint("(state = 'rejected') = (reason IS NOT NULL)", name=op.f("ck_reports_reason")),
        sa.CheckConstraint("(state = 'waiting') = (decided_at IS NULL)", name=op.f("ck_reports_decided")),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f("fk_reports_city_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["twin_id"], ["city.reports.id"], name=op.f("fk_reports_twin_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["decided_account_id"],
            ["city.accounts.id"],
            name=op.f("fk_reports_decided_account_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_reports_token_sha256")),
        sa.UniqueConstraint("request_sha256", name=op.f("uq_reports_request_sha256")),
        schema="city",
        comment="Anonymous reports of the public",
    )
    op.create_index("ix_reports_state", "reports", ["city_id", "state", "id"], schema="city")
    op.create_index("ix_reports_geom", "reports", ["geom", "reported_at"], schema="city", postgresql_using="gist")
    op.create_index("ix_reports_decided_at", "reports", ["decided_at"], schema="city")


def downgrade() -> None:
    op.drop_table("reports", schema="city")


def _instant(name: str, **more: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **more)  # type: ignore[arg-type]
