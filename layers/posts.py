"""Where patrol and grid staff start from."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Label, Layer, Outline, Radius
from layers.engine.palettes import BLUE, CYAN, HALO, NAVY, ORANGE, SAND
from layers.engine.scale import by_code

COLORS = {"police_post": NAVY, "grid_station": BLUE, "guard_post": ORANGE, "volunteer_post": SAND, "health_post": CYAN}

LAYER = Layer(
    id="posts",
    title=Text("巡防点", "Posts"),
    group="units",
    order=2,
    geometry="point",
    source=FrameSource(frame="posts"),
    symbol=by_code("kind", "post_kinds", COLORS),
    outline=Outline(color=HALO, width=2),
    radius=Radius(base=6.5),
    label=Label(zh=("name_zh", "name_en"), en=("name_en", "name_zh"), minzoom=14, size=11),
    popup=("name_zh", "name_en", "kind", "positions_count"),
    minzoom=9,
    mandate="Art. 18",
    added_by=frozenset({"planner", "supervisor"}),
    changed_by=frozenset({"planner", "supervisor"}),
)
