"""Communities and villages, by their borders."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline
from layers.engine.palettes import BORDER_COMMUNITY
from layers.engine.scale import Single

LAYER = Layer(
    id="communities",
    title=Text("社区/村", "Communities"),
    group="base",
    order=3,
    geometry="polygon",
    source=FrameSource(frame="communities"),
    symbol=Single(color=BORDER_COMMUNITY, opacity=0),
    outline=Outline(color=BORDER_COMMUNITY, width=1.2, dash=(2, 2)),
    label=Label(
        zh=("name_zh", "name_en", "code"),
        en=("name_en", "name_zh", "code"),
        minzoom=12.5,
        size=12,
        color=BORDER_COMMUNITY,
    ),
    popup=("name_zh", "name_en", "code", "street_code"),
    visible=False,
    mandate="Art. 15",
)
