"""Key protection units, by what they are for."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Radius
from layers.engine.palettes import BLUE, CYAN, NAVY, ORANGE, RED, SAND
from layers.engine.scale import Categorical, Class

CLASSES = (
    Class(codes=("petrol_station", "hazmat"), label=Text("加油站与危险物品", "Petrol and hazardous goods"), color=RED),
    Class(codes=("school", "nursery", "training"), label=Text("学校与培训", "Schools and training"), color=BLUE),
    Class(codes=("hospital",), label=Text("医院", "Hospitals"), color=CYAN),
    Class(
        codes=("park", "culture_sport_venue", "entertainment", "script_game"),
        label=Text("公园、文体与娱乐", "Parks, culture, sport, entertainment"),
        color=SAND,
    ),
    Class(
        codes=("mall_supermarket", "hotel", "short_let", "online_catering", "pawn"),
        label=Text("商业与住宿", "Shops and lodging"),
        color=ORANGE,
    ),
    Class(
        codes=("station", "port_wharf", "border_port", "express", "logistics", "vehicle_repair"),
        label=Text("交通与物流", "Transport and logistics"),
        color=NAVY,
    ),
)

LAYER = Layer(
    id="key_units",
    title=Text("治安保卫重点单位", "Key protection units"),
    group="units",
    order=1,
    geometry="point",
    source=FrameSource(frame="key_units"),
    symbol=Categorical(field="kind", classes=CLASSES),
    radius=Radius(base=5),
    label=Label(zh=("name_zh", "name_en"), en=("name_en", "name_zh"), minzoom=15, size=11),
    popup=(
        "name_zh",
        "name_en",
        "kind",
        "address",
        "guards_count",
        "last_inspected_on",
        "last_drill_on",
        "plan_reviewed_on",
    ),
    minzoom=9,
    mandate="Art. 19-21",
    added_by=frozenset({"supervisor"}),
    changed_by=frozenset({"supervisor"}),
)
