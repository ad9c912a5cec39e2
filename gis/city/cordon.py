"""Where streets cross the edge of a zone, and so have to be closed for nobody to come in."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gis.city.street_network import StreetNetwork
from gis.kernels.street_graph import Floats, Ints

BESIDE_M = 1.0
"""The cordon stands so far outside of the zone, so that a street along its edge lies within; and a street that is no
longer inside than that between two ends outside only touches it."""


@dataclass(frozen=True, slots=True, eq=False)
class Cordon:
    """The edge of a zone, crossed c times.

    Attributes
    ----------
    points : (c, 2)
        Where to close, in metres.
    segment : (c,)
        Row of the frame of segments, in its order.
    level : (c,)
        Of the street there: 0 on the ground, above it positive, below it negative.
    segments_inside_count
        Segments that lie within the cordon whole.
    streets_inside_m
        Length of all streets within it.
    """

    points: Floats
    segment: Ints
    level: Ints
    segments_inside_count: int
    streets_inside_m: float


def cordon(segments: gpd.GeoDataFrame, network: StreetNetwork, zone: shapely.Geometry) -> Cordon:
    """Return where streets cross the edge of an area, a metre outside of it.

    Between two junctions a street is closed at most twice, each time at the crossing nearest to the end that lies
    outside: whatever of it lies farther in is then closed to everybody outside too, however often it weaves across the
    edge. Every street counts, whoever may use it.

    Parameters
    ----------
    segments
        The frame ``segments``, in metres.
    network
        Of these segments.
    zone
        In metres.
    """
    zone = shapely.buffer(zone, BESIDE_M)
    shapely.prepare(zone)
    lines = segments.geometry.to_numpy()
    near = np.flatnonzero(np.isin(network.edge_segment, np.flatnonzero(shapely.intersects(zone, lines))))
    start, end = np.zeros(len(near)), network.graph.length_m[near]
    pieces = network.pieces(near, start, end)
    start_in, end_in = (shapely.intersects_xy(zone, *network.points(near, at).T) for at in (start, end))
    inside_m = shapely.length(shapely.intersection(pieces, zone))
    met, owner = shapely.get_coordinates(shapely.intersection(pieces, zone.boundary), return_index=True)
    at_m = shapely.line_locate_point(pieces[owner], shapely.points(met))
    # From one end outside and one inside there is a crossing, if only by the last bit of a number.
    first, last = np.where(start_in, start, end), np.where(end_in, end, start)
    np.minimum.at(first, owner, at_m)
    np.maximum.at(last, owner, at_m)
    comes_in = start_in | end_in | (inside_m > BESIDE_M)
    from_start, from_end = comes_in & ~start_in, comes_in & ~end_in
    edge = np.concatenate([near[from_start], near[from_end]])
    points = network.points(edge, np.concatenate([first[from_start], last[from_end]]))
    row = network.edge_segment[edge]
    order = np.lexsort((points[:, 1], points[:, 0], row))
    level = segments["level"].fillna(0).to_numpy(np.int64) if "level" in segments else np.zeros(len(segments), np.int64)
    return Cordon(
        points=points[order],
        segment=row[order],
        level=level[row[order]],
        segments_inside_count=int(shapely.covers(zone, lines).sum()),
        streets_inside_m=float(inside_m.sum()),
    )
