"""Key units by what asks attention: incidents around, protection, hazards nearby."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Radius, ServiceSource
from layers.engine.palettes import BLUE, CYAN, NEUTRAL, ORANGE, RED
from layers.engine.scale import by_code

COLORS = {"several": RED, "incidents": ORANGE, "hazard": BLUE, "measures": CYAN, "nothing": NEUTRAL}

LAYER = Layer(
    id="key_unit_exposure",
    title=Text("重点单位暴露", "Exposure of key units"),
    group="analysis",
    order=19,
    geometry="point",
    source=ServiceSource(service="key_unit_exposure"),
    symbol=by_code("exposure_class", "exposure_classes", COLORS, faint={"nothing": 0.5}),
    radius=Radius(base=5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=15),
    popup=(
        "name_zh",
        "name_en",
        "kind",
        "exposure_class",
        "rank",
        "incidents_count",
        "expected_count",
        "q",
        "minutes",
        "post_code",
        "guards_short_count",
        "drill_state",
        "inspection_state",
        "plan_state",
        "hazard_code",
        "hazard_m",
        "sensitive_count",
        "code",
    ),
    mandate="Art. 20, 21",
    note=Text(
        "周边事件多不等于单位有过错；期限和缓冲距离为可修改的政策数值。",
        "Many incidents around are no fault of the unit; intervals and buffers are policy numbers that a city can "
        "change.",
    ),
)
