"""Places that together hold half, and four fifths, of the incidents."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import AMOUNT
from layers.engine.scale import by_code

COLORS = {"first_50": AMOUNT[4], "next_to_80": AMOUNT[2], "rest": AMOUNT[0]}

LAYER = Layer(
    id="eighty_twenty",
    title=Text("80-20 分析", "80-20 analysis"),
    group="analysis",
    order=8,
    geometry="polygon",
    source=ServiceSource(service="eighty_twenty"),
    symbol=by_code("concentration_class", "concentration_classes", COLORS, opacity=0.85, faint={"rest": 0.4}),
    # Its own colour around it, so that an address of ten metres is seen from afar.
    outline=Outline(width=1.5, far=1.0),
    label=Label(zh=("name_zh",), en=("name_en", "name_zh"), minzoom=15),
    popup=(
        "name_zh",
        "name_en",
        "code",
        "rank",
        "incidents_count",
        "share",
        "cumulative_share",
        "places_share",
        "concentration_class",
    ),
    mandate="Art. 18, 48",
    note=Text(
        "只画有事件的地方；少量事件随机散布也会显得集中，请与随机预期相比。",
        "Only places with an incident are drawn; a few incidents look concentrated by chance too, so compare with what "
        "chance would give.",
    ),
)
