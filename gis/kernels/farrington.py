"""Counts of comparable past windows as an overdispersed trend, and how unusual the present count is (Farrington).

References: Farrington, Andrews, Beale and Catchpole (1996), J. R. Stat. Soc. A 159(3), 547-563; Noufaily, Enki,
Farrington, Garthwaite, Andrews and Charlett (2013), Statistics in Medicine 32(7), 1206-1222.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.special import betainc, pdtrc
from scipy.stats import chi2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NODES = 9
"""Values of the dispersion over which a tail is averaged."""
_POISSON = 1.0 + 1e-9
"""A dispersion up to here is none."""
_ROUNDS = 3
"""Of weighing outbreaks down and fitting again."""
_NORMAL_MEDIAN = 0.674490
"""Median of the absolute value of a standard normal."""
_MOST_LEVERAGE = 0.9
_MOST_STEPS = 25
_CONVERGED = 1e-10
_SUMMED_MEAN = 500.0
"""Up to this mean a tail is the sum of what is below it; beyond, the first term leaves the range of a double."""


@dataclass(frozen=True, slots=True)
class Trends:
    """What the past lets expect, one number a series, each (s,).

    Attributes
    ----------
    mean
        Expected count of the present window.
    level, slope
        The logarithm of the expected count is ``level + slope * time``.
    dispersion
        Variance over mean of the past counts, as estimated: 1 for Poisson, and then as often below as above it.
    spread
        Variance of the logarithm of `mean`, in units of the dispersion.
    freedom
        Degrees of freedom of `dispersion`.
    """

    mean: Floats
    level: Floats
    slope: Floats
    dispersion: Floats
    spread: Floats
    freedom: Ints


def fit_trends(
    counts: NDArray[np.generic],
    times: NDArray[np.generic],
    now: float,
    *,
    trend: bool = True,
    around: Floats | None = None,
    looseness: float = np.inf,
    outbreak_beyond: float = 2.58,
) -> Trends:
    """Fit a quasi-Poisson log-linear model to each series, with little weight on past outbreaks, and extrapolate it.

    The model is fitted; windows whose standardised Anscombe residual r exceeds `outbreak_beyond` get weight r^-4, all
    weights together the number of windows; and it is fitted again, up to three times. Where most windows are empty none
    stands out. A trend is never carried on beyond the largest past count, and left out where a fit does not converge.

    Noufaily et al. weigh once, by r^-2, and standardise by Pearson's dispersion. An outbreak of some windows inflates
    that so much that it hides itself; here r counts from the median of all, and the scale is the smaller of Pearson's
    and their median absolute deviation.
    They drop a trend that would pass the largest count; then every steady rise would look like an outbreak.

    Parameters
    ----------
    counts : (s, n)
        Past counts; every series needs at least one incident.
    times : (n,)
        When, in any unit; `now` is the time of the present window.
    around : (s,)
        Slope that the trend of each series is expected to have, 0 when not given.
    looseness
        How far from that it may lie: standard deviation of the difference in logarithm over the whole baseline.

    Examples
    --------
    >>> past = np.array([[3, 5, 4, 4, 6, 5, 3, 4, 5, 4, 6, 3, 5, 4, 5, 30]])
    >>> fitted = fit_trends(past, np.arange(16), 16.0, trend=False)
    >>> float(fitted.mean[0].round(2)), float(past.mean())
    (4.4, 6.0)
    """
    y, x = np.ascontiguousarray(counts, dtype=float), np.asarray(times, dtype=float)
    # Around the middle of the baseline, in units of its length: level and slope then hardly correlate.
    middle, unit = float(x.mean()), float(max(np.ptp(x), 1.0))
    prior = np.zeros(len(y)) if around is None else np.asarray(around, dtype=float) * unit
    level, slope, dispersion, spread, trended = _fit_all(
        y, (x - middle) / unit, (now - middle) / unit, trend, prior, looseness**-2, outbreak_beyond
    )
    freedom = y.shape[1] - 1 - trended
    mean = np.minimum(np.exp(level + slope * ((now - middle) / unit)), y.max(axis=1))
    return Trends(mean, level - slope * middle / unit, slope / unit, dispersion, spread, freedom)


def tail(observed: Ints, trends: Trends, dispersion: Floats, freedom: Floats) -> Floats:
    """Return the chance (s,) of at least as many incidents as observed, if the past goes on.

    The present count is negative binomial (Noufaily et al. 2013) around the expected one, with the variance of a new
    count and of the prediction (Farrington et al. 1996): ``phi mean (1 + mean spread)``. The dispersion phi is only
    estimated: the tail is averaged over the values that it may have, ``freedom dispersion / chi-square(freedom)``, none
    below 1.
    """
    total = np.zeros(observed.size)
    for scale in _scales(trends, dispersion, freedom).T:
        total += _negative_binomial_tail(observed, trends.mean, scale)
    return total / NODES


def limits(trends: Trends, dispersion: Floats, freedom: Floats, *, level: float, least: int) -> tuple[Ints, Floats]:
    """Return the smallest count (s,), at least `least`, whose `tail` is at most `level`, and that tail (s,)."""
    scales = _scales(trends, dispersion, freedom)
    count, chance = _summed_limits(trends.mean, scales, level, least)
    for i in np.flatnonzero(trends.mean > _SUMMED_MEAN):
        count[i], chance[i] = _searched_limit(float(trends.mean[i]), scales[i], level, least)
    return count, chance


def _scales(trends: Trends, dispersion: Floats, freedom: Floats) -> Floats:
    """Return the variance over mean (s, nodes) of a present count, at equally likely values of the dispersion."""
    known, which = np.unique(freedom, return_inverse=True)
    middles = (np.arange(NODES) + 0.5) / NODES
    # chi-square / freedom, at the middles of equal shares of its distribution.
    quantiles = (chi2.ppf(middles, known[:, None]) / known[:, None])[which]
    phi = np.maximum(dispersion[:, None] / quantiles, 1.0)
    return np.asarray(phi * (1.0 + (trends.mean * trends.spread)[:, None]))


def _negative_binomial_tail(count: Ints, mean: Floats, scale: Floats) -> Floats:
    """Return P(X >= count) for a negative binomial with `mean` and variance ``scale * mean``; Poisson at scale 1."""
    k = np.maximum(count, 1)
    size = mean / np.maximum(scale - 1.0, _POISSON - 1.0)
    wide = betainc(k, size, 1.0 - 1.0 / np.maximum(scale, _POISSON))
    return np.where(count < 1, 1.0, np.where(scale > _POISSON, wide, pdtrc(k - 1, mean)))


def _searched_limit(mean: float, scales: Floats, level: float, least: int) -> tuple[int, float]:
    def chance(count: int) -> float:
        return float(np.mean(_negative_binomial_tail(np.full(NODES, count), np.full(NODES, mean), scales)))

    low, high = least - 1, max(least, int(mean))
    while chance(high) > level:
        low, high = high, high + max(high - low, 1) * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if chance(middle) > level else (low, middle)
    return high, chance(high)


@njit(cache=True, nogil=True, error_model="numpy")
def _summed_limits(mean, scales, level, least):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Count up from zero until what is left above is at most `level`, for means that are not too large."""
    count, chance = np.zeros(mean.size, np.int64), np.ones(mean.size)
    nodes = scales.shape[1]
    term = np.empty(nodes)
    for i in range(mean.size):
        if mean[i] > _SUMMED_MEAN:
            continue
        for q in range(nodes):
            excess = scales[i, q] - 1.0
            # The chance of none: (1 + excess)^(-mean / excess), exp(-mean) where there is no excess.
            each = np.log1p(excess) / excess if scales[i, q] > _POISSON else 1.0
            term[q] = np.exp(-mean[i] * each) / nodes
        left, k = 1.0, 0
        while k < least or left > level:
            for q in range(nodes):
                left -= term[q]
                # P(k + 1) / P(k) of a negative binomial; of a Poisson where the scale is 1.
                term[q] *= (mean[i] + k * (scales[i, q] - 1.0)) / (scales[i, q] * (k + 1))
            k += 1
        count[i], chance[i] = k, max(left, 0.0)
    return count, chance


@njit(cache=True, nogil=True)
def _fit_all(counts, x, now, trend, prior, pull, beyond):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    series = counts.shape[0]
    level, slope = np.empty(series), np.zeros(series)
    dispersion, spread = np.empty(series), np.empty(series)
    trended = np.zeros(series, np.bool_)
    for i in range(series):
        y = counts[i]
        if trend:
            a, b, phi, var, converged = _fit_robustly(y, x, now, True, prior[i], pull, beyond)  # noqa: FBT003
            trended[i] = converged
        if not trended[i]:
            a, b, phi, var, _ = _fit_robustly(y, x, now, False, 0.0, 0.0, beyond)  # noqa: FBT003
        level[i], slope[i], dispersion[i], spread[i] = a, b, phi, var
    return level, slope, dispersion, spread, trended


@njit(cache=True, nogil=True, error_model="numpy")
def _fit_robustly(y, x, now, trend, prior, pull, beyond):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return level, slope, dispersion, spread of the prediction, and whether the fits converged."""
    weight = np.ones(y.size)
    mean, leverage, off = np.empty(y.size), np.empty(y.size), np.empty(y.size)
    a, b, converged = _fit(y, x, weight, trend, prior, pull)
    phi, spread = _diagnose(y, x, weight, a, b, now, trend, pull, mean, leverage)
    for _ in range(_ROUNDS if np.median(y) >= 1.0 else 0):
        if not converged:
            break
        for i in range(y.size):
            # Anscombe's residual of a Poisson count, for its leverage (Farrington et al. 1996).
            root = np.sqrt(mean[i] * (1.0 - min(leverage[i], _MOST_LEVERAGE)))
            off[i] = 1.5 * (y[i] ** (2 / 3) * mean[i] ** (1 / 3) - mean[i]) / root
        # An outbreak lifts the fit, so that the others lie below it: look from their middle.
        off -= np.median(off)
        robust = np.median(np.abs(off)) / _NORMAL_MEDIAN
        scale = max(min(np.sqrt(phi), robust), 1.0)
        none = True
        for i in range(y.size):
            out = off[i] > beyond * scale
            weight[i] = (off[i] / scale) ** -4 if out else 1.0
            none = none and not out
        if none:
            break
        weight *= y.size / weight.sum()
        a, b, converged = _fit(y, x, weight, trend, prior, pull)
        phi, spread = _diagnose(y, x, weight, a, b, now, trend, pull, mean, leverage)
    return a, b, phi, spread, converged


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(y, x, weight, trend, prior, pull):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return level and slope of the weighted Poisson likelihood's maximum (Newton), and whether it was reached.

    The slope is held to `prior` by a normal with precision `pull`.
    """
    a, b = np.log((weight * y).sum() / weight.sum()), 0.0
    if not trend:
        return a, b, True
    before = np.inf
    for _ in range(_MOST_STEPS):
        s0 = s1 = g0 = 0.0
        s2, g1, deviance = pull, pull * (prior - b), 0.5 * pull * (prior - b) ** 2
        for i in range(y.size):
            mean = np.exp(a + b * x[i])
            working, rest = weight[i] * mean, weight[i] * (y[i] - mean)
            s0 += working
            s1 += working * x[i]
            s2 += working * x[i] * x[i]
            g0 += rest
            g1 += rest * x[i]
            deviance -= rest
            if y[i] > 0.0:
                deviance += weight[i] * y[i] * np.log(y[i] / mean)
        if abs(deviance - before) <= _CONVERGED * (abs(deviance) + 0.1):
            return a, b, True
        before = deviance
        determinant = s0 * s2 - s1 * s1
        if not determinant > 1e-12 * s0 * s2:
            break
        a += (s2 * g0 - s1 * g1) / determinant
        b += (s0 * g1 - s1 * g0) / determinant
        if not abs(a) + abs(b) < 1e2:  # noqa: PLR2004
            break
    return a, b, False


@njit(cache=True, nogil=True, error_model="numpy")
def _diagnose(y, x, weight, a, b, now, trend, pull, mean, leverage):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return Pearson's dispersion and the spread of the prediction; write fitted `mean` and `leverage` (n,)."""
    s0 = s1 = pearson = 0.0
    s2 = pull
    for i in range(y.size):
        mean[i] = np.exp(a + b * x[i])
        working = weight[i] * mean[i]
        s0 += working
        s1 += working * x[i]
        s2 += working * x[i] * x[i]
        pearson += weight[i] * (y[i] - mean[i]) ** 2 / mean[i]
    determinant = s0 * s2 - s1 * s1
    for i in range(y.size):
        along = (s2 - 2.0 * s1 * x[i] + s0 * x[i] * x[i]) / determinant if trend else 1.0 / s0
        leverage[i] = weight[i] * mean[i] * along
    spread = (s2 - 2.0 * s1 * now + s0 * now * now) / determinant if trend else 1.0 / s0
    return pearson / (y.size - 1.0 - trend), spread
