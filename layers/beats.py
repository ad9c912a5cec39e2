"""Police beats: unions of whole grids."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline
from layers.engine.palettes import BEAT
from layers.engine.scale import Single

LAYER = Layer(
    id="beats",
    title=Text("警格", "Beats"),
    group="grid",
    order=1,
    geometry="polygon",
    source=FrameSource(frame="beats"),
    symbol=Single(color=BEAT, opacity=0),
    outline=Outline(color=BEAT, width=2.2),
    label=Label(zh=("name_zh", "code"), en=("name_en", "name_zh", "code"), minzoom=11, size=13, color=BEAT),
    popup=("name_zh", "name_en", "code"),
    visible=False,
    mandate="Art. 18",
)
