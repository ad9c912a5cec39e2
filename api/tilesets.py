"""The one tile matrix set, and the descriptions of tile sets (OGC API Tiles 1)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from gis.store.boxes import Bounds

ID: Final = "WebMercatorQuad"
URI: Final = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM: Final = 22
LAST_LAT: Final = 85.0511287798066
EDGE_M: Final = 20037508.3427892
SCALE_0: Final = 559082264.028717
CELL_0_M: Final = 156543.033928041


def in_range(z: int, y: int, x: int) -> bool:
    """Return whether there is a tile z/y/x."""
    return 0 <= z <= MAX_ZOOM and 0 <= y < 2**z and 0 <= x < 2**z


def limits(bounds: Bounds, zooms: Iterable[int]) -> list[dict[str, Any]]:
    """Return which tiles of each zoom touch a box in degrees: no other one holds anything.

    Examples
    --------
    >>> limits((120.6, 31.28, 120.62, 31.3), [10])
    [{'tileMatrix': '10', 'minTileRow': 418, 'maxTileRow': 418, 'minTileCol': 855, 'maxTileCol': 855}]
    """
    west, south, east, north = bounds
    return [
        {
            "tileMatrix": str(z),
            "minTileRow": _row(north, z),
            "maxTileRow": _row(south, z),
            "minTileCol": _column(west, z),
            "maxTileCol": _column(east, z),
        }
        for z in zooms
    ]


def _column(lon: float, z: int) -> int:
    last = (1 << z) - 1
    return min(max(math.floor((lon + 180) / 360 * (1 << z)), 0), last)


def _row(lat: float, z: int) -> int:
    y = math.asinh(math.tan(math.radians(min(max(lat, -LAST_LAT), LAST_LAT))))
    last = (1 << z) - 1
    return min(max(math.floor((1 - y / math.pi) / 2 * (1 << z)), 0), last)


def tile_matrix_set() -> dict[str, Any]:
    """Return WebMercatorQuad, levels 0 to 22."""
    return {
        "id": ID,
        "title": "Google Maps Compatible for the World",
        "uri": URI,
        "crs": CRS,
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": [
            {
                "id": str(z),
                "scaleDenominator": SCALE_0 / 2**z,
                "cellSize": CELL_0_M / 2**z,
                "cornerOfOrigin": "topLeft",
                "pointOfOrigin": [-EDGE_M, EDGE_M],
                "tileWidth": 256,
                "tileHeight": 256,
                "matrixWidth": 2**z,
                "matrixHeight": 2**z,
            }
            for z in range(MAX_ZOOM + 1)
        ],
    }
