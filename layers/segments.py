"""Streets by class."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Width
from layers.engine.palettes import ROAD_INK, ROAD_LOCAL, ROAD_MAIN, ROAD_PATH, ROAD_SECONDARY
from layers.engine.scale import Categorical, Class

CLASSES = (
    Class(
        codes=("motorway", "trunk", "main"),
        label=Text("高速、快速路与主干路", "Motorways, expressways and main roads"),
        color=ROAD_MAIN,
    ),
    Class(
        codes=("secondary", "tertiary"),
        label=Text("次干路与集散道路", "Secondary and collector roads"),
        color=ROAD_SECONDARY,
    ),
    Class(
        codes=("local", "living", "service"),
        label=Text("支路与内部道路", "Local, living and service streets"),
        color=ROAD_LOCAL,
    ),
    Class(
        codes=("pedestrian", "path", "cycleway", "steps", "track"),
        label=Text("步行与骑行道", "Ways on foot and by bicycle"),
        color=ROAD_PATH,
    ),
)
WIDTHS = {
    "motorway": 5.5,
    "trunk": 5,
    "main": 4.5,
    "secondary": 3.2,
    "tertiary": 2.6,
    "local": 2,
    "living": 2,
    "service": 1.4,
    "pedestrian": 1.6,
    "path": 1,
    "cycleway": 1,
    "steps": 1,
    "track": 1,
}

LAYER = Layer(
    id="segments",
    title=Text("道路", "Streets and paths"),
    group="base",
    order=4,
    geometry="line",
    source=FrameSource(frame="segments"),
    symbol=Categorical(field="road_class", classes=CLASSES, other_label=None),
    width=Width(field="road_class", classes=WIDTHS, base=2),
    label=Label(
        zh=("name_zh", "name_en"),
        en=("name_en", "name_zh"),
        minzoom=14,
        size=11,
        color=ROAD_INK,
        along_line=True,
    ),
    popup=("name_zh", "name_en", "road_class", "oneway", "speed_kmh", "access", "level"),
    visible=True,
    mandate="Art. 18",
)
