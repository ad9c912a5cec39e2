"""Reference systems: what a file's coordinates were declared to be, and their way to EPSG:4326.

The only place that moves coordinates of unknown or Chinese systems. GCJ-02 lies some 480 m from WGS84 in Suzhou, BD-09
some 1,140 m; a layer read in the wrong one puts every point into the wrong cell.
"""

from gis.crs.declared import LONLAT, count_left_alone, parse_declared, to_lonlat
from gis.crs.detector import Detection, Verdict, detect
from gis.crs.reference import CRS84, Reference, is_metric, reference
from gis.crs.shift import bd09_to_wgs84, gcj02_to_wgs84, in_china, wgs84_to_bd09, wgs84_to_gcj02

__all__ = [
    "CRS84",
    "LONLAT",
    "Detection",
    "Reference",
    "Verdict",
    "bd09_to_wgs84",
    "count_left_alone",
    "detect",
    "gcj02_to_wgs84",
    "in_china",
    "is_metric",
    "parse_declared",
    "reference",
    "to_lonlat",
    "wgs84_to_bd09",
    "wgs84_to_gcj02",
]
