"""The routes of patrols, a colour a unit."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, ServiceSource, Width
from layers.engine.palettes import BLUE, CYAN, NAVY, ORANGE, RED, SAND
from layers.engine.scale import by_code

COLORS = {
    "route_1": BLUE,
    "route_2": RED,
    "route_3": NAVY,
    "route_4": ORANGE,
    "route_5": CYAN,
    "route_6": SAND,
}

LAYER = Layer(
    id="patrol_routes",
    title=Text("巡逻路线", "Patrol routes"),
    group="analysis",
    order=1,
    geometry="line",
    source=ServiceSource(service="patrol_routes"),
    symbol=by_code("route_class", "route_classes", COLORS),
    width=Width(base=4),
    label=Label(
        zh=("arrive_clock",),
        en=("arrive_clock",),
        minzoom=14,
        size=11,
        along_line=True,
    ),
    popup=(
        "unit_label",
        "unit_kind",
        "unit_kinds",
        "sequence",
        "stop_kind",
        "stop_code",
        "name_zh",
        "name_en",
        "arrive_clock",
        "leave_clock",
        "arrive_at",
        "leave_at",
        "dwell_min",
        "wait_min",
        "leg_m",
        "leg_min",
        "weight",
        "visit_number",
        "must_visit",
        "kept",
        "lon",
        "lat",
        "code",
    ),
    mandate="Art. 18",
    note=Text(
        "一条线是到达下一停靠点的路；是安排，不是轨迹。超过六个单元时颜色循环使用。",
        "A line is the way to the next halt; a plan, no track. More than six units share the colours in turn.",
    ),
)
