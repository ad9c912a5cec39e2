"""Hotspots: places hot, or cold, beyond chance."""

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
from layers.engine.scale import Doubt, by_code

COLORS: dict[str | tuple[str, ...], Shade] = {
    ("hot_99", "high_high"): HOT_99,
    "hot_95": HOT_95,
    "hot_90": HOT_90,
    "high_low": HOT_ODD,
    "not_significant": NEUTRAL,
    "low_high": COLD_ODD,
    "cold_90": COLD_90,
    "cold_95": COLD_95,
    ("cold_99", "low_low"): COLD_99,
    "no_neighbours": NEUTRAL,
}

LAYER = Layer(
    id="hotspots",
    title=Text("热点", "Hotspots"),
    group="analysis",
    seen_by=frozenset({"officer", "analyst", "planner", "supervisor"}),
    geometry="polygon",
    source=ServiceSource(service="hotspots"),
    symbol=by_code(
        "significance",
        "hotspot_classes",
        COLORS,
        opacity=0.85,
        faint={"not_significant": 0.07, "no_neighbours": 0.15},
        hatched={"no_neighbours"},
        doubt=Doubt(field="small_n", label=Text("样本过少", "Few incidents")),
    ),
    outline=Outline(color=EDGE, width=0.5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=14),
    popup=(
        "code",
        "significance",
        "incidents_count",
        "rank",
        "rank_low",
        "rank_high",
        "pai",
        "rate",
        "rate_smoothed",
        "area_km2",
        "neighbourhood_count",
        "neighbours_count",
        "z",
        "local_i",
        "p",
        "q",
        "small_n",
    ),
    visible=True,
    mandate="Art. 18, 48",
    note=Text(
        "上报事件的聚集，不是风险；各处漏报程度不同。",
        "Where reported events cluster, no measure of risk; under-reporting differs from place to place.",
    ),
)
