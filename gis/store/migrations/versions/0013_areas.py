"""Areas of a city, the area of every row, of a run, a job and a grant.

The rows that are there are placed after the migrations (`gis.store.migrate.upgrade`), which also puts the policies.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FRAMES = (
    "districts",
    "streets",
    "communities",
    "blocks",
    "grids",
    "beats",
    "key_units",
    "rentals",
    "posts",
    "checkpoints",
    "resources",
    "incidents",
    "patrol_runs",
    "segments",
    "water_areas",
)

DROP_POLICIES = """
DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT schemaname, tablename, policyname FROM pg_policies WHERE schemaname IN ('city', 'results') LOOP
        EXECUTE format('DROP POLICY %I ON %I.%I', one.policyname, one.schemaname, one.tablename);
        EXECUTE format('ALTER TABLE %I.%I NO FORCE ROW LEVEL SECURITY', one.schemaname, one.tablename);
        EXECUTE format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY', one.schemaname, one.tablename);
    END LOOP;
END
$$
"""
"""Policies read the columns that go; a loop over policies has no form in SQLAlchemy."""


def upgrade() -> None:
    op.create_table(
        "areas",
        sa.Column("id", sa.Integer, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("level", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Integer),
        sa.CheckConstraint("level IN ('district', 'street', 'community')", name=op.f("ck_areas_level")),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f("fk_areas_city_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["parent_id"], ["city.areas.id"], name=op.f("fk_areas_parent_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_areas")),
        sa.UniqueConstraint("city_id", "level", "code", name=op.f("uq_areas_city_id_level_code")),
        schema="city",
        comment="Kept equal to the frames of districts, streets and communities; what grants and rows point to",
    )
    op.create_index("ix_areas_parent_id", "areas", ["parent_id"], schema="city")
    _create_pieces()
    for frame in FRAMES:
        comment = "smallest area that covers its middle; empty outside all areas"
        op.add_column(frame, sa.Column("area_id", sa.Integer, comment=comment), schema="city")
        op.create_index(f"ix_{frame}_area_id", frame, ["city_id", "area_id"], schema="city")
    op.add_column("runs", sa.Column("areas", pg.ARRAY(sa.Integer), comment="empty for the whole city"), schema="city")
    op.add_column("runs", _instant("since", "events before it did not count; empty where all did"), schema="city")
    op.add_column(
        "jobs", sa.Column("areas", pg.ARRAY(sa.Integer), comment="of who asked; empty for all"), schema="city"
    )
    op.add_column("jobs", _instant("since", "of who asked; events before it do not count"), schema="city")
    op.add_column("jobs", sa.Column("account_id", sa.BigInteger, comment="who asked first"), schema="city")
    op.add_column("jobs", sa.Column("role", sa.Text, comment="the role they asked in"), schema="city")
    op.create_foreign_key(
        op.f("fk_jobs_account_id"), "jobs", "accounts", ["account_id"], ["id"],
        source_schema="city", referent_schema="city", ondelete="SET NULL",
    )  # fmt: skip
    op.add_column(
        "grants",
        sa.Column("is_whole", sa.Boolean, nullable=False, server_default=sa.true(), comment="of all areas of the city"),
        schema="city",
    )
    op.create_table(
        "grant_areas",
        sa.Column("grant_id", sa.BigInteger, nullable=False),
        sa.Column("area_id", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["city.areas.id"], name=op.f("fk_grant_areas_area_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["city.grants.id"], name=op.f("fk_grant_areas_grant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("grant_id", "area_id", name=op.f("pk_grant_areas")),
        schema="city",
        comment="Areas of the grants that are not of the whole city",
    )
    op.create_index("ix_grant_areas_area_id", "grant_areas", ["area_id"], schema="city")


def downgrade() -> None:
    op.execute(DROP_POLICIES)
    op.drop_table("grant_areas", schema="city")
    # Without its areas a grant would be one of the whole city.
    op.execute(sa.text("DELETE FROM city.grants WHERE NOT is_whole"))
    op.drop_column("grants", "is_whole", schema="city")
    for name in ("role", "account_id", "since", "areas"):
        op.drop_column("jobs", name, schema="city")
    # And a run of some areas one that everybody sees.
    op.execute(sa.text("DELETE FROM city.runs WHERE areas IS NOT NULL"))
    for name in ("since", "areas"):
        op.drop_column("runs", name, schema="city")
    for frame in FRAMES:
        op.drop_index(f"ix_{frame}_area_id", frame, schema="city")
        op.drop_column(frame, "area_id", schema="city")
    for table in ("area_pieces", "areas"):
        op.drop_table(table, schema="city")


def _create_pieces() -> None:
    op.create_table(
        "area_pieces",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("area_id", sa.Integer, nullable=False),
        sa.Column("depth", sa.SmallInteger, nullable=False, comment="0 of a district, 1 of a street, 2 of a community"),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["area_id"], ["city.areas.id"], name=op.f("fk_area_pieces_area_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["city_id"], ["city.profiles.id"], name=op.f("fk_area_pieces_city_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_pieces")),
        schema="city",
        comment="The areas cut into pieces of few vertices, so that a point finds its area in microseconds",
    )
    op.create_index("ix_area_pieces_area_id", "area_pieces", ["area_id"], schema="city")
    op.create_index("ix_area_pieces_geom", "area_pieces", ["geom"], schema="city", postgresql_using="gist")


def _instant(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)
