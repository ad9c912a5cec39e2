"""Early warning: grids in which more of one kind was reported in the last days than its own past lets expect."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field

from gis.city.frames import GRIDS, INCIDENTS
from gis.city.full_days import full_days
from gis.city.local_clock import LocalClock, clock_of, date_of, seconds
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import Units, grid_units, grids_in_force
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.exceedance import LEAST_WINDOWS, Exceedance, exceedance
from gis.kernels.multiple_testing import benjamini_hochberg

WEEK_DAYS = 7
MOST_COUNTS = 100_000_000
"""Grids times categories times windows."""


class WarningParams(IncidentSelection):
    """Which days are looked at, what they are compared with, and from when on it is said."""

    until_on: dt.date | None = None
    """Last day looked at, by the city's clock; the last full day of the data when not given."""
    window_days: int = Field(default=7, ge=1, le=28)
    """How many days, up to that one, are looked at together."""
    baseline_weeks: int = Field(default=26, ge=8, le=260)
    """How many weeks before are compared: as many windows of the same length on the same days of the week."""
    guard_weeks: int = Field(default=0, ge=0, le=52)
    """Weeks just before the window that are not compared, so that what has begun does not hide itself."""
    trend: bool = True
    """Let the counts of the past have a trend, which is carried on."""
    minimum_count: int = Field(default=3, ge=1, le=1_000)
    """No warning of fewer incidents, however unexpected."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """At most this share of alarms is expected to be false (false discovery rate over all grids and categories)."""
    watch_level: float = Field(default=0.001, gt=0, le=0.1)
    """Counts to watch: p of the single grid and category is at most this, without correction."""


EARLY_WARNING = FrameSpec(
    "early_warning",
    Text("早期预警", "Early warning"),
    (
        Column("code", "code", Text("网格编码", "Grid code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("category", "code", Text("类别", "Category"), required=True, codebook="incident_categories"),
        Column(
            "warning_class",
            "code",
            Text("预警级别", "Warning"),
            required=True,
            codebook="warning_classes",
            description="An alarm holds after the correction for all grids and categories, a watch by itself.",
        ),
        Column(
            "since_on",
            "date",
            Text("开始日期", "Since"),
            required=True,
            description="First day of the windows in a row, up to this one, with a count as unusual.",
        ),
        Column("observed_count", "integer", Text("事件数", "Incidents"), required=True, minimum=1),
        Column("expected_count", "real", Text("期望事件数", "Expected"), required=True, minimum=0),
        Column(
            "threshold_count",
            "integer",
            Text("报警起点", "Alarm from"),
            required=True,
            minimum=1,
            description="The smallest count that would be an alarm here in this run.",
        ),
        Column(
            "ratio",
            "real",
            Text("实际与期望之比", "Observed over expected"),
            minimum=0,
            description="Empty where there was nothing in the past.",
        ),
        Column("baseline_count", "integer", Text("基线事件数", "Incidents in the past"), required=True, minimum=0),
        Column("p", "real", Text("p 值", "p"), required=True, minimum=0, maximum=1),
        Column("q", "real", Text("错误发现率 q", "False discovery rate q"), required=True, minimum=0, maximum=1),
    ),
    AREAS,
    key="code",
    mandate="Art. 14, 48",
)


@dataclass(frozen=True, slots=True)
class _Windows:
    """The present window, of `days` days before the day `end`, and earlier ones, `every` days apart.

    Window 0 is the present one; then come `guard` windows that are not compared, then `past` ones that are.
    """

    end: int
    days: int
    every: int
    guard: int
    past: int

    @property
    def count(self) -> int:
        return 1 + self.guard + self.past

    def of(self, day: np.ndarray) -> np.ndarray:
        """Return the window (n,) of each day, -1 for none."""
        before = self.end - 1 - day
        window = before // self.every
        inside = (before >= 0) & (before % self.every < self.days) & (window < self.count)
        return np.where(inside, window, -1)

    def first_day(self, window: int) -> int:
        """Return the first day of a window."""
        return self.end - window * self.every - self.days


@dataclass(frozen=True, slots=True)
class _Series:
    """Counts (s, windows), the present one first, of each grid and category, grid after grid."""

    counts: np.ndarray
    categories: tuple[str, ...]

    @property
    def grid(self) -> np.ndarray:
        return np.arange(len(self.counts)) // len(self.categories)

    @property
    def category(self) -> np.ndarray:
        return np.arange(len(self.counts)) % len(self.categories)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is said of each series, and how often it would be said wrongly."""

    found: Exceedance
    q: np.ndarray
    alarm: np.ndarray
    watch: np.ndarray
    level: float
    threshold: np.ndarray
    unusual_from: np.ndarray
    false_alarms: float
    false_warnings: float


def early_warning(
    params: WarningParams, context: Context, *, incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame
) -> Findings:
    """Compare the last days of each grid and category with as many days of each of the weeks before."""
    zone = context.profile.time_zone
    selected = select_incidents(incidents, params, time_zone=zone)
    clock = clock_of(incidents, zone)
    windows = _windows(params, incidents, clock)
    day = clock.days(seconds(selected.incidents["occurred_at"]))
    current = grids_in_force(grids, pd.Timestamp(date_of(windows.end - 1)))
    units = grid_units(current, selected.points, reach_m=None)
    context.progress(0.3, f"{len(current)} grids, {windows.past} windows")
    window = windows.of(day)
    used = (window >= 0) & (units.held >= 0)
    series = _series(params, selected, units, window=window, used=used, windows=windows)
    judged = _judged(params, series, windows)
    context.progress(0.9, f"{len(series.counts)} series compared")
    features = _features(units, series, judged, windows)
    unfinished = (day >= windows.end) & (params.until_on is None)
    reasons = {
        "unfinished_day": int(unfinished.sum()),
        "outside_windows": int(((window < 0) & ~unfinished).sum()),
        "outside_study_area": int(((window >= 0) & ~used).sum()),
    }
    ended = len(grids) - len(current)
    return Findings(
        features,
        _summary(series, judged, windows),
        used={"incidents": int(used.sum()), "grids": len(current)},
        period=selected.period,
        choices={
            "inference": "exact_if_rare_else_trend",
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=(
            *selected.left_out,
            *(LeftOut("incidents", reason, k) for reason, k in reasons.items() if k),
            *((LeftOut("grids", "not_in_force", ended),) if ended else ()),
        ),
    )


def _windows(params: WarningParams, incidents: gpd.GeoDataFrame, clock: LocalClock) -> _Windows:
    covered = full_days(incidents, params, clock)
    if covered is None:
        why = "no day of the period is covered by incidents to its end"
        raise InvalidParams("early_warning: no full day", [Problem("too_short", why, "occurred_from")])
    first, end = covered
    if params.until_on is not None:
        # A period that ends is known to its end; one that does not, to the day of the last incident.
        latest = int(clock.days(seconds(incidents["occurred_at"]).max(keepdims=True))[0])
        last = end - 1 if params.occurred_before is not None else latest
        end = (params.until_on - date_of(0)).days + 1
        if end - 1 > last:
            why = f"nothing is known of days after {date_of(last)}"
            raise InvalidParams("early_warning: no data", [Problem("after_data", why, "until_on")])
    every = -(-params.window_days // WEEK_DAYS) * WEEK_DAYS
    guard = -(-params.guard_weeks * WEEK_DAYS // every)
    covered_windows = (end - params.window_days - first) // every - guard
    past = min(params.baseline_weeks * WEEK_DAYS // every, covered_windows)
    if past < LEAST_WINDOWS:
        why = (
            f"only {max(past, 0)} earlier windows of {params.window_days} days can be compared, {LEAST_WINDOWS} are "
            "needed; take a longer baseline, shorter windows or a later end, if the data reach back so far"
        )
        raise InvalidParams("early_warning: too short a past", [Problem("too_few_windows", why, "baseline_weeks")])
    return _Windows(end, params.window_days, every, guard, past)


def _series(
    params: WarningParams, selected: Selected, units: Units, *, window: np.ndarray, used: np.ndarray, windows: _Windows
) -> _Series:
    """Return the counts of every grid and category; a category is one that is asked for, or that happened at all."""
    kinds = selected.incidents["category"].astype(str).to_numpy()
    categories = tuple(sorted(set(params.categories or ()) | set(kinds[used])))
    if not categories:
        why = "no incident that is chosen lies in a grid and in one of the windows"
        raise InvalidParams("early_warning: no incidents", [Problem("too_few_incidents", why, "categories")])
    shape = (len(units.features), len(categories), windows.count)
    if (size := int(np.prod(shape))) > MOST_COUNTS:
        why = (
            f"{shape[0]:,} grids, {shape[1]:,} categories and {shape[2]:,} windows make {size:,} counts, at most "
            f"{MOST_COUNTS:,} are computed; choose categories"
        )
        raise InvalidParams("early_warning: too large", [Problem("too_many_series", why, "categories")])
    counts = np.zeros(shape, np.int64)
    np.add.at(counts, (units.held[used], np.searchsorted(categories, kinds[used]), window[used]), 1)
    return _Series(counts.reshape(-1, windows.count), categories)


def _judged(params: WarningParams, series: _Series, windows: _Windows) -> _Judged:
    # From the oldest window on, up to the guard.
    past = series.counts[:, : windows.guard : -1]
    now = series.counts[:, 0]
    found = exceedance(past, now, series.category, trend=params.trend, guard=windows.guard)
    q = benjamini_hochberg(found.p)
    least = params.minimum_count
    alarm = (q <= params.alpha) & (now >= least)
    # The level of the single test at which the correction draws the line in this run.
    level = params.alpha * max(int((q <= params.alpha).sum()), 1) / q.size
    threshold, chance = found.limits(level=level, least=least)
    unusual_from, watched = found.limits(level=params.watch_level, least=least)
    weekly = WEEK_DAYS / windows.days
    return _Judged(
        found=found,
        q=q,
        alarm=alarm,
        watch=(found.p <= params.watch_level) & (now >= least) & ~alarm,
        level=level,
        threshold=threshold,
        unusual_from=np.minimum(unusual_from, threshold),
        false_alarms=float(chance.sum()) * weekly,
        false_warnings=float(max(chance.sum(), watched.sum())) * weekly,
    )


def _features(units: Units, series: _Series, judged: _Judged, windows: _Windows) -> gpd.GeoDataFrame:
    rows = np.flatnonzero(judged.alarm | judged.watch)
    found = judged.found
    order = np.lexsort((rows, -found.observed[rows], found.p[rows]))
    rows = rows[order]
    places = units.features.iloc[series.grid[rows]].reset_index(drop=True)
    expected = found.expected[rows]
    unusual = series.counts[rows] >= judged.unusual_from[rows, None]
    # How many windows in a row, counted back from the present one.
    run = np.cumprod(unusual, axis=1).sum(axis=1)
    names = {name: places[name] if name in places.columns else None for name in ("name_zh", "name_en")}
    return gpd.GeoDataFrame(
        {
            "code": places["code"],
            **names,
            "category": np.array(series.categories, dtype=object)[series.category[rows]],
            "warning_class": np.where(judged.alarm[rows], "alarm", "watch").astype(object),
            "since_on": pd.to_datetime([date_of(windows.first_day(int(k) - 1)) for k in run]),
            "observed_count": found.observed[rows],
            "expected_count": expected,
            "threshold_count": judged.threshold[rows],
            "ratio": np.divide(found.observed[rows], expected, out=np.full(rows.size, np.nan), where=expected > 0),
            "baseline_count": series.counts[rows, 1 + windows.guard :].sum(axis=1),
            "p": found.p[rows],
            "q": judged.q[rows],
        },
        geometry=places.geometry,
        crs=units.features.crs,
    )


def _summary(series: _Series, judged: _Judged, windows: _Windows) -> dict[str, Any]:
    def day(number: int) -> str:
        return date_of(number).isoformat()

    return {
        "incidents_count": int(judged.found.observed.sum()),
        "grids_count": len(series.counts) // len(series.categories),
        "categories_count": len(series.categories),
        "series_count": len(series.counts),
        "rare_series_count": int(judged.found.rare.sum()),
        "alarms_count": int(judged.alarm.sum()),
        "watch_count": int(judged.watch.sum()),
        "expected_false_alarms_per_week": judged.false_alarms,
        "expected_false_warnings_per_week": judged.false_warnings,
        "alarm_level": judged.level,
        "window_from_on": day(windows.first_day(0)),
        "window_until_on": day(windows.end - 1),
        "baseline_windows_count": windows.past,
        "baseline_from_on": day(windows.first_day(windows.guard + windows.past)),
        "baseline_until_on": day(windows.first_day(windows.guard + 1) + windows.days - 1),
        "by_category": _by_category(series, judged),
    }


def _by_category(series: _Series, judged: _Judged) -> list[dict[str, Any]]:
    found, kind, n = judged.found, series.category, len(series.categories)
    rare = np.bincount(kind[found.rare], minlength=n)
    bunched = np.bincount(kind[found.rare], weights=found.dispersion[found.rare], minlength=n)
    sums = {
        name: np.bincount(kind, weights=values, minlength=n)
        for name, values in (
            ("observed_count", found.observed),
            ("expected_incidents_count", found.expected),
            ("alarms_count", judged.alarm),
            ("watch_count", judged.watch),
        )
    }
    return [
        {
            "category": name,
            "observed_count": int(sums["observed_count"][i]),
            "expected_incidents_count": float(sums["expected_incidents_count"][i]),
            "dispersion": float(bunched[i] / rare[i]) if rare[i] else None,
            "alarms_count": int(sums["alarms_count"][i]),
            "watch_count": int(sums["watch_count"][i]),
        }
        for i, name in enumerate(series.categories)
    ]


SERVICE = Service(
    id="early_warning",
    version=1,
    title=EARLY_WARNING.title,
    abstract=Text(
        "逐网格、逐类别比较最近几天与此前各周的同样几天：常见的用改进的 Farrington 算法（趋势、过往异常降权、"
        "过度离散），少见的用精确条件检验；并说明每周预期的误报数。",
        "Compares the last days of each grid and category with the same days of the weeks before: frequent ones by an "
        "improved Farrington algorithm (trend, past outbreaks weighted down, overdispersion), rare ones by an exact "
        "conditional test; states how many false alarms a week to expect.",
    ),
    card=Text(
        "显示最近几天哪些网格的哪类事件比自身过往明显增多，并说明每周大约有多少是误报。"
        "不知道原因，不计季节和节日，也不预测以后。",
        "Shows in which grids which kind of incident was clearly more frequent in the last days than in their own "
        "past, and how many false alarms a week to expect. It knows no cause, no season or holiday, and foretells "
        "nothing.",
    ),
    mandate="Art. 14, 48",
    params=WarningParams,
    inputs=(Input(INCIDENTS), Input(GRIDS)),
    output=EARLY_WARNING,
    compute=early_warning,
)
