"""Proposed police beats, by how their workload compares with the mean."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import AMOUNT, BEAT
from layers.engine.scale import by_code

COLORS = {"light": AMOUNT[0], "within": AMOUNT[2], "heavy": AMOUNT[4]}

LAYER = Layer(
    id="proposed_beats",
    title=Text("警格建议", "Proposed beats"),
    group="analysis",
    order=18,
    geometry="polygon",
    source=ServiceSource(service="beats"),
    symbol=by_code("load_class", "beat_load_classes", COLORS, opacity=0.7),
    outline=Outline(color=BEAT, width=2),
    label=Label(zh=("name_zh", "code"), en=("name_en", "name_zh", "code"), minzoom=12, color=BEAT),
    popup=(
        "name_zh",
        "name_en",
        "code",
        "street_code",
        "is_new",
        "post_code",
        "load_class",
        "load_ratio",
        "grids_count",
        "moved_grids_count",
        "households_count",
        "incidents_per_year",
        "travel_min",
        "response_min",
        "busy_share",
        "outside_share",
        "all_busy_share",
        "area_km2",
    ),
    mandate="Art. 18",
    note=Text(
        "颜色为工作量与全部警格平均数之比；响应时间按平均到警率估算，高峰时段更长。",
        "Colours compare the workload with the mean of all beats; response times are for average call rates, and "
        "longer at peak hours.",
    ),
)
