"""Corners of areas: put into a border where a neighbour has one, moved in every area that has it."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.kernels.block_graph import Floats

SAME_M = 1e-7
"""Corners nearer than this are one."""
ON_BORDER_M = 1e-6
"""A corner lies on a border when it is no further from it."""


def with_nodes(area: BaseGeometry, corners: Floats) -> BaseGeometry | None:
    """Return an area with those of the corners (c, 2) that lie on its border added to it; None when none does.

    Examples
    --------
    >>> with_nodes(shapely.box(0, 0, 2, 2), np.array([[2.0, 1.0], [5.0, 5.0]])).wkt
    'POLYGON ((2 0, 2 1, 2 2, 0 2, 0 0, 2 0))'
    """
    rings, owner = shapely.get_rings(shapely.get_parts(area), return_index=True)
    added = False
    new = []
    for ring in rings:
        path = shapely.get_coordinates(ring)
        for corner in corners:
            path, hit = _with_node(path, corner)
            added |= hit
        new.append(shapely.linearrings(path))
    return _area_of(new, owner, area) if added else None


def with_moved_node(area: BaseGeometry, old: Floats, new: Floats) -> BaseGeometry | None:
    """Return an area with the corner at `old` (2,) moved to `new` (2,); None when it has no corner there."""
    coordinates = shapely.get_coordinates(area)
    there = np.hypot(*(coordinates - old).T) <= SAME_M
    if not there.any():
        return None
    moved = coordinates.copy()
    moved[there] = new
    return shapely.set_coordinates(shapely.from_wkb(shapely.to_wkb(area)), moved)


def _with_node(path: Floats, corner: Floats) -> tuple[Floats, bool]:
    if (np.hypot(*(path - corner).T) <= SAME_M).any():
        return path, False
    start, step = path[:-1], np.diff(path, axis=0)
    length = np.maximum((step**2).sum(axis=1), 1e-30)
    along = np.clip(((corner - start) * step).sum(axis=1) / length, 0.0, 1.0)
    off = np.hypot(*(start + along[:, None] * step - corner).T)
    nearest = int(off.argmin())
    if off[nearest] > ON_BORDER_M:
        return path, False
    return np.insert(path, nearest + 1, corner, axis=0), True


def _area_of(rings: list[BaseGeometry], owner: np.ndarray, like: BaseGeometry) -> BaseGeometry:
    polygons = [
        shapely.Polygon(rings[at[0]], [rings[i] for i in at[1:]])
        for part in np.unique(owner)
        for at in [np.flatnonzero(owner == part)]
    ]
    return polygons[0] if like.geom_type == "Polygon" else shapely.multipolygons(polygons)
