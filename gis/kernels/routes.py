"""Patrol routes: which places to visit, by whom, in which order and when (team orienteering with windows and breaks).

The instant answer inserts by profit per second and then searches for a moment; `improve_routes` goes on from any
answer. Both keep every limit of the problem, whatever the seed. Another seed gives another night: other visits among
those of much the same worth, another order, another direction.

References: Vansteenwegen, Souffriau and Van Oudheusden (2011), European Journal of Operational Research 209, 1-10
(the problem); Christiaens and Vanden Berghe (2020), Transportation Science 54, 417-433 (the search).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gis.kernels.random_stream import stream
from gis.kernels.route_orders import kept_order
from gis.kernels.route_problem import Bools, Ints, RouteProblem, profit_bound
from gis.kernels.route_schedule import NOWHERE, Plan, copy_plan, empty_plan, refresh
from gis.kernels.route_search import anneal, insert_all, level, polish

INSTANT_PAIRS = 8_000_000
"""Rounds of the instant answer times visits times units: a part of a second."""
LEAST_ROUNDS, MOST_ROUNDS = 200, 8_000
CHUNK = 500
"""Rounds between two reports of progress."""
HOT, COLD = 0.15, 0.01
"""Temperatures at the beginning and the end of a search, in units of the median profit."""
TRAVEL_WORTH = 0.5
"""What the time of one visit, when it is not travelled, is worth in the same units while the search is on its way."""
FARTHER = 1.05
"""A route that is turned round may take so many times as much travel and waiting."""


@dataclass(frozen=True, slots=True, eq=False)
class Routes:
    """Routes that keep every limit of a problem.

    Attributes
    ----------
    nodes : k arrays
        Visits (below n) and breaks (n and up) of each unit, in order.
    begin_s : k arrays
        When each begins, in whole seconds; the earliest.
    finish_s, travel_s : (k,)
        When each unit is back, and how long it travels, waiting not counted.
    unit : (n,)
        Who makes each visit, -1 where nobody does.
    profit
        Of all visits that are made.
    bound
        No routes have a larger profit.
    missing : (m,)
        Visits that must be made, and are not.
    """

    nodes: tuple[Ints, ...]
    begin_s: tuple[Ints, ...]
    finish_s: Ints
    travel_s: Ints
    unit: Ints
    profit: float
    bound: float
    missing: Ints

    @property
    def share(self) -> float:
        """Profit as a share of the bound; 1 where there is nothing to gain."""
        return self.profit / self.bound if self.bound > 0 else 1.0

    def better_than(self, other: Routes) -> bool:
        """Return whether these are better: more visits that must be made, else more profit, else less travel."""
        return self._rank > other._rank

    @property
    def _rank(self) -> tuple[int, float, int]:
        return -self.missing.size, self.profit, -int(self.travel_s.sum())


def insert_routes(
    problem: RouteProblem,
    *,
    fixed: Mapping[int, Ints] | None = None,
    rounds: int | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Routes:
    """Return the instant answer: visits by profit per added second, improved for a moment.

    Parameters
    ----------
    fixed
        Unit -> its nodes in order, breaks included, as `kept_order` gives them; such a route stays as it is.
    rounds
        How often visits are taken out and put back; as many as take a part of a second when not given, and 0 for the
        insertion alone.
    seed
        The same seed gives the same routes.

    Raises
    ------
    ValueError
        A unit cannot keep its breaks, or a fixed order its limits.
    """
    plan, closed = _begun(problem, fixed or {})
    insert_all(problem.instance, plan, closed, 1.0)
    size = problem.visits_count * problem.units_count
    if rounds is None:
        most = min(MOST_ROUNDS, LEAST_ROUNDS * (problem.visits_count + 1))
        rounds = int(np.clip(INSTANT_PAIRS / max(size, 1), LEAST_ROUNDS, most))
    best = _searched(problem, plan, closed, rounds=rounds, seed=seed, progress=progress)
    return _routes(problem, _finished(problem, best, closed, seed))


def improve_routes(
    problem: RouteProblem,
    routes: Routes,
    *,
    rounds: int,
    fixed: Sequence[int] = (),
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Routes:
    """Return routes at least as good as those given, after so many rounds of taking out and putting back.

    Parameters
    ----------
    fixed
        Units whose routes stay as they are.
    """
    plan, closed = _begun(problem, dict(enumerate(routes.nodes)))
    closed[:] = False
    closed[list(fixed)] = True
    best = _searched(problem, plan, closed, rounds=rounds, seed=seed, progress=progress)
    return _routes(problem, _finished(problem, best, closed, seed))


def given_routes(problem: RouteProblem, nodes: Mapping[int, Ints]) -> Routes:
    """Return routes whose nodes are given, unit -> nodes; the other units only keep their breaks.

    Raises
    ------
    ValueError
        A limit is not kept, or two units make the same visit.
    """
    return _routes(problem, _begun(problem, nodes)[0])


def _begun(problem: RouteProblem, given: Mapping[int, Ints]) -> tuple[Plan, Bools]:
    """Return a plan with the given routes, breaks alone in the others, and which units are given."""
    ins = problem.instance
    plan, closed = empty_plan(ins), np.zeros(problem.units_count, bool)
    for u in range(problem.units_count):
        nodes = given.get(u, problem.breaks_of(u))
        plan.route[u, : len(nodes)] = nodes
        plan.size[u] = len(nodes)
        if not refresh(ins, plan, u):
            raise ValueError(f"routes: unit {u} cannot keep {'its given order' if u in given else 'its breaks'}")
        visits = np.asarray(nodes)[np.asarray(nodes) < problem.visits_count]
        if (plan.unit[visits] != NOWHERE).any():
            raise ValueError(f"routes: unit {u} is given a visit that another one makes")
        plan.unit[visits] = u
        closed[u] = u in given
    return plan, closed


def _searched(
    problem: RouteProblem,
    plan: Plan,
    closed: Bools,
    *,
    rounds: int,
    seed: int,
    progress: Callable[[float], None] | None,
) -> Plan:
    """Return the best plan met in a search that begins with `plan`, which is given up to it."""
    ins = problem.instance
    best, spare = empty_plan(ins), empty_plan(ins)
    polish(ins, plan, closed, spare)
    copy_plan(plan, best)
    if rounds == 0 or closed.all() or problem.visits_count == 0:
        return best
    worthy = problem.profit[problem.profit > 0]
    usual = float(np.median(worthy)) if worthy.size else 1.0
    a_visit_s = float((ins.ends - ins.begins).sum()) / max(int((plan.unit >= 0).sum()), 1)
    per_second = TRAVEL_WORTH * usual / max(a_visit_s, 1.0)
    cooling = (COLD / HOT) ** (1.0 / rounds)
    state = stream(seed)
    for begun in range(0, rounds, CHUNK):
        if progress is not None:
            progress(begun / rounds)
        hot = HOT * usual * cooling**begun
        anneal(ins, plan, best, spare, closed, state, min(CHUNK, rounds - begun), hot, cooling, per_second)
    polish(ins, best, closed, spare)
    return best


def _finished(problem: RouteProblem, plan: Plan, closed: Bools, seed: int) -> Plan:
    """Level what the units have to do, then turn about half of the routes round, drawn by the seed.

    A route is turned only where that keeps its limits at little travel more.
    """
    ins = problem.instance
    level(ins, plan, closed, empty_plan(ins))
    turn = np.random.default_rng(seed).integers(0, 2, problem.units_count).astype(bool)
    for u in np.flatnonzero(turn & ~closed):
        nodes = plan.route[u, : plan.size[u]].copy()
        visits = nodes[nodes < problem.visits_count][::-1]
        order, before = kept_order(problem, int(u), visits), plan.travel[u]
        if not order.kept:
            continue
        plan.route[u, : plan.size[u]] = order.nodes
        refresh(ins, plan, u)
        if plan.travel[u] > FARTHER * before:
            plan.route[u, : plan.size[u]] = nodes
            refresh(ins, plan, u)
    return plan


def _routes(problem: RouteProblem, plan: Plan) -> Routes:
    made = plan.unit >= 0
    return Routes(
        nodes=tuple(plan.route[u, :size].copy() for u, size in enumerate(plan.size)),
        begin_s=tuple(plan.begin[u, :size].copy() for u, size in enumerate(plan.size)),
        finish_s=plan.finish.copy(),
        travel_s=np.array([_travelled(problem, plan, u) for u in range(problem.units_count)], dtype=np.int64),
        unit=plan.unit.copy(),
        profit=float(problem.profit[made].sum()),
        bound=profit_bound(problem),
        missing=np.flatnonzero(problem.instance.must & ~made),
    )


def _travelled(problem: RouteProblem, plan: Plan, u: int) -> int:
    ins = problem.instance
    places = ins.place[plan.route[u, : plan.size[u]]]
    stations = np.concatenate([[ins.start[u]], places[places >= 0], [ins.end[u]]])
    return int(ins.seconds[stations[:-1], stations[1:]].sum())
