"""Choosing sites by what they cover, in milliseconds: greedy, one-swap, and kicks out of where swaps end.

How much of the demand is covered at all and how much twice is kept up to date for every site that might be added, so
that a step costs no more than the demand it changes. Greedy alone reaches at least 1 - 1/e of the best coverage
(Nemhauser, Wolsey and Fisher 1978, Mathematical Programming 14, 265-294), and what it leaves tells how much better any
other choice could be.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

from gis.kernels.random_stream import below, stream

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KICKS = 60
"""Times that a few sites are exchanged at random to get away from where swaps end."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What counts: ``once * (weight covered) + twice * min(weight covered twice, enough)``, the more the better."""

    once: int
    twice: int
    enough: int


COVER = Aim(1, 0, 0)
"""As much as possible covered, whether once or more often."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Sites that a search ended with.

    Attributes
    ----------
    sites : (k,)
        In ascending order, those that had to be open among them.
    once, twice
        Weight that they cover, and that they cover at least twice.
    at_most
        No choice of as many sites covers more weight.
    """

    sites: Ints
    once: int
    twice: int
    at_most: int


def as_lists(cover: sparse.csr_array) -> tuple[Ints, Ints, Ints, Ints]:
    """Return what each site (m,) covers and by which sites each demand (n,) is covered: begins and lists, twice."""
    turned = cover.T.tocsr()
    return tuple(np.asarray(part, np.int64) for c in (cover, turned) for part in (c.indptr, c.indices))  # type: ignore[return-value]


def search_cover(
    cover: sparse.csr_array,
    weight: Ints,
    p: int,
    *,
    must: Bools | None = None,
    aim: Aim = COVER,
    kicks: int = KICKS,
    seed: int = 0,
) -> Found:
    """Return sites that serve an aim well: greedy, then swaps of one site, then kicks.

    Parameters
    ----------
    cover : (m, n)
        What each site covers.
    weight : (n,)
        Whole, not negative.
    p
        Sites at most, those of `must` among them; a site that would add nothing is not opened.
    must : (m,), optional
        Sites that are open whatever they cover.

    Examples
    --------
    >>> cover = sparse.csr_array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    >>> search_cover(cover, np.array([3, 1, 1, 2]), 2)
    Found(sites=array([0, 2]), once=7, twice=0, at_most=7)
    """
    m = cover.shape[0]
    opened = np.zeros(m, bool) if must is None else must.copy()
    free = p - int(opened.sum())
    numbers = np.array([aim.once, aim.twice, aim.enough], np.int64)
    must, whole = opened.copy(), weight.astype(np.int64)
    times = _search(as_lists(cover), whole, must, free, numbers, kicks, opened, stream(seed))
    once, twice = (int(whole[times >= least].sum()) for least in (1, 2))
    # Any other sites would together add no more than what each would add alone (submodularity), now or at the outset.
    at_most = [int(whole.sum())]
    for standing in (opened, must):
        bare = np.bincount(cover[np.flatnonzero(standing)].indices, minlength=whole.size) == 0
        more = np.sort((cover @ np.where(bare, whole, 0))[~standing])[::-1][:free]
        at_most.append(int(whole[~bare].sum() + more.sum()))
    return Found(np.flatnonzero(opened), once, twice, min(at_most))


def search_full_cover(
    cover: sparse.csr_array,
    weight: Ints,
    *,
    must: Bools | None = None,
    enough: int = 0,
    kicks: int = KICKS,
    seed: int = 0,
) -> Found:
    """Return few sites that cover every demand with a site, and `enough` weight twice where that is possible.

    The same search as `search_cover`, with one site fewer each time until it no longer covers all.
    """
    m, n = cover.shape
    must = np.zeros(m, bool) if must is None else must
    # Demand of no weight must be covered too, and without backup all demand alike.
    counted = np.maximum(weight.astype(np.int64), 1) if enough else np.ones(n, np.int64)
    aim = Aim(1, 1, enough + int((counted - weight).sum())) if enough else COVER
    most = search_cover(cover, counted, m, must=must, aim=aim, kicks=0)
    goal = most.once + min(most.twice, aim.enough)
    while most.sites.size > int(must.sum()):
        fewer = search_cover(cover, counted, most.sites.size - 1, must=must, aim=aim, kicks=kicks, seed=seed)
        if fewer.once + min(fewer.twice, aim.enough) < goal:
            break
        most = fewer
    times = np.bincount(cover[most.sites].indices, minlength=n)
    once, twice = (int(weight[times >= least].sum()) for least in (1, 2))
    return Found(most.sites, once, twice, int(weight.sum()))


def least_sites(cover: sparse.csr_array) -> int:
    """Return a number of sites below which not all demand with a site can be covered.

    Demand of which no two have a site in common needs a site each.

    Examples
    --------
    >>> least_sites(sparse.csr_array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]))
    2
    """
    begins, _, back, covering = as_lists(cover)
    return int(_apart(begins.size - 1, back, covering, np.argsort(np.diff(back), kind="stable")))


@njit(cache=True, nogil=True)
def _apart(sites_count, back, covering, order):  # type: ignore[no-untyped-def]
    used = np.zeros(sites_count, np.bool_)
    found = 0
    for i in order:
        free = back[i + 1] > back[i]
        for at in range(back[i], back[i + 1]):
            free &= not used[covering[at]]
        if free:
            found += 1
            for at in range(back[i], back[i + 1]):
                used[covering[at]] = True
    return found


@njit(cache=True, nogil=True)
def _change(lists, weight, site, by, times, first, second, sums):  # type: ignore[no-untyped-def]
    """Open (`by` = 1) or close (-1) a site; `first` and `second` are what each site would add once and twice."""
    begins, covered, back, covering = lists
    for at in range(begins[site], begins[site + 1]):
        i = covered[at]
        w = weight[i]
        low = min(times[i], times[i] + by)
        times[i] += by
        if low == 0:
            sums[0] += by * w
            for other in range(back[i], back[i + 1]):
                first[covering[other]] -= by * w
                second[covering[other]] += by * w
        elif low == 1:
            sums[1] += by * w
            for other in range(back[i], back[i + 1]):
                second[covering[other]] -= by * w


@njit(cache=True, nogil=True)
def _worth(aim, once, twice):  # type: ignore[no-untyped-def]
    return aim[0] * once + aim[1] * min(twice, aim[2])


@njit(cache=True, nogil=True)
def _best(opened, first, second, sums, aim):  # type: ignore[no-untyped-def]
    """Return the closed site that adds most, the first of equals; -1 where all are open."""
    site = np.int64(-1)
    most = np.int64(-1)
    for j in range(opened.size):
        if not opened[j]:
            worth = _worth(aim, sums[0] + first[j], sums[1] + second[j])
            if worth > most:
                site, most = np.int64(j), worth
    return site


@njit(cache=True, nogil=True)
def _fill(lists, weight, opened, room, aim, times, first, second, sums):  # type: ignore[no-untyped-def]
    """Open what adds most, `room` sites at most, as long as it adds anything; return the room that is left."""
    while room > 0:
        site = _best(opened, first, second, sums, aim)
        if site < 0 or _worth(aim, sums[0] + first[site], sums[1] + second[site]) <= _worth(aim, sums[0], sums[1]):
            break
        _change(lists, weight, site, 1, times, first, second, sums)
        opened[site] = True
        room -= 1
    return room


@njit(cache=True, nogil=True)
def _swap(lists, weight, must, opened, aim, times, first, second, sums):  # type: ignore[no-untyped-def]
    """Exchange one open site for a closed one while that is better; return how many without use were closed."""
    closed = 0
    better = True
    while better:
        better = False
        for site in range(opened.size):
            if not opened[site] or must[site]:
                continue
            before = _worth(aim, sums[0], sums[1])
            _change(lists, weight, site, -1, times, first, second, sums)
            opened[site] = False
            if _worth(aim, sums[0], sums[1]) == before:
                closed += 1
                continue
            best = _best(opened, first, second, sums, aim)
            worth = _worth(aim, sums[0] + first[best], sums[1] + second[best])
            if worth > before:
                better = True
            else:
                best = site
            _change(lists, weight, best, 1, times, first, second, sums)
            opened[best] = True
    return closed


@njit(cache=True, nogil=True)
def _fill_and_swap(lists, weight, must, opened, room, aim, times, first, second, sums):  # type: ignore[no-untyped-def]
    """Fill and swap until swaps leave no room to fill; return the room that is left."""
    while True:
        before = _worth(aim, sums[0], sums[1])
        room = _fill(lists, weight, opened, room, aim, times, first, second, sums)
        room += _swap(lists, weight, must, opened, aim, times, first, second, sums)
        if room == 0 or _worth(aim, sums[0], sums[1]) == before:
            return room


@njit(cache=True, nogil=True)
def _search(lists, weight, must, room, aim, kicks, best_opened, state):  # type: ignore[no-untyped-def]  # noqa: C901, PLR0912
    """Write the best sites found into `best_opened`, and return how many of them cover each demand."""
    begins, covered, back, _ = lists
    m, n = begins.size - 1, back.size - 1
    times = np.zeros(n, np.int64)
    first, second = np.zeros(m, np.int64), np.zeros(m, np.int64)
    sums = np.zeros(2, np.int64)
    opened = must.copy()
    for j in range(m):
        for at in range(begins[j], begins[j + 1]):
            first[j] += weight[covered[at]]
    for j in range(m):
        if must[j]:
            _change(lists, weight, j, 1, times, first, second, sums)
    left = _fill_and_swap(lists, weight, must, opened, room, aim, times, first, second, sums)
    best, best_left = _worth(aim, sums[0], sums[1]), left
    best_opened[:] = opened
    for _ in range(kicks if room > 1 else 0):
        left = best_left
        if left == room:
            break
        # Some of them out, one anywhere in: otherwise greedy would often go straight back.
        for _ in range(1 + below(state, 3)):
            site = below(state, m)
            while must[site] or not best_opened[site]:
                site = (site + 1) % m
            if opened[site]:
                _change(lists, weight, site, -1, times, first, second, sums)
                opened[site] = False
                left += 1
        site = below(state, m)
        if not opened[site]:
            _change(lists, weight, site, 1, times, first, second, sums)
            opened[site] = True
            left -= 1
        left = _fill_and_swap(lists, weight, must, opened, left, aim, times, first, second, sums)
        worth = _worth(aim, sums[0], sums[1])
        if worth > best:
            best, best_left = worth, left
            best_opened[:] = opened
        for j in range(m):
            if opened[j] != best_opened[j]:
                _change(lists, weight, j, -1 if opened[j] else 1, times, first, second, sums)
                opened[j] = best_opened[j]
    return times
