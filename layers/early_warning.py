"""Early warning: grids with more of one kind in the last days than their own past lets expect."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import HOT_90, HOT_99
from layers.engine.scale import by_code

LAYER = Layer(
    id="early_warning",
    title=Text("早期预警", "Early warning"),
    group="analysis",
    order=1,
    geometry="polygon",
    source=ServiceSource(service="early_warning"),
    symbol=by_code("warning_class", "warning_classes", {"alarm": HOT_99, "watch": HOT_90}, opacity=0.75),
    outline=Outline(width=1.2),
    label=Label(zh=("name_zh", "code"), en=("name_en", "name_zh", "code"), minzoom=14),
    popup=(
        "code",
        "category",
        "warning_class",
        "since_on",
        "observed_count",
        "expected_count",
        "threshold_count",
        "ratio",
        "baseline_count",
        "p",
        "q",
    ),
    mandate="Art. 14, 48",
    note=Text(
        "与各网格自身过往相比；一些关注必为偶然，摘要说明每周预期多少。",
        "Compared with each grid's own past; some of these are chance, and the summary says how many a week.",
    ),
)
