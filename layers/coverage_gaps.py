"""How soon each block is reached from its nearest post."""

from gis.contract.text import Text
from layers.engine.layer import Layer, Outline, ServiceSource
from layers.engine.palettes import EDGE, RESPONSE
from layers.engine.scale import by_code

LAYER = Layer(
    id="coverage_gaps",
    title=Text("覆盖盲区（单元网格）", "Coverage gaps (blocks)"),
    group="analysis",
    order=15,
    geometry="polygon",
    source=ServiceSource(service="coverage_gaps"),
    symbol=by_code("coverage_class", "coverage_classes", RESPONSE, opacity=0.75),
    outline=Outline(color=EDGE, width=0.6, far=0.2),
    popup=(
        "coverage_class",
        "minutes",
        "post_code",
        "second_min",
        "second_post_code",
        "posts_count",
        "weight",
        "gap_rank",
        "staff_per_1000",
        "minutes_now",
        "grid_code",
        "community_code",
        "code",
    ),
    mandate="Art. 18, 22",
    note=Text(
        "按地点计算的道路行程时间，不是等时圈；不含红绿灯、转弯与出警准备。",
        "Travel time along the streets for each place, not an isochrone; without lights, turns or getting ready.",
    ),
)
