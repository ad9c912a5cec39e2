"""The space-time scan statistic: which cylinders hold more than chance would put there, though one looked everywhere.

References: Kulldorff (1997), Communications in Statistics - Theory and Methods 26(6); Kulldorff (2001), J. R. Stat.
Soc. A 164(1), prospective; Kulldorff, Heffernan, Hartman, Assuncao and Mostashari (2005), PLoS Medicine 2(3), permuted;
Abrams, Kulldorff and Kleinman (2010), International Journal of Health Geographics 9:61, Gumbel.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import InvalidInput
from gis.kernels.scan_null import MOST_CASES, alias_table, drawn, lanes_for, llr, maxima, shuffled, slopes
from gis.kernels.scan_zones import Windows, Zones

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Model = Literal["permutation", "poisson"]

EULER = 0.5772156649015329
_MOST_CELLS = 1 << 31


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cylinder: a circle of places and a span of time steps.

    Attributes
    ----------
    centre
        The place in the middle.
    places : (k,)
        Nearest first.
    radius
        From the centre to the furthest of them.
    start, end
        Time steps ``[start, end)``.
    observed, expected
        Incidents in it, and as many as chance would put there.
    llr
        Log likelihood ratio.
    """

    centre: int
    places: Ints
    radius: float
    start: int
    end: int
    observed: int
    expected: float
    llr: float


@dataclass(frozen=True, slots=True)
class Scan:
    """Counts, what is expected of them, and the cylinders to look into; made by `permutation_scan` or `poisson_scan`.

    Attributes
    ----------
    counts : (n, t)
        Incidents a place and time step.
    total
        Of all counts.
    baseline : (n, t)
        What is expected, in any unit; only proportions count.
    """

    model: Model
    counts: Ints
    baseline: Floats
    zones: Zones
    windows: Windows
    total: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", int(self.counts.sum()))

    @property
    def cylinders_count(self) -> int:
        """How many cylinders are looked into."""
        return self.zones.count * self.windows.count

    @property
    def unit(self) -> float:
        """Incidents that one unit of the baseline stands for."""
        return self.total / float(self.baseline.sum())

    def expected(self, places: Ints, start: int, end: int) -> float:
        """Return the incidents expected at some places from step `start` to before `end`."""
        return float(self.baseline[places, start:end].sum()) * self.unit


def permutation_scan(counts: NDArray[np.generic], zones: Zones, windows: Windows) -> Scan:
    """Return a scan whose expectation comes from the counts themselves: each place keeps its number, each step its own.

    What a place always has, and what a time has everywhere, is no cluster: only places and times together are. Expected
    are (cases in the circle) (cases in the span) / (all cases).

    Parameters
    ----------
    counts : (n, t) whole numbers
        Incidents a place and time step.
    """
    known = _counted(counts, zones, windows)
    return Scan("permutation", known, np.outer(known.sum(axis=1), known.sum(axis=0)).astype(float), zones, windows)


def poisson_scan(counts: NDArray[np.generic], population: NDArray[np.generic], zones: Zones, windows: Windows) -> Scan:
    """Return a scan whose expectation is proportional to the people, or person-days, of each place and step.

    Parameters
    ----------
    counts : (n, t) whole numbers
    population : (n,) or (n, t), not negative
        One number a place stands for every step alike. Where nobody is, nothing may have happened.
    """
    known = _counted(counts, zones, windows)
    people = np.asarray(population, dtype=float)
    if people.shape == known.shape[:1]:
        people = np.repeat(people[:, None], known.shape[1], axis=1)
    if people.shape != known.shape or not (np.isfinite(people).all() and (people >= 0).all()):
        raise InvalidInput("the population must be (n,) or (n, t) like the counts, finite and not negative")
    if (known[people == 0] > 0).any():
        raise InvalidInput("there are incidents at places where the population is 0: nothing is expected there")
    return Scan("poisson", known, people, zones, windows)


def _counted(counts: NDArray[np.generic], zones: Zones, windows: Windows) -> Ints:
    known = np.asarray(counts)
    if known.ndim != 2 or known.shape[0] != len(zones.centres) or known.dtype.kind not in "iu":  # noqa: PLR2004
        raise InvalidInput("counts must be whole numbers, one row a place of the zones and one column a time step")
    if windows.ends.max(initial=0) > known.shape[1]:
        raise InvalidInput("a span of time ends after the last step")
    total = int(known.sum())
    if known.min(initial=0) < 0 or not 2 <= total <= MOST_CASES:  # noqa: PLR2004
        raise InvalidInput(f"a scan needs from 2 to {MOST_CASES:,} incidents, and no count may be negative")
    if known.size >= _MOST_CELLS:
        raise InvalidInput("too many places and time steps for one scan")
    return known.astype(np.int64)


def clusters(scan: Scan, *, most: int = 10) -> list[Cluster]:
    """Return the most likely clusters, the likeliest first, no two of which share a place.

    Each is the cylinder with the largest ratio among all that touch none of those before. Of cylinders with the same
    ratio, the one with fewer places goes first, then the smaller circle.
    """
    zones = scan.zones
    table, first, last, baseline = _running(scan)
    taken = np.zeros(len(zones.centres), dtype=bool)

    def best_around(centre: int) -> tuple[float, int, float, int, int, int]:
        begin, stop = zones.offsets[centre], zones.offsets[centre + 1]
        blocked = taken[zones.members[begin:stop]]
        end = begin + int(np.argmax(blocked)) if blocked.any() else stop
        ratio, member, window = _best(
            table, baseline, scan.unit, float(scan.total), zones.members, begin, end, zones.closed, first, last
        )
        radius = zones.radius(centre, member) if ratio > 0 else 0.0
        return -ratio, int(member - begin), radius, centre, int(member), int(window)

    # A centre's best only falls as places are taken: it is worked out again when it would be next.
    queue = [best_around(centre) for centre in range(len(zones.centres))]
    heapq.heapify(queue)
    found: list[Cluster] = []
    while queue and len(found) < most and queue[0][0] < 0:
        _, _, _, centre, member, window = queue[0]
        places = zones.places(centre, member)
        if taken[places].any():
            heapq.heapreplace(queue, best_around(centre))
        else:
            found.append(_cluster(scan, centre, member, window))
            taken[places] = True
            heapq.heappop(queue)
    return found


def _cluster(scan: Scan, centre: int, member: int, window: int) -> Cluster:
    places = scan.zones.places(centre, member)
    start, end = int(scan.windows.starts[window]), int(scan.windows.ends[window])
    observed, expected = int(scan.counts[places, start:end].sum()), scan.expected(places, start, end)
    ratio = float(llr(float(observed), expected, float(scan.total)))
    return Cluster(centre, places, scan.zones.radius(centre, member), start, end, observed, expected, ratio)


def null_maxima(
    scan: Scan, replicates: int, *, seed: int = 0, progress: Callable[[float], None] | None = None
) -> Floats:
    """Return the largest ratio (replicates,) of each of many data sets made by chance.

    Under the Poisson model the incidents are drawn over places and steps by the population; under the permutation model
    their steps are shuffled. Replicate i is the same whatever `replicates` is.

    Parameters
    ----------
    progress
        Called with the share done, between 0 and 1; may raise to stop.
    """
    found = np.empty(replicates)
    for first, batch in _batches(scan, replicates, seed):
        found[first : first + len(batch)] = batch
        if progress is not None:
            progress((first + len(batch)) / replicates)
    return found


def _batches(scan: Scan, replicates: int, seed: int) -> Iterator[tuple[int, Floats]]:
    n, steps = scan.counts.shape
    zones = scan.zones
    _, first, last, baseline = _running(scan)
    origin, rows = int(scan.windows.starts.min()), baseline.shape[1]
    lanes = min(lanes_for(n, rows), max(replicates, 1))
    sums = np.empty((n, rows, lanes), np.float32)
    if scan.model == "permutation":
        place, step = (np.repeat(index, scan.counts[scan.counts > 0]) for index in np.nonzero(scan.counts))
    else:
        chance, other = alias_table(scan.baseline.ravel())
    for begin in range(0, replicates, lanes):
        if scan.model == "permutation":
            shuffled(sums, place, step, origin, seed, begin)
        else:
            drawn(sums, chance, other, scan.total, steps, origin, seed, begin)
        batch = maxima(
            sums, baseline, scan.unit, float(scan.total), zones.members, zones.offsets, zones.closed, first, last
        )
        yield begin, batch[: replicates - begin]


def monte_carlo_p(ratio: NDArray[np.float64], null: Floats) -> Floats:
    """Return the chance of a maximum at least as large as each ratio: (1 + as large) / (1 + replicates).

    Examples
    --------
    >>> monte_carlo_p(np.array([5.0, 2.0]), np.array([1.0, 2.0, 3.0, 4.0])).tolist()
    [0.2, 0.8]
    """
    ordered = np.sort(null)
    as_large = ordered.size - np.searchsorted(ordered, ratio, side="left")
    return np.asarray((1.0 + as_large) / (1.0 + ordered.size))


def gumbel_p(ratio: NDArray[np.float64], null: Floats) -> Floats:
    """Return that chance from a Gumbel distribution with the mean and variance of the null maxima.

    It reaches beyond ``1 / (1 + replicates)``, where counting ends, but is an approximation: Abrams et al. (2010).
    nan where the null maxima do not vary.
    """
    scale = float(np.std(null, ddof=1)) * np.sqrt(6.0) / np.pi if null.size > 1 else 0.0
    if scale <= 0:
        return np.full(np.shape(ratio), np.nan)
    mode = float(np.mean(null)) - EULER * scale
    # Below what a double holds is still not none.
    return np.clip(-np.expm1(-np.exp(-(np.asarray(ratio) - mode) / scale)), 2.3e-308, 1.0)


def critical_ratio(null: Floats, alpha: float) -> float:
    """Return the ratio that must be exceeded for p at most `alpha`; nan where there are too few replicates for that.

    Examples
    --------
    >>> critical_ratio(np.arange(1.0, 20.0), 0.1)
    18.0
    """
    rank = int(np.floor(alpha * (null.size + 1) + 1e-9))
    return float(np.sort(null)[-rank]) if 1 <= rank <= null.size else float("nan")


def relative_risk(observed: float, expected: float, total: float) -> float:
    """Return the rate inside over the rate outside; infinite where everything happened inside.

    Examples
    --------
    >>> round(relative_risk(100, 58.28, 552), 2)
    1.87
    """
    outside = total - observed
    return (observed / expected) / (outside / (total - expected)) if outside > 0 else float("inf")


def _running(scan: Scan) -> tuple[Ints, NDArray[np.uint64], NDArray[np.uint64], Floats]:
    """Return counts and baseline as running sums over the steps that any span reaches, with the spans as their rows.

    Rows are unsigned, so that compiled code need not ask whether they count from the end.
    """
    origin, end = int(scan.windows.starts.min()), int(scan.windows.ends.max())
    table, baseline = (
        np.concatenate([np.zeros((len(rows), 1), rows.dtype), np.cumsum(rows[:, origin:end], axis=1)], axis=1)
        for rows in (scan.counts, scan.baseline)
    )
    first, last = ((rows - origin).astype(np.uint64) for rows in (scan.windows.starts, scan.windows.ends))
    return np.ascontiguousarray(table), first, last, np.ascontiguousarray(baseline)


@njit(cache=True, nogil=True)
def _best(table, baseline, unit, total, members, begin, end, closed, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return the largest ratio around one centre, where its circle ends in `members`, and its span."""
    counts, expected = np.zeros(table.shape[1], np.int64), np.zeros(table.shape[1])
    slope, shift = np.empty(first.size), np.empty(first.size)
    best, floor, at, when = 0.0, 0.0, begin, 0
    for m in range(begin, end):
        place = members[m]
        counts += table[place]
        expected += baseline[place]
        if not closed[m]:
            continue
        slopes(expected, first, last, unit, total, slope, shift)
        for w in range(first.size):
            count = float(counts[last[w]] - counts[first[w]])
            if count * slope[w] - shift[w] > floor:
                ratio = llr(count, (expected[last[w]] - expected[first[w]]) * unit, total)
                if ratio > best:
                    best, floor, at, when = ratio, np.sqrt(ratio), m, w
    return best, at, when
