"""What a place's history of hot and cold steps amounts to: the seventeen classes of emerging hot spot analysis.

The definitions are those that ArcGIS documents for its tool of that name.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gis.errors import InvalidInput

ALWAYS_OF_TEN = 9
"""From so many of ten steps a place counts as hot, or cold, throughout."""
PATTERNS = (
    "new",
    "consecutive",
    "intensifying",
    "persistent",
    "diminishing",
    "sporadic",
    "oscillating",
    "historical",
)
FAMILIES = ("hot", "cold")
CLASSES = (*(f"{family}_{pattern}" for family in FAMILIES for pattern in PATTERNS), "no_pattern")
Flags = NDArray[np.bool_]


def emerging_classes(hot: Flags, cold: Flags, trend: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the class of each place (n,), one of `CLASSES`.

    Parameters
    ----------
    hot, cold : (n, t)
        Whether the place was significantly hot, or cold, at each step; never both.
    trend : (n,)
        1 where the place's scores rise significantly, -1 where they fall, 0 where they do neither.

    Notes
    -----
    For the hot family; of the cold one the same with hot and cold, rising and falling, changed places. `run` is the
    number of hot steps at the end without a break, `share` the share of all steps that are hot.

    ============  ==============================================================================
    new           hot at the last step only
    consecutive   hot at the last step, run >= 2, never hot before the run, share < 0.9
    intensifying  hot at the last step, share >= 0.9, rising
    persistent    hot at the last step, share >= 0.9, neither rising nor falling
    diminishing   hot at the last step, share >= 0.9, falling
    sporadic      hot at the last step and before its run, share < 0.9, never cold
    oscillating   hot at the last step and before its run, share < 0.9, cold at some step before
    historical    not hot at the last step, share >= 0.9
    ============  ==============================================================================

    A place that is new or consecutive may have been cold before. What was hot for less than 0.9 of the steps and is no
    longer has no class. What was hot for at least 0.9 of them and is cold at the last is what its cold steps make it.

    Examples
    --------
    >>> hot = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1], [1, 1, 0, 0]], dtype=bool)
    >>> emerging_classes(hot, ~hot & False, np.array([0, 0, 0, 1, -1])).tolist()
    ['hot_new', 'hot_consecutive', 'hot_sporadic', 'hot_intensifying', 'no_pattern']
    """
    if hot.shape != cold.shape or hot.ndim != 2 or hot.shape[1] == 0 or trend.shape != hot.shape[:1]:  # noqa: PLR2004
        raise InvalidInput("hot and cold are tables of the same places and steps, with one trend a place")
    if (hot & cold).any():
        raise InvalidInput("a place cannot be hot and cold at the same step")
    classes = np.full(len(hot), "no_pattern", dtype=object)
    for family, own, other, rising in (("hot", hot, cold, trend), ("cold", cold, hot, -trend)):
        for pattern, places in zip(PATTERNS, _patterns(own, other, rising), strict=True):
            classes[places] = f"{family}_{pattern}"
    return classes


def _patterns(own: Flags, other: Flags, rising: NDArray[np.int64]) -> tuple[Flags, ...]:
    """Return which places (n,) have each of `PATTERNS`; no place has two."""
    steps = own.shape[1]
    last, count = own[:, -1], own.sum(axis=1)
    run = np.where(own.all(axis=1), steps, np.argmin(own[:, ::-1], axis=1))
    always = count * 10 >= steps * ALWAYS_OF_TEN
    started = last & ~always & (count == run)
    returned = last & ~always & (count > run)
    alternating = other.any(axis=1)
    return (
        started & (run == 1),
        started & (run > 1),
        last & always & (rising > 0),
        last & always & (rising == 0),
        last & always & (rising < 0),
        returned & ~alternating,
        returned & alternating,
        ~last & always,
    )
