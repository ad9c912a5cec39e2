"""Places that cover unequal ground: a neighbourhood is compared with as much ground, drawn from whole places.

Under the null a place's intensity (incidents on a whole place's ground) is as good as any other's, and a place that
covers only part of it shows each incident of a whole one with that chance. A neighbourhood of A whole places' ground is
therefore compared with floor(A) whole places, drawn without replacement, and one more of which every incident is kept
with chance A - floor(A). With all places whole this is the plain conditional draw; for incidents spread evenly over the
ground (a Poisson process) it has their law exactly, however the border cuts the places.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import InvalidInput
from gis.kernels.conditional import (
    Tails,
    Whole,
    chance,
    from_above,
    grouped,
    is_affordable,
    subset_sums,
    subsets,
    swept_tails,
    tails_without,
    whole_numbers,
)
from gis.kernels.neighbourhoods import Drawn, Neighbourhoods, drawn_from, moments_without, standard_score

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WHOLE = 0.99
"""A place with this share of the ground of the largest counts as whole."""
PARTS = 64
"""The rest of the ground is taken in this many parts of a place."""
_LEAST_SHARE = 1e-60
"""A chance below this is left out of the thinned place's distribution."""


@dataclass(frozen=True, slots=True)
class Ground:
    """How much ground places cover, in whole places, and the whole places they are compared with.

    Attributes
    ----------
    size : (n,)
        Of each place.
    pool : (m,)
        The places that may be drawn.
    member : (n,)
        Where in the pool a place stands, -1 for one that is not in it.
    drawn, rest : (n,)
        Whole places in the ground of each neighbourhood, the place itself not counted, and 64ths of one besides.
    """

    size: Floats
    pool: Ints
    member: Ints
    drawn: Ints
    rest: Ints

    @property
    def around(self) -> Floats:
        """Ground of each place's neighbours (n,), in whole places."""
        return np.asarray(self.drawn + self.rest / PARTS)


def as_ground(exposure: Floats, near: Neighbourhoods) -> Ground | None:
    """Return the ground of places and neighbourhoods; None where all places count as whole.

    Parameters
    ----------
    exposure : (n,), positive
        Ground of each place in any unit.
    """
    return ground_around(exposure, near.around, near.neighbours > 0)


def ground_around(exposure: Floats, around: Callable[[Floats], Floats], tested: NDArray[np.bool_]) -> Ground | None:
    """Return the ground of places and neighbourhoods; None where all places count as whole.

    Parameters
    ----------
    exposure : (n,), positive
        Ground of each place in any unit.
    around
        Sums numbers (n,) over the neighbours of each place, the place itself not counted.
    tested : (n,)
        Whether a place has neighbours.

    Notes
    -----
    The pool are the places with at least 99 % of the largest place's ground or, where less than half of them are so
    large, those with at least the median; the unit is their mean.
    """
    share = np.asarray(exposure, dtype=float)
    if share.shape != tested.shape or not (share > 0).all() or not np.isfinite(share).all():
        raise InvalidInput("the ground of places must be one positive number each")
    share = share / share.max()
    share = np.where(share >= WHOLE, 1.0, share)
    if (share == 1.0).all():
        return None
    pool = np.flatnonzero(share >= min(1.0, float(np.median(share))))
    size = share / share[pool].mean()
    ground = around(size)
    if ground.max() >= pool.size:
        # Too much ground for the pool: all places, small or large, have to stand for it.
        pool = np.arange(share.size)
        size = share / share.mean()
        ground = around(size)
    parts = np.rint(ground * PARTS).astype(np.int64)
    parts = np.where(tested, np.clip(parts, 1, (pool.size - 1) * PARTS), 0)
    drawn, rest = np.divmod(parts, PARTS)
    member = np.full(share.size, -1)
    member[pool] = np.arange(pool.size)
    return Ground(size, pool, member, drawn, rest)


def star_on_ground(counts: NDArray[np.generic], near: Neighbourhoods, ground: Ground) -> Floats:
    """Return G* (n,) of counts (n,): ground takes the place of the number of places, the pool gives mean and spread."""
    numbers = counts.astype(float)
    whole = ground.around + np.where(near.own != 0, ground.size, 0.0)
    pool = drawn_from(numbers[ground.pool])
    drawn = Drawn(pool.mean, pool.variance, np.full(1, ground.size.sum()))
    return standard_score(near.sum_of(numbers), whole, whole, drawn, near.neighbours > 0)


def neighbours_on_ground(
    counts: NDArray[np.generic], sums: Floats, ground: Ground, tested: NDArray[np.bool_]
) -> Floats:
    """Return G (n,), as `star_on_ground` does G*: of the neighbours' sums (n,), the place itself not drawn either."""
    numbers = counts.astype(float)
    mean, variance = moments_without(numbers, numbers[ground.pool], ground.member >= 0)
    drawn = Drawn(mean, variance, ground.size.sum() - ground.size)
    return standard_score(sums, ground.around, ground.around, drawn, tested)


def exact_tails_on_ground(counts: Ints, ground: Ground, sums: Ints) -> Tails | None:
    """Return exact tails of the neighbours' sums (n,) for counts (n,); None where that would take long."""
    whole = whole_numbers(counts[ground.pool])
    if not is_affordable(whole, ground.drawn, sums):
        return None
    most, top, n = int(ground.drawn.max()), int(sums.max()) + 1, whole.values.size
    member = ground.member
    own = np.where(member >= 0, whole.index[member], -1)
    key = (((own + 1) * (most + 1) + ground.drawn) * PARTS + ground.rest) * (top + 1) + sums
    first, group = grouped(key, (whole.codes.size + 1) * (most + 1) * PARTS * (top + 1))
    thinned, used = _thinned(whole, ground.rest[first])
    own = own[first]
    ask = _Ask(np.where(own >= 0, whole.codes[own], -1), ground.drawn[first], used, sums[first])
    tilt = most / n if most else 1.0
    greater, less = _table_tails(whole.codes, whole.multiplicity, thinned, ask, top=top, tilt=tilt)
    tested = ground.around[first] > 0
    greater[~tested] = less[~tested] = np.nan
    lossy = np.isnan(greater) & tested
    for lost in np.unique(own[lossy]) if lossy.any() else ():
        again = np.flatnonzero((own == lost) & lossy)
        rest = whole.multiplicity - (np.arange(whole.codes.size) == lost)
        asked = _Ask(np.full(again.size, -1), ask.drawn[again], ask.thinned[again], ask.sums[again])
        greater[again], less[again] = _table_tails(whole.codes, rest, thinned, asked, top=top, tilt=tilt)
    return Tails(chance(greater), chance(less), group)


def swept_tails_on_ground(counts: Ints, ground: Ground, sums: Ints, *, permutations: int, seed: int) -> Tails:
    """Return sampled tails of the neighbours' sums (n,) for counts (n,).

    A place that is not in the pool is compared with draws from all of the pool but one place, chosen by its number.
    """
    values = counts[ground.pool]
    whole = whole_numbers(values)
    position = np.where(
        ground.member >= 0,
        ground.member,
        np.minimum(np.searchsorted(ground.pool, np.arange(counts.size)), values.size - 1),
    )
    thinned, used = _thinned(whole, ground.rest)
    even = np.random.default_rng([seed, 1]).random(permutations)
    kept = np.array([np.searchsorted(np.cumsum(row[:-1]), even, side="right") for row in thinned], dtype=np.int64)
    exact = np.zeros(counts.size, dtype=np.int64)
    return swept_tails(values, position, ground.drawn, sums, slack=exact, rest=used, added=kept, seed=seed)


def _thinned(whole: Whole, rest: Ints) -> tuple[Floats, Ints]:
    """Return distributions (r, c) of the incidents kept of one place, a row a share in use, and the row of each (n,).

    The first row is of none: no incident for certain.
    """
    shares, used = np.unique(np.append(rest, 0), return_inverse=True)
    chances = whole.multiplicity / whole.values.size
    table = np.stack([_thinned_counts(whole.codes, chances, share / PARTS) for share in shares])
    return table, used[:-1]


@dataclass(frozen=True, slots=True)
class _Ask:
    """Per group (g,) the value left out (-1 for none), the places drawn, the row of the thinned place, and the sum."""

    own: Ints
    drawn: Ints
    thinned: Ints
    sums: Ints


def _table_tails(
    codes: Ints, multiplicity: Ints, thinned: Floats, ask: _Ask, *, top: int, tilt: float
) -> tuple[Floats, Floats]:
    """Return both tails (g,) from one table of all values; nan where leaving a place out of it loses digits."""
    table = subset_sums(codes, multiplicity, int(ask.drawn.max()), top, tilt)
    upper, lower, n = from_above(table), np.cumsum(table, axis=1), int(multiplicity.sum())
    greater, less = _thinned_tails(upper, lower, ask.own, ask.drawn, thinned, ask.thinned, ask.sums, tilt, n)
    return greater, less


@njit(cache=True, nogil=True)
def _thinned_counts(codes, chances, share):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the distribution (c,) of what is left of a count drawn by chance, each incident kept with chance `share`.

    From its mode outwards, each binomial chance from the one before.
    """
    table = np.zeros(codes[-1] + 1)
    if share == 0.0:
        table[0] = 1.0
        return table
    odds = share / (1.0 - share)
    for d in range(codes.size):
        n = codes[d]
        mode = int((n + 1) * share)
        term = 1.0
        total = 0.0
        first = last = mode
        # Chances relative to the mode's; their sum scales them.
        for t in range(mode, n + 1):
            if term < _LEAST_SHARE:
                break
            total += term
            last = t
            term *= odds * (n - t) / (t + 1)
        term = 1.0
        for t in range(mode, 0, -1):
            term *= t / (odds * (n - t + 1))
            if term < _LEAST_SHARE:
                break
            total += term
            first = t - 1
        scale = chances[d] / total
        term = scale
        for t in range(mode, last + 1):
            table[t] += term
            term *= odds * (n - t) / (t + 1)
        term = scale
        for t in range(mode, first, -1):
            term *= t / (odds * (n - t + 1))
            table[t - 1] += term
    return table


@njit(cache=True, nogil=True)
def _thinned_tails(upper, lower, own, drawn, thinned, used, sums, tilt, n):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return both tails (g,) of the drawn places and the thinned one; `own` is the value left out, -1 for none."""
    with_all = subsets(upper.shape[0] - 1, n, tilt)
    without = subsets(upper.shape[0] - 1, n - 1, tilt)
    greater, less = np.full(own.size, np.nan), np.full(own.size, np.nan)
    for i in range(own.size):
        k, wanted = drawn[i], sums[i]
        more = fewer = 0.0
        sound = True
        for kept in range(thinned.shape[1]):
            weight = thinned[used[i], kept]
            if weight == 0.0:
                continue
            left = wanted - kept
            if left < 0:
                more += weight
            elif own[i] < 0:
                more += weight * upper[k, left] / with_all[k]
                fewer += weight * lower[k, left] / with_all[k]
            else:
                above, below, fine = tails_without(upper, lower, own[i], k, left, tilt)
                more += weight * above / without[k]
                fewer += weight * below / without[k]
                sound &= fine
        if sound:
            greater[i], less[i] = more, fewer
    return greater, less
