"""How large a cell of analysis should be, from how close incidents lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

MOST_CELLS = 10_000
FEWEST_CELLS = 100
_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Leading digits of a size that a person would choose."""
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class CellSize:
    """A side in metres, what set it, and the mean distance from one distinct place of incidents to the next.

    Attributes
    ----------
    why
        ``nearest_places``: twice that distance. ``most_cells``, ``fewest_cells``: the limits of the number of cells.
    nearest_m
        nan where there are less than two distinct places.
    """

    size_m: float
    why: Literal["nearest_places", "most_cells", "fewest_cells"]
    nearest_m: float


def cell_size(points: Floats, area_m2: float) -> CellSize:
    """Return a cell size for incidents at points (n, 2) of an area.

    Twice the mean distance from a distinct place (to the metre) to the nearest other: points strewn evenly would then
    leave one place a cell. At least so large that `MOST_CELLS` cover the area, at most so large that `FEWEST_CELLS`
    do; then the next larger of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(40) * 130.0, np.arange(40) * 130.0)
    >>> cell_size(np.column_stack([x.ravel(), y.ravel()]), 5_200.0**2)
    CellSize(size_m=300.0, why='nearest_places', nearest_m=130.0)
    """
    places = np.unique(np.rint(points), axis=0)
    nearest = float(cKDTree(places).query(places, k=2)[0][:, 1].mean()) if len(places) > 1 else np.nan
    least, most = (area_m2 / MOST_CELLS) ** 0.5, (area_m2 / FEWEST_CELLS) ** 0.5
    if not 2 * nearest <= most:
        return CellSize(nice_above(most), "fewest_cells", nearest)
    if 2 * nearest < least:
        return CellSize(nice_above(least), "most_cells", nearest)
    return CellSize(nice_above(2 * nearest), "nearest_places", nearest)


def nice_above(size: float) -> float:
    """Return the smallest size not below `size` that a person would choose.

    Examples
    --------
    >>> [nice_above(size) for size in (90.4, 100, 130, 161, 7.9, 1001)]
    [100.0, 100.0, 150.0, 200.0, 8.0, 1500.0]
    """
    power = 10.0 ** np.floor(np.log10(size) + _ROUNDING)
    digit = next((digit for digit in _NICE if digit * power >= size * (1 - _ROUNDING)), 10.0)
    return float(digit * power)
