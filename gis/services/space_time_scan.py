"""Space-time clusters: where and when incidents are more than chance would put there, wherever one looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from gis.city.frames import BLOCKS, DISTRICTS, GRIDS, INCIDENTS
from gis.city.full_days import full_days
from gis.city.local_clock import clock_of, date_of, seconds
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import Units, grid_units, grids_in_force, lattice_units
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidInput, InvalidParams, Problem
from gis.kernels.lattice import Lattice
from gis.kernels.scan import (
    Cluster,
    Scan,
    clusters,
    critical_ratio,
    gumbel_p,
    monte_carlo_p,
    null_maxima,
    permutation_scan,
    poisson_scan,
    relative_risk,
)
from gis.kernels.scan_zones import circular_zones, prospective, retrospective

MOST_CLUSTERS = 10
MIN_INCIDENTS = 2
MIN_STEPS = 2
MOST_CELLS = 50_000_000
"""Places times steps of time."""
MOST_WORK = 2e12
"""Cylinders times replicates: about ten minutes."""
CLASSES = ((0.01, "significant_99"), (0.05, "significant_95"), (0.10, "notable"))
STEP_DAYS = {"day": 1, "week": 7}


class ScanParams(IncidentSelection):
    """Where the scan looks, and what it takes for chance."""

    unit: Literal["grids", "lattice"] = "grids"
    """What places are: the city's grids, or square cells of its lattice."""
    lattice_m: float = Field(default=500.0, ge=10, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, in metres."""
    mode: Literal["prospective", "retrospective"] = "prospective"
    """Look only for clusters that last until the end of the period, or for all that ever were."""
    model: Literal["permutation", "poisson"] = "permutation"
    """Expect each place to keep its number of incidents and each time its own (permutation), or every household to
    have the same chance of one at any time (poisson)."""
    time_step: Literal["day", "week"] = "week"
    """Time is cut into steps of this length, backwards from the end of the last full day."""
    longest_share: float = Field(default=0.5, gt=0, le=0.9)
    """A cluster lasts at most this share of the period, unless `longest_steps` is given."""
    longest_steps: int | None = Field(default=None, ge=1, le=10_000)
    """A cluster lasts at most this many steps."""
    population_share: float = Field(default=0.5, gt=0, le=0.9)
    """A circle holds at most this share of all households, or of all incidents under the permutation model."""
    radius_m: float | None = Field(default=None, gt=0, le=100_000, json_schema_extra={"unit": "m"})
    """No circle is larger than this, in metres; no limit when not given."""
    replicates: int = Field(default=999, ge=19, le=99_999)
    """How many data sets made by chance the clusters are compared with; p is never below 1 / (replicates + 1)."""
    seed: int = Field(default=0, ge=0)
    """Of the replicates."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a cluster counts as significant in the summary: chance of any false one in the whole scan."""


SPACE_TIME_SCAN = FrameSpec(
    "space_time_scan",
    Text("时空聚集", "Space-time clusters"),
    (
        Column("rank", "integer", Text("次序", "Rank"), required=True, minimum=1, description="Most likely first."),
        Column("code", "code", Text("中心编码", "Code of the centre"), required=True),
        Column("name_zh", "text", Text("中心名称", "Centre (Chinese)")),
        Column("name_en", "text", Text("中心英文名称", "Centre (English)")),
        Column(
            "cluster_class",
            "code",
            Text("显著性", "Significance"),
            required=True,
            codebook="scan_classes",
            description="By p, which holds for the whole scan however many cylinders it looks into.",
        ),
        Column("started_on", "date", Text("开始日期", "First day"), required=True),
        Column("ended_on", "date", Text("结束日期", "Last day"), required=True),
        Column("radius_m", "real", Text("半径", "Radius"), required=True, minimum=0, unit="m"),
        Column("places_count", "integer", Text("单元数", "Places"), required=True, minimum=1),
        Column("incidents_count", "integer", Text("事件数", "Incidents"), required=True, minimum=2),
        Column("expected_count", "real", Text("期望事件数", "Expected"), required=True, minimum=0),
        Column("ratio", "real", Text("实际与期望之比", "Observed over expected"), required=True, minimum=1),
        Column(
            "relative_risk",
            "real",
            Text("相对风险", "Relative risk"),
            minimum=1,
            description="Rate inside over rate outside; under the Poisson model only.",
        ),
        Column("llr", "real", Text("对数似然比", "Log likelihood ratio"), required=True, minimum=0),
        Column("p", "real", Text("p 值", "p"), required=True, minimum=0, maximum=1),
        Column(
            "p_gumbel",
            "real",
            Text("p 值（Gumbel 近似）", "p (Gumbel)"),
            minimum=0,
            maximum=1,
            description="An approximation that reaches below the smallest p that counting replicates can give.",
        ),
        Column(
            "recurrence_days",
            "real",
            Text("重现期", "Recurrence interval"),
            minimum=0,
            unit="d",
            description="By chance alone, a cluster as likely turns up once in so many days, if every step is scanned.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 14, 18, 48",
)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps of `days` days up to the day `end`, not included; the first, from the day `first` on, may be shorter."""

    first: int
    end: int
    days: int

    @property
    def count(self) -> int:
        return -(-(self.end - self.first) // self.days)

    @property
    def lengths(self) -> np.ndarray:
        """Days in each step (t,)."""
        return np.diff([self.start_of(step) for step in range(self.count + 1)])

    def of(self, day: np.ndarray) -> np.ndarray:
        """Return the step (n,) of each day."""
        return np.asarray(self.count - 1 - (self.end - 1 - day) // self.days)

    def start_of(self, step: int) -> int:
        """Return the first day of a step; of the step after the last, the end."""
        return max(self.end - (self.count - step) * self.days, self.first)


@dataclass(frozen=True, slots=True)
class _Places:
    """The places, their households (n,) where the model asks for them, and which rows were read for them."""

    units: Units
    households: np.ndarray | None
    read: dict[str, int]
    left_out: tuple[LeftOut, ...] = ()


def space_time_scan(
    params: ScanParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    blocks: gpd.GeoDataFrame | None,
) -> Findings:
    """Find the circles and spans of time that hold more incidents than chance, and how often chance does as well."""
    zone = context.profile.time_zone
    selected = select_incidents(incidents, params, time_zone=zone)
    clock = clock_of(incidents, zone)
    days = clock.days(seconds(selected.incidents["occurred_at"]))
    steps = _steps(full_days(incidents, params, clock), params)
    if params.unit == "grids":
        places = _grids(params, selected, steps, grids)
    else:
        places = _cells(params, context, selected, districts=districts, blocks=blocks)
    in_time = days < steps.end
    placed = in_time & (places.units.held >= 0)
    used = placed if places.households is None else placed & (places.households[places.units.held] > 0)
    if (n := int(used.sum())) < MIN_INCIDENTS:
        why = f"only {n} of {len(incidents)} incidents are chosen and lie in the area and the period, 2 are needed"
        raise InvalidParams("space_time_scan: too few incidents", [Problem("too_few_incidents", why, "categories")])
    counts = np.zeros((len(places.units.features), steps.count), np.int64)
    np.add.at(counts, (places.units.held[used], steps.of(days[used])), 1)
    context.progress(0.1, f"{counts.shape[0]} places, {counts.shape[1]} steps")
    scan = _scan(params, places, counts, steps)
    found = clusters(scan, most=MOST_CLUSTERS)
    null = null_maxima(
        scan,
        params.replicates,
        seed=params.seed,
        progress=lambda done: context.progress(0.2 + 0.7 * done, f"{done * params.replicates:.0f} replicates"),
    )
    features = _features(params, places.units, scan, found, null=null, steps=steps)
    reasons = {
        "unfinished_day": int((~in_time).sum()),
        "outside_study_area": int((in_time & ~placed).sum()),
        "no_households": int((placed & ~used).sum()),
    }
    return Findings(
        features,
        _summary(params, scan, features, null),
        used={"incidents": n, "grids": 0, "districts": 0, "blocks": 0, **places.read},
        period=selected.period,
        choices={
            **_choices(params, scan, steps),
            "study_area": places.units.choices["study_area"],
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=(
            *selected.left_out,
            *(LeftOut("incidents", reason, k) for reason, k in reasons.items() if k),
            *places.left_out,
        ),
    )


def _steps(covered: tuple[int, int] | None, params: ScanParams) -> _Steps:
    first, end = covered or (0, 0)
    steps = _Steps(first, end, STEP_DAYS[params.time_step])
    if steps.count < MIN_STEPS:
        why = (
            f"the period has {end - first} full days, at least {MIN_STEPS} steps of time are needed; "
            "ask for a longer period, or for days as steps"
        )
        raise InvalidParams("space_time_scan: too short a period", [Problem("too_few_steps", why, "time_step")])
    return steps


def _grids(params: ScanParams, selected: Selected, steps: _Steps, grids: gpd.GeoDataFrame | None) -> _Places:
    if grids is None or grids.empty:
        why = "the city has no grids; take the cells of a lattice instead"
        raise InvalidParams("space_time_scan: no grids", [Problem("missing_frame", why, "unit")])
    current = grids_in_force(grids, pd.Timestamp(date_of(steps.end - 1)))
    ended = len(grids) - len(current)
    units = grid_units(current, selected.points, reach_m=None)
    households = None
    if params.model == "poisson":
        counted = current.groupby("code")["households_count"].sum() if "households_count" in current.columns else None
        households = _known(counted, units, "the grids have no households_count")
    left_out = (LeftOut("grids", "not_in_force", ended),) if ended else ()
    return _Places(units, households, {"grids": len(current)}, left_out)


def _cells(
    params: ScanParams,
    context: Context,
    selected: Selected,
    *,
    districts: gpd.GeoDataFrame | None,
    blocks: gpd.GeoDataFrame | None,
) -> _Places:
    lattice = Lattice("square", params.lattice_m, context.profile.lattice_origin)
    units = lattice_units(lattice, selected.points, districts=districts, reach_m=None, crs=context.profile.metric_crs)
    read = {}
    if districts is not None and units.choices["study_area"] == "districts":
        read["districts"] = len(districts)
    households = None
    if params.model == "poisson":
        counted = None
        if blocks is not None and "households_count" in blocks.columns:
            read["blocks"] = len(blocks)
            centres = shapely.get_coordinates(shapely.point_on_surface(blocks.geometry.to_numpy()))
            counted = blocks["households_count"].groupby(lattice.codes(lattice.cells_of(centres))).sum()
        households = _known(counted, units, "cells take their households from blocks, and there are none with a count")
    return _Places(units, households, read)


def _known(counted: pd.Series | None, units: Units, otherwise: str) -> np.ndarray:
    """Return the households (n,) of the places, from numbers by code; none where there is no number."""
    if counted is not None:
        by_place = counted.reindex(units.features["code"]).to_numpy(dtype=float, na_value=0.0)
        if (by_place > 0).any():
            return np.asarray(np.nan_to_num(by_place))
    why = f"{otherwise}; the permutation model needs none"
    raise InvalidParams("space_time_scan: no households", [Problem("no_households", why, "model")])


def _scan(params: ScanParams, places: _Places, counts: np.ndarray, steps: _Steps) -> Scan:
    """Return the scan of the counts (n, t), or say which limit it would break."""
    if counts.size > MOST_CELLS:
        why = f"{counts.shape[0]:,} places and {counts.shape[1]:,} steps are too many; take weeks, or larger cells"
        raise InvalidParams("space_time_scan: too large", [Problem("too_many_steps", why, "time_step")])
    share = int(params.longest_share * steps.count)
    longest = min(params.longest_steps or max(share, 1), steps.count)
    spans = prospective if params.mode == "prospective" else retrospective
    middle = places.units.features.geometry.centroid
    weights = counts.sum(axis=1) if places.households is None else places.households
    try:
        zones = circular_zones(
            np.column_stack([middle.x, middle.y]), weights, share=params.population_share, radius=params.radius_m
        )
    except InvalidInput as error:
        field = "lattice_m" if params.unit == "lattice" else "population_share"
        raise InvalidParams("space_time_scan: too large", [Problem("too_many_zones", error.message, field)]) from None
    windows = spans(steps.count, longest)
    if (work := zones.count * windows.count * params.replicates) > MOST_WORK:
        why = (
            f"{zones.count:,} circles, {windows.count:,} spans of time and {params.replicates:,} replicates are "
            f"{work / MOST_WORK:.0f} times what is computed; take weeks as steps, a smaller longest_steps, a radius_m, "
            "a shorter period or fewer replicates"
        )
        raise InvalidParams("space_time_scan: too large", [Problem("too_much_work", why, "longest_steps")])
    if places.households is None:
        return permutation_scan(counts, zones, windows)
    return poisson_scan(counts, np.outer(places.households, steps.lengths), zones, windows)


def _features(
    params: ScanParams, units: Units, scan: Scan, found: list[Cluster], *, null: np.ndarray, steps: _Steps
) -> gpd.GeoDataFrame:
    ratios = np.array([cluster.llr for cluster in found])
    p = monte_carlo_p(ratios, null)
    centres = units.features.iloc[[cluster.centre for cluster in found]].reset_index(drop=True)
    names = {name: centres[name] if name in centres.columns else None for name in ("name_zh", "name_en")}
    observed, expected = (np.array([getattr(c, name) for c in found], float) for name in ("observed", "expected"))
    risk = [relative_risk(o, e, scan.total) for o, e in zip(observed, expected, strict=True)]
    classes = np.full(len(found), "not_significant", dtype=object)
    for level, words in reversed(CLASSES):
        classes[p <= level] = words
    shapes = units.features.geometry.to_numpy()
    return gpd.GeoDataFrame(
        {
            "rank": np.arange(1, len(found) + 1),
            "code": centres["code"],
            **names,
            "cluster_class": classes,
            "started_on": pd.to_datetime([date_of(steps.start_of(cluster.start)) for cluster in found]),
            "ended_on": pd.to_datetime([date_of(steps.start_of(cluster.end) - 1) for cluster in found]),
            "radius_m": np.array([cluster.radius for cluster in found], float),
            "places_count": np.array([cluster.places.size for cluster in found], int),
            "incidents_count": observed.astype(int),
            "expected_count": expected,
            "ratio": observed / expected,
            "relative_risk": np.where(np.isfinite(risk), risk, np.nan) if params.model == "poisson" else np.nan,
            "llr": ratios,
            "p": p,
            "p_gumbel": gumbel_p(ratios, null),
            "recurrence_days": steps.days / p if params.mode == "prospective" else np.nan,
        },
        geometry=[shapely.union_all(shapes[cluster.places]) for cluster in found],
        crs=units.features.crs,
    )


def _summary(params: ScanParams, scan: Scan, features: gpd.GeoDataFrame, null: np.ndarray) -> dict[str, Any]:
    critical = critical_ratio(null, params.alpha)
    return {
        "incidents_count": scan.total,
        "places_count": len(scan.zones.centres),
        "steps_count": scan.counts.shape[1],
        "zones_count": scan.zones.count,
        "cylinders_count": scan.cylinders_count,
        "replicates_count": null.size,
        "critical_llr": None if np.isnan(critical) else critical,
        "clusters_count": len(features),
        "significant_clusters_count": int((features["p"] <= params.alpha).sum()),
        "most_likely": _row(features) if len(features) else None,
    }


def _row(features: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the figures of the first cluster as plain values."""
    first = features.iloc[0]
    figures = ("places_count", "incidents_count", "ratio", "llr", "p", "p_gumbel", "recurrence_days")
    return {
        "centre_code": first["code"],
        "started_on": first["started_on"].date().isoformat(),
        "ended_on": first["ended_on"].date().isoformat(),
        "expected_incidents_count": float(first["expected_count"]),
        **{name: None if pd.isna(first[name]) else first[name].item() for name in figures},
    }


def _choices(params: ScanParams, scan: Scan, steps: _Steps) -> dict[str, Any]:
    return {
        "zones": "circles_by_households" if params.model == "poisson" else "circles_by_incidents",
        "model": params.model,
        "inference": "monte_carlo",
        "first_step_on": date_of(steps.first).isoformat(),
        "last_step_until": date_of(steps.end - 1).isoformat(),
        "longest_steps": int((scan.windows.ends - scan.windows.starts).max()),
    }


SERVICE = Service(
    id="space_time_scan",
    version=1,
    title=SPACE_TIME_SCAN.title,
    abstract=Text(
        "Kulldorff 时空扫描统计：在所有圆形范围和时段中找出事件多到不像偶然的聚集，p 值已计入搜遍各处的代价；"
        "前瞻扫描给出重现期。",
        "Kulldorff's space-time scan statistic: the circles and spans of time that hold more incidents than chance "
        "would put there, with a p that already pays for having looked everywhere; a prospective scan gives "
        "recurrence intervals.",
    ),
    card=Text(
        "显示何处、从何时起事件多得不像偶然，最可能的排在最前，并给出搜遍各处后的 p 值。"
        "圆形只是近似，其中的每一处未必都多；不说明原因，也不预测下一起事件。",
        "Shows where and since when incidents are more than chance would make them, the likeliest first, with a p for "
        "the whole search. A circle is an outline in which not every place need be busy, and neither cause nor next "
        "event is told.",
    ),
    mandate="Art. 14, 18, 48",
    params=ScanParams,
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(BLOCKS, required=False),
    ),
    output=SPACE_TIME_SCAN,
    compute=space_time_scan,
)
