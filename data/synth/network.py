"""The street network and its faces: drawn lines first, then every superblock is cut until its parts are blocks.

All lines are noded together on a 0.1 m raster before the faces are made, so that faces, unions of faces and streets
share every corner: the coverage is valid by construction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.synth import drawing
from data.synth.drawing import Road
from data.synth.names import RoadNames

RASTER_M = 0.1
MIN_SIDE_M = 45.0
SHORTEST_LANE_M = 25.0
SHORTEST_EDGE_M = 1.2
SECONDARY_FROM_HA = 22.0
HECTARE = 10_000.0


@dataclass(slots=True)
class Faces:
    """Superblocks and blocks as they are cut.

    Attributes
    ----------
    areas
        Faces in EPSG:4549.
    uses
        Land use of each face: ``water``, or a large single use, or ``""`` where it is decided later.
    """

    areas: list[shapely.Polygon] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Network:
    """Noded streets (m,), the faces between them (n,) and the water beside them, in EPSG:4549."""

    edges: np.ndarray
    roads: list[Road]
    road_of_edge: np.ndarray
    blocks: np.ndarray
    uses: np.ndarray
    water: list[tuple[str, str, shapely.Geometry]]


def build(outline: shapely.Polygon, rng: np.random.Generator) -> Network:
    """Draw, cut and node the whole network."""
    names = RoadNames(rng)
    moat_zone = drawing.moat(drawing.BANK_M).difference(drawing.moat(-drawing.BANK_M))
    canal_zone = drawing.grand_canal().buffer(drawing.GRAND_CANAL_BANK_M)
    wet = shapely.union(moat_zone, canal_zone)
    park, _ = drawing.lake_park()
    roads = list(_drawn(outline, wet, names))
    faces = Faces()
    for face in _faces([r.line for r in roads], outline):
        inside = shapely.point_on_surface(face)
        if wet.contains(inside) or park.contains(inside):
            faces.areas.append(face)
            faces.uses.append("park" if park.contains(inside) else "water")
        else:
            roads.extend(_cut(face, faces, names, rng))
    roads.extend(_dead_ends(faces, names, rng))
    return _noded(outline, roads, faces, _water(outline))


def _drawn(outline: shapely.Polygon, wet: shapely.Geometry, names: RoadNames) -> Iterator[Road]:
    for line in drawing.main_lines():
        zh, en = names.main()
        for part in _pieces(line.intersection(outline)):
            yield Road(part, "main", zh, en)
    for offset, zh, en in (
        (-drawing.BANK_M, "内环路", "Inner Ring Road"),
        (drawing.BANK_M, "外环路", "Outer Ring Road"),
    ):
        yield Road(shapely.LineString(drawing.moat(offset).exterior), "main", zh, en)
    banks = drawing.grand_canal().buffer(drawing.GRAND_CANAL_BANK_M, cap_style="flat").boundary
    for part in _pieces(banks.intersection(outline)):
        yield Road(part, "secondary", "运河路", "Grand Canal Road")
    yield Road(shapely.LineString(drawing.lake_park()[0].exterior), "secondary", "环湖路", "Lakeside Road")
    for canal in drawing.CANALS:
        for part in _pieces(drawing.canal_line(canal).intersection(outline).difference(wet)):
            yield Road(part, "secondary", canal.name_zh + "街", canal.name_en + " Street")


def _water(outline: shapely.Polygon) -> list[tuple[str, str, shapely.Geometry]]:
    ring = shapely.LineString(drawing.moat(0.0).exterior).buffer(drawing.MOAT_WATER_M)
    wide = drawing.grand_canal().buffer(drawing.GRAND_CANAL_WATER_M)
    found = [("护城河", "Moat", ring), ("大运河", "Grand Canal", wide), ("晴湖", "Qing Lake", drawing.lake_park()[1])]
    for canal in drawing.CANALS:
        water = drawing.canal_water(drawing.canal_line(canal), canal.width_m)
        found.append((canal.name_zh, canal.name_en, water))
    # Canals end where a wider one begins: no two waters lie on one another.
    taken: shapely.Geometry = shapely.Polygon()
    clear = []
    for zh, en, area in found:
        clear.append((zh, en, area.intersection(outline).difference(taken)))
        taken = taken.union(area)
    return clear


def target_ha(x: float, y: float) -> float:
    """Return the size at which a block is not cut further: small in the old town, larger outside."""
    old = drawing.moat(0.0).centroid
    away = np.hypot(x - old.x, y - old.y)
    return float(1.7 + 3.9 * (1 - np.exp(-((away / 4300) ** 2))))


USES = ("park", "campus", "industry", "mall", "hospital")
USE_SHARES = {True: (0.35, 0.25, 0.0, 0.25, 0.15), False: (0.28, 0.2, 0.32, 0.13, 0.07)}
SPECIAL_SHARE = 0.075
SPECIAL_HA = (4.0, 16.0)


def _cut(face: shapely.Polygon, faces: Faces, names: RoadNames, rng: np.random.Generator) -> Iterator[Road]:
    """Cut a face in two, again and again, across its longer side; yield the streets the cuts make."""
    stack = [face]
    old_town = drawing.moat(0.0)
    while stack:
        part = stack.pop()
        size, middle = part.area / HECTARE, part.centroid
        if SPECIAL_HA[0] < size < SPECIAL_HA[1] and rng.random() < SPECIAL_SHARE:
            shares = USE_SHARES[bool(old_town.contains(middle))]
            faces.areas.append(part)
            faces.uses.append(str(rng.choice(USES, p=shares)))
            continue
        cut = None if size < target_ha(middle.x, middle.y) * rng.uniform(1.0, 1.7) else _halve(part, rng)
        if cut is None:
            faces.areas.append(part)
            faces.uses.append("")
            continue
        line, parts = cut
        stack.extend(parts)
        wide = size > SECONDARY_FROM_HA
        zh, en = names.secondary() if wide else names.local()
        for piece in _pieces(line.intersection(part)):
            yield Road(piece, "secondary" if wide else "local", zh, en)


def _halve(part: shapely.Polygon, rng: np.random.Generator) -> tuple[shapely.LineString, list[shapely.Polygon]] | None:
    """Return a line across the longer side of a face and the faces it makes, or None where no cut is good."""
    corner = shapely.get_coordinates(shapely.oriented_envelope(part))
    if np.hypot(*(corner[1] - corner[0])) < np.hypot(*(corner[2] - corner[1])):
        corner = np.roll(corner[:-1], -1, axis=0)
    origin, long, short = corner[0], corner[1] - corner[0], corner[2] - corner[1]
    for _ in range(4):
        at, lean = rng.uniform(0.38, 0.62), rng.normal(0, 0.03)
        ends = origin + long * (at + np.array([[-lean], [lean]])) + short * np.array([[-0.2], [1.2]])
        line = shapely.LineString(ends)
        parts = [
            p for p in _pieces(shapely.polygonize([shapely.union(part.boundary, line)])) if part.contains(p.centroid)
        ]
        if len(parts) > 1 and all(_is_block(p) for p in parts):
            return line, parts
    return None


def _is_block(area: shapely.Polygon) -> bool:
    """Whether a face is neither a sliver nor a corner nobody would call a block."""
    return bool(area.area > 0.35 * HECTARE and 4 * area.area / area.length > MIN_SIDE_M)


def _dead_ends(faces: Faces, names: RoadNames, rng: np.random.Generator) -> Iterator[Road]:
    """Yield lanes that lead from a street into a block and end there: the old town's alleys, the parks' paths."""
    old_town = drawing.moat(-drawing.BANK_M)
    for area, use in zip(faces.areas, faces.uses, strict=True):
        chance = 0.8 if use == "park" else 0.35 if use == "" and old_town.contains(area.centroid) else 0.0
        if rng.random() >= chance:
            continue
        goal = shapely.point_on_surface(area)
        sides = shapely.get_coordinates(area.exterior)
        lengths = np.hypot(*np.diff(sides, axis=0).T)
        i = int(np.argmax(lengths))
        start = sides[i] + (sides[i + 1] - sides[i]) * rng.uniform(0.3, 0.7)
        lane = shapely.LineString([start, [goal.x, goal.y]])
        if lane.length > SHORTEST_LANE_M and area.buffer(1.0).contains(lane):
            zh, en = names.lane()
            yield Road(lane, "path", zh, en)


def _faces(lines: list[shapely.LineString], outline: shapely.Polygon) -> list[shapely.Polygon]:
    noded = shapely.union_all(np.array([*lines, outline.boundary]), grid_size=RASTER_M)
    return [p for p in _pieces(shapely.polygonize([noded])) if outline.contains(shapely.point_on_surface(p))]


def _noded(
    outline: shapely.Polygon, roads: list[Road], faces: Faces, water: list[tuple[str, str, shapely.Geometry]]
) -> Network:
    """Node everything together; find again which road an edge and which face a block came from."""
    lines = np.array([r.line for r in roads])
    edges = _contracted(shapely.get_parts(shapely.union_all(np.append(lines, outline.boundary), grid_size=RASTER_M)))
    middles = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    at, road = shapely.STRtree(lines).query(middles, predicate="dwithin", distance=SHORTEST_EDGE_M)
    # Where two roads share an edge the earlier, wider one names it.
    road_of_edge = np.full(len(edges), len(roads))
    np.minimum.at(road_of_edge, at, road)
    is_road = road_of_edge < len(roads)
    lane = np.array([r.road_class == "path" for r in roads] + [False])[road_of_edge]
    blocks = shapely.get_parts(shapely.polygonize(edges[~lane]))
    inside = shapely.point_on_surface(blocks)
    here = shapely.contains(outline, inside)
    blocks, inside = blocks[here], inside[here]
    first = shapely.STRtree(faces.areas).nearest(inside)
    return Network(
        edges[is_road], roads, road_of_edge[is_road], blocks, np.array(faces.uses, dtype=object)[first], water
    )


def _contracted(edges: np.ndarray) -> np.ndarray:
    """Return noded edges without the very short ones: their two ends become one corner, of the more streets."""
    ends = np.stack([shapely.get_coordinates(shapely.get_point(edges, i)) for i in (0, -1)], axis=1)
    corners, number, degree = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True, return_counts=True)
    number = number.reshape(-1, 2)
    short = shapely.length(edges) < SHORTEST_EDGE_M
    joins = sparse.csr_array((np.ones(short.sum()), number[short].T), shape=(len(corners), len(corners)))
    _, cluster = csgraph.connected_components(joins, directed=False)
    chief = np.full(len(corners), -1)
    order = np.argsort(degree, kind="stable")
    chief[cluster[order]] = order
    moved = corners[chief[cluster]][number]
    kept = []
    for edge, (start, end) in zip(edges[~short], moved[~short], strict=True):
        xy = shapely.get_coordinates(edge)
        xy[0], xy[-1] = start, end
        kept.append(shapely.LineString(xy))
    return np.array(kept, dtype=object)


def _pieces(geometry: shapely.Geometry) -> list[shapely.Geometry]:
    """Return the simple parts of a geometry that have the highest dimension."""
    parts = shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geometry))))
    parts = parts[~shapely.is_empty(parts)]
    if len(parts) == 0:
        return []
    dimension = shapely.get_dimensions(parts)
    return list(parts[dimension == dimension.max()])
