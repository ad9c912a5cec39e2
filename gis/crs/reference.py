"""Reference systems by their OGC address, with the order of axes that each one prescribes (OGC API Features 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.crs.declared import to_lonlat

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG: Final = re.compile(
    r"(?:https?://www\.opengis\.net/def/crs/EPSG/[^/]+/|urn:ogc:def:crs:EPSG:[^:]*:|EPSG:)(\d{1,6})"
)
_BOX_STEPS: Final = 32


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference system in which coordinates come in or go out.

    Attributes
    ----------
    uri
        Its OGC address.
    epsg
        Number; 4326 for CRS84.
    north_first
        Whether the first coordinate goes north, as in EPSG:4326 and in many national grids.
    """

    uri: str
    epsg: int
    north_first: bool

    def lonlat(self, shapes: np.ndarray) -> np.ndarray:
        """Return geometries (n,) in degrees of WGS84, east before north."""
        if self.north_first:
            shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
        return to_lonlat(shapes, f"epsg:{self.epsg}")

    def box(self, sides: tuple[float, float, float, float]) -> shapely.Geometry:
        """Return a box in the order of its axes as an outline fine enough to stay true in another system."""
        low_a, low_b, high_a, high_b = sides
        if low_a > high_a or low_b > high_b:
            raise ValueError("a bbox has its lower corner first")
        whole = shapely.box(low_a, low_b, high_a, high_b)
        longest = max(high_a - low_a, high_b - low_b)
        return shapely.segmentize(whole, longest / _BOX_STEPS) if longest > 0 else whole


@lru_cache(maxsize=64)
def is_metric(epsg: int) -> bool:
    """Return whether a system measures along axes and not in degrees."""
    return bool(CRS.from_epsg(epsg).is_projected)


@lru_cache(maxsize=64)
def reference(uri: str) -> Reference | None:
    """Return the system of an address; None where it names none.

    Examples
    --------
    >>> reference("http://www.opengis.net/def/crs/EPSG/0/4326").north_first, reference(CRS84).north_first
    (True, False)
    """
    if uri == CRS84:
        return Reference(CRS84, 4326, north_first=False)
    found = _EPSG.fullmatch(uri)
    if found is None:
        return None
    number = int(found[1])
    try:
        crs = CRS.from_epsg(number)
    except CRSError:
        return None
    if not (crs.is_projected or crs.is_geographic) or len(crs.axis_info) < 2:  # noqa: PLR2004 - east and north
        return None
    north_first = crs.axis_info[0].direction == "north"
    return Reference(f"http://www.opengis.net/def/crs/EPSG/0/{number}", number, north_first=north_first)
