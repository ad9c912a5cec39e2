"""Which of many series of counts are higher now than they were: frequent ones by their trend, rare ones exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.errors import InvalidInput
from gis.kernels import farrington, rare_counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_WINDOWS = 8
"""Fewer past windows say too little about how much counts vary."""
LOOSENESS = 0.5
"""How far the trend of a series may lie from that of its group: two thirds within a factor of e^0.5 = 1.65 over the
baseline. Without that, the few incidents of one series leave its trend so open that hardly any count is unusual."""


@dataclass(frozen=True, slots=True)
class Exceedance:
    """How unusual the present count of each series is.

    Attributes
    ----------
    observed, expected : (s,)
    p : (s,)
        Chance of at least as many, if the past goes on.
    rare : (s,)
        Fewer than one incident a window in the past: p is exact given the dispersion. Otherwise it is that of a trend.
    dispersion : (s,)
        Variance over mean that p reckons with, at least 1.
    """

    observed: Ints
    expected: Floats
    p: Floats
    rare: NDArray[np.bool_]
    dispersion: Floats
    _rare: _Rare
    _frequent: _Frequent

    def limits(self, *, level: float, least: int) -> tuple[Ints, Floats]:
        """Return when a series would be called unusual, and how often chance alone does that.

        Returns
        -------
        count : (s,)
            The smallest count, at least `least`, whose p is at most `level`.
        chance : (s,)
            Chance of such a count, below `level` because counts are whole; the sum is the number of false calls to
            expect.
        """
        count, chance = np.zeros(self.p.size, np.int64), np.zeros(self.p.size)
        for which, part in ((self.rare, self._rare), (~self.rare, self._frequent)):
            count[which], chance[which] = part.limits(level=level, least=least)
        return count, chance


@dataclass(frozen=True, slots=True)
class _Rare:
    """Rare series, each (r,), as `rare_counts` takes them."""

    observed: Ints
    past: Ints
    share: Floats
    dispersion: Floats

    def tail(self) -> Floats:
        return rare_counts.rare_tail(self.observed, self.past, self.share, self.dispersion)

    def limits(self, *, level: float, least: int) -> tuple[Ints, Floats]:
        return rare_counts.rare_limits(self.observed, self.past, self.share, self.dispersion, level=level, least=least)


@dataclass(frozen=True, slots=True)
class _Frequent:
    """Frequent series, each (f,), as `farrington` takes them."""

    observed: Ints
    trends: farrington.Trends
    dispersion: Floats
    freedom: Floats

    def tail(self) -> Floats:
        return farrington.tail(self.observed, self.trends, self.dispersion, self.freedom)

    def limits(self, *, level: float, least: int) -> tuple[Ints, Floats]:
        return farrington.limits(self.trends, self.dispersion, self.freedom, level=level, least=least)


def exceedance(
    past: NDArray[np.generic],
    observed: NDArray[np.generic],
    group: NDArray[np.generic],
    *,
    trend: bool = True,
    guard: int = 0,
) -> Exceedance:
    """Compare the present count of each series with its own past.

    A frequent series, with one incident a past window or more, has a trend of its own, near that of its group
    (`farrington`). A rare one has the trend of its group, and is compared with its own total (`rare_counts`). How much
    counts vary beyond Poisson is learned from the group: by rare series altogether, by frequent ones half, whose own
    windows are too few for it.

    Parameters
    ----------
    past : (s, n)
        Counts of n comparable windows, the oldest first.
    observed : (s,)
        Counts of the present window.
    group : (s,)
        Number of the group of each series, from 0: series that vary alike, such as those of one kind of incident.
    trend
        Let frequent series and groups have a log-linear trend.
    guard
        Windows between the last of `past` and the present one.
    """
    counts, now = np.asarray(past, dtype=np.int64), np.asarray(observed, dtype=np.int64)
    groups = np.asarray(group, dtype=np.int64)
    if counts.ndim != 2 or now.shape != counts.shape[:1] or groups.shape != now.shape:  # noqa: PLR2004
        raise InvalidInput("past must be (s, n), observed and group (s,)")
    if counts.shape[1] < LEAST_WINDOWS:
        raise InvalidInput(f"at least {LEAST_WINDOWS} past windows are needed, there are {counts.shape[1]}")
    n = counts.shape[1]
    total = counts.sum(axis=1)
    is_rare = total < n
    times, at = np.arange(n), float(n + guard)
    share, slope, dispersion = np.empty(now.size), np.zeros(now.size), np.ones(now.size)
    for number in np.unique(groups):
        of_group = groups == number
        profile, following, slope[of_group] = _profile(counts[of_group].sum(axis=0), times, at, trend=trend)
        share[of_group] = following / (1.0 + following)
        rare = of_group & is_rare
        dispersion[rare] = rare_counts.shared_dispersion(counts[rare], profile)
    rare_part = _Rare(now[is_rare], total[is_rare], share[is_rare], dispersion[is_rare])
    trends = farrington.fit_trends(
        counts[~is_rare], times, at, trend=trend, around=slope[~is_rare], looseness=LOOSENESS
    )
    shared, freedom = _shared(trends, groups[~is_rare], n)
    frequent_part = _Frequent(now[~is_rare], trends, shared, freedom)
    expected, p = total * share / (1.0 - share), np.ones(now.size)
    expected[~is_rare], dispersion[~is_rare] = trends.mean, np.maximum(shared, 1.0)
    p[is_rare], p[~is_rare] = rare_part.tail(), frequent_part.tail()
    return Exceedance(now, expected, p, is_rare, dispersion, rare_part, frequent_part)


def _profile(total: Ints, times: Ints, at: float, *, trend: bool) -> tuple[Floats, float, float]:
    """Return each past window's share of a group's incidents, how many follow now for one of the past, and a slope."""
    n = total.size
    if not trend or total.sum() < n:
        return np.full(n, 1.0 / n), 1.0 / n, 0.0
    fitted = farrington.fit_trends(total[None, :], times, at)
    means = np.exp(fitted.level[0] + fitted.slope[0] * times)
    return means / means.sum(), float(fitted.mean[0] / means.sum()), float(fitted.slope[0])


def _shared(trends: farrington.Trends, groups: Ints, n: int) -> tuple[Floats, Floats]:
    """Return the dispersion (f,) of each series, half from the others of its group, and its degrees of freedom."""
    others = np.bincount(groups)[groups] - 1 if groups.size else groups
    sums = np.bincount(groups, weights=trends.dispersion)[groups] if groups.size else trends.dispersion
    prior = np.where(others > 0, n - 1.0, 0.0)
    rest = (sums - trends.dispersion) / np.maximum(others, 1)
    freedom = np.asarray(trends.freedom + prior, dtype=float)
    return np.asarray((trends.freedom * trends.dispersion + prior * rest) / freedom), freedom
