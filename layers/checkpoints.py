"""Places that every shift must visit, by what they are."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline, Radius
from layers.engine.palettes import BLUE, CYAN, HALO, NAVY, ORANGE, RED, SAND
from layers.engine.scale import Categorical, Class

CLASSES = (
    Class(codes=("school_gate", "key_place"), label=Text("校门与重点单位", "Schools and key units"), color=RED),
    Class(codes=("compound", "gate"), label=Text("小区与出入口", "Compounds and gates"), color=BLUE),
    Class(codes=("market", "square"), label=Text("市场与广场", "Markets and squares"), color=ORANGE),
    Class(codes=("transit_stop", "bridge"), label=Text("站点与桥梁", "Stops and bridges"), color=NAVY),
    Class(codes=("park", "waterfront"), label=Text("公园与岸线", "Parks and waterfronts"), color=CYAN),
    Class(codes=("parking",), label=Text("停车场", "Car parks"), color=SAND),
)

LAYER = Layer(
    id="checkpoints",
    title=Text("必巡点", "Checkpoints"),
    group="units",
    order=3,
    geometry="point",
    source=FrameSource(frame="checkpoints"),
    symbol=Categorical(field="kind", classes=CLASSES),
    outline=Outline(color=HALO, width=1.4),
    radius=Radius(base=5),
    label=Label(zh=("name_zh", "name_en"), en=("name_en", "name_zh"), minzoom=15, size=11),
    popup=("name_zh", "name_en", "kind", "dwell_min", "visits_count", "window_from", "window_to"),
    minzoom=9,
    mandate="Art. 18",
    added_by=frozenset({"planner", "supervisor"}),
    changed_by=frozenset({"planner", "supervisor"}),
)
