"""What an event touches, who is soonest there, and where to close streets."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, Radius, ServiceSource
from layers.engine.palettes import BLUE, CYAN, HALO, NEUTRAL, ORANGE, RED, SAND
from layers.engine.scale import by_code

COLORS = {
    ("closure",): RED,
    ("raised_crossing",): ORANGE,
    ("key_unit",): SAND,
    ("post",): BLUE,
    ("resource",): CYAN,
    ("rental", "block"): NEUTRAL,
}

LAYER = Layer(
    id="event_impact",
    title=Text("事件影响", "What an event touches"),
    group="analysis",
    order=20,
    geometry="point",
    source=ServiceSource(service="event_impact"),
    symbol=by_code("role", "event_roles", COLORS),
    outline=Outline(color=HALO, width=1.5),
    radius=Radius(base=6),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=15, size=11),
    popup=(
        "role",
        "name_zh",
        "name_en",
        "kind_zh",
        "kind_en",
        "inside",
        "reached",
        "minutes",
        "distance_m",
        "rank",
        "capacity_count",
        "households_count",
        "counted_share",
        "level",
        "post_code",
        "source_code",
    ),
    mandate="Art. 22, 32",
    note=Text(
        "行程时间按政策速度计算，不知道此刻的路况；户数在被边界切开处按面积估算。",
        "Times are those of the policy's speeds, not of the traffic now; households are estimated where the edge cuts "
        "a block.",
    ),
)
