"""Near repeats: whether incidents close in space are close in time beyond chance, and the chains they form (Knox)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field, model_validator

from gis.city.frames import INCIDENTS
from gis.city.local_clock import clock_of, date_of, observed_days, seconds
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidInput, InvalidParams, Problem
from gis.kernels.knox import KnoxTable, chains, knox
from gis.kernels.multiple_testing import benjamini_hochberg

MIN_INCIDENTS = 2
MOST_RECOUNTS = 2e10
"""Pairs near in space times permutations that are counted anew: about five seconds. Beyond it p comes from z."""

Metres = Annotated[float, Field(gt=0, le=20_000)]
Days = Annotated[int, Field(ge=0, le=3_660)]


class NearRepeatParams(IncidentSelection):
    """Which bands of distance and time are tested, and what makes a chain."""

    distance_m: tuple[Metres, ...] = Field(
        default=(100.0, 200.0, 300.0, 400.0, 500.0), min_length=1, max_length=12, json_schema_extra={"unit": "m"}
    )
    """Upper ends of the distance bands, rising, in metres; the same place is always a band of its own."""
    days: tuple[Days, ...] = Field(default=(7, 14, 21, 28), min_length=1, max_length=12)
    """Upper ends of the time bands, rising, in calendar days of the city's clock: 7, 14 gives 0 to 7 and 8 to 14."""
    chain_distance_m: float = Field(default=200.0, gt=0, le=20_000, json_schema_extra={"unit": "m"})
    """Incidents at most this far apart, in metres, and `chain_days` apart belong to one chain; the overall test uses
    the same limits."""
    chain_days: int = Field(default=7, ge=0, le=3_660)
    """Incidents at most this many calendar days apart belong to one chain; also how long follow-up is due after the
    last of them."""
    permutations: int = Field(default=999, ge=0, le=99_999)
    """Draws from which p is found; 0 takes the normal distribution with exact mean and variance instead, as do more
    pairs than can be counted anew in a few seconds."""
    seed: int = Field(default=0, ge=0)
    """Of the permutations."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a band counts as significant in the summary, after the correction for many bands."""

    @model_validator(mode="after")
    def _rising(self) -> NearRepeatParams:
        for name, ends in (("distance_m", self.distance_m), ("days", self.days)):
            if any(a >= b for a, b in pairwise(ends)):
                raise ValueError(f"{name}: the upper ends must rise, such as 100, 200, 300")
        return self


NEAR_REPEAT = FrameSpec(
    "near_repeat",
    Text("近重复事件链", "Near-repeat chains"),
    (
        Column("code", "code", Text("编码", "Code"), required=True, description="In order of follow-up."),
        Column(
            "chain_class",
            "code",
            Text("状态", "State"),
            required=True,
            codebook="near_repeat_classes",
            description="Whether follow-up is still due at the end of the data.",
        ),
        Column("open", "boolean", Text("仍需回访", "Follow-up due"), required=True),
        Column("incidents_count", "integer", Text("事件数", "Incidents"), required=True, minimum=2),
        Column("first_at", "instant", Text("首次发生", "First at"), required=True),
        Column("last_at", "instant", Text("最近发生", "Last at"), required=True),
        Column("span_days", "integer", Text("历时", "From first to last"), required=True, minimum=0, unit="d"),
        Column(
            "until_on",
            "date",
            Text("回访期至", "Follow-up until"),
            required=True,
            description="The last day on which another incident nearby would join the chain.",
        ),
        Column(
            "category",
            "code",
            Text("主要类别", "Most frequent category"),
            required=True,
            codebook="incident_categories",
        ),
        Column("categories_count", "integer", Text("类别数", "Categories"), required=True, minimum=1),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 50",
)


def near_repeat(params: NearRepeatParams, context: Context, *, incidents: gpd.GeoDataFrame) -> Findings:
    """Test every band of distance and time, and find the chains of incidents near in both."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    n = len(selected.incidents)
    if n < MIN_INCIDENTS:
        why = f"only {n} of {len(incidents)} incidents are chosen and have a place, {MIN_INCIDENTS} are needed"
        raise InvalidParams("near_repeat: too few incidents", [Problem("too_few_incidents", why, "categories")])
    clock = clock_of(incidents, context.profile.time_zone)
    days = clock.days(seconds(selected.incidents["occurred_at"]))
    _, last_day = observed_days(incidents, params, clock) or (0, 0)
    context.progress(0.2, "incidents selected")
    bands, overall = _tested(params, selected.points, days)
    context.progress(0.8, "bands tested")
    chain = chains(selected.points, days, params.chain_distance_m, params.chain_days)
    features = _features(params, selected, days=days, chain=chain, last_day=last_day)
    return Findings(
        features,
        {
            "incidents_count": n,
            **_overall(overall),
            "table": _rows(params, bands),
            "chains_count": len(features),
            "open_chains_count": int(features["open"].sum()),
            "in_chains_share": float((chain >= 0).mean()),
            "largest_chain_count": int(features["incidents_count"].max()) if len(features) else 0,
        },
        used={"incidents": n},
        period=selected.period,
        choices={
            "inference": "permutation" if bands.permutations else "normal",
            "data_end_on": date_of(last_day).isoformat(),
            "extended_incidents_as_points": selected.moved_count,
            "spans_by_earliest_time": _spans_count(selected),
        },
        left_out=selected.left_out,
    )


def _tested(params: NearRepeatParams, points: np.ndarray, days: np.ndarray) -> tuple[KnoxTable, KnoxTable]:
    """Return the table of all bands, and the one band of the chains' limits, with p found the same way."""
    both = (((0.0, *params.distance_m), params.days), ((params.chain_distance_m,), (params.chain_days,)))
    try:
        bands, overall = (knox(points, days, *ends) for ends in both)
    except InvalidInput as error:
        why = f"{error.message}; take smaller distances, or fewer incidents"
        raise InvalidParams("near_repeat: too many pairs", [Problem("too_many_pairs", why, "distance_m")]) from None
    pairs = max(int(bands.space_pairs.sum()), int(overall.space_pairs.sum()))
    if not params.permutations or pairs * params.permutations > MOST_RECOUNTS:
        return bands, overall
    drawn = (knox(points, days, *ends, permutations=params.permutations, seed=params.seed) for ends in both)
    return next(drawn), next(drawn)


def _overall(table: KnoxTable) -> dict[str, object]:
    return {
        "space_pairs_count": int(table.space_pairs.sum()),
        "observed_pairs_count": int(table.observed.sum()),
        "expected_pairs_count": float(table.mean.sum()),
        "knox_ratio": _number(table.ratio.item()),
        "z": _number(table.z.item()),
        "p": _number(table.p.item()),
    }


def _rows(params: NearRepeatParams, table: KnoxTable) -> list[dict[str, object]]:
    """Return one dict a band of distance and time, distances first."""
    q = benjamini_hochberg(table.p.ravel()).reshape(table.p.shape)
    ratio = table.ratio
    rows: list[dict[str, object]] = []
    for s, far in enumerate((0.0, *params.distance_m)):
        near = 0.0 if s < 2 else params.distance_m[s - 2]  # noqa: PLR2004 - same place, first band
        for t, late in enumerate(params.days):
            early = params.days[t - 1] + 1 if t else 0
            rows.append(
                {
                    "distance_band": f"{near:g}-{far:g} m" if s else "same_place",
                    "days_band": f"{early}-{late}",
                    "distance_from_m": near,
                    "distance_to_m": far,
                    "days_from": early,
                    "days_to": late,
                    "observed": int(table.observed[s, t]),
                    "expected": float(table.mean[s, t]),
                    "ratio": _number(ratio[s, t]),
                    "z": _number(table.z[s, t]),
                    "p": _number(table.p[s, t]),
                    "q": _number(q[s, t]),
                    "significant": bool(q[s, t] <= params.alpha),
                }
            )
    return rows


def _features(
    params: NearRepeatParams, selected: Selected, *, days: np.ndarray, chain: np.ndarray, last_day: int
) -> gpd.GeoDataFrame:
    """Return the chains: those that are open first, then by their last incident, then by size."""
    order = np.argsort(chain, kind="stable")
    order = order[np.count_nonzero(chain < 0) :]
    number, start, count = np.unique(chain[order], return_index=True, return_counts=True)
    if number.size == 0:
        return gpd.GeoDataFrame(columns=[*NEAR_REPEAT.names, "geometry"], crs=selected.incidents.crs)
    times = pd.to_datetime(selected.incidents["occurred_at"], utc=True).iloc[order].groupby(chain[order])
    until = np.maximum.reduceat(days[order], start) + params.chain_days
    span = until - params.chain_days - np.minimum.reduceat(days[order], start)
    category, categories = _categories(selected.incidents["category"].iloc[order], chain[order])
    hulls = shapely.convex_hull(shapely.multipoints(selected.points[order], indices=chain[order]))
    features = gpd.GeoDataFrame(
        {
            "chain_class": np.where(until > last_day, "open", "closed"),
            "open": until > last_day,
            "incidents_count": count,
            "first_at": times.min().array,
            "last_at": times.max().array,
            "span_days": span,
            "until_on": until.astype("datetime64[D]").astype("datetime64[s]"),
            "category": category,
            "categories_count": categories,
        },
        geometry=shapely.buffer(hulls, params.chain_distance_m / 2),
        crs=selected.incidents.crs,
    )
    ranked = features.sort_values(
        ["open", "last_at", "incidents_count"], ascending=False, kind="stable", ignore_index=True
    )
    ranked["code"] = [f"chain-{rank:05}" for rank in range(1, len(ranked) + 1)]
    return ranked[[*NEAR_REPEAT.names, "geometry"]]


def _categories(category: pd.Series, chain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the most frequent category of each chain, the first by name among equals, and how many it has."""
    counts = pd.DataFrame({"chain": chain, "category": category.to_numpy()}).value_counts().reset_index(name="count")
    ordered = counts.sort_values(["chain", "count", "category"], ascending=[True, False, True])
    by_chain = ordered.groupby("chain")["category"]
    return by_chain.first().to_numpy(dtype=object), by_chain.size().to_numpy()


def _spans_count(selected: Selected) -> int:
    rows = selected.incidents
    return int(rows["occurred_until_at"].notna().sum()) if "occurred_until_at" in rows.columns else 0


def _number(value: float) -> float | None:
    """Return a number as JSON knows it: None where there is none."""
    return float(value) if np.isfinite(value) else None


SERVICE = Service(
    id="near_repeat",
    version=1,
    title=Text("近重复", "Near repeats"),
    abstract=Text(
        "按 Knox 检验，看距离近的事件在时间上是否也近得不像偶然：各距离与时间段的观测数、精确期望与方差、p 值和校正；"
        "并列出时空相近的事件链，标明回访期。",
        "Knox's test of whether incidents near in space are near in time beyond chance, for every band of distance and "
        "time at once, with exact mean and variance; and the chains of incidents near in both, with the day until "
        "which follow-up is due.",
    ),
    card=Text(
        "显示时空相近的事件链、回访期到哪一天，以及这种相近是否超出偶然。链只是地点和事件的相近，不证明事件相关，也不指向任何人；"
        "所选事件越多越密，偶然成链的也越多。",
        "Shows chains of incidents near in space and time, until when follow-up is due, and whether there are more "
        "such pairs than chance would make. A chain is nearness of places and events, no proof that they are "
        "connected, and the denser the chosen incidents the more chains form by chance.",
    ),
    mandate="Art. 18, 50",
    params=NearRepeatParams,
    inputs=(Input(INCIDENTS),),
    output=NEAR_REPEAT,
    compute=near_repeat,
)
