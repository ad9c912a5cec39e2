"""The spatial clause: always the box test ``&&`` first, then the exact predicate.

``&&`` alone can use the GiST index once row-level security is on, so no caller writes a spatial predicate by hand.
All SRIDs are integers: the text form of ST_Transform costs about 9 ms a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, func

SRID = 4326
TILE_SRID = 3857


def box(bounds: Sequence[float | ColumnElement[float]], srid: int = SRID) -> ColumnElement[Any]:
    """Return the envelope (west, south, east, north) as a geometry."""
    west, south, east, north = bounds
    return func.ST_MakeEnvelope(west, south, east, north, sa.literal_column(str(int(srid))))


def intersects(column: ColumnElement[Any], geometry: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the clause: `column` has a point in common with `geometry` (same SRID)."""
    return sa.and_(column.op("&&")(geometry), func.ST_Intersects(column, geometry))


def within(column: ColumnElement[Any], geometry: ColumnElement[Any], distance: float) -> ColumnElement[bool]:
    """Return the clause: `column` is at most `distance` from `geometry`, in the units of their SRID."""
    return sa.and_(column.op("&&")(func.ST_Expand(geometry, distance)), func.ST_DWithin(column, geometry, distance))


def normal(geometry: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a geometry in one form: from whatever corner it was written, alone or as the only one of many."""
    return func.ST_Normalize(func.ST_Multi(geometry), type_=geometry.type)
