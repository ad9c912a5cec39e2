"""Points of a city moved before they leave the house: each on a ring as wide as few households are, within its area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import LONLAT
from gis.kernels import donut

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ATTEMPTS: Final = 64
"""Draws for a point until one lies within its area; who has none of them is better left out than put elsewhere."""
_PER_DEGREE: Final = 10_000_000
"""Places closer than a centimetre are one place."""


@dataclass(frozen=True, slots=True)
class Masking:
    """How places were moved, in words and numbers for whoever reads the file.

    Attributes
    ----------
    moved_count
        Places that were moved.
    withheld_count
        Places that are left out, because their area is smaller than their ring.
    inner_m, outer_m
        Least and greatest radius of the rings in metres; None where nothing was moved.
    own_nearest_share
        Of the moved places those whose nearest original is their own (Spruill's measure); None where none was moved.
    """

    moved_count: int
    withheld_count: int
    inner_m: tuple[float, float] | None
    outer_m: tuple[float, float] | None
    own_nearest_share: float | None

    @property
    def text(self) -> str:
        """One sentence for the file itself."""
        if self.inner_m is None or self.outer_m is None or self.own_nearest_share is None:
            return f"places masked (donut): none moved, {self.withheld_count} withheld"
        return (
            f"places masked (donut): {self.moved_count} moved by at least {_span(self.inner_m)} m and at most "
            f"{_span(self.outer_m)} m, within their area; {self.withheld_count} withheld; "
            f"nearest original is their own for {100 * self.own_nearest_share:.1f} % (Spruill)"
        )

    @property
    def header(self) -> str:
        """The same as one field of HTTP (RFC 8941)."""
        words = f"donut;moved={self.moved_count};withheld={self.withheld_count}"
        if self.inner_m is None or self.outer_m is None or self.own_nearest_share is None:
            return words
        radii = f'inner-m="{_span(self.inner_m)}";outer-m="{_span(self.outer_m)}"'
        return f"{words};{radii};own-nearest-share={self.own_nearest_share:.4f}"


def mask(
    places: gpd.GeoSeries,
    *,
    blocks: gpd.GeoDataFrame,
    levels: Sequence[gpd.GeoDataFrame],
    secret: bytes,
    metric_crs: str,
) -> tuple[gpd.GeoSeries, Masking]:
    """Return points (n,), each moved, and what was done; the same place always comes to the same point.

    Parameters
    ----------
    places : (n,) points in EPSG:4326
        None where a row has no place; it has none afterwards.
    blocks
        With ``households_count``: the fewer there are around a place, the further it is moved. Without any block every
        place is moved as in the emptiest country.
    levels
        Areas of the city, the smallest first. A moved place stays in the first area that it was in, so that nobody who
        sees that area alone finds places of another one, or misses one of its own.
    secret
        Without it no draw can be told.

    Returns
    -------
    The moved points, None where there is none; and how they were moved.
    """
    there = np.flatnonzero(places.notna().to_numpy())
    lonlat = shapely.get_coordinates(places.to_numpy()[there])
    points = shapely.get_coordinates(places.iloc[there].to_crs(metric_crs).to_numpy())
    steps = _steps(points, blocks.to_crs(metric_crs))
    areas, area_of = _areas(points, [level.to_crs(metric_crs) for level in levels])
    keys = np.rint(lonlat * _PER_DEGREE).astype(np.int64)
    found = np.full_like(points, np.nan)
    waiting = np.arange(len(points))
    for attempt in range(ATTEMPTS):
        drawn = donut.draws(keys[waiting], steps[waiting], secret=secret, attempt=attempt)
        tried = donut.moved(points[waiting], steps[waiting], drawn)
        good = _inside(tried, areas, area_of[waiting])
        found[waiting[good]] = tried[good]
        waiting = waiting[~good]
        if not waiting.size:
            break
    moved = ~np.isnan(found[:, 0])
    masked = np.full(len(places), None, dtype=object)
    back = gpd.GeoSeries(gpd.points_from_xy(*found[moved].T), crs=metric_crs).to_crs(LONLAT)
    masked[there[moved]] = back.to_numpy()
    report = _report(points[moved], found[moved], steps[moved], withheld_count=int((~moved).sum()))
    return gpd.GeoSeries(masked, index=places.index, crs=LONLAT), report


def _report(points: Floats, found: Floats, steps: Ints, *, withheld_count: int) -> Masking:
    if not len(points):
        return Masking(0, withheld_count, None, None, None)
    inner, outer = donut.radii(steps)
    return Masking(
        len(points),
        withheld_count,
        (float(inner.min()), float(inner.max())),
        (float(outer.min()), float(outer.max())),
        donut.own_nearest_share(points, found),
    )


def _steps(points: Floats, blocks: gpd.GeoDataFrame) -> Ints:
    """Return the step (n,) of the ring around each point."""
    if blocks.empty or not len(points):
        return np.full(len(points), donut.STEPS, dtype=np.int64)
    shapes = blocks.geometry.to_numpy()
    centres = shapely.get_coordinates(shapely.centroid(shapes))
    households = blocks["households_count"].to_numpy(dtype=float, na_value=0.0)
    return donut.rings(donut.density(points, centres, households, shapely.area(shapes)))


def _areas(points: Floats, levels: Sequence[gpd.GeoDataFrame]) -> tuple[NDArray[np.object_], Ints]:
    """Return all areas (a,), and for each point (n,) the number of the smallest that covers it, -1 where none does."""
    areas = np.concatenate([np.array([], dtype=object), *(level.geometry.to_numpy() for level in levels)])
    shapely.prepare(areas)
    found = np.full(len(points), -1, dtype=np.int64)
    if len(areas) and len(points):
        # The areas stand in order of their levels, so that the least number is the one of the smallest area.
        at, area = shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")
        order = np.lexsort((area, at))
        first, where = np.unique(at[order], return_index=True)
        found[first] = area[order][where]
    return areas, found


def _inside(tried: Floats, areas: NDArray[np.object_], area_of: Ints) -> NDArray[np.bool_]:
    """Return which points (n,) lie in their area; those of no area lie well anywhere."""
    good = area_of < 0
    bound = np.flatnonzero(~good)
    if bound.size:
        good[bound] = shapely.intersects_xy(areas[area_of[bound]], tried[bound])
    return good


def _span(radii: tuple[float, float]) -> str:
    least, most = radii
    return f"{least:.0f}" if round(least) == round(most) else f"{least:.0f}-{most:.0f}"
