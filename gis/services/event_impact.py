"""What an event touches: what lies in its zone or a short way off, who is soonest there, which streets to close."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field, model_validator

from gis.city.codebook import codebook
from gis.city.cordon import Cordon, cordon
from gis.city.drawn_place import DrawnPlace, in_metres, ways_in
from gis.city.event_things import HELPERS, Scene, households, kind_words, kinds_of, soonest, things, with_codes
from gis.city.frames import BLOCKS, KEY_UNITS, POSTS, RENTALS, RESOURCES, SEGMENTS
from gis.city.travel import TravelParams, travel
from gis.contract.frame import POINTS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.crs import LONLAT

MOST_LISTED = 500
"""Rows of a table of the summary; the rest are features all the same."""
ROLE_OF = {"key_units": "key_unit", "rentals": "rental", "posts": "post", "resources": "resource"}


class EventImpactParams(TravelParams):
    """Where something happens or is planned, and how far it is looked around there."""

    place: DrawnPlace
    """Where it is: a point, a line or an area, as GeoJSON in longitude and latitude (WGS84)."""
    around_m: float = Field(default=200.0, ge=0, le=5_000, json_schema_extra={"unit": "m"})
    """How far around it, in metres; with the place itself that is the zone. 0 for an area as it was drawn."""
    within_min: float | None = Field(default=None, gt=0, le=60, json_schema_extra={"unit": "min"})
    """What is reached from the place in so many minutes counts too; without a value, only what lies in the zone."""
    nearest_count: int = Field(default=3, ge=1, le=50)
    """How many posts that are soonest there are named, and how many resources of each kind, wherever they are."""

    @model_validator(mode="after")
    def _has_ground(self) -> EventImpactParams:
        if self.around_m == 0 and not self.place["type"].endswith("Polygon"):
            raise ValueError("around_m: a point or a line has no ground of its own; give it some metres around")
        return self


EVENT_IMPACT = FrameSpec(
    "event_impact",
    Text("事件影响", "What an event touches"),
    (
        Column("code", "code", Text("编号", "Code"), required=True),
        Column("role", "code", Text("对象", "What it is"), required=True, codebook="event_roles"),
        Column("source_code", "code", Text("来源编号", "Code of the source"), required=True),
        Column("kind", "code", Text("类别代码", "Code of its kind")),
        Column("kind_zh", "text", Text("类别", "Kind (Chinese)")),
        Column("kind_en", "text", Text("英文类别", "Kind")),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "inside",
            "boolean",
            Text("在区域内", "In the zone"),
            required=True,
            description="Of a block: wholly or in part. A crossing stands on the edge and is not inside.",
        ),
        Column("reached", "boolean", Text("限时可达", "Reached in time"), required=True),
        Column(
            "minutes",
            "real",
            Text("行程时间", "Travel time"),
            minimum=0,
            unit="min",
            description="Of posts and resources to the place; of a crossing from its post; else from the place.",
        ),
        Column("distance_m", "real", Text("直线距离", "Straight distance"), required=True, minimum=0, unit="m"),
        Column("rank", "integer", Text("到达次序", "Order of arrival"), minimum=1),
        Column(
            "capacity_count",
            "integer",
            Text("岗位、床位或数量", "Positions, beds or quantity"),
            minimum=0,
            description="Positions of a post, beds of a rental, quantity of a resource.",
        ),
        Column("households_count", "real", Text("户数", "Households"), minimum=0),
        Column("residents_count", "real", Text("常住人数", "Residents"), minimum=0),
        Column(
            "counted_share",
            "real",
            Text("计入比例", "Share counted"),
            minimum=0,
            maximum=1,
            description="Of a block: 1 where it is reached or wholly in the zone, else the share of its ground there.",
        ),
        Column("level", "integer", Text("层级", "Level"), minimum=-10, maximum=10),
        Column("post_code", "code", Text("最近巡防点", "Nearest post"), description="Of a crossing."),
    ),
    POINTS,
    key="code",
    mandate="Art. 22, 32",
)


def event_impact(
    params: EventImpactParams, context: Context, *, segments: gpd.GeoDataFrame, **frames: gpd.GeoDataFrame | None
) -> Findings:
    """Return what is in the zone or reached, who is soonest there, and where streets cross the zone's edge."""
    place = in_metres(params.place, context.profile.metric_crs, segments)
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    snap_m = trips.snap_limit_m(params)
    streets = segments.geometry.to_numpy()
    scene = Scene.of(place, params.around_m, (trips, snap_m), ways_in(place, streets), params.within_min)
    context.progress(0.3, f"{len(scene.ways)} ways in")
    tables: dict[str, pd.DataFrame] = {}
    left_out: list[LeftOut] = []
    for name, role in ROLE_OF.items():
        frame, gone = _placed(name, frames.get(name))
        left_out += gone
        if frame is not None:
            table = things(scene, role, frame)
            left_out += LeftOut.some(name, "too_far_from_street", int((~table["on_street"]).sum()))
            tables[name] = _ranked(params, role, table)
    blocks, gone = _placed("blocks", frames.get("blocks"))
    left_out += gone
    if blocks is not None:
        tables["blocks"], empty = _inhabited(households(scene, blocks))
        left_out += LeftOut.some("blocks", "nobody_there", empty)
    context.progress(0.7, "the edge of the zone")
    edge = cordon(segments, trips.streets.network, scene.zone)
    posts, _ = _placed("posts", frames.get("posts"))
    crossings = _crossings(scene, segments, edge, posts)
    features = _features([*tables.values(), crossings], segments.crs)
    return Findings(
        features,
        {**_summary(params, scene, tables, edge), "by_role": _by_role(features), **_streets(crossings, segments.crs)},
        used={"segments": len(segments), **{name: len(table) for name, table in tables.items()}},
        choices={
            "place_kind": params.place["type"],
            "ways_in_count": int(scene.ways.found.sum()),
            "blocks_counted_by": "ground_share",
            **trips.choices(params, scene.ways),
        },
        left_out=tuple(left_out),
    )


def _placed(name: str, frame: gpd.GeoDataFrame | None) -> tuple[gpd.GeoDataFrame | None, tuple[LeftOut, ...]]:
    """Return the rows of a frame that have a place, None where there are none."""
    if frame is None:
        return None, ()
    placed = frame.geometry.notna() & ~frame.geometry.is_empty
    gone = LeftOut.some(name, "no_location", int((~placed).sum()))
    return (frame[placed] if placed.any() else None), gone


def _ranked(params: EventImpactParams, role: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are inside, reached or among the soonest helpers, the helpers with their order."""
    kept = table["inside"] | table["reached"]
    table["rank"] = pd.array([None] * len(table), dtype="Int64")
    if role in HELPERS:
        named = soonest(table, params.nearest_count, by_kind=role == "resource")
        kept[named] = True
        arrival = table[table["minutes"].notna()].sort_values(["minutes", "distance_m", "source_code"], kind="stable")
        if role == "resource":
            number = arrival.groupby("kind", sort=False).cumcount() + 1
        else:
            number = pd.Series(np.arange(1, len(arrival) + 1), index=arrival.index)
        table["rank"] = number.reindex(table.index).astype("Int64")
    return table[kept]


def _inhabited(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the blocks without those of which it is known that nobody lives there, and how many these are."""
    known = table["households_whole_count"].fillna(0) + table["residents_count"].fillna(0) > 0
    untold = table["households_whole_count"].isna() & table["residents_count"].isna()
    kept = known | untold
    return table[kept], int((~kept).sum())


def _crossings(scene: Scene, segments: gpd.GeoDataFrame, edge: Cordon, posts: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return where to close which streets, with the post that is soonest there."""
    rows = segments.iloc[edge.segment]
    count = len(rows)
    minutes, post = np.full(count, np.nan), np.full(count, None, dtype=object)
    if posts is not None and count:
        ordered = posts.sort_values("source_id", kind="stable")
        starts = scene.trips.snap(shapely.get_coordinates(ordered.geometry.to_numpy()), scene.snap_m)
        nearest = scene.trips.nearest_two(starts, scene.trips.snap(edge.points, scene.snap_m))
        found = nearest.first >= 0
        minutes = np.where(found, nearest.first_s / 60, np.nan)
        post[found] = ordered["source_id"].to_numpy(object)[nearest.first[found]]
    shapes = shapely.points(edge.points)
    table = pd.DataFrame(
        {
            "role": np.where(edge.level == 0, "closure", "raised_crossing"),
            "source_code": rows["source_id"].to_numpy(object),
            **kind_words("closure", rows["road_class"].to_numpy(object)),
            "name_zh": rows["name_zh"].to_numpy(object) if "name_zh" in rows else None,
            "name_en": rows["name_en"].to_numpy(object) if "name_en" in rows else None,
            "inside": False,
            "reached": False,
            "minutes": minutes,
            "distance_m": shapely.distance(shapes, scene.place),
            "level": edge.level,
            "post_code": post,
        }
    )
    return table.assign(geometry=shapes)


def _features(tables: list[pd.DataFrame], crs: Any) -> gpd.GeoDataFrame:
    """Return everything as one frame: by role, what is inside first, then by time and distance."""
    rows = pd.concat([table.astype(object) for table in tables], ignore_index=True)
    order = {role: place for place, role in enumerate(codebook("event_roles"))}
    rows = rows.assign(_role=rows["role"].map(order), _outside=~rows["inside"].astype(bool))
    rows["_minutes"] = rows["minutes"].astype(float)
    keys = ["_role", "_outside", "_minutes", "distance_m", "source_code"]
    rows = with_codes(rows.sort_values(keys, kind="stable", ignore_index=True))
    features = gpd.GeoDataFrame(
        {column.name: _typed(rows, column) for column in EVENT_IMPACT.columns},
        geometry=gpd.GeoSeries(rows["geometry"].to_numpy(), crs=crs),
        crs=crs,
    )
    return features[[*EVENT_IMPACT.names, "geometry"]]


def _typed(rows: pd.DataFrame, column: Column) -> pd.Series:
    values = rows[column.name] if column.name in rows else pd.Series(None, index=rows.index, dtype=object)
    if column.kind == "boolean":
        return values.astype(bool)
    if column.kind in ("real", "integer"):
        numbers = pd.to_numeric(values, errors="coerce").astype(float)
        return numbers if column.kind == "real" else numbers.astype("Int64")
    return values.where(values.notna(), None)


def _summary(
    params: EventImpactParams, scene: Scene, tables: dict[str, pd.DataFrame], edge: Cordon
) -> dict[str, object]:
    summary: dict[str, object] = {
        "zone_km2": float(shapely.area(scene.zone) / 1e6),
        "segments_inside_count": edge.segments_inside_count,
        "streets_inside_km": edge.streets_inside_m / 1_000,
    }
    if (blocks := tables.get("blocks")) is not None:
        whole = blocks["counted_share"] == 1
        held = blocks["households_whole_count"]
        summary |= {
            "households_count": float(blocks["households_count"].sum()),
            "households_least_count": float(held[whole].sum()),
            "households_most_count": float(held.sum()),
            "residents_count": float(blocks["residents_count"].sum()),
            "blocks_whole_count": int(whole.sum()),
            "blocks_cut_count": int((~whole).sum()),
        }
    if (rentals := tables.get("rentals")) is not None:
        summary["beds_count"] = int(rentals["capacity_count"].sum())
    for name in ("key_units", "rentals"):
        if name in tables:
            summary[f"{name}_by_kind"] = list(kinds_of(tables[name]))
    for name in ("posts", "resources"):
        if name in tables:
            summary[f"nearest_{name}"] = _soonest_rows(tables[name], params.nearest_count)
    return summary


def _soonest_rows(table: pd.DataFrame, count: int) -> list[dict[str, object]]:
    """Return who is soonest there, in the order of arrival."""
    soon = table[(table["rank"] <= count).fillna(value=False)].sort_values(["minutes", "source_code"], kind="stable")
    return [
        {
            "source_code": row.source_code,
            "kind": row.kind,
            "name_zh": row.name_zh,
            "name_en": row.name_en,
            "minutes": float(row.minutes),
            "distance_m": float(row.distance_m),
            "capacity_count": None if pd.isna(row.capacity_count) else int(row.capacity_count),
        }
        for row in soon.itertuples()
    ]


def _by_role(features: gpd.GeoDataFrame) -> list[dict[str, object]]:
    return [
        {
            "role": role,
            "inside_count": int(rows["inside"].sum()),
            "reached_count": int(rows["reached"].sum()),
            "listed_count": len(rows),
        }
        for role in codebook("event_roles")
        if len(rows := features[features["role"] == role])
    ]


def _streets(crossings: pd.DataFrame, crs: Any) -> dict[str, object]:
    """Return the streets to close on the ground, and apart from them the bridges and tunnels across the edge."""
    lonlat = gpd.GeoSeries(crossings["geometry"].to_numpy(), crs=crs).to_crs(LONLAT)
    rows = crossings.assign(lon=lonlat.x.to_numpy(), lat=lonlat.y.to_numpy())
    # The largest streets first: most comes in there.
    size = {name: place for place, name in enumerate(codebook("road_classes"))}
    rows = rows.assign(_size=rows["kind"].map(size)).sort_values(["_size", "minutes"], kind="stable")
    found: dict[str, object] = {}
    for name, role in (("closures", "closure"), ("raised_crossings", "raised_crossing")):
        mine = rows[rows["role"] == role]
        found[f"{name}_count"] = len(mine)
        found[name] = [
            {
                "source_code": row.source_code,
                "name_zh": row.name_zh,
                "name_en": row.name_en,
                "road_class": row.kind,
                "level": int(row.level),
                "lon": float(row.lon),
                "lat": float(row.lat),
                "post_code": row.post_code,
                "minutes": None if pd.isna(row.minutes) else float(row.minutes),
            }
            for row in mine.head(MOST_LISTED).itertuples()
        ]
    return found


SERVICE = Service(
    id="event_impact",
    version=2,
    title=EVENT_IMPACT.title,
    abstract=Text(
        "在地图上画出事件或活动的地点（点、线、面）：区域内及限时可达的重点单位、出租房、户数、巡防点和应急资源，最先到达的"
        "巡防点与各类资源，以及穿过区域边界、需要封控的道路。",
        "Draw where something happens or is planned, as a point, a line or an area: key units, rentals, households, "
        "posts and emergency resources in its zone or reached in time, the posts and the resources of each kind that "
        "are soonest there, and the streets across the zone's edge that have to be closed.",
    ),
    card=Text(
        "显示区域内和限时可达的对象、最先到达的巡防点与资源，以及边界上需要封控的路口。"
        "户数在被边界切开的单元网格中按面积估算；时间为政策速度下的行程时间，不知道此刻的路况和谁在岗。",
        "Shows what lies in the zone or is reached in time, which posts and resources are soonest there, and where "
        "streets cross its edge. Households of a block that the edge cuts are estimated by ground; times are those of "
        "the policy's speeds and know nothing of the traffic now or of who is on duty.",
    ),
    mandate="Art. 22, 32",
    params=EventImpactParams,
    inputs=(
        Input(SEGMENTS),
        Input(BLOCKS, required=False),
        Input(KEY_UNITS, required=False),
        Input(RENTALS, required=False),
        Input(POSTS, required=False),
        Input(RESOURCES, required=False),
    ),
    output=EVENT_IMPACT,
    compute=event_impact,
    tells=tuple(Tells(frame, rows=("role", role)) for frame, role in ROLE_OF.items()),
    policies=("travel",),
)
