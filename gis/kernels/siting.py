"""Where to place posts so that demand is covered: fewest sites, most demand, with backup; proven, or with a bound.

Set covering (LSCP; Toregas and others 1971, Operations Research 19, 1363-1373), maximal covering (MCLP; Church and
ReVelle 1974, Papers of the Regional Science Association 32, 101-118), and set covering with backup (LSCP-B; Hogan and
ReVelle 1986, Management Science 32, 1434-1444). Rows of demand that the same sites cover are one row with the sum of
their weights, the search of `gis.kernels.cover_search` gives HiGHS its start, and only what is whole is compared.

``cover`` (m, n) says which demand (columns) each site (row) covers: what `cover_within` makes of travel times. What no
site covers has to be taken out, or counts as never covered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from gis.errors import Infeasible
from gis.kernels.cover_search import COVER, Aim, least_sites, search_cover, search_full_cover
from gis.kernels.mixed_integer import Programme, Solved, Watch, solve
from gis.kernels.siting_answer import (
    Bools,
    Floats,
    Ints,
    Siting,
    Whole,
    as_whole,
    check_question,
    whole_above,
    whole_below,
)

TIME_LIMIT_S = 60.0


def cover_within(seconds: Floats, limit_s: float) -> sparse.csr_array:
    """Return which demand each site reaches in time, from travel times (m, n)."""
    return sparse.csr_array((seconds <= limit_s).astype(np.int8))


def merged_demand(cover: sparse.csr_array) -> tuple[sparse.csr_array, Ints]:
    """Return the cover (m, k) of the different rows of demand, and the row (n,) that each demand became.

    Rows stand in the order in which they first occur; -1 for demand that no site covers.

    Examples
    --------
    >>> merged_demand(sparse.csr_array([[1, 0, 1, 1], [0, 0, 0, 1]]))[1].tolist()
    [0, -1, 0, 1]
    """
    columns = cover.tocsc()
    columns.sort_indices()
    begins, sites = columns.indptr, columns.indices
    numbers: dict[bytes, int] = {}
    row = np.empty(columns.shape[1], np.int64)
    first: list[int] = []
    for i in range(columns.shape[1]):
        key = sites[begins[i] : begins[i + 1]].tobytes()
        row[i] = numbers.setdefault(key, len(numbers)) if key else -1
        if row[i] == len(first):
            first.append(i)
    return columns[:, first].tocsr(), row


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """Demand merged, weights whole.

    Attributes
    ----------
    cover : (m, k)
    weight : (k,)
        Whole.
    whole
        Of each demand (n,) as given.
    """

    cover: sparse.csr_array
    weight: Ints
    whole: Whole
    given: sparse.csr_array
    given_weight: Floats
    must: Bools

    @property
    def times(self) -> Ints:
        """How many sites cover each row (k,)."""
        return np.bincount(self.cover.indices, minlength=self.cover.shape[1])

    def needed(self, backup_share: float) -> int:
        """Return the whole weight that has to be covered twice; `Infeasible` where it cannot be."""
        needed = int(np.ceil(backup_share * self.whole.values.sum() - 1e-6))
        if needed > (possible := int(self.weight[self.times > 1].sum())):
            raise Infeasible(
                f"a backup share of {backup_share:g} is asked for, but only "
                f"{possible / max(int(self.whole.values.sum()), 1):.4g} of the demand has two sites within reach"
            )
        return needed

    def covers_all(self, sites: Ints) -> bool:
        """Return whether each row has one of the sites."""
        return bool((np.bincount(self.cover[sites].indices, minlength=self.weight.size) > 0).all())

    def backs(self, sites: Ints, needed: int) -> bool:
        """Return whether so much whole weight has two of the sites."""
        return self.covered(sites, 2)[1] >= needed

    def start(self, sites: Ints, *, once: bool, twice: bool) -> Floats:
        """Return these sites as a solution of the programmes below: sites, then rows covered, then rows with backup."""
        opened = np.zeros(self.must.size)
        opened[sites] = 1
        times = np.bincount(self.cover[sites].indices, minlength=self.weight.size)
        more = [times > 0] * once + [(times > 1)[self.times > 1]] * twice
        return np.concatenate([opened, *more]).astype(float)

    def opened(self, solved: Solved) -> Ints | None:
        """Return the sites of a solution; None where there is none."""
        return None if solved.x is None else np.flatnonzero(solved.x[: self.must.size] > 0.5)  # noqa: PLR2004 - 0 or 1

    def covered(self, sites: Ints, least: int = 1) -> tuple[float, int]:
        """Return the weight that `sites` cover at least so often, as given and whole."""
        times = np.bincount(self.given[sites].indices, minlength=self.given.shape[1])
        return float(self.given_weight[times >= least].sum()), int(self.whole.values[times >= least].sum())


def _question(cover: sparse.csr_array, weight: Floats | None, must: Bools | None, p: int | None = None) -> _Question:
    given_weight = np.ones(cover.shape[1]) if weight is None else np.asarray(weight, np.float64)
    held = check_question(cover.shape[0], given_weight, must, p)
    whole = as_whole(given_weight, most_total=float(given_weight.sum()))
    rows, row = merged_demand(cover)
    sums = np.bincount(row[row >= 0], whole.values[row >= 0], minlength=rows.shape[1]).astype(np.int64)
    return _Question(rows, sums, whole, sparse.csr_array(cover), given_weight, held)


def mclp(
    cover: sparse.csr_array,
    weight: Floats,
    p: int,
    *,
    must: Bools | None = None,
    backup_share: float = 0.0,
    time_limit_s: float = TIME_LIMIT_S,
    watch: Watch | None = None,
    seed: int = 0,
) -> Siting:
    """Return at most p sites that cover the most weight.

    Parameters
    ----------
    cover : (m, n)
    weight : (n,)
        Not negative.
    p
        Sites in all, those of `must` among them. None is opened that would cover nothing more.
    must : (m,), optional
        Sites that are there already.
    backup_share
        Share of all weight that at least two sites have to cover.
    time_limit_s
        For HiGHS; with 0 the answer is that of the search, with the bound that it met.
    watch
        Told about the progress; what it raises ends the computation.

    Raises
    ------
    Infeasible
        `p` is less than what must be open, or the backup share cannot be had.

    Examples
    --------
    >>> cover = sparse.csr_array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    >>> found = mclp(cover, np.array([3.0, 1.0, 1.0, 2.0]), 2)
    >>> found.sites.tolist(), found.value, found.status
    ([0, 2], 7.0, 'optimal')
    """
    asked = _question(cover, weight, must, p)
    needed = asked.needed(backup_share)
    aim = Aim(1, int(asked.weight.sum()) + 1, needed) if needed else COVER
    found = search_cover(asked.cover, asked.weight, p, must=asked.must, aim=aim, seed=seed)
    bound, best = found.at_most, found.sites if found.twice >= needed else None
    if time_limit_s > 0 and (best is None or asked.covered(best)[1] < bound):
        start = None if best is None else asked.start(best, once=True, twice=needed > 0)
        solved = solve(
            _most_covered(asked, p, needed),
            time_limit_s=time_limit_s,
            start=start,
            presolve=False,
            watch=_told(watch, asked),
        )
        if solved.ending == "infeasible":
            raise Infeasible(f"no {p} sites cover a share of {backup_share:g} of the demand twice")
        bound = min(bound, whole_above(-solved.bound)) if np.isfinite(solved.bound) else bound
        sites = asked.opened(solved)
        if sites is not None and asked.backs(sites, needed):
            best = max([sites, *([] if best is None else [best])], key=lambda one: asked.covered(one)[1])
    if best is None:
        raise Infeasible(f"no {p} sites were found in time that cover a share of {backup_share:g} of the demand twice")
    return _most(asked, best, bound)


def lscp(
    cover: sparse.csr_array,
    *,
    weight: Floats | None = None,
    must: Bools | None = None,
    backup_share: float = 0.0,
    time_limit_s: float = TIME_LIMIT_S,
    watch: Watch | None = None,
    seed: int = 0,
) -> Siting:
    """Return the fewest sites that cover all demand; `value` counts them, those of `must` included.

    Parameters
    ----------
    cover : (m, n)
    weight : (n,), optional
        Of what `backup_share` is a share; 1 each when not given. All demand is covered whatever its weight.
    must, backup_share, time_limit_s, watch
        As for `mclp`.

    Raises
    ------
    Infeasible
        Some demand has no site within reach, or the backup share cannot be had.

    Examples
    --------
    >>> lscp(sparse.csr_array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])).sites.tolist()
    [0, 2]
    """
    asked = _question(cover, weight, must)
    _all_coverable(cover)
    needed = asked.needed(backup_share)
    return _fewest(asked, needed, time_limit_s, watch, seed)


def lscp_backup(
    cover: sparse.csr_array,
    weight: Floats | None = None,
    *,
    must: Bools | None = None,
    backup_share: float = 0.0,
    time_limit_s: float = TIME_LIMIT_S,
    watch: Watch | None = None,
    seed: int = 0,
) -> tuple[Siting, Siting]:
    """Return the fewest sites that cover all demand, and of all choices of as many the one with the most backup.

    Parameters
    ----------
    cover : (m, n)
    weight : (n,), optional
        1 each when not given.
    must, backup_share, time_limit_s, watch
        As for `lscp`; each of the two questions has half of the time.

    Returns
    -------
    fewest, backed : Siting
        Both have the same number of sites. The value of the second is the weight that at least two of them cover.

    Raises
    ------
    Infeasible
        As `lscp`.

    Examples
    --------
    >>> fewest, backed = lscp_backup(sparse.csr_array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 1, 1]]))
    >>> backed.sites.tolist(), backed.value
    ([1, 2], 1.0)
    """
    asked = _question(cover, weight, must)
    _all_coverable(cover)
    needed = asked.needed(backup_share)
    fewest = _fewest(asked, needed, time_limit_s / 2, watch, seed)
    p = fewest.sites.size
    total = int(asked.weight.sum())
    # Weight 1 for what has none: it has to be covered all the same.
    found = search_cover(
        asked.cover, np.maximum(asked.weight, 1), p, must=asked.must, aim=Aim(total + 1, 1, total), seed=seed
    )
    bound, best = int(asked.weight[asked.times > 1].sum()), fewest.sites
    if asked.covers_all(found.sites) and asked.covered(found.sites, 2)[1] > asked.covered(best, 2)[1]:
        best = found.sites
    if time_limit_s > 0 and asked.covered(best, 2)[1] < bound:
        start = asked.start(best, once=False, twice=True)
        solved = solve(_most_backup(asked, p), time_limit_s=time_limit_s / 2, start=start, watch=_told(watch, asked))
        bound = min(bound, whole_above(-solved.bound))
        sites = asked.opened(solved)
        if sites is not None and asked.covers_all(sites) and asked.covered(sites, 2)[1] > asked.covered(best, 2)[1]:
            best = sites
    return fewest, _most(asked, best, bound, least=2)


def _fewest(asked: _Question, needed: int, time_limit_s: float, watch: Watch | None, seed: int) -> Siting:
    found = search_full_cover(asked.cover, asked.weight, must=asked.must, enough=needed, seed=seed)
    best, bound = found.sites, max(least_sites(asked.cover), int(asked.must.sum()))
    if time_limit_s > 0 and best.size > bound:
        programme = _fewest_sites(asked, needed)
        start = asked.start(best, once=False, twice=needed > 0)
        solved = solve(programme, time_limit_s=time_limit_s, start=start, watch=watch)
        bound = max(bound, whole_below(solved.bound)) if np.isfinite(solved.bound) else bound
        sites = asked.opened(solved)
        if sites is not None and sites.size < best.size and asked.covers_all(sites) and asked.backs(sites, needed):
            best = sites
    return Siting(best, float(best.size), float(bound), "optimal" if best.size <= bound else "bounded")


def _most(asked: _Question, sites: Ints, bound: int, *, least: int = 1) -> Siting:
    value, whole_value = asked.covered(sites, least)
    proven = whole_value >= bound
    limit = asked.whole.bound(max(bound, whole_value), asked.given_weight.size)
    return Siting(sites, value, max(limit, value), "optimal" if proven else "bounded")


def _all_coverable(cover: sparse.csr_array) -> None:
    lost = np.flatnonzero(np.bincount(cover.indices, minlength=cover.shape[1]) == 0)
    if lost.size:
        some = ", ".join(str(i) for i in lost[:5])
        raise Infeasible(f"{lost.size} of {cover.shape[1]} demand rows have no site within reach, such as row {some}")


def _told(watch: Watch | None, asked: _Question) -> Watch | None:
    """Return a watch that is told weights as they were given, of a programme that minimises whole ones."""
    if watch is None:
        return None
    scale = asked.whole.scale
    return lambda seconds, value, bound: watch(seconds, -value / scale, -bound / scale)


def _most_covered(asked: _Question, p: int, needed: int) -> Programme:
    """Maximise w y with y <= C x, sum x <= p; where backup is needed 2 u <= C x and w u >= needed, u whole."""
    covering, m = asked.cover.T.astype(float), asked.must.size
    k, twice = asked.weight.size, np.flatnonzero(asked.times > 1) if needed else np.empty(0, np.int64)
    one = sparse.eye_array
    rows = [
        [covering, -one(k), sparse.csr_array((k, twice.size))],
        [sparse.csr_array(np.ones((1, m))), None, None],
    ]
    lower, upper = [np.zeros(k), np.array([-np.inf])], [np.full(k, np.inf), np.array([float(p)])]
    if needed:
        rows += [[covering[twice], None, -2 * one(twice.size)], [None, None, asked.weight[twice][None].astype(float)]]
        lower += [np.zeros(twice.size), np.array([float(needed)])]
        upper += [np.full(twice.size + 1, np.inf)]
    return _programme(
        asked,
        np.concatenate([np.zeros(m), -asked.weight, np.zeros(twice.size)]),
        np.concatenate([np.ones(m, bool), np.zeros(k, bool), np.ones(twice.size, bool)]),
        sparse.block_array(rows, format="csc"),
        (np.concatenate(lower), np.concatenate(upper)),
    )


def _fewest_sites(asked: _Question, needed: int) -> Programme:
    """Minimise sum x with C x - u >= 1; where backup is needed w u >= needed."""
    twice = np.flatnonzero(asked.times > 1) if needed else np.empty(0, np.int64)
    m, k = asked.must.size, asked.weight.size
    rows = [[asked.cover.T.astype(float), _minus_at(k, twice)]]
    if needed:
        rows.append([None, sparse.csr_array(asked.weight[twice][None].astype(float))])
    lower = np.concatenate([np.ones(k), [float(needed)] if needed else []])
    return _programme(
        asked,
        np.concatenate([np.ones(m), np.zeros(twice.size)]),
        np.concatenate([np.ones(m, bool), np.zeros(twice.size, bool)]),
        sparse.block_array(rows, format="csc"),
        (lower, np.full(lower.size, np.inf)),
    )


def _most_backup(asked: _Question, p: int) -> Programme:
    """Maximise w u with C x - u >= 1, sum x <= p."""
    twice, m, k = np.flatnonzero(asked.times > 1), asked.must.size, asked.weight.size
    rows = [[asked.cover.T.astype(float), _minus_at(k, twice)], [sparse.csr_array(np.ones((1, m))), None]]
    return _programme(
        asked,
        np.concatenate([np.zeros(m), -asked.weight[twice]]),
        np.concatenate([np.ones(m, bool), np.zeros(twice.size, bool)]),
        sparse.block_array(rows, format="csc"),
        (np.concatenate([np.ones(k), [-np.inf]]), np.concatenate([np.full(k, np.inf), [float(p)]])),
    )


def _minus_at(rows_count: int, rows: Ints) -> sparse.csr_array:
    """Return a matrix with -1 in each of some rows, one a column."""
    return sparse.csr_array((-np.ones(rows.size), (rows, np.arange(rows.size))), shape=(rows_count, rows.size))


def _programme(
    asked: _Question, cost: Floats, whole: Bools, matrix: sparse.csc_array, sides: tuple[Floats, Floats]
) -> Programme:
    lower = np.zeros(cost.size)
    lower[: asked.must.size] = asked.must
    return Programme(cost.astype(float), lower, np.ones(cost.size), whole, matrix, *sides)
