"""Where and when a scan looks: circles around each centre, and spans of time steps; together, cylinders.

Reference: Kulldorff (1997), Communications in Statistics - Theory and Methods 26(6), 1481-1496.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_MEMBERS = 60_000_000
"""Places summed over all circles' centres: four bytes each."""
_LEVEL = 1e-9
"""Distances that differ by less than this share of the study area's size are equal: lattices have many, and where the
origin of coordinates lies must not tell them apart."""


@dataclass(frozen=True, slots=True)
class Zones:
    """Circles as beginnings of one list a centre: its places, nearest first.

    Attributes
    ----------
    centres : (n, 2)
        Where the places are; every place is a centre, too.
    members : (m,)
        Places in order of distance, centre after centre.
    offsets : (n + 1,)
        Where the list of each centre begins in `members`.
    closed : (m,)
        Whether a circle ends here: not between two places at the same distance.
    """

    centres: Floats
    members: NDArray[np.int32]
    offsets: Ints
    closed: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many circles there are; one place may be the centre of many."""
        return int(np.count_nonzero(self.closed))

    def places(self, centre: int, end: int) -> Ints:
        """Return the places of the circle around `centre` whose last one stands at `end` in `members`."""
        return self.members[self.offsets[centre] : end + 1].astype(np.int64)

    def radius(self, centre: int, end: int) -> float:
        """Return the distance from `centre` to the furthest place of that circle."""
        return float(np.hypot(*(self.centres[self.members[end]] - self.centres[centre])))


@dataclass(frozen=True, slots=True)
class Windows:
    """Spans ``[starts, ends)`` of time steps, both (w,)."""

    starts: Ints
    ends: Ints

    @property
    def count(self) -> int:
        """How many spans there are."""
        return self.starts.size


def circular_zones(
    centres: NDArray[np.generic], weights: NDArray[np.generic], *, share: float = 0.5, radius: float | None = None
) -> Zones:
    """Return the circles around each centre that hold at most a share of all weight.

    Parameters
    ----------
    centres : (n, 2)
        One point a place, in metres or any other unit of the plane.
    weights : (n,), not negative
        People at each place, or cases where people are not known.
    share
        A circle grows until it would hold more than this share of the weight. Places at the same distance enter it
        together, or not at all.
    radius
        No circle is larger than this, in the unit of `centres`.

    Examples
    --------
    >>> zones = circular_zones(np.array([[0, 0], [1, 0], [2, 0], [9, 0]]), np.ones(4))
    >>> [zones.places(1, end).tolist() for end in range(*zones.offsets[1:3]) if zones.closed[end]]
    [[1]]
    >>> [zones.places(3, end).tolist() for end in range(*zones.offsets[3:5]) if zones.closed[end]]
    [[3], [3, 2]]
    """
    points, weight = np.asarray(centres, dtype=float), np.asarray(weights, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or weight.shape != points.shape[:1]:  # noqa: PLR2004
        raise InvalidInput("centres must be (n, 2) and weights (n,)")
    if not (np.isfinite(points).all() and np.isfinite(weight).all() and (weight >= 0).all()):
        raise InvalidInput("centres and weights must be finite, and no weight negative")
    if not (0 < share <= 1 and (radius is None or radius > 0)):
        raise InvalidInput("share must lie in (0, 1] and radius above 0")
    middle = points - points.mean(axis=0) if len(points) else points
    slack = _LEVEL * float(np.abs(middle).max(initial=0.0))
    most = weight.sum() * share * (1 + _LEVEL)
    reach = np.inf if radius is None else radius + slack
    sizes = _sizes(middle, weight, most, reach, slack)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    if offsets[-1] > MOST_MEMBERS:
        raise InvalidInput(
            f"the circles around {len(points):,} places hold {offsets[-1]:,} places in all, at most {MOST_MEMBERS:,} "
            "are computed; take a smaller share, a radius, or fewer places"
        )
    members, closed = _members(middle, offsets, slack)
    return Zones(points, members, offsets, closed)


def prospective(steps: int, longest: int) -> Windows:
    """Return the spans of 1 to `longest` steps that reach to the end of the period, shortest first.

    Examples
    --------
    >>> prospective(8, 3).starts.tolist()
    [7, 6, 5]
    """
    longest = _allowed(steps, longest)
    return Windows(steps - np.arange(1, longest + 1), np.full(longest, steps))


def retrospective(steps: int, longest: int) -> Windows:
    """Return all spans of 1 to `longest` steps within the period, shortest first.

    Examples
    --------
    >>> retrospective(32, 16).count
    392
    """
    lengths = np.arange(1, _allowed(steps, longest) + 1)
    starts = np.concatenate([np.arange(steps - length + 1) for length in lengths])
    return Windows(starts, starts + np.repeat(lengths, steps - lengths + 1))


def _allowed(steps: int, longest: int) -> int:
    if not 1 <= longest <= steps:
        raise InvalidInput(f"the longest span must be 1 to {steps} steps, the whole period")
    return longest


@njit(cache=True, nogil=True)
def _by_distance(points, centre):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the distances (n,) from a centre, and the places in their order, itself first."""
    distance = np.hypot(points[:, 0] - points[centre, 0], points[:, 1] - points[centre, 1])
    distance[centre] = -1.0
    order = np.argsort(distance, kind="mergesort")
    distance[centre] = 0.0
    return distance, order


@njit(cache=True, nogil=True)
def _sizes(points, weight, most, reach, slack):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return how many places (n,) the largest allowed circle around each centre holds."""
    n = points.shape[0]
    sizes = np.zeros(n, np.int64)
    for centre in range(n):
        distance, order = _by_distance(points, centre)
        held = 0.0
        i = 0
        while i < n:
            # All places at one distance, from each to the next no further than rounding.
            j = i
            while j < n and (j == i or distance[order[j]] - distance[order[j - 1]] <= slack):
                held += weight[order[j]]
                j += 1
            if held > most or distance[order[j - 1]] > reach:
                break
            i = j
        sizes[centre] = i
    return sizes


@njit(cache=True, nogil=True)
def _members(points, offsets, slack):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    members = np.empty(offsets[-1], np.int32)
    closed = np.ones(offsets[-1], np.bool_)
    for centre in range(points.shape[0]):
        distance, order = _by_distance(points, centre)
        begin = offsets[centre]
        for i in range(offsets[centre + 1] - begin):
            members[begin + i] = order[i]
            if i > 0 and distance[order[i]] - distance[order[i - 1]] <= slack:
                closed[begin + i - 1] = False
    return members, closed
