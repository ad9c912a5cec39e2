"""How far neighbours reach, where nobody says it: the distance at which places cluster most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.kernels.global_autocorrelation import first_peak, moran_by_distance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRIED = 10
"""Distances tried."""
FEWEST, MOST = 8, 30
"""Neighbours on average, where no distance stands out: 5 % of the places within these limits."""


@dataclass(frozen=True, slots=True)
class NeighbourDistance:
    """A distance, what set it, and the profile behind it.

    Attributes
    ----------
    why
        ``autocorrelation_peak``: z of Moran's I first stops rising there, at 1.96 or more. ``nearest_places``: there is
        no such distance, and this one holds about 5 % of the places, 8 to 30 of them.
    distances, z : (d,)
        What was tried, and z of Moran's I at each.
    """

    reach_m: float
    why: Literal["autocorrelation_peak", "nearest_places"]
    distances: Floats
    z: Floats


def neighbour_distance(centres: Floats, values: Ints | Floats, *, cell_m: float | None = None) -> NeighbourDistance:
    """Return the distance within which places are best called neighbours.

    Parameters
    ----------
    centres : (n, 2)
    values : (n,)
        What clusters.
    cell_m
        Size of a lattice cell: distances of 1.5, 2.5, ... cells are tried. For other places they start at the mean
        distance to the eighth nearest, and grow by the mean distance to the nearest.
    """
    tree, n = cKDTree(centres), len(centres)
    wanted = int(np.clip(np.ceil(0.05 * n), FEWEST, MOST))
    away = tree.query(centres, k=min(wanted + 1, n))[0][:, 1:]
    step = cell_m if cell_m is not None else float(away[:, 0].mean())
    start = 1.5 * cell_m if cell_m is not None else float(away[:, min(FEWEST, n - 1) - 1].mean())
    distances = start + step * np.arange(TRIED, dtype=np.float64)
    z = moran_by_distance(values, centres, distances)
    peak = first_peak(z)
    if peak is None:
        return NeighbourDistance(float(away[:, -1].mean()), "nearest_places", distances, z)
    return NeighbourDistance(float(distances[peak]), "autocorrelation_peak", distances, z)
