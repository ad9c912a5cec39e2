"""How much ground places cover and how many households live there: what a count has to be seen against."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

PIECE_CORNERS = 256
"""A large outline is cut until no piece has more corners: each shape then meets a small one."""


def ground_m2(
    shapes: np.ndarray, *, area: BaseGeometry | None = None, water_areas: gpd.GeoDataFrame | None = None
) -> np.ndarray:
    """Return the ground (n,) of shapes, in square metres: inside the study area, where one is given, and not water."""
    water = None
    if water_areas is not None and len(water_areas):
        water = shapely.union_all(water_areas.geometry.to_numpy())
    if area is not None:
        return overlap_m2(shapes, area if water is None else shapely.difference(area, water))
    whole = shapely.area(shapes)
    # Rounding must not leave less than nothing.
    return np.asarray(whole if water is None else np.maximum(whole - overlap_m2(shapes, water), 0.0))


def overlap_m2(shapes: np.ndarray, area: BaseGeometry) -> np.ndarray:
    """Return the area (n,) that each of the shapes has in common with one large area."""
    shapely.prepare(area)
    inside = shapely.contains_properly(area, shapes)
    common = np.where(inside, shapely.area(shapes), 0.0)
    rest = np.flatnonzero(~inside)
    cut, pieces = shapes[rest], _pieces(area)
    if rest.size and pieces.size:
        shape, piece = shapely.STRtree(pieces).query(cut, predicate="intersects")
        parts = shapely.area(shapely.intersection(cut[shape], pieces[piece]))
        common[rest] = np.bincount(shape, parts, minlength=rest.size)
    return common


def households_in(shapes: np.ndarray, blocks: gpd.GeoDataFrame) -> np.ndarray:
    """Return the households (n,) of shapes: those of each block, spread evenly over its area.

    A block whose number is not known has none.
    """
    outlines = blocks.geometry.to_numpy()
    households = blocks["households_count"].fillna(0).to_numpy(dtype=float)
    shape, block = shapely.STRtree(outlines).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[shape], outlines[block]))
    density = households / np.maximum(shapely.area(outlines), 1e-9)
    return np.bincount(shape, common * density[block], minlength=len(shapes))


def _pieces(area: BaseGeometry) -> np.ndarray:
    """Return an area cut in halves until each piece is small."""
    todo, done = list(_polygons(area)), []
    while todo:
        piece = todo.pop()
        if shapely.get_num_coordinates(piece) <= PIECE_CORNERS:
            done.append(piece)
            continue
        west, south, east, north = shapely.bounds(piece)
        if east - west >= north - south:
            middle = (west + east) / 2
            halves = (west, south, middle, north), (middle, south, east, north)
        else:
            middle = (south + north) / 2
            halves = (west, south, east, middle), (west, middle, east, north)
        for half in halves:
            todo += _polygons(shapely.intersection(piece, shapely.box(*half)))
    return np.array(done, dtype=object)


def _polygons(area: BaseGeometry) -> list[shapely.Polygon]:
    return [part for part in shapely.get_parts(area) if shapely.get_type_id(part) == shapely.GeometryType.POLYGON]
