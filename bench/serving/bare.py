"""The least a server of tiles can do: a route, a pool, one prepared ST_AsMVT, its bytes. No scope, no limit of time.

The anchor of our tiles: same driver, same HTTP server, same table and index, and the statement everybody writes first.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

TILE_SQL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "incidents": """
            SELECT ST_AsMVT(tile.*, 'incidents', 4096, 'geom', 'id') FROM (
                SELECT id, occurred_at, occurred_until_at, category, origin, address, grid_code,
                    ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS geom
                FROM city.incidents
                WHERE geom && ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096), 4326)
                LIMIT 10000
            ) AS tile
        """,
        "grids": """
            SELECT ST_AsMVT(tile.*, 'grids', 4096, 'geom', 'id') FROM (
                SELECT id, code, name_zh, name_en, kind, households_count, positions_count, valid_from,
                    ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope($1, $2, $3), 4096, 64, true) AS geom
                FROM city.grids
                WHERE geom && ST_Transform(ST_TileEnvelope($1, $2, $3, margin => 64.0 / 4096), 4326)
                LIMIT 10000
            ) AS tile
        """,
    }
)
POOL: Final = 8


@asynccontextmanager
async def _pool(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=POOL, max_size=POOL) as pool:
        app.state.pool = pool
        yield


async def tile(request: Request) -> Response:
    """Return one tile."""
    layer = request.path_params["layer"]
    z, x, y = (request.path_params[name] for name in ("z", "x", "y"))
    made = await request.app.state.pool.fetchval(TILE_SQL[layer], z, x, y)
    return Response(made, media_type="application/vnd.mapbox-vector-tile")


app = Starlette(routes=[Route("/{layer}/{z:int}/{y:int}/{x:int}", tile)], lifespan=_pool)
