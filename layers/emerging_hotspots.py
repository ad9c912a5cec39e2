"""Emerging hotspots: how hot and cold places come, stay and go."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import (
    COLD_90,
    COLD_95,
    COLD_99,
    COLD_ODD,
    EDGE,
    HOT_90,
    HOT_95,
    HOT_99,
    HOT_ODD,
    NEUTRAL,
    Shade,
)
from layers.engine.scale import by_code

COLORS: dict[str | tuple[str, ...], Shade] = {
    ("hot_new", "hot_consecutive"): HOT_99,
    ("hot_intensifying", "hot_persistent"): HOT_95,
    ("hot_sporadic", "hot_oscillating"): HOT_ODD,
    ("hot_diminishing", "hot_historical"): HOT_90,
    "no_pattern": NEUTRAL,
    ("cold_diminishing", "cold_historical"): COLD_90,
    ("cold_sporadic", "cold_oscillating"): COLD_ODD,
    ("cold_intensifying", "cold_persistent"): COLD_95,
    ("cold_new", "cold_consecutive"): COLD_99,
}
"""What is new is the strongest, what is fading the faintest; on and off has a colour of its own."""

LAYER = Layer(
    id="emerging_hotspots",
    title=Text("新兴热点", "Emerging hotspots"),
    group="analysis",
    geometry="polygon",
    source=ServiceSource(service="emerging_hotspots"),
    symbol=by_code("emerging_class", "emerging_classes", COLORS, opacity=0.85, faint={"no_pattern": 0.07}),
    order=1,
    outline=Outline(color=EDGE, width=0.5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=14),
    popup=(
        "code",
        "emerging_class",
        "hot_steps_count",
        "cold_steps_count",
        "steps_count",
        "trend_z",
        "trend_p",
        "last_z",
        "last_q",
        "last_count",
        "incidents_count",
    ),
    mandate="Art. 18, 48",
    note=Text(
        "上报事件聚集的历史，不是预测；已经过去且曾热不足九成时段的地方没有模式。",
        "The history of where reported events cluster, no forecast; what was hot for less than nine tenths of the time "
        "and is over has no pattern.",
    ),
)
