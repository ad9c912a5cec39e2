"""Districts of the city, by their borders."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline
from layers.engine.palettes import BORDER_DISTRICT
from layers.engine.scale import Single

LAYER = Layer(
    id="districts",
    title=Text("区", "Districts"),
    group="base",
    order=1,
    geometry="polygon",
    source=FrameSource(frame="districts"),
    symbol=Single(color=BORDER_DISTRICT, opacity=0),
    outline=Outline(color=BORDER_DISTRICT, width=2.4, dash=(4, 2, 1, 2)),
    label=Label(
        zh=("name_zh", "name_en", "code"), en=("name_en", "name_zh", "code"), minzoom=8, size=15, color=BORDER_DISTRICT
    ),
    popup=("name_zh", "name_en", "code"),
    visible=True,
    mandate="Art. 5",
)
