"""The reference system a person declared for a file, and its geometries in EPSG:4326."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gis.crs.shift import Floats, bd09_to_wgs84, gcj02_to_wgs84, in_china
from gis.errors import CrsMissing, InvalidInput, Problem

LONLAT = "EPSG:4326"
SHIFTED: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType({"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84})
"""Systems that are WGS84 with an offset, and the way back."""

# CGCS2000 and WGS84 differ by less than a metre, and PROJ knows no better than identity between them.
SAME_AS_LONLAT = frozenset({"wgs84", "cgcs2000", "epsg:4326", "epsg:4490"})
NAMES = "wgs84, cgcs2000, gcj02, bd09 or epsg:N (such as epsg:4549)"

Shapes = TypeVar("Shapes", gpd.GeoDataFrame, gpd.GeoSeries, np.ndarray)


def parse_declared(text: str) -> str:
    """Return the declared system in its one spelling: ``wgs84 cgcs2000 gcj02 bd09`` or ``epsg:N``.

    Raises
    ------
    CrsMissing
        Nothing was declared.
    InvalidInput
        No such system, or one without horizontal coordinates.

    Examples
    --------
    >>> parse_declared("GCJ-02"), parse_declared("EPSG:4549")
    ('gcj02', 'epsg:4549')
    """
    name = re.sub(r"[\s_-]", "", text).lower()
    if not name:
        raise CrsMissing(f"declare the reference system of the coordinates: {NAMES}")
    if name in SHIFTED or name in SAME_AS_LONLAT:
        return name
    number = re.fullmatch(r"epsg:{1,2}(\d{1,6})", name)
    if number is None:
        raise _refused("unknown_crs", f"'{text}' is no reference system known here; say {NAMES}")
    name = f"epsg:{int(number[1])}"
    try:
        crs = CRS.from_user_input(name.upper())
    except CRSError:
        raise _refused("unknown_crs", f"there is no {name.upper()}") from None
    if not (crs.is_projected or crs.is_geographic):
        raise _refused("not_horizontal", f"{name.upper()} ({crs.name}) has no horizontal coordinates")
    return name


def to_lonlat(shapes: Shapes, declared: str) -> Shapes:
    """Return the shapes in EPSG:4326; heights are dropped.

    Parameters
    ----------
    shapes : GeoDataFrame, GeoSeries or array (n,) of geometries
        What they say of their own CRS is ignored: `declared` is what a person answers for.
    declared
        As `parse_declared` takes it. GCJ-02 and BD-09 are shifted only inside the box of China; `count_left_alone`
        says how many shapes that leaves as they are.

    Notes
    -----
    A coordinate outside the domain of a projection becomes infinite, and its shape invalid.
    """
    name = parse_declared(declared)
    if isinstance(shapes, gpd.GeoDataFrame):
        return shapes.set_geometry(to_lonlat(shapes.geometry, name))  # type: ignore[no-any-return]
    if isinstance(shapes, gpd.GeoSeries):
        moved = to_lonlat(np.asarray(shapes.array, dtype=object), name)
        return gpd.GeoSeries(moved, index=shapes.index, name=shapes.name, crs=LONLAT)  # type: ignore[no-any-return]
    if name in SAME_AS_LONLAT:
        return np.asarray(shapely.force_2d(shapes), dtype=object)
    return np.asarray(shapely.transform(shapes, SHIFTED.get(name) or _projected(name)), dtype=object)


def count_left_alone(shapes: gpd.GeoDataFrame | gpd.GeoSeries | np.ndarray, declared: str) -> int:
    """Return how many shapes have a vertex outside the box of China, where GCJ-02 and BD-09 shift nothing."""
    if parse_declared(declared) not in SHIFTED:
        return 0
    plain = shapes.geometry.array if isinstance(shapes, gpd.GeoDataFrame) else shapes
    points, owner = shapely.get_coordinates(np.asarray(plain, dtype=object), return_index=True)
    return int(np.unique(owner[~in_china(points)]).size)


@lru_cache(maxsize=16)
def _projected(name: str) -> Callable[[Floats], Floats]:
    transformer = Transformer.from_crs(name.upper(), LONLAT, always_xy=True)

    def moved(points: Floats) -> Floats:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return moved


def _refused(code: str, message: str) -> InvalidInput:
    return InvalidInput("the declared reference system cannot be used", [Problem(code, message, "crs")])
