"""Streets with nodes, levels and access; checkpoints, patrol runs and emergency resources."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TYPES: dict[str, TypeEngine[Any]] = {
    "text": sa.Text(),
    "bigint": sa.BigInteger(),
    "double": sa.Float(53),
    "instant": sa.DateTime(timezone=True),
}

SEGMENT_COLUMNS = (
    ("from_node", "text", "Node at its start", None),
    ("to_node", "text", "Node at its end", None),
    ("level", "bigint", "Level", "0"),
    ("access", "text", "Access", "open"),
)
"""Name, type, comment, and the value of the streets that are there already."""

FRAMES = {
    "checkpoints": (
        "Checkpoints",
        (
            ("name_zh", "text", "Name (Chinese)", False),
            ("name_en", "text", "Name (English)", False),
            ("kind", "text", "Kind", True),
            ("dwell_min", "double", "Stay", False),
            ("visits_count", "bigint", "Visits a shift", False),
            ("window_from", "text", "Not before", False),
            ("window_to", "text", "Not after", False),
        ),
    ),
    "resources": (
        "Emergency resources",
        (
            ("kind", "text", "Kind", True),
            ("name_zh", "text", "Name (Chinese)", False),
            ("name_en", "text", "Name (English)", False),
            ("quantity_count", "bigint", "Quantity", False),
        ),
    ),
    "patrol_runs": (
        "Patrol runs",
        (
            ("unit_label", "text", "Unit", True),
            ("unit_kind", "text", "Kind of unit", True),
            ("shift_label", "text", "Shift", True),
            ("started_at", "instant", "Began at", True),
            ("ended_at", "instant", "Ended at", True),
            ("joint_label", "text", "Joint patrol", False),
        ),
    ),
}
"""Table -> its comment and, of each column, name, type, comment and whether every row holds a value."""

TIMES = {"patrol_runs": "started_at"}


def upgrade() -> None:
    for name, kind, comment, value in SEGMENT_COLUMNS:
        op.add_column(
            "segments",
            sa.Column(name, TYPES[kind], nullable=value is None, server_default=value, comment=comment),
            schema="city",
        )
        if value is not None:
            op.alter_column("segments", name, server_default=None, schema="city")
        op.add_column("stage_segments", sa.Column(name, TYPES[kind]), schema="city")
    for name, (comment, columns) in FRAMES.items():
        _create(name, comment, columns)
        _create_stage(name, columns)


def downgrade() -> None:
    for name in reversed(FRAMES):
        op.drop_table(f"stage_{name}", schema="city")
        op.drop_table(name, schema="city")
    for name, *_ in reversed(SEGMENT_COLUMNS):
        op.drop_column("stage_segments", name, schema="city")
        op.drop_column("segments", name, schema="city")


def _create(name: str, comment: str, columns: tuple[tuple[str, str, str, bool], ...]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("city_id", sa.SmallInteger, nullable=False),
        sa.Column("source", sa.Text, nullable=False, comment="which file or system the row came from"),
        sa.Column("source_id", sa.Text, nullable=False, comment="Source id"),
        *(sa.Column(n, TYPES[kind], nullable=not required, comment=words) for n, kind, words, required in columns),
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False), nullable=False),
        sa.Column(
            "geom_3857",
            Geometry("GEOMETRY", srid=3857, spatial_index=False),
            sa.Computed("ST_Transform(geom, 3857)", persisted=True),
        ),
        sa.CheckConstraint("ST_IsValid(geom)", name=op.f(f"ck_{name}_geom_valid")),
        sa.ForeignKeyConstraint(["batch_id"], ["city.import_batches.id"], name=op.f(f"fk_{name}_batch_id")),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f(f"fk_{name}_city_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("city_id", "source", "source_id", name=op.f(f"uq_{name}_city_id_source_source_id")),
        schema="city",
        comment=comment,
    )
    times = [TIMES[name]] if name in TIMES else []
    for geometry in ("geom", "geom_3857"):
        op.create_index(f"ix_{name}_{geometry}", name, [geometry, *times], schema="city", postgresql_using="gist")
    for column in times:
        op.create_index(f"ix_{name}_{column}", name, ["city_id", column], schema="city")


def _create_stage(name: str, columns: tuple[tuple[str, str, str, bool], ...]) -> None:
    table = f"stage_{name}"
    op.create_table(
        table,
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("row_number", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("source_id", sa.Text),
        *(sa.Column(n, TYPES[kind]) for n, kind, _, _ in columns),
        sa.Column("geom", Geometry("GEOMETRY", srid=4326, spatial_index=False)),
        sa.PrimaryKeyConstraint("batch_id", "row_number", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["city.import_batches.id"], name=op.f(f"fk_{table}_batch_id"), ondelete="CASCADE"
        ),
        schema="city",
    )
