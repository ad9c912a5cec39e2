"""Temporal profile: when incidents happen, on the week's clock and through the year, and where the day is another."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
from pydantic import Field

from gis.city.frames import DISTRICTS, GRIDS, INCIDENTS
from gis.city.local_clock import DAY_S, LocalClock, clock_of, date_of, observed_days, seconds
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import Units, grid_units, grids_in_force, lattice_units
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.clock import Clock, ProfileTest, aoristic_clock, profile_test
from gis.kernels.lattice import Lattice
from gis.kernels.multiple_testing import benjamini_hochberg

SMALL_N = 10
"""The four shares of a place with fewer incidents mean little."""
HOUR_S = 3_600
WATCHES = ("night", "morning", "afternoon", "evening")
WATCH_WORDS = (
    Text("夜间占比（0–6时）", "Night share, 0-6 h"),
    Text("上午占比（6–12时）", "Morning share, 6-12 h"),
    Text("下午占比（12–18时）", "Afternoon share, 12-18 h"),
    Text("晚间占比（18–24时）", "Evening share, 18-24 h"),
)
MONDAY = 3
"""1970-01-01 was a Thursday, three days after a Monday."""


class TemporalProfileParams(IncidentSelection):
    """Which incidents, and which places are compared with the city."""

    unit: Literal["lattice", "grids"] = "lattice"
    """What is compared: cells of the city's lattice, or its grids."""
    cell: Literal["square", "hexagon"] = "square"
    """Shape of a lattice cell."""
    lattice_m: float = Field(default=500.0, ge=10, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, or width of a hexagon, in metres."""
    longest_span_days: float = Field(default=7.0, gt=0, le=31, json_schema_extra={"unit": "d"})
    """Incidents whose earliest and latest possible time lie further apart, in days, say nothing of the hour and are
    left out; those of a shorter span are spread evenly over it."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a place counts as different from the city, after the correction for many places."""
    permutations: int = Field(default=9999, ge=99, le=99_999)
    """Draws from which p of places with few incidents is found; that of others needs none."""
    seed: int = Field(default=0, ge=0)
    """Of the draws."""


TEMPORAL_PROFILE = FrameSpec(
    "temporal_profile",
    Text("时间规律", "Temporal profile"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "peak_watch",
            "code",
            Text("突出时段", "Watch that stands out"),
            required=True,
            codebook="temporal_profile_classes",
            description="The quarter of the day that stands out most against the whole city, where the place's profile "
            "differs beyond chance.",
        ),
        Column("incidents_count", "integer", Text("事件数", "Incidents"), required=True, minimum=1),
        Column(
            "peak_hour", "integer", Text("最多的钟点", "Busiest hour"), required=True, minimum=0, maximum=23, unit="h"
        ),
        Column(
            "peak_weekday",
            "integer",
            Text("最多的星期", "Busiest day of the week"),
            required=True,
            minimum=1,
            maximum=7,
            description="1 is Monday, 7 is Sunday.",
        ),
        *(
            Column(f"{watch}_share", "real", words, required=True, minimum=0, maximum=1)
            for watch, words in zip(WATCHES, WATCH_WORDS, strict=True)
        ),
        Column("p", "real", Text("p 值", "p"), required=True, minimum=0, maximum=1),
        Column("q", "real", Text("错误发现率 q", "False discovery rate q"), required=True, minimum=0, maximum=1),
        Column(
            "small_n",
            "boolean",
            Text("样本过少", "Few incidents"),
            required=True,
            description=f"Fewer than {SMALL_N} incidents.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


def temporal_profile(
    params: TemporalProfileParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> Findings:
    """Put incidents on the city's clock and calendar, and find the places whose day differs from the city's."""
    clock = clock_of(incidents, context.profile.time_zone)
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    units, ended = _units(params, context, selected, grids=grids, districts=districts)
    context.progress(0.5, f"{len(units.features)} places")
    start, end = _times(selected)
    reasons = (
        ("outside_study_area", units.held < 0),
        ("span_reversed", end < start),
        ("span_too_long", end - start > params.longest_span_days * DAY_S),
    )
    used, left_out = _account(reasons)
    start, end, place = start[used], end[used], units.held[used]
    places = len(units.features)
    week = aoristic_clock(start, end, clock.starts_s, clock.offsets_s, group=place, groups=places)
    test = profile_test(week.watches, place, places, permutations=params.permutations, seed=params.seed)
    context.progress(0.9, "tested")
    features = _features(params, units, week, test)
    window = observed_days(incidents, params, clock)
    return Findings(
        features,
        {
            "incidents_count": len(start),
            "places_count": len(features),
            "different_places_count": int((features["peak_watch"] != "like_city").sum()),
            "by_peak_watch": _by_class(features),
            **_clock_numbers(params, week, clock, window),
            **_heaping(clock.local_s(start[start == end])),
            "span_count": int((end > start).sum()),
            "span_mean_hours": _number((end - start)[end > start].mean() / HOUR_S) if (end > start).any() else None,
            **_calendar(params, clock.days(start), window),
        },
        used={
            "incidents": len(start),
            "grids": places if params.unit == "grids" else 0,
            "districts": len(districts) if districts is not None and units.choices["study_area"] == "districts" else 0,
        },
        period=selected.period,
        choices={
            "study_area": units.choices["study_area"],
            "observed_from_on": date_of(window[0]).isoformat() if window else None,
            "observed_until_on": date_of(window[1]).isoformat() if window else None,
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=(*selected.left_out, *left_out, *ended),
    )


def _units(
    params: TemporalProfileParams,
    context: Context,
    selected: Selected,
    *,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> tuple[Units, tuple[LeftOut, ...]]:
    """Return the places, and the account of grids that are no longer, or not yet, in force."""
    if params.unit == "lattice":
        lattice = Lattice(params.cell, params.lattice_m, context.profile.lattice_origin)
        crs = context.profile.metric_crs
        return lattice_units(lattice, selected.points, districts=districts, reach_m=None, crs=crs), ()
    if grids is None or grids.empty:
        raise InvalidParams("temporal_profile: no grids", [Problem("missing_frame", "the city has no grids", "unit")])
    last = selected.period and selected.period[1].tz_convert(context.profile.time_zone)
    current = grids_in_force(grids, last)
    ended = len(grids) - len(current)
    units = grid_units(current, selected.points, reach_m=None)
    return units, (LeftOut("grids", "not_in_force", ended),) if ended else ()


def _times(selected: Selected) -> tuple[np.ndarray, np.ndarray]:
    """Return the earliest and latest second of each incident; the same where an instant is known."""
    rows = selected.incidents
    start = seconds(rows["occurred_at"])
    end = start.copy()
    if "occurred_until_at" in rows.columns:
        known = rows["occurred_until_at"].notna().to_numpy()
        end[known] = seconds(rows.loc[known, "occurred_until_at"])
    return start, end


def _account(reasons: tuple[tuple[str, np.ndarray], ...]) -> tuple[np.ndarray, tuple[LeftOut, ...]]:
    """Return which incidents take part, and how many do not, each under the first reason that applies."""
    used = np.ones(reasons[0][1].size, dtype=bool)
    left_out = []
    for reason, rows in reasons:
        if count := int((used & rows).sum()):
            left_out.append(LeftOut("incidents", reason, count))
        used &= ~rows
    return used, tuple(left_out)


def _features(params: TemporalProfileParams, units: Units, week: Clock, test: ProfileTest) -> gpd.GeoDataFrame:
    """Return the places where anything happened, those that differ most from the city first."""
    busy = np.flatnonzero(test.counts)
    p, z = test.p[busy], test.z[busy]
    q = benjamini_hochberg(p)
    by_hour = week.week[busy].reshape(-1, 7, 24)
    # Where p is below the level something can vary, so that one of the watches has a z.
    most = np.nan_to_num(z, nan=-np.inf).argmax(axis=1)
    shares = test.sums[busy] / test.counts[busy, None]
    features = units.features.iloc[busy].assign(
        peak_watch=np.where(q <= params.alpha, np.array(WATCHES, dtype=object)[most], "like_city"),
        incidents_count=test.counts[busy],
        peak_hour=by_hour.sum(axis=1).argmax(axis=1),
        peak_weekday=by_hour.sum(axis=2).argmax(axis=1) + 1,
        **{f"{watch}_share": np.clip(shares[:, i], 0.0, 1.0) for i, watch in enumerate(WATCHES)},
        p=p,
        q=q,
        small_n=test.counts[busy] < SMALL_N,
    )
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    order = np.lexsort((-np.nan_to_num(np.abs(z)).max(axis=1, initial=0.0), p, q))
    return features.iloc[order].reset_index(drop=True)[[*TEMPORAL_PROFILE.names, "geometry"]]


def _by_class(features: gpd.GeoDataFrame) -> dict[str, int]:
    return {str(k): int(v) for k, v in features["peak_watch"].value_counts().sort_index().items()}


def _clock_numbers(
    params: TemporalProfileParams, week: Clock, clock: LocalClock, window: tuple[int, int] | None
) -> dict[str, object]:
    """Return the clock, what it would be if incidents fell evenly over the time observed, and its mean."""
    by_hour = week.week.sum(axis=0).reshape(7, 24)
    expected = np.zeros((7, 24))
    if window is not None:
        first, after = (np.array([clock.midnight_s(day)]) for day in (window[0], window[1] + 1))
        expected = aoristic_clock(first, after, clock.starts_s, clock.offsets_s).week.reshape(7, 24)
        expected[[day for day in range(7) if params.weekdays and day + 1 not in params.weekdays]] = 0.0
        expected[:, [hour for hour in range(24) if params.hours and hour not in params.hours]] = 0.0
        expected *= by_hour.sum() / max(expected.sum(), 1e-12)
    return {
        "clock": by_hour.tolist(),
        "clock_expected": expected.tolist(),
        "mean_hour": _number(week.mean_hour),
        "mean_resultant_length": _number(week.resultant_length),
    }


def _heaping(local: np.ndarray) -> dict[str, float | None]:
    """Return how many of the instants known, as local seconds (n,), are ones that people or forms like to give."""
    second = local % DAY_S
    shares = {
        "on_the_hour_share": second % HOUR_S < 60,  # noqa: PLR2004 - the first minute
        "midnight_share": second < 60,  # noqa: PLR2004
        "noon_share": second // 60 == 12 * 60,
    }
    return {name: float(rows.mean()) if local.size else None for name, rows in shares.items()}


def _calendar(
    params: TemporalProfileParams, days: np.ndarray, window: tuple[int, int] | None
) -> dict[str, list[dict[str, object]]]:
    """Return counts by month of the year and by week, with the days observed of each."""
    if window is None:
        return {"by_month": [], "by_week": []}
    observed = np.arange(window[0], window[1] + 1)
    if params.weekdays:
        observed = observed[np.isin((observed + MONDAY) % 7 + 1, params.weekdays)]
    even = days.size / max(observed.size, 1)
    by_month: list[dict[str, object]] = []
    for month, length, count in _tally(_months(observed), _months(days)):
        by_month.append(
            {
                "month": month,
                "days_count": length,
                "incidents_count": count,
                "per_day": count / length,
                "expected_count": even * length,
                "ratio": count / (even * length) if even else None,
            }
        )
    by_week: list[dict[str, object]] = [
        {
            "week_from_on": date_of(week * 7 - MONDAY).isoformat(),
            "days_count": length,
            "incidents_count": count,
            "per_day": count / length,
        }
        for week, length, count in _tally((observed + MONDAY) // 7, (days + MONDAY) // 7)
    ]
    return {"by_month": by_month, "by_week": by_week}


def _tally(observed: np.ndarray, happened: np.ndarray) -> list[tuple[int, int, int]]:
    """Return each value that was observed, how many days it was, and how many incidents it had."""
    values, lengths = np.unique(observed, return_counts=True)
    counts = np.bincount(np.searchsorted(values, happened), minlength=values.size)
    return list(zip(values.tolist(), lengths.tolist(), counts.tolist(), strict=True))


def _months(days: np.ndarray) -> np.ndarray:
    """Return the month of the year, 1 to 12, of days since 1970-01-01."""
    return np.asarray(days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1)


def _number(value: float) -> float | None:
    """Return a number as JSON knows it: None where there is none."""
    return float(value) if np.isfinite(value) else None


SERVICE = Service(
    id="temporal_profile",
    version=1,
    title=TEMPORAL_PROFILE.title,
    abstract=Text(
        "事件在星期与钟点上的分布：只知时段的事件按时段均摊（aoristic），含夏令时；另有按月、按周的变化；"
        "并找出一天的节奏与全市不同的地方，检验并校正。",
        "Incidents on the week's clock, those of which only a span is known spread evenly over it (aoristic), by month "
        "and by week; and the places whose day differs from the city's, tested and corrected for testing many.",
    ),
    card=Text(
        "显示事件发生的钟点、星期和季节，以及哪些地方的一天与全市不同。时间以上报为准，整点偏多多半是记录习惯；"
        "它不说明原因，也不预测。",
        "Shows the hours, weekdays and seasons of incidents, and the places whose day differs from the city's. Times "
        "are as reported, so that full hours and midnight are partly habit, and the map names no cause and foretells "
        "nothing.",
    ),
    mandate="Art. 18, 48",
    params=TemporalProfileParams,
    inputs=(Input(INCIDENTS), Input(GRIDS, required=False), Input(DISTRICTS, required=False)),
    output=TEMPORAL_PROFILE,
    compute=temporal_profile,
)
