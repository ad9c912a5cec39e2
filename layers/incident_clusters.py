"""Groups of incidents that lie close together, by how many they hold."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import AMOUNT
from layers.engine.scale import Graduated

LAYER = Layer(
    id="incident_clusters",
    title=Text("事件聚集", "Incident clusters"),
    group="analysis",
    # Its areas can be as small as one address.
    seen_by=frozenset({"analyst", "supervisor"}),
    order=7,
    geometry="polygon",
    source=ServiceSource(service="incident_clusters"),
    symbol=Graduated(
        field="incidents_count",
        breaks=(50, 100, 250, 1_000),
        colors=AMOUNT,
        unit=Text("起", "incidents"),
        opacity=0.85,
    ),
    outline=Outline(color=AMOUNT[4], width=1.2),
    label=Label(zh=("code",), en=("code",), minzoom=15),
    popup=(
        "code",
        "incidents_count",
        "share",
        "places_count",
        "area_km2",
        "incidents_per_km2",
        "first_at",
        "last_at",
        "top_category",
        "top_category_share",
        "membership",
    ),
    mandate="Art. 18, 48",
    note=Text(
        "只作描述，不作检验；随机散布的事件也会成群。",
        "A description, not a test; incidents spread at random form groups too.",
    ),
)
