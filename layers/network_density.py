"""Streets by how dense incidents lie along them."""

from gis.contract.text import Text
from layers.engine.layer import Layer, ServiceSource, Width
from layers.engine.palettes import AMOUNT, ROAD_MAIN
from layers.engine.scale import by_code

COLORS = {
    "hdr_10": AMOUNT[4],
    "hdr_25": AMOUNT[3],
    "hdr_50": AMOUNT[2],
    "hdr_75": AMOUNT[1],
    "hdr_90": AMOUNT[0],
    "rest": ROAD_MAIN,
}

LAYER = Layer(
    id="network_density",
    title=Text("沿街密度", "Density along streets"),
    group="analysis",
    order=6,
    geometry="line",
    source=ServiceSource(service="network_density"),
    symbol=by_code("density_class", "density_classes", COLORS, faint={"rest": 0.8}),
    width=Width(
        field="density_class",
        classes={"hdr_10": 7, "hdr_25": 5.5, "hdr_50": 4.2, "hdr_75": 3.2, "hdr_90": 2.4, "rest": 1.2},
        base=1.2,
    ),
    popup=(
        "name_zh",
        "name_en",
        "density_class",
        "density_per_km",
        "incidents_count",
        "share",
        "rank",
        "length_m",
        "road_class",
        "code",
    ),
    mandate="Art. 18, 48",
    note=Text(
        "只描述密度，不作检验；各处漏报程度不同。不共点的交叉按立交处理。",
        "A description, not a test; under-reporting differs from place to place. Streets that cross without a common "
        "node are taken as bridges.",
    ),
)
