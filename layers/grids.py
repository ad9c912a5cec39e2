"""Responsibility grids, by kind."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline
from layers.engine.palettes import GRID, GRID_DEDICATED
from layers.engine.scale import by_code

LAYER = Layer(
    id="grids",
    title=Text("网格", "Grids"),
    group="grid",
    order=2,
    geometry="polygon",
    source=FrameSource(frame="grids"),
    symbol=by_code("kind", "grid_kinds", {"comprehensive": GRID, "dedicated": GRID_DEDICATED}, opacity=0.06),
    outline=Outline(width=1.1, far=0.1),
    label=Label(zh=("name_zh", "code"), en=("name_en", "name_zh", "code"), minzoom=13.5, size=11, color=GRID),
    popup=(
        "name_zh",
        "name_en",
        "code",
        "kind",
        "community_code",
        "beat_code",
        "households_count",
        "positions_count",
        "valid_from",
    ),
    visible=True,
    mandate="Art. 15",
)
