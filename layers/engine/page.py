"""What stands around the map on a folium page: title, origin, legend, table, in one language and theme."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, select_autoescape

from gis.contract.profile import CityProfile
from gis.contract.result import Provenance
from gis.contract.text import Language, Text
from layers.engine import palettes
from layers.engine.drawing import Drawing
from layers.engine.legend import Entry, entries
from layers.engine.onefile import ASSETS
from layers.engine.palettes import HATCH, Shade, Theme

FOLDER = ASSETS / "page"
TABLE_ROWS = 1_000
"""Rows of the table twin of one layer; its caption tells how many there are in all."""

TEMPLATE = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True
).get_template("page.html")

WORDS = {
    "map": Text("地图，方向键移动，加减键缩放", "Map; arrow keys move it, plus and minus zoom"),
    "legend": Text("图例", "Legend"),
    "table": Text("数据表", "Data as a table"),
    "origin": Text("出处与参数", "Where this comes from"),
    "place": Text("位置", "Place"),
    "show": Text("显示", "Show"),
    "zoomIn": Text("放大", "Zoom in"),
    "zoomOut": Text("缩小", "Zoom out"),
}
SYNTHETIC = Text("合成数据，并非真实记录", "Synthetic data, no real records")
PART = Text("{title}：共 {given:,}，图上 {drawn:,}", "{title}: {drawn:,} of {given:,} drawn")

VARIABLES: dict[str, Shade] = {
    "land": palettes.LAND,
    "card": palettes.CARD,
    "ink": palettes.INK,
    "soft": palettes.SOFT,
    "line": palettes.RULE,
    "accent": palettes.ACCENT,
    "warn": palettes.WARN,
    "warn-ink": palettes.WARN_INK,
}


@dataclass(frozen=True, slots=True)
class Section:
    """The legend of one layer."""

    id: str
    title: str
    entries: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the template `page.html` writes; it escapes every word."""

    lang: str
    theme: Theme
    title: str
    city: str
    lines: list[str]
    synthetic: str
    origin: list[tuple[str, str]]
    legend: list[Section]
    foot: str
    data: str
    words: dict[str, str]
    variables: dict[str, str]
    css: str = field(default_factory=lambda: (FOLDER / "map.css").read_text(encoding="utf-8"))
    script: str = field(default_factory=lambda: (FOLDER / "map.js").read_text(encoding="utf-8"))


def page(
    drawings: Sequence[Drawing],
    profile: CityProfile,
    *,
    language: Language,
    theme: Theme,
    provenance: Provenance | None = None,
) -> Page:
    """Return the page of some drawn layers, the topmost first; the first gives the title."""
    top = drawings[0].layer
    words = {name: text.in_(language) for name, text in WORDS.items()}
    lines = [profile.title.in_(language)]
    if provenance:
        lines.append(_facts(provenance, profile.time_zone))
    lines += [d.layer.note.in_(language) for d in drawings if d.layer.note]
    lines += [
        PART.in_(language).format(title=d.layer.title.in_(language), given=d.n_given, drawn=d.n_drawn)
        for d in drawings
        if d.n_drawn < d.n_given
    ]
    return Page(
        lang="zh-CN" if language == "zh" else "en",
        theme=theme,
        title=top.title.in_(language),
        city=profile.title.in_(language),
        lines=lines,
        synthetic=SYNTHETIC.in_(language) if profile.synthetic else "",
        origin=_origin(provenance) if provenance else [],
        legend=[_section(d, language, theme) for d in drawings],
        foot=" · ".join(part for part in (profile.attribution, "wangge", "Leaflet") if part),
        data=_data(drawings, words, theme),
        words=words,
        variables={name: shade.in_(theme) for name, shade in VARIABLES.items()},
    )


def _facts(provenance: Provenance, time_zone: str) -> str:
    """Return how many events the result rests on, and their first and last day on the city's own clock."""
    days = [str(pd.Timestamp(instant).tz_convert(time_zone).date()) for instant in provenance.period or ()]
    period = " – ".join(days)
    return " · ".join(part for part in (f"n = {provenance.n:,}", period) if part)


def _origin(provenance: Provenance) -> list[tuple[str, str]]:
    known = [("service", f"{provenance.service}, version {provenance.version}"), ("CRS", provenance.metric_crs)]
    known += [(name, _plain(value)) for name, value in provenance.parameters.items() if value is not None]
    known += [(name, _plain(value)) for name, value in provenance.choices.items()]
    known += [(f"{one.frame}, left out", f"{one.count:,}: {one.reason}") for one in provenance.left_out]
    known += [(f"{one.frame}, SHA-256", one.digest) for one in provenance.inputs]
    return known


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _section(drawn: Drawing, language: Language, theme: Theme) -> Section:
    listed = [
        {"label": entry.label.in_(language), "shape": entry.shape, "style": _swatch(entry, theme)}
        for entry in entries(drawn.layer, theme)
    ]
    return Section(drawn.layer.id, drawn.layer.title.in_(language), listed)


def _swatch(entry: Entry, theme: Theme) -> str:
    edge = f"border-color:{entry.outline or entry.color}"
    if entry.shape == "line":
        return edge
    if entry.shape == "hatch":
        line = HATCH.in_(theme)
        stripes = f"repeating-linear-gradient(-45deg,{line} 0 1px,{entry.color} 1px 5px)"
        return f"background:{stripes};{edge}"
    return f"background:{entry.color};{edge}"


def _data(drawings: Sequence[Drawing], words: dict[str, str], theme: Theme) -> str:
    """Return the JSON that the script reads, from the ground up, safe inside a script element."""
    top_down = sorted(drawings, key=_storey, reverse=True)
    layers = ",".join(d.json for d in reversed(top_down))
    about = {"words": words, "hatch": HATCH.in_(theme), "tableRows": TABLE_ROWS}
    text = f'{json.dumps(about, ensure_ascii=False)[:-1]}, "layers": [{layers}]}}'
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _storey(drawn: Drawing) -> int:
    """Return how high a layer stands: filled areas, lines, borders, points."""
    layer = drawn.layer
    if layer.geometry == "polygon":
        return 0 if layer.covers else 2
    return {"line": 1, "point": 3}[layer.geometry]
