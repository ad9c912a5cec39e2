"""What can be fetched or used in an emergency, by what it helps against."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline, Radius
from layers.engine.palettes import BLUE, CYAN, HALO, NAVY, ORANGE, RED, SAND
from layers.engine.scale import Categorical, Class

CLASSES = (
    Class(codes=("extinguisher_store", "fire_station", "hydrant"), label=Text("灭火", "Against fire"), color=RED),
    Class(codes=("aed", "medical_point"), label=Text("救护", "First aid"), color=CYAN),
    Class(codes=("flood_store",), label=Text("防汛", "Against floods"), color=BLUE),
    Class(codes=("barrier_stock", "cone_stock"), label=Text("封控与引导", "Closing and guiding"), color=ORANGE),
    Class(codes=("shelter",), label=Text("避难", "Shelter"), color=NAVY),
    Class(codes=("supply_depot", "generator"), label=Text("物资与供电", "Supplies and power"), color=SAND),
)

LAYER = Layer(
    id="resources",
    title=Text("应急资源", "Emergency resources"),
    group="units",
    order=4,
    geometry="point",
    source=FrameSource(frame="resources"),
    symbol=Categorical(field="kind", classes=CLASSES),
    outline=Outline(color=HALO, width=1),
    radius=Radius(base=4.5),
    label=Label(zh=("name_zh", "name_en"), en=("name_en", "name_zh"), minzoom=15, size=11),
    popup=("name_zh", "name_en", "kind", "quantity_count"),
    minzoom=9,
    mandate="Art. 22",
    added_by=frozenset({"supervisor"}),
    changed_by=frozenset({"supervisor"}),
)
