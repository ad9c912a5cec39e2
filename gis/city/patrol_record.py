"""What patrol runs say: which pieces of street were passed and when, where units halted, and how long places waited."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gis.city.street_network import street_network
from gis.kernels.street_graph import lixels
from gis.kernels.waits import Waits, waits

PIECE_M = 50.0
"""Streets are looked at in pieces so long: whoever only crosses a street passes the middle of none."""


@dataclass(frozen=True, slots=True, eq=False)
class Passes:
    """Pieces of street that runs passed.

    Attributes
    ----------
    segment, length_m : (p,)
        Row of the streets and length of each piece.
    piece, run, at_s : (k,)
        A pass each: which piece, by which run, and when, in seconds since 1970.
    piece_m
        How long pieces are, the last of a street shorter.
    """

    segment: np.ndarray
    length_m: np.ndarray
    piece: np.ndarray
    run: np.ndarray
    at_s: np.ndarray
    piece_m: float = PIECE_M


@dataclass(frozen=True, slots=True, eq=False)
class Halts:
    """Where units stood.

    Attributes
    ----------
    points : (h, 2)
        In metres.
    run, unit : (h,)
        Row of the runs, and a number of the unit.
    from_s, stayed_min : (h,)
        When it began, in seconds since 1970, and how long it was.
    """

    points: np.ndarray
    run: np.ndarray
    unit: np.ndarray
    from_s: np.ndarray
    stayed_min: np.ndarray

    def __len__(self) -> int:
        """Return how many halts."""
        return len(self.run)

    def near(self, points: np.ndarray, within_m: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs of a place (m, 2) and a halt within a distance of it, by place, then by time."""
        if not len(self) or not len(points):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        pairs = cKDTree(points).query_ball_tree(cKDTree(self.points), within_m)
        place = np.repeat(np.arange(len(points)), [len(found) for found in pairs])
        halt = np.array([one for found in pairs for one in found], dtype=np.int64)
        order = np.lexsort((self.from_s[halt], place))
        return place[order], halt[order]


def passes_of(runs: gpd.GeoDataFrame, streets: gpd.GeoDataFrame, *, match_m: float) -> Passes:
    """Return which pieces of the streets the runs passed, and when; frames in metres.

    A run passes a piece when its line comes within `match_m` of the middle of the piece. Along its line it went evenly
    from its first instant to its last.
    """
    network = street_network(streets)
    pieces = lixels(network.graph.length_m, PIECE_M)
    line = network.line[pieces.edge]
    middle_m = network.from_m[pieces.edge] + (pieces.lower_m + pieces.upper_m) / 2
    middles = shapely.line_interpolate_point(network.lines[line], middle_m)
    shapes = runs.geometry.to_numpy()
    moving = np.flatnonzero(shapely.get_dimensions(shapes) == 1)
    piece, near = shapely.STRtree(shapes[moving]).query(middles, predicate="dwithin", distance=match_m)
    run = moving[near]
    share = shapely.line_locate_point(shapes[run], middles[piece], normalized=True)
    begin, end = _seconds(runs["started_at"]), _seconds(runs["ended_at"])
    at_s = begin[run] + share * (end - begin)[run]
    return Passes(network.edge_segment[pieces.edge], pieces.length_m, piece, run, at_s)


def halts_of(runs: gpd.GeoDataFrame) -> Halts:
    """Return the rows that are points: halts."""
    shapes = runs.geometry.to_numpy()
    rows = np.flatnonzero(shapely.get_dimensions(shapes) == 0)
    begin, end = _seconds(runs["started_at"])[rows], _seconds(runs["ended_at"])[rows]
    unit = pd.factorize(runs["unit_label"])[0][rows]
    points = shapely.get_coordinates(shapely.centroid(shapes[rows]))
    return Halts(points, rows, unit, begin, (end - begin) / 60)


def visits(
    place: np.ndarray,
    at_s: np.ndarray,
    unit: np.ndarray,
    *,
    count: int,
    period: tuple[pd.Timestamp, pd.Timestamp],
    merge_s: float,
) -> Waits:
    """Return how often and how long apart places (k,) of `count` were visited within a period, whoever came."""
    begin_s, end_s = (at.timestamp() for at in period)
    inside = (at_s >= begin_s) & (at_s <= end_s)
    return waits(place[inside], at_s[inside], unit[inside], count, (begin_s, end_s), merge_s=merge_s)


def _seconds(times: pd.Series) -> np.ndarray:
    utc = times.dt.tz_convert("UTC").dt.tz_localize(None)
    return np.asarray(utc.to_numpy("datetime64[us]").astype(np.int64) / 1e6)
