"""Posts that are there, wanted ones, and where further ones would do most."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, Radius, ServiceSource
from layers.engine.palettes import BLUE, HALO, NEUTRAL, RED
from layers.engine.scale import by_code

COLORS = {"proposed": RED, "wanted": BLUE, "existing": NEUTRAL}

LAYER = Layer(
    id="post_siting",
    title=Text("布点方案", "Siting of posts"),
    group="analysis",
    order=8,
    geometry="point",
    source=ServiceSource(service="post_siting"),
    symbol=by_code("standing", "siting_standings", COLORS),
    outline=Outline(color=HALO, width=2),
    radius=Radius(base=7.5),
    label=Label(zh=("name_zh", "code"), en=("name_en", "code"), minzoom=14, size=11),
    popup=(
        "code",
        "standing",
        "order_number",
        "name_zh",
        "name_en",
        "gain_count",
        "covered_share",
        "reached_count",
        "only_count",
        "mean_min",
        "site_code",
    ),
    mandate="Art. 18",
    note=Text(
        "只按用时计算；场地与人力须另行核实。摘要写明是否已证明最优，或离最优至多多远。",
        "Travel times only: a site and its staff have to be looked for. The summary says whether the choice is proven, "
        "or how far from the best it may be.",
    ),
)
