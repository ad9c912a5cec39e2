"""Where the density of incidents changed beyond chance from one period to another."""

from gis.contract.text import Text
from layers.engine.layer import Layer, ServiceSource
from layers.engine.palettes import COLD_95, COLD_99, HOT_95, HOT_99, NEUTRAL
from layers.engine.scale import by_code

COLORS = {
    "up_99": HOT_99,
    "up_95": HOT_95,
    "not_significant": NEUTRAL,
    "down_95": COLD_95,
    "down_99": COLD_99,
}

LAYER = Layer(
    id="density_change",
    title=Text("密度变化", "Change of density"),
    group="analysis",
    order=5,
    geometry="polygon",
    source=ServiceSource(service="incident_density"),
    symbol=by_code(
        "change_class",
        "density_change_classes",
        COLORS,
        opacity=0.85,
        faint={"not_significant": 0.07},
        # A run that compares nothing shows nothing.
        other_opacity=0.0,
    ),
    popup=("code", "change_class", "density_per_km2", "compare_per_km2", "change_per_km2", "change_z", "change_q"),
    mandate="Art. 18, 48",
    note=Text(
        "与另一时段相比，已按时长折算并校正；需选择对比时段才有内容。全城同期的增减也算变化。",
        "Against another period, scaled to the same length and corrected for many tests; empty unless one was chosen. "
        "What rises in the whole city at once counts too.",
    ),
)
