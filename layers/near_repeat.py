"""Near-repeat chains: where incidents lay close in space and time, and where follow-up is due."""

from gis.contract.text import Text
from layers.engine.layer import Layer, Outline, ServiceSource
from layers.engine.palettes import NEUTRAL, RED
from layers.engine.scale import by_code

LAYER = Layer(
    id="near_repeat",
    title=Text("近重复事件链", "Near-repeat chains"),
    group="analysis",
    # Its areas can be as small as one address.
    seen_by=frozenset({"analyst", "supervisor"}),
    order=4,
    geometry="polygon",
    source=ServiceSource(service="near_repeat"),
    symbol=by_code(
        "chain_class",
        "near_repeat_classes",
        {"open": RED, "closed": NEUTRAL},
        opacity=0.6,
        faint={"closed": 0.06},
    ),
    # A year of all categories has thousands of closed chains: their lines alone would grey the city.
    outline=Outline(width=1.2, fades=True),
    popup=(
        "code",
        "chain_class",
        "until_on",
        "incidents_count",
        "category",
        "categories_count",
        "first_at",
        "last_at",
        "span_days",
    ),
    mandate="Art. 18, 50",
    note=Text(
        "时空相近的地点和事件，不证明事件相关；事件越密，偶然成链的越多。",
        "Places and events near in space and time, no proof that they are connected; dense incidents chain by chance.",
    ),
)
