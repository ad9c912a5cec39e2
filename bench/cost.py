"""What every hotspot service costs as a city grows: from a thousand incidents to a million, as many per km2 throughout.

The city is invented: a square with 257 incidents a km2 in one year (Chicago's of half a year), two in five of them in
clusters of 200 m, grids of 500 m, streets every 250 m. A run is what the server repeats for each question: from frames
that are ready (checked, in metres) to features, numbers and provenance. Getting the incidents ready is measured as
well, as ``prepare``. Seconds are those of the processor, of all cores together: a run waits for nothing, and what else
the machine does must not bend a line. A service leaves off when its next size would take too long; the table says so.

The claim of a service is that its cost stays far below the square: between its two largest sizes, ten times as many
incidents take at most 30 times as long (n^1.5), more where ``STEEPER`` says so and why. The anchor is the time of the
smaller size, so many times. The whole run also draws ``bench/cost.svg``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import matplotlib as mpl
import numpy as np
import pandas as pd
import shapely
from rich.console import Console
from rich.table import Table

import gis
from bench.harness import QUICK_BUDGET_S, Claim, seconds
from gis.city.frames import FRAMES
from gis.contract.profile import CityProfile
from gis.contract.service import Context, Prepared, Service, prepare
from gis.contract.text import Text
from gis.crs import LONLAT
from gis.errors import InvalidInput

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PER_KM2 = 257.0
GRID_M, STREET_M, CLUSTER_M = 500.0, 250.0, 200.0
CLUSTERED_SHARE = 0.4
PER_CLUSTER = 250
LONGEST_S = 240.0
LONGEST_QUICK_S = 2.0
"""A size is left off when ten times as many incidents would take longer than this."""
GROWTH = 30.0
"""How many times as long ten times as many incidents may take."""
STEEPER: Mapping[str, float] = MappingProxyType(
    {
        "space_time_scan": 60.0,  # Each replicate goes through all circles and counts, which no cache holds any more.
    }
)
REPEATS = 3
FIGURE = Path(__file__).with_name("cost.svg")
PROFILE = CityProfile(
    "cost",
    Text("基准城（合成）", "Benchtown (synthetic)"),
    "EPSG:4549",
    "Asia/Shanghai",
    (500_000.0, 3_460_000.0),
    synthetic=True,
)
FIRST_DAY = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")
HALF = ("2025-07-01T00:00:00+08:00", "2026-01-01T00:00:00+08:00")
OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "before_after": {
            "treated": ["r000c000"],
            "control": ["r001c001"],
            "displacement": ["r000c001"],
            "displacement_control": ["r001c000"],
            "before_ends_at": HALF[0],
        },
        "space_time_scan": {"radius_m": 2_000.0, "replicates": 99},
        "near_repeat": {"permutations": 99},
    }
)
"""Service -> what it is asked; every other one is asked with its defaults."""


def city(n: int) -> dict[str, gpd.GeoDataFrame]:
    """Return the frames of a city with n incidents."""
    rng = np.random.default_rng(n)
    side = math.sqrt(n / PER_KM2) * 1_000.0
    corner = np.array(PROFILE.lattice_origin)
    points = rng.uniform(0, side, (n, 2))
    clustered = rng.random(n) < CLUSTERED_SHARE
    centres = rng.uniform(0, side, (max(1, int(n * CLUSTERED_SHARE / PER_CLUSTER)), 2))
    near = centres[rng.integers(0, len(centres), n)] + rng.normal(0, CLUSTER_M, (n, 2))
    points[clustered] = np.clip(near[clustered], 0, side)
    # Addresses, not measurements: whole metres repeat, as they do in records.
    points = corner + np.round(points)
    incidents = pd.DataFrame(
        {
            "source_id": np.arange(n).astype(str),
            "occurred_at": FIRST_DAY + pd.to_timedelta(rng.integers(0, 365 * 1_440, n), unit="min"),
            "category": rng.choice(["theft", "burglary", "dispute"], n),
            "origin": "public_report",
        }
    )
    across = math.ceil(side / GRID_M)
    cells = [(row, column) for row in range(across) for column in range(across)]
    grids = pd.DataFrame({"code": [f"r{row:03}c{column:03}" for row, column in cells], "kind": "comprehensive"})
    west, south = (np.array(cells) * GRID_M + corner[::-1]).T[::-1]
    shapes = shapely.box(west, south, west + GRID_M, south + GRID_M)
    district = [shapely.box(*corner, *(corner + side))]
    return {
        "incidents": _frame(incidents, shapely.points(points)),
        "grids": _frame(grids.assign(source_id=grids["code"], valid_from=pd.Timestamp("2020-01-01")), shapes),
        "districts": _frame(pd.DataFrame({"source_id": ["d"], "code": ["d"]}), district),
        "segments": _streets(side, corner),
    }


def _streets(side: float, corner: np.ndarray) -> gpd.GeoDataFrame:
    lines = max(2, math.ceil(side / STREET_M))
    at = np.arange(lines + 1) * STREET_M
    along, across = np.meshgrid(at[:-1], at)
    starts = np.concatenate([np.dstack([along, across]), np.dstack([across, along])]).reshape(-1, 2)
    steps = np.repeat([[STREET_M, 0.0], [0.0, STREET_M]], len(starts) // 2, axis=0)
    shapes = shapely.linestrings(np.stack([starts, starts + steps], axis=1) + corner)
    table = pd.DataFrame({"source_id": np.arange(len(shapes)).astype(str), "road_class": "local"})
    return _frame(table, shapes)


def _frame(table: pd.DataFrame, shapes: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table, geometry=shapes, crs=PROFILE.metric_crs).to_crs(LONLAT)


def measure(sizes: Sequence[int], longest_s: float) -> dict[str, dict[int, float]]:
    """Return service -> size -> seconds, smallest size first; a service that would take too long stops early."""
    found: dict[str, dict[int, float]] = {name: {} for name in ("prepare", *gis.services())}
    for n in sizes:
        frames = city(n)
        ready = {name: prepare(FRAMES[name], frame, PROFILE) for name, frame in frames.items()}
        for name, times in found.items():
            if times and times[max(times)] * (n / max(times)) > longest_s:
                continue
            print(f"{name} n={n:,} ...", file=sys.stderr, flush=True)
            if name == "prepare":
                times[n] = _median(partial(prepare, FRAMES["incidents"], frames["incidents"], PROFILE), n)
            elif (spent := _run(gis.service(name), ready, n)) is not None:
                times[n] = spent
    return found


def _run(service: Service, ready: Mapping[str, Prepared], n: int) -> float | None:
    """Return the seconds of one run; None where the service refuses so small a city."""
    params = service.parse(OPTIONS.get(service.id, {}))
    frames = {i.frame.id: ready[i.frame.id] for i in service.inputs if i.frame.id in ready}
    context = Context(PROFILE)
    try:
        return _median(partial(service.run_prepared, frames, params, context), n)
    except InvalidInput as refused:
        print(f"  {service.id} refuses n={n:,}: {refused}", file=sys.stderr)
        return None


def _median(call: Callable[[], Any], n: int) -> float:
    """Return the median time of three calls, of one where it takes long; the first of a size is not counted."""
    times = []
    if n == min(SIZES):
        call()  # Compiles.
    while len(times) < REPEATS and sum(times) < REPEATS:
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def claims(found: Mapping[str, Mapping[int, float]]) -> list[Claim]:
    """Return for each service whether its two largest sizes keep to the growth allowed."""
    kept = []
    for name, times in found.items():
        if len(times) < 2:
            continue
        *_, before, last = sorted(times)
        kept.append(
            Claim(
                name=f"cost_{name}",
                n=last,
                ours_s=times[last],
                anchor_s=STEEPER.get(name, GROWTH) * times[before],
                anchor_name=f"{STEEPER.get(name, GROWTH):g} times n={before:,}",
                target=1.0,
                agreement=f"n^{math.log(times[last] / times[before], last / before):.2f}",
                floor_s=None,
            )
        )
    return kept


def table(found: Mapping[str, Mapping[int, float]], sizes: Sequence[int]) -> Table:
    """Return the times as a table, one row a service."""
    grid = Table(title="Processor seconds against incidents, from frames that are ready to results")
    grid.add_column("service")
    for n in sizes:
        grid.add_column(f"{n:,}", justify="right")
    for name, times in found.items():
        grid.add_row(name, *(seconds(times[n]) if n in times else "-" for n in sizes))
    return grid


def draw(found: Mapping[str, Mapping[int, float]], path: Path) -> None:
    """Draw seconds against incidents, both on logarithmic axes, into an SVG file."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "cost", "font.family": "sans-serif"})
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    order = sorted((name for name, times in found.items() if times), key=lambda name: -max(found[name].values()))
    marks = "osD^vP*Xh<>"
    for i, name in enumerate(order):
        times = found[name]
        axes.plot(list(times), list(times.values()), marker=marks[i % len(marks)], color=f"C{i % 10}", label=name)
    ends = np.array([min(SIZES), max(SIZES)], dtype=float)
    axes.plot(ends, ends * 1e-6, color="0.6", linestyle=":", label="one second a million")
    axes.set(xscale="log", yscale="log", xlabel="incidents", ylabel="processor seconds, one run")
    axes.grid(visible=True, which="major", color="0.9")
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and the claims; the whole run draws the figure. Return 1 when a claim is short."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"smaller cities, within {QUICK_BUDGET_S:.0f} seconds")
    quick = parser.parse_args(arguments).quick
    started = time.perf_counter()
    sizes = SIZES[:3] if quick else SIZES
    found = measure(sizes, LONGEST_QUICK_S if quick else LONGEST_S)
    Console(width=140, soft_wrap=True).print(table(found, sizes))
    kept = claims(found)
    for claim in kept:
        print(f"{claim.line()}", flush=True)
    if not quick:
        draw(found, FIGURE)
    spent = time.perf_counter() - started
    if quick and spent > QUICK_BUDGET_S:
        print(f"--quick took {spent:.0f} s, more than {QUICK_BUDGET_S:.0f} s", file=sys.stderr)
        return 1
    return 0 if all(claim.holds for claim in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
