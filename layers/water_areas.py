"""Water, under everything."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer
from layers.engine.palettes import WATER, WATER_INK
from layers.engine.scale import Single

LAYER = Layer(
    id="water_areas",
    title=Text("水域", "Water"),
    group="base",
    order=5,
    geometry="polygon",
    source=FrameSource(frame="water_areas"),
    symbol=Single(color=WATER),
    label=Label(zh=("name_zh", "name_en"), en=("name_en", "name_zh"), minzoom=12, size=11, color=WATER_INK),
    visible=True,
)
