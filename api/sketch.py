"""A small drawing of features for a page without scripts: plain SVG in the layer's own colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from layers.engine.layer import Layer

WIDTH: Final = 960.0
MAX_HEIGHT: Final = 420.0
PADDING: Final = 12.0

Feature = Mapping[str, Any]
Position = Sequence[float]


def sketch(layer: Layer, features: Sequence[Feature]) -> dict[str, Any]:
    """Return width, height and shapes of a drawing; no shapes when no feature has a place."""
    positions = [p for f in features if f["geometry"] for line in _lines(f["geometry"]) for p in line]
    if not positions:
        return {"width": WIDTH, "height": 0, "shapes": []}
    project, height = _projection(positions)
    return {"width": WIDTH, "height": height, "shapes": [s for f in features for s in _shapes(layer, f, project)]}


class _Frame:
    """From degrees to the units of the drawing."""

    __slots__ = ("left", "north", "scale", "squeeze", "west")

    def __init__(self, west: float, north: float, squeeze: float, scale: float, left: float) -> None:
        self.west, self.north, self.squeeze, self.scale, self.left = west, north, squeeze, scale, left

    def __call__(self, position: Position) -> tuple[float, float]:
        x = (position[0] - self.west) * self.squeeze * self.scale + self.left
        y = (self.north - position[1]) * self.scale + PADDING
        return round(x, 1), round(y, 1)


def _projection(positions: Iterable[Position]) -> tuple[_Frame, float]:
    xs, ys = zip(*((p[0], p[1]) for p in positions), strict=True)
    west, east, south, north = min(xs), max(xs), min(ys), max(ys)
    # One degree of longitude is shorter than one of latitude; for a sketch one factor in the middle is enough.
    squeeze = math.cos(math.radians((south + north) / 2))
    wide, high = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * PADDING) / wide, (MAX_HEIGHT - 2 * PADDING) / high)
    height = round(high * scale + 2 * PADDING, 1)
    return _Frame(west, north, squeeze, scale, (WIDTH - wide * scale) / 2), height


def _shapes(layer: Layer, feature: Feature, project: _Frame) -> Iterator[dict[str, Any]]:
    geometry = feature["geometry"]
    if not geometry:
        return
    color = layer.symbol.color_of(feature["properties"] or {}, "light")[:7]
    kind = geometry["type"].removeprefix("Multi")
    if kind == "Point":
        for (position,) in _lines(geometry):
            x, y = project(position)
            yield {"kind": "point", "x": x, "y": y, "color": color}
        return
    close = "Z" if kind == "Polygon" else ""
    path = "".join(
        "M" + "L".join(f"{x} {y}" for x, y in map(project, line)) + close for line in _lines(geometry) if line
    )
    yield {"kind": "polygon" if close else "line", "path": path, "color": color}


def _lines(geometry: Mapping[str, Any]) -> Iterator[Sequence[Position]]:
    """Yield every line or ring of a geometry; a point is a line of one position."""
    coordinates = geometry.get("coordinates", ())
    match geometry["type"]:
        case "Point":
            yield [coordinates]
        case "MultiPoint":
            yield from ([position] for position in coordinates)
        case "LineString":
            yield coordinates
        case "MultiLineString" | "Polygon":
            yield from coordinates
        case "MultiPolygon":
            yield from (ring for polygon in coordinates for ring in polygon)
