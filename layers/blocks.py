"""Blocks, by how many households they hold."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Layer, Outline
from layers.engine.palettes import AMOUNT, EDGE
from layers.engine.scale import Graduated

LAYER = Layer(
    id="blocks",
    title=Text("单元网格 · 户数", "Blocks by households"),
    group="grid",
    order=3,
    geometry="polygon",
    source=FrameSource(frame="blocks"),
    symbol=Graduated(
        field="households_count",
        breaks=(50, 150, 300, 600),
        colors=AMOUNT,
        unit=Text("户", "households"),
        opacity=0.85,
    ),
    outline=Outline(color=EDGE, width=0.6, far=0.1),
    popup=("code", "community_code", "grid_code", "households_count", "residents_count"),
    minzoom=10,
    mandate="Art. 15",
    note=Text("户数是总数，不是密度：大块自然更深。", "Households are totals, no density: a large block is darker."),
)
