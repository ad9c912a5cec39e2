"""A place that somebody draws on the map: a point, a line or an area, checked before anything is computed of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import geopandas as gpd
import numpy as np
import shapely
from pydantic import AfterValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError
from shapely.errors import GEOSException

from gis.crs import LONLAT
from gis.errors import InvalidParams, Problem
from gis.files.shapes import why_invalid

MOST_VERTICES = 10_000
MOST_SAMPLES = 400
"""Places along a line or an outline from which one is taken to come and go."""
LEAST_STEP_M = 25.0
FARTHEST_M = 20_000.0
"""A place farther than this from everything is of another city."""
NAMED = 5
TYPES: Final = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
_BOUNDS = np.array([180.0, 90.0])


def _checked(place: dict[str, Any]) -> dict[str, Any]:
    if faults := list(_faults(place)):
        lines = [
            InitErrorDetails(type=PydanticCustomError(code, "{why}", {"why": why}), input=None) for code, why in faults
        ]
        raise ValidationError.from_exception_data("place", lines)
    return place


DrawnPlace = Annotated[
    dict[str, Any],
    AfterValidator(_checked),
    WithJsonSchema(
        {
            "type": "object",
            "format": "geojson-geometry",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"type": "string", "enum": list(TYPES)},
                "coordinates": {"type": "array", "items": {}},
            },
        }
    ),
]
"""A GeoJSON geometry in WGS84; wrong ones are refused with every fault at once."""


def _faults(place: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield everything that is wrong with a GeoJSON geometry: a code, and a sentence."""
    if place.get("type") not in TYPES:
        yield "wrong_geometry_type", f"a GeoJSON geometry is needed, its type one of {', '.join(TYPES)}"
        return
    shape = _read(place)
    if shape is None:
        yield "unreadable_geometry", f"the coordinates are not those of a {place['type']}"
        return
    if shapely.is_empty(shape) or any(shapely.is_empty(part) for part in shapely.get_parts(shape)):
        yield "empty_geometry", f"the {place['type']}, or a part of it, has no coordinates"
    if extra := sorted(set(place) - {"type", "coordinates", "bbox"}):
        yield "unknown_member", f"a geometry has no {', '.join(extra)}; coordinates are degrees of WGS84"
    xy = shapely.get_coordinates(shape)
    if len(xy) > MOST_VERTICES:
        yield "too_many_vertices", f"{len(xy):,} vertices; at most {MOST_VERTICES:,} are taken"
    outside = ~(np.abs(xy) <= _BOUNDS).all(axis=1)
    if outside.any():
        named = "; ".join(f"{x:g} {y:g}" for x, y in xy[outside][:NAMED])
        swapped = (np.abs(xy[:, ::-1]) <= _BOUNDS).all()
        hint = " (latitude and longitude seem to be exchanged)" if swapped else ""
        yield "outside_world", f"{outside.sum():,} vertices outside the world, such as {named}{hint}"
    if np.isfinite(xy).all() and not shapely.is_valid(shape):
        yield "invalid_geometry", why_invalid(shape)


def _read(place: dict[str, Any]) -> shapely.Geometry | None:
    try:
        return shapely.force_2d(shapely.from_geojson(json.dumps(place)))
    except (GEOSException, ValueError, TypeError, RecursionError):
        return None


def in_metres(place: dict[str, Any], metric_crs: str, near: gpd.GeoDataFrame) -> shapely.Geometry:
    """Return a checked place in the city's metres.

    Parameters
    ----------
    near
        A frame of the city, in metres: the place lies in it or not far from it.

    Raises
    ------
    InvalidParams
        The place is of another city.
    """
    shape = shapely.force_2d(shapely.from_geojson(json.dumps(place)))
    moved = gpd.GeoSeries([shape], crs=LONLAT).to_crs(metric_crs)[0]
    away_m = np.inf
    if np.isfinite(shapely.get_coordinates(moved)).all():
        away_m = shapely.distance(moved, shapely.box(*near.total_bounds))
    if not away_m <= FARTHEST_M:
        how = f"{away_m / 1_000:,.0f} km from it" if np.isfinite(away_m) else "where its metres end"
        why = f"the place lies outside of the city, {how}; longitude comes before latitude"
        raise InvalidParams("this place cannot be looked at", [Problem("outside_city", why, "place")])
    return moved


def ways_in(place: shapely.Geometry, streets: np.ndarray) -> np.ndarray:
    """Return where one comes to a place or leaves it (k, 2): points themselves, and places along lines and outlines.

    Along lines and outlines a place every `LEAST_STEP_M` at most, wider for long ones, and wherever a street crosses.

    Parameters
    ----------
    streets : (s,)
        Lines.
    """
    curves = np.array([_curve(part) for part in shapely.get_parts(place)], dtype=object)
    curve = shapely.union_all(curves[shapely.get_dimensions(curves) == 1])
    points = curves[shapely.get_dimensions(curves) == 0]
    crossed = shapely.STRtree(streets).query(curve, predicate="intersects")
    met = shapely.get_coordinates(shapely.intersection(streets[crossed], curve))
    step_m = max(LEAST_STEP_M, shapely.length(curve) / MOST_SAMPLES)
    along = shapely.get_coordinates(shapely.segmentize(curve, step_m))
    return np.unique(np.concatenate([shapely.get_coordinates(points), along, met]), axis=0)


def _curve(part: shapely.Geometry) -> shapely.Geometry:
    return shapely.boundary(part) if shapely.get_dimensions(part) == 2 else part  # noqa: PLR2004 - an area
