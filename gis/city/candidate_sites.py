"""Places where a post could be: junctions, key units, community centres or points of a lattice, thinned evenly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely

from gis.city.travel import Travel
from gis.contract.result import LeftOut
from gis.errors import InvalidParams, Problem

Candidates = Literal["junctions", "key_units", "communities", "lattice"]
JUNCTION_ENDS = 3
"""Where fewer street ends meet, a street only goes on, or ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Candidates, m of them, every one on a street.

    Attributes
    ----------
    points : (m, 2)
        In metres.
    codes, names_zh, names_en : (m,)
        Of the key unit or community; None where a candidate is no row of a frame.
    found_count
        How many there were before they were thinned.
    left_out
        Rows that are no candidates.
    """

    points: np.ndarray
    codes: np.ndarray
    names_zh: np.ndarray
    names_en: np.ndarray
    found_count: int
    left_out: tuple[LeftOut, ...]


def candidate_sites(
    kind: Candidates,
    most: int,
    trips: Travel,
    frames: Mapping[str, gpd.GeoDataFrame | None],
    *,
    snap_m: float,
    lattice_m: float,
) -> Sites:
    """Return at most `most` candidates, spread as evenly as those there are.

    Junctions are nodes of the streets where three or more ends meet; lattice points stand `lattice_m` apart over the
    streets, from a fixed origin. What lies farther than `snap_m` from every street is no candidate. Of too many the one
    nearest to their middle stays, then always the one farthest from all that stay (Gonzalez 1985, Theoretical Computer
    Science 38, 293-306).

    Raises
    ------
    InvalidParams
        There is no candidate of that kind.
    """
    left_out: tuple[LeftOut, ...] = ()
    if kind in {"junctions", "lattice"}:
        points = _junctions(trips) if kind == "junctions" else _lattice(trips, lattice_m)
        codes = names_zh = names_en = np.full(len(points), None, dtype=object)
    else:
        frame = frames.get(kind)
        if frame is None or frame.empty:
            raise _none(f"the city has no {kind}")
        rows = frame[frame.geometry.notna() & ~frame.geometry.is_empty].sort_values("source_id", kind="stable")
        shapes = rows.geometry.to_numpy()
        points = shapely.get_coordinates(shapely.point_on_surface(shapes))
        codes = texts_of(rows, "code" if kind == "communities" else "source_id")
        names_zh, names_en = texts_of(rows, "name_zh"), texts_of(rows, "name_en")
    on_street = trips.snap(points, snap_m).found
    if kind in {"key_units", "communities"} and not on_street.all():
        left_out = (LeftOut(kind, "too_far_from_street", int((~on_street).sum())),)
    if not on_street.any():
        raise _none(f"none of {len(points)} {kind} lies within {snap_m:g} m of a street")
    kept = np.flatnonzero(on_street)
    kept = kept[spread(points[kept], most)]
    return Sites(
        points[kept], codes[kept], names_zh[kept], names_en[kept], found_count=int(on_street.sum()), left_out=left_out
    )


def spread(points: np.ndarray, most: int) -> np.ndarray:
    """Return which of some points (k, 2) stay when `most` of them may, in ascending order.

    Examples
    --------
    >>> spread(np.array([[0.0, 0], [1, 0], [5, 0], [9, 0], [10, 0]]), 3).tolist()
    [0, 2, 4]
    """
    if len(points) <= most:
        return np.arange(len(points))
    kept = np.empty(most, np.int64)
    away = np.hypot(*(points - points.mean(axis=0)).T)
    kept[0] = np.argmin(away)
    away = np.full(len(points), np.inf)
    for i in range(1, most):
        away = np.minimum(away, np.hypot(*(points - points[kept[i - 1]]).T))
        kept[i] = np.argmax(away)
    return np.sort(kept)


def _junctions(trips: Travel) -> np.ndarray:
    """Return the places (k, 2) where three or more ends of usable streets meet, from west to east."""
    inside = trips.streets.inside
    ends = trips.streets.network.graph.ends[inside.edge]
    corners = np.stack([shapely.get_coordinates(shapely.get_point(inside.lines, at)) for at in (0, -1)], axis=1)
    _, first, count = np.unique(ends.ravel(), return_index=True, return_counts=True)
    points = corners.reshape(-1, 2)[first[count >= JUNCTION_ENDS]]
    return points[np.lexsort((points[:, 1], points[:, 0]))]


def _lattice(trips: Travel, step_m: float) -> np.ndarray:
    """Return the points (k, 2) of a square lattice over the usable streets."""
    west, south, east, north = shapely.total_bounds(trips.streets.inside.lines)
    x, y = (
        np.arange(np.ceil(low / step_m), np.floor(high / step_m) + 1) for low, high in ((west, east), (south, north))
    )
    return np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2) * step_m


def texts_of(rows: gpd.GeoDataFrame, name: str) -> np.ndarray:
    """Return a column as objects (n,), None where it is empty or not there."""
    if name not in rows.columns:
        return np.full(len(rows), None, dtype=object)
    values = rows[name].astype(object)
    return np.asarray(values.where(values.notna(), None).to_numpy(dtype=object))


def _none(why: str) -> InvalidParams:
    return InvalidParams("there are no candidates for a post", [Problem("no_candidates", why, "candidates")])
