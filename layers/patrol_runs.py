"""Where units walked and halted in their shifts, by the kind of unit."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Layer, Radius, Width
from layers.engine.palettes import BLUE, NAVY, ORANGE, SAND
from layers.engine.scale import by_code

COLORS = {"police": NAVY, "grid_staff": BLUE, "guards": ORANGE, "volunteers": SAND}

LAYER = Layer(
    id="patrol_runs",
    title=Text("巡逻记录", "Patrol runs"),
    group="events",
    order=1,
    geometry="line",
    source=FrameSource(frame="patrol_runs"),
    symbol=by_code("unit_kind", "patrol_kinds", COLORS, opacity=0.7),
    width=Width(base=2.5),
    radius=Radius(base=3.2),
    popup=("unit_label", "unit_kind", "shift_label", "started_at", "ended_at", "joint_label"),
    minzoom=9,
    mandate="Art. 18",
    time="started_at",
    note=Text(
        "按单元和班次记录，从不记录个人；没有记录不等于没有巡逻。",
        "By unit and shift, never by person; no record does not mean that nobody came by.",
    ),
)
