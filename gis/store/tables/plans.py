"""Plans: whole assignments of blocks to grids, with every edit, until they take effect and beyond."""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

from gis.store.spatial import SRID
from gis.store.tables.accounts import ACCOUNTS
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES

PLAN_STATES = ("draft", "review", "approved", "effective", "superseded")


def _account(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, sa.ForeignKey(ACCOUNTS.c.id, ondelete="SET NULL"))


def _of_plan() -> sa.Column[int]:
    return sa.Column(
        "plan_id", sa.BigInteger, sa.ForeignKey("city.plans.id", ondelete="CASCADE"), primary_key=True, nullable=False
    )


PLANS = sa.Table(
    "plans",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("base_plan_id", sa.BigInteger, sa.ForeignKey("city.plans.id", ondelete="SET NULL")),
    sa.Column("state", sa.Text, nullable=False, server_default="draft"),
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1", comment="raised by every change"),
    sa.Column("locks", pg.JSONB, nullable=False, server_default="{}", comment="codes of locked blocks and grids"),
    sa.Column("settings", pg.JSONB, nullable=False, server_default="{}", comment="load band and weights of the plan"),
    sa.Column("made_by", sa.Text, nullable=False, comment="the desk that made it, such as planner; never a person"),
    sa.Column("submitted_by", sa.Text),
    sa.Column("approved_by", sa.Text),
    sa.Column("effective_on", sa.Date),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    _account("submitted_account_id"),
    _account("approved_account_id"),
    sa.CheckConstraint("state IN ('draft', 'review', 'approved', 'effective', 'superseded')", name="state"),
    sa.CheckConstraint("approved_by IS DISTINCT FROM submitted_by OR approved_by IS NULL", name="two_desks"),
    sa.CheckConstraint("approved_account_id <> submitted_account_id", name="two_accounts"),
    sa.Index("ix_plans_city_id", "city_id", "id"),
    # One plan at a time is in force.
    sa.Index("uq_plans_effective", "city_id", unique=True, postgresql_where=sa.text("state = 'effective'")),
)

PLAN_BLOCKS = sa.Table(
    "plan_blocks",
    metadata,
    _of_plan(),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("grid_code", sa.Text, comment="empty while the block is assigned to none"),
    comment="The assignment: one row a block of the plan.",
)

PLAN_GRIDS = sa.Table(
    "plan_grids",
    metadata,
    _of_plan(),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name_zh", sa.Text),
    sa.Column("name_en", sa.Text),
    sa.Column("community_code", sa.Text),
    sa.Column("beat_code", sa.Text),
    sa.Column("positions_count", sa.BigInteger),
    comment="What a plan says of its grids besides their blocks.",
)

PLAN_SHAPES = sa.Table(
    "plan_shapes",
    metadata,
    _of_plan(),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("parent_code", sa.Text, comment="the block it was cut from"),
    sa.Column("community_code", sa.Text),
    sa.Column("households_count", sa.BigInteger),
    sa.Column("residents_count", sa.BigInteger),
    sa.Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False), nullable=False),
    comment="Blocks that the plan itself cut or moved; all others are those of the city.",
)

PLAN_EDITS = sa.Table(
    "plan_edits",
    metadata,
    _of_plan(),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("arguments", pg.JSONB, nullable=False),
    sa.Column("before", pg.JSONB, nullable=False, comment="what the edit changed, as it was"),
    sa.Column("after", pg.JSONB, nullable=False, comment="and as it became"),
    sa.Column("undone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("desk", sa.Text, nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    comment="Every edit with its inverse, in order: undo, redo and the record of who changed what.",
)

PLAN_LINEAGE = sa.Table(
    "plan_lineage",
    metadata,
    _of_plan(),
    sa.Column("old_code", sa.Text, primary_key=True),
    sa.Column("new_code", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("households_count", sa.BigInteger, nullable=False),
    comment="Which grid became which when the plan was published.",
)
