"""Where the demo city lies: the real outline of Gusu, its codes and names, and a drawing board in metres."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

Geometry = TypeVar("Geometry", bound=shapely.Geometry)

SOURCES = Path(__file__).parents[1] / "samples" / "suzhou"
DISTRICT = "320508"
METRIC = "EPSG:4549"
LONLAT = "EPSG:4326"
DECIMALS = 7
"""Digits of a coordinate in degrees: 1e-7 is one centimetre."""

_TO_METRES = Transformer.from_crs(LONLAT, METRIC, always_xy=True)
_TO_DEGREES = Transformer.from_crs(METRIC, LONLAT, always_xy=True)

CENTRE_LONLAT = (120.6195, 31.3085)
TILT = np.deg2rad(7.0)
"""The old town's north leans this far to the west."""

BEND_FROM_M, BEND_RADIUS_M, BEND_ANGLE = 2200.0, 6500.0, 0.63
"""West of here the long roads turn to the north-west, as the outline does."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The outline of the district in metres, and its official units.

    Attributes
    ----------
    outline
        Polygon in EPSG:4549.
    communities
        code, street_code, name_zh, name_en of every community of the district.
    streets
        code (9 digits), name_zh, name_en of every street-level unit.
    """

    outline: shapely.Polygon
    district: pd.Series
    streets: pd.DataFrame
    communities: pd.DataFrame


def ground() -> Ground:
    """Read the outline, the codes and the names."""
    districts = gpd.read_file(SOURCES / "district_tianditu_wgs84.geojson")
    outline = districts.loc[districts["district_adcode"].astype(str) == DISTRICT].geometry.iloc[0]
    names = pd.read_csv(SOURCES / "names_gusu.csv", dtype=str).set_index("code")
    text = {"code": str, "streetCode": str, "areaCode": str}
    codes = pd.read_csv(SOURCES / "communities_2248.csv", dtype=text)
    codes = codes[codes["areaCode"] == DISTRICT]
    communities = pd.DataFrame({"code": codes["code"], "street_code": codes["streetCode"]}).reset_index(drop=True)
    streets = pd.DataFrame({"code": sorted(communities["street_code"].unique())})
    return Ground(
        to_metres(outline),
        pd.Series({"code": DISTRICT, **names.loc[DISTRICT].to_dict()}),
        streets.join(names, on="code"),
        communities.join(names, on="code"),
    )


def to_metres(geometry: Geometry) -> Geometry:
    """Return a geometry in EPSG:4549."""
    moved: Geometry = shapely.transform(geometry, lambda xy: np.column_stack(_TO_METRES.transform(xy[:, 0], xy[:, 1])))
    return moved


def to_degrees(geometries: np.ndarray) -> np.ndarray:
    """Return geometries (n,) in EPSG:4326, coordinates rounded so that shared corners stay shared."""
    return np.asarray(shapely.transform(geometries, points_in_degrees))


def point_in_degrees(x: float, y: float) -> tuple[float, float]:
    """Return longitude and latitude of a place in metres."""
    lon, lat = _TO_DEGREES.transform(x, y)
    return round(lon, DECIMALS), round(lat, DECIMALS)


def points_in_degrees(xy: np.ndarray) -> np.ndarray:
    """Return longitudes and latitudes (n, 2), rounded, of places (n, 2) in metres."""
    return np.round(np.column_stack(_TO_DEGREES.transform(xy[:, 0], xy[:, 1])), DECIMALS)


def place(s: np.ndarray | float, t: np.ndarray | float) -> np.ndarray:
    """Return EPSG:4549 coordinates (n, 2) of the drawing board's (s, t).

    The board's axis runs east-west through the old town and bends to the north-west beyond it; `s` is the distance
    along the axis, positive to the east, `t` the distance to its left, so that roads of equal `t` stay parallel.
    """
    s, t = np.broadcast_arrays(np.asarray(s, dtype=float), np.asarray(t, dtype=float))
    beyond = np.clip(-BEND_FROM_M - s, 0.0, None)
    arc = np.minimum(beyond, BEND_ANGLE * BEND_RADIUS_M)
    angle, rest = arc / BEND_RADIUS_M, beyond - arc
    east = np.maximum(s, -BEND_FROM_M) - BEND_RADIUS_M * np.sin(angle) - rest * np.cos(angle) + t * np.sin(angle)
    north = BEND_RADIUS_M * (1 - np.cos(angle)) + rest * np.sin(angle) + t * np.cos(angle)
    x0, y0 = _TO_METRES.transform(*CENTRE_LONLAT)
    x = x0 + east * np.cos(TILT) - north * np.sin(TILT)
    y = y0 + east * np.sin(TILT) + north * np.cos(TILT)
    return np.column_stack([x.ravel(), y.ravel()])
