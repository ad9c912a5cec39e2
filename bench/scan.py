"""The null of a space-time scan: 999 shuffled data sets over 621,008 cylinders, within three seconds a core.

The size is that of Chicago's burglaries by beat and week (275 places, 32 weeks, 6,784 incidents; spans of up to 16
weeks that last until the end); places and incidents are invented, so that anybody can run it. The anchor is the same
replicate in numpy, as well as it can be written there: one gather and one cumulative sum over all circles, in whole
numbers and single precision; what is expected worked out once; logarithms only of cylinders whose bound beats the best
ratio that is certain. No Python package scans space and time. First both must give the same maxima for the same data.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.stats import ks_2samp

from bench.harness import Budget, Contest, Disagreement, main
from gis.kernels.scan import Scan, null_maxima, permutation_scan
from gis.kernels.scan_null import shuffled
from gis.kernels.scan_zones import circular_zones, prospective

PLACES, WEEKS, INCIDENTS = 275, 32, 6_784
SEED, SHARE = 2024, 0.5193
"""Places and a share of the incidents with just as many circles as Chicago's beats have."""
REPLICATES = 999
BUDGET_S = 3.0
TARGET = 15.0
SIDE_M = 25_000.0
CHECKED = 32
LLR_LIMIT = 1e-9
P_LIMIT = 1e-4


class InNumpy:
    """The same scan in numpy: what all replicates share, and the buffers they use again."""

    def __init__(self, scan: Scan) -> None:
        zones, spans = scan.zones, scan.windows.count
        self.place, self.week = (np.repeat(index, scan.counts[scan.counts > 0]) for index in np.nonzero(scan.counts))
        self.members = zones.members
        # Row 0 of a running sum stands before the first circle; a circle's list begins at one of its rows.
        self.before = np.repeat(zones.offsets[:-1], np.diff(zones.offsets))
        held = np.concatenate([[0], np.cumsum(scan.counts.sum(axis=1)[zones.members])])
        inside = held[1:] - held[self.before]
        expected = inside[:, None] * np.cumsum(scan.counts.sum(axis=0)[::-1][:spans]) / INCIDENTS
        # Where nothing ever happened nothing is drawn, either.
        self.expected = np.maximum(expected, 1e-9)
        slope = np.sqrt(0.5 / self.expected + 1 / (INCIDENTS - self.expected))
        # A little above and below: single precision must not lose a maximum.
        self.slope = (slope * (1 + 1e-6)).astype(np.float32)
        self.shift = (slope * self.expected / (1 + 1e-6)).astype(np.float32)
        self.running = np.zeros((zones.members.size + 1, spans), np.int32)
        self.score = np.empty((zones.members.size, spans), np.float32)

    def maximum(self, week: np.ndarray) -> float:
        """Return the largest ratio of one data set, its weeks (incidents,) given."""
        counts = np.bincount(self.place * WEEKS + week, minlength=PLACES * WEEKS).reshape(PLACES, WEEKS)
        alive = np.cumsum(counts[:, ::-1][:, : self.slope.shape[1]], axis=1, dtype=np.int32)
        np.cumsum(alive[self.members], axis=0, out=self.running[1:])
        observed = self.running[1:] - self.running[self.before]
        np.multiply(observed, self.slope, out=self.score)
        np.subtract(self.score, self.shift, out=self.score)
        best = np.unravel_index(self.score.argmax(), self.score.shape)
        certain = self._ratio(observed, best)
        return float(self._ratio(observed, np.nonzero(self.score >= np.sqrt(certain) * (1 - 1e-6))).max())

    def _ratio(self, observed: np.ndarray, at: tuple[np.ndarray, ...]) -> np.ndarray:
        c, mu = observed[at], self.expected[at]
        ratio = c * np.log(np.maximum(c, 1) / mu) + (INCIDENTS - c) * np.log((INCIDENTS - c) / (INCIDENTS - mu))
        return np.where((c > mu) & (c > 1), ratio, 0.0)


def contests(*, quick: bool) -> Iterator[Contest | Budget]:
    """Yield the contest against numpy, over fewer replicates when quick, and the budget for all 999."""
    scan = invented()
    anchor = InNumpy(scan)
    many = 128 if quick else REPLICATES
    yield Contest(
        name="scan_replicates",
        n=scan.cylinders_count,
        ours=partial(null_maxima, scan, many),
        anchor=partial(_in_numpy, anchor, many),
        anchor_name=f"numpy, {many} replicates",
        target=TARGET,
        agree=partial(_agree, anchor),
        repeats=7 if quick else 3,
    )
    yield Budget(
        name="scan_999",
        n=scan.cylinders_count,
        ours=partial(null_maxima, scan, REPLICATES),
        budget_s=BUDGET_S,
        check=lambda null: f"{null.size} replicates on one core",
        repeats=3 if quick else 5,
    )


def invented() -> Scan:
    """Return a scan of incidents spread unevenly over places and evenly over weeks."""
    rng = np.random.default_rng(SEED)
    places = rng.uniform(0, SIDE_M, (PLACES, 2))
    place = rng.choice(PLACES, INCIDENTS, p=rng.dirichlet(np.full(PLACES, 2.5)))
    counts = np.zeros((PLACES, WEEKS), np.int64)
    np.add.at(counts, (place, rng.integers(0, WEEKS, INCIDENTS)), 1)
    zones = circular_zones(places, counts.sum(axis=1), share=SHARE)
    return permutation_scan(counts, zones, prospective(WEEKS, WEEKS // 2))


def _in_numpy(anchor: InNumpy, replicates: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.array([anchor.maximum(rng.permutation(anchor.week)) for _ in range(replicates)])


def _agree(anchor: InNumpy, ours: np.ndarray, theirs: np.ndarray) -> str:
    sums = np.empty((PLACES, WEEKS + 1, CHECKED), np.float32)
    shuffled(sums, anchor.place, anchor.week, 0, 0, 0)
    apart = 0.0
    for lane in range(CHECKED):
        # Incidents of one place are alike: their weeks may come in any order.
        drawn = np.diff(sums[:, :, lane], axis=1).astype(np.int64)
        weeks = np.repeat(np.tile(np.arange(WEEKS), PLACES), drawn.ravel())
        apart = max(apart, abs(anchor.maximum(weeks) - ours[lane]))
    if not apart <= LLR_LIMIT:
        raise Disagreement(f"the maxima of the same data differ by {apart:.3g}")
    p = float(ks_2samp(ours, theirs).pvalue)
    if not p >= P_LIMIT:
        raise Disagreement(f"the two nulls are not the same distribution (Kolmogorov-Smirnov p {p:.2g})")
    return f"{CHECKED} maxima to {apart:.0e}; two nulls, KS p {p:.2f}"


if __name__ == "__main__":
    sys.exit(main(contests, title="Space-time scan: cylinders, ours against numpy and against the clock"))
