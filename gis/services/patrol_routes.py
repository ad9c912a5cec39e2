"""Patrol routes: who goes when from where to which places, along which streets, and how long each halt takes."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from gis.city.frames import CHECKPOINTS, DISTRICTS, GRIDS, INCIDENTS, POSTS, SEGMENTS, WATER_AREAS
from gis.city.hot_places import HotPlaces, hot_places
from gis.city.patrol_params import PatrolParams
from gis.city.patrol_plan import Night, Planned, planned
from gis.city.patrol_sheet import dose, dose_share, halts, lines_of, sheet, timetable, unserved
from gis.city.patrol_stops import Stop, checkpoint_stops, hotspot_stops, picked_stops, visits_of
from gis.city.patrol_units import Unit, asked_units, spread_units
from gis.city.travel import Travel, travel
from gis.contract.frame import LINES, POINTS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.crs import LONLAT
from gis.errors import InvalidParams, Problem

PATROL_ROUTES = FrameSpec(
    "patrol_routes",
    Text("巡逻路线", "Patrol routes"),
    (
        Column("code", "code", Text("编码", "Code"), required=True, description="Number of the unit and of the halt."),
        Column("unit_label", "code", Text("巡逻单元", "Unit"), required=True),
        Column("unit_kind", "code", Text("力量类别", "Kind of unit"), required=True, codebook="patrol_kinds"),
        Column(
            "unit_kinds",
            "text",
            Text("全部类别", "All kinds"),
            required=True,
            description="Codes joined by +; a joint patrol has several.",
        ),
        Column("route_class", "code", Text("路线", "Route"), required=True, codebook="route_classes"),
        Column("sequence", "integer", Text("顺序", "Order"), required=True, minimum=0),
        Column("stop_kind", "code", Text("停靠类别", "Kind of halt"), required=True, codebook="patrol_stop_kinds"),
        Column("stop_code", "code", Text("停靠点编码", "Stop"), description="Of the stop, or source id of the post."),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("arrive_clock", "code", Text("到达", "Arrives"), description="HH:MM on the city's clock."),
        Column("leave_clock", "code", Text("离开", "Leaves"), description="HH:MM on the city's clock."),
        Column("arrive_at", "instant", Text("到达时刻", "Arrives at"), description="Where a day is given."),
        Column("leave_at", "instant", Text("离开时刻", "Leaves at"), description="Where a day is given."),
        Column("wait_min", "real", Text("等候", "Waits"), required=True, minimum=0, unit="min"),
        Column("dwell_min", "real", Text("停留", "Stays"), required=True, minimum=0, unit="min"),
        Column("leg_m", "real", Text("路程", "Way there"), required=True, minimum=0, unit="m"),
        Column("leg_min", "real", Text("行程时间", "Travel there"), required=True, minimum=0, unit="min"),
        Column("weight", "real", Text("权重", "Weight"), minimum=0),
        Column("visit_number", "integer", Text("第几次到达", "Visit"), minimum=1),
        Column("must_visit", "boolean", Text("必到", "Must be visited"), required=True),
        Column("kept", "boolean", Text("顺序指定", "Order was given"), required=True),
        Column("lon", "real", Text("经度", "Longitude"), required=True),
        Column("lat", "real", Text("纬度", "Latitude"), required=True),
    ),
    LINES | POINTS,
    key="code",
    mandate="Art. 18",
    description="One row a halt, the line being the way there along the streets; a point where nobody moves.",
)


def patrol_routes(
    params: PatrolParams,
    context: Context,
    *,
    segments: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame,
    checkpoints: gpd.GeoDataFrame | None,
    incidents: gpd.GeoDataFrame | None,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Choose and order stops for each unit, along the streets and within its shift."""
    crs = context.profile.metric_crs
    hot = None
    if params.stops is None:
        hot = _hot(params, context, incidents, grids=grids, districts=districts, water_areas=water_areas)
    stops = _stops(params, hot, checkpoints, crs)
    context.progress(0.2, f"{len(stops)} stops")
    posts = posts.sort_values("source_id", kind="stable").reset_index(drop=True)
    streets = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    units = _units(params, posts, stops, streets, crs)
    xy = np.array(
        [(s.easting, s.northing) for s in stops] + [u.start for u in units] + [u.end for u in units], dtype=float
    )
    places = streets.snap(xy, streets.snap_limit_m(params))
    off = ~places.found
    _refuse_posts_off_street(units, off[len(stops) :])
    visits, without = visits_of(stops, [_span(stop, units) for stop in stops], params.least_interval_min)
    without |= {int(i): "no_street" for i in np.flatnonzero(off[: len(stops)])}
    visits = [visit for visit in visits if visit.stop not in without]
    night = Night(stops, visits, units, streets.matrix_s(places, places), without)
    context.progress(0.4, f"{len(visits)} visits, {len(units)} units")
    found = planned(night, params, lambda share: context.progress(0.4 + 0.5 * share, "routes"))
    rows = halts(night, found)
    lines = lines_of(rows, streets, places, xy)
    lonlat = shapely.get_coordinates(gpd.points_from_xy(*xy.T, crs=crs).to_crs(LONLAT))
    features = sheet(
        night,
        found,
        rows,
        lines=lines,
        lonlat=lonlat,
        day=params.shift_on,
        time_zone=context.profile.time_zone,
        crs=crs,
    )
    return Findings(
        features[[*PATROL_ROUTES.names, "geometry"]],
        _summary(night, found, timetable(night, rows, lines), unserved(night, found, lonlat), params=params),
        used={
            "segments": len(segments),
            "posts": len({name for u in units for name in (u.start_name, u.end_name) if name}),
            "checkpoints": sum(s.kind == "checkpoint" and i not in without for i, s in enumerate(stops)),
            "incidents": 0 if hot is None else int(hot.places.counts.sum()),
            "grids": 0 if hot is None or hot.places.grids is None else len(hot.places.grids),
            "districts": 0 if hot is None or districts is None else len(districts),
            "water_areas": 0 if hot is None or water_areas is None else len(water_areas),
        },
        period=None if hot is None else hot.selected.period,
        choices={
            **streets.choices(params, places),
            "stops_from": "picked" if hot is None else "hottest_places",
            **({} if hot is None else hot.places.choices),
        },
        left_out=(*_left_out(stops, without, params, checkpoints), *_left_out_incidents(hot)),
    )


def _hot(
    params: PatrolParams,
    context: Context,
    incidents: gpd.GeoDataFrame | None,
    **frames: gpd.GeoDataFrame | None,
) -> HotPlaces:
    if incidents is None:
        why = "without stops the frame of incidents is needed, to find the hottest places"
        raise InvalidParams("patrol_routes: nowhere to go", [Problem("missing_frame", why, "stops")])
    return hot_places(
        params,
        context,
        incidents=incidents,
        grids=frames["grids"],
        districts=frames["districts"],
        water_areas=frames["water_areas"],
        alpha=params.alpha,
        most=params.hotspots_count,
    )


def _stops(params: PatrolParams, hot: HotPlaces | None, checkpoints: gpd.GeoDataFrame | None, crs: str) -> list[Stop]:
    """Return all stops; a checkpoint is worth the middle one of the others."""
    stops = picked_stops(params.stops or (), params, crs) if hot is None else hotspot_stops(hot, params)
    if checkpoints is not None and params.checkpoints_use != "none":
        weight = float(np.median([stop.weight for stop in stops])) if stops else 1.0
        stops += checkpoint_stops(checkpoints, params, weight)
    if not stops:
        why = "no place is hot beyond chance in the incidents selected; pick stops, or choose a longer period"
        raise InvalidParams("patrol_routes: nowhere to go", [Problem("no_stops", why, "stops")])
    codes = [stop.code for stop in stops]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise InvalidParams(
            "patrol_routes: stops cannot be told apart",
            [Problem("code_twice", f"two stops are called '{code}'", "stops") for code in twice],
        )
    return stops


def _span(stop: Stop, units: list[Unit]) -> tuple[float, float]:
    """Return when the units are out that may go to a stop; where none may, when any is."""
    able = [unit for unit in units if set(stop.kinds) <= set(unit.kinds)] or units
    return min(unit.begins_min for unit in able), max(unit.ends_min for unit in able)


def _units(params: PatrolParams, posts: gpd.GeoDataFrame, stops: list[Stop], streets: Travel, crs: str) -> list[Unit]:
    if params.units is not None:
        return asked_units(params, posts, crs)
    if posts.empty:
        raise InvalidParams("patrol_routes: no posts", [Problem("no_posts", "the city has no post", "posts")])
    limit = streets.snap_limit_m(params)
    starts = streets.snap(shapely.get_coordinates(posts.geometry.to_numpy()), limit)
    goals = streets.snap(np.array([(stop.easting, stop.northing) for stop in stops]), limit)
    nearest = streets.nearest_two(starts, goals).first
    return spread_units(params, posts, nearest, np.array([stop.weight for stop in stops]))


def _refuse_posts_off_street(units: list[Unit], off: np.ndarray) -> None:
    k = len(units)
    problems = [
        Problem("no_street", f"where unit '{units[i % k].label}' {'starts' if i < k else 'ends'} is no street", "units")
        for i in np.flatnonzero(off).tolist()
    ]
    if problems:
        raise InvalidParams("patrol_routes: units that are on no street", problems)


def _summary(
    night: Night,
    found: Planned,
    table: list[dict[str, object]],
    lost: list[dict[str, object]],
    *,
    params: PatrolParams,
) -> dict[str, Any]:
    routes, doses = found.routes, dose(night, found)
    visited = {night.visits[h].stop for h in np.flatnonzero(routes.unit >= 0)}
    return {
        "units_count": len(night.units),
        "stops_count": len(night.stops),
        "visited_count": len(visited),
        "must_visit_count": sum(stop.must_visit for stop in night.stops),
        "visits_planned_count": int((routes.unit >= 0).sum()),
        "profit": routes.profit,
        "profit_bound": routes.bound,
        "profit_share": routes.share,
        "travel_min": round(float(routes.travel_s.sum()) / 60, 1),
        "dose_share": dose_share(doses),
        "seed": params.seed,
        "timetable": table,
        "dose_table": doses,
        "unserved": lost,
    }


def _left_out(
    stops: list[Stop], without: dict[int, str], params: PatrolParams, checkpoints: gpd.GeoDataFrame | None
) -> list[LeftOut]:
    counts: dict[str, int] = {}
    for i, why in without.items():
        if stops[i].kind == "checkpoint":
            counts[why] = counts.get(why, 0) + 1
    if checkpoints is not None and params.checkpoints_use == "none" and len(checkpoints):
        counts["not_asked_for"] = len(checkpoints)
    return [LeftOut("checkpoints", why, count) for why, count in counts.items()]


def _left_out_incidents(hot: HotPlaces | None) -> tuple[LeftOut, ...]:
    return () if hot is None else (*hot.selected.left_out, *hot.places.left_out)


SERVICE = Service(
    id="patrol_routes",
    version=2,
    title=PATROL_ROUTES.title,
    abstract=Text(
        "为各巡逻单元安排路线：在班次内沿街道到达权重最大的停靠点，必巡点优先，遵守时间窗、休息和联合巡逻要求；给出时刻表和各热点的"
        "停留量。",
        "Routes for each unit of a shift: stops worth most within its time along the streets, those that must be "
        "visited first, with windows, breaks and joint patrols; a timetable, and the dose of presence at each hotspot.",
    ),
    card=Text(
        "显示每个单元何时从哪里出发、沿哪些街道、在哪里停留多久。只是安排，不是轨迹；实际路况和突发事件会改变它。",
        "Shows when each unit leaves, along which streets it goes and how long it halts where. It is a plan and no "
        "track: traffic and calls will change it.",
    ),
    mandate="Art. 18",
    params=PatrolParams,
    inputs=(
        Input(SEGMENTS),
        Input(POSTS),
        Input(CHECKPOINTS, required=False),
        Input(INCIDENTS, required=False),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=PATROL_ROUTES,
    compute=patrol_routes,
    policies=("travel",),
)
