"""One table a frame, made from its contract: the columns are declared once, in `gis.city.frames`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeEngine

from gis.city import FRAMES
from gis.contract.frame import Column, FrameSpec, Kind
from gis.store.spatial import SRID, TILE_SRID
from gis.store.tables.areas import area_id
from gis.store.tables.base import metadata
from gis.store.tables.ledger import IMPORT_BATCHES
from gis.store.tables.profiles import PROFILES

SQL_TYPES: Mapping[Kind, type[TypeEngine[Any]] | TypeEngine[Any]] = MappingProxyType(
    {
        "text": sa.Text,
        "code": sa.Text,
        "integer": sa.BigInteger,
        "real": sa.Float(53),
        "boolean": sa.Boolean,
        "instant": sa.DateTime(timezone=True),
        "date": sa.Date,
    }
)

INTERNAL_COLUMNS = ("id", "city_id", "source", "batch_id", "version", "geom", "geom_3857", "area_id")
"""Columns of every frame table that its contract does not name."""

TIME_COLUMNS: Mapping[str, str] = MappingProxyType({"incidents": "occurred_at", "patrol_runs": "started_at"})
"""Frame id -> the column by which its rows are asked for, so that the indexes carry it."""


def sql_column(column: Column) -> sa.Column[Any]:
    """Return the table column of a contract column."""
    return sa.Column(column.name, SQL_TYPES[column.kind], nullable=not column.required, comment=column.title.en)


def geometry_columns(*, required: bool) -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Return the true geometry and the stored one for tiles, which is never measured in."""
    return (
        sa.Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False), nullable=not required),
        sa.Column(
            "geom_3857",
            Geometry("GEOMETRY", srid=TILE_SRID, spatial_index=False),
            sa.Computed(f"ST_Transform(geom, {TILE_SRID})", persisted=True),
        ),
    )


def frame_table(spec: FrameSpec) -> sa.Table:
    """Return the table of one frame."""
    times = [TIME_COLUMNS[spec.id]] if spec.id in TIME_COLUMNS else []
    table = sa.Table(
        spec.id,
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
        sa.Column("source", sa.Text, nullable=False, comment="which file or system the row came from"),
        *(sql_column(column) for column in spec.columns),
        sa.Column("batch_id", sa.BigInteger, sa.ForeignKey(IMPORT_BATCHES.c.id), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        *geometry_columns(required=spec.geometry_required),
        area_id(),
        sa.UniqueConstraint("city_id", "source", "source_id"),
        sa.CheckConstraint("ST_IsValid(geom)", name="geom_valid"),
        sa.Index(f"ix_{spec.id}_geom", "geom", *times, postgresql_using="gist"),
        sa.Index(f"ix_{spec.id}_geom_3857", "geom_3857", *times, postgresql_using="gist"),
        comment=spec.title.en,
    )
    for name in ("code", "area_id", *times):
        if name in table.c:
            sa.Index(f"ix_{spec.id}_{name}", table.c.city_id, table.c[name])
    if spec.id == "grids":
        # Two versions of one grid are never in force on the same day.
        table.append_constraint(
            pg.ExcludeConstraint(
                (table.c.city_id, "="),
                (table.c.code, "="),
                (sa.func.daterange(table.c.valid_from, table.c.valid_to), "&&"),
                name="ex_grids_code_valid",
                using="gist",
            )
        )
    return table


FRAME_TABLES: Mapping[str, sa.Table] = MappingProxyType({spec.id: frame_table(spec) for spec in FRAMES.values()})
"""Frame id -> its table in schema ``city``."""
