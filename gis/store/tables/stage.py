"""Where the rows of an import wait until all of them have been judged: one table a frame, nothing required yet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import sqlalchemy as sa
from geoalchemy2 import Geometry

from gis.city import FRAMES
from gis.contract.frame import FrameSpec
from gis.store.spatial import SRID
from gis.store.tables.base import metadata
from gis.store.tables.frames import SQL_TYPES
from gis.store.tables.ledger import IMPORT_BATCHES


def stage_table(spec: FrameSpec) -> sa.Table:
    """Return the waiting table of one frame; logged, so that a crash of the server loses no chunk."""
    return sa.Table(
        f"stage_{spec.id}",
        metadata,
        sa.Column("batch_id", sa.BigInteger, sa.ForeignKey(IMPORT_BATCHES.c.id, ondelete="CASCADE"), primary_key=True),
        sa.Column("row_number", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(column.name, SQL_TYPES[column.kind]) for column in spec.columns),
        sa.Column("geom", Geometry("GEOMETRY", srid=SRID, spatial_index=False)),
    )


STAGE_TABLES: Mapping[str, sa.Table] = MappingProxyType({spec.id: stage_table(spec) for spec in FRAMES.values()})
"""Frame id -> its waiting table in schema ``city``."""
