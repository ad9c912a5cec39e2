"""Which Chinese system is this layer really in? Asked of points whose system is known.

The reference is shifted by each assumption and held against the borders of the layer: under the right one it lies on
them. Three of five public boundary sets that read as EPSG:4326 are GCJ-02.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs.shift import Floats, wgs84_to_bd09, wgs84_to_gcj02

Assumption = Literal["wgs84", "gcj02", "bd09"]
Verdict = Literal["wgs84", "gcj02", "bd09", "undecided"]

LEAST_REFERENCE = 50
CLOSE_M = 100.0
CLEARLY = 3.0
_MARGIN_M = 5000.0
_A, _E2 = 6378137.0, 0.0066943799901413165  # WGS84


@dataclass(frozen=True, slots=True)
class Detection:
    """What the detector found.

    Attributes
    ----------
    verdict
        The system that the layer fits, or ``undecided``: then a person must say.
    medians_m
        Median distance of the reference to the layer under each assumption, in metres; empty when there was nothing to
        compare.
    clearness
        How many times as far the runner-up is.
    reference_count
        Reference points used.
    reason
        One sentence for a person.
    """

    verdict: Verdict
    medians_m: Mapping[Assumption, float]
    clearness: float
    reference_count: int
    reason: str


def detect(
    reference_lonlat: Floats,
    layer: NDArray[np.object_],
    *,
    close_m: float = CLOSE_M,
    clearly: float = CLEARLY,
) -> Detection:
    """Tell in which system a layer's coordinates are.

    Parameters
    ----------
    reference_lonlat : (m, 2)
        Points known to be WGS84 that lie on what the layer draws (vertices of the same border, nodes of the same
        streets); at least 50.
    layer : (n,) geometries
        The layer as it reads, in degrees. Areas count with their borders.
    close_m, clearly
        Accepted when the best median is at most `close_m` and the runner-up at least `clearly` times as far.
    """
    points = np.asarray(reference_lonlat, dtype=float)
    if len(points) < LEAST_REFERENCE:
        reason = f"only {len(points)} reference points, {LEAST_REFERENCE} are needed"
        return Detection("undecided", MappingProxyType({}), 1.0, len(points), reason)
    local = _Local(points)
    tree = shapely.STRtree(local.pieces(layer))
    if not len(tree.geometries):
        reason = "the layer has nothing near the reference points"
        return Detection("undecided", MappingProxyType({}), 1.0, len(points), reason)
    shifted: dict[Assumption, Floats] = {
        "wgs84": points,
        "gcj02": wgs84_to_gcj02(points),
        "bd09": wgs84_to_bd09(points),
    }
    medians = {name: _median_distance(tree, local.metres(place)) for name, place in shifted.items()}
    (best, nearest), (second, runner_up), _ = sorted(medians.items(), key=lambda item: item[1])
    clearness = runner_up / nearest if nearest > 0 else np.inf
    accepted = nearest <= close_m and clearness >= clearly
    reason = (
        f"{'fits' if accepted else 'would fit'} {best} best: the reference is {nearest:.0f} m away in the median, "
        f"{runner_up:.0f} m under {second}"
    )
    if not accepted:
        reason += f"; needed are at most {close_m:.0f} m and {clearly:g} times as far"
    return Detection(
        best if accepted else "undecided", MappingProxyType(medians), float(clearness), len(points), reason
    )


class _Local:
    """Degrees to metres around the reference: true enough over one city."""

    def __init__(self, lonlat: Floats) -> None:
        self.origin = np.median(lonlat, axis=0)
        phi = np.radians(self.origin[1])
        m = 1 - _E2 * np.sin(phi) ** 2
        across, along = _A / np.sqrt(m) * np.cos(phi), _A * (1 - _E2) / m**1.5
        self.scale = np.radians([across, along])
        margin = _MARGIN_M / self.scale
        self.box = shapely.box(*(lonlat.min(axis=0) - margin), *(lonlat.max(axis=0) + margin))

    def metres(self, lonlat: Floats) -> Floats:
        """Return metres east and north (n, 2) of the origin."""
        return np.asarray((lonlat - self.origin) * self.scale)

    def pieces(self, layer: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the layer near the reference as single edges and points, in metres."""
        layer = np.asarray(layer, dtype=object)
        layer = layer[shapely.intersects(shapely.envelope(layer), self.box)]
        areas = np.isin(shapely.get_type_id(layer), (3, 6))
        lines = shapely.get_parts(np.concatenate([shapely.boundary(layer[areas]), layer[~areas]]))
        single = shapely.get_parts(lines[shapely.get_type_id(lines) == 0])
        edges = self._edges(lines[shapely.get_type_id(lines) != 0])
        pieces = np.concatenate([edges, single])
        near = pieces[shapely.intersects(shapely.envelope(pieces), self.box)]
        return np.asarray(shapely.transform(near, self.metres), dtype=object)

    @staticmethod
    def _edges(lines: NDArray[np.object_]) -> NDArray[np.object_]:
        points, owner = shapely.get_coordinates(lines, return_index=True)
        joined = owner[1:] == owner[:-1]
        ends = np.stack([points[:-1], points[1:]], axis=1)[joined]
        return np.asarray(shapely.linestrings(ends), dtype=object)


def _median_distance(tree: shapely.STRtree, metres: Floats) -> float:
    (asked, _), distance = tree.query_nearest(shapely.points(metres), return_distance=True, all_matches=False)
    return float(np.median(distance[np.argsort(asked)]))
