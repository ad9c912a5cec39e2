"""The frames of a city: what is kept of each place and event.

Places and events only: no column anywhere holds or points to an individual person.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gis.contract.frame import ANY_GEOMETRY, AREAS, LINES, POINTS, Column, FrameSpec
from gis.contract.text import Text

SOURCE_ID = Column(
    "source_id",
    "text",
    Text("来源编号", "Source id"),
    required=True,
    description="The source's own identifier, unique within one source.",
)
NAME_ZH = Column("name_zh", "text", Text("名称", "Name (Chinese)"))
NAME_EN = Column("name_en", "text", Text("英文名称", "Name (English)"))
NAMES = (NAME_ZH, NAME_EN)
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
WINDOW = "HH:MM on the city's clock; a window that ends before it begins runs past midnight."


def _count(name: str, zh: str, en: str, **more: object) -> Column:
    return Column(name, "integer", Text(zh, en), minimum=0, **more)  # type: ignore[arg-type]


def _code(name: str, zh: str, en: str, pattern: str | None = None, *, required: bool = False) -> Column:
    return Column(name, "code", Text(zh, en), required=required, pattern=pattern)


DISTRICTS = FrameSpec(
    "districts",
    Text("区", "Districts"),
    (SOURCE_ID, _code("code", "区划代码", "Code", required=True), *NAMES),
    AREAS,
    mandate="Art. 5",
)

STREETS = FrameSpec(
    "streets",
    Text("街道/镇", "Streets and towns"),
    (
        SOURCE_ID,
        _code("code", "区划代码", "Code", required=True),
        _code("district_code", "所属区", "District"),
        *NAMES,
    ),
    AREAS,
    mandate="Art. 5",
    description="The statutory level between district and community (街道/镇); not the roads, which are segments.",
)

COMMUNITIES = FrameSpec(
    "communities",
    Text("社区/村", "Communities"),
    (
        SOURCE_ID,
        _code("code", "区划代码", "Code", required=True),
        _code("street_code", "所属街道", "Street"),
        *NAMES,
    ),
    AREAS,
    mandate="Art. 15",
)

BLOCKS = FrameSpec(
    "blocks",
    Text("单元网格", "Blocks"),
    (
        SOURCE_ID,
        _code("code", "编码", "Code", required=True),
        _code("community_code", "所属社区", "Community"),
        _code("grid_code", "所属网格", "Grid"),
        _count("households_count", "户数", "Households"),
        _count("residents_count", "常住人数", "Residents"),
    ),
    AREAS,
    mandate="Art. 15",
    description="The smallest unit that a plan moves; lies in exactly one community.",
)

GRIDS = FrameSpec(
    "grids",
    Text("网格", "Grids"),
    (
        SOURCE_ID,
        Column(
            "code",
            "code",
            Text("网格编码", "Grid code"),
            required=True,
            description="12-digit community code and 3-digit serial, unless the city's profile has another pattern.",
        ),
        _code("community_code", "所属社区", "Community"),
        _code("beat_code", "所属警格", "Beat"),
        Column("kind", "code", Text("类型", "Kind"), required=True, codebook="grid_kinds", default="comprehensive"),
        *NAMES,
        _count("households_count", "户数", "Households"),
        _count("positions_count", "岗位数", "Staff positions"),
        Column(
            "valid_from",
            "date",
            Text("生效日期", "Valid from"),
            required=True,
            default="1900-01-01",
            description="First day on which this version of the grid is in force.",
        ),
        Column(
            "valid_to",
            "date",
            Text("失效日期", "Valid to"),
            description="First day on which this version is no longer in force; empty while it is.",
        ),
    ),
    AREAS,
    mandate="Art. 15",
    description="Responsibility grids with their versions; an incident keeps the grid it was filed in.",
)

BEATS = FrameSpec(
    "beats",
    Text("警格", "Beats"),
    (SOURCE_ID, _code("code", "编码", "Code", required=True), *NAMES),
    AREAS,
    mandate="Art. 18",
    description="A police beat, a union of whole grids.",
)

KEY_UNITS = FrameSpec(
    "key_units",
    Text("治安保卫重点单位", "Key protection units"),
    (
        SOURCE_ID,
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="key_unit_kinds"),
        *NAMES,
        Column("address", "text", Text("地址", "Address")),
        _count("guards_count", "保安人数", "Guards"),
        Column("last_drill_on", "date", Text("最近演练", "Last drill")),
        Column("last_inspected_on", "date", Text("最近检查", "Last inspection")),
        Column("plan_reviewed_on", "date", Text("预案修订", "Contingency plan reviewed")),
    ),
    POINTS | AREAS,
    mandate="Art. 19-21",
)

RENTALS = FrameSpec(
    "rentals",
    Text("出租房屋", "Rental properties"),
    (
        SOURCE_ID,
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="rental_kinds", default="flat"),
        Column("address", "text", Text("地址", "Address")),
        _count("rooms_count", "房间数", "Rooms"),
        _count("beds_count", "床位数", "Beds"),
        Column("area_m2", "real", Text("面积", "Area"), minimum=0, unit="m²"),
        _count("extinguishers_count", "灭火器数", "Fire extinguishers"),
        Column("smoke_detectors", "boolean", Text("烟感报警", "Smoke detectors")),
        Column("last_inspected_on", "date", Text("最近检查", "Last inspection")),
    ),
    POINTS | AREAS,
    mandate="Art. 33",
    description="A place, its capacity and its checks; never who lives in it or owns it.",
)

POSTS = FrameSpec(
    "posts",
    Text("巡防点", "Posts"),
    (
        SOURCE_ID,
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="post_kinds"),
        *NAMES,
        _count("positions_count", "岗位数", "Positions"),
    ),
    POINTS,
    mandate="Art. 18",
)

INCIDENTS = FrameSpec(
    "incidents",
    Text("事件", "Incidents"),
    (
        SOURCE_ID,
        Column(
            "occurred_at",
            "instant",
            Text("发生时间", "Occurred at"),
            required=True,
            description="When it happened, or the earliest it can have happened.",
        ),
        Column(
            "occurred_until_at",
            "instant",
            Text("最晚发生时间", "Occurred until"),
            description="The latest it can have happened, where only a span is known.",
        ),
        Column("reported_at", "instant", Text("上报时间", "Reported at")),
        Column("category", "code", Text("类别", "Category"), required=True, codebook="incident_categories"),
        Column(
            "origin",
            "code",
            Text("来源", "Origin"),
            required=True,
            codebook="incident_origins",
            default="import",
            description="Who found it; what patrols and inspections find is left out of hotspots by default.",
        ),
        _code("grid_code", "立案网格", "Grid it was filed in"),
        Column("address", "text", Text("地点", "Place")),
        Column(
            "location_withheld",
            "boolean",
            Text("位置保密", "Location withheld"),
            required=True,
            default=False,
            description="The source keeps the place to itself: counted and reported, never placed on a map.",
        ),
    ),
    ANY_GEOMETRY,
    geometry_required=False,
    mandate="Art. 9, 16, 44",
)

SEGMENTS = FrameSpec(
    "segments",
    Text("路段", "Street segments"),
    (
        SOURCE_ID,
        Column("road_class", "code", Text("等级", "Class"), required=True, codebook="road_classes", default="local"),
        *NAMES,
        Column(
            "oneway",
            "boolean",
            Text("单行", "One way"),
            required=True,
            default=False,
            description="Only in the direction of the line; walking is free both ways.",
        ),
        Column("speed_kmh", "real", Text("限速", "Speed"), minimum=0, maximum=150, unit="km/h"),
        Column(
            "from_node",
            "code",
            Text("起点编号", "Node at its start"),
            description="The source's own number of the junction; where given, streets meet only at equal numbers.",
        ),
        Column("to_node", "code", Text("终点编号", "Node at its end"), description="As that of the start."),
        Column(
            "level",
            "integer",
            Text("层级", "Level"),
            required=True,
            minimum=-10,
            maximum=10,
            default=0,
            description="0 on the ground, above it positive (bridges), below it negative (tunnels).",
        ),
        Column(
            "access",
            "code",
            Text("通行", "Access"),
            required=True,
            codebook="segment_access",
            default="open",
            description="Who may pass at all; what the class says of itself need not be said again.",
        ),
    ),
    LINES,
    mandate="Art. 18",
)

CHECKPOINTS = FrameSpec(
    "checkpoints",
    Text("必巡点", "Checkpoints"),
    (
        SOURCE_ID,
        *NAMES,
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="checkpoint_kinds", default="other_point"),
        Column(
            "dwell_min",
            "real",
            Text("停留时间", "Stay"),
            minimum=0,
            maximum=480,
            unit="min",
            description="How long a patrol must halt here; empty where passing is enough.",
        ),
        _count("visits_count", "每班次数", "Visits a shift"),
        Column("window_from", "code", Text("时段开始", "Not before"), pattern=CLOCK, description=WINDOW),
        Column("window_to", "code", Text("时段结束", "Not after"), pattern=CLOCK, description=WINDOW),
    ),
    POINTS,
    mandate="Art. 18",
    description="Places that every shift must visit.",
)

PATROL_RUNS = FrameSpec(
    "patrol_runs",
    Text("巡逻记录", "Patrol runs"),
    (
        SOURCE_ID,
        Column(
            "unit_label",
            "code",
            Text("巡逻单元", "Unit"),
            required=True,
            description="What a unit is called, such as 'Patrol 3'; never a person, a staff number or a device.",
        ),
        Column("unit_kind", "code", Text("力量类别", "Kind of unit"), required=True, codebook="patrol_kinds"),
        _code("shift_label", "班次", "Shift", required=True),
        Column("started_at", "instant", Text("开始时间", "Began at"), required=True),
        Column("ended_at", "instant", Text("结束时间", "Ended at"), required=True),
        Column(
            "joint_label",
            "code",
            Text("联合巡逻", "Joint patrol"),
            description="Shared by the runs that walked together; empty where the unit went alone.",
        ),
    ),
    LINES | POINTS,
    mandate="Art. 18",
    description="A stretch that a unit walked in a shift (a line) or a halt (a point); a unit's, never a person's.",
)

RESOURCES = FrameSpec(
    "resources",
    Text("应急资源", "Emergency resources"),
    (
        SOURCE_ID,
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="resource_kinds"),
        *NAMES,
        _count("quantity_count", "数量", "Quantity"),
    ),
    POINTS,
    mandate="Art. 22",
    description="What can be fetched or used where something happened, and how much of it is there.",
)

WATER_AREAS = FrameSpec(
    "water_areas",
    Text("水域", "Water"),
    (SOURCE_ID, *NAMES),
    AREAS,
    description="For the base map, and as the part of a city where nobody can be.",
)

FRAMES: Mapping[str, FrameSpec] = MappingProxyType(
    {
        spec.id: spec
        for spec in (
            DISTRICTS,
            STREETS,
            COMMUNITIES,
            BLOCKS,
            GRIDS,
            BEATS,
            KEY_UNITS,
            RENTALS,
            POSTS,
            CHECKPOINTS,
            RESOURCES,
            INCIDENTS,
            PATROL_RUNS,
            SEGMENTS,
            WATER_AREAS,
        )
    }
)
"""Every frame, id -> contract, from the largest area to the base map."""
