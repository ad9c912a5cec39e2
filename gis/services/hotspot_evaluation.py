"""Hotspot evaluation: flag places by what is known at one moment, and count what happened in them afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field
from scipy import sparse

from gis.city.frames import DISTRICTS, GRIDS, INCIDENTS, WATER_AREAS
from gis.city.held_out import HeldOut, held_out
from gis.city.places import Places, PlaceSelection, find_places
from gis.city.selection import select_incidents
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.density import Nodes, kernel_density, read_linear
from gis.kernels.displacement import pattern_change_p
from gis.kernels.getis_ord import local_test
from gis.kernels.multiple_testing import benjamini_hochberg
from gis.kernels.neighbour_distance import neighbour_distance
from gis.kernels.prediction_scores import (
    block_interval,
    clopper_pearson,
    flagged,
    mcnemar_exact,
    ranking,
    recapture_rate,
    scores_of,
    tie_at_cut,
)

FEW = 20
"""With fewer incidents to test on no judgement is made."""
CURVE = (0.005, 0.01, 0.02, 0.05, 0.1)
LEVEL = 0.05
M2_PER_KM2 = 1e6
STEPS = 4
"""Nodes of a kernel density in one bandwidth."""
MAX_NODES = 20_000_000


class HotspotEvaluationParams(PlaceSelection):
    """What is evaluated, and on what."""

    split_at: AwareDatetime | None = None
    """Places are flagged by what occurred before this instant and judged by what occurred from it on; with its time
    zone. When not given, the last fifth of the period is held out, 28 days at most."""
    method: Literal["gi_star", "kernel", "count"] = "gi_star"
    """How places are ranked: by the Gi* of their neighbourhood, by kernel density at their centre, or by incidents per
    area."""
    kernel_bandwidth_m: float = Field(default=300.0, ge=20, le=10_000, json_schema_extra={"unit": "m"})
    """Standard deviation of the Gaussian kernel, in metres, where places are ranked by kernel density."""
    area_share: float = Field(default=0.01, gt=0, lt=1)
    """How much of the area is flagged, 0 to 1: as much as one means to patrol."""
    seed: int = Field(default=0, ge=0)
    """Of the lot between places with equal scores, and of the draws of the interval."""


HOTSPOT_EVALUATION = FrameSpec(
    "hotspot_evaluation",
    Text("热点检验", "Hotspot evaluation"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "evaluation_class",
            "code",
            Text("结果", "Outcome"),
            required=True,
            codebook="evaluation_classes",
            description="Flagged, with or without an incident afterwards; or missed: not flagged, though places of the "
            "same area that held the most afterwards include it.",
        ),
        Column("rank", "integer", Text("名次", "Rank"), required=True, minimum=1),
        Column(
            "score",
            "real",
            Text("评分", "Score"),
            description="z of Gi*, or incidents per km2 (kernel density or count).",
        ),
        Column("train_count", "integer", Text("此前事件数", "Incidents before"), required=True, minimum=0),
        Column(
            "last_period_count",
            "integer",
            Text("上一时段事件数", "Incidents in the period just before"),
            required=True,
            minimum=0,
            description="In the period before the split that is as long as the one after it.",
        ),
        Column("test_count", "integer", Text("此后事件数", "Incidents afterwards"), required=True, minimum=0),
    ),
    AREAS,
    key="code",
    mandate="Art. 14, 18, 48",
)


def hotspot_evaluation(
    params: HotspotEvaluationParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Flag places by the past, count what the future held in them, and do the same with the plainest way there is."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    split_at = params.split_at and pd.Timestamp(params.split_at)
    periods = held_out(incidents, params, split_at, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    places = find_places(params, context, selected, grids=grids, districts=districts, water_areas=water_areas)
    n, held = len(places.counts), places.units.held
    context.progress(0.5, f"{n} places")
    inside = held >= 0
    times = selected.incidents["occurred_at"]
    test = _Test(
        areas_m2=places.units.features.geometry.area.to_numpy(),
        train=np.bincount(held[inside & (times < periods.split).to_numpy()], minlength=n),
        last=np.bincount(
            held[inside & times.between(periods.last_from, periods.split, inclusive="left").to_numpy()], minlength=n
        ),
        after=np.bincount(held[inside & (times >= periods.split).to_numpy()], minlength=n),
        place=held[inside & (times >= periods.split).to_numpy()],
        day=_days(times[inside & (times >= periods.split).to_numpy()], context.profile.time_zone),
        past=selected.points[inside & (times < periods.split).to_numpy()],
    )
    _refuse_empty(test, periods)
    places = _with_reach(params, places, test.train)
    density = test.train / test.areas_m2 * M2_PER_KM2
    # Where the neighbourhoods of two places tie, the busier place comes first.
    ours = _Ranked.by((_score(params, places, test, density), density), test, params)
    naive = _Ranked.by((test.last / test.areas_m2 * M2_PER_KM2,), test, params)
    context.progress(0.9, "ranked")
    tied, tied_flagged = tie_at_cut(ours.order, ours.chosen, *ours.scores)
    return Findings(
        _features(places, ours, test, params),
        _summary(ours, naive, test, params),
        used={
            "incidents": int(inside.sum()),
            "grids": 0 if places.grids is None else n,
            "districts": 0 if districts is None or places.grids is not None else len(districts),
        },
        period=selected.period,
        choices={
            **places.choices,
            "split_rule": periods.rule,
            "split_at": periods.split.isoformat(),
            "train_period": f"{periods.start.isoformat()} / {periods.split.isoformat()}",
            "baseline_period": f"{periods.last_from.isoformat()} / {periods.split.isoformat()}",
            "test_period": f"{periods.split.isoformat()} / {periods.end.isoformat()}",
            "tied_at_cut_count": tied,
            "tied_and_flagged_count": tied_flagged,
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=(*selected.left_out, *places.left_out),
    )


@dataclass(frozen=True, slots=True)
class _Test:
    """What is known of both periods.

    Attributes
    ----------
    areas_m2, train, last, after : (n,)
        Of each place: its area, and its incidents before the split, just before it and afterwards.
    place, day : (m,)
        Of each incident afterwards.
    past : (k, 2)
        Where the incidents before the split were.
    """

    areas_m2: np.ndarray
    train: np.ndarray
    last: np.ndarray
    after: np.ndarray
    place: np.ndarray
    day: np.ndarray
    past: np.ndarray


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Places (n,): their scores, the order from the highest to the lowest, and which are flagged."""

    scores: tuple[np.ndarray, ...]
    order: np.ndarray
    chosen: np.ndarray

    @classmethod
    def by(cls, scores: tuple[np.ndarray, ...], test: _Test, params: HotspotEvaluationParams) -> _Ranked:
        order = ranking(*scores, seed=params.seed)
        return cls(scores, order, flagged(order, test.areas_m2, params.area_share))


def _days(times: pd.Series, time_zone: str) -> np.ndarray:
    """Return a number a day (m,), counted by the city's clock."""
    days = times.dt.tz_convert(time_zone).dt.tz_localize(None).dt.normalize()
    return np.unique(days.to_numpy(), return_inverse=True)[1]


def _refuse_empty(test: _Test, periods: HeldOut) -> None:
    problems = [
        Problem("no_incidents", f"no incident {when} {periods.split.isoformat()} lies in the study area", "split_at")
        for when, counts in (("before", test.train), ("from", test.after))
        if counts.sum() == 0
    ]
    if problems:
        raise InvalidParams("hotspot_evaluation: nothing to train or test on", problems)


def _with_reach(params: HotspotEvaluationParams, places: Places, train: np.ndarray) -> Places:
    """Return the places with the neighbours asked for, found from what was known before the split."""
    if params.method != "gi_star" or params.reach != "auto" or params.reach_m is not None:
        return places
    cell_m = params.lattice_m if params.lattice_m is not None else places.choices.get("lattice_m")
    found = neighbour_distance(places.centres, train, cell_m=cell_m if places.grids is None else None)
    units = places.units.within(found.reach_m)
    choices = {**places.choices, **units.choices, "neighbours_why": found.why, "reach_m": round(found.reach_m, 1)}
    return replace(places, units=units, choices=choices)


def _score(params: HotspotEvaluationParams, places: Places, test: _Test, density: np.ndarray) -> np.ndarray:
    if params.method == "count":
        return density
    if params.method == "kernel":
        return _kernel_density(test.past, places, params.kernel_bandwidth_m)
    whole = places.units.near + sparse.eye_array(density.size, format="csr")
    # The score of the service of hotspots; of its p nothing is needed here.
    return local_test(test.train, whole, exposure=places.share, permutations=99).z


def _kernel_density(points: np.ndarray, places: Places, bandwidth_m: float) -> np.ndarray:
    """Return incidents per km2 (n,) around the middle of each place."""
    centres = places.centres
    corners = np.concatenate([points, centres])
    (west, south), step = corners.min(axis=0), bandwidth_m / STEPS
    columns, rows = (np.ceil(np.ptp(corners, axis=0) / step) + 2).astype(int)
    if rows * columns > MAX_NODES:
        why = f"{bandwidth_m:g} m is too narrow for an area of this size; take a wider kernel or another ranking"
        raise InvalidParams(
            "hotspot_evaluation: too fine a kernel", [Problem("too_many_nodes", why, "kernel_bandwidth_m")]
        )
    nodes = Nodes(float(west), float(south), step, int(rows), int(columns))
    surface = kernel_density(points, nodes, bandwidth_m, precision="double")
    return read_linear(surface, centres, nodes) * M2_PER_KM2


def _features(places: Places, ours: _Ranked, test: _Test, params: HotspotEvaluationParams) -> gpd.GeoDataFrame:
    """Return the flagged places and the busy ones that were missed, by rank."""
    # Perfect foresight flags the densest places; of those that tie at its end, flagged ones first.
    foresight = np.lexsort((~ours.chosen, -test.after / test.areas_m2))
    busy = flagged(foresight, test.areas_m2, params.area_share) & (test.after > 0)
    outcome = np.where(ours.chosen, np.where(test.after > 0, "hit", "no_incident"), "missed")
    rank = np.empty(ours.order.size, dtype=np.int64)
    rank[ours.order] = np.arange(1, rank.size + 1)
    features = places.units.features.assign(
        evaluation_class=outcome.astype(object),
        rank=rank,
        score=ours.scores[0],
        train_count=test.train,
        last_period_count=test.last,
        test_count=test.after,
    )
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    shown = features[ours.chosen | busy].sort_values("rank", ignore_index=True)
    return shown[[*HOTSPOT_EVALUATION.names, "geometry"]]


def _summary(ours: _Ranked, naive: _Ranked, test: _Test, params: HotspotEvaluationParams) -> dict[str, object]:
    numbers = _numbers(ours.chosen, test, test.train)
    difference = _difference(ours.chosen, naive.chosen, test, params.seed)
    return {
        "incidents_count": int(test.train.sum() + test.after.sum()),
        "places_count": int(test.train.size),
        "train_incidents_count": int(test.train.sum()),
        "test_incidents_count": int(test.after.sum()),
        **numbers,
        "baseline": _numbers(naive.chosen, test, test.last),
        "random": {"hit_rate": numbers["flagged_area_share"], "pai": 1.0},
        "difference": difference,
        "against_baseline": _verdict(difference, int(test.after.sum())),
        **_stability(test),
        "curve": [_curve_row(share, ours, naive, test) for share in sorted({*CURVE, params.area_share})],
    }


def _numbers(chosen: np.ndarray, test: _Test, before: np.ndarray) -> dict[str, object]:
    """Return the scores of flagged places with 95 % intervals; `before` are the counts they were flagged by."""
    scores = scores_of(test.after, test.areas_m2, chosen)
    low, high = clopper_pearson(scores.captured_count, scores.total_count)
    return {
        "flagged_places_count": int(chosen.sum()),
        "flagged_area_share": scores.area_share,
        "captured_count": scores.captured_count,
        "obtainable_count": scores.obtainable_count,
        "hit_rate": scores.hit_rate,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "pai": scores.pai,
        "pai_low": low / scores.area_share,
        "pai_high": high / scores.area_share,
        "pei_star": scores.pei_star,
        "rri": _number(recapture_rate(before, test.after, chosen)),
        "ser_per_km2": scores.ser_per_km2,
    }


def _difference(chosen: np.ndarray, other: np.ndarray, test: _Test, seed: int) -> dict[str, object]:
    """Return by how much the hit rate exceeds that of the baseline, from the same incidents."""
    ours, theirs = chosen[test.place], other[test.place]
    gains = np.bincount(test.day, weights=ours.astype(float) - theirs)
    low, high = block_interval(gains.astype(np.int64), np.bincount(test.day), seed=seed)
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    return {
        "hit_rate_difference": (only_ours - only_theirs) / test.place.size,
        "hit_rate_difference_low": _number(low),
        "hit_rate_difference_high": _number(high),
        "days_count": int(test.day.max()) + 1,
        "only_method_count": only_ours,
        "only_baseline_count": only_theirs,
        "mcnemar_p": mcnemar_exact(only_ours, only_theirs),
    }


def _verdict(difference: dict[str, object], n: int) -> str:
    """Return ``better`` or ``worse`` only where both the interval over days and the test of pairs say so."""
    if n < FEW:
        return "too_few_incidents"
    low, high, p = (difference[name] for name in ("hit_rate_difference_low", "hit_rate_difference_high", "mcnemar_p"))
    if isinstance(low, float) and isinstance(high, float) and isinstance(p, float) and p <= LEVEL:
        if low > 0:
            return "better"
        if high < 0:
            return "worse"
    return "not_told_apart"


def _stability(test: _Test) -> dict[str, object]:
    """Return how far the pattern stayed as it was: places whose share of all incidents did not change beyond chance."""
    q = benjamini_hochberg(pattern_change_p(test.train, test.after))
    held = np.isfinite(q)
    changed = int((q[held] <= LEVEL).sum())
    return {"changed_places_count": changed, "pattern_similarity": 1 - changed / int(held.sum())}


def _curve_row(share: float, ours: _Ranked, naive: _Ranked, test: _Test) -> dict[str, object]:
    one, other = (
        scores_of(test.after, test.areas_m2, flagged(ranked.order, test.areas_m2, share)) for ranked in (ours, naive)
    )
    return {
        "area_share": share,
        "flagged_area_share": one.area_share,
        "hit_rate": one.hit_rate,
        "pai": one.pai,
        "pei_star": one.pei_star,
        "baseline_hit_rate": other.hit_rate,
        "obtainable_hit_rate": one.obtainable_count / one.total_count,
    }


def _number(value: float) -> float | None:
    """Return a number, None where there is none."""
    return float(value) if np.isfinite(value) else None


SERVICE = Service(
    id="hotspot_evaluation",
    version=1,
    title=HOTSPOT_EVALUATION.title,
    abstract=Text(
        "用某一时刻之前的事件标出地方，再数其后的事件：命中率、PAI、PEI*、再捕获率和区间，并与最朴素的方法比较。",
        "Flags places by what occurred before a moment and counts what occurred there afterwards: hit rate, PAI, PEI*, "
        "recapture rate and their intervals, always beside the plainest way of flagging places.",
    ),
    card=Text(
        "显示按过去标出的地方后来是否出事，以及哪些繁忙的地方被漏掉。只是一次检验：不说明别的时段，也不说明去巡逻会有什么结果。",
        "Shows whether places flagged by the past had incidents afterwards, and which busy places were missed. It is "
        "one test of one split: it says nothing of other times, nor of what a patrol there would change.",
    ),
    mandate="Art. 14, 18, 48",
    params=HotspotEvaluationParams,
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=HOTSPOT_EVALUATION,
    compute=hotspot_evaluation,
)
