"""What a density says: where its highest parts are, and where it changed beyond chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

LEAST_EFFECTIVE = 1.0
"""Effective incidents of both periods under which a place is not tested: nothing could be found there."""
_LEAST_P = 1e-300


def highest_density(density: Floats, area: Floats) -> Floats:
    """Return for each place (n,) the share of the whole that lies in denser places, itself not counted.

    The region of the highest density that holds a share s, the smallest area that does, is made of the places where
    this is less than s: the last of them is the one with which s is reached. Of places equally dense, the first comes
    first. 1 everywhere when there is nothing at all.

    References
    ----------
    Hyndman (1996), The American Statistician 50(2), definition 1.

    Examples
    --------
    >>> highest_density(np.array([1.0, 5.0, 4.0]), np.array([1.0, 1.0, 1.0])).tolist()
    [0.9, 0.0, 0.5]
    """
    order = np.argsort(-density, kind="stable")
    held = (density * area)[order]
    whole = held.sum()
    before = np.ones(density.size)
    if whole > 0:
        before[order] = (np.cumsum(held) - held) / whole
    return before


@dataclass(frozen=True, slots=True)
class ChangeTest:
    """Whether two periods differ at each place.

    Attributes
    ----------
    effective : (n,)
        Incidents of both periods that the test rests on: as many of equal weight would vary as much.
    p : (n,)
        Two-sided; nan where nothing could be tested.
    z : (n,)
        The standard normal score of `p`, with the sign of the change.
    """

    effective: Floats
    p: Floats
    z: Floats


def change_test(now: Floats, before: Floats, variance: Floats, *, times: float) -> ChangeTest:
    """Return whether the density of one period (n,) differs from that of another beyond chance, at each place alone.

    Without a change each incident of the two periods taken together belongs to the first with the chance
    ``times / (1 + times)``, wherever it lies. A weighted sum of such incidents is judged as their number would be, with
    the effective number of Kish: N = (sum of kernels)^2 / (sum of squared kernels), of which k lie in the first period
    as their share of the kernels is. p is twice the smaller tail of the binomial distribution of k, which the
    incomplete beta function continues between whole numbers. Where all incidents lie at one place that is the exact
    conditional test of two Poisson counts. A normal score would call a few incidents in a short period significant.

    Parameters
    ----------
    now, before
        Sums of kernels in the first and the second period.
    variance
        Sums of squared kernels in both.
    times
        How many times as long the first period is.

    References
    ----------
    Przyborowski and Wilenski (1940), Biometrika 31(3/4), for two counts; Kish (1965), Survey Sampling, section 11.7.

    Examples
    --------
    >>> counts = np.array([3.0, 9.0])
    >>> change_test(counts, np.array([3.0, 0.0]), np.array([6.0, 9.0]), times=1.0).p.round(5).tolist()
    [1.0, 0.00391]
    """
    whole = now + before
    effective = np.divide(whole**2, variance, out=np.zeros_like(whole), where=variance > 0)
    tested = effective >= LEAST_EFFECTIVE
    size = effective[tested]
    first = size * (now[tested] / whole[tested])
    second = size - first
    chance = times / (1.0 + times)
    more = _tail(first, second, chance)
    fewer = _tail(second, first, 1.0 - chance)
    p = np.full(whole.shape, np.nan)
    p[tested] = np.clip(2.0 * np.minimum(more, fewer), _LEAST_P, 1.0)
    z = np.copysign(-special.ndtri(p / 2.0), now - times * before)
    return ChangeTest(effective, p, z)


def _tail(of_them: Floats, others: Floats, chance: float) -> Floats:
    """Return the chance (n,) that at least so many of all belong to a side which each joins with `chance`."""
    some = of_them > 0
    tail = np.ones(of_them.size)
    tail[some] = special.betainc(of_them[some], others[some] + 1.0, chance)
    return tail
