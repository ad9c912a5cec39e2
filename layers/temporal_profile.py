"""Temporal profile: where the day differs from the city's, and by which part of it."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import CYAN, EDGE, NAVY, NEUTRAL, RED, SAND
from layers.engine.scale import Doubt, by_code

LAYER = Layer(
    id="temporal_profile",
    title=Text("时间规律", "Temporal profile"),
    group="analysis",
    order=5,
    geometry="polygon",
    source=ServiceSource(service="temporal_profile"),
    symbol=by_code(
        "peak_watch",
        "temporal_profile_classes",
        {"night": NAVY, "morning": SAND, "afternoon": RED, "evening": CYAN, "like_city": NEUTRAL},
        opacity=0.8,
        faint={"like_city": 0.1},
        doubt=Doubt(field="small_n", label=Text("样本过少", "Few incidents")),
    ),
    outline=Outline(color=EDGE, width=0.5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=14),
    popup=(
        "code",
        "peak_watch",
        "incidents_count",
        "peak_hour",
        "peak_weekday",
        "night_share",
        "morning_share",
        "afternoon_share",
        "evening_share",
        "p",
        "q",
        "small_n",
    ),
    mandate="Art. 18, 48",
    note=Text(
        "与全市同期的钟点分布相比；时间以上报为准。",
        "Compared with the whole city's hours in the same period; times are as reported.",
    ),
)
