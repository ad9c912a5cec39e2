"""Read a vector tile with GDAL, which knows nothing of how we write one."""

import tempfile
from pathlib import Path

import geopandas as gpd
import pyogrio


def decode(tile: bytes) -> dict[str, gpd.GeoDataFrame]:
    """Return source layer -> features in the tile's own units: x to the right, y up, 0 to 4096 inside the tile."""
    if not tile:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tile.mvt"
        path.write_bytes(tile)
        return {name: pyogrio.read_dataframe(path, layer=name, CLIP="NO") for name, _ in pyogrio.list_layers(path)}


def inside(points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the points that lie in the tile itself and not in its buffer."""
    return points[
        (points.geometry.x >= 0) & (points.geometry.x < 4096) & (points.geometry.y > 0) & (points.geometry.y <= 4096)
    ]
