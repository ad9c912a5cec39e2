"""How few places hold how much: the curve of concentration, Gini's coefficient, and what chance alone would give.

References: Weisburd (2015), Criminology 53(2); Bernasco and Steenbeek (2017), Journal of Quantitative Criminology
33(3), for the generalised coefficient; Levin, Rosenfeld and Deckard (2017) and Chalfin, Kaplan and Cuellar (2021) for
the comparison with incidents placed at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DENSE = 8
"""Up to so many places an incident, drawn places are counted in a table; beyond it they are sorted."""


@dataclass(frozen=True, slots=True)
class ByChance:
    """What chance alone would show, as means over draws.

    Attributes
    ----------
    curve : (k,)
        Share of the incidents held by the first share of places, one for each that was asked for.
    holding : (h,)
        Share of places that hold each share of the incidents asked for.
    gini
        Of the counts.
    """

    curve: Floats
    holding: Floats
    gini: float


def held_by_first(counts: Ints) -> Floats:
    """Return the share of incidents (n,) held by the first 1, 2, ... places, the busiest first.

    Examples
    --------
    >>> held_by_first(np.array([1, 6, 3])).tolist()
    [0.6, 0.9, 1.0]
    """
    return np.asarray(np.cumsum(-np.sort(-counts)) / counts.sum())


def places_holding(held: Floats, share: float) -> int:
    """Return how many of the busiest places hold at least a share of all incidents.

    Examples
    --------
    >>> places_holding(np.array([0.6, 0.9, 1.0]), 0.8)
    2
    """
    # A sum of shares may miss the share itself by its last digit.
    return int(np.searchsorted(held, share - 1e-12)) + 1


def gini(counts: Ints) -> float:
    """Return Gini's coefficient: 0 when all places hold the same, 1 - 1/n when one of n holds all.

    Examples
    --------
    >>> round(gini(np.array([10, 8, 2, 0, 0, 0, 0, 0, 0, 0])), 12)
    0.78
    """
    n = counts.size
    rank = np.arange(1, n + 1)
    return float((2 * rank - n - 1) @ np.sort(counts)) / (n * float(counts.sum()))


def generalised_gini(counts: Ints) -> float:
    """Return the coefficient against the most even spread that is possible (Bernasco and Steenbeek 2017).

    With fewer incidents than places not every place can have one; 0 then means no place has two. Otherwise it is
    Gini's.

    Examples
    --------
    >>> round(generalised_gini(np.array([5, 2, 1, 0, 0, 0, 0, 0, 0, 0])), 12)
    0.75
    """
    return max(1.0, counts.size / float(counts.sum())) * (gini(counts) - 1.0) + 1.0


def unseen_places(incidents: int, places: int) -> float:
    """Return how many equally likely places there would be, when only those with an incident are seen.

    Counts at equally likely places are all but Poisson; seen only where they are not 0, their mean is
    ``m / (1 - exp(-m))``. That mean is known, hence m, hence all places. Infinite when no place has two incidents.

    Examples
    --------
    >>> round(unseen_places(2_000, 1_264), -1)
    2000.0
    """
    seen = incidents / places
    if seen <= 1:
        return np.inf
    mean = brentq(lambda m: m / -np.expm1(-m) - seen, 1e-12, seen)
    return float(incidents / mean)


def by_chance(
    incidents: int,
    places: float,
    first: Floats,
    holding: Floats,
    *,
    size: Floats | None = None,
    only_seen: bool = False,
    draws: int,
    seed: int,
) -> ByChance:
    """Place incidents at random, and return what the same numbers would be.

    Parameters
    ----------
    places
        All there are; with `only_seen` the numbers are those of the places with an incident.
    size : (places,)
        An incident is as much likelier in a place as this is larger; when not given, all places are alike.
    first : (k,)
        Shares of places, of which the curve is wanted.
    holding : (h,)
        Shares of incidents, for which the share of places is wanted.
    """
    rng = np.random.default_rng(seed)
    curve, shares, coefficient = np.zeros(first.size), np.zeros(holding.size), 0.0
    for _ in range(draws):
        counts = _drawn(rng, incidents, places, size)
        # Counts are small: how often each occurs orders them faster than sorting would.
        times = np.bincount(counts)
        times[0] = 0 if only_seen else int(places) - int(times[1:].sum())
        counts = np.repeat(np.arange(times.size)[::-1], times[::-1])
        held = np.cumsum(counts) / incidents
        curve += held[np.clip(np.ceil(first * counts.size - 1e-9).astype(np.int64), 1, counts.size) - 1]
        shares += [places_holding(held, share) / counts.size for share in holding]
        coefficient += gini(counts)
    return ByChance(curve / draws, shares / draws, coefficient / draws)


def _drawn(rng: np.random.Generator, incidents: int, places: float, size: Floats | None) -> Ints:
    """Return the counts of one draw; places without an incident may be missing."""
    if size is not None:
        return rng.multinomial(incidents, size / size.sum())
    if not np.isfinite(places):
        return np.ones(incidents, np.int64)
    at = rng.integers(0, int(places), incidents)
    if places <= _DENSE * incidents:
        return np.bincount(at)
    return np.unique(at, return_counts=True)[1]
