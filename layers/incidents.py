"""Events reported at a place and a time, by what kind of help they need."""

from gis.contract.text import Text
from layers.engine.layer import FrameSource, Layer, Outline, Radius
from layers.engine.palettes import BLUE, CYAN, EDGE, NAVY, ORANGE, RED, SAND
from layers.engine.scale import Categorical, Class

CLASSES = (
    Class(codes=("fire", "fire_hazard", "emergency"), label=Text("消防与突发", "Fire and emergency"), color=RED),
    Class(
        codes=("robbery", "assault", "disorder", "vandalism"),
        label=Text("暴力与秩序", "Violence and disorder"),
        color=NAVY,
    ),
    Class(codes=("burglary", "theft", "vehicle_theft", "fraud"), label=Text("侵财", "Theft and fraud"), color=BLUE),
    Class(codes=("traffic_accident", "illegal_parking"), label=Text("交通", "Traffic"), color=ORANGE),
    Class(codes=("noise", "dispute"), label=Text("噪音与纠纷", "Noise and disputes"), color=CYAN),
    Class(
        codes=("public_facility", "street_order", "environment", "construction"),
        label=Text("市容与设施", "City environment"),
        color=SAND,
    ),
)

LAYER = Layer(
    id="incidents",
    title=Text("事件", "Incidents"),
    group="events",
    geometry="point",
    source=FrameSource(frame="incidents"),
    symbol=Categorical(
        field="category",
        classes=CLASSES,
        other_label=Text("其他，或多起合并（按数量放大）", "Other, or several at one spot (larger with their number)"),
        opacity=0.85,
    ),
    outline=Outline(color=EDGE, width=0.6),
    radius=Radius(base=3.6, most=6, count_field="n"),
    popup=("occurred_at", "occurred_until_at", "category", "origin", "address", "grid_code"),
    mandate="Art. 9, 16, 44",
    time="occurred_at",
    note=Text(
        "只有上报的事件；位置保密的事件不上图。",
        "Reported events only; those whose place is withheld are not drawn.",
    ),
    added_by=frozenset({"officer", "supervisor"}),
    changed_by=frozenset({"supervisor"}),
)
