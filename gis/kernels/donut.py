"""Moving points so that nobody can tell where they were: each onto a ring of its own, always to the same place.

A donut mask after Hampton et al. (2010), American Journal of Epidemiology 172(9), 1062-1069: never nearer than an inner
radius, never further than an outer one, both wide where few households are. The draw is a keyed function of the place,
so that any number of files show the same point, and an average over them is that point and not the true one.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INNER_HOUSEHOLDS: Final = 40
"""So many households live within the inner radius, and"""
OUTER_HOUSEHOLDS: Final = 400
"""so many within the outer one."""
INNER_SHARE: Final = (INNER_HOUSEHOLDS / OUTER_HOUSEHOLDS) ** 0.5
"""The inner radius as a share of the outer one: it follows from the two numbers, whatever the density."""
LEAST_OUTER_M: Final = 100.0
STEPS: Final = 8
"""Outer radii are 100 m times a power of the square root of 2, up to 1,600 m: a change in the number of households
mostly leaves the ring as it is, and a ring that does change is drawn on anew."""
NEAREST_BLOCKS: Final = 8
_SAME_M: Final = 1e-6


def rings(density_per_m2: Floats) -> Ints:
    """Return the step (n,) of the ring for households per square metre (n,): the next one that is wide enough."""
    with np.errstate(divide="ignore"):
        wanted_m = np.sqrt(OUTER_HOUSEHOLDS / (np.pi * density_per_m2))
        steps = np.ceil(2 * np.log2(wanted_m / LEAST_OUTER_M) - 1e-9)
    return np.clip(steps, 0, STEPS).astype(np.int64)


def radii(steps: Ints) -> tuple[Floats, Floats]:
    """Return inner and outer radius (n,) in metres of the rings of `steps` (n,)."""
    outer_m = LEAST_OUTER_M * 2.0 ** (steps / 2)
    return outer_m * INNER_SHARE, outer_m


def density(points: Floats, centres: Floats, households: Floats, areas_m2: Floats) -> Floats:
    """Return households per square metre around points.

    Parameters
    ----------
    points : (n, 2) metres
    centres : (b, 2) metres
        Of blocks, at least one.
    households, areas_m2 : (b,)

    Returns
    -------
    (n,): those of the eight nearest blocks together over their area.
    """
    nearest = cKDTree(centres).query(points, k=min(NEAREST_BLOCKS, len(centres)))[1].reshape(len(points), -1)
    found: Floats = households[nearest].sum(axis=1) / areas_m2[nearest].sum(axis=1)
    return found


def draws(places: Ints, steps: Ints, *, secret: bytes, attempt: int) -> Floats:
    """Return two numbers from 0 to 1 a place, that nobody without the secret can tell.

    Parameters
    ----------
    places : (n, 2)
        Coordinates as whole numbers: the same place, the same draw.
    steps : (n,)
        Of the ring: one of another width is drawn on anew, else the two would point at the middle.
    attempt
        Another number, another draw.

    Returns
    -------
    (n, 2), uniform in [0, 1).
    """
    rows = np.column_stack([places, steps, np.full(len(places), attempt, dtype=np.int64)]).astype("<i8")
    texts = rows.tobytes()
    size = rows.shape[1] * 8
    found = b"".join(
        hmac.digest(secret, texts[at : at + size], hashlib.sha256)[:16] for at in range(0, len(texts), size)
    )
    drawn: Floats = (np.frombuffer(found, dtype="<u8").reshape(-1, 2) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn


def moved(points: Floats, steps: Ints, drawn: Floats) -> Floats:
    """Return points (n, 2), each moved to where two draws (n, 2) put it on its ring, uniform over the ring's area."""
    inner_m, outer_m = radii(steps)
    away_m = np.sqrt(inner_m**2 + drawn[:, 1] * (outer_m**2 - inner_m**2))
    angle = 2 * np.pi * drawn[:, 0]
    found: Floats = points + away_m[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return found


def own_nearest_share(original: Floats, masked: Floats) -> float:
    """Return the share of masked points (n, 2) whose nearest original (n, 2) is their own: Spruill's measure.

    Spruill (1983), Proceedings of the Section on Survey Research Methods, American Statistical Association, 602-607,
    for points. Originals at one place count as one. NaN without points.
    """
    if not len(original):
        return float("nan")
    nearest_m = cKDTree(original).query(masked)[0]
    own_m = np.hypot(*(masked - original).T)
    return float((own_m <= nearest_m + _SAME_M).mean())
