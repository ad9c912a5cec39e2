"""The legend of a layer: the very colours of the map, already blended with the paper below them."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from gis.contract.text import Language, Text
from layers.engine.layer import Layer
from layers.engine.palettes import LAND, Theme, blend

Shape = Literal["fill", "line", "circle", "hatch"]
SHAPES: dict[str, Shape] = {"polygon": "fill", "line": "line", "point": "circle"}


class Entry(NamedTuple):
    """One line of a legend.

    Attributes
    ----------
    color
        Opaque, as it looks over the land's colour.
    outline
        Colour of the line around it, None where there is none.
    """

    label: Text
    color: str
    outline: str | None
    shape: Shape


def entries(layer: Layer, theme: Theme) -> list[Entry]:
    """Return the legend of a layer, in the order of its classes."""
    land = LAND.in_(theme)
    lines = []
    for swatch in layer.symbol.swatches(layer.title, theme):
        shape: Shape = "hatch" if swatch.hatch else SHAPES[layer.geometry]
        edge = outline_color(layer, swatch.color, theme)
        lines.append(Entry(swatch.label, blend(swatch.color, land), edge and blend(edge, land), shape))
    return lines


def outline_color(layer: Layer, color: str, theme: Theme) -> str | None:
    """Return the outline of a feature of that colour: the layer's own, or the colour, opaque unless the line fades."""
    if layer.outline is None:
        return None
    if layer.outline.color:
        return layer.outline.color.in_(theme)
    return color if layer.outline.fades else color[: len("#rrggbb")]


def legend(layer: Layer, language: Language | None, theme: Theme) -> list[dict[str, Any]]:
    """Return the legend as JSON-ready values; labels in one language, or in both where it is None."""
    return [
        {
            "label": entry.label.in_(language) if language else entry.label._asdict(),
            "color": entry.color,
            "outline": entry.outline,
            "shape": entry.shape,
        }
        for entry in entries(layer, theme)
    ]
