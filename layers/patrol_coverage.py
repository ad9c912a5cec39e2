"""How long each street waited for a patrol."""

from gis.contract.text import Text
from layers.engine.layer import Layer, ServiceSource, Width
from layers.engine.palettes import AMOUNT, HOT_95
from layers.engine.scale import by_code

COLORS = {
    "within_8_h": AMOUNT[4],
    "within_a_day": AMOUNT[3],
    "within_3_days": AMOUNT[2],
    "longer": AMOUNT[1],
    "never": HOT_95,
}

LAYER = Layer(
    id="patrol_coverage",
    title=Text("巡逻覆盖", "Patrol coverage"),
    group="analysis",
    order=18,
    geometry="line",
    source=ServiceSource(service="patrol_coverage"),
    symbol=by_code("patrol_class", "patrol_classes", COLORS),
    width=Width(
        field="patrol_class",
        classes={"within_8_h": 4.5, "within_a_day": 3.6, "within_3_days": 2.8, "longer": 2.0, "never": 1.4},
        base=1.4,
    ),
    popup=(
        "name_zh",
        "name_en",
        "patrol_class",
        "visits_count",
        "units_count",
        "joint_visits_count",
        "walked_share",
        "median_wait_h",
        "longest_wait_h",
        "last_visit_at",
        "road_class",
        "length_m",
        "code",
    ),
    mandate="Art. 18",
    note=Text(
        "按记录的路线推算，只说明是否巡到，不说明效果。",
        "Taken from recorded lines: it tells whether patrols came, not whether they had any effect.",
    ),
)
