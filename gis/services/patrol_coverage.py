"""Where patrols went: streets walked and how long they waited, checkpoints, the dose at hotspots, joint patrols."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import AwareDatetime, Field, model_validator

from gis.city.frames import CHECKPOINTS, DISTRICTS, INCIDENTS, PATROL_RUNS, SEGMENTS, WATER_AREAS
from gis.city.hot_places import HotPlaces, hot_places
from gis.city.patrol_record import Halts, Passes, halts_of, passes_of, visits
from gis.city.places import PlaceSelection
from gis.contract.frame import LINES, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Params, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem

HOUR_S = 3_600.0
CLASSES = ((8.0, "within_8_h"), (24.0, "within_a_day"), (72.0, "within_3_days"), (np.inf, "longer"))
"""By the longest wait between two visits, the ends of the period included."""
MOST_HOTSPOTS = 50


class PatrolCoverageParams(Params):
    """Which patrols, and what counts as a visit."""

    began_from: AwareDatetime | None = None
    """First instant of the period, included; with its time zone. Without one, when the first run began."""
    began_before: AwareDatetime | None = None
    """End of the period, not included; with its time zone. Without one, when the last run ended."""
    unit_kinds: tuple[str, ...] | None = Field(
        default=None, min_length=1, json_schema_extra={"codebook": "patrol_kinds"}
    )
    """Only units of these kinds; all when not given."""
    match_m: float = Field(default=15.0, gt=0, le=100, json_schema_extra={"unit": "m"})
    """A piece of street was walked when a run passed its middle no farther away than this, in metres."""
    visit_m: float = Field(default=60.0, gt=0, le=500, json_schema_extra={"unit": "m"})
    """A halt no farther than this, in metres, is one at a checkpoint."""
    hotspot_m: float = Field(default=150.0, gt=0, le=1_000, json_schema_extra={"unit": "m"})
    """A halt no farther than this, in metres, from the middle of a hotspot is one there."""
    dose_min: float = Field(default=10.0, gt=0, le=120, json_schema_extra={"unit": "min"})
    """A halt of at least so many minutes at a hotspot counts as a dose; 10 to 16 minutes are the guidance."""
    merge_min: float = Field(default=10.0, ge=0, le=240, json_schema_extra={"unit": "min"})
    """Passing again within so many minutes is the same visit."""

    @model_validator(mode="after")
    def _check(self) -> PatrolCoverageParams:
        if self.began_from and self.began_before and self.began_from >= self.began_before:
            raise ValueError("began_from must be before began_before")
        return self


PATROL_COVERAGE = FrameSpec(
    "patrol_coverage",
    Text("巡逻覆盖", "Patrol coverage"),
    (
        Column("code", "code", Text("路段编码", "Street segment"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("road_class", "code", Text("等级", "Class"), codebook="road_classes"),
        Column(
            "patrol_class",
            "code",
            Text("巡到间隔", "Longest wait"),
            required=True,
            codebook="patrol_classes",
            description="By the longest time without a visit, the ends of the period included.",
        ),
        Column("visits_count", "integer", Text("巡到次数", "Visits"), required=True, minimum=0),
        Column("units_count", "integer", Text("到过的单元", "Units that came"), required=True, minimum=0),
        Column("joint_visits_count", "integer", Text("联合巡逻次数", "Joint visits"), required=True, minimum=0),
        Column("walked_share", "real", Text("走到的长度占比", "Share walked"), required=True, minimum=0, maximum=1),
        Column("median_wait_h", "real", Text("间隔中位数", "Median wait"), minimum=0, unit="h"),
        Column("longest_wait_h", "real", Text("最长间隔", "Longest wait"), required=True, minimum=0, unit="h"),
        Column("last_visit_at", "instant", Text("最近一次", "Last visit")),
        Column("length_m", "real", Text("长度", "Length"), required=True, minimum=0, unit="m"),
    ),
    LINES,
    key="code",
    mandate="Art. 18",
)


def patrol_coverage(
    params: PatrolCoverageParams,
    context: Context,
    *,
    patrol_runs: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    checkpoints: gpd.GeoDataFrame | None = None,
    incidents: gpd.GeoDataFrame | None = None,
    districts: gpd.GeoDataFrame | None = None,
    water_areas: gpd.GeoDataFrame | None = None,
) -> Findings:
    """Return each street with its visits, and tables of checkpoints, hotspots and units."""
    runs, period, left_out = _chosen(patrol_runs, params)
    streets = segments.sort_values("source_id", kind="stable").reset_index(drop=True)
    passes = passes_of(runs, streets, match_m=params.match_m)
    halts = halts_of(runs)
    context.progress(0.5, f"{len(passes.piece):,} passes, {len(halts):,} halts")
    features = _streets(streets, passes, runs, period, params)
    context.progress(0.7, "checkpoints and hotspots")
    hot = None
    if incidents is not None and not incidents.empty:
        selection = PlaceSelection()
        hot = hot_places(
            selection,
            context,
            incidents=incidents,
            grids=None,
            districts=districts,
            water_areas=water_areas,
            alpha=0.05,
            most=MOST_HOTSPOTS,
        )
    doses = [] if hot is None else list(_doses(hot, halts, period, params))
    told = [] if checkpoints is None else list(_checkpoints(checkpoints, halts, runs, period, params))
    summary = {
        **_totals(features, runs, told, doses, period),
        "by_unit": list(_by_unit(runs, passes, halts)),
        "by_unit_kind": _by_kind(runs),
        "by_checkpoint": told,
        "by_hotspot": doses,
    }
    used = {"patrol_runs": len(runs), "segments": len(streets)}
    if checkpoints is not None:
        used["checkpoints"] = len(checkpoints)
    if hot is not None:
        used["incidents"] = len(hot.selected.incidents)
    return Findings(
        features,
        summary,
        used=used,
        period=period,
        choices={"pieces_m": passes.piece_m, "lines_are_walked_evenly": True},
        left_out=left_out,
    )


def _chosen(
    patrol_runs: gpd.GeoDataFrame, params: PatrolCoverageParams
) -> tuple[gpd.GeoDataFrame, tuple[pd.Timestamp, pd.Timestamp], tuple[LeftOut, ...]]:
    """Return the runs that take part, the period, and the account of the others."""
    begins, ends = patrol_runs["started_at"], patrol_runs["ended_at"]
    reasons = [
        ("no_location", patrol_runs.geometry.isna() | patrol_runs.geometry.is_empty),
        ("ends_before_it_begins", ends < begins),
    ]
    if params.began_from is not None:
        reasons.append(("outside_period", begins < pd.Timestamp(params.began_from)))
    if params.began_before is not None:
        reasons.append(("outside_period", begins >= pd.Timestamp(params.began_before)))
    if params.unit_kinds is not None:
        reasons.append(("other_unit_kind", ~patrol_runs["unit_kind"].isin(params.unit_kinds)))
    taking_part = np.ones(len(patrol_runs), dtype=bool)
    counts: dict[str, int] = {}
    for reason, rows in reasons:
        leaving = taking_part & rows.to_numpy(dtype=bool)
        counts[reason] = counts.get(reason, 0) + int(leaving.sum())
        taking_part &= ~leaving
    runs = patrol_runs[taking_part].sort_values(["started_at", "source_id"], kind="stable").reset_index(drop=True)
    if runs.empty:
        problem = Problem("no_runs", "no patrol run is left of those that were asked for", "began_from")
        raise InvalidParams("patrol_coverage: no patrols", [problem])
    first = pd.Timestamp(params.began_from) if params.began_from else runs["started_at"].min()
    last = pd.Timestamp(params.began_before) if params.began_before else runs["ended_at"].max()
    left_out = tuple(LeftOut("patrol_runs", reason, count) for reason, count in counts.items() if count)
    return runs, (first.tz_convert("UTC"), last.tz_convert("UTC")), left_out


def _streets(
    streets: gpd.GeoDataFrame,
    passes: Passes,
    runs: gpd.GeoDataFrame,
    period: tuple[pd.Timestamp, pd.Timestamp],
    params: PatrolCoverageParams,
) -> gpd.GeoDataFrame:
    """Return one row a street, the least visited first."""
    owner = passes.segment[passes.piece]
    unit = pd.factorize(runs["unit_label"])[0]
    is_joint = runs["joint_label"].notna().to_numpy() if "joint_label" in runs.columns else np.zeros(len(runs), bool)
    seen, joint = (
        visits(
            owner[which],
            passes.at_s[which],
            unit[passes.run[which]],
            count=len(streets),
            period=period,
            merge_s=params.merge_min * 60,
        )
        for which in (np.ones(len(owner), bool), is_joint[passes.run])
    )
    walked = np.zeros(len(passes.length_m))
    walked[np.unique(passes.piece)] = 1.0
    length = np.bincount(passes.segment, weights=passes.length_m, minlength=len(streets))
    share = np.bincount(passes.segment, weights=walked * passes.length_m, minlength=len(streets))
    waits = np.array([limit for limit, _ in CLASSES])
    names = np.array([name for _, name in CLASSES], dtype=object)
    longest_h = seen.longest_s / HOUR_S
    classes = np.where(seen.count > 0, names[np.minimum(np.searchsorted(waits, longest_h), len(names) - 1)], "never")
    table = gpd.GeoDataFrame(
        {
            "code": streets["source_id"],
            **{name: _optional(streets, name) for name in ("name_zh", "name_en", "road_class")},
            "patrol_class": classes,
            "visits_count": seen.count,
            "units_count": seen.units,
            "joint_visits_count": joint.count,
            "walked_share": np.clip(np.divide(share, length, out=np.zeros_like(share), where=length > 0), 0, 1),
            "median_wait_h": seen.median_s / HOUR_S,
            "longest_wait_h": longest_h,
            # To the second: a place along a line is known no better, and a database keeps microseconds.
            "last_visit_at": pd.to_datetime(
                np.where(seen.count > 0, np.round(seen.last_s), np.nan), unit="s", utc=True
            ),
            "length_m": shapely.length(streets.geometry.to_numpy()),
        },
        geometry=streets.geometry.to_numpy(),
        crs=streets.crs,
    )
    order = np.lexsort((table["code"].astype(str), -table["length_m"], -table["longest_wait_h"], table["visits_count"]))
    return table.iloc[order].reset_index(drop=True)


def _optional(frame: gpd.GeoDataFrame, name: str) -> Any:
    return frame[name] if name in frame.columns else None


def _checkpoints(
    checkpoints: gpd.GeoDataFrame,
    halts: Halts,
    runs: gpd.GeoDataFrame,
    period: tuple[pd.Timestamp, pd.Timestamp],
    params: PatrolCoverageParams,
) -> Iterator[dict[str, Any]]:
    """Yield what is told of each checkpoint, the longest waiting first."""
    rows = checkpoints.sort_values("source_id", kind="stable").reset_index(drop=True)
    at, halt = halts.near(shapely.get_coordinates(rows.geometry.to_numpy()), params.visit_m)
    least = np.zeros(len(rows)) if "dwell_min" not in rows.columns else rows["dwell_min"].fillna(0.0).to_numpy(float)
    merge_s = params.merge_min * 60
    seen = visits(at, halts.from_s[halt], halts.unit[halt], count=len(rows), period=period, merge_s=merge_s)
    stayed = np.bincount(at, weights=halts.stayed_min[halt], minlength=len(rows))
    enough = np.bincount(at, weights=halts.stayed_min[halt] >= least[at] - 0.5, minlength=len(rows))
    shifts = runs["shift_label"].nunique()
    came = pd.DataFrame({"at": at, "shift": runs["shift_label"].to_numpy()[halts.run[halt]]}).drop_duplicates()
    by_shift = np.bincount(came["at"], minlength=len(rows))
    for i in np.lexsort((rows["source_id"].astype(str), -seen.longest_s, seen.count)).tolist():
        yield {
            "code": str(rows["source_id"][i]),
            "name_zh": _text(rows, "name_zh", i),
            "name_en": _text(rows, "name_en", i),
            "came_count": int(seen.count[i]),
            "long_enough_count": int(enough[i]),
            "stayed_min": float(stayed[i]),
            "shifts_share": float(by_shift[i] / shifts),
            "longest_wait_h": float(seen.longest_s[i] / HOUR_S),
        }


def _doses(
    hot: HotPlaces, halts: Halts, period: tuple[pd.Timestamp, pd.Timestamp], params: PatrolCoverageParams
) -> Iterator[dict[str, Any]]:
    """Yield what each hotspot got, the hottest first."""
    days = max((period[1] - period[0]).total_seconds() / (24 * HOUR_S), 1e-9)
    codes = hot.codes
    at, halt = halts.near(hot.points, params.hotspot_m)
    stayed = halts.stayed_min[halt]
    count = np.bincount(at, minlength=len(codes))
    minutes = np.bincount(at, weights=stayed, minlength=len(codes))
    doses = np.bincount(at, weights=stayed >= params.dose_min, minlength=len(codes))
    for i, code in enumerate(codes):
        yield {
            "code": code,
            "incidents_count": int(hot.incidents_count[i]),
            "halts_count": int(count[i]),
            "stayed_min": float(minutes[i]),
            "doses_count": int(doses[i]),
            "doses_per_day": float(doses[i] / days),
        }


def _by_unit(runs: gpd.GeoDataFrame, passes: Passes, halts: Halts) -> Iterator[dict[str, Any]]:
    """Yield what each unit did; a unit and its shifts, never who was in it."""
    minutes = (runs["ended_at"] - runs["started_at"]).dt.total_seconds().to_numpy() / 60
    walked = np.bincount(passes.run, weights=passes.length_m[passes.piece], minlength=len(runs))
    halted = np.zeros(len(runs))
    halted[halts.run] = halts.stayed_min
    for label, rows in runs.groupby("unit_label", sort=True):
        mine = rows.index.to_numpy()
        yield {
            "unit_label": str(label),
            "unit_kind": str(rows["unit_kind"].iloc[0]),
            "shifts_count": int(rows["shift_label"].nunique()),
            "patrolled_h": float(minutes[mine].sum() / 60),
            "halted_h": float(halted[mine].sum() / 60),
            "streets_km": float(walked[mine].sum() / 1_000),
            "longest_gap_h": _longest_gap_h(rows),
            "joint_share": _joint_share(rows, minutes[mine]),
        }


def _longest_gap_h(runs: gpd.GeoDataFrame) -> float | None:
    """Return the longest time between the end of one shift of a unit and the beginning of its next; None with one."""
    shifts = runs.groupby("shift_label").agg(begin=("started_at", "min"), end=("ended_at", "max")).sort_values("begin")
    gaps = (shifts["begin"].shift(-1) - shifts["end"]).dt.total_seconds().dropna()
    return float(max(gaps.max(), 0.0) / HOUR_S) if len(gaps) else None


def _by_kind(runs: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    minutes = (runs["ended_at"] - runs["started_at"]).dt.total_seconds() / 60
    return [
        {
            "unit_kind": str(kind),
            "units_count": int(rows["unit_label"].nunique()),
            "shifts_count": len(rows[["unit_label", "shift_label"]].drop_duplicates()),
            "patrolled_h": float(minutes[rows.index].sum() / 60),
            "joint_share": _joint_share(rows, minutes[rows.index].to_numpy()),
        }
        for kind, rows in runs.groupby("unit_kind", sort=True)
    ]


def _joint_share(runs: gpd.GeoDataFrame, minutes: np.ndarray) -> float:
    """Return the share of the time that units patrolled together with others."""
    if "joint_label" not in runs.columns or minutes.sum() <= 0:
        return 0.0
    return float(minutes[runs["joint_label"].notna().to_numpy()].sum() / minutes.sum())


def _totals(
    features: gpd.GeoDataFrame,
    runs: gpd.GeoDataFrame,
    checkpoints: list[dict[str, Any]],
    doses: list[dict[str, Any]],
    period: tuple[pd.Timestamp, pd.Timestamp],
) -> dict[str, Any]:
    minutes = (runs["ended_at"] - runs["started_at"]).dt.total_seconds().to_numpy() / 60
    length = features["length_m"]
    weight = np.array([row["incidents_count"] for row in doses], dtype=float)
    met = np.array([row["doses_per_day"] >= 1 for row in doses], dtype=bool)
    by_class = features.groupby("patrol_class")["length_m"].agg(["size", "sum"])
    return {
        "runs_count": len(runs),
        "units_count": int(runs["unit_label"].nunique()),
        "shifts_count": len(runs[["unit_label", "shift_label"]].drop_duplicates()),
        "period_days": float((period[1] - period[0]).total_seconds() / (24 * HOUR_S)),
        "patrolled_h": float(minutes.sum() / 60),
        "joint_share": _joint_share(runs, minutes),
        "streets_km": float(length.sum() / 1_000),
        "walked_share": float((features["walked_share"] * length).sum() / length.sum()),
        "checkpoints_count": len(checkpoints),
        "checkpoints_never_count": sum(row["came_count"] == 0 for row in checkpoints),
        "hotspots_count": len(doses),
        "dose_met_share": float(weight[met].sum() / weight.sum()) if weight.sum() > 0 else None,
        "by_patrol_class": [
            {
                "patrol_class": name,
                "segments_count": int(by_class["size"].get(name, 0)),
                "streets_km": float(by_class["sum"].get(name, 0.0) / 1_000),
            }
            for name in (*(name for _, name in CLASSES), "never")
        ],
    }


def _text(rows: gpd.GeoDataFrame, name: str, at: int) -> str | None:
    value = rows[name].iloc[at] if name in rows.columns else None
    return value if isinstance(value, str) else None


SERVICE = Service(
    id="patrol_coverage",
    version=1,
    title=PATROL_COVERAGE.title,
    abstract=Text(
        "由巡逻记录（单元与班次，不涉及个人）统计路段巡到次数与间隔、必巡点到访、热点停留剂量与联合巡逻占比。",
        "From patrol runs (a unit and its shift, never a person): visits and waits of each street, visits to "
        "checkpoints, the dose of halts at hotspots, and the share of joint patrols.",
    ),
    card=Text(
        "显示各路段多久没有巡到。按记录的路线与时间推算，线段内按匀速计；不说明巡逻是否有效。",
        "Shows how long each street waited for a patrol. It follows recorded lines, walked evenly between their ends, "
        "and does not tell whether patrols had any effect.",
    ),
    mandate="Art. 18",
    params=PatrolCoverageParams,
    inputs=(
        Input(PATROL_RUNS),
        Input(SEGMENTS),
        Input(CHECKPOINTS, required=False),
        Input(INCIDENTS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=PATROL_COVERAGE,
    compute=patrol_coverage,
)
