"""Whether a rare kind of incident is more frequent now than it was: exact, given how many there were in all.

Given all N incidents of a series, past and present, the number that fall into the present window is binomial if they
come independently, whatever their rate: no rate has to be estimated. If they come in bunches, with a variance phi times
the mean, it is beta-binomial: negative binomial counts with one variance over mean add up to such counts again, and
given their sum the number in one of them has that distribution.

References: Przyborowski and Wilenski (1940), Biometrika 31(3/4), the conditional test of two Poisson counts; Johnson,
Kemp and Kotz (2005), Univariate Discrete Distributions, chapter 6, the beta-binomial.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_DISPERSION = 1e4
_MOST_COUNT = 100_000


def shared_dispersion(counts: NDArray[np.generic], shares: Floats) -> float:
    """Return the variance over mean that the counts of many series have in common, at least 1.

    Each series compares its windows with its own total, so that rates may differ; one incident says nothing.

    Parameters
    ----------
    counts : (s, n)
        Past counts of rare incidents.
    shares : (n,)
        What share of a series' incidents falls into each window on average.

    Notes
    -----
    With total B, Pearson's statistic of a series has mean ``(n - 1) B phi / (phi - 1 + B)`` under the law above; the
    sum over all series is solved for phi. For Poisson counts the mean is n - 1 exactly, however rare they are.

    Examples
    --------
    >>> shared_dispersion(np.array([[2, 0, 0, 0], [0, 0, 2, 0]]), np.full(4, 0.25)) > 1.5
    True
    """
    y = np.asarray(counts, dtype=float)
    expected = np.asarray(shares, dtype=float) / np.sum(shares)
    totals, multiplicity = np.unique(y.sum(axis=1).astype(np.int64), return_counts=True)
    several = totals > 1
    if not several.any():
        return 1.0
    y = y[y.sum(axis=1) > 1]
    b = y.sum(axis=1, keepdims=True)
    pearson = float(((y - b * expected) ** 2 / (b * expected)).sum())
    total, series = totals[several], multiplicity[several]

    def excess(phi: float) -> float:
        return float((series * total * phi / (phi - 1.0 + total)).sum()) * (expected.size - 1) - pearson

    if excess(1.0) >= 0:
        return 1.0
    if excess(_MOST_DISPERSION) <= 0:
        return _MOST_DISPERSION
    return float(brentq(excess, 1.0, _MOST_DISPERSION, xtol=1e-9))


def rare_tail(observed: Ints, past: Ints, share: Floats, dispersion: Floats) -> Floats:
    """Return the chance (s,) that at least `observed` of ``observed + past`` incidents fall into the present window.

    Parameters
    ----------
    observed, past : (s,)
        Incidents in the present window, and in all past ones together.
    share : (s,)
        Chance of one incident to fall into the present window, if nothing changes.
    dispersion : (s,)
        Variance over mean; 1 for independent incidents.

    Examples
    --------
    Three incidents and none in 26 windows before: a chance of one in 27 cubed.

    >>> p = rare_tail(np.array([3]), np.array([0]), np.array([1 / 27]), np.ones(1))
    >>> round(float(1 / p[0]))
    19683
    """
    if (np.asarray(observed) > _MOST_COUNT).any() or (np.asarray(past) > _MOST_COUNT).any():
        raise InvalidInput(f"counts above {_MOST_COUNT:,} are not rare")
    return np.asarray(_tails(observed, past, share, dispersion))


def rare_limits(
    observed: Ints, past: Ints, share: Floats, dispersion: Floats, *, level: float, least: int
) -> tuple[Ints, Floats]:
    """Return when a series would be called unusual, and how often chance would do that.

    Returns
    -------
    count : (s,)
        The smallest count, at least `least`, whose `rare_tail` with the same past is at most `level`.
    chance : (s,)
        Given all incidents of the series, the exact chance that the present window has at least `least` of them and a
        tail of at most `level`. Summed over series it estimates the number of false calls without bias, whatever the
        rates.
    """
    count, chance = _limits(observed, past, share, dispersion, level, least)
    return np.asarray(count), np.asarray(chance)


@njit(cache=True, nogil=True)
def _tail(count, total, share, grip):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return P(X >= count) of a beta-binomial with ``1 / (a + b) = grip``; binomial at 0."""
    if count <= 0:
        return 1.0
    none = 0.0
    for i in range(total):
        none += np.log((1.0 - share + i * grip) / (1.0 + i * grip))
    term, above = np.exp(none), 0.0
    for j in range(total):
        term *= (total - j) / (j + 1.0) * (share + j * grip) / (1.0 - share + (total - j - 1) * grip)
        if j + 1 >= count:
            above += term
    return min(above, 1.0)


@njit(cache=True, nogil=True)
def _tails(observed, past, share, dispersion):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    found = np.ones(observed.size)
    for i in range(observed.size):
        total = observed[i] + past[i]
        if observed[i] > 0:
            found[i] = _tail(observed[i], total, share[i], (dispersion[i] - 1.0) / total)
    return found


@njit(cache=True, nogil=True)
def _limits(observed, past, share, dispersion, level, least):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    count, chance = np.empty(observed.size, np.int64), np.zeros(observed.size)
    for i in range(observed.size):
        excess = dispersion[i] - 1.0
        k = least
        while k < _MOST_COUNT and _tail(k, k + past[i], share[i], excess / (k + past[i])) > level:
            k += 1
        count[i] = k
        total = observed[i] + past[i]
        for x in range(least, total + 1):
            above = _tail(x, total, share[i], excess / total)
            if above <= level:
                chance[i] = above
                break
    return count, chance
