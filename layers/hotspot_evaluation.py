"""Hotspot evaluation: places flagged beforehand, and the busy ones that were missed."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import EDGE, NAVY, RED, SAND
from layers.engine.scale import by_code

LAYER = Layer(
    id="hotspot_evaluation",
    title=Text("热点检验", "Hotspot evaluation"),
    group="analysis",
    order=8,
    geometry="polygon",
    source=ServiceSource(service="hotspot_evaluation"),
    symbol=by_code(
        "evaluation_class",
        "evaluation_classes",
        {"hit": NAVY, "no_incident": SAND, "missed": RED},
        opacity=0.85,
    ),
    outline=Outline(color=EDGE, width=0.5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=14),
    popup=("code", "evaluation_class", "rank", "score", "train_count", "last_period_count", "test_count"),
    mandate="Art. 14, 18, 48",
    note=Text(
        "标出的地方按分割时刻之前的事件选出；其后去过巡逻的地方，上报会多，事件也可能因此减少。",
        "Places were flagged by what occurred before the split. Where patrols went afterwards, more is reported or "
        "less occurs: a hit is no proof of risk.",
    ),
)
