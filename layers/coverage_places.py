"""How soon each place is reached from its nearest post: key units, rentals, incidents, or the middle of each block."""

from gis.contract.text import Text
from layers.engine.layer import Layer, Outline, Radius, ServiceSource
from layers.engine.palettes import HALO, RESPONSE
from layers.engine.scale import by_code

LAYER = Layer(
    id="coverage_places",
    title=Text("覆盖盲区（地点）", "Coverage gaps (places)"),
    group="analysis",
    order=16,
    geometry="point",
    source=ServiceSource(service="coverage_gaps"),
    symbol=by_code("coverage_class", "coverage_classes", RESPONSE),
    outline=Outline(color=HALO, width=1),
    radius=Radius(base=4.5, most=6, count_field="n"),
    popup=(
        "name_zh",
        "name_en",
        "kind",
        "coverage_class",
        "minutes",
        "post_code",
        "second_min",
        "posts_count",
        "weight",
        "gap_rank",
        "minutes_now",
        "grid_code",
        "code",
    ),
    mandate="Art. 18, 22",
    note=Text(
        "每个地点按自己的道路行程时间判断，不按等时圈。",
        "Each place is judged by its own travel time along the streets, not by an isochrone.",
    ),
)
