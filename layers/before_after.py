"""Before and after: the grids that are compared, by what they stand for."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import CYAN, EDGE, NAVY, RED, SAND
from layers.engine.scale import by_code

LAYER = Layer(
    id="before_after",
    title=Text("前后对比", "Before and after"),
    group="analysis",
    order=9,
    geometry="polygon",
    source=ServiceSource(service="before_after"),
    symbol=by_code(
        "role",
        "comparison_roles",
        {"treated": RED, "control": NAVY, "displacement": SAND, "displacement_control": CYAN},
        opacity=0.85,
    ),
    outline=Outline(color=EDGE, width=0.5),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=14),
    popup=("code", "role", "before_count", "after_count", "expected_count", "p", "q"),
    mandate="Art. 14, 48",
    note=Text(
        "颜色只表示各网格的角色，不表示效果；效果见数字和区间。",
        "Colours say what a grid stands for, not what came of it; that is in the numbers and their interval.",
    ),
)
