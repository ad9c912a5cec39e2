"""Space-time clusters: where and since when incidents are more than chance."""

from gis.contract.text import Text
from layers.engine.layer import Label, Layer, Outline, ServiceSource
from layers.engine.palettes import HOT_90, HOT_95, HOT_99, NEUTRAL
from layers.engine.scale import by_code

LAYER = Layer(
    id="space_time_scan",
    title=Text("时空聚集", "Space-time clusters"),
    group="analysis",
    order=2,
    geometry="polygon",
    source=ServiceSource(service="space_time_scan"),
    symbol=by_code(
        "cluster_class",
        "scan_classes",
        {"significant_99": HOT_99, "significant_95": HOT_95, "notable": HOT_90, "not_significant": NEUTRAL},
        opacity=0.5,
        faint={"not_significant": 0.12},
    ),
    outline=Outline(width=1.5),
    label=Label(zh=("name_zh", "code"), en=("name_en", "name_zh", "code"), minzoom=13),
    popup=(
        "rank",
        "cluster_class",
        "started_on",
        "ended_on",
        "incidents_count",
        "expected_count",
        "ratio",
        "relative_risk",
        "places_count",
        "radius_m",
        "llr",
        "p",
        "p_gumbel",
        "recurrence_days",
        "code",
    ),
    mandate="Art. 14, 18, 48",
    note=Text(
        "圆形内不必处处都多；全城同期的增减不算聚集。",
        "Not every place in a circle need be busy; what rises in the whole city at once is no cluster.",
    ),
)
