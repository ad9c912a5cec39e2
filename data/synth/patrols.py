"""Patrol runs of the demo city's last two weeks: units walk real streets in their shifts and halt where they must.

What is planted: checkpoints that nobody comes near, a unit whose rounds lie days apart, hotspots where patrols halt
long enough, too briefly, or never, and patrols of two units together.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from shapely.ops import substring

from data.synth.areas import frame
from data.synth.ground import place, to_degrees, to_metres
from data.synth.incidents import HOTSPOTS, LAST_DAY, RADIUS_SIGMAS, TIME_ZONE

DAYS = 14
FIRST_DAY = pd.Timestamp(LAST_DAY, tz=TIME_ZONE) - pd.Timedelta(days=DAYS - 1)
SHIFT_S, BRIEFING_S, BETWEEN_ROUNDS_S = 8 * 3600, 15 * 60, 40 * 60
PASSING_S = 60
"""How long a unit halts at a checkpoint where passing is enough: it signs the sheet."""
WALKED_M = 2200.0
"""A checkpoint within this distance of a post is visited on foot from there."""
JOINT_M = 1500.0
"""Units that walk together stay this near to the post."""
AVOID_M, NEAR_M = 150.0, 100.0
"""Patrols keep this far from a checkpoint that is planted as never visited; farther than NEAR_M is nowhere near."""
DETOUR = 0.35
"""How much a shift's liking for a street varies, so that two rounds are not the same."""
_PLAN = tomllib.loads((Path(__file__).parent / "patrols.toml").read_text(encoding="utf-8"))
UNITS: dict[str, dict[str, Any]] = _PLAN["units"]
PLANTED: dict[str, Any] = _PLAN["planted"]
JOINT: list[dict[str, Any]] = _PLAN["joint"]


@dataclass(frozen=True, slots=True)
class Paths:
    """Streets that patrols use, cut where they halt.

    Attributes
    ----------
    lines : (m,)
        In metres, from `tail` to `head`.
    tail, head : (m,)
    back : (m,)
        Whether a line may be taken from `head` to `tail`.
    nodes
        How many ends there are; the first ones are the stops, in their order.
    """

    lines: np.ndarray
    tail: np.ndarray
    head: np.ndarray
    back: np.ndarray
    nodes: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a unit halts: the number of its node, and for how long."""

    node: int
    dwell_s: int


def build(
    segments: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame, posts: gpd.GeoDataFrame, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Return the patrol runs, and the truth about them."""
    avoided = checkpoints["source_id"].isin(PLANTED["avoided"]).to_numpy()
    metres = to_metres(checkpoints.geometry.to_numpy())
    homes = {label: _home(posts, unit) for label, unit in UNITS.items()}
    centres = {name: shapely.Point(place(*spot["board"])[0]) for name, spot in HOTSPOTS.items()}
    stops = np.array([*metres[~avoided], *centres.values(), *homes.values()], dtype=object)
    far = shapely.distance(shapely.union_all(metres[avoided]), to_metres(segments.geometry.to_numpy())) > AVOID_M
    walk = _paths(segments[far & (segments["access"] != "closed").to_numpy()], stops, walking=True)
    open_ = (segments["access"] == "open").to_numpy() & (segments["road_class"] != "path").to_numpy()
    drive = _paths(segments[far & open_], stops, walking=False)
    known = checkpoints[~avoided].reset_index(drop=True)
    node = {name: len(known) + i for i, name in enumerate(centres)}
    home = {label: len(known) + len(centres) + i for i, label in enumerate(homes)}
    whose = _shared_out(stops[: len(known)], homes)
    rows: list[dict[str, Any]] = []
    for label, unit in UNITS.items():
        mine = [
            Stop(int(i), int(60 * _number(known["dwell_min"][i])) or PASSING_S) for i in np.flatnonzero(whose == label)
        ]
        mine += [Stop(node[name], 60 * minutes) for name, minutes in unit["halts"].items()]
        near = [stop for stop in mine if shapely.distance(stops[stop.node], homes[label]) <= JOINT_M]
        for day in unit["days"]:
            together = _together(label, day)
            if together[0] == label:
                on_foot = len(together) > 1 or unit["kind"] != "police"
                rounds = _Rounds(walk if on_foot else drive, home[label], near if len(together) > 1 else mine)
                rows += _shift(together, day, rounds, rng)
    runs = _framed(rows)
    return runs, _truth(runs, checkpoints)


def _home(posts: gpd.GeoDataFrame, unit: dict[str, Any]) -> shapely.Point:
    """Return the post of the unit's kind that lies nearest to the hotspot it works around."""
    mine = to_metres(posts.geometry.to_numpy()[(posts["kind"] == _PLAN["kinds"][unit["kind"]]["post"]).to_numpy()])
    centre = shapely.Point(place(*HOTSPOTS[unit["around"]]["board"])[0])
    nearest: shapely.Point = mine[np.argmin(shapely.distance(mine, centre))]
    return nearest


def _shared_out(checkpoints: np.ndarray, homes: dict[str, shapely.Point]) -> np.ndarray:
    """Return the label of the unit (n,) that each checkpoint belongs to: who walks nearby, else who comes by car."""
    daily = np.array([label for label in UNITS if len(UNITS[label]["days"]) > DAYS / 2])
    away = np.array([shapely.distance(checkpoints, homes[label]) for label in daily])
    walks = np.array([UNITS[label]["kind"] != "police" for label in daily])
    on_foot, by_car = daily[walks], daily[~walks]
    chosen: np.ndarray = np.where(
        away[walks].min(axis=0) <= WALKED_M,
        on_foot[np.argmin(away[walks], axis=0)],
        by_car[np.argmin(away[~walks], axis=0)],
    )
    return chosen


def _paths(segments: gpd.GeoDataFrame, stops: np.ndarray, *, walking: bool) -> Paths:
    """Return the streets, each cut at the stops nearest to it; a stop is reached at the nearest point of a street."""
    ends, number = np.unique(np.append(segments["from_node"], segments["to_node"]).astype(str), return_inverse=True)
    tail, head = number.reshape(2, -1)
    both = np.full(len(segments), fill_value=True) if walking else ~segments["oneway"].to_numpy(dtype=bool)
    # What the avoided places cut off from the rest is left alone, so that every stop can be reached.
    graph = sparse.csr_array(
        (np.ones(len(tail) + both.sum()), (np.append(tail, head[both]), np.append(head, tail[both])))
    )
    _, piece = csgraph.connected_components(graph, directed=True, connection="strong")
    whole = (piece[tail] == np.bincount(piece).argmax()) & (piece[head] == np.bincount(piece).argmax())
    lines, both = to_metres(segments.geometry.to_numpy()[whole]), both[whole]
    tail, head = tail[whole] + len(stops), head[whole] + len(stops)
    street = shapely.STRtree(lines).nearest(stops)
    along = shapely.line_locate_point(lines[street], stops)
    kept = np.ones(len(lines), dtype=bool)
    kept[street] = False
    pieces: list[tuple[shapely.LineString, int, int, bool]] = []
    for i in np.unique(street):
        here = np.flatnonzero(street == i)
        here = here[np.argsort(along[here], kind="stable")]
        cuts = [0.0, *along[here], lines[i].length]
        nodes = [int(tail[i]), *here.tolist(), int(head[i])]
        for (at, start), (to, end) in pairwise(zip(cuts, nodes, strict=True)):
            pieces.append((substring(lines[i], at, to), start, end, bool(both[i])))
    cut, first, last, back = (list(part) for part in zip(*pieces, strict=True))
    return Paths(
        np.append(lines[kept], np.array(cut, dtype=object)),
        np.append(tail[kept], first),
        np.append(head[kept], last),
        np.append(both[kept], back),
        len(ends) + len(stops),
    )


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Where a shift goes: from `home` to the stops and back."""

    paths: Paths
    home: int
    stops: list[Stop]


def _together(label: str, day: int) -> list[str]:
    """Return the units that walk together on a day, the one whose round it is first."""
    return next((pact["units"] for pact in JOINT if label in pact["units"] and day in pact["days"]), [label])


def _shift(together: list[str], day: int, rounds: _Rounds, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return the stretches and halts of one shift, for every unit that walked together."""
    unit = UNITS[together[0]]
    kmh = min(_PLAN["kinds"][UNITS[label]["kind"]]["kmh"] for label in together)
    legs = _legs(rounds, kmh, rng)
    at_s = BRIEFING_S + int(rng.integers(0, 10 * 60))
    moves: list[tuple[int, int, shapely.Geometry]] = []
    for _ in range(unit["rounds"]):
        here = rounds.home
        for stop in [*legs.order(rng), Stop(rounds.home, 0)]:
            line, walked_s = legs.walk(here, stop.node)
            if line is not None:
                moves.append((at_s, at_s + walked_s, line))
                at_s += walked_s
            if stop.dwell_s:
                halt_s = int(stop.dwell_s * rng.uniform(0.9, 1.15))
                moves.append((at_s, at_s + halt_s, legs.place(stop.node)))
                at_s += halt_s
            here = stop.node
        at_s += BETWEEN_ROUNDS_S
    begins = FIRST_DAY + pd.Timedelta(days=day, hours=_PLAN["shifts"][unit["shift"]])
    return [
        {
            "unit_label": label,
            "unit_kind": UNITS[label]["kind"],
            "shift_label": f"{begins:%Y-%m-%d} {unit['shift']}",
            "started_at": begins + pd.Timedelta(seconds=start_s),
            "ended_at": begins + pd.Timedelta(seconds=end_s),
            "joint_label": f"J-{begins:%m%d}-{together[0].replace(' ', '')}" if len(together) > 1 else None,
            "shape": shape,
        }
        for label in together
        for start_s, end_s, shape in moves
        if end_s <= SHIFT_S
    ]


@dataclass(frozen=True, slots=True)
class _Legs:
    """The ways between the places of a shift.

    Attributes
    ----------
    seconds : (m,)
        What each line takes.
    line_of
        Tail and head -> the line taken from one to the other.
    away, before : (k, nodes)
        From each place of the shift, the way to every node as the shift likes its streets, and the node before it.
    """

    rounds: _Rounds
    seconds: np.ndarray
    line_of: dict[tuple[int, int], int]
    away: np.ndarray
    before: np.ndarray
    row: dict[int, int]

    def order(self, rng: np.random.Generator) -> list[Stop]:
        """Return the stops in the order of a round: from one drawn at random always to the nearest next."""
        left, found = list(self.rounds.stops), []
        pick = int(rng.integers(len(left))) if left else 0
        while left:
            found.append(left.pop(pick))
            away = self.away[self.row[found[-1].node]]
            pick = min(range(len(left)), key=lambda i: away[left[i].node], default=0)
        return found

    def walk(self, here: int, there: int) -> tuple[shapely.LineString | None, int]:
        """Return the line from one place to another and its seconds; no line where both are one place."""
        nodes = [there]
        while nodes[-1] != here:
            nodes.append(int(self.before[self.row[here], nodes[-1]]))
        parts, walked_s = [], 0.0
        for start, end in pairwise(reversed(nodes)):
            line = self.line_of[start, end]
            xy = shapely.get_coordinates(self.rounds.paths.lines[line])
            parts.append(xy if self.rounds.paths.tail[line] == start else xy[::-1])
            walked_s += self.seconds[line]
        if walked_s < 1:
            return None, 0
        return shapely.remove_repeated_points(shapely.LineString(np.vstack(parts))), round(walked_s)

    def place(self, node: int) -> shapely.Point:
        """Return where a node lies."""
        paths = self.rounds.paths
        line = int(np.argmax((paths.tail == node) | (paths.head == node)))
        place: shapely.Point = shapely.get_point(paths.lines[line], 0 if paths.tail[line] == node else -1)
        return place


def _legs(rounds: _Rounds, kmh: float, rng: np.random.Generator) -> _Legs:
    """Return the ways between the places of a shift, which likes some streets better than others."""
    paths = rounds.paths
    seconds = shapely.length(paths.lines) / (kmh / 3.6)
    liking = seconds * rng.lognormal(0, DETOUR, len(seconds))
    tail = np.concatenate([paths.tail, paths.head[paths.back]])
    head = np.concatenate([paths.head, paths.tail[paths.back]])
    line = np.concatenate([np.arange(len(seconds)), np.flatnonzero(paths.back)])
    order = np.lexsort((liking[line], head, tail))
    # Of parallel streets the best liked; a sparse matrix would add them up.
    used = order[np.append(True, (np.diff(tail[order]) != 0) | (np.diff(head[order]) != 0))]
    graph = sparse.csr_array((liking[line[used]], (tail[used], head[used])), shape=(paths.nodes, paths.nodes))
    places = [rounds.home, *(stop.node for stop in rounds.stops)]
    away, before = csgraph.dijkstra(graph, indices=places, return_predecessors=True)
    line_of = {(int(tail[i]), int(head[i])): int(line[i]) for i in used}
    return _Legs(rounds, seconds, line_of, away, before, {node: i for i, node in enumerate(places)})


def _framed(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows).sort_values(["started_at", "unit_label"], kind="stable", ignore_index=True)
    shapes = to_degrees(table.pop("shape").to_numpy())
    for name in ("started_at", "ended_at"):
        table[name] = table[name].dt.tz_convert("UTC").dt.as_unit("ms")
    table.insert(0, "source_id", [f"R-{i:05d}" for i in range(1, len(table) + 1)])
    return frame(table, shapes)


def _number(value: float) -> float:
    return 0.0 if np.isnan(value) else float(value)


def _truth(runs: gpd.GeoDataFrame, checkpoints: gpd.GeoDataFrame) -> dict[str, Any]:
    shapes = to_metres(runs.geometry.to_numpy())
    halts = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    minutes = ((runs["ended_at"] - runs["started_at"]).dt.total_seconds() / 60).to_numpy()
    away = shapely.distance(to_metres(checkpoints.geometry.to_numpy()), shapely.union_all(shapes))
    shifts = runs.groupby(["unit_label", "shift_label"], sort=True)["joint_label"].agg("first")
    begun = runs.groupby(["unit_label", "shift_label"])["started_at"].min().sort_values()
    spots = []
    for name, spot in HOTSPOTS.items():
        centre = shapely.Point(place(*spot["board"])[0])
        here = halts & (shapely.distance(shapes, centre) <= spot["sigma_m"] * RADIUS_SIGMAS)
        planned = [unit["halts"][name] for unit in UNITS.values() if name in unit["halts"]]
        spots.append(
            {
                "id": name,
                "planned_min": planned,
                "halts_count": int(here.sum()),
                "halts_from_10_min_count": int((here & (minutes >= 10)).sum()),  # noqa: PLR2004 - the guidance
                "halted_min": round(float(minutes[here].sum()), 1),
            }
        )
    return {
        "about": "Patrol runs of the last two weeks, by unit and shift: invented, kept for tests to look for.",
        "first_day": f"{FIRST_DAY:%Y-%m-%d}",
        "last_day": LAST_DAY,
        "runs_count": len(runs),
        "shifts_count": len(shifts),
        "joint_shifts_count": int(shifts.notna().sum()),
        "near_m": NEAR_M,
        "never_visited": sorted(checkpoints["source_id"][away > NEAR_M]),
        "far_apart": {
            "unit_label": PLANTED["far_apart"],
            "shifts_count": int(shifts.loc[PLANTED["far_apart"]].size),
            "longest_gap_h": round(float(begun.loc[PLANTED["far_apart"]].diff().max() / pd.Timedelta(hours=1)), 1),
        },
        "hotspots": spots,
    }
