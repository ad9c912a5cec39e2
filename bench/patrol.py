"""Patrol routes: within a second and as a job, against the bound that ignores travel and against VROOM.

200 hotspots for 10 units on 5 posts, shifts of 4 hours, halts of 15 minutes: 160 halts would fit if nobody had to
travel. Hotspots are junctions of Porto Alegre around 12 busy places, worth what a heavy tail gives (few hold most, as
incidents do), times those of driving (``shared/data/streets``, (c) OpenStreetMap contributors). Where that folder is
absent, a lattice of streets with random speeds takes its place, and the agreement says which. Numbers of quality are
what is missed of the weight, in per mille of the bound, less being better: against the 60 that 94 % leaves and the 40
that 96 % leaves, and against what VROOM alone misses at levels 0 and 5. How much of the bound anybody can reach depends
on how close the hotspots lie.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

import gis
from bench.harness import Budget, Disagreement, Quality, main
from gis.city.travel import travel
from gis.kernels.route_problem import RouteProblem, Units, Visits, route_problem
from gis.kernels.routes import Routes, insert_routes
from gis.kernels.vroom_routes import better_routes, vroom_routes

SHARED = Path(os.environ.get("WANGGE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
POA = SHARED / "streets" / "porto_alegre" / "poa_osm.pbf"
POA_CRS = "EPSG:32722"
HOTSPOTS, UNITS, POSTS, BUSY = 200, 10, 5, 12
SHIFT_S, DWELL_S = 4 * 3_600.0, 900.0
SPREAD_M, TAIL = 200.0, 1.2
INSTANT_S = 1.0
INSTANT_SHARE, JOB_SHARE = 0.94, 0.96
PER_MILLE = 1_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Night:
    """A problem, and where its streets come from."""

    problem: RouteProblem
    source: str


def contests(*, quick: bool) -> Iterator[Budget | Quality]:
    """Yield the time and the quality of the instant answer, and of the job; the quick set has the first two."""
    night = _night()
    n = HOTSPOTS
    instant = partial(insert_routes, night.problem)
    yield Budget(name="patrol_instant", n=n, ours=instant, budget_s=INSTANT_S, check=partial(_told, night))
    yield _quality("patrol_instant_share", night, insert_routes, (_left(INSTANT_SHARE), "94 % of the bound"), 1.0)
    if quick:
        return
    yield _quality("patrol_instant_vroom", night, insert_routes, (partial(_vroom, 0), "VROOM, level 0"), 0.95)
    yield _quality("patrol_job_share", night, better_routes, (_left(JOB_SHARE), "96 % of the bound"), 1.0)
    yield _quality("patrol_job_vroom", night, better_routes, (partial(_vroom, 5), "VROOM, level 5"), 1.0)


@cache
def _night() -> Night:
    rng = np.random.default_rng(1)
    streets, source = _streets()
    cars = travel(streets)
    ends = np.unique(
        shapely.get_coordinates(shapely.get_point(shapely.get_parts(streets.geometry.to_numpy()), 0)), axis=0
    )
    ends = ends[cars.snap(ends).leg_m < 1.0]
    busy = ends[rng.choice(len(ends), BUSY, replace=False)]
    near = np.hypot(*(ends[:, None] - busy[None]).transpose(2, 0, 1))
    chance = np.exp(-0.5 * (near / SPREAD_M) ** 2).sum(axis=1)
    places = np.vstack([ends[rng.choice(len(ends), HOTSPOTS, replace=False, p=chance / chance.sum())], busy[:POSTS]])
    on_street = cars.snap(places)
    none = np.zeros(HOTSPOTS)
    posts = HOTSPOTS + np.arange(UNITS) % POSTS
    problem = route_problem(
        cars.matrix_s(on_street, on_street),
        Visits(
            place=np.arange(HOTSPOTS),
            profit=1.0 + rng.pareto(TAIL, HOTSPOTS),
            dwell_s=none + DWELL_S,
            opens_s=none,
            closes_s=none + SHIFT_S,
            must=none > 0,
            kinds=none.astype(np.int64),
        ),
        Units(posts, posts, np.zeros(UNITS), np.full(UNITS, SHIFT_S), np.ones(UNITS, np.int64)),
    )
    return Night(problem, source)


def _streets() -> tuple[gpd.GeoDataFrame, str]:
    if POA.exists():
        return gis.City.from_files(segments=POA).segments.to_crs(POA_CRS), "streets of Porto Alegre"
    rng, side, step_m = np.random.default_rng(0), 100, 120.0
    at = np.arange(side + 1) * step_m
    across = [[(at[i], at[j]), (at[i + 1], at[j])] for j in range(side + 1) for i in range(side)]
    lines = shapely.linestrings(np.array(across + [[p[::-1] for p in line] for line in across]))
    frame = gpd.GeoDataFrame(
        {"source_id": np.arange(len(lines)).astype(str), "road_class": "local", "oneway": False}, geometry=lines
    )
    return frame.set_crs(POA_CRS).assign(speed_kmh=rng.uniform(15, 50, len(lines))), "a lattice of streets"


def _told(night: Night, routes: Routes) -> str:
    """Say how good routes are, once they are walked again leg by leg."""
    instance = night.problem.instance
    made: list[int] = []
    for u, nodes in enumerate(routes.nodes):
        stations = [int(instance.start[u]), *nodes.tolist(), int(instance.end[u])]
        legs = sum(int(instance.seconds[a, b]) for a, b in pairwise(stations))
        if legs + DWELL_S * len(nodes) > SHIFT_S:
            raise Disagreement(f"unit {u} is back after its shift")
        made += nodes.tolist()
    if len(set(made)) != len(made) or abs(night.problem.profit[made].sum() - routes.profit) > 1e-6:
        raise Disagreement("the weight is not that of the visits")
    return f"{len(made)} halts, {routes.share:.2%} of the bound, {night.source}"


def _missed(night: Night, routes: Routes) -> float:
    _told(night, routes)
    return PER_MILLE * (1.0 - routes.share)


def _left(share: float) -> float:
    return PER_MILLE * (1.0 - share)


def _vroom(level: int, night: Night) -> float:
    return _missed(night, vroom_routes(night.problem, level=level))


def _quality(
    name: str,
    night: Night,
    ours: Callable[[RouteProblem], Routes],
    anchor: tuple[float | Callable[[Night], float], str],
    target: float,
) -> Quality:
    missed, anchor_name = anchor

    def measure() -> tuple[float, float, str]:
        routes = ours(night.problem)
        theirs = missed if isinstance(missed, float) else missed(night)
        return _missed(night, routes), theirs, _told(night, routes)

    return Quality(
        name=name,
        n=HOTSPOTS,
        measure=measure,
        anchor_name=anchor_name,
        unit="‰ missed",
        target=target,
    )


if __name__ == "__main__":
    sys.exit(main(contests, title="Patrol routes: 200 hotspots, 10 units"))
