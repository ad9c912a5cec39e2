"""Plans: assignments of blocks to grids, their edits, and which grid became which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("base_plan_id", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False, server_default="draft"),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="1", comment="raised by every change"),
        sa.Column("locks", pg.JSONB, nullable=False, server_default="{}", comment="codes of locked blocks and grids"),
        sa.Column(
            "settings", pg.JSONB, nullable=False, server_default="{}", comment="load band and weights of the plan"
        ),
        sa.Column("made_by", sa.Text, nullable=False, comment="the desk that made it, such as planner; never a person"),
        sa.Column("submitted_by", sa.Text),
        sa.Column("approved_by", sa.Text),
        sa.Column("effective_on", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.CheckConstraint(
            "state IN ('draft', 'review', 'approved', 'effective', 'superseded')", name=op.f("ck_plans_state")
        ),
        sa.CheckConstraint(
            "approved_by IS DISTINCT FROM submitted_by OR approved_by IS NULL", name=op.f("ck_plans_two_desks")
        ),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f("fk_plans_city_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["base_plan_id"], ["city.plans.id"], name=op.f("fk_plans_base_plan_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
        schema="city",
    )
    op.create_index("ix_plans_city_id", "plans", ["city_id", "id"], schema="city")
    op.create_index(
        "uq_plans_effective", "plans", ["city_id"], unique=True, schema="city",
        postgresql_where=sa.text("state = 'effective'"),
    )  # fmt: skip
    _part(
        "plan_blocks",
        "The assignment: one row a block of the plan.",
        ["code"],
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("grid_code", sa.Text, comment="empty while the block is assigned to none"),
    )
    _part(
        "plan_grids",
        "What a plan says of its grids besides their blocks.",
        ["code"],
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name_zh", sa.Text),
        sa.Column("name_en", sa.Text),
        sa.Column("community_code", sa.Text),
        sa.Column("beat_code", sa.Text),
        sa.Column("positions_count", sa.BigInteger),
    )
    _part(
        "plan_shapes",
        "Blocks that the plan itself cut or moved; all others are those of the city.",
        ["code"],
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("parent_code", sa.Text, comment="the block it was cut from"),
        sa.Column("community_code", sa.Text),
        sa.Column("households_count", sa.BigInteger),
        sa.Column("residents_count", sa.BigInteger),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
    )
    _part(
        "plan_edits",
        "Every edit with its inverse, in order: undo, redo and the record of who changed what.",
        ["seq"],
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("arguments", pg.JSONB, nullable=False),
        sa.Column("before", pg.JSONB, nullable=False, comment="what the edit changed, as it was"),
        sa.Column("after", pg.JSONB, nullable=False, comment="and as it became"),
        sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("desk", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    _part(
        "plan_lineage",
        "Which grid became which when the plan was published.",
        ["old_code", "new_code"],
        sa.Column("old_code", sa.Text, nullable=False),
        sa.Column("new_code", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("households_count", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for name in ("plan_lineage", "plan_edits", "plan_shapes", "plan_grids", "plan_blocks", "plans"):
        op.drop_table(name, schema="city")


def _part(name: str, comment: str, key: list[str], *columns: sa.Column[object]) -> None:
    """Create a table of rows that belong to a plan and go with it."""
    op.create_table(
        name,
        sa.Column("plan_id", sa.BigInteger, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["plan_id"], ["city.plans.id"], name=op.f(f"fk_{name}_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", *key, name=op.f(f"pk_{name}")),
        schema="city",
        comment=comment,
    )
