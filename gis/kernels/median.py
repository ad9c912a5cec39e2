"""Where to place posts so that demand is served from the nearest in the least time: the p-median, with its proof.

The search of `gis.kernels.median_search` gives sites and a Lagrangian bound, which often is the proof already. Where it
is not, sites that no better choice could have, or do without, are fixed by what they save at the prices of the bound,
and HiGHS solves what is left in the formulation of Elloumi (2010), Journal of Combinatorial Optimization 19, 69-83: one
variable for each time that a demand may have to its nearest site, instead of one for each pair.

``seconds`` (m, n) are the times from each site (rows) to each demand (columns), and finite: what is not reached at all
has to have a time that says how bad that is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gis.errors import Infeasible, InvalidInput, Problem
from gis.kernels.cover_search import Aim, search_cover
from gis.kernels.median_search import INSTANT, THOROUGH, Prices, interchange, lagrangian, served_from
from gis.kernels.mixed_integer import Programme, Watch, solve
from gis.kernels.siting_answer import Bools, Floats, Ints, Siting, Whole, as_whole, check_question, whole_below

TIME_LIMIT_S = 60.0
MOST_LEVELS = 300_000
"""Different times of all demand that HiGHS is asked about; beyond it the Lagrangian bound has to do."""
_HALF = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Backup:
    """Demand that two sites have to cover.

    Attributes
    ----------
    cover : (m, n)
        Which demand each site covers.
    share
        Of all weight, that at least two sites cover.
    """

    cover: sparse.csr_array
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """Costs and weights, whole.

    Attributes
    ----------
    seconds, weight
        As given.
    cost : (m, n)
        Whole, as floats.
    whole
        Of `cost`.
    backed : (m, n)
        What each site covers, as far as two must; None where backup plays no part.
    weights : (n,)
        Whole.
    needed
        Whole weight that two sites must cover.
    """

    seconds: Floats
    weight: Floats
    cost: Floats
    whole: Whole
    must: Bools
    p: int
    backed: sparse.csr_array | None
    weights: Ints
    needed: int

    def value(self, sites: Ints) -> float:
        """Return the weighted seconds of all demand from the nearest of some sites."""
        return float(self.weight @ self.seconds[sites].min(axis=0))

    def whole_value(self, sites: Ints) -> float:
        """Return the same in whole numbers."""
        return float(served_from(self.cost, sites).sum())

    def allows(self, sites: Ints) -> bool:
        """Return whether enough demand is covered twice."""
        if self.backed is None:
            return True
        times = np.bincount(self.backed[sites].indices, minlength=self.weights.size)
        return int(self.weights[times > 1].sum()) >= self.needed


def p_median(
    seconds: Floats,
    weight: Floats,
    p: int,
    *,
    must: Bools | None = None,
    backup: Backup | None = None,
    time_limit_s: float = TIME_LIMIT_S,
    watch: Watch | None = None,
    seed: int = 0,
) -> Siting:
    """Return the p sites from the nearest of which all demand is served in the least time.

    Parameters
    ----------
    seconds : (m, n)
    weight : (n,)
        Not negative.
    p
        Sites in all, those of `must` among them; all where there are fewer.
    must : (m,), optional
        Sites that are there already.
    backup
        Demand that two sites have to cover.
    time_limit_s
        For HiGHS; with 0 the answer is that of the search, with the Lagrangian bound.
    watch
        Told about the progress; what it raises ends the computation.

    Returns
    -------
    Siting
        Its value is the sum of weight times seconds.

    Raises
    ------
    InvalidInput
        A time is not finite or negative.
    Infeasible
        `p` is less than what must be open, or the backup cannot be had.

    Examples
    --------
    >>> found = p_median(np.array([[0.0, 2, 5, 9], [2, 0, 3, 7], [9, 7, 4, 0]]), np.ones(4), 2)
    >>> found.sites.tolist(), found.value, found.status
    ([1, 2], 5.0, 'optimal')
    """
    asked = _question(seconds, weight, p, must, backup)
    best, prices = _searched(asked, seed, THOROUGH if time_limit_s > 0 else INSTANT)
    bound = whole_below(prices.bound)
    if best is not None and asked.p in (int(asked.must.sum()), seconds.shape[0]):
        # There is no other choice.
        bound = int(asked.whole_value(best))
    if time_limit_s > 0 and (best is None or asked.whole_value(best) > bound):
        best, bound = _by_highs(asked, best, prices, time_limit_s, watch)
    if best is None:
        raise Infeasible(f"no {p} sites were found that cover the share asked for of the demand twice")
    whole_value, value = asked.whole_value(best), asked.value(best)
    limit = -asked.whole.bound(-min(bound, whole_value), weight.size)
    return Siting(best, value, min(limit, value), "optimal" if whole_value <= bound else "bounded")


def _question(seconds: Floats, weight: Floats, p: int, must: Bools | None, backup: Backup | None) -> _Question:
    if (bad := int((~((seconds >= 0) & np.isfinite(seconds))).sum())) > 0:
        raise InvalidInput("no median", [Problem("bad_seconds", "a time is a finite number from 0", count=bad)])
    held = check_question(seconds.shape[0], weight, must, p)
    cost = seconds * weight
    whole = as_whole(cost, most_total=max(float(cost.max(axis=0).sum()), 1.0))
    weights, needed, backed = np.zeros(weight.size, np.int64), 0, None
    if backup is not None:
        weights = as_whole(weight, most_total=max(float(weight.sum()), 1.0)).values
        needed = int(np.ceil(backup.share * weights.sum() - 1e-6))
        backed = sparse.csr_array(backup.cover)
        possible = int(weights[np.bincount(backed.indices, minlength=weight.size) > 1].sum())
        if needed > possible:
            raise Infeasible(
                f"a backup share of {backup.share:g} is asked for, but only "
                f"{possible / max(int(weights.sum()), 1):.4g} of the demand has two sites within reach"
            )
    sites = min(p, seconds.shape[0])
    return _Question(seconds, weight, whole.values.astype(float), whole, held, sites, backed, weights, needed)


def _searched(asked: _Question, seed: int, most_steps: int) -> tuple[Ints | None, Prices]:
    """Return the sites of the search, None where they lack backup, and the prices of the bound."""
    free = interchange(asked.cost, asked.p, must=asked.must, most_steps=most_steps, seed=seed)
    prices = lagrangian(asked.cost, asked.p, asked.whole_value(free), must=asked.must, most_steps=most_steps)
    return (free if asked.allows(free) else _backed(asked, seed)), prices


def _backed(asked: _Question, seed: int) -> Ints | None:
    """Return sites with enough backup that no exchange of one betters, None where none are found."""
    assert asked.backed is not None  # noqa: S101 - without backup everything is allowed
    found = search_cover(
        asked.backed, asked.weights, asked.p, must=asked.must, aim=Aim(0, 1, asked.needed), seed=seed
    ).sites
    rest = np.setdiff1d(np.arange(asked.must.size), found)
    sites = np.concatenate([found, rest[: asked.p - found.size]])
    if not asked.allows(sites):
        return None
    while (better := _exchanged(asked, sites)) is not None:
        sites = better
    return np.sort(sites)


def _exchanged(asked: _Question, sites: Ints) -> Ints | None:
    """Return the sites after the best exchange of one that keeps enough backup, None where none is better."""
    assert asked.backed is not None  # noqa: S101 - as above
    best, least = None, asked.whole_value(sites)
    for out in sites[~asked.must[sites]]:
        kept = sites[sites != out]
        times = np.bincount(asked.backed[kept].indices, minlength=asked.weights.size)
        twice = asked.weights[times > 1].sum() + asked.backed @ np.where(times == 1, asked.weights, 0)
        standing = served_from(asked.cost, kept) if kept.size else np.full(asked.weight.size, np.inf)
        total = np.minimum(asked.cost, standing).sum(axis=1)
        total[(twice < asked.needed) | np.isin(np.arange(total.size), kept)] = np.inf
        if total.min() < least:
            best, least = np.append(kept, np.argmin(total)), float(total.min())
    return best


def _by_highs(
    asked: _Question, best: Ints | None, prices: Prices, time_limit_s: float, watch: Watch | None
) -> tuple[Ints | None, int]:
    """Return the best sites known and the bound, after HiGHS."""
    bound = whole_below(prices.bound)
    must, closed = asked.must, np.zeros(asked.must.size, bool)
    if best is not None:
        must, closed = _fixed(asked, prices, asked.whole_value(best))
    left = np.flatnonzero(~closed)
    levels = _levels(asked.cost[left], asked.p, must[left])
    if levels.count > MOST_LEVELS:
        return best, bound
    constant, scale = levels.least, asked.whole.scale
    start = None if best is None or not np.isin(best, left).all() else _start(asked, best, left, levels)
    told = None if watch is None else (lambda s, v, b: watch(s, (v + constant) / scale, (b + constant) / scale))
    programme = _programme(asked, left, must[left], levels)
    solved = solve(programme, time_limit_s=time_limit_s, start=start, presolve=False, watch=told)
    if solved.ending == "infeasible":
        if best is None:
            raise Infeasible("no sites have the backup that is asked for")
        # Nothing better than the best is left.
        return best, int(asked.whole_value(best))
    found = bound if not np.isfinite(solved.bound) else whole_below(solved.bound + constant)
    if solved.x is not None:
        sites = left[solved.x[: left.size] > _HALF]
        if asked.allows(sites) and (best is None or asked.whole_value(sites) < asked.whole_value(best)):
            best = sites
    # What was fixed could have been part of nothing better than the best: it bounds only together with that.
    return best, max(bound, found if best is None else min(found, int(asked.whole_value(best))))


def _fixed(asked: _Question, prices: Prices, value: float) -> tuple[Bools, Bools]:
    """Return the sites (m,) that every choice better than `value` opens, and those that none opens."""
    room = asked.p - int(asked.must.sum())
    free = np.where(asked.must, np.inf, prices.saving)
    order = np.sort(free)
    last = order[room - 1]
    following = order[room] if room < order.size else np.inf
    # Better means by one at least, for costs are whole.
    beyond = value - 1 + 1e-3
    closed = ~asked.must & (prices.bound + prices.saving - last > beyond)
    opened = ~asked.must & (prices.bound - prices.saving + following > beyond) & (free <= last)
    return asked.must | opened, closed


@dataclass(frozen=True, slots=True, eq=False)
class _Levels:
    """The different costs of each demand, as far as its nearest site may have to lie.

    Attributes
    ----------
    first : (z,)
        Whether it is the least of its demand; levels are in the order of demand, then of cost.
    step : (z,)
        How much more the next one costs.
    cost : (z,)
    pair_level, pair_site : (q,)
        Which sites cost what each level does.
    least
        What all demand would cost at its first levels.
    demand : (z,)
        Whose level it is.
    """

    first: Bools
    step: Floats
    cost: Floats
    pair_level: Ints
    pair_site: Ints
    least: float
    demand: Ints

    @property
    def count(self) -> int:
        """How many levels of all demand."""
        return self.step.size


def _levels(cost: Floats, p: int, must: Bools) -> _Levels:
    m, n = cost.shape
    order = np.argsort(cost, axis=0, kind="stable")
    sorted_cost = np.take_along_axis(cost, order, axis=0)
    new = np.ones((m, n), bool)
    new[1:] = sorted_cost[1:] > sorted_cost[:-1]
    number = np.cumsum(new, axis=0) - 1
    # Of p open sites the nearest is none of the p - 1 last, and no farther than one that must be open.
    last = number[m - p].copy()
    if must.any():
        nearest = cost[must].min(axis=0)
        last = np.minimum(last, number[(sorted_cost <= nearest).sum(axis=0) - 1, np.arange(n)])
    every, place = np.nonzero((new & (number <= last)).T)
    values = sorted_cost[place, every]
    inner = every[1:] == every[:-1]
    demand = every[:-1][inner]
    index = np.concatenate([[0], np.cumsum(last)])
    pair_demand, pair_place = np.nonzero((number < last).T)
    return _Levels(
        index[demand] == np.arange(demand.size),
        np.diff(values)[inner],
        values[:-1][inner],
        index[pair_demand] + number[pair_place, pair_demand],
        order[pair_place, pair_demand],
        float(sorted_cost[0].sum()),
        demand,
    )


def _programme(asked: _Question, left: Ints, must: Bools, levels: _Levels) -> Programme:
    """Minimise step z with z_t + (sites at level t) >= z of the level before (1 before the first), sum x = p.

    Where backup is needed 2 u <= C x and w u >= needed, u whole.
    """
    z, m = levels.count, left.size
    one = np.arange(z)
    later = np.flatnonzero(~levels.first)
    sites = sparse.csr_array((np.ones(levels.pair_level.size), (levels.pair_level, levels.pair_site)), shape=(z, m))
    chain = sparse.csr_array(
        (
            np.concatenate([np.ones(z), -np.ones(later.size)]),
            (np.concatenate([one, later]), np.concatenate([one, later - 1])),
        ),
        shape=(z, z),
    )
    rows: list[list[sparse.sparray | None]] = [[sites, chain], [sparse.csr_array(np.ones((1, m))), None]]
    lower, upper = (
        [levels.first.astype(float), np.array([float(asked.p)])],
        [np.full(z, np.inf), np.array([float(asked.p)])],
    )
    twice = 0
    if asked.backed is not None:
        covering = asked.backed[left].T.tocsr().astype(float)
        backed = np.flatnonzero(np.diff(covering.indptr) > 1)
        twice = backed.size
        rows = [[*row, None] for row in rows]
        rows.append([covering[backed], None, -2 * sparse.eye_array(twice)])
        rows.append([None, None, sparse.csr_array(asked.weights[backed][None].astype(float))])
        lower += [np.zeros(twice), np.array([float(asked.needed)])]
        upper += [np.full(twice + 1, np.inf)]
    least = np.zeros(m + z + twice)
    least[:m] = must
    return Programme(
        np.concatenate([np.zeros(m), levels.step, np.zeros(twice)]),
        least,
        np.ones(m + z + twice),
        np.concatenate([np.ones(m, bool), np.zeros(z, bool), np.ones(twice, bool)]),
        sparse.block_array(rows, format="csc"),
        np.concatenate(lower),
        np.concatenate(upper),
    )


def _start(asked: _Question, sites: Ints, left: Ints, levels: _Levels) -> Floats:
    """Return these sites as a solution of the programme."""
    farther = served_from(asked.cost, sites)[levels.demand] > levels.cost
    parts = [np.isin(left, sites), farther]
    if asked.backed is not None:
        backed = np.bincount(asked.backed[left].indices, minlength=asked.weights.size) > 1
        parts.append((np.bincount(asked.backed[sites].indices, minlength=asked.weights.size) > 1)[backed])
    return np.concatenate(parts).astype(float)
