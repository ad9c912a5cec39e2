"""The metadata of schema ``city``, and names for its constraints."""

from __future__ import annotations

import sqlalchemy as sa

CITY_SCHEMA = "city"
RESULTS_SCHEMA = "results"

metadata = sa.MetaData(
    schema=CITY_SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)
