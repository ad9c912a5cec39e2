"""One waiting table a frame: rows of an import that is not applied yet."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.types import TypeEngine

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TYPES: dict[str, TypeEngine[Any]] = {
    "text": sa.Text(),
    "bigint": sa.BigInteger(),
    "double": sa.Float(53),
    "boolean": sa.Boolean(),
    "instant": sa.DateTime(timezone=True),
    "date": sa.Date(),
}

COLUMNS = {
    "districts": (
        "source_id text",
        "code text",
        "name_zh text",
        "name_en text",
    ),
    "streets": (
        "source_id text",
        "code text",
        "district_code text",
        "name_zh text",
        "name_en text",
    ),
    "communities": (
        "source_id text",
        "code text",
        "street_code text",
        "name_zh text",
        "name_en text",
    ),
    "blocks": (
        "source_id text",
        "code text",
        "community_code text",
        "grid_code text",
        "households_count bigint",
        "residents_count bigint",
    ),
    "grids": (
        "source_id text",
        "code text",
        "community_code text",
        "beat_code text",
        "kind text",
        "name_zh text",
        "name_en text",
        "households_count bigint",
        "positions_count bigint",
        "valid_from date",
        "valid_to date",
    ),
    "beats": (
        "source_id text",
        "code text",
        "name_zh text",
        "name_en text",
    ),
    "key_units": (
        "source_id text",
        "kind text",
        "name_zh text",
        "name_en text",
        "address text",
        "guards_count bigint",
        "last_drill_on date",
        "last_inspected_on date",
        "plan_reviewed_on date",
    ),
    "rentals": (
        "source_id text",
        "kind text",
        "address text",
        "rooms_count bigint",
        "beds_count bigint",
        "area_m2 double",
        "extinguishers_count bigint",
        "smoke_detectors boolean",
        "last_inspected_on date",
    ),
    "posts": (
        "source_id text",
        "kind text",
        "name_zh text",
        "name_en text",
        "positions_count bigint",
    ),
    "incidents": (
        "source_id text",
        "occurred_at instant",
        "occurred_until_at instant",
        "reported_at instant",
        "category text",
        "origin text",
        "grid_code text",
        "address text",
        "location_withheld boolean",
    ),
    "segments": (
        "source_id text",
        "road_class text",
        "name_zh text",
        "name_en text",
        "oneway boolean",
        "speed_kmh double",
    ),
    "water_areas": (
        "source_id text",
        "name_zh text",
        "name_en text",
    ),
}


def upgrade() -> None:
    for frame, columns in COLUMNS.items():
        table = f"stage_{frame}"
        op.create_table(
            table,
            sa.Column("batch_id", sa.BigInteger, nullable=False),
            sa.Column("row_number", sa.BigInteger, autoincrement=False, nullable=False),
            *(sa.Column(name, TYPES[kind]) for name, kind in map(str.split, columns)),
            sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False)),
            sa.PrimaryKeyConstraint("batch_id", "row_number", name=op.f(f"pk_{table}")),
            sa.ForeignKeyConstraint(
                ["batch_id"], ["city.import_batches.id"], name=op.f(f"fk_{table}_batch_id"), ondelete="CASCADE"
            ),
            schema="city",
        )


def downgrade() -> None:
    for frame in COLUMNS:
        op.drop_table(f"stage_{frame}", schema="city")
