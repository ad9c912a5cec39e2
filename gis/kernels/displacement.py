"""Before and after: whether a place changed more than its comparison, and more than counts change by chance.

References: Wheeler and Ratcliffe (2018), Crime Science 7:11. Wheeler (2021), notes on unequal periods and areas.
Wilson (2022), J. Exp. Criminol. 18: relative incident rate ratio. Przyborowski and Wilenski (1940), Biometrika 31.
Krishnamoorthy and Thomson (2004), J. Stat. Plan. Inference 119.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TINY_TAIL = 1e-14
"""Chance beyond which the counts of a Poisson variable are not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Counts of one area before and after, and what one of them weighs.

    Attributes
    ----------
    before, after
        Incidents.
    weight
        Size of the area, in units of what the estimate is to be about; 1 leaves the counts as they are.
    """

    before: int
    after: int
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0:
            raise InvalidInput("counts must not be negative")
        if not 0 < self.weight < math.inf:
            raise InvalidInput("a weight must be a positive number")


@dataclass(frozen=True, slots=True)
class Difference:
    """An estimate with what chance alone would spread it by.

    Attributes
    ----------
    estimate
        Incidents: below 0 the treated area had fewer than its control lets one expect.
    se
        Standard error, if counts are Poisson.
    z, p
        estimate / se and its two-sided p by the normal approximation; nan and 1 where all counts are 0.
    low, high
        Limits of the confidence interval.
    """

    estimate: float
    se: float
    z: float
    p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WeightedDisplacement:
    """The weighted displacement difference, in all, in the treated areas, and where incidents may have moved to."""

    total: Difference
    local: Difference
    displacement: Difference


NOTHING = Change(before=0, after=0)


def weighted_displacement_difference(
    treated: Change,
    control: Change,
    *,
    displacement: Change = NOTHING,
    displacement_control: Change = NOTHING,
    period_weights: tuple[float, float] = (1.0, 1.0),
    confidence: float = 0.95,
) -> WeightedDisplacement:
    """Return by how many incidents the treated areas changed beyond their control, displacement included.

    Parameters
    ----------
    period_weights
        Length of the periods before and after, in units of what the estimate is to be about: (2, 1) of two years
        before and one year after gives incidents a year.

    Notes
    -----
    WDD = (T1 - T0) - (C1 - C0) + (D1 - D0) - (E1 - E0), T treated, C its control, D displacement, E its control; every
    count is divided by the weights of its period and area, its variance by their squares. The variance of a Poisson
    count is the count, so var = sum of count / weight^2 (Wheeler and Ratcliffe 2018).

    Examples
    --------
    >>> found = weighted_displacement_difference(Change(before=100, after=80), Change(before=100, after=90))
    >>> found.total.estimate, round(found.total.se, 2), round(found.total.z, 2)
    (-10.0, 19.24, -0.52)
    """
    if not all(0 < weight < math.inf for weight in period_weights):
        raise InvalidInput("the weight of a period must be a positive number")
    local = _double_difference(treated, control, period_weights)
    moved = _double_difference(displacement, displacement_control, period_weights)
    total = local[0] + moved[0], local[1] + moved[1]
    return WeightedDisplacement(*(_difference(*one, confidence) for one in (total, local, moved)))


@dataclass(frozen=True, slots=True)
class RateRatio:
    """Relative incident rate ratio with its interval and exact p; nan where a count is 0 leaves it undefined."""

    ratio: float
    low: float
    high: float
    p: float


def relative_rate_ratio(treated: Change, control: Change, *, confidence: float = 0.95) -> RateRatio:
    """Return (T1 / T0) / (C1 / C0): the change of the treated areas relative to that of their control.

    Lengths of the periods and sizes of the areas cancel. Where areas differ in size it asks the better question than
    the difference: whether both changed by the same factor.

    Notes
    -----
    The interval is that of the logarithm, var = 1/T0 + 1/T1 + 1/C0 + 1/C1 (Wilson 2022); p is Fisher's
    exact one, doubled and at most 1.

    Examples
    --------
    >>> found = relative_rate_ratio(Change(before=100, after=80), Change(before=100, after=90))
    >>> round(found.ratio, 3), round(found.low, 3), round(found.high, 3)
    (0.889, 0.59, 1.338)
    """
    cells = (treated.after, treated.before, control.after, control.before)
    p = float(change_alike_p(np.array([treated.before]), np.array([treated.after]), control)[0])
    if min(cells) == 0:
        return RateRatio(math.nan, math.nan, math.nan, p)
    log_ratio = math.log(cells[0] / cells[1]) - math.log(cells[2] / cells[3])
    reach = float(stats.norm.ppf((1 + confidence) / 2)) * math.sqrt(sum(1 / count for count in cells))
    return RateRatio(math.exp(log_ratio), math.exp(log_ratio - reach), math.exp(log_ratio + reach), p)


def change_alike_p(before: Ints, after: Ints, others: Change) -> Floats:
    """Return p (n,) that each place changed by the same factor as others did (Fisher's exact test, doubled).

    Parameters
    ----------
    before, after : (n,)
        Incidents of each place.
    others
        Incidents of the places to compare with, none of them among the n.
    """
    everything = before + after + others.before + others.after
    return _fisher(after, before + after, after + others.after, everything)


def pattern_change_p(before: Ints, after: Ints) -> Floats:
    """Return p (n,) that each place holds the same share of all incidents in both periods; nan where there is none.

    The spatial point pattern test with an exact test in place of resampling. Corrected for many tests, the share of
    places that did not change is its index of similarity.

    References
    ----------
    Wheeler, Steenbeek and Andresen (2018), Transactions in GIS 22: proportions by Fisher's test, corrected for many.

    Examples
    --------
    >>> pattern_change_p(np.array([10, 10, 0]), np.array([10, 30, 0])).round(4).tolist()
    [0.102, 0.102, nan]
    """
    p = np.full(before.size, np.nan)
    held = before + after > 0
    # Places with the same counts have the same p.
    pairs, place = np.unique(np.column_stack([before, after])[held], axis=0, return_inverse=True)
    if pairs.size:
        everything, later = (np.full(len(pairs), n) for n in (before.sum() + after.sum(), after.sum()))
        p[held] = _fisher(pairs[:, 1], pairs.sum(axis=1), later, everything)[place]
    return p


def _fisher(after: Ints, total: Ints, later: Ints, everything: Ints) -> Floats:
    """Return the doubled smaller tail (n,) of `after` of `total`, where `later` of `everything` are after."""
    everything = np.maximum(everything, 1)
    upper = stats.hypergeom.sf(after - 1, everything, later, total)
    lower = stats.hypergeom.cdf(after, everything, later, total)
    return np.asarray(np.minimum(1.0, 2.0 * np.minimum(upper, lower)))


def c_test(before: Ints, after: Ints, *, lengths: tuple[float, float] = (1.0, 1.0)) -> Floats:
    """Return p (n,) that the rate of each place is the same in both periods (conditional test, doubled).

    Given their sum, the later count is binomial with the later period's share of the time.

    Parameters
    ----------
    before, after : (n,)
    lengths
        Of both periods, in any unit.

    Examples
    --------
    >>> c_test(np.array([10]), np.array([2])).round(4).tolist()
    [0.0386]
    """
    total = before + after
    share = lengths[1] / sum(lengths)
    tails = np.minimum(stats.binom.cdf(after, total, share), stats.binom.sf(after - 1, total, share))
    return np.asarray(np.minimum(1.0, 2.0 * tails))


def e_test(count: int, other: int, *, lengths: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return p that two Poisson counts have one rate (two-sided E-test); 1 when both are 0.

    More powerful than the conditional test where counts are small: every pair of counts that lies as far apart as
    this one, in units of its own spread, is weighted by its chance under the common rate.

    References
    ----------
    Krishnamoorthy and Thomson (2004), J. Stat. Plan. Inference 119, 23-35.

    Examples
    --------
    >>> round(e_test(3, 0), 4), round(e_test(6, 2), 4)
    (0.0884, 0.1749)
    """
    if count + other == 0:
        return 1.0
    one, two = lengths
    rate = (count + other) / (one + two)
    squared = (count / one - other / two) ** 2 / (count / one**2 + other / two**2)
    # Of every count in the first period, those of the second that lie as far away: (a - b)^2 >= T^2 (a/one + b/two),
    # a square inequality in b = count / two with two roots.
    low, high = stats.poisson.ppf([_TINY_TAIL, 1 - _TINY_TAIL], rate * one)
    first = np.arange(int(low), int(high) + 1)
    a = first / one
    middle = a + squared / two / 2
    reach = np.sqrt(np.maximum(middle**2 - a * (a - squared / one), 0.0))
    slack = 1e-9 * (1 + first + rate * two)
    below = np.floor(two * (middle - reach) + slack)
    below[first == 0] = -1
    above = np.ceil(two * (middle + reach) - slack)
    beyond = stats.poisson.cdf(below, rate * two) + stats.poisson.sf(above - 1, rate * two)
    return float(min(1.0, stats.poisson.pmf(first, rate * one) @ np.minimum(beyond, 1.0)))


def _double_difference(one: Change, other: Change, periods: tuple[float, float]) -> tuple[float, float]:
    """Return the estimate and its variance."""
    estimate = variance = 0.0
    for sign, change in ((1.0, one), (-1.0, other)):
        for side, count, length in ((-1.0, change.before, periods[0]), (1.0, change.after, periods[1])):
            weight = change.weight * length
            estimate += sign * side * count / weight
            variance += count / weight**2
    return estimate, variance


def _difference(estimate: float, variance: float, confidence: float) -> Difference:
    se = math.sqrt(variance)
    reach = float(stats.norm.ppf((1 + confidence) / 2)) * se
    z = estimate / se if se > 0 else math.nan
    p = float(2 * stats.norm.sf(abs(z))) if se > 0 else 1.0
    return Difference(estimate, se, z, p, estimate - reach, estimate + reach)
