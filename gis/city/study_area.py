"""Where a computation looks: the cells of a lattice, or the grids, and which of them holds each point."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from gis.errors import InvalidParams, Problem
from gis.kernels.lattice import Lattice

MAX_CELLS = 1_000_000
TOUCH_M = 1.0
"""Grids nearer than this touch: borders that were drawn by hand rarely meet to the millimetre."""


@dataclass(frozen=True, slots=True)
class Units:
    """The places that are compared.

    Attributes
    ----------
    features
        One row a place, with `code` and names where there are any; in metres.
    held : (m,)
        Which place holds each point, -1 for none. A point on a common border belongs to one place only.
    near : sparse (n, n)
        Ones between neighbours, no diagonal.
    choices
        What was decided on the way.
    area
        The study area that cut the places; None where they are the area themselves.
    """

    features: gpd.GeoDataFrame
    held: np.ndarray
    near: sparse.csr_array
    choices: dict[str, object]
    area: BaseGeometry | None = None

    def within(self, reach_m: float) -> Units:
        """Return the same places, neighbours now being those with centres at most this far, in metres."""
        centres = self.features.geometry.centroid
        near = _near(np.column_stack([centres.x, centres.y]), reach_m)
        return replace(self, near=near, choices={**self.choices, "neighbours": _reach_words(reach_m)})

    def only(self, kept: np.ndarray) -> Units:
        """Return some of the places, by a mask (n,); what the others held is held by none."""
        position = np.where(kept, np.cumsum(kept) - 1, -1)
        return replace(
            self,
            features=self.features[kept].reset_index(drop=True),
            held=np.where(self.held >= 0, position[self.held], -1),
            near=self.near[kept][:, kept],
        )


def lattice_units(
    lattice: Lattice,
    points: np.ndarray,
    *,
    districts: gpd.GeoDataFrame | None,
    reach_m: float | None,
    crs: str,
) -> Units:
    """Return the cells of the study area: the districts, or without them the convex hull of the points (m, 2).

    A cell belongs to the area when it reaches into it, whether anything happened there or not: choosing edge cells by
    what they hold would lean towards hot.
    """
    area, named = study_area(points[np.isfinite(points).all(axis=1)], districts)
    bounds = shapely.bounds(area)
    if (asked := lattice.count_within(tuple(bounds))) > MAX_CELLS:
        why = f"{lattice.size_m:g} m gives about {asked:,.0f} cells here, at most {MAX_CELLS:,} are computed"
        raise InvalidParams("the lattice is too fine for this area", [Problem("too_many_cells", why, "lattice_m")])
    around = shapely.bounds(shapely.buffer(shapely.box(*bounds), lattice.size_m))
    cells = lattice.cells_within(tuple(around))
    shapely.prepare(area)
    counted = shapely.intersects_xy(area, *points.T)
    # Points on the very edge may lie in a cell that only touches the area.
    at = _positions(cells, lattice.cells_of(points[counted]))
    kept = np.bincount(at, minlength=len(cells)) > 0
    open_ = np.flatnonzero(~kept)
    inner = shapely.buffer(area, -TOUCH_M)
    shapely.prepare(inner)
    # A cell whose centre is inside needs no drawing to be known.
    kept[open_] = shapely.intersects_xy(inner, *lattice.centres(cells[open_]).T)
    open_ = np.flatnonzero(~kept)
    kept[open_] = shapely.intersects(inner, outlines(lattice.corners(cells[open_])))
    held = np.full(len(points), -1)
    held[counted] = (np.cumsum(kept) - 1)[at]
    cells = cells[kept]
    features = gpd.GeoDataFrame({"code": lattice.codes(cells)}, geometry=outlines(lattice.corners(cells)), crs=crs)
    near = lattice.neighbours(cells, reach_m=reach_m)
    return Units(features, held, near, {"study_area": named, "neighbours": _reach_words(reach_m)}, area)


def grid_units(grids: gpd.GeoDataFrame, points: np.ndarray, *, reach_m: float | None) -> Units:
    """Return the grids with their neighbours: those that touch, or with centroids within `reach_m`."""
    names = [name for name in ("code", "name_zh", "name_en") if name in grids.columns]
    features = grids[[*names, "geometry"]].sort_values("code").reset_index(drop=True)
    shapes = features.geometry.to_numpy()
    held = np.full(len(points), -1)
    # Grids are prepared when they ask for points; points asking for grids would take several times as long.
    grid, point = shapely.STRtree(shapely.points(points)).query(shapes, predicate="intersects")
    # Of the grids that share a border point, the one with the lowest code: written last, it stays.
    order = np.argsort(-grid, kind="stable")
    held[point[order]] = grid[order]
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOUCH_M)
    others = a != b
    n = len(features)
    near = sparse.coo_array((np.ones(int(others.sum())), (a[others], b[others])), shape=(n, n)).tocsr()
    units = Units(features, held, near, {"study_area": "grids", "neighbours": _reach_words(None)})
    return units if reach_m is None else units.within(reach_m)


def grids_in_force(grids: gpd.GeoDataFrame, day: pd.Timestamp | None) -> gpd.GeoDataFrame:
    """Return the versions of grids in force on a day; all of them where none has ever ended.

    A frame without ended versions holds one state of the city, and it is the one to compare, even for older incidents.
    """
    if "valid_to" not in grids.columns or grids["valid_to"].isna().all() or day is None:
        return grids
    ends, starts = (pd.to_datetime(grids[name]).dt.date for name in ("valid_to", "valid_from"))
    current = grids[(starts <= day.date()) & (ends.isna() | (ends > day.date()))]
    if current.empty:
        why = f"no grid was in force on {day.date()}, the last day of the incidents"
        raise InvalidParams("hotspots: no grids", [Problem("no_grid_in_force", why, "unit")])
    return current


def study_area(
    points: np.ndarray, districts: gpd.GeoDataFrame | None, *, margin_m: float = TOUCH_M
) -> tuple[BaseGeometry, str]:
    """Return the area of the districts, or without them the convex hull of the points (m, 2), and which it is.

    The hull is widened by `margin_m`: at least so much that the points on its edge are inside.
    """
    if districts is not None and len(districts):
        return shapely.union_all(districts.geometry.to_numpy()), "districts"
    if len(points) == 0:
        raise InvalidParams("there is no incident with a place, and no district to look in")
    # One line through all points has their hull, and is made ten times faster than as many points.
    hull = shapely.convex_hull(shapely.linestrings(np.concatenate([points, points[:1]])))
    return shapely.buffer(hull, margin_m), "convex_hull_of_incidents"


def ring_edges(areas: np.ndarray) -> np.ndarray:
    """Return the edges (m, 4) of areas, x and y of start and end: exteriors run one way round, holes the other."""
    polygons = shapely.orient_polygons(shapely.get_parts(areas))
    rings, part = shapely.get_coordinates(shapely.get_rings(polygons), return_index=True)
    edges = np.column_stack([rings[:-1], rings[1:]])
    return np.asarray(edges[part[:-1] == part[1:]])


def outlines(corners: np.ndarray) -> np.ndarray:
    """Return polygons (n,) from their corners (n, k, 2); closing the rings here takes half the time."""
    n, k, _ = corners.shape
    closed = np.concatenate([corners, corners[:, :1]], axis=1).reshape(-1, 2)
    ends = np.arange(n + 1) * (k + 1), np.arange(n + 1)
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, closed, ends))


def _positions(cells: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return where each of the wanted cells (k, 2) stands among the cells (n, 2); all of them are there."""
    low = cells.min(axis=0)
    stride = int(cells[:, 1].max() - low[1] + 1)
    key = (cells - low) @ (stride, 1)
    place = np.empty(int(key.max()) + 1, dtype=np.int64)
    place[key] = np.arange(len(cells))
    return np.asarray(place[(wanted - low) @ (stride, 1)])


def _near(centres: np.ndarray, reach_m: float) -> sparse.csr_array:
    pairs = cKDTree(centres).query_pairs(reach_m * (1 + 1e-9), output_type="ndarray")
    a, b = np.concatenate([pairs, pairs[:, ::-1]]).T
    return sparse.coo_array((np.ones(a.size), (a, b)), shape=(len(centres), len(centres))).tocsr()


def _reach_words(reach_m: float | None) -> str:
    return "contiguity" if reach_m is None else f"centres within {reach_m:g} m"
