"""Near repeats: our Knox test against that of pointpats, with 99 permutations, on events as dense as Chicago's.

Ours is everything from points and days to the table: pairs, exact mean and variance, z, and p from 99 permutations, or
from the exact moments alone (``knox_exact``; pointpats has no such thing and is timed with its 99 draws). pointpats
keeps the neighbours of every event in sets and walks through them in Python for every draw. First both must count the
same pairs and expect the same, and the draws of pointpats must lie around our exact mean as our exact variance says.
The full set also tells the peak memory of both, measured in processes of their own, libraries included.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from bench.harness import Contest, Disagreement, main
from gis.kernels.knox import KnoxTable, knox

PERMUTATIONS = 99
REACH_M, GAP_DAYS = 200.0, 7
SIZES = ((6_797, 280.0, 100.0, 500.0), (10_000, 195.0, 170.0, 800.0), (20_000, 195.0, 230.0, 1_400.0))
"""Events, area in km2 that makes them as dense as Chicago's, how many times as fast with and without permutations."""
DAYS = 220
REPEATED_SHARE = 0.1
MOST_SIGMAS = 6.0


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield two contests a size; the quick set is the first of them, for pointpats takes 15 s and 5 GB at the last."""
    for n, area_km2, target, target_exact in SIZES[:1] if quick else SIZES:
        points, days = events(n, area_km2)
        ways = (("knox", PERMUTATIONS, target), ("knox_exact", 0, target_exact))
        for name, permutations, wanted in ways[:1] if quick else ways:
            yield Contest(
                name=name,
                n=n,
                ours=partial(_ours, points, days, permutations),
                anchor=partial(_pointpats, points, days),
                anchor_name=f"pointpats Knox, {PERMUTATIONS} permutations",
                target=wanted,
                agree=partial(_agree, None if quick else (n, area_km2)),
            )


def events(n: int, area_km2: float) -> tuple[np.ndarray, np.ndarray]:
    """Return places (n, 2) in metres and days (n,): anywhere, but a tenth soon after another, next door."""
    rng = np.random.default_rng(n)
    side = 1e3 * np.sqrt(area_km2)
    points, days = rng.uniform(0, side, (n, 2)), rng.integers(0, DAYS, n)
    again = rng.choice(n, int(REPEATED_SHARE * n), replace=False)
    source = rng.integers(0, n, again.size)
    points[again] = points[source] + rng.normal(0, 60, (again.size, 2))
    days[again] = days[source] + rng.integers(0, 2 * GAP_DAYS, again.size)
    return points, days


def _ours(points: np.ndarray, days: np.ndarray, permutations: int) -> KnoxTable:
    return knox(points, days, [REACH_M], [GAP_DAYS], permutations=permutations, seed=1)


def _pointpats(points: np.ndarray, days: np.ndarray, permutations: int = PERMUTATIONS) -> object:
    # Only where it is used: the memory of our side is measured without it.
    from pointpats import Knox

    np.random.seed(1)  # noqa: NPY002 - where pointpats takes its numbers from
    return Knox(points, days[:, None], REACH_M, GAP_DAYS, permutations=permutations, keep=True)


def _agree(size: tuple[int, float] | None, ours: KnoxTable, theirs: object) -> str:
    observed, expected, draws = theirs.observed, theirs.expected, theirs.sim  # type: ignore[attr-defined]
    counts = (ours.observed.item(), ours.space_pairs.item(), ours.time_pairs.item())
    if counts != (observed[0, 0], observed[0].sum(), observed[:, 0].sum()):
        raise Disagreement(f"pairs {counts} against {observed.tolist()}")
    mean, spread = ours.mean.item(), np.sqrt(ours.variance.item())
    if abs(mean - expected[0, 0]) > 1e-9 * mean:
        raise Disagreement(f"mean {mean} against {expected[0, 0]}")
    off = abs(draws.mean() - mean) / (spread / np.sqrt(draws.size))
    if not off <= MOST_SIGMAS:
        raise Disagreement(f"the draws of pointpats lie {off:.1f} standard errors off the exact mean")
    equal = f"{counts[1]:,} pairs near in space, counts and mean equal"
    if size is None:
        return equal
    peaks = " against ".join(f"{peak_gb(side, *size):.2g} GB" for side in ("ours", "pointpats"))
    return f"{equal}; peak {peaks}"


def peak_gb(side: str, n: int, area_km2: float) -> float:
    """Return the most memory that a process which does nothing else takes, in 1e9 bytes."""
    call = "_ours(*events, PERMUTATIONS)" if side == "ours" else "_pointpats(*events, 1)"
    code = (
        "from pathlib import Path\n"
        "from bench.knox import PERMUTATIONS, _ours, _pointpats, events\n"
        f"events = events({n}, {area_km2})\n"
        f"{call}\n"
        # What the system keeps of a process as ru_maxrss begins with the size of the process that started it.
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
    )
    kilobytes = int(done.stdout)
    return kilobytes * 1024 / 1e9


if __name__ == "__main__":
    sys.exit(main(contests, title="Near repeats (Knox): events, ours against pointpats"))
