"""What the public sees: a year of incidents by cells, with small counts withheld."""

from gis.contract.roles import ROLES
from gis.contract.text import Text
from layers.engine.layer import Layer, Outline, ServiceSource
from layers.engine.palettes import AMOUNT, NEUTRAL
from layers.engine.scale import by_code

LAYER = Layer(
    id="public_counts",
    title=Text("公开统计", "Public counts"),
    group="analysis",
    order=12,
    geometry="polygon",
    source=ServiceSource(service="public_counts"),
    symbol=by_code(
        "count_class",
        "public_count_classes",
        {"many": AMOUNT[4], "some": AMOUNT[3], "few": AMOUNT[0], "none": NEUTRAL, "withheld": NEUTRAL},
        opacity=0.75,
        faint={"none": 0.08},
        hatched=("withheld",),
    ),
    outline=Outline(width=0.6),
    popup=(
        "code",
        "year",
        "count_class",
        "incidents_count",
        *(f"incidents_{month:02d}_count" for month in range(1, 13)),
        "withheld_count",
        "rentals_count",
    ),
    mandate="Art. 44",
    note=Text(
        "上报的事件，不是风险；各处上报的程度不同。过小的数不公布。",
        "Reported events, not risk; how much is reported differs from place to place. Small counts are withheld.",
    ),
    seen_by=frozenset(ROLES),
)
