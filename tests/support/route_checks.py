"""Routes judged without the code that makes them: limits looked at one by one, and the best answer by trying all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gis.kernels.route_problem import Breaks, RouteProblem, Units, Visits, route_problem
from gis.kernels.routes import Routes


@dataclass(frozen=True)
class Asked:
    """A problem as it is given."""

    seconds: np.ndarray
    visits: Visits
    units: Units
    breaks: Breaks

    @property
    def problem(self) -> RouteProblem:
        return route_problem(self.seconds, self.visits, self.units, self.breaks)


def broken_limits(asked: Asked, routes: Routes) -> list[str]:
    """Every limit that routes do not keep, in words; times are the routes' own, never made again."""
    wrong = [fault for u in range(asked.units.start.size) for fault in _faults_of(asked, routes, u)]
    n = asked.visits.place.size
    made = [node for nodes in routes.nodes for node in nodes.tolist() if node < n]
    if len(set(made)) != len(made):
        wrong.append("a visit is made twice")
    if sorted(made) != np.flatnonzero(routes.unit >= 0).tolist():
        wrong.append("what is said to be made is not what is in the routes")
    if abs(asked.visits.profit[made].sum() - routes.profit) > 1e-9 * max(routes.profit, 1):
        wrong.append("the profit is not that of the visits made")
    return wrong


def _faults_of(asked: Asked, routes: Routes, u: int) -> Iterator[str]:
    seconds, visits, units, breaks = asked.seconds, asked.visits, asked.units, asked.breaks
    n, at, free = visits.place.size, units.start[u], units.begins_s[u]
    for node, t in zip(routes.nodes[u].tolist(), routes.begin_s[u].tolist(), strict=True):
        if node >= n:
            opens, closes, lasts = (a[node - n] for a in (breaks.opens_s, breaks.closes_s, breaks.length_s))
        else:
            free, at = free + seconds[at, visits.place[node]], visits.place[node]
            opens, closes, lasts = (a[node] for a in (visits.opens_s, visits.closes_s, visits.dwell_s))
            if visits.kinds[node] & ~units.kinds[u]:
                yield f"unit {u} has not the kinds of visit {node}"
        if t < free:
            yield f"unit {u} begins {node} at {t}, before it can be there at {free}"
        if not opens <= t <= closes:
            yield f"unit {u} begins {node} at {t}, outside {opens} to {closes}"
        free = t + lasts
    free += seconds[at, units.end[u]]
    if free > routes.finish_s[u] or routes.finish_s[u] > units.ends_s[u]:
        yield f"unit {u} is back at {free}, said {routes.finish_s[u]}, must be {units.ends_s[u]}"
    if [node - n for node in sorted(routes.nodes[u].tolist()) if node >= n] != np.flatnonzero(
        breaks.unit == u
    ).tolist():
        yield f"unit {u} does not take its own breaks"


def best_by_trying_all(asked: Asked) -> tuple[int, float]:
    """The most visits that must be made, and with them the largest profit, over all routes there are.

    Of routes that made the same visits and rests and are at the same place, only the one that is there first matters.
    """
    reached = {frozenset[int]()}
    for u in range(asked.units.start.size):
        reached = {done for before in reached for done in _one_unit(asked, u, before)}
    visits = asked.visits
    values = [(int(visits.must[made].sum()), float(visits.profit[made].sum())) for made in map(sorted, reached)]
    return max(values, default=(-1, -1.0))


def can_rest(asked: Asked) -> bool:
    """Whether every unit can take its breaks, and go from where it starts to where it ends, with no visit at all."""
    none = Asked(asked.seconds, Visits(*(field[:0] for field in asked.visits)), asked.units, asked.breaks)
    return best_by_trying_all(none)[0] >= 0


def _one_unit(asked: Asked, u: int, before: frozenset[int]) -> set[frozenset[int]]:
    """All sets of visits that are made after one unit went, some of them made before."""
    units, n = asked.units, asked.visits.place.size
    home, ends = units.end[u], float(units.ends_s[u])
    rests = frozenset((n + np.flatnonzero(asked.breaks.unit == u)).tolist())
    layer = {(before, rests, int(units.start[u])): float(units.begins_s[u])}
    found = set()
    while layer:
        found |= {
            done for (done, left, at), t in layer.items() if not left and t + float(asked.seconds[at, home]) <= ends
        }
        following: dict[tuple[frozenset[int], frozenset[int], int], float] = {}
        for state, t in layer.items():
            for new, then in _next(asked, u, state, t):
                following[new] = min(then, following.get(new, np.inf))
        layer = following
    return found


State = tuple[frozenset[int], frozenset[int], int]


def _next(asked: Asked, u: int, state: State, t: float) -> Iterator[tuple[State, float]]:
    visits, breaks, (done, left, at), n = asked.visits, asked.breaks, state, asked.visits.place.size
    for node in left:
        start = max(t, float(breaks.opens_s[node - n]))
        if start <= breaks.closes_s[node - n]:
            yield (done, left - {node}, at), start + float(breaks.length_s[node - n])
    for h in range(n):
        place = int(visits.place[h])
        start = max(t + float(asked.seconds[at, place]), float(visits.opens_s[h]))
        if h not in done and not visits.kinds[h] & ~asked.units.kinds[u] and start <= visits.closes_s[h]:
            yield (done | {h}, left, place), start + float(visits.dwell_s[h])


def town(
    n: int,
    k: int,
    seed: int,
    *,
    posts: int = 3,
    dwell_s: float = 900.0,
    shift_s: float = 4 * 3600.0,
    side_m: float = 4_000.0,
) -> Asked:
    """Visits all over a town of one-way detours, units on a few posts; no windows, kinds, breaks or duties."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, side_m, (n + posts, 2))
    seconds = np.abs(places[:, None] - places[None]).sum(axis=2) / 8.0 * rng.uniform(0.95, 1.2, (n + posts, n + posts))
    # Detours on the way may not beat the direct way.
    for via in range(n + posts):
        seconds = np.minimum(seconds, seconds[:, [via]] + seconds[[via]])
    np.fill_diagonal(seconds, 0.0)
    posts_of = n + np.arange(k) % posts
    return Asked(
        seconds,
        Visits(
            place=np.arange(n),
            profit=rng.lognormal(0.0, 0.7, n).round(3),
            dwell_s=np.full(n, dwell_s),
            opens_s=np.zeros(n),
            closes_s=np.full(n, shift_s),
            must=np.zeros(n, bool),
            kinds=np.zeros(n, np.int64),
        ),
        Units(posts_of, posts_of, np.zeros(k), np.full(k, shift_s), np.ones(k, np.int64)),
        Breaks.none(),
    )
