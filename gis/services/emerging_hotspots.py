"""Emerging hotspots: how the hot and cold places of a city come, stay and go, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from pydantic import Field

from gis.city.frames import DISTRICTS, GRIDS, INCIDENTS, WATER_AREAS
from gis.city.full_days import full_days
from gis.city.local_clock import clock_of, seconds
from gis.city.places import Places, PlaceSelection, find_places
from gis.city.selection import Selected, select_incidents
from gis.city.time_steps import TimeSteps, steps_until
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.emerging import CLASSES, FAMILIES, PATTERNS, emerging_classes
from gis.kernels.mann_kendall import Trend, mann_kendall
from gis.kernels.neighbour_distance import NeighbourDistance, neighbour_distance
from gis.kernels.space_time_gi import CubeTest, cube_test

MIN_STEPS = 10
"""With fewer, nine of ten steps cannot be told from all of them."""
MOST_BINS = 3_000_000
"""Places times steps."""
TOP_PLACES = 10
STEP_DAYS: dict[str, int | None] = {"month": None, "week": 7, "day": 1}
"""Length of a step -> its days; None for months of the calendar. The longest first."""
ORDER = (*(f"hot_{p}" for p in PATTERNS), "no_pattern", *(f"cold_{p}" for p in reversed(PATTERNS)))
"""Of the list: what is hot first, what is cold last."""


class EmergingParams(PlaceSelection):
    """How the history of places is cut into steps and judged."""

    time_step: Literal["auto", "day", "week", "month"] = "auto"
    """Time is cut into steps of this length, backwards from the end of the last full day; automatic is the longest of
    month, week and day that gives steps enough."""
    step_days: int | None = Field(default=None, ge=1, le=366, json_schema_extra={"unit": "d"})
    """Days in a step, instead of a week or a month."""
    lag_steps: int = Field(default=1, ge=0, le=12)
    """Steps before its own that belong to the neighbourhood of a place at a step."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a place is hot or cold at a step, as the expected share of false ones over all places and steps,
    and at which a trend counts."""


EMERGING_HOTSPOTS = FrameSpec(
    "emerging_hotspots",
    Text("新兴热点", "Emerging hotspots"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "emerging_class",
            "code",
            Text("模式", "Pattern"),
            required=True,
            codebook="emerging_classes",
            description="What the history of hot and cold steps amounts to.",
        ),
        Column(
            "trend_z",
            "real",
            Text("趋势 z 值", "Trend z-score"),
            description="Mann-Kendall over the steps' z; positive where it gets hotter.",
        ),
        Column("trend_p", "real", Text("趋势 p 值", "Trend p"), minimum=0, maximum=1),
        Column("hot_steps_count", "integer", Text("热的时段数", "Hot steps"), required=True, minimum=0),
        Column("cold_steps_count", "integer", Text("冷的时段数", "Cold steps"), required=True, minimum=0),
        Column("steps_count", "integer", Text("时段数", "Steps"), required=True, minimum=MIN_STEPS),
        Column("last_z", "real", Text("最近时段 z 值", "Last z-score")),
        Column("last_q", "real", Text("最近时段 q", "Last q"), minimum=0, maximum=1),
        Column("incidents_count", "integer", Text("事件数", "Incidents here"), required=True, minimum=0),
        Column("last_count", "integer", Text("最近时段事件数", "Incidents in the last step"), required=True, minimum=0),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


@dataclass(frozen=True, slots=True)
class _History:
    """Places (n,) with their counts (n, t), what every bin and every place was tested for, and the class of each."""

    places: Places
    steps: TimeSteps
    cube: np.ndarray
    test: CubeTest
    hot: np.ndarray
    cold: np.ndarray
    trend: Trend
    tested: np.ndarray
    classes: np.ndarray


def emerging_hotspots(
    params: EmergingParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Test every place at every step, and name what its history of hot and cold steps amounts to."""
    zone = context.profile.time_zone
    selected = select_incidents(incidents, params, time_zone=zone)
    steps, length = _steps(params, incidents, zone)
    selected, step, left_out = _in_steps(selected, incidents, steps, zone)
    context.progress(0.2, f"{steps.count} steps")
    found = find_places(params, context, selected, grids=grids, districts=districts, water_areas=water_areas)
    if (bins := len(found.counts) * steps.count) > MOST_BINS:
        why = f"{len(found.counts):,} places at {steps.count} steps are {bins:,}, at most {MOST_BINS:,} are computed"
        raise InvalidParams("too many places and steps", [Problem("too_many_bins", why, "lattice_m")])
    reach = _reach(params, found)
    places = found if reach is None else replace(found, units=found.units.within(reach.reach_m))
    held = places.units.held
    cube = np.zeros((len(places.counts), steps.count), dtype=np.int64)
    np.add.at(cube, (held[held >= 0], step[held >= 0]), 1)
    context.progress(0.4, f"{len(cube)} places")
    history = _judged(params, places, steps, cube)
    context.progress(0.9, "tested")
    choices = {**places.choices, **places.units.choices, "inference": history.test.inference, "time_step": length}
    if reach is not None:
        choices |= {"neighbours_why": reach.why, "reach_m": round(reach.reach_m, 1)}
    by_districts = districts is not None and choices["study_area"] == "districts"
    return Findings(
        _features(history),
        _summary(history, zone),
        used={
            "incidents": int(cube.sum()),
            "grids": 0 if places.grids is None else len(places.grids),
            "districts": len(districts) if districts is not None and by_districts else 0,
        },
        period=selected.period,
        choices={**choices, "extended_incidents_as_points": selected.moved_count},
        left_out=(*selected.left_out, *left_out, *places.left_out),
    )


def _steps(params: EmergingParams, incidents: gpd.GeoDataFrame, zone: str) -> tuple[TimeSteps, str]:
    """Return the whole steps that the data cover, and how long one is; `InvalidParams` where they are too few."""
    covered = full_days(incidents, params, clock_of(incidents, zone))
    if params.step_days is not None:
        lengths: dict[str, int | None] = {f"{params.step_days} days": params.step_days}
    else:
        lengths = STEP_DAYS if params.time_step == "auto" else {params.time_step: STEP_DAYS[params.time_step]}
    for name, days in lengths.items():
        steps = TimeSteps(np.zeros(1, dtype=np.int64)) if covered is None else steps_until(*covered, days=days)
        if steps.count >= MIN_STEPS:
            return steps, name
    length = f"times {params.step_days} days" if params.step_days is not None else f"{name}s"
    why = f"the data cover {steps.count} whole {length}, {MIN_STEPS} are needed; take shorter steps or more time"
    field = "time_step" if params.step_days is None else "step_days"
    raise InvalidParams("too few steps of time", [Problem("too_few_steps", why, field)])


def _in_steps(
    selected: Selected, incidents: gpd.GeoDataFrame, steps: TimeSteps, zone: str
) -> tuple[Selected, np.ndarray, tuple[LeftOut, ...]]:
    """Return the incidents of whole steps, the step of each, and the account of those before and after."""
    days = clock_of(incidents, zone).days(seconds(selected.incidents["occurred_at"]))
    step = steps.step_of(days)
    kept = (step >= 0) & (step < steps.count)
    reasons = (("incomplete_step", int((step < 0).sum())), ("unfinished_day", int((step == steps.count).sum())))
    inside = replace(selected, incidents=selected.incidents[kept], points=selected.points[kept])
    return inside, step[kept], tuple(LeftOut("incidents", reason, n) for reason, n in reasons if n)


def _reach(params: EmergingParams, places: Places) -> NeighbourDistance | None:
    """Return the distance of neighbours where it is to be found from the places' incidents of all steps together."""
    if params.reach_m is not None or params.reach == "contiguity":
        return None
    return neighbour_distance(places.centres, places.beyond_ground, cell_m=places.cell_m)


def _judged(params: EmergingParams, places: Places, steps: TimeSteps, cube: np.ndarray) -> _History:
    test = cube_test(cube, places.units.near, lag_steps=params.lag_steps, exposure=places.share)
    significant = test.q <= params.alpha
    hot, cold = significant & test.hotter, significant & ~test.hotter
    # A place without neighbours, or a city where nothing varies, has no scores and so no trend.
    tested = np.asarray(np.isfinite(test.z).all(axis=1))
    trend = mann_kendall(np.where(tested[:, None], test.z, 0.0), window=params.lag_steps + 1)
    direction = np.where(tested & (trend.p <= params.alpha), np.sign(trend.z), 0).astype(np.int64)
    return _History(places, steps, cube, test, hot, cold, trend, tested, emerging_classes(hot, cold, direction))


def _features(history: _History) -> gpd.GeoDataFrame:
    """Return the places, the hottest history first and the coldest last."""
    test, trend, cube = history.test, history.trend, history.cube
    features = history.places.units.features.assign(
        emerging_class=history.classes,
        trend_z=np.where(history.tested, trend.z, np.nan),
        trend_p=np.where(history.tested, trend.p, np.nan),
        hot_steps_count=history.hot.sum(axis=1),
        cold_steps_count=history.cold.sum(axis=1),
        steps_count=history.steps.count,
        last_z=test.z[:, -1],
        last_q=test.q[:, -1],
        incidents_count=cube.sum(axis=1),
        last_count=cube[:, -1],
    )
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    place = {code: position for position, code in enumerate(ORDER)}
    group = np.array([place[code] for code in history.classes])
    order = np.lexsort((np.arange(len(cube)), -np.nan_to_num(test.z[:, -1]), group))
    return features.iloc[order].reset_index(drop=True)[[*EMERGING_HOTSPOTS.names, "geometry"]]


def _summary(history: _History, zone: str) -> dict[str, Any]:
    steps, cube, classes = history.steps, history.cube, history.classes
    edges = steps.instants(zone)
    codes = history.places.units.features["code"]
    score = np.nan_to_num(history.test.z[:, -1])
    ranked = sorted(range(len(cube)), key=lambda i: (ORDER.index(classes[i]), -score[i]))
    top = [i for i in ranked if classes[i].startswith("hot_")][:TOP_PLACES]
    city = mann_kendall(cube.sum(axis=0)[None, :])
    known, counted = np.unique(classes.astype(str), return_counts=True)
    by_class = dict(zip(known.tolist(), counted.tolist(), strict=True))
    return {
        "incidents_count": int(cube.sum()),
        "places_count": len(cube),
        "steps_count": steps.count,
        "first_step_at": edges[0],
        "last_step_at": edges[-2],
        "end_at": edges[-1],
        "hot_bins_count": int(history.hot.sum()),
        "cold_bins_count": int(history.cold.sum()),
        "by_class": {code: by_class[code] for code in CLASSES if code in by_class},
        "by_family": {f: sum(n for code, n in by_class.items() if code.startswith(f"{f}_")) for f in FAMILIES},
        "city_trend_z": float(city.z[0]),
        "city_trend_p": float(city.p[0]),
        "series": [
            {"step_at": start, "incidents_count": int(n)} for start, n in zip(edges[:-1], cube.sum(axis=0), strict=True)
        ],
        "top_places": [
            {"code": str(codes.iloc[i]), "emerging_class": str(classes[i]), "counts": cube[i].tolist()} for i in top
        ],
    }


SERVICE = Service(
    id="emerging_hotspots",
    version=1,
    title=EMERGING_HOTSPOTS.title,
    abstract=Text(
        "把时间分成等长的时段，逐处逐时段检验冷热（时空 Gi*，精确条件概率，全部校正），再按历史归为十七种模式。",
        "Time is cut into steps and every place tested at every one (Gi* in space and time, exact conditional p, "
        "corrected over all of them); its history of hot and cold steps is then named, by seventeen patterns.",
    ),
    card=Text(
        "显示各处的热点是新出现、持续、增强、减弱还是已经过去，并附趋势检验。不说明原因；曾热不足九成时段且已不热的地方没有模式。",
        "Shows where hotspots are new, lasting, growing, fading or over, with a test of the trend. It names no cause; "
        "what was hot for less than nine tenths of the time and is over has no pattern.",
    ),
    mandate="Art. 18, 48",
    params=EmergingParams,
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=EMERGING_HOTSPOTS,
    compute=emerging_hotspots,
)
