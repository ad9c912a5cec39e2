"""Literals of a filter: numbers, texts, times and geometries, as values that can be bound."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from shapely.errors import GEOSException

from gis.crs import Reference
from gis.files.shapes import why_invalid
from gis.store.boxes import unwrapped
from gis.store.spatial import SRID
from gis.store.texts import storable

MAX_VERTICES: Final = 10_000
EXACT: Final = 2**53
"""Whole numbers up to here are exact as JSON numbers."""
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_TYPES: Final = frozenset(
    {"Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"}
)
Ends = tuple[dt.datetime, dt.datetime] | tuple[dt.date, dt.date]


def is_literal(tree: Any) -> bool:
    """Return whether something stands for itself and is neither a property nor computed."""
    return not (isinstance(tree, dict) and ("property" in tree or "op" in tree))


def family(tree: Any) -> str | None:
    """Return which kind of value a literal is."""
    if isinstance(tree, bool):
        return "boolean"
    if isinstance(tree, int | float):
        return "number"
    if isinstance(tree, str):
        return "text"
    if isinstance(tree, dict) and ({"timestamp", "interval"} & tree.keys()):
        return "instant"
    return "date" if isinstance(tree, dict) and "date" in tree else None


def scalar(tree: Any, wanted: str) -> str | int | float | bool | None:
    """Return a text, number, true or false; None where it is none of the kind that is wanted.

    Examples
    --------
    >>> scalar(3.0, "number"), scalar("3", "number"), scalar(True, "boolean")
    (3, None, True)
    """
    if family(tree) != wanted or (wanted == "text" and not storable(tree)):
        return None
    if wanted != "number":
        return tree  # type: ignore[no-any-return]
    if not math.isfinite(tree):
        return None
    return int(tree) if float(tree).is_integer() and abs(tree) <= EXACT else float(tree)


def ends(tree: Any, wanted: str, zone: ZoneInfo) -> Ends | None:
    """Return first and last instant, or first and last day, of a literal; None where it is no time.

    A day is as long as it is in the city; an instant cannot be compared with a column of days.

    Examples
    --------
    >>> ends({"date": "2026-01-31"}, "instant", ZoneInfo("UTC"))[0].isoformat()
    '2026-01-31T00:00:00+00:00'
    """
    text = tree
    if isinstance(tree, dict):
        text = tree.get("timestamp", tree.get("date"))
    if not isinstance(text, str):
        return None
    try:
        if _DAY.fullmatch(text):
            day = dt.date.fromisoformat(text)
            if wanted == "date":
                return day, day
            start = dt.datetime(day.year, day.month, day.day, tzinfo=zone)
            last = start + dt.timedelta(days=1) - dt.timedelta(microseconds=1)
            return start.astimezone(dt.UTC), last.astimezone(dt.UTC)
        if wanted == "instant" and _INSTANT.fullmatch(text):
            at = dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
            return at, at
    except (ValueError, OverflowError):
        return None
    return None


def shape(tree: Any, crs: Reference | None) -> bytes:
    """Return a geometry as EWKB in degrees of WGS84, with its SRID.

    Parameters
    ----------
    tree
        GeoJSON, or ``{"bbox": [west, south, east, north]}``, which may cross the antimeridian.
    crs
        Of its coordinates; None for degrees of WGS84, east before north.

    Raises
    ------
    ValueError
        It is no geometry, not valid, too large or outside the world.
    """
    if not isinstance(tree, dict):
        raise ValueError(f"{shown(tree)} is no geometry")  # noqa: TRY004 - read as any other refusal
    made = _box(tree["bbox"], crs) if "bbox" in tree else _geojson(tree)
    if shapely.get_num_coordinates(made) > MAX_VERTICES:
        raise ValueError(f"a geometry of a filter has at most {MAX_VERTICES:,} vertices")
    if crs is not None:
        made = crs.lonlat(np.array([made]))[0]
    west, south, east, north = shapely.bounds(made)
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - degrees
        raise ValueError("a geometry lies outside the world")
    if not shapely.is_valid(made):
        raise ValueError(f"a geometry is not valid: {why_invalid(made)}")
    return bytes(shapely.to_wkb(shapely.set_srid(made, SRID), include_srid=True))


def _box(sides: Any, crs: Reference | None) -> shapely.Geometry:
    if not isinstance(sides, list) or len(sides) not in (4, 6) or not all(map(_finite, sides)):
        raise ValueError("a bbox has four numbers, or six with heights")
    half = len(sides) // 2
    box = (sides[0], sides[1], sides[half], sides[half + 1])
    if crs is not None:
        return crs.box(box)
    if box[1] > box[3] or max(abs(box[1]), abs(box[3])) > 90 or max(abs(box[0]), abs(box[2])) > 360:  # noqa: PLR2004
        raise ValueError("a bbox is west, south, east, north in degrees")
    parts = [shapely.box(*part) for part in unwrapped(box)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _geojson(tree: dict[str, Any]) -> shapely.Geometry:
    if tree.get("type") not in _TYPES:
        raise ValueError(f"{shown(tree)} is no geometry")
    try:
        made = shapely.force_2d(shapely.from_geojson(json.dumps(tree)))
    except (GEOSException, ValueError, RecursionError):
        raise ValueError(f"{shown(tree)} is no geometry") from None
    if shapely.is_empty(made):
        raise ValueError("a geometry is empty")
    return made


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shown(tree: Any) -> str:
    """Return a part of a filter for a message, short."""
    text = json.dumps(tree, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line of a message
