"""Key units: incidents around each against expectation, the way from the nearest post, protection, hazards nearby."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field
from scipy import stats

from gis.city.codebook import codebook
from gis.city.frames import DISTRICTS, INCIDENTS, KEY_UNITS, POSTS, SEGMENTS, WATER_AREAS
from gis.city.ground import ground_m2
from gis.city.key_unit_policy import KeyUnitPolicy, key_unit_policy
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import study_area
from gis.city.travel import TravelParams, travel
from gis.contract.frame import POINTS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.multiple_testing import benjamini_hochberg

FEWEST_ALIKE = 5
"""A kind with fewer units is compared with the city instead."""
ROUND = 64
"""Pieces of a quarter circle: the ground of a buffer is then right to 0.04 %."""
MEASURES = ("drill", "inspection", "plan")
DATES = {"drill": "last_drill_on", "inspection": "last_inspected_on", "plan": "plan_reviewed_on"}


class KeyUnitExposureParams(IncidentSelection, TravelParams):
    """What is looked at around each key unit."""

    around_m: float = Field(default=200.0, ge=20, le=2_000, json_schema_extra={"unit": "m"})
    """How far around a key unit incidents count, in metres."""
    compared_with: Literal["kind", "whole_city"] = "kind"
    """What is expected: as many incidents on the same ground as around the other units of its kind, or in the city."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Share of false ones among the units with more incidents than chance gives that is put up with."""
    as_of: dt.date | None = None
    """Day on which drills, inspections and plans are looked at; that of the last incident when not given."""


KEY_UNIT_EXPOSURE = FrameSpec(
    "key_unit_exposure",
    Text("重点单位暴露", "Exposure of key units"),
    (
        Column("code", "code", Text("编号", "Key unit"), required=True),
        Column("kind", "code", Text("类别", "Kind"), required=True, codebook="key_unit_kinds"),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("exposure_class", "code", Text("问题", "Asks attention"), required=True, codebook="exposure_classes"),
        Column("rank", "integer", Text("名次", "Rank"), required=True, minimum=1),
        Column("incidents_count", "integer", Text("周边事件", "Incidents around"), required=True, minimum=0),
        Column("expected_count", "real", Text("预期", "Expected"), minimum=0),
        Column("p", "real", Text("p 值", "p"), minimum=0, maximum=1),
        Column("q", "real", Text("错误发现率 q", "False discovery rate q"), minimum=0, maximum=1),
        Column("minutes", "real", Text("最近巡防点", "From the nearest post"), minimum=0, unit="min"),
        Column("post_code", "code", Text("巡防点", "Nearest post")),
        Column("guards_short_count", "integer", Text("保安缺口", "Guards short"), minimum=0),
        *(
            Column(f"{measure}_state", "code", Text(zh, en), required=True, codebook="measure_states")
            for measure, zh, en in (
                ("drill", "演练", "Drill"),
                ("inspection", "检查", "Inspection"),
                ("plan", "预案修订", "Plan review"),
            )
        ),
        Column(
            "hazard_code",
            "code",
            Text("邻近危险单位", "Hazardous unit nearby"),
            description="The nearest one in whose buffer this sensitive unit lies.",
        ),
        Column("hazard_m", "real", Text("距危险单位", "Distance from it"), minimum=0, unit="m"),
        Column(
            "sensitive_count",
            "integer",
            Text("缓冲区内敏感单位", "Sensitive units in its buffer"),
            minimum=0,
            description="Of a hazardous unit; empty for others.",
        ),
    ),
    POINTS,
    key="code",
    mandate="Art. 20, 21",
)


def key_unit_exposure(
    params: KeyUnitExposureParams,
    context: Context,
    *,
    key_units: gpd.GeoDataFrame,
    incidents: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame | None,
    segments: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Return each key unit with what asks attention, the most urgent first."""
    if key_units.empty:
        raise InvalidParams("no key units", [Problem("no_key_units", "the city has no key unit", "key_units")])
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    units = key_units.sort_values("source_id", kind="stable", ignore_index=True)
    day = _day(params, selected, context.profile.time_zone)
    policy = key_unit_policy(day)
    table, outside = _incidents_around(params, selected, units, districts, water_areas)
    context.progress(0.5, f"{len(units)} key units")
    table = table.join(_measures(units, policy, day)).join(_hazards(units, policy))
    ways = _ways(params, units, posts, segments)
    table = table.join(ways.table)
    table["exposure_class"] = _classes(table, params.alpha)
    names = {name: units[name] if name in units.columns else None for name in ("name_zh", "name_en")}
    inner = gpd.GeoSeries(shapely.point_on_surface(units.geometry.to_numpy()), crs=units.crs)
    features = gpd.GeoDataFrame(
        table.assign(code=units["source_id"], kind=units["kind"], **names), geometry=inner, crs=units.crs
    )
    features = _ranked(features)
    return Findings(
        features,
        _summary(features, units, policy),
        used={"key_units": len(units), "incidents": len(selected.incidents) - outside, **ways.used},
        period=selected.period,
        choices={"as_of": day.isoformat(), **ways.choices},
        left_out=(
            *selected.left_out,
            *LeftOut.some("incidents", "outside_study_area", outside),
            *LeftOut.some("key_units", "too_far_from_street", ways.off_count),
        ),
    )


def _day(params: KeyUnitExposureParams, selected: Selected, time_zone: str) -> dt.date:
    if params.as_of is not None:
        return params.as_of
    if selected.period is None:
        why = "there is no incident to take the day from: say on which day drills and inspections are looked at"
        raise InvalidParams("key_unit_exposure: no day", [Problem("no_day", why, "as_of")])
    last: dt.date = selected.period[1].tz_convert(time_zone).date()
    return last


def _incidents_around(
    params: KeyUnitExposureParams,
    selected: Selected,
    units: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> tuple[pd.DataFrame, int]:
    """Return counts, expectations and chances (n rows), and how many incidents lie outside of the study area."""
    everywhere = np.concatenate([selected.points, shapely.get_coordinates(units.geometry.centroid.to_numpy())])
    area, _ = study_area(everywhere, districts)
    shapely.prepare(area)
    points = selected.points[shapely.intersects_xy(area, *selected.points.T)]
    around = shapely.buffer(units.geometry.to_numpy(), params.around_m, quad_segs=ROUND)
    unit, _ = shapely.STRtree(shapely.points(points)).query(around, predicate="intersects")
    count = np.bincount(unit, minlength=len(units))
    ground = ground_m2(around, area=area, water_areas=water_areas)
    city = ground_m2(np.array([area], dtype=object), water_areas=water_areas)[0]
    total, share = np.full(len(units), len(points)), ground / city
    if params.compared_with == "kind":
        kinds = units["kind"].to_numpy()
        for kind in np.unique(kinds):
            alike = kinds == kind
            if alike.sum() >= FEWEST_ALIKE and ground[alike].sum() > 0:
                # Given all incidents around units of the kind, each is around this one with the share of its ground.
                total[alike], share[alike] = count[alike].sum(), ground[alike] / ground[alike].sum()
    tested = ground > 0
    p = np.where(tested, stats.binom.sf(count - 1, total, np.clip(share, 0.0, 1.0)), np.nan)
    expected = np.where(tested, total * share, np.nan)
    columns = {"incidents_count": count, "expected_count": expected, "p": p, "q": benjamini_hochberg(p)}
    return pd.DataFrame(columns), len(selected.points) - len(points)


def _measures(units: gpd.GeoDataFrame, policy: KeyUnitPolicy, day: dt.date) -> pd.DataFrame:
    """Return what protection is missing: guards short, and the state of what has to be done again and again."""
    kinds = units["kind"]
    needed = np.array([policy.guards_count[kind] for kind in kinds], dtype=float)
    table = pd.DataFrame(index=units.index)
    has = units["guards_count"] if "guards_count" in units.columns else pd.Series(np.nan, index=units.index)
    # Where it is not known how many guards there are, nothing is said.
    table["guards_short_count"] = np.ceil((needed - has.astype(float)).clip(lower=0)).astype("Int64")
    rules = {"drill": policy.drill_days, "inspection": policy.inspection_days, "plan": policy.plan_days}
    for measure in MEASURES:
        name = DATES[measure]
        dates = pd.to_datetime(units[name] if name in units.columns else pd.Series(pd.NaT, index=units.index))
        age = (pd.Timestamp(day) - dates).dt.days
        due = np.array([rules[measure][kind] for kind in kinds], dtype=float)
        table[f"{measure}_state"] = np.select([dates.isna(), age > due], ["never", "overdue"], "in_time")
    return table


def _hazards(units: gpd.GeoDataFrame, policy: KeyUnitPolicy) -> pd.DataFrame:
    """Return for sensitive units the nearest hazard in whose buffer they lie; for hazards how many such units."""
    shapes, kinds = units.geometry.to_numpy(), units["kind"].to_numpy()
    hazard, sensitive = np.flatnonzero(np.isin(kinds, list(policy.buffer_m))), _sensitive(kinds, policy)
    reach = np.array([policy.buffer_m[kind] for kind in kinds[hazard]], dtype=float)
    pair_h, pair_s = shapely.STRtree(shapes[sensitive]).query(shapes[hazard], predicate="dwithin", distance=reach)
    far = shapely.distance(shapes[hazard[pair_h]], shapes[sensitive[pair_s]])
    count = pd.Series(pd.NA, index=units.index, dtype="Int64")
    count.iloc[hazard] = np.bincount(pair_h, minlength=len(hazard))
    code, metres = np.full(len(units), None, dtype=object), np.full(len(units), np.nan)
    # Written in the order of distances, the nearest stays.
    order = np.lexsort((-pair_h, -far))
    code[sensitive[pair_s[order]]] = units["source_id"].to_numpy(object)[hazard[pair_h[order]]]
    metres[sensitive[pair_s[order]]] = far[order]
    return pd.DataFrame({"hazard_code": code, "hazard_m": metres, "sensitive_count": count})


def _sensitive(kinds: np.ndarray, policy: KeyUnitPolicy) -> np.ndarray:
    return np.flatnonzero(np.isin(kinds, policy.sensitive_kinds))


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """The nearest post of each unit, what is told of the travel, and how many units are on no street."""

    table: pd.DataFrame
    used: dict[str, int] = field(default_factory=dict)
    choices: dict[str, object] = field(default_factory=dict)
    off_count: int = 0


def _ways(
    params: KeyUnitExposureParams,
    units: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame | None,
    segments: gpd.GeoDataFrame | None,
) -> _Ways:
    nothing = {"minutes": np.full(len(units), np.nan), "post_code": np.full(len(units), None, dtype=object)}
    if posts is None or segments is None or posts.empty or segments.empty:
        return _Ways(pd.DataFrame(nothing))
    posts = posts.sort_values("source_id", kind="stable", ignore_index=True)
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    limit = trips.snap_limit_m(params)
    starts = trips.snap(shapely.get_coordinates(posts.geometry.to_numpy()), limit)
    goals = trips.snap(shapely.get_coordinates(shapely.point_on_surface(units.geometry.to_numpy())), limit)
    nearest = trips.nearest_two(starts, goals)
    reached = nearest.first >= 0
    codes = posts["source_id"].to_numpy(object)
    table = {
        "minutes": np.where(reached, nearest.first_s / 60, np.nan),
        "post_code": np.where(reached, codes[np.maximum(nearest.first, 0)], None),
    }
    used = {"posts": int(starts.found.sum()), "segments": trips.streets.segments_count}
    return _Ways(pd.DataFrame(table), used, trips.choices(params, starts, goals), int((~goals.found).sum()))


def _classes(table: pd.DataFrame, alpha: float) -> np.ndarray:
    late = np.column_stack([table[f"{measure}_state"] != "in_time" for measure in MEASURES]).any(axis=1)
    signs = {
        "incidents": (table["q"] <= alpha).to_numpy(),
        "hazard": table["hazard_code"].notna().to_numpy() | (table["sensitive_count"].fillna(0) > 0).to_numpy(bool),
        "measures": late | (table["guards_short_count"].fillna(0) > 0).to_numpy(bool),
    }
    several = np.sum(list(signs.values()), axis=0) > 1
    return np.select([several, *signs.values()], ["several", *signs], "nothing")


def _ranked(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the units with several signs first, then by how unusual the incidents around them are."""
    order = {code: place for place, code in enumerate(codebook("exposure_classes"))}
    # Of counts so unusual that their chance is no number any more, the largest excess comes first.
    excess = features["expected_count"] - features["incidents_count"]
    table = features.assign(_class=features["exposure_class"].map(order), _less=excess)
    table = table.sort_values(["_class", "q", "p", "_less", "code"], kind="stable", ignore_index=True)
    table["rank"] = np.arange(1, len(table) + 1)
    return gpd.GeoDataFrame(table[[*KEY_UNIT_EXPOSURE.names, "geometry"]], geometry="geometry", crs=features.crs)


def _summary(features: gpd.GeoDataFrame, units: gpd.GeoDataFrame, policy: KeyUnitPolicy) -> dict[str, object]:
    minutes = features["minutes"].dropna()
    hazards = features[features["hazard_code"].notna()]
    sensitive = len(_sensitive(units["kind"].to_numpy(), policy))
    return {
        "key_units_count": len(features),
        "by_exposure_class": [
            {"exposure_class": code, "key_units_count": int((features["exposure_class"] == code).sum())}
            for code in codebook("exposure_classes")
        ],
        "guards_short_units_count": int((features["guards_short_count"].fillna(0) > 0).sum()),
        **{f"{m}_late_count": int((features[f"{m}_state"] != "in_time").sum()) for m in MEASURES},
        "sensitive_units_count": sensitive,
        "sensitive_near_hazard_count": len(hazards),
        "median_minutes": float(minutes.median()) if len(minutes) else None,
        "by_kind": [_kind_row(kind, rows) for kind, rows in features.groupby("kind", sort=True)],
        "near_hazards": [
            {"key_unit": row.code, "hazard_code": row.hazard_code, "hazard_m": float(row.hazard_m)}
            for row in hazards.sort_values(["hazard_m", "code"]).itertuples()
        ],
    }


def _kind_row(kind: str, rows: pd.DataFrame) -> dict[str, object]:
    return {
        "kind": kind,
        "key_units_count": len(rows),
        "incidents_count": int(rows["incidents_count"].sum()),
        "expected_count": float(rows["expected_count"].sum()),
        **{f"{m}_late_count": int((rows[f"{m}_state"] != "in_time").sum()) for m in MEASURES},
        "guards_short_units_count": int((rows["guards_short_count"].fillna(0) > 0).sum()),
    }


SERVICE = Service(
    id="key_unit_exposure",
    version=1,
    title=KEY_UNIT_EXPOSURE.title,
    abstract=Text(
        "逐个重点单位：周边事件是否多于同类或全市（精确检验，控制错误发现率），到最近巡防点的时间，保安、演练、检查、预案的欠缺，"
        "以及危险单位缓冲区内的敏感单位。",
        "For each key unit: whether more incidents happen around it than around others of its kind or in the city "
        "(exact test, false discovery rate), the way from the nearest post, missing guards, drills, inspections and "
        "plans, and sensitive units inside the buffer of hazardous ones.",
    ),
    card=Text(
        "显示哪些重点单位值得先看：周边事件偏多、防护措施逾期或欠缺、或敏感单位靠近危险单位。"
        "事件多不等于单位有过错；间隔和距离是可修改的政策数值，不是法定结论。",
        "Shows which key units to look at first: many incidents around, protection overdue or missing, or a sensitive "
        "unit near a hazardous one. Many incidents are no fault of the unit; intervals and distances are policy "
        "numbers that a city can change, not findings of law.",
    ),
    mandate="Art. 20, 21",
    params=KeyUnitExposureParams,
    inputs=(
        Input(KEY_UNITS),
        Input(INCIDENTS),
        Input(POSTS, required=False),
        Input(SEGMENTS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=KEY_UNIT_EXPOSURE,
    compute=key_unit_exposure,
    tells=(Tells("key_units"),),
    policies=("key_units", "travel"),
)
