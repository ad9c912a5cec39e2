"""Travel along the streets of a city: one mode at one hour, from any place to any other, exact.

A place lies on the nearest point of a street, not on its nearest junction; the leg between the two is walked straight.
The time of a trip is leg, way along the streets and leg. One-way streets are obeyed, and a trip within one street is a
trip along it where its direction allows that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
from pydantic import Field

from gis.city.mode_network import ModeNetwork, mode_network
from gis.city.street_parts import Parts, Stretches, parts_around, reached_part, runs, trip_lines
from gis.city.travel_policy import HOURS, MODES, Mode, TravelPolicy, travel_policy
from gis.contract.service import Params
from gis.errors import InvalidParams, Problem
from gis.kernels.reach import CHUNK_TIMES, Ends, Floats, Ints, Nearest, many_to_many_s, nearest_two_s, reach_s, routes

if TYPE_CHECKING:
    from scipy import sparse

    from gis.city.mode_network import Connection
    from gis.city.street_network import Bools


class TravelParams(Params):
    """How one travels; base of the parameters of every service with travel times."""

    travel_mode: Mode = "drive"
    """By which means: driving, cycling or walking."""
    depart_hour: int | None = Field(default=None, ge=0, le=HOURS - 1)
    """Hour of the day, 0 to 23, whose speeds count; without one, streets are free."""
    snap_m: float | None = Field(default=None, gt=0, le=5_000, json_schema_extra={"unit": "m"})
    """A place farther than this from every street, in metres, is on none and is named; without a value, the limit of
    the policy."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Places on the streets that a mode may use, k of them.

    Attributes
    ----------
    edge : (k,)
        Edge of the network, -1 where none is near enough.
    along_m : (k,)
        How far along it.
    leg_m : (k,)
        Straight from the place to there, inf where no edge is near enough.
    passed_m : (k,)
        Straight to a nearer street from which one does not get there and back to the rest of the city; NaN where there
        is none.
    """

    edge: Ints
    along_m: Floats
    leg_m: Floats
    passed_m: Floats

    def __len__(self) -> int:
        """Return how many places."""
        return len(self.edge)

    @property
    def found(self) -> Bools:
        """Which places (k,) are on a street."""
        return np.asarray(self.edge >= 0)

    def take(self, which: Ints | Bools) -> Places:
        """Return some of the places."""
        return Places(self.edge[which], self.along_m[which], self.leg_m[which], self.passed_m[which])


@dataclass(frozen=True, eq=False)
class Travel:
    """One mode at one hour over the streets of a city.

    Attributes
    ----------
    streets
        The streets at free flow.
    mode, hour
        None for the hour is free flow.
    policy
        Where the speeds come from.
    """

    streets: ModeNetwork
    mode: Mode
    hour: int | None
    policy: TravelPolicy

    @property
    def connection(self) -> Connection:
        """How the streets hang together."""
        return self.streets.connection

    @property
    def factor(self) -> float:
        """By how much all speeds of the hour differ from free flow."""
        return 1.0 if self.hour is None else self.policy.of(self.mode).hour_factor[self.hour]

    def choices(self, params: TravelParams, *places: Places) -> dict[str, object]:
        """Return what a service tells of its travel: speeds, limits, how the streets hang together.

        Parameters
        ----------
        places
            All that were put on streets; those with a nearer street that leads nowhere or not back are counted.
        """
        farther = np.concatenate([np.empty(0), *(one.leg_m - one.passed_m for one in places)])
        farther = farther[np.isfinite(farther)]
        told = self.connection
        return {
            "speed_factor": self.factor,
            "leg_kmh": self.policy.leg_kmh,
            "snap_m": self.snap_limit_m(params),
            "strong_parts_count": told.strong_count,
            "largest_part_share": told.largest_share,
            "streets_outside_km": told.outside_m / 1_000,
            "oneway_share": told.oneway_share,
            "passed_street_count": int(farther.size),
            **({"passed_street_m": float(farther.max())} if farther.size else {}),
        }

    def turned(self) -> Travel:
        """Return travel with every street the other way round: its trip from b to a is the trip from a to b here.

        Places on the streets are the same for both. What is nearest to come from, instead of to go to, is found so.
        """
        return replace(self, streets=self.streets.turned())

    def snap_limit_m(self, params: TravelParams) -> float:
        """Return how far from a street a place may lie."""
        return self.policy.snap_m if params.snap_m is None else params.snap_m

    @cached_property
    def graph(self) -> sparse.csr_array:
        """Seconds of each arc at this hour."""
        scaled = self.streets.graph.copy()
        scaled.data /= self.factor
        return scaled

    @cached_property
    def _graph_back(self) -> sparse.csr_array:
        return self.graph.T.tocsr()

    def snap(self, points: np.ndarray, limit_m: float | None = None) -> Places:
        """Return where points (k, 2), in the metres of the streets, lie on the streets.

        On the nearest point of any street from which one gets everywhere and back; without `limit_m` up to the limit
        of the policy. A point that is not finite is on none.
        """
        points = np.asarray(points, float).reshape(-1, 2)
        limit = self.policy.snap_m if limit_m is None else limit_m
        edge, along, leg = self.streets.inside.nearest(points, limit)
        _, _, outside = self.streets.outside.nearest(points, limit)
        return Places(edge, along, leg, np.where(outside < leg, outside, np.nan))

    def leg_s(self, places: Places) -> Floats:
        """Return the seconds (k,) between each place and its street."""
        return places.leg_m / (self.policy.leg_kmh / 3.6)

    def matrix_s(self, origins: Places, destinations: Places, *, limit_s: float = np.inf) -> Floats:
        """Return the seconds (o, d) of every trip, both legs included; inf where there is none or it takes longer.

        One run over the graph for each distinct place of the smaller side, however many there are on the other.
        """
        found_s = np.full((len(origins), len(destinations)), np.inf)
        rows, columns = np.flatnonzero(origins.found), np.flatnonzero(destinations.found)
        if not len(rows) or not len(columns):
            return found_s
        starts, goals = origins.take(rows), destinations.take(columns)
        start_leg, goal_leg = self.leg_s(starts), self.leg_s(goals)
        street_limit = limit_s - start_leg.min() - goal_leg.min()
        one_start, start = _distinct(starts)
        one_goal, goal = _distinct(goals)
        if len(one_goal) < len(one_start):
            back = self._streets_s(goals.take(one_goal), starts, street_limit, back=True)
            street_s = back[goal].T
        else:
            street_s = self._streets_s(starts.take(one_start), goals, street_limit, back=False)[start]
        street_s += start_leg[:, None]
        street_s += goal_leg
        if limit_s < np.inf:
            street_s[street_s > limit_s] = np.inf
        if len(rows) == len(origins) and len(columns) == len(destinations):
            return street_s
        found_s[np.ix_(rows, columns)] = street_s
        return found_s

    def _streets_s(self, starts: Places, goals: Places, limit_s: float, *, back: bool) -> Floats:
        """Return the seconds (k, d) between places on streets without legs; `back`, of the trips from goal to start."""
        if back:
            seconds = many_to_many_s(self._graph_back, self._arriving(starts), self._leaving(goals), limit_s=limit_s)
            goal, start, direct = self._within_edge(goals, starts)
        else:
            seconds = many_to_many_s(self.graph, self._leaving(starts), self._arriving(goals), limit_s=limit_s)
            start, goal, direct = self._within_edge(starts, goals)
        seconds[start, goal] = np.minimum(seconds[start, goal], direct)
        return seconds

    def nearest_two(self, origins: Places, destinations: Places) -> Nearest:
        """Return the nearest two origins of each destination (d,), both legs included, and the seconds from them.

        Two runs over the graph, however many places there are. Where two are equally near, either may come first.
        """
        rows, columns = np.flatnonzero(origins.found), np.flatnonzero(destinations.found)
        starts, goals = origins.take(rows), destinations.take(columns)
        start_leg = self.leg_s(starts)
        leaving, arriving = self._leaving(starts), self._arriving(goals)
        nodes = nearest_two_s(self.graph, Ends(leaving.node, leaving.seconds + start_leg[:, None]))
        start, goal, direct = self._within_edge(starts, goals)
        # Whatever comes to a place comes over one of its ends, first or second there, or along its own edge.
        seconds = np.concatenate(
            [
                (nodes.first_s[arriving.node] + arriving.seconds).ravel(),
                (nodes.second_s[arriving.node] + arriving.seconds).ravel(),
                direct + start_leg[start],
            ]
        )
        owner = np.concatenate([nodes.first[arriving.node].ravel(), nodes.second[arriving.node].ravel(), start])
        place = np.concatenate([np.tile(np.repeat(np.arange(len(goals)), 2), 2), goal])
        answer = Nearest(*(np.full(len(destinations), blank) for blank in (np.inf, -1, np.inf, -1)))
        taken = np.full(len(goals), -1)
        goal_leg = self.leg_s(goals)
        for times, owners in ((answer.first_s, answer.first), (answer.second_s, answer.second)):
            left = np.flatnonzero((owner >= 0) & (seconds < np.inf) & (owner != taken[place]))
            order = left[np.lexsort((owner[left], seconds[left], place[left]))]
            at, one = np.unique(place[order], return_index=True)
            times[columns[at]] = seconds[order[one]] + goal_leg[at]
            owners[columns[at]] = rows[owner[order[one]]]
            taken[at] = owner[order[one]]
        return answer

    def paths(self, origins: Places, destinations: Places) -> np.ndarray:
        """Return the way along the streets (k,) of each trip from origin i to destination i; None where there is none.

        Line strings from where the origin is on its street to where the destination is, without the legs.
        """
        found = np.flatnonzero(origins.found & destinations.found)
        starts, goals = origins.take(found), destinations.take(found)
        one_start, start = _distinct(starts)
        leaving, arriving = self._leaving(starts.take(one_start)), self._arriving(goals)
        ways = routes(self.graph, leaving, arriving, start, np.arange(len(goals)))
        direct = np.full(len(goals), np.inf)
        same = np.flatnonzero(starts.edge == goals.edge)
        direct[same] = self._direct_s(starts.take(same), goals.take(same))
        straight = np.flatnonzero((direct <= ways.seconds) & (direct < np.inf))
        around = np.flatnonzero(ways.seconds < direct)
        ends = leaving.take(start[around])
        parts = parts_around(
            self.streets,
            ways,
            around,
            (starts.edge[around], starts.along_m[around], ends),
            (goals.edge[around], goals.along_m[around], arriving.take(around)),
        )
        every = Parts(
            np.concatenate([parts.trip, straight]),
            np.concatenate([parts.edge, starts.edge[straight]]),
            np.concatenate([parts.from_m, starts.along_m[straight]]),
            np.concatenate([parts.to_m, goals.along_m[straight]]),
        )
        lines = np.full(len(origins), None, dtype=object)
        lines[found] = trip_lines(self.streets, every, len(found))
        return lines

    def reached(self, origins: Places, limit_s: float) -> Stretches:
        """Return what is reached of the streets within a time from each origin, its leg included.

        A street that is reached in part only ends where the time does. The stretches of one origin do not overlap.
        """
        found = np.flatnonzero(origins.found)
        leg_s = self.leg_s(origins)
        step = max(1, CHUNK_TIMES // self.graph.shape[0])
        chunks = [found[low : low + step] for low in range(0, len(found), step)]
        streets = [self._reached(origins.take(some), limit_s - leg_s[some], some) for some in chunks]
        every = Stretches.together(streets)
        leg = leg_s[every.origin]
        return replace(every, from_s=every.from_s + leg, to_s=every.to_s + leg)

    def _leaving(self, places: Places) -> Ends:
        """Return how one gets from places on streets to both ends of their edges."""
        to_low, to_high = self._to_ends(places)
        return Ends(self.streets.ends[places.edge], np.column_stack([to_low[1], to_high[0]]))

    def _arriving(self, places: Places) -> Ends:
        """Return how one gets to places on streets from both ends of their edges."""
        to_low, to_high = self._to_ends(places)
        return Ends(self.streets.ends[places.edge], np.column_stack([to_low[0], to_high[1]]))

    def _to_ends(self, places: Places) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Return the seconds over the first and the last part of each edge, along and against its direction."""
        share = self._share(places)
        along, against = self.streets.along_s, self.streets.against_s
        first = (self._times(along, places.edge, share), self._times(against, places.edge, share))
        last = (self._times(along, places.edge, 1 - share), self._times(against, places.edge, 1 - share))
        return first, last

    def _share(self, places: Places) -> Floats:
        return places.along_m / self.streets.network.graph.length_m[places.edge]

    def _times(self, seconds: Floats, edge: Ints, share: Floats) -> Floats:
        """Return the seconds over a share of each edge; no part of an edge takes no time, closed or not."""
        open_share = np.where(share > 0, share, 1.0)
        return np.where(share > 0, open_share * seconds[edge] / self.factor, 0.0)

    def _direct_s(self, starts: Places, goals: Places) -> Floats:
        """Return the seconds (k,) from places to others on the same edges, along them."""
        ahead = self._share(goals) - self._share(starts)
        forth = self._times(self.streets.along_s, starts.edge, np.maximum(ahead, 0.0))
        back = self._times(self.streets.against_s, starts.edge, np.maximum(-ahead, 0.0))
        return np.where(ahead >= 0, forth, back)

    def _within_edge(self, starts: Places, goals: Places) -> tuple[Ints, Ints, Floats]:
        """Return the pairs of a start and a goal on the same edge, and the seconds along it."""
        order = np.argsort(goals.edge, kind="stable")
        low, high = (np.searchsorted(goals.edge[order], starts.edge, side=side) for side in ("left", "right"))
        counts = high - low
        start = np.repeat(np.arange(len(starts)), counts)
        goal = order[runs(low, counts)]
        return start, goal, self._direct_s(starts.take(start), goals.take(goal))

    def _reached(self, starts: Places, limit_s: Floats, names: Ints) -> Stretches:
        streets = self.streets
        node_s = reach_s(self.graph, self._leaving(starts), limit_s=limit_s)
        edges = np.flatnonzero(streets.along_s < np.inf)
        low_s, high_s = (node_s[:, streets.ends[edges, side]] for side in (0, 1))
        own = np.arange(len(starts))
        touched = np.minimum(low_s, high_s) <= limit_s[:, None]
        row, at = np.nonzero(touched & (edges != starts.edge[:, None]))
        edge, length = edges[at], streets.network.graph.length_m
        # The edge of the place itself is two stretches: before it and behind it.
        before, behind = (node_s[own, streets.ends[starts.edge, side]] for side in (0, 1))
        nothing = np.zeros(len(starts))
        between = Stretches(
            np.concatenate([row, own, own]),
            np.concatenate([edge, starts.edge, starts.edge]),
            np.concatenate([np.zeros(len(row)), nothing, starts.along_m]),
            np.concatenate([length[edge], starts.along_m, length[starts.edge]]),
            np.concatenate([low_s[row, at], before, nothing]),
            np.concatenate([high_s[row, at], nothing, behind]),
        )
        part = reached_part(streets, self.factor, between, limit_s[between.origin])
        return replace(part, origin=names[part.origin])


def travel(
    segments: gpd.GeoDataFrame, *, mode: Mode = "drive", hour: int | None = None, policy: TravelPolicy | None = None
) -> Travel:
    """Return travel by a mode at an hour over the frame ``segments``, in metres.

    Parameters
    ----------
    hour
        0 to 23; None is free flow.
    policy
        The newest numbers in force when not given.

    Raises
    ------
    InvalidParams
        There is no such mode or hour, or no street that the mode may use.
    """
    problems = []
    if mode not in MODES:
        problems.append(Problem("no_such_mode", f"one of {', '.join(MODES)} is needed", "mode"))
    if hour is not None and hour not in range(HOURS):
        problems.append(Problem("no_such_hour", f"an hour is a whole number from 0 to {HOURS - 1}", "hour"))
    if problems:
        raise InvalidParams("one cannot travel so", problems)
    numbers = policy or travel_policy()
    return Travel(mode_network(segments, mode, numbers), mode, hour, numbers)


def _distinct(places: Places) -> tuple[Ints, Ints]:
    """Return one of each place (u,) on the streets, and which (k,) of them each is."""
    where = np.column_stack([places.edge, places.along_m])
    _, one, which = np.unique(where, axis=0, return_index=True, return_inverse=True)
    return one, which
