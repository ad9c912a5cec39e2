"""Before and after: whether treated grids changed more than their control, and whether incidents moved next door."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field

from gis.city.frames import GRIDS, INCIDENTS
from gis.city.held_out import covered
from gis.city.periods import days_between
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import grid_units, grids_in_force
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.displacement import (
    NOTHING,
    Change,
    Difference,
    WeightedDisplacement,
    c_test,
    e_test,
    relative_rate_ratio,
    weighted_displacement_difference,
)
from gis.kernels.multiple_testing import benjamini_hochberg

ROLES = ("treated", "control", "displacement", "displacement_control")
FEW = 5
"""A normal approximation says little of counts below this."""
LEVEL = 0.05
Codes = Annotated[tuple[str, ...], Field(json_schema_extra={"wangge:layer": "grids"})]
"""Codes of grids; a form lets them be picked on the map."""


class BeforeAfterParams(IncidentSelection):
    """Which grids were treated, with what they are compared, and when."""

    treated: Codes = Field(min_length=1)
    """Codes of the grids where something was done."""
    control: Codes = Field(min_length=1)
    """Codes of grids like them where nothing was done: what would have happened anyway."""
    displacement: Codes = ()
    """Codes of grids that incidents may have moved to, such as those next to the treated ones."""
    displacement_control: Codes = ()
    """Codes of grids like those, far from where something was done."""
    before_ends_at: AwareDatetime
    """End of the period before, not included: when something was begun. The period starts at `occurred_from`, or with
    the first day of incidents."""
    after_starts_at: AwareDatetime | None = None
    """Start of the period after; at once when not given. It ends at `occurred_before`, or with the last day of
    incidents."""
    scale: Literal["counts", "area"] = "counts"
    """Compare counts as they are, or weigh each control as if it were as large as what it stands for."""


BEFORE_AFTER = FrameSpec(
    "before_after",
    Text("前后对比", "Before and after"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("role", "code", Text("角色", "Role"), required=True, codebook="comparison_roles"),
        Column("before_count", "integer", Text("之前事件数", "Incidents before"), required=True, minimum=0),
        Column("after_count", "integer", Text("之后事件数", "Incidents after"), required=True, minimum=0),
        Column(
            "expected_count",
            "real",
            Text("照旧应有", "Expected after"),
            required=True,
            minimum=0,
            description="The count before, at the same rate for as long as the period after.",
        ),
        Column(
            "p",
            "real",
            Text("p 值", "p"),
            minimum=0,
            maximum=1,
            description="Of this grid's own rate having stayed the same (exact); it knows nothing of any control.",
        ),
        Column("q", "real", Text("错误发现率 q", "False discovery rate q"), minimum=0, maximum=1),
    ),
    AREAS,
    key="code",
    mandate="Art. 14, 48",
)


@dataclass(frozen=True, slots=True)
class _Periods:
    """Both periods, ends not included, and their length in days of the hours and weekdays chosen."""

    start: pd.Timestamp
    before_ends: pd.Timestamp
    after_starts: pd.Timestamp
    end: pd.Timestamp
    days: tuple[float, float]


def before_after(
    params: BeforeAfterParams, context: Context, *, incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame
) -> Findings:
    """Count each grid before and after, and ask by how much the treated ones changed beyond their control."""
    time_zone = context.profile.time_zone
    periods, problems = _periods(params, incidents, time_zone)
    selected = select_incidents(incidents, params, time_zone=time_zone)
    current = grids_in_force(grids, periods.end)
    problems += _role_problems(params, set(current["code"]))
    if problems:
        raise InvalidParams(f"before_after: {len(problems)} parameter problem(s)", problems)
    context.progress(0.3, "incidents selected")
    features, used, left_out = _counted(params, selected, current, periods)
    context.progress(0.8, "counted")
    if ended := len(grids) - len(current):
        left_out = (*left_out, LeftOut("grids", "not_in_force", ended))
    if not used:
        raise InvalidParams(
            "before_after: nothing to compare",
            [Problem("no_incidents", "no incident of either period lies in the grids that are compared", "treated")],
        )
    return Findings(
        features,
        _summary(params, features, periods),
        used={"incidents": used, "grids": len(features)},
        period=selected.period,
        choices={
            "before_period": f"{periods.start.isoformat()} / {periods.before_ends.isoformat()}",
            "after_period": f"{periods.after_starts.isoformat()} / {periods.end.isoformat()}",
            "assumption": "parallel_counts" if params.scale == "counts" else "parallel_counts_per_area",
            "not_shown": "cause_chance_of_choice_and_reporting",
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=left_out,
    )


def _periods(params: BeforeAfterParams, incidents: gpd.GeoDataFrame, time_zone: str) -> tuple[_Periods, list[Problem]]:
    whole = covered(incidents, params, time_zone=time_zone)
    if whole is None:
        raise InvalidParams("before_after: no incidents", [Problem("no_incidents", "there is no incident at all")])
    start, end = whole
    before_ends = pd.Timestamp(params.before_ends_at).tz_convert(time_zone)
    after_starts = pd.Timestamp(params.after_starts_at or params.before_ends_at).tz_convert(time_zone)
    problems = []
    if after_starts < before_ends:
        why = (
            f"the period after starts {after_starts.isoformat()}, before the one before ends {before_ends.isoformat()}"
        )
        problems.append(Problem("periods_overlap", why, "after_starts_at"))
    sides = (("before_ends_at", start, before_ends), ("after_starts_at", after_starts, end))
    days = []
    for name, first, last in sides:
        days.append(days_between(first, last, params, time_zone) if first < last else 0.0)
        if days[-1] <= 0:
            why = f"nothing lies between {first.isoformat()} and {last.isoformat()}, in the hours and weekdays chosen"
            problems.append(Problem("empty_period", why, name))
    return _Periods(start, before_ends, after_starts, end, (days[0], days[1])), problems


def _role_problems(params: BeforeAfterParams, known: set[str]) -> list[Problem]:
    """Return everything that is wrong with the four lists of grids."""
    problems = []
    for role in ROLES:
        if unknown := [code for code in dict.fromkeys(getattr(params, role)) if code not in known]:
            why = f"no grid in force has the code {', '.join(unknown)}"
            problems.append(Problem("unknown_grid", why, role, count=len(unknown)))
    times = Counter(code for role in ROLES for code in getattr(params, role))
    if twice := [code for code, n in times.items() if n > 1]:
        where = next(role for role in reversed(ROLES) if set(twice) & set(getattr(params, role)))
        why = f"a grid has one role only, and stands in the lists once: {', '.join(twice)}"
        problems.append(Problem("role_overlap", why, where, count=len(twice)))
    if bool(params.displacement) != bool(params.displacement_control):
        missing = "displacement_control" if params.displacement else "displacement"
        why = "grids that incidents may have moved to need a control of their own, and a control something to stand for"
        problems.append(Problem("missing_control", why, missing))
    return problems


def _counted(
    params: BeforeAfterParams, selected: Selected, grids: gpd.GeoDataFrame, periods: _Periods
) -> tuple[gpd.GeoDataFrame, int, tuple[LeftOut, ...]]:
    """Return the grids that have a role with their counts, how many incidents that were, and what became of others."""
    units = grid_units(grids, selected.points, reach_m=None)
    role_of = {code: role for role in ROLES for code in getattr(params, role)}
    features = units.features.assign(role=units.features["code"].map(role_of))
    n, held = len(features), units.held
    times = selected.incidents["occurred_at"]
    before = ((times >= periods.start) & (times < periods.before_ends)).to_numpy()
    after = ((times >= periods.after_starts) & (times < periods.end)).to_numpy()
    compared = (held >= 0) & features["role"].notna().to_numpy()[held]
    counts = [np.bincount(held[compared & rows], minlength=n) for rows in (before, after)]
    reasons = Counter({entry.reason: entry.count for entry in selected.left_out})
    taking_part = before | after
    reasons["outside_period"] += int((~taking_part).sum())
    reasons["outside_study_area"] += int((taking_part & (held < 0)).sum())
    reasons["not_compared"] += int((taking_part & (held >= 0) & ~compared).sum())
    p = c_test(*counts, lengths=periods.days)
    chosen = features["role"].notna().to_numpy()
    features = features.assign(
        before_count=counts[0],
        after_count=counts[1],
        expected_count=counts[0] * (periods.days[1] / periods.days[0]),
        p=p,
    )[chosen]
    features = features.assign(q=benjamini_hochberg(features["p"].to_numpy()))
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    features = features.sort_values(
        ["role", "code"], key=lambda column: column.map(ROLES.index) if column.name == "role" else column
    ).reset_index(drop=True)
    left_out = tuple(LeftOut("incidents", reason, count) for reason, count in reasons.items() if count)
    return features[[*BEFORE_AFTER.names, "geometry"]], int(counts[0].sum() + counts[1].sum()), left_out


def _summary(params: BeforeAfterParams, features: gpd.GeoDataFrame, periods: _Periods) -> dict[str, object]:
    areas = features.geometry.area.groupby(features["role"]).sum()
    changes = {role: _change(features, areas, role, params) for role in ROLES if role in areas.index}
    found = weighted_displacement_difference(
        changes["treated"],
        changes["control"],
        displacement=changes.get("displacement", NOTHING),
        displacement_control=changes.get("displacement_control", NOTHING),
        period_weights=(periods.days[0] / periods.days[1], 1.0),
    )
    ratio = relative_rate_ratio(changes["treated"], changes["control"])
    treated = changes["treated"]
    return {
        "incidents_count": sum(change.before + change.after for change in changes.values()),
        "before_days": periods.days[0],
        "after_days": periods.days[1],
        "wdd": found.total.estimate,
        "wdd_se": found.total.se,
        "wdd_z": _number(found.total.z),
        "wdd_p": found.total.p,
        "wdd_low": found.total.low,
        "wdd_high": found.total.high,
        "verdict": _verdict(found, changes),
        "treated_difference": _plain(found.local),
        "displacement_difference": _plain(found.displacement) if params.displacement else None,
        "rate_ratio": _number(ratio.ratio),
        "rate_ratio_low": _number(ratio.low),
        "rate_ratio_high": _number(ratio.high),
        "rate_ratio_p": ratio.p,
        "treated_alone_p": e_test(treated.before, treated.after, lengths=periods.days),
        "by_role": [
            {
                "role": role,
                "places_count": int((features["role"] == role).sum()),
                "area_km2": float(areas[role] / 1e6),
                "before_count": change.before,
                "after_count": change.after,
                "expected_count": change.before * periods.days[1] / periods.days[0],
                "weight": change.weight,
            }
            for role, change in changes.items()
        ],
    }


def _change(features: gpd.GeoDataFrame, areas: pd.Series, role: str, params: BeforeAfterParams) -> Change:
    """Return the counts of a role; a control weighs as much as it is larger than what it stands for."""
    rows = features[features["role"] == role]
    stands_for = {"control": "treated", "displacement_control": "displacement"}.get(role, role)
    return Change(
        before=int(rows["before_count"].sum()),
        after=int(rows["after_count"].sum()),
        weight=float(areas[role] / areas[stands_for]) if params.scale == "area" else 1.0,
    )


def _verdict(found: WeightedDisplacement, changes: dict[str, Change]) -> str:
    if min(min(changes[role].before, changes[role].after) for role in ("treated", "control")) < FEW:
        return "too_few_incidents"
    if found.total.p > LEVEL:
        return "no_sign_of_change"
    return "fewer_than_control" if found.total.estimate < 0 else "more_than_control"


def _plain(difference: Difference) -> dict[str, object]:
    return {
        "estimate": difference.estimate,
        "se": difference.se,
        "z": _number(difference.z),
        "p": difference.p,
        "low": difference.low,
        "high": difference.high,
    }


def _number(value: float) -> float | None:
    """Return a number, None where there is none."""
    return float(value) if np.isfinite(value) else None


SERVICE = Service(
    id="before_after",
    version=1,
    title=BEFORE_AFTER.title,
    abstract=Text(
        "采取措施的网格，其事件数的变化是否超出对照网格和偶然：加权转移差（WDD）检验，含邻近转移、时段长度和面积的差别。",
        "Whether treated grids changed more than their control, and more than chance: the weighted displacement "
        "difference of Wheeler and Ratcliffe, with displacement next door and periods or areas of unequal size.",
    ),
    card=Text(
        "显示各网格在两个时段的事件数，以及处理组相对对照组的变化能否用偶然解释。不证明措施是原因：挑选时正值高峰的地方，随后本来就会回落。",
        "Shows what each grid counted in two periods, and whether chance explains how treated ones changed against "
        "their control. It proves no cause: places chosen at their peak fall back by themselves.",
    ),
    mandate="Art. 14, 48",
    params=BeforeAfterParams,
    inputs=(Input(INCIDENTS), Input(GRIDS)),
    output=BEFORE_AFTER,
    compute=before_after,
)
