"""Rows of a frame, put in directly, for tests that are not about the import."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from gis.store import frames
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES


def fill(store: Store, city: CityRow, frame_id: str, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Insert rows (``geom`` as WKT or None) and return their keys in order; raises the frame's version."""
    rows = list(rows)
    with store.transaction(city.scope) as connection:
        count = connection.scalar(sa.select(sa.func.count()).select_from(IMPORT_BATCHES)) or 0
        batch = connection.scalar(
            IMPORT_BATCHES.insert()
            .values(
                city_id=city.id, frame=frame_id, source="test", content_sha256=str(count), options={}, state="applied"
            )
            .returning(IMPORT_BATCHES.c.id)
        )
        given = [
            {
                "city_id": city.id,
                "source": "test",
                "source_id": f"{count}-{i}",
                "batch_id": batch,
                **row,
                "geom": None if row["geom"] is None else f"SRID=4326;{row['geom']}",
            }
            for i, row in enumerate(rows)
        ]
        table = FRAME_TABLES[frame_id]
        keys = connection.scalars(table.insert().returning(table.c.id, sort_by_parameter_order=True), given).all()
        frames.raise_version(connection, city.id, frame_id)
    return list(keys)
