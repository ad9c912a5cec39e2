"""Does a series rise or fall: the test of Mann and Kendall, for many series at once.

References: Mann (1945), Econometrica 13; Kendall (1975), Rank Correlation Methods, chapter 4 (variance with ties);
Hamed and Rao (1998), Journal of Hydrology 204, equations 8 and 9 (variance of a series whose terms are correlated).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import ndtr

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MIN_TERMS = 3


@dataclass(frozen=True, slots=True)
class Trend:
    """The test of every series.

    Attributes
    ----------
    s : (n,)
        Pairs that rise less pairs that fall.
    z, p : (n,)
        Standard score with continuity correction, and two-sided p; 0 and 1 where nothing rises or falls.
    """

    s: Ints
    z: Floats
    p: Floats


def mann_kendall(series: NDArray[np.generic], *, window: int = 1) -> Trend:
    """Test each row of series (n, t) for a trend; ties are allowed, nan is not.

    Parameters
    ----------
    series : (n, t), t >= 3
    window
        Each term is a sum over this many steps, the last of them its own: terms i apart share ``1 - i / window`` of
        what they are made of, and the variance grows by `overlap_factor`.

    Examples
    --------
    >>> found = mann_kendall(np.array([[1, 3, 2, 4, 5, 5], [2, 2, 2, 2, 2, 2]]))
    >>> found.s.tolist(), found.z.round(4).tolist(), found.p.round(4).tolist()
    ([12, 0], [2.104, 0.0], [0.0354, 1.0])
    """
    rows = np.asarray(series, dtype=float)
    if rows.ndim != 2 or rows.shape[1] < MIN_TERMS:  # noqa: PLR2004
        raise InvalidInput(f"a trend needs rows of at least {MIN_TERMS} terms")
    if not np.isfinite(rows).all():
        raise InvalidInput("a trend needs finite numbers")
    s, variance = _scores(np.ascontiguousarray(rows))
    spread = np.sqrt(variance * overlap_factor(rows.shape[1], window))
    z = np.divide(s - np.sign(s), spread, out=np.zeros(s.size), where=s != 0)
    return Trend(s, z, 2.0 * ndtr(-np.abs(z)))


def overlap_factor(terms: int, window: int) -> float:
    """Return how many times the variance of S is that of independent terms, for moving sums over `window` steps.

    Examples
    --------
    >>> overlap_factor(36, 1), round(overlap_factor(36, 2), 4)
    (1.0, 1.8847)
    """
    if window < 1:
        raise InvalidInput("a window has at least one step")
    apart = np.arange(1, min(window, terms))
    shared = 1.0 - apart / window
    ranks = 6.0 / np.pi * np.arcsin(shared / 2.0)
    weights = (terms - apart) * (terms - apart - 1) * (terms - apart - 2)
    return float(1.0 + 2.0 * (weights * ranks).sum() / (terms * (terms - 1) * (terms - 2)))


@njit(cache=True, nogil=True)
def _scores(rows):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return S and its variance (n,) with Kendall's correction for ties."""
    n, t = rows.shape
    s, variance = np.zeros(n, np.int64), np.empty(n)
    for i in range(n):
        row = rows[i]
        score = 0
        for later in range(1, t):
            for earlier in range(later):
                score += (row[later] > row[earlier]) - (row[later] < row[earlier])
        ordered = np.sort(row)
        tied = 0
        run = 1
        for j in range(1, t + 1):
            if j < t and ordered[j] == ordered[j - 1]:
                run += 1
            else:
                tied += run * (run - 1) * (2 * run + 5)
                run = 1
        s[i] = score
        variance[i] = (t * (t - 1) * (2 * t + 5) - tied) / 18.0
    return s, variance
