"""How places are covered by posts: who reaches whom in time, what one post more or less changes, how staff is shared.

Reached pairs are three arrays: post, place and seconds, one entry a pair within the limit; what is not listed is not
reached. Every number is of the places, weighted; nothing here is an area.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """Which posts reach which places within a limit.

    Attributes
    ----------
    post, place : (k,)
        A pair each; no pair twice.
    seconds : (k,)
        From the post to the place.
    posts_count, places_count
        How many there are in all.
    """

    post: Ints
    place: Ints
    seconds: Floats
    posts_count: int
    places_count: int

    @property
    def within_count(self) -> Ints:
        """How many posts reach each place (n,)."""
        return np.bincount(self.place, minlength=self.places_count)


@dataclass(frozen=True, slots=True, eq=False)
class PostChange:
    """What each post (m,) means for the places.

    Attributes
    ----------
    covers
        Weight that it reaches in time.
    nearest
        Weight that it is the nearest post of, in time or not.
    only
        Weight that nobody else reaches in time: what is lost if it closes.
    slower_s
        Seconds by which that weight's way becomes longer if it closes, summed over the weight it is nearest to; inf
        where some of it would have no post at all.
    """

    covers: Floats
    nearest: Floats
    only: Floats
    slower_s: Floats


def post_changes(reached: Reached, weight: Floats, first: Ints, first_s: Floats, second_s: Floats) -> PostChange:
    """Return what closing each post would change.

    Parameters
    ----------
    weight : (n,)
        Of each place.
    first : (n,)
        Nearest post of each place, -1 where there is none.
    first_s, second_s : (n,)
        Seconds from the nearest and from the second nearest post; inf where there is none.

    Examples
    --------
    Two posts, three places; the last is reached by both.

    >>> pairs = Reached(np.array([0, 1, 0, 1]), np.array([0, 1, 2, 2]), np.array([10.0, 20, 30, 40]), 2, 3)
    >>> first, first_s, second_s = np.array([0, 1, 0]), np.array([10.0, 20, 30]), np.array([90.0, 90, 40])
    >>> post_changes(pairs, np.array([5.0, 7, 1]), first, first_s, second_s).only.tolist()
    [5.0, 7.0]
    """
    m = reached.posts_count
    single = reached.within_count[reached.place] == 1
    pair_weight = weight[reached.place]
    has = (first >= 0) & (weight > 0)
    with np.errstate(invalid="ignore"):
        longer = weight[has] * (second_s[has] - first_s[has])
    return PostChange(
        covers=_sums(reached.post, pair_weight, m),
        nearest=_sums(first[has], weight[has], m),
        only=_sums(reached.post[single], pair_weight[single], m),
        slower_s=_sums(first[has], longer, m),
    )


def gains(reached: Reached, weight: Floats, is_covered: NDArray[np.bool_]) -> Floats:
    """Return the weight (m,) that each site would cover in time and nobody covers yet."""
    new = ~is_covered[reached.place]
    return _sums(reached.post[new], weight[reached.place[new]], reached.posts_count)


def gaussian_decay(seconds: Floats, limit_s: float) -> Floats:
    """Return how much a trip of this length counts: 1 at once, 0 at the limit, along a bell (Dai 2010).

    Examples
    --------
    >>> gaussian_decay(np.array([0.0, 60.0]), 60.0).tolist()
    [1.0, 0.0]
    """
    floor = np.exp(-0.5)
    return np.asarray((np.exp(-((seconds / limit_s) ** 2) / 2) - floor) / (1 - floor))


def two_step_access(reached: Reached, weight: Floats, supply: Floats, *, limit_s: float, decays: bool = True) -> Floats:
    """Return how much supply there is for one of the weight at each place (n,): a two-step floating catchment.

    First each post shares its supply among all whom it reaches, then each place adds up what it gets (Luo and Wang
    2003; with a decay, Luo and Qi 2009). What all places get together, by their weight, is the supply of all posts that
    reach any weight.

    Parameters
    ----------
    weight : (n,)
    supply : (m,)
        Of each post, such as its staff positions.
    decays
        A longer way counts less, else all within the limit count alike.
    """
    share = gaussian_decay(reached.seconds, limit_s) if decays else np.ones(reached.seconds.size)
    asked = _sums(reached.post, share * weight[reached.place], reached.posts_count)
    each = np.divide(supply, asked, out=np.zeros_like(asked), where=asked > 0)
    return _sums(reached.place, share * each[reached.post], reached.places_count)


def weighted_quantiles(values: Floats, weight: Floats, shares: Floats) -> Floats:
    """Return the least values below or at which these shares (k,) of the weight lie; NaN without any weight.

    Examples
    --------
    >>> weighted_quantiles(np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 8.0]), np.array([0.2, 0.5])).tolist()
    [2.0, 9.0]
    """
    has = weight > 0
    values, weight = values[has], weight[has]
    if not values.size:
        return np.full(len(shares), np.nan)
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weight[order])
    at = np.searchsorted(total, shares * total[-1] * (1 - 1e-12), side="left")
    return np.asarray(values[order][np.minimum(at, values.size - 1)])


def _sums(group: Ints, values: Floats, count: int) -> Floats:
    return np.asarray(np.bincount(group, weights=values, minlength=count), dtype=float)
