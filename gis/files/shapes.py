"""The places of rows: moved to lon/lat, and every one that is broken named with its ring. Nothing is repaired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.contract.frame import FrameSpec
from gis.crs import to_lonlat
from gis.files.faults import Fault

GRID_VERTICES = 2_000
"""Of one grid or block; the cap on any geometry is a limit of reading."""
CAPPED_FRAMES = frozenset({"grids", "blocks"})


@dataclass(frozen=True, slots=True)
class Area:
    """Where the places of a city can be.

    Attributes
    ----------
    bounds
        West, south, east, north in degrees.
    words
        What the bounds are, for the message.
    """

    bounds: tuple[float, float, float, float]
    words: str


WORLD = Area((-180.0, -90.0, 180.0, 90.0), "the world")


@dataclass(frozen=True, slots=True)
class Placed:
    """Places (n,) in lon/lat, None where there is none, and what is wrong with them."""

    geometry: np.ndarray
    faults: tuple[Fault, ...]


def place(geometry: np.ndarray, rows: np.ndarray, spec: FrameSpec, *, crs: str, area: Area) -> Placed:
    """Move places (n,) from `crs` to EPSG:4326 and check them: valid, not too many vertices, inside the area."""
    present = ~shapely.is_missing(geometry)
    moved = np.full(geometry.shape, None, dtype=object)
    moved[present] = to_lonlat(geometry[present], crs)
    # Validity is judged in the coordinates of the file, which its owner can look up, and again where it is stored.
    invalid = present & ~(shapely.is_valid(geometry) & shapely.is_valid(moved))
    faults = []
    if invalid.any():
        reasons = tuple(
            why_invalid(raw if not shapely.is_valid(raw) else new)
            for raw, new in zip(geometry[invalid], moved[invalid], strict=True)
        )
        faults.append(Fault("invalid_geometry", "not a valid polygon or line", "geometry", rows[invalid], reasons))
    if spec.id in CAPPED_FRAMES:
        large = shapely.get_num_coordinates(moved) > GRID_VERTICES
        faults.append(Fault("too_many_vertices", f"more than {GRID_VERTICES:,} vertices", "geometry", rows[large]))
    outside = present & ~_inside(moved, area)
    if outside.any():
        swapped = outside & _inside(_swapped(moved), area)
        hint = " (latitude and longitude seem to be exchanged)"
        texts = tuple(f"outside {area.words}{hint if s else ''}" for s in swapped[outside])
        faults.append(Fault("outside_area", f"outside {area.words}", "geometry", rows[outside], texts))
    return Placed(moved, tuple(faults))


def _inside(geometry: np.ndarray, area: Area) -> np.ndarray:
    west, south, east, north = area.bounds
    bounds = shapely.bounds(geometry)
    with np.errstate(invalid="ignore"):
        inside = (bounds[:, 0] >= west) & (bounds[:, 1] >= south) & (bounds[:, 2] <= east) & (bounds[:, 3] <= north)
    return np.asarray(inside)


def _swapped(geometry: np.ndarray) -> np.ndarray:
    return np.asarray(shapely.transform(geometry, lambda xy: xy[:, ::-1]))


def why_invalid(shape: BaseGeometry) -> str:
    """Return which ring of a geometry is broken, how and where.

    Examples
    --------
    >>> why_invalid(shapely.from_wkt("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))"))
    'outer ring: self-intersection at 0.5 0.5'
    """
    parts: Sequence[BaseGeometry] = list(getattr(shape, "geoms", [shape]))
    found = []
    for number, part in enumerate(parts, start=1):
        of_part = f" of part {number}" if len(parts) > 1 else ""
        if shapely.is_valid(part):
            continue
        rings = [(f"outer ring{of_part}", part.exterior)] if part.geom_type == "Polygon" else []
        rings += [(f"hole {i}{of_part}", ring) for i, ring in enumerate(getattr(part, "interiors", ()), start=1)]
        broken = [(name, polygon) for name, ring in rings if not shapely.is_valid(polygon := shapely.Polygon(ring))]
        if broken:
            found += [f"{name}: {_reason(polygon)}" for name, polygon in broken]
        else:
            found.append(f"{'rings' if rings else 'line'}{of_part}: {_reason(part)}")
    return "; ".join(found) or f"parts: {_reason(shape)}"


def _reason(shape: BaseGeometry) -> str:
    what, _, where = str(shapely.is_valid_reason(shape)).partition("[")
    return f"{what.lower()} at {where.rstrip(']')}" if where else what.lower()
