"""What the statements of all vector tiles are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.dialects import postgresql as pg

from gis.store import spatial
from gis.store.relations import Source
from gis.store.statement import plain

EXTENT: Final = 4096
"""Units along the side of a tile."""
BUFFER: Final = 64
"""Units around the tile that are drawn too, so that a symbol or an outline is not cut at the border."""
WORLD_M: Final = 20037508.342789244
"""From the middle of the map to its sides, in EPSG:3857."""


def source_layer(features: sa.CTE | sa.Subquery, layer: str) -> sa.ColumnElement[bytes]:
    """Return a source layer of rows (id, geom, properties); empty bytes where there are none.

    Parameters
    ----------
    layer
        Name of the parameter that names it.
    """
    layer_name = sa.bindparam(layer, type_=sa.Text)
    encoded = func.ST_AsMVT(
        features.table_valued(), layer_name, _constant(str(EXTENT)), _constant("'geom'"), _constant("'id'")
    )
    # Rows whose geometry is NULL are left out by ST_AsMVT itself; asking for them would compute each geometry twice.
    layer_bytes = sa.select(encoded).scalar_subquery()
    return func.coalesce(sa.type_coerce(layer_bytes, sa.LargeBinary), sa.cast(sa.literal_column("''"), pg.BYTEA))


def properties(source: Source, columns: Sequence[str]) -> list[sa.ColumnElement[Any]]:
    """Return the columns of a source as a tile holds them."""
    return [plain(source.table.c[name], source.spec.column(name).kind).label(name) for name in columns]


def tile_box(sides: Sequence[str]) -> sa.ColumnElement[Any]:
    """Return the envelope of four parameters, in EPSG:3857."""
    return spatial.box([number(side) for side in sides], spatial.TILE_SRID)


def number(name: str) -> sa.BindParameter[float]:
    """Return a parameter."""
    return sa.bindparam(name, type_=sa.Float(53))


def _constant(text: str) -> sa.ColumnClause[object]:
    return sa.literal_column(text)
