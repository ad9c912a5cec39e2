"""The one tile matrix set, and the descriptions of tile sets (OGC API Tiles 1)."""

from __future__ import annotations

from typing import Any, Final

ID: Final = "WebMercatorQuad"
URI: Final = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
CRS: Final = "http://www.opengis.net/def/crs/EPSG/0/3857"
MAX_ZOOM: Final = 22
EDGE_M: Final = 20037508.3427892
SCALE_0: Final = 559082264.028717
CELL_0_M: Final = 156543.033928041


def in_range(z: int, y: int, x: int) -> bool:
    """Return whether there is a tile z/y/x."""
    return 0 <= z <= MAX_ZOOM and 0 <= y < 2**z and 0 <= x < 2**z


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
