"""A layer and its rows as plain values that a page can draw: colours, words and rounded shapes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from gis.contract.text import Language
from layers.engine.layer import Label, Layer
from layers.engine.legend import outline_color
from layers.engine.palettes import EDGE, Theme
from layers.engine.popup import rows, words

MAX_FEATURES = 20_000
"""More features than this are not drawn in one file; every k-th is, and the page says so."""
MAX_VERTICES = 150_000
"""Shapes with more vertices than this together are simplified."""
DECIMALS = 6
"""Of a degree: 0.1 m on the ground."""
SCREENS = 8_000
"""Simplification moves a border by at most this part of the map's width: an eighth of a pixel at first sight."""

LONLAT = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One layer, ready for the page.

    Attributes
    ----------
    json
        What the page's script reads.
    bounds
        West, south, east, north in degrees; None where nothing is drawn.
    n_given, n_drawn
        Features with a place; those that the page holds.
    """

    layer: Layer
    json: str
    bounds: tuple[float, float, float, float] | None
    n_given: int
    n_drawn: int


def drawing(layer: Layer, frame: gpd.GeoDataFrame, *, language: Language, theme: Theme, time_zone: str) -> Drawing:
    """Return a layer's rows as a page draws them.

    Parameters
    ----------
    frame : (n,) rows
        In any CRS; rows without a place, or whose place is withheld, are left out.
    time_zone
        IANA name of the clock on which instants are written.
    """
    placed = _placed(frame)
    shown = placed.iloc[:: -(-len(placed) // MAX_FEATURES) or 1]
    records = _records(layer, shown)
    styles, of_row = _styles(layer, records, theme)
    heads = [_first(record, layer.label, language) for record in records]
    popup = [] if layer.group == "base" else rows(layer)
    values = [
        [words(r, record.get(r.field), language=language, time_zone=time_zone) for r in popup] for record in records
    ]
    shapes = _shapes(shown.geometry.to_numpy())
    places = _label_places(layer, shown.geometry.to_numpy())
    features = ",".join(
        f"[{style},{shape},{_json([head, *cells])},{_json(place)}]"
        for style, shape, head, cells, place in zip(of_row, shapes, heads, values, places, strict=True)
    )
    about = {
        "id": layer.id,
        "title": layer.title.in_(language),
        "geometry": layer.geometry,
        "rows": [row.title.in_(language) for row in popup],
        "label": _label(layer, theme),
        "styles": styles,
    }
    text = f'{{"about":{_json(about)},"features":[{features}]}}'
    bounds = tuple(float(b) for b in shown.total_bounds) if len(shown) else None
    return Drawing(layer, text, bounds, len(placed), len(shown))  # type: ignore[arg-type]


def _placed(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    located = frame[frame.geometry.notna() & ~frame.geometry.is_empty]
    if "location_withheld" in located.columns:
        located = located[~located["location_withheld"].isin([True])]
    return located.to_crs(LONLAT)


def _records(layer: Layer, frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    known = [name for name in layer.columns if name in frame.columns]
    # Column by column: a row of mixed kinds would turn whole numbers into floats.
    columns = [frame[name].astype(object).where(frame[name].notna(), None).tolist() for name in known]
    return (
        [dict(zip(known, values, strict=True)) for values in zip(*columns, strict=True)]
        if known
        else [{} for _ in range(len(frame))]
    )


def _styles(layer: Layer, records: Sequence[dict[str, Any]], theme: Theme) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the styles in the order of the legend, and which one each record has."""
    rank = {swatch.color: i for i, swatch in enumerate(layer.symbol.swatches(layer.title, theme))}
    looks = [_look(layer, record, theme) for record in records]
    order = sorted(set(looks), key=lambda look: (rank.get(look[0], len(rank)), look))
    index = {look: i for i, look in enumerate(order)}
    return [_style(layer, look, theme) for look in order], [index[look] for look in looks]


def _look(layer: Layer, record: dict[str, Any], theme: Theme) -> tuple[str, float, bool]:
    """Return colour, width and hatch of one feature."""
    width = layer.width.classes.get(record.get(layer.width.field or "", ""), layer.width.base)
    return layer.symbol.color_of(record, theme), width, layer.symbol.hatched(record)


def _style(layer: Layer, look: tuple[str, float, bool], theme: Theme) -> dict[str, Any]:
    color, width, hatch = look
    if layer.geometry == "line":
        line: dict[str, Any] = {"color": color, "weight": width, "fill": False}
        # Points among the lines are rings in their colour.
        return {**line, "radius": layer.radius.base} if "Point" in layer.spec.geometry else line
    outline = layer.outline
    edge = outline_color(layer, color, theme) or (EDGE.in_(theme) if layer.geometry == "point" else color)
    style: dict[str, Any] = {
        "fillColor": color,
        "fill": not layer.is_border,
        "color": edge,
        "weight": outline.width if outline else 0.8,
        "stroke": outline is not None or layer.geometry == "point",
    }
    if outline and outline.dash:
        style["dashArray"] = " ".join(f"{part * outline.width:g}" for part in outline.dash)
    if layer.geometry == "point":
        style["radius"] = layer.radius.base
    if hatch:
        style["hatch"] = True
    return style


def _label(layer: Layer, theme: Theme) -> dict[str, Any] | None:
    label = layer.label
    if label is None or label.along_line:
        return None
    colors = {"color": label.color.in_(theme), "halo": label.halo.in_(theme)}
    return {"minzoom": label.minzoom, "size": label.size, **colors}


def _label_places(layer: Layer, shapes: np.ndarray) -> list[list[float] | None]:
    """Return where the label of each area stands (latitude, longitude); None where its shape says it."""
    if layer.geometry != "polygon" or layer.label is None:
        return [None] * len(shapes)
    points = shapely.point_on_surface(shapes)
    places = np.round(np.column_stack([shapely.get_y(points), shapely.get_x(points)]), DECIMALS)
    return [[float(lat), float(lng)] for lat, lng in places]


def _first(record: dict[str, Any], label: Label | None, language: Language) -> str:
    names = label.fields(language) if label else ()
    return next((str(record[name]) for name in names if record.get(name)), "")


def _shapes(shapes: np.ndarray) -> list[str]:
    """Return GeoJSON geometries (n,), flat, rounded, and simplified where they are many."""
    if not len(shapes):
        return []
    flat = shapely.force_2d(shapes)
    if shapely.get_num_coordinates(flat).sum() > MAX_VERTICES:
        west, south, east, north = shapely.total_bounds(flat)
        flat = _simpler(flat, max(east - west, north - south) / SCREENS)
    rounded = shapely.transform(flat, lambda xy: np.round(xy, DECIMALS))
    return [str(text) for text in shapely.to_geojson(rounded)]


def _simpler(shapes: np.ndarray, tolerance: float) -> np.ndarray:
    areas = np.isin(shapely.get_type_id(shapes), [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
    if areas.all() and shapely.coverage_is_valid(shapes):
        # Neighbours keep their common border: no slivers between grids.
        return np.asarray(shapely.coverage_simplify(shapes, tolerance))
    return np.asarray(shapely.simplify(shapes, tolerance, preserve_topology=True))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
