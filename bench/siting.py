"""Siting of posts: ours by HiGHS against spopt with CBC, at the same optimum; and the instant answer within a second.

Demand are random places along the streets of Porto Alegre with 1 to 60 households each, candidates 500 of its
junctions, times those of driving (``shared/data/streets``, (c) OpenStreetMap contributors); where that folder is
absent, a lattice of streets with random speeds takes its place, and the agreement says which. n counts demand. Ours is
everything from the times to the proven sites: cover, merging of rows, search, HiGHS with both gaps 0. spopt starts from
the same times and is given CBC with a gap of 0.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pulp
import shapely
from spopt.locate import LSCP, MCLP

import gis
from bench.harness import Budget, Contest, Disagreement, main
from gis.city.travel import travel
from gis.kernels.median import p_median
from gis.kernels.siting import cover_within, lscp, mclp
from gis.kernels.siting_answer import Siting

SHARED = Path(os.environ.get("WANGGE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
POA = SHARED / "streets" / "porto_alegre" / "poa_osm.pbf"
POA_CRS = "EPSG:32722"
SITES, POSTS = 500, 20
REACH_S = 120.0
NEVER_S = 3_600.0
TARGET = 10.0
INSTANT_S = 1.0
SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Seconds (m, n) from sites to demand, households (n,), and where the streets come from."""

    seconds: np.ndarray
    weight: np.ndarray
    source: str


def contests(*, quick: bool) -> Iterator[Contest | Budget]:
    """Yield most and full coverage and the instant answers; the full set has 10,000 places."""
    warnings.filterwarnings("ignore")
    n = 500 if quick else 10_000
    asked = question(n, SITES)
    yield _contest("siting_most_covered", asked, _most_covered, _spopt_most_covered, TARGET)
    yield _contest("siting_fewest", asked, _fewest, _spopt_fewest, TARGET)
    # On the map: every place of a large city for coverage, and as many pairs as a click may take for the mean.
    for name, size, instant in (
        ("siting_instant_covered", 2_000 if quick else 10_000, _most_covered_at_once),
        ("siting_instant_time", 2_000, _least_time_at_once),
    ):
        one = question(size, SITES)
        check = partial(_within, one.source)
        yield Budget(name=name, n=size, ours=partial(instant, one), budget_s=INSTANT_S, check=check)


@cache
def question(n: int, sites: int) -> Question:
    rng = np.random.default_rng(n)
    streets, source = _streets()
    cars = travel(streets)
    lines = shapely.get_parts(streets.geometry.to_numpy())
    line = rng.choice(len(lines), n, p=shapely.length(lines) / shapely.length(lines).sum())
    places = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], rng.random(n), normalized=True))
    ends = np.unique(shapely.get_coordinates(shapely.get_point(lines, 0)), axis=0)
    candidates = cars.snap(ends[rng.choice(len(ends), sites, replace=False)])
    demand = cars.snap(places + rng.normal(0, 20, (n, 2)))
    seconds = np.minimum(np.rint(cars.matrix_s(candidates, demand)), NEVER_S)
    return Question(seconds, rng.integers(1, 61, n).astype(float), source)


@cache
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


def _contest(
    name: str, asked: Question, ours: Callable[..., Siting], anchor: Callable[[Question], float], target: float
) -> Contest:
    return Contest(
        name=name,
        n=asked.weight.size,
        ours=partial(ours, asked),
        anchor=partial(anchor, asked),
        anchor_name="spopt with CBC",
        target=target,
        agree=partial(_agree, asked.source),
    )


def _most_covered(asked: Question) -> Siting:
    return mclp(cover_within(asked.seconds, REACH_S), asked.weight, POSTS, time_limit_s=300.0)


def _most_covered_at_once(asked: Question) -> Siting:
    return mclp(cover_within(asked.seconds, REACH_S), asked.weight, POSTS, time_limit_s=0.0)


def _least_time_at_once(asked: Question) -> Siting:
    return p_median(asked.seconds, asked.weight, POSTS, time_limit_s=0.0)


def _fewest(asked: Question) -> Siting:
    seconds = asked.seconds[:, (asked.seconds <= REACH_S).any(axis=0)]
    return lscp(cover_within(seconds, REACH_S), time_limit_s=300.0)


def _cbc() -> pulp.LpSolver:
    return pulp.PULP_CBC_CMD(msg=False, gapRel=0.0, gapAbs=0.0)


def _spopt_most_covered(asked: Question) -> float:
    solved = MCLP.from_cost_matrix(asked.seconds.T, asked.weight, REACH_S, POSTS).solve(_cbc())
    return float(pulp.value(solved.problem.objective))


def _spopt_fewest(asked: Question) -> float:
    seconds = asked.seconds[:, (asked.seconds <= REACH_S).any(axis=0)]
    return float(pulp.value(LSCP.from_cost_matrix(seconds.T, REACH_S).solve(_cbc()).problem.objective))


def _agree(source: str, ours: Siting, theirs: float) -> str:
    if ours.status != "optimal":
        raise Disagreement(f"ours is not proven: {ours.value:g}, bound {ours.bound:g}")
    if abs(ours.value - theirs) > SAME * max(abs(theirs), 1.0):
        raise Disagreement(f"{ours.value:g} against {theirs:g}")
    return f"optimum {ours.value:,.0f} both, proven; {source}"


def _within(source: str, found: Siting) -> str:
    return f"{found.value:,.0f}, at most {found.gap:.1%} from the best; {source}"


if __name__ == "__main__":
    sys.exit(main(contests, title="Siting of posts: demand, 500 candidates, ours against spopt with CBC"))
