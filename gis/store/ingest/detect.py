"""Where a city's places can be, and whether a file really is in the reference system it is declared to be in.

The public maps of China are shifted by hundreds of metres and still read as EPSG:4326. Outlines that the city has
already, or the bundled ones of Suzhou, show the shift: areas by their borders, points by the streets they lie on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
import sqlalchemy as sa
from pyproj import CRS

from gis.contract.frame import FrameSpec
from gis.crs import LONLAT, bd09_to_wgs84, detect, gcj02_to_wgs84, parse_declared, to_lonlat
from gis.errors import Problem
from gis.files.shapes import WORLD, Area
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.settings import PROJECT
from gis.store.tables import FRAME_TABLES

OUTLINES = PROJECT / "data" / "samples" / "suzhou" / "district_tianditu_wgs84.geojson"
REFERENCE_FRAMES = ("districts", "streets", "communities")
MARGIN_DEG = 0.05
"""About 5 km: borders of different makers differ, and events lie just across them."""
ZONE_MARGIN_DEG = 1.0
NEAR_DEG = 0.02
"""Reference points this far outside a layer cannot be on its border."""
MOST_REFERENCE = 5_000
ON_THE_STREET_M = 30.0
LEAST_POINTS = 50
CLEARLY = 3.0
"""How many times as far the second best assumption must be."""
WORDS: Final[Mapping[str, str]] = MappingProxyType({"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09"})
TO_WGS84: Final[Mapping[str, Callable[[np.ndarray], np.ndarray]]] = MappingProxyType(
    {"wgs84": np.asarray, "gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
)


@dataclass(frozen=True, slots=True)
class Fit:
    """The reference system that places fit, and the median distance in metres under each."""

    best: str
    medians_m: Mapping[str, float]


def city_area(store: Store, city: CityRow, spec: FrameSpec) -> Area:
    """Return where places of a frame can be: around the city's districts, or where its metric CRS is meant for."""
    table = FRAME_TABLES["districts"]
    extent = sa.func.ST_Extent(table.c.geom)
    corners = [getattr(sa.func, name)(extent) for name in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")]
    if spec.id != "districts":
        with store.transaction(city.scope, read_only=True) as connection:
            found = connection.execute(sa.select(*corners).where(table.c.city_id == city.id)).one()
        if found[0] is not None:
            return Area(_grown(tuple(found), MARGIN_DEG), "the districts of the city")
    zone = CRS.from_user_input(city.profile.metric_crs).area_of_use
    if zone is None:
        return WORLD
    words = f"the zone of the city's metric CRS {city.profile.metric_crs}"
    return Area(_grown((zone.west, zone.south, zone.east, zone.north), ZONE_MARGIN_DEG), words)


def _grown(bounds: tuple[float, ...], margin: float) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    return west - margin, south - margin, east + margin, north + margin


def crs_problem(store: Store, city: CityRow, geometry: np.ndarray, declared: str) -> Problem | None:
    """Return what speaks against the declared reference system of geometries (n,), None when nothing does.

    Parameters
    ----------
    geometry
        As the file has them; broken ones count as well.
    """
    present = geometry[~shapely.is_missing(geometry)]
    system = parse_declared(declared)
    if not present.size:
        return None
    if system.startswith("epsg:"):
        present = to_lonlat(present, system)
    expected = system if system in WORDS else "wgs84"
    bounds = shapely.total_bounds(present)
    if not np.isfinite(bounds).all() or np.abs(bounds).max() > WORLD.bounds[2]:
        return None
    if (shapely.get_dimensions(present) == 0).all():
        found = _by_streets(store, city, present)
    else:
        found = _by_outlines(store, city, present, bounds)
    if found is None or found.best == expected:
        return None
    fit, misfit = found.medians_m[found.best], found.medians_m[expected]
    return Problem(
        "crs_mismatch",
        f"the coordinates are declared as {WORDS[expected]} but fit {WORDS[found.best]}: {fit:,.0f} m from what is "
        f"known of the city instead of {misfit:,.0f} m (median); declare {found.best}, or insist on what is declared",
        "geometry",
    )


def _by_outlines(store: Store, city: CityRow, layer: np.ndarray, bounds: np.ndarray) -> Fit | None:
    near = _grown(tuple(bounds), NEAR_DEG)
    for reference in (_stored_outlines(store, city), _bundled_outlines()):
        inside = reference[_within(reference, near)]
        if len(inside) >= LEAST_POINTS:
            found = detect(_thinned(inside), layer)
            return (
                None
                if found.verdict == "undecided"
                else Fit(found.verdict, {str(name): far for name, far in found.medians_m.items()})
            )
    return None


def _within(points: np.ndarray, bounds: tuple[float, float, float, float]) -> np.ndarray:
    west, south, east, north = bounds
    x, y = points[:, 0], points[:, 1]
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))


def _thinned(points: np.ndarray) -> np.ndarray:
    return points[:: max(1, len(points) // MOST_REFERENCE)]


def _stored_outlines(store: Store, city: CityRow) -> np.ndarray:
    """Return vertices (n, 2) of the largest areas that the city has."""
    for frame_id in REFERENCE_FRAMES:
        shapes = _stored(store, city, frame_id)
        if shapes.size:
            return np.asarray(shapely.get_coordinates(shapes))
    return np.empty((0, 2))


@cache
def _bundled_outlines() -> np.ndarray:
    """Return vertices (n, 2) of the bundled outlines of Suzhou's districts."""
    if not OUTLINES.is_file():
        return np.empty((0, 2))
    return np.asarray(shapely.get_coordinates(gpd.read_file(OUTLINES).geometry.to_numpy()))


def _by_streets(store: Store, city: CityRow, points: np.ndarray) -> Fit | None:
    """Compare points with the streets of the city: events are often written down at the nearest street."""
    streets = _stored(store, city, "segments")
    coordinates = _thinned(np.asarray(shapely.get_coordinates(points)))
    if not streets.size or len(coordinates) < LEAST_POINTS:
        return None
    metric = city.profile.metric_crs
    tree = shapely.STRtree(gpd.GeoSeries(streets, crs=LONLAT).to_crs(metric).to_numpy())
    medians: dict[str, float] = {}
    for name, back in TO_WGS84.items():
        places = gpd.GeoSeries(shapely.points(back(coordinates)), crs=LONLAT).to_crs(metric).to_numpy()
        medians[name] = float(np.median(shapely.distance(places, tree.geometries[tree.nearest(places)])))
    best, second = sorted(medians, key=lambda name: medians[name])[:2]
    clear = medians[best] <= ON_THE_STREET_M and medians[second] >= CLEARLY * max(medians[best], 1.0)
    return Fit(best, medians) if clear else None


def _stored(store: Store, city: CityRow, frame_id: str) -> np.ndarray:
    table = FRAME_TABLES[frame_id]
    query = sa.select(sa.func.ST_AsBinary(table.c.geom, type_=sa.LargeBinary)).where(table.c.city_id == city.id)
    with store.transaction(city.scope, read_only=True) as connection:
        found = connection.execute(query).scalars().all()
    return np.asarray(shapely.from_wkb(np.array(found, dtype=object)))
