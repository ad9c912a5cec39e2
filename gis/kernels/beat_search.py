"""Beats from grids: even workloads, and short ways from each beat's centre to where the calls are.

What is made small, with the load T that a beat should have, d its deviation from it in units of T, h how far it lies
outside the tolerance, and t the travel time from the beat's centre::

    sum over beats of 4 d^2 + 200 (h + 4 h^2) + 0.1 borders + changed load / T + sum over grids of (load / T) t / t0

The last two are weighed by the caller. t0 is how far, in time, a beat of mean size reaches. The centre of a beat is the
grid of its own with the least loaded time to all of them, or its post. With centres fixed every beat's cost is a sum,
so that plans of grids and their search serve (`gis.kernels.annealing`, `gis.kernels.recombination`); centres and beats
are improved in turn, as in Lloyd's method (Cooper 1964, SIAM Review 6(1), on location-allocation), from several starts.
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment

from gis.errors import Infeasible
from gis.kernels.annealing import Schedule, anneal
from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints
from gis.kernels.plan_objective import Band, Objective, Weights, objective
from gis.kernels.recombination import recombine
from gis.kernels.repair import in_one_piece

EVENLY = Weights(cut=0.1, spread=4.0, band=200.0)
PROPOSALS_PER_GRID = 150
LEAST_PROPOSALS = 10_000
"""So many for a handful of grids, too."""
HOTTEST, COLDEST = 0.5, 0.005
UNEVEN = 0.3
"""By how much, on a scale of logarithms, beats grow faster or slower than even when made from nothing."""
SOFT = 4.0
"""Weight of leaving the tolerance while the first moves are made."""
STARTS = 3
"""Divisions from nothing that are improved, besides the beats in force."""
FEW, STARTS_OF_FEW = 30, 20
"""So few grids have as many starts, each with its pairs of beats divided anew: there it costs nothing."""
ROUNDS = 5
"""How often centres and beats are improved in turn."""
NEVER = 3.0
"""A grid that is not reached counts as this many times as far as the farthest that is."""
_WORTH = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """What beats are measured by.

    Attributes
    ----------
    load : (n,)
        Workload of each grid, not negative, in sum positive.
    seconds : (n, n)
        Travel time from each grid to each; inf where there is no way.
    beats_count
        How many beats, at least one.
    tolerance
        Share by which a beat's load may differ from the mean before it costs much more.
    response_weight, change_weight
        Of the travel times, and of load that changes beats.
    base : (n,), optional
        The beats in force, 0 to `beats_count` - 1, or -1 for one that none continues.
    posts : (`beats_count`,), optional
        The grid of each beat's post.
    """

    load: Floats
    seconds: Floats
    beats_count: int
    tolerance: float
    response_weight: float
    change_weight: float
    base: Ints | None = None
    posts: Ints | None = None

    @property
    def band(self) -> Band:
        """The loads that a beat should have."""
        return Band.around(float(self.load.sum()) / self.beats_count, self.tolerance)

    @property
    def weights(self) -> Weights:
        """What counts how much, travel times apart."""
        return replace(EVENLY, stability=self.change_weight)

    @property
    def fixed(self) -> Bools:
        """Which grids (n,) have a post."""
        fixed = np.zeros(self.load.size, bool)
        fixed[[] if self.posts is None else self.posts] = True
        return fixed

    def reach_s(self) -> float:
        """Return t0: the median over grids of the time to the last of as many grids as a beat has on average."""
        near = min(max(round(self.load.size / self.beats_count), 2), self.load.size) - 1
        times = np.partition(self.seconds, near, axis=1)[:, near]
        known = times[np.isfinite(times) & (times > 0)]
        return float(np.median(known)) if known.size else 1.0

    def known_s(self) -> Floats:
        """Return the times (n, n) with a number for what is not reached."""
        known = np.isfinite(self.seconds)
        farthest = float(self.seconds[known].max(initial=0.0))
        return np.where(known, self.seconds, NEVER * max(farthest, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """A division into beats.

    Attributes
    ----------
    beat : (n,)
        0 to k - 1; each holds a grid and hangs together.
    centre : (k,)
        Grid of each beat's centre.
    cost
        Part by part; `Objective.place` is that of the travel times.
    """

    beat: Ints
    centre: Ints
    cost: Objective


def centres_of(beat: Ints, load: Floats, seconds: Floats, *, beats_count: int) -> Ints:
    """Return the grid (k,) of each beat from which its load is reached soonest; of equals, the first.

    A beat without load has the grid from which all of it is reached soonest.

    Examples
    --------
    >>> steps = np.abs(np.arange(4.0)[:, None] - np.arange(4.0))
    >>> centres_of(np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 5.0, 1.0]), steps, beats_count=2).tolist()
    [2, 3]
    """
    centre = np.full(beats_count, -1)
    order = np.argsort(beat, kind="stable")
    bounds = np.searchsorted(beat[order], np.arange(beats_count + 1))
    for b in range(beats_count):
        own = order[bounds[b] : bounds[b + 1]]
        if own.size:
            weight = load[own] if load[own].sum() > 0 else np.ones(own.size)
            centre[b] = own[np.argmin(seconds[np.ix_(own, own)] @ weight)]
    return centre


def measured(graph: BlockGraph, aim: Aim, beat: Ints) -> Beats:
    """Return what a division (n,) costs.

    Raises
    ------
    ValueError
        A beat has no grid.
    """
    known, reach = aim.known_s(), aim.reach_s()
    return _measured(graph, aim, beat, known, reach)


def _measured(graph: BlockGraph, aim: Aim, beat: Ints, known: Floats, reach: float) -> Beats:
    if (np.bincount(beat, minlength=aim.beats_count) == 0).any():
        raise ValueError("a beat has no grid")
    centre = aim.posts
    if centre is None:
        centre = centres_of(beat, aim.load, known, beats_count=aim.beats_count)
    cost = objective(graph, aim.load, beat, **_account(aim), place_cost=_place_cost(aim, centre, known, reach))
    return Beats(beat, centre, cost)


def _account(aim: Aim) -> dict:  # type: ignore[type-arg]
    return {"grids_count": aim.beats_count, "band": aim.band, "weights": aim.weights, "base": aim.base}


def _place_cost(aim: Aim, centre: Ints, known: Floats, reach: float) -> Floats:
    """Return what each grid costs in each beat (n, k): its load, by the time from the beat's centre."""
    share = aim.response_weight * aim.load / aim.band.target
    return np.ascontiguousarray(share[:, None] * known[centre].T / reach)


def search(
    graph: BlockGraph,
    aim: Aim,
    *,
    starts: tuple[Ints, ...] = (),
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Beats:
    """Return the best division found, never worse than any of the `starts`.

    Parameters
    ----------
    graph
        Of grids that hang together; across what is no border of this graph no beat reaches.
    starts
        Divisions (n,) to begin with besides those made from nothing; each beat holds a grid and hangs together.
    seed
        The same seed gives the same beats.
    progress
        Called with the share done (0-1); may raise to cancel.

    Raises
    ------
    Infeasible
        There are fewer grids than beats.
    """
    n, k = graph.blocks_count, aim.beats_count
    if k > n:
        raise Infeasible(f"{n} grids cannot make {k} beats")
    known, reach = aim.known_s(), aim.reach_s()
    rng = np.random.default_rng(seed)
    fresh = (STARTS_OF_FEW if n <= FEW else STARTS) if 1 < k < n else 1
    begun = [*starts, *(_from_nothing(graph, aim, known, rng) for _ in range(fresh))]
    best: Beats | None = None
    for number, start in enumerate(begun):
        if progress is not None:
            progress(number / (len(begun) + 1))
        found = _in_turn(graph, aim, start, known, reach, seed=seed + number)
        if n <= FEW:
            found = _divided_anew(graph, aim, found, known, reach, seed=seed + number)
        if best is None or found.cost.total < best.cost.total - _WORTH:
            best = found
    assert best is not None  # noqa: S101 - there is always one start
    if progress is not None:
        progress(len(begun) / (len(begun) + 1))
    return _divided_anew(graph, aim, best, known, reach, seed=seed)


def _in_turn(graph: BlockGraph, aim: Aim, start: Ints, known: Floats, reach: float, *, seed: int) -> Beats:
    """Improve beats and centres in turn for as long as that helps."""
    best = here = _measured(graph, aim, start, known, reach)
    tries = max(PROPOSALS_PER_GRID, LEAST_PROPOSALS // graph.blocks_count)
    account = _account(aim)
    for turn in range(ROUNDS):
        # At first a beat may leave the tolerance for a while: some divisions have no other way between them.
        weights = replace(aim.weights, band=SOFT) if turn == 0 else aim.weights
        moved = anneal(
            graph,
            aim.load,
            here.beat,
            schedule=Schedule(tries, HOTTEST, COLDEST),
            fixed=aim.fixed,
            place_cost=_place_cost(aim, here.centre, known, reach),
            seed=seed + 1_000 * turn,
            **{**account, "weights": weights},
        )
        here = _measured(graph, aim, moved.grid, known, reach)
        if turn > 0 and here.cost.total >= best.cost.total - _WORTH:
            break
        best = min(best, here, key=lambda found: found.cost.total)
    return best


def _divided_anew(graph: BlockGraph, aim: Aim, best: Beats, known: Floats, reach: float, *, seed: int) -> Beats:
    """Divide pairs of neighbouring beats anew, and set centres, in turn for as long as that helps.

    Of many grids, only pairs with a beat outside the tolerance: annealing has done the rest at less expense.
    """
    for turn in range(ROUNDS):
        load = np.bincount(best.beat, aim.load, minlength=aim.beats_count).astype(float)
        outside = ~aim.band.holds(load)
        if graph.blocks_count > FEW and not outside.any():
            break
        new = recombine(
            graph,
            aim.load,
            best.beat,
            fixed=aim.fixed,
            only=outside if graph.blocks_count > FEW else None,
            place_cost=_place_cost(aim, best.centre, known, reach),
            seed=seed + turn,
            **_account(aim),
        )
        found = _measured(graph, aim, new.grid, known, reach)
        if found.cost.total >= best.cost.total - _WORTH:
            break
        best = found
    return best


def _from_nothing(graph: BlockGraph, aim: Aim, known: Floats, rng: np.random.Generator) -> Ints:
    """Return beats (n,) grown from posts, or from grids that lie apart, the lightest first."""
    seeds = _seeds(aim, known, rng) if aim.posts is None else aim.posts
    beat = np.full(aim.load.size, -1)
    beat[seeds] = np.arange(aim.beats_count)
    # Not always the lightest first: other starts lead elsewhere.
    pace = np.exp(rng.normal(0.0, UNEVEN, aim.beats_count))
    _grow(graph.first, graph.neighbour, aim.load, known, seeds, pace, beat)
    return _continuing(beat, aim) if aim.posts is None else beat


def _seeds(aim: Aim, known: Floats, rng: np.random.Generator) -> Ints:
    """Draw grids (k,) that lie apart, rather where there is load (k-means++; Arthur and Vassilvitskii 2007)."""
    weight = aim.load + 1e-6 * aim.load.sum() / aim.load.size
    seeds = [int(rng.choice(weight.size, p=weight / weight.sum()))]
    nearest = known[seeds[0]].copy()
    while len(seeds) < aim.beats_count:
        chance = weight * nearest**2
        chance[seeds] = 0.0
        if chance.sum() <= 0:
            chance = np.ones(weight.size)
            chance[seeds] = 0.0
        seeds.append(int(rng.choice(weight.size, p=chance / chance.sum())))
        nearest = np.minimum(nearest, known[seeds[-1]])
    return np.array(seeds)


def _continuing(beat: Ints, aim: Aim) -> Ints:
    """Return the same beats numbered as those in force that they share most load with."""
    if aim.base is None:
        return beat
    held = aim.base >= 0
    common = np.zeros((aim.beats_count, aim.beats_count))
    np.add.at(common, (beat[held], aim.base[held]), aim.load[held] + 1e-9)
    return np.asarray(linear_sum_assignment(-common)[1])[beat]


def whole_start(graph: BlockGraph, load: Floats, beat: Ints, *, beats_count: int) -> Ints | None:
    """Return beats in force (n,) put together where they lie in pieces; None where one of them then holds no grid."""
    whole = in_one_piece(graph, load + 1e-9, beat)
    right = np.bincount(whole, minlength=beats_count).all() and graph.pieces(whole).max() + 1 == beats_count
    return whole if right else None


@njit(cache=True, nogil=True)
def _grow(first, neighbour, load, seconds, seeds, pace, beat):  # type: ignore[no-untyped-def]
    """Let the lightest beat that can take the grid next to it that is soonest reached, until all are taken.

    Lightest by its load divided by its pace (k,).
    """
    weight = load[seeds] / pace
    stuck = np.zeros(seeds.size, np.bool_)
    while not stuck.all():
        b = np.argmin(np.where(stuck, np.inf, weight))
        taken = _soonest(first, neighbour, seconds[seeds[b]], beat, b)
        if taken < 0:
            stuck[b] = True
        else:
            beat[taken] = b
            weight[b] += load[taken] / pace[b]


@njit(cache=True, nogil=True)
def _soonest(first, neighbour, seconds, beat, b):  # type: ignore[no-untyped-def]
    """Return the grid that no beat has yet, of those next to beat b the one of the least time (n,); -1 for none."""
    taken = -1
    for u in range(beat.size):
        if beat[u] != b:
            continue
        for dart in range(first[u], first[u + 1]):
            v = neighbour[dart]
            if beat[v] < 0 and (taken < 0 or seconds[v] < seconds[taken]):
                taken = v
    return taken
