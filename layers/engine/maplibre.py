"""The layers as one MapLibre style: no glyphs, no sprite, every label last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gis.contract.text import Language, Text
from layers.engine import palettes
from layers.engine.layer import Layer, Outline
from layers.engine.legend import legend
from layers.engine.palettes import EDGE, LAND, Theme
from layers.engine.popup import rows

FONTS = ["Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "sans-serif"]
"""Fonts of the reader's own machine: without `glyphs` MapLibre draws every letter with them."""

HATCH = "wangge-hatch"
"""Name of the one image of the style; who draws the map adds it, as ``metadata["wangge:images"]`` describes it."""

SOURCE_MAXZOOM = 15
"""Beyond it tiles are drawn larger: at zoom 15 one tile unit is 0.3 m on the ground."""

DECADES = 3
"""Of how many tens, one after another, a circle grows with its number: in a city's crowds every other scale is full."""

TITLE = Text("网格", "wangge")

IS_POINT = ["==", ["geometry-type"], "Point"]

RIM = Outline(color=EDGE, width=0.8)
"""What parts a point from its ground and its neighbours, unless the layer says otherwise."""

Drawn = tuple[int, dict[str, Any]]
"""A style layer and its storey: fills, patterns, lines, outlines, circles, labels."""
FILL, PATTERN, LINE, OUTLINE, CIRCLE, LABEL = range(6)


def style(
    layers: Iterable[Layer],
    *,
    language: Language,
    theme: Theme,
    tiles: Callable[[Layer], str],
    synthetic: bool,
    attribution: str,
    title: Text = TITLE,
    bounds: tuple[float, float, float, float] | None = None,
) -> dict[str, Any]:
    """Return the complete style of the layers.

    Parameters
    ----------
    layers
        In the order of the legend, top first; drawn from the last to the first within each storey.
    tiles
        Gives the address of a layer's vector tiles, with ``{z}``, ``{x}`` and ``{y}``.
    bounds
        West, south, east and north of the city in degrees: where the map opens, and beyond which no tile is asked for.
    """
    listed = list(layers)
    stacked = [drawn for layer in reversed(listed) for drawn in draw(layer, language=language, theme=theme)]
    stacked.sort(key=lambda drawn: drawn[0])
    background = {"id": "background", "type": "background", "paint": {"background-color": LAND.in_(theme)}}
    view: dict[str, Any] = {}
    if bounds:
        view["center"] = [round((bounds[0] + bounds[2]) / 2, 6), round((bounds[1] + bounds[3]) / 2, 6)]
        view["zoom"] = 11
    return {
        "version": 8,
        "name": title.in_(language),
        **view,
        "metadata": {
            "wangge:catalog": [catalog_entry(layer, theme) for layer in listed],
            "wangge:language": language,
            "wangge:theme": theme,
            "wangge:synthetic": synthetic,
            "wangge:images": {HATCH: {"size": 8, "line": 1, "color": palettes.HATCH.in_(theme)}},
        },
        "sources": {layer.id: _source(layer, tiles(layer), attribution, bounds) for layer in listed},
        "layers": [background, *(drawn for _, drawn in stacked)],
    }


def catalog_entry(layer: Layer, theme: Theme) -> dict[str, Any]:
    """Return what a front end must know about a layer, with words in both languages."""
    popup = []
    for row in rows(layer):
        entry: dict[str, Any] = {"field": row.field, "title": row.title._asdict(), "format": row.format}
        if row.codes:
            entry["codes"] = {code: text._asdict() for code, text in row.codes.items()}
        popup.append(entry)
    return {
        "id": layer.id,
        "title": layer.title._asdict(),
        "group": layer.group,
        "geometry": layer.geometry,
        "visible": layer.visible,
        "minzoom": layer.minzoom,
        "time": layer.time is not None,
        "service": layer.service,
        "legend": legend(layer, None, theme),
        "popup": popup,
        "note": layer.note._asdict() if layer.note else None,
    }


def draw(layer: Layer, *, language: Language, theme: Theme) -> list[Drawn]:
    """Return the style layers of one layer, each with its storey."""
    drawn = list({"polygon": _areas, "line": _lines, "point": _points}[layer.geometry](layer, theme))
    if layer.label:
        drawn.append((LABEL, _label(layer, language, theme)))
    return drawn


def _source(
    layer: Layer, url: str, attribution: str, bounds: tuple[float, float, float, float] | None
) -> dict[str, Any]:
    source: dict[str, Any] = {"type": "vector", "tiles": [url], "minzoom": layer.minzoom, "maxzoom": SOURCE_MAXZOOM}
    if attribution:
        source["attribution"] = attribution
    if bounds:
        source["bounds"] = list(bounds)
    return source


def _areas(layer: Layer, theme: Theme) -> Iterable[Drawn]:
    if not layer.is_border:
        paint = {"fill-color": layer.symbol.expression(theme), "fill-antialias": layer.outline is None}
        yield FILL, _layer(layer, "", "fill", paint)
    if (hatched := layer.symbol.hatch_filter()) is not None:
        yield PATTERN, {**_layer(layer, "_hatch", "fill", {"fill-pattern": HATCH}), "filter": hatched}
    if layer.outline:
        own = layer.symbol if layer.outline.fades else layer.symbol.opaque()
        color = layer.outline.color.in_(theme) if layer.outline.color else own.expression(theme)
        width = layer.outline.width
        paint = {"line-color": color, "line-width": _by_zoom(width * layer.outline.far, width, width * 1.8)}
        if layer.outline.dash:
            paint["line-dasharray"] = list(layer.outline.dash)
        yield OUTLINE, _layer(layer, "_outline", "line", paint)


def _lines(layer: Layer, theme: Theme) -> Iterable[Drawn]:
    paint = {"line-color": layer.symbol.expression(theme), "line-width": _line_width(layer)}
    layout = {"line-cap": "round", "line-join": "round"}
    yield LINE, _layer(layer, "", "line", paint, layout)
    if "Point" in layer.spec.geometry:
        # A circle layer would put one on every corner of a line too.
        yield CIRCLE, {**_layer(layer, "_point", "circle", _circle(layer, theme)), "filter": IS_POINT}


def _line_width(layer: Layer) -> list[Any]:
    def at(factor: float) -> Any:
        if layer.width.field is None:
            return round(layer.width.base * factor, 2)
        cases: list[Any] = []
        for code, pixels in layer.width.classes.items():
            cases += [code, round(pixels * factor, 2)]
        return ["match", ["get", layer.width.field], *cases, round(layer.width.base * factor, 2)]

    return _by_zoom(at(0.3), at(1.0), at(4.0))


def _by_zoom(far: Any, middle: Any, near: Any) -> list[Any]:
    return ["interpolate", ["exponential", 1.5], ["zoom"], 10, far, 14, middle, 18, near]


def _points(layer: Layer, theme: Theme) -> Iterable[Drawn]:
    yield CIRCLE, _layer(layer, "", "circle", _circle(layer, theme))


def _circle(layer: Layer, theme: Theme) -> dict[str, Any]:
    color = layer.symbol.expression(theme)
    rim = layer.outline or RIM
    return {
        "circle-color": color,
        "circle-radius": _radius(layer),
        "circle-stroke-color": rim.color.in_(theme) if rim.color else color,
        "circle-stroke-width": rim.width,
    }


def _radius(layer: Layer) -> list[Any]:
    radius = layer.radius

    def at(factor: float) -> Any:
        one = round(radius.base * factor, 2)
        if radius.count_field is None:
            return one
        count = ["max", 1, ["to-number", ["coalesce", ["get", radius.count_field], 1], 1]]
        grown = ["min", 1, ["/", ["log10", count], DECADES]]
        return ["+", one, ["*", round(max(radius.most - one, 0), 2), grown]]

    return ["interpolate", ["linear"], ["zoom"], 9, at(0.5), 13, at(0.8), 16, at(1.4)]


def _label(layer: Layer, language: Language, theme: Theme) -> dict[str, Any]:
    label = layer.label
    if label is None:
        raise ValueError(f"{layer.id} has no label")
    values = [["get", name] for name in label.fields(language)]
    layout: dict[str, Any] = {
        "text-field": ["to-string", ["coalesce", *values, ""]],
        "text-font": FONTS,
        "text-size": label.size,
        "text-max-width": 8,
        "text-padding": 4,
    }
    if label.along_line:
        layout |= {"symbol-placement": "line", "symbol-spacing": 320, "text-max-angle": 30}
    elif layer.geometry == "point":
        layout |= {"text-variable-anchor": ["top", "bottom", "right", "left"], "text-radial-offset": 0.7}
    paint = {"text-color": label.color.in_(theme), "text-halo-color": label.halo.in_(theme), "text-halo-width": 1.4}
    drawn = _layer(layer, "_label", "symbol", paint, layout)
    # Tiles cut an area into pieces; its label comes from one point of its own.
    source_layer = f"{layer.id}_label" if layer.geometry == "polygon" else layer.id
    return {**drawn, "source-layer": source_layer, "minzoom": max(label.minzoom, layer.minzoom)}


def _layer(
    layer: Layer, suffix: str, kind: str, paint: dict[str, Any], layout: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "id": layer.id + suffix,
        "type": kind,
        "source": layer.id,
        "source-layer": layer.id,
        "minzoom": layer.minzoom,
        "layout": {**(layout or {}), "visibility": "visible" if layer.visible else "none"},
        "paint": paint,
        "metadata": {"wangge:layer": layer.id},
    }
