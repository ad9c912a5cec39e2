"""The models of schema ``city``; migrations give exactly these (a test holds it)."""

from gis.store.tables.accounts import ACCOUNTS, GRANT_AREAS, GRANTS, LOGINS, TOKENS
from gis.store.tables.areas import AREA_PIECES, AREAS, LEVELS
from gis.store.tables.base import CITY_SCHEMA, RESULTS_SCHEMA, metadata
from gis.store.tables.edited import EDITED_ROWS, WRITE_KEYS
from gis.store.tables.frames import FRAME_TABLES, INTERNAL_COLUMNS, SQL_TYPES, geometry_columns, sql_column
from gis.store.tables.ledger import IMPORT_BATCHES, IMPORT_ERRORS
from gis.store.tables.plans import (
    PLAN_BLOCKS,
    PLAN_EDITS,
    PLAN_GRIDS,
    PLAN_LINEAGE,
    PLAN_SHAPES,
    PLANS,
)
from gis.store.tables.profiles import FRAME_VERSIONS, MASK_SECRETS, PROFILES
from gis.store.tables.reports import REPORTS
from gis.store.tables.runs import JOBS, PUBLISHED, RUNS
from gis.store.tables.stage import STAGE_TABLES
from gis.store.tables.tile_cells import COUNTED_FRAMES, COUNTED_ZOOM, TILE_CELLS

__all__ = [
    "ACCOUNTS",
    "AREAS",
    "AREA_PIECES",
    "CITY_SCHEMA",
    "COUNTED_FRAMES",
    "COUNTED_ZOOM",
    "EDITED_ROWS",
    "FRAME_TABLES",
    "FRAME_VERSIONS",
    "GRANTS",
    "GRANT_AREAS",
    "IMPORT_BATCHES",
    "IMPORT_ERRORS",
    "INTERNAL_COLUMNS",
    "JOBS",
    "LEVELS",
    "LOGINS",
    "MASK_SECRETS",
    "PLANS",
    "PLAN_BLOCKS",
    "PLAN_EDITS",
    "PLAN_GRIDS",
    "PLAN_LINEAGE",
    "PLAN_SHAPES",
    "PROFILES",
    "PUBLISHED",
    "REPORTS",
    "RESULTS_SCHEMA",
    "RUNS",
    "SQL_TYPES",
    "STAGE_TABLES",
    "TILE_CELLS",
    "TOKENS",
    "WRITE_KEYS",
    "geometry_columns",
    "metadata",
    "sql_column",
]
