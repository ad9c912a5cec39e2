"""Rates from few cases: smoothed towards the mean of all, and standardised so that they can be compared.

References: Marshall (1991), Applied Statistics 40(2), section 3 (the global estimator); Assuncao and Reis (1999),
Statistics in Medicine 18, equation 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.errors import InvalidInput

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Prior:
    """What rates are before their own counts are looked at: a mean and a variance between places, by moments.

    Attributes
    ----------
    mean
        All cases over all exposure.
    variance
        Spread of the true rates beyond what Poisson counts would show, 0 where there is none.
    """

    mean: float
    variance: float

    def noise(self, exposure: Floats) -> Floats:
        """Return the variance (n,) that a rate has from its Poisson count alone."""
        return np.asarray(self.mean / exposure)

    def posterior(self, counts: Ints | Floats, exposure: Floats) -> tuple[Floats, Floats]:
        """Return shape and rate (n,) of each place's gamma posterior, whose mean is Marshall's smoothed rate."""
        if self.variance == 0:
            raise InvalidInput("all places have the same rate: there is no posterior of its own for each")
        shape, rate = self.mean**2 / self.variance, self.mean / self.variance
        return np.asarray(counts + shape), np.asarray(exposure + rate)


def rate_prior(counts: Ints | Floats, exposure: Floats) -> Prior:
    """Return Marshall's estimate of mean and variance of rates, from counts (n,) and exposure (n,), positive."""
    cases, people = np.asarray(counts, dtype=float), np.asarray(exposure, dtype=float)
    if cases.shape != people.shape or cases.ndim != 1 or cases.size == 0:
        raise InvalidInput("counts and exposure must be rows of the same length")
    if not (people > 0).all() or not (np.isfinite(people).all() and np.isfinite(cases).all()):
        raise InvalidInput("the exposure of every place must be a positive number")
    mean = float(cases.sum() / people.sum())
    spread = float((people * (cases / people - mean) ** 2).sum() / people.sum())
    return Prior(mean, max(spread - mean / float(people.mean()), 0.0))


def smoothed_rates(counts: Ints | Floats, exposure: Floats) -> Floats:
    """Return rates (n,) drawn towards the mean of all, the more the less exposure stands behind them.

    Examples
    --------
    >>> smoothed_rates(np.array([0, 9, 100]), np.array([10.0, 10.0, 100.0])).round(3).tolist()
    [0.573, 0.905, 0.987]
    """
    prior = rate_prior(counts, exposure)
    if prior.variance == 0:
        return np.full(np.shape(counts), prior.mean)
    weight = prior.variance / (prior.variance + prior.noise(exposure))
    return np.asarray(weight * (counts / exposure) + (1.0 - weight) * prior.mean)


def standardised_rates(counts: Ints | Floats, exposure: Floats) -> Floats:
    """Return rates (n,) as deviations from the mean of all over the spread that a place of this exposure has.

    All have mean 0 and variance 1 under the same rate everywhere, so that they may be dealt to other places.
    """
    prior = rate_prior(counts, exposure)
    if prior.mean == 0:
        return np.zeros(np.shape(counts))
    return np.asarray((counts / exposure - prior.mean) / np.sqrt(prior.variance + prior.noise(exposure)))
