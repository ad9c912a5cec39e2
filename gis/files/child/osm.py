"""OpenStreetMap PBF: the streets of an extract, cut where they meet, as rows of the frame ``segments``.

Ways are cut at every node that two of them share or that ends one; a node is known by its number, so that a bridge and
the street below it do not meet. What no car passes (a bollard, a locked gate) becomes a metre of street of its own on
each side of the barrier, closed to motors: those on foot still pass, and cars still come up to it from both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import osmium
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from osmium.osm import Node, Way

from gis.errors import InvalidInput
from gis.files.child.osm_tags import (
    MOTOR_CLASSES,
    ROAD_CLASSES,
    access_of,
    barrier_access,
    heading_of,
    level_of,
    names_of,
    speed_of,
)
from gis.files.child.request import PLACE, ROW, Request, Source

STUB_M = 1.0
"""Length of the street at a barrier, on each side of it."""
DEGREE_M = 111_195.0
FIELDS = (
    "source_id", "road_class", "name_zh", "name_en", "oneway", "speed_kmh", "from_node", "to_node", "level", "access",
)  # fmt: skip
WORDS = {
    "ways_read": "ways with a tag highway in the file",
    "other_kinds": "of them are no streets (platforms, proposed or under construction, bridleways, areas)",
    "shut": "of them are shut to everyone (access = no or private) and left out",
    "broken": "ways leave the file's area: each is cut where its nodes have no place, and not drawn across the hole",
    "too_short": "ways or parts of ways have fewer than two places and are left out",
    "reversed": "ways are one-way against their direction and turned round",
    "speeds_taken": "signed speeds are read",
    "speeds_unreadable": "speeds (walk, none, codes of zones) cannot be read: the speed of the class counts there",
    "speeds_clipped": "speeds are beyond 5 to 130 km/h and taken as the nearer of these",
    "barriers": "barriers stop cars: the street is closed to motors for a metre on each side",
}
"""Code -> what is counted."""


@dataclass(slots=True)
class _Ways:
    """The ways that are streets: their nodes one after another, and one row of values each.

    Attributes
    ----------
    node, way, lon, lat
        Of each place (n,), in the order of driving; a place that is not known is nan.
    barriers
        Node -> who may pass it, where cars may not.
    """

    node: list[int] = field(default_factory=list)
    way: list[int] = field(default_factory=list)
    lon: list[float] = field(default_factory=list)
    lat: list[float] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    barriers: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def open_osm(request: Request) -> Source:
    """Open an OpenStreetMap file; its rows are pieces of street between junctions.

    Raises
    ------
    InvalidInput
        The file is broken, or has no street.
    """
    ways = _read(request.path)
    table, shapes = _pieces(ways)
    if not len(shapes):
        raise InvalidInput("the file has no streets: no way with a tag highway and two known places")
    notes = {"counts": [(code, ways.counts[code], words) for code, words in WORDS.items() if ways.counts[code]]}
    return Source(FIELDS, _batches(table, shapes, request.chunk_rows), "EPSG:4326", len(shapes), notes)


def _read(path: str) -> _Ways:
    ways = _Ways()
    wanted = osmium.filter.KeyFilter("highway", "barrier")
    try:
        file = osmium.io.File(path, "pbf")
        for item in osmium.FileProcessor(file).with_locations().with_filter(wanted):
            if isinstance(item, Way) and "highway" in item.tags:
                _take(item, ways)
            elif isinstance(item, Node) and "barrier" in item.tags:
                stops = barrier_access(dict(item.tags))
                if stops is not None:
                    ways.barriers[item.id] = stops
    except (RuntimeError, osmium.InvalidLocationError) as error:
        raise InvalidInput(
            f"the file is no readable OpenStreetMap PBF: {str(error).replace(path, 'the file')}"
        ) from None
    return ways


def _take(way: Way, ways: _Ways) -> None:
    """Add a way to the streets, or count why it is none."""
    tags, counts = dict(way.tags), ways.counts
    counts["ways_read"] += 1
    road_class = ROAD_CLASSES.get(tags["highway"])
    if road_class is None or tags.get("area") == "yes":
        counts["other_kinds"] += 1
        return
    access = access_of(tags, road_class)
    if access is None:
        counts["shut"] += 1
        return
    heading, speed, (name_zh, name_en) = heading_of(tags), speed_of(tags), names_of(tags)
    counts["reversed"] += heading == "backward"
    counts["speeds_taken"] += speed.outcome in ("taken", "clipped")
    counts[f"speeds_{speed.outcome}"] += speed.outcome in ("clipped", "unreadable")
    nodes = [(n.ref, n.lon, n.lat) if n.location.valid() else (n.ref, np.nan, np.nan) for n in way.nodes]
    for ref, lon, lat in reversed(nodes) if heading == "backward" else nodes:
        ways.node.append(ref)
        ways.lon.append(lon)
        ways.lat.append(lat)
    ways.way.extend([len(ways.rows)] * len(nodes))
    ways.rows.append(
        {
            "way": way.id,
            "road_class": road_class,
            "name_zh": name_zh,
            "name_en": name_en,
            "oneway": heading != "both",
            "speed_kmh": speed.kmh,
            "level": level_of(tags),
            "access": access,
        }
    )


def _pieces(ways: _Ways) -> tuple[dict[str, list[Any]], NDArray[np.object_]]:
    """Return the columns (m,) of the pieces between junctions, and their lines (m,)."""
    node, way = np.array(ways.node, dtype=np.int64), np.array(ways.way, dtype=np.int64)
    xy = np.column_stack([np.array(ways.lon, dtype=float), np.array(ways.lat, dtype=float)])
    known = np.isfinite(xy).all(axis=1)
    ways.counts["broken"] += len(np.unique(way[~known]))
    # A run is what lies between two holes of a way.
    hole = np.cumsum(~known)[known]
    node, way, xy = node[known], way[known], xy[known]
    starts = np.append(True, (np.diff(way) != 0) | (np.diff(hole) != 0)) if len(node) else np.empty(0, bool)
    ends = np.append(starts[1:], True) if len(node) else starts
    _, place, uses = np.unique(node, return_inverse=True, return_counts=True)
    motor = np.array([row["road_class"] in MOTOR_CLASSES and row["access"] == "open" for row in ways.rows], dtype=bool)
    stops = np.isin(node, np.fromiter(ways.barriers, np.int64, len(ways.barriers))) & motor[way]
    ways.counts["barriers"] += len(np.unique(node[stops]))
    cut = (uses[place] > 1) | starts | ends | stops
    first = np.flatnonzero(cut & ~ends)
    last = np.flatnonzero(cut & ~starts)
    whole = (xy[first] != xy[last]).any(axis=1) | (last - first > 1)
    ways.counts["too_short"] += int((starts & ends).sum() + (~whole).sum())
    parts: list[_Piece] = []
    for a, b in zip(first[whole].tolist(), last[whole].tolist(), strict=True):
        piece = _Piece(int(way[a]), f"n{node[a]}", f"n{node[b]}", xy[a : b + 1])
        at = tuple(ways.barriers[int(node[i])] if stops[i] else None for i in (a, b))
        parts.extend([piece] if at == (None, None) else _with_stubs(piece, *at))
    return _columns(parts, ways), shapely.linestrings(
        np.vstack([part.xy for part in parts]) if parts else np.empty((0, 2)),
        indices=np.repeat(np.arange(len(parts)), [len(part.xy) for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a way; `access` is that of the way where it is None."""

    way: int
    from_node: str
    to_node: str
    xy: NDArray[np.float64]
    access: str | None = None


def _with_stubs(piece: _Piece, at_start: str | None, at_end: str | None) -> list[_Piece]:
    """Return a piece with the metre before a barrier at either end as a piece of its own."""
    metres = piece.xy * DEGREE_M * (np.cos(np.radians(piece.xy[0, 1])), 1.0)
    along = np.append(0.0, np.cumsum(np.hypot(*np.diff(metres, axis=0).T)))
    from_m = STUB_M if at_start else 0.0
    to_m = along[-1] - (STUB_M if at_end else 0.0)
    if to_m - from_m < STUB_M:
        return [_Piece(piece.way, piece.from_node, piece.to_node, piece.xy, at_start or at_end)]
    near = f"{piece.from_node}:{piece.to_node}"
    cuts: list[tuple[float, float, str | None]] = [(from_m, to_m, None)]
    if at_start:
        cuts.insert(0, (0.0, from_m, at_start))
    if at_end:
        cuts.append((to_m, float(along[-1]), at_end))
    nodes = [piece.from_node, *([f"{near}:a"] if at_start else []), *([f"{near}:b"] if at_end else []), piece.to_node]
    return [
        _Piece(piece.way, nodes[i], nodes[i + 1], _between(piece.xy, along, start, end), access)
        for i, (start, end, access) in enumerate(cuts)
    ]


def _between(xy: NDArray[np.float64], along: NDArray[np.float64], start: float, end: float) -> NDArray[np.float64]:
    """Return the places of a line from one distance along it to another."""
    inner = xy[(along > start) & (along < end)]
    tips = [[np.interp(at, along, xy[:, i]) for i in (0, 1)] for at in (start, end)]
    return np.vstack([tips[0], inner, tips[1]])


def _columns(parts: list[_Piece], ways: _Ways) -> dict[str, list[Any]]:
    serial: Counter[int] = Counter()
    columns: dict[str, list[Any]] = {name: [] for name in FIELDS}
    for part in parts:
        row = ways.rows[part.way]
        serial[part.way] += 1
        values = {**row, "source_id": f"w{row['way']}-{serial[part.way]}"}
        values |= {"from_node": part.from_node, "to_node": part.to_node, "access": part.access or row["access"]}
        for name, column in columns.items():
            column.append(values[name])
    return columns


def _batches(table: dict[str, list[Any]], shapes: NDArray[np.object_], chunk_rows: int) -> Iterator[pa.RecordBatch]:
    kinds = {"oneway": pa.bool_(), "speed_kmh": pa.float64(), "level": pa.int64()}
    columns = {name: pa.array(values, kinds.get(name, pa.string())) for name, values in table.items()}
    columns[ROW] = pa.array(np.arange(1, len(shapes) + 1, dtype=np.int64))
    columns[PLACE] = pa.array(shapely.to_wkb(shapes), pa.binary())
    yield from pa.Table.from_pydict(columns).to_batches(max_chunksize=chunk_rows)
