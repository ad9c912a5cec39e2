"""Where incidents lie dense: the smallest areas that hold a given share of them."""

from gis.contract.text import Text
from layers.engine.layer import Layer, ServiceSource
from layers.engine.palettes import AMOUNT, NEUTRAL
from layers.engine.scale import by_code

COLORS = {
    "hdr_10": AMOUNT[4],
    "hdr_25": AMOUNT[3],
    "hdr_50": AMOUNT[2],
    "hdr_75": AMOUNT[1],
    "hdr_90": AMOUNT[1],
    "rest": NEUTRAL,
}

# Beside the paper that shines through, the lightest shade of the palette would be none.
OPACITIES = {"hdr_75": 0.95, "hdr_90": 0.5, "rest": 0.03}

LAYER = Layer(
    id="incident_density",
    title=Text("事件密度", "Incident density"),
    group="analysis",
    order=4,
    geometry="polygon",
    source=ServiceSource(service="incident_density"),
    symbol=by_code("density_class", "density_classes", COLORS, opacity=0.85, faint=OPACITIES),
    popup=("code", "density_class", "density_per_km2", "effective_count", "incidents_share", "inside_share"),
    mandate="Art. 18, 48",
    note=Text(
        "只描述密度，不作检验，也不是风险；各处漏报程度不同。",
        "A description, not a test and no measure of risk; under-reporting differs from place to place.",
    ),
)
