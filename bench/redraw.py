"""Redrawing the grids: shorter borders than METIS, far fewer moves than a new plan, and against gerrychain and spopt.

Cities are Voronoi blocks with a lognormal load (`data.synth.voronoi`), about 400 households a grid, a band of ten per
cent. n counts blocks. Ours is METIS and then annealing, as `gis.plans.division.divided` does it; METIS alone is the
anchor of the first two claims, with the same options. Borders are in mean block sides. GerryChain and spopt are made
for districts and regions rather than for this: each gets the band where it has one.
"""

from __future__ import annotations

import random
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import libpysal
import networkx as nx
import numpy as np
import pymetis
import shapely
from gerrychain import Graph, Partition, constraints
from gerrychain.optimization import SingleMetricOptimizer
from gerrychain.partition import recursive_tree_part
from gerrychain.proposals import recom
from gerrychain.updaters import Tally
from spopt.region import MaxPHeuristic

from bench.harness import Budget, Contest, Disagreement, Quality, main
from data.synth.voronoi import CRS, block_frame, voronoi_blocks, voronoi_city
from gis.kernels.annealing import THOROUGH, Schedule
from gis.kernels.block_graph import BlockGraph
from gis.kernels.plan_metrics import LiveMetrics, grid_metrics
from gis.kernels.plan_objective import FROM_SCRATCH, Band, cut_length
from gis.kernels.repair import in_one_piece
from gis.plans.division import METIS_SLACK, divided
from gis.plans.graph import blocks_of, with_households
from gis.plans.plan import Grid, plan_of, relabelled
from gis.plans.propose import propose

TOLERANCE = 0.1
PER_GRID = 400.0
SHORTER = 1 / 0.95
TIMES_METIS = 25.0
MOST_MOVED, LEAST_FRESH = 2.5, 40.0
"""Per cent of households that may move from the plan in force, and that a new plan of METIS moves at least."""
STEADY = Schedule(600, 0.3, 0.02)
LONG = Schedule(1_000, 0.3, 0.02)
STROKES, STROKE_BLOCKS = 50, 6


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """A graph of blocks, their households, and how many grids they are for."""

    graph: BlockGraph
    load: np.ndarray
    grids: int

    @property
    def band(self) -> Band:
        """Ten per cent around the mean load."""
        return Band.around(self.load.sum() / self.grids, TOLERANCE)

    def worst(self, grid: np.ndarray) -> float:
        """Return the largest deviation of a grid from the mean, as a share."""
        return float(np.abs(np.bincount(grid, self.load, minlength=self.grids) / self.band.target - 1).max())

    def check(self, grid: np.ndarray) -> None:
        """Raise unless every grid is in one piece and in the band."""
        if self.graph.pieces(grid).max() + 1 != self.grids:
            raise Disagreement("a grid is in several pieces")
        if self.worst(grid) > TOLERANCE + 1e-9:
            raise Disagreement(f"a grid deviates by {self.worst(grid):.3f}")


def city(n: int, seed: int) -> City:
    graph, load, _ = voronoi_city(n, seed)
    return City(graph, load, round(load.sum() / PER_GRID))


def ours(place: City, schedule: Schedule = THOROUGH) -> np.ndarray:
    return divided(
        place.graph, place.load, place.grids, band=place.band, weights=FROM_SCRATCH, schedule=schedule, seed=1
    )


def metis(place: City) -> np.ndarray:
    _, part = pymetis.part_graph(
        place.grids,
        pymetis.CSRAdjacency(place.graph.first, place.graph.neighbour),
        vweights=place.load.astype(np.int64),
        eweights=np.maximum(1, np.round(100 * place.graph.border_m)).astype(np.int64),
        recursive=False,
        options=pymetis.Options(contig=1, ufactor=METIS_SLACK, seed=1),
    )
    return np.asarray(part, dtype=np.int64)


def contests(*, quick: bool) -> Iterator[Contest | Budget | Quality]:
    """Yield the claims; the quick set leaves out spopt, which takes half a minute a run, and the largest city."""
    places = [city(10_000, seed) for seed in ((1, 2) if quick else (1, 2, 3))]
    yield Quality(
        name="border_length",
        n=10_000,
        measure=partial(_shorter, places),
        anchor_name="METIS, contiguous; the median city",
        unit="sides",
        target=SHORTER,
    )
    yield Contest(
        name="time_for_it",
        n=10_000,
        ours=partial(ours, places[0]),
        anchor=partial(metis, places[0]),
        anchor_name="METIS alone",
        target=1 / TIMES_METIS,
        agree=lambda mine, theirs: (
            f"border {cut_length(places[0].graph, mine) / cut_length(places[0].graph, theirs):.3f}"
        ),
    )
    yield Quality(
        name="households_moved",
        n=10_000,
        measure=_moved,
        anchor_name="a new plan of METIS, named after the old one",
        unit="%",
        target=LEAST_FRESH / MOST_MOVED,
    )
    yield _strokes_budget(places[0], n=10_000)
    yield _strokes_contest(places[0], n=10_000, target=5.0)
    small = city(1_000, 1)
    yield _against(
        small, partial(_gerrychain, small, 800 if quick else 4_000), "gerrychain, short bursts", "gerrychain"
    )
    if quick:
        return
    yield _against(small, partial(_spopt, small, voronoi_blocks(1_000, 1)), "spopt MaxPHeuristic", "spopt")
    large = city(100_000, 1)
    yield Budget(
        name="large_city", n=100_000, ours=partial(ours, large, LONG), budget_s=60.0, check=partial(_large, large)
    )
    yield _strokes_contest(large, n=100_000, target=50.0)


# -- against METIS ---------------------------------------------------------------------------------------------------


def _shorter(places: list[City]) -> tuple[float, float, str]:
    pairs = []
    for place in places:
        mine, theirs = ours(place), metis(place)
        place.check(mine)
        pairs.append((cut_length(place.graph, mine), cut_length(place.graph, theirs), place.worst(mine)))
    pairs.sort(key=lambda pair: pair[0] / pair[1])
    mine_m, theirs_m, _ = pairs[len(pairs) // 2]
    shares = ", ".join(f"{a / b:.3f}" for a, b, _ in pairs)
    return mine_m, theirs_m, f"{shares} of METIS; loads within {max(w for *_, w in pairs):.3f}"


def _large(place: City, grid: np.ndarray) -> str:
    place.check(grid)
    return f"{place.grids:,} grids within {place.worst(grid):.3f}"


def _moved() -> tuple[float, float, str]:
    """Return the share of households that move after new estates and demolitions: ours, and METIS from scratch."""
    place = city(10_000, 1)
    blocks = blocks_of(block_frame(10_000, 1), crs=CRS)
    base = ours(place)
    codes = np.array([f"3205080170{g:05d}" for g in range(place.grids)], dtype=object)
    plan = plan_of(blocks.codes, codes[base], [Grid(code) for code in codes])
    households = _changed(place, base)
    later = City(place.graph, households, place.grids)
    before = int((~later.band.holds(np.bincount(base, households))).sum())
    new = propose(with_households(blocks, households.astype(np.int64)), plan, households, later.band).proposals[0]
    if new.score.out_of_band_count or new.score.loose_pieces_count or new.opened or new.ended:
        raise Disagreement("a grid is outside the band, in pieces, new or gone")
    mine = 100 * new.score.moved_households_share
    if mine > MOST_MOVED:
        raise Disagreement(f"{mine:.2f} % of households move, more than {MOST_MOVED} %")
    fresh = in_one_piece(later.graph, households, metis(later))
    names = relabelled(fresh, base, households, grids_count=place.grids, base_count=place.grids)
    theirs = 100 * float(households[names[fresh] != base].sum() / households.sum())
    bound = 100 * new.bounds.must_move_load / households.sum()
    return mine, theirs, f"{before} grids were outside; no plan moves less than {bound:.2f} %"


def _changed(place: City, base: np.ndarray) -> np.ndarray:
    """Return the households (n,) after new estates in nine grids and demolitions in nine others."""
    rng = np.random.default_rng(7)
    households, chosen = place.load.copy(), rng.choice(place.grids, 18, replace=False)
    for grid in chosen[:9]:
        households[rng.choice(np.flatnonzero(base == grid), 3, replace=False)] += 45
    for grid in chosen[9:]:
        mine = np.flatnonzero(base == grid)
        households[mine] = np.round(households[mine] * 0.72)
    return households


# -- a stroke of the brush -------------------------------------------------------------------------------------------


def _strokes(place: City) -> tuple[np.ndarray, list[tuple[np.ndarray, int]]]:
    """Return a plan, and strokes that each give a few neighbouring blocks to a grid beside them."""
    rng = np.random.default_rng(1)
    graph, grid = place.graph, ours(place, Schedule(20, 0.3, 0.02))
    strokes = []
    border = np.flatnonzero(grid[graph.tail] != grid[graph.neighbour])
    for dart in rng.choice(border, STROKES, replace=False):
        u, to = graph.tail[dart], int(grid[graph.neighbour[dart]])
        near = graph.neighbour[graph.first[u] : graph.first[u + 1]]
        strokes.append((np.append(near[grid[near] == grid[u]], u)[-STROKE_BLOCKS:], to))
    return grid, strokes


def _live(place: City, grid: np.ndarray, strokes: list[tuple[np.ndarray, int]]) -> list[tuple[np.ndarray, np.ndarray]]:
    metrics = LiveMetrics(place.graph, place.graph, place.load[:, None], grid, grids_count=place.grids)

    def stroke(blocks: np.ndarray, to: int) -> tuple[np.ndarray, np.ndarray]:
        done = metrics.move(blocks, to)
        now = metrics.of(done.grids)
        return np.column_stack([now.amounts, now.area_m2, now.perimeter_m, now.compactness]), done.pieces

    return [partial(stroke, *each) for each in strokes]  # type: ignore[misc]


def _strokes_budget(place: City, *, n: int) -> Budget:
    grid, strokes = _strokes(place)
    waiting: list[Callable[[], object]] = []

    def again() -> None:
        waiting[:] = _live(place, grid, strokes)  # type: ignore[assignment]

    return Budget(
        name=f"strokes_{STROKES}",
        n=n,
        ours=lambda: [stroke() for stroke in waiting],
        budget_s=STROKES * 1e-3,
        check=lambda _: f"{STROKES} strokes of up to {STROKE_BLOCKS} blocks: load, area, perimeter, shape, pieces",
        before=again,
    )


def _strokes_contest(place: City, *, n: int, target: float) -> Contest:
    grid, strokes = _strokes(place)
    waiting: list[Callable[[], object]] = []

    def again() -> None:
        waiting[:] = _live(place, grid, strokes)  # type: ignore[assignment]

    def afresh() -> list[tuple[np.ndarray, np.ndarray]]:
        now, found = grid.copy(), []
        for blocks, to in strokes:
            touched = np.unique([*now[blocks], to])
            now[blocks] = to
            full = grid_metrics(place.graph, place.load[:, None], now, grids_count=place.grids)
            numbers = np.column_stack([full.amounts, full.area_m2, full.perimeter_m, full.compactness])
            pieces = place.graph.pieces(now)
            found.append((numbers[touched], np.array([np.unique(pieces[now == g]).size for g in touched])))
        return found

    def agree(mine: list[tuple[np.ndarray, np.ndarray]], theirs: list[tuple[np.ndarray, np.ndarray]]) -> str:
        apart = 0.0
        for (a, pieces), (b, counted) in zip(mine, theirs, strict=True):
            if pieces.tolist() != counted.tolist():
                raise Disagreement("pieces are counted differently")
            apart = max(apart, float(np.nanmax(np.abs(a - b), initial=0.0)))
        if apart > 1e-6:
            raise Disagreement(f"numbers differ by {apart:.2g}")
        return f"pieces equal, numbers to {apart:.0e}; {place.grids:,} grids"

    return Contest(
        name=f"strokes_{STROKES}_against_all",
        n=n,
        ours=lambda: [stroke() for stroke in waiting],
        anchor=afresh,
        anchor_name="all numbers afresh, vectorised",
        target=target,
        agree=agree,
        before=again,
    )


# -- against other libraries -----------------------------------------------------------------------------------------


def _against(place: City, theirs: Callable[[], np.ndarray], name: str, claim: str) -> Contest:
    def agree(mine: np.ndarray, other: np.ndarray) -> str:
        place.check(mine)
        ratio = cut_length(place.graph, mine) / cut_length(place.graph, other)
        if ratio >= 1:
            raise Disagreement(f"our border is {ratio:.3f} of theirs")
        return f"border {ratio:.3f} of theirs; loads within {place.worst(mine):.3f}, theirs {place.worst(other):.3f}"

    return Contest(
        name=f"faster_than_{claim}",
        n=place.load.size,
        ours=partial(ours, place, STEADY),
        anchor=theirs,
        anchor_name=name,
        target=50.0,
        agree=agree,
    )


def _gerrychain(place: City, steps: int) -> np.ndarray:
    """Return the shortest borders that short bursts of recombination find from a recursive tree partition."""
    ends, border = place.graph.pairs()
    inner = nx.Graph()
    inner.add_nodes_from((i, {"households": int(w)}) for i, w in enumerate(place.load))
    inner.add_edges_from(map(tuple, ends.tolist()))
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - what the library draws from
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph, target = Graph.from_networkx(inner), place.band.target
        start = recursive_tree_part(graph, range(place.grids), target, "households", TOLERANCE - 0.001)
        state = Partition(graph, start, updaters={"population": Tally("households", alias="population")})

        def length(partition: Partition) -> float:
            grid = _assigned(partition, place.load.size)
            return float(border[grid[ends[:, 0]] != grid[ends[:, 1]]].sum())

        chain = SingleMetricOptimizer(
            partial(recom, pop_col="households", pop_target=target, epsilon=TOLERANCE - 0.001),
            constraints.Validator(
                [constraints.within_percent_of_ideal_population(state, TOLERANCE, "population"), constraints.contiguous]
            ),
            state,
            length,
            maximize=False,
        )
        for _ in chain.short_bursts(10, steps // 10):
            pass
    return _assigned(chain.best_part, place.load.size)


def _assigned(partition: Partition, n: int) -> np.ndarray:
    return np.array([partition.assignment[i] for i in range(n)], dtype=np.int64)


def _spopt(place: City, shapes: np.ndarray) -> np.ndarray:
    """Return regions of at least 90 per cent of the mean load, the only balance that spopt knows, alike in place."""
    x, y = shapely.get_coordinates(shapely.centroid(shapes)).T
    frame = gpd.GeoDataFrame({"households": place.load, "x": x, "y": y}, geometry=list(shapes), crs=CRS)
    near = {
        i: place.graph.neighbour[a:b].tolist()
        for i, (a, b) in enumerate(zip(place.graph.first, place.graph.first[1:], strict=False))
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.random.seed(1)  # noqa: NPY002 - what the library draws from
        weights = libpysal.weights.W(near, silence_warnings=True)
        model = MaxPHeuristic(frame, weights, ["x", "y"], "households", (1 - TOLERANCE) * place.band.target, top_n=2)
        model.solve()
    return np.unique(model.labels_, return_inverse=True)[1]


if __name__ == "__main__":
    sys.exit(
        main(contests, title="Redrawing grids: blocks, ours against METIS, gerrychain, spopt and a full recompute")
    )
