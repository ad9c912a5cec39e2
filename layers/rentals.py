"""Rental properties: places and their checks, never their tenants."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Layer, Radius
from layers.engine.palettes import BLUE, NAVY, ORANGE, SAND
from layers.engine.scale import by_code

LAYER = Layer(
    id="rentals",
    title=Text("出租房屋", "Rental properties"),
    group="units",
    order=3,
    geometry="point",
    source=FrameSource(frame="rentals"),
    symbol=by_code(
        "kind", "rental_kinds", {"flat": BLUE, "house": ORANGE, "dormitory": NAVY, "managed": SAND}, opacity=0.9
    ),
    radius=Radius(base=3.2),
    popup=(
        "kind",
        "address",
        "rooms_count",
        "beds_count",
        "area_m2",
        "extinguishers_count",
        "smoke_detectors",
        "last_inspected_on",
    ),
    minzoom=11,
    mandate="Art. 33",
    # A house can single out a household: who analyses needs no address, and in files their places are moved.
    seen_by=frozenset({"analyst", "supervisor"}),
    hidden={"analyst": frozenset({"address"})},
    masked=True,
    added_by=frozenset({"supervisor"}),
    changed_by=frozenset({"supervisor"}),
)
