"""How well places flagged beforehand held what happened afterwards: hit rate, PAI, PEI*, RRI, SER, with intervals.

References: Bowers, Johnson and Pease (2004), Brit. J. Criminol. 44(5): search efficiency rate. Chainey, Tompson and
Uhlig (2008), Security J. 21: PAI. Levine (2008), Security J. 21: RRI. Hunt (2016) and the NIJ Real-Time Crime
Forecasting Challenge (2017): PEI*.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_ROUNDING = 1e-9
"""Relative slack of a comparison of areas that were added up."""
_PART = 1e-6
"""Smaller parts of a place than this come from adding up areas."""
_M2_PER_KM2 = 1e6


@dataclass(frozen=True, slots=True)
class Scores:
    """What flagged places are worth.

    Attributes
    ----------
    captured_count, total_count
        Incidents in the flagged places, n, and in all places, N.
    area_share
        Area flagged over area of all places, a / A.
    hit_rate
        n / N.
    pai
        (n / N) / (a / A): how many times as dense the flagged places were as the whole.
    obtainable_count
        n*, the most that places of the same area held; a fraction where the last of them is taken in part.
    pei_star
        n / n*, 1 where nobody could have flagged better.
    ser_per_km2
        Search efficiency rate: n over the area flagged.

    All ratios are nan where nothing happened or nothing was flagged.
    """

    captured_count: int
    total_count: int
    area_share: float
    hit_rate: float
    pai: float
    obtainable_count: float
    pei_star: float
    ser_per_km2: float


def ranking(*scores: Floats, seed: int = 0) -> Ints:
    """Return the places (n,) from the highest score to the lowest.

    Parameters
    ----------
    scores : (n,) each
        Where the first ties the second decides, and so on; in the end, the lot. What has no score (nan) comes last.
    seed
        Of the lot.

    Examples
    --------
    >>> ranking(np.array([1.0, 7.0, np.nan, 3.0])).tolist()
    [1, 3, 0, 2]
    >>> ranking(np.array([2.0, 2.0]), np.array([0.0, 5.0])).tolist()
    [1, 0]
    """
    lot = np.random.default_rng(seed).permutation(scores[0].size)
    falling = [np.where(np.isnan(score), np.inf, -score) for score in scores]
    return np.asarray(np.lexsort((lot, *reversed(falling))))


def flagged(order: Ints, areas: Floats, share: float) -> Mask:
    """Return which places (n,) are flagged: from the top of the ranking while they fit into a share of the area.

    The first is always flagged. The next one that does not fit ends it, so that a smaller share flags a part of a
    larger one's places.

    Parameters
    ----------
    order : (n,)
        Places from the highest to the lowest.
    areas : (n,), positive
    share
        0 to 1.

    Examples
    --------
    >>> flagged(np.array([2, 0, 1, 3]), np.ones(4), 0.5).tolist()
    [True, False, True, False]
    """
    fits = np.cumsum(areas[order]) <= share * areas.sum() * (1 + _ROUNDING)
    fits[:1] = True
    chosen = np.zeros(order.size, dtype=np.bool_)
    chosen[order[fits]] = True
    return chosen


def scores_of(counts: Ints, areas_m2: Floats, chosen: Mask) -> Scores:
    """Return the scores of flagged places.

    Parameters
    ----------
    counts : (n,)
        Incidents of each place in the period that was not known when the places were flagged.
    areas_m2 : (n,), positive
    chosen : (n,)
        Whether a place was flagged.

    Examples
    --------
    >>> found = scores_of(np.array([6, 1, 3, 0]), np.full(4, 1e6), np.array([False, False, True, False]))
    >>> found.hit_rate, found.pai, found.pei_star, found.ser_per_km2
    (0.3, 1.2, 0.5, 3.0)
    """
    captured, total = int(counts[chosen].sum()), int(counts.sum())
    area = float(areas_m2[chosen].sum())
    share = area / float(areas_m2.sum())
    best = obtainable(counts, areas_m2, area)
    hit_rate = _ratio(captured, total)
    return Scores(
        captured_count=captured,
        total_count=total,
        area_share=share,
        hit_rate=hit_rate,
        pai=_ratio(hit_rate, share),
        obtainable_count=best,
        pei_star=_ratio(captured, best),
        ser_per_km2=_ratio(captured, area / _M2_PER_KM2),
    )


def obtainable(counts: Ints, areas: Floats, area: float) -> float:
    """Return n*: the most incidents that places of a given area hold together.

    The densest places first, the last one in part. Among places of equal size that is exact; among others no whole
    places hold more, so that PEI* is never above 1.

    Examples
    --------
    >>> obtainable(np.array([6, 1, 3, 0]), np.ones(4), 2.0)
    9.0
    """
    order = np.argsort(-counts / areas, kind="stable")
    sizes = areas[order]
    taken = np.clip((area - (np.cumsum(sizes) - sizes)) / sizes, 0.0, 1.0)
    # A part that only rounding left over, or left out, is none.
    whole = np.abs(taken - np.rint(taken)) < _PART
    return float(counts[order] @ np.where(whole, np.rint(taken), taken))


def recapture_rate(before: Ints, after: Ints, chosen: Mask) -> float:
    """Return RRI = (n2 / N2) / (n1 / N1): the share of incidents in the flagged places after, over that before.

    Below 1 the flagged places hold less of what follows than of what they were chosen by: some of their lead was luck.

    Parameters
    ----------
    before, after : (n,)
        Incidents of each place in the period they were flagged by, and in the one that followed.

    References
    ----------
    Levine (2008), Security Journal 21, 295-302. Other authors call predicted over observed counts by the same name.

    Examples
    --------
    >>> recapture_rate(np.array([8, 2]), np.array([6, 4]), np.array([True, False]))
    0.7499999999999999
    """
    return _ratio(_ratio(after[chosen].sum(), after.sum()), _ratio(before[chosen].sum(), before.sum()))


def tie_at_cut(order: Ints, chosen: Mask, *scores: Floats) -> tuple[int, int]:
    """Return how many places tie with the last one flagged in every score, and how many of them the lot flagged.

    (0, 0) where the cut falls between two scores.
    """
    last = order[np.count_nonzero(chosen) - 1]
    tied = np.all([(score == score[last]) | (np.isnan(score) & np.isnan(score[last])) for score in scores], axis=0)
    inside = int((tied & chosen).sum())
    return (int(tied.sum()), inside) if tied.sum() > inside else (0, 0)


def clopper_pearson(hits: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share, hits of n; (nan, nan) when n is 0.

    References
    ----------
    Clopper and Pearson (1934), Biometrika 26.

    Examples
    --------
    >>> tuple(round(limit, 4) for limit in clopper_pearson(7, 20))
    (0.1539, 0.5922)
    """
    if n == 0:
        return float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low = float(stats.beta.ppf(tail, hits, n - hits + 1)) if hits > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, n - hits)) if hits < n else 1.0
    return low, high


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the mean that a Poisson count was drawn from.

    References
    ----------
    Garwood (1936), Biometrika 28.

    Examples
    --------
    >>> tuple(round(limit, 3) for limit in poisson_interval(10))
    (4.795, 18.39)
    """
    tail = (1 - confidence) / 2
    low = float(stats.chi2.ppf(tail, 2 * count) / 2) if count > 0 else 0.0
    return low, float(stats.chi2.ppf(1 - tail, 2 * (count + 1)) / 2)


def mcnemar_exact(only_one: int, only_other: int) -> float:
    """Return the two-sided p that one way captures as many as the other, from incidents that only one captured.

    References
    ----------
    McNemar (1947), Psychometrika 12, in its exact form: half of the incidents on which they differ fall to each.

    Examples
    --------
    >>> round(mcnemar_exact(2, 10), 4)
    0.0386
    """
    n = only_one + only_other
    return float(min(1.0, 2 * stats.binom.cdf(min(only_one, only_other), n, 0.5)))


def block_interval(
    gains: Ints, totals: Ints, *, confidence: float = 0.95, draws: int = 1999, seed: int = 0
) -> tuple[float, float]:
    """Return the bootstrap interval of sum(gains) / sum(totals), drawing whole blocks of time with replacement.

    Incidents of one night are not independent; whole blocks keep what binds them together.

    Parameters
    ----------
    gains : (b,)
        Per block, incidents captured by one way less those captured by another.
    totals : (b,)
        Per block, all incidents.

    Returns
    -------
    The percentile interval; (nan, nan) with fewer than two blocks.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    if gains.size < 2 or totals.sum() == 0:  # noqa: PLR2004
        return float("nan"), float("nan")
    weights = np.random.default_rng(seed).multinomial(gains.size, np.full(gains.size, 1 / gains.size), draws)
    drawn = weights @ totals
    drawn_gains = weights @ gains
    shares = drawn_gains[drawn > 0] / drawn[drawn > 0]
    tail = (1 - confidence) / 2
    low, high = np.quantile(shares, [tail, 1 - tail])
    return float(low), float(high)


def _ratio(above: float, below: float) -> float:
    return float(above) / float(below) if below > 0 else float("nan")
