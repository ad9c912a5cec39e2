"""Streets by class."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Width
from layers.engine.palettes import ROAD_INK, ROAD_LOCAL, ROAD_MAIN, ROAD_PATH, ROAD_SECONDARY
from layers.engine.scale import by_code

COLORS = {"main": ROAD_MAIN, "secondary": ROAD_SECONDARY, "local": ROAD_LOCAL, "path": ROAD_PATH}

LAYER = Layer(
    id="segments",
    title=Text("道路", "Streets and paths"),
    group="base",
    order=4,
    geometry="line",
    source=FrameSource(frame="segments"),
    symbol=by_code("road_class", "road_classes", COLORS),
    width=Width(field="road_class", classes={"main": 4.5, "secondary": 3.2, "local": 2, "path": 1}, base=2),
    label=Label(
        zh=("name_zh", "name_en"),
        en=("name_en", "name_zh"),
        minzoom=14,
        size=11,
        color=ROAD_INK,
        along_line=True,
    ),
    popup=("name_zh", "name_en", "road_class", "oneway", "speed_kmh"),
    visible=True,
    mandate="Art. 18",
)
