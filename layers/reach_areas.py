"""What is reached from the posts within the response rings, drawn."""

from gis.contract.text import Text
from layers.engine.layer import Layer, Outline, ServiceSource
from layers.engine.palettes import AMOUNT
from layers.engine.scale import by_code

COLORS = {"first": AMOUNT[4], "second": AMOUNT[3], "third": AMOUNT[2], "further": AMOUNT[1]}

LAYER = Layer(
    id="reach_areas",
    title=Text("可达范围", "Reached areas"),
    group="analysis",
    order=14,
    geometry="polygon",
    source=ServiceSource(service="reach_areas"),
    symbol=by_code("ring", "response_rings", COLORS, opacity=0.7),
    outline=Outline(color=AMOUNT[4], width=1),
    popup=("name_zh", "name_en", "kind", "ring", "ring_min", "streets_km", "area_km2", "code"),
    mandate="Art. 18",
    note=Text(
        "仅为示意图：某地点是否覆盖，以它自己的行程时间为准。",
        "Drawings only: whether a place is covered is told by its own travel time.",
    ),
)
