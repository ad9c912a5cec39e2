"""Streets and towns (街道/镇): the level between district and community."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline
from layers.engine.palettes import BORDER_STREET
from layers.engine.scale import Single

LAYER = Layer(
    id="streets",
    title=Text("街道/镇", "Sub-districts and towns"),
    group="base",
    order=2,
    geometry="polygon",
    source=FrameSource(frame="streets"),
    symbol=Single(color=BORDER_STREET, opacity=0),
    outline=Outline(color=BORDER_STREET, width=1.8, dash=(4, 2)),
    label=Label(
        zh=("name_zh", "name_en", "code"), en=("name_en", "name_zh", "code"), minzoom=11, size=13, color=BORDER_STREET
    ),
    popup=("name_zh", "name_en", "code", "district_code"),
    visible=True,
    mandate="Art. 5",
)
