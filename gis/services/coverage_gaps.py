"""Who is too far from every post: travel time to each place, what is covered in time, and what one post changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pydantic import Field

from gis.city.demand import Demand, DemandSelection, find_demand
from gis.city.frames import BLOCKS, DISTRICTS, GRIDS, INCIDENTS, KEY_UNITS, POSTS, RENTALS, SEGMENTS, WATER_AREAS
from gis.city.post_coverage import PostChoice, Posts, Times, choose_posts, goals_of, reached_pairs, times
from gis.city.travel import Places, Travel, travel
from gis.contract.frame import ANY_GEOMETRY, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.crs import LONLAT
from gis.kernels.coverage import gains, post_changes, two_step_access, weighted_quantiles

RINGS = ("first", "second", "third", "further")
PER_STAFF = 1_000.0
MOST_AREAS = 300
"""Rows of a table by area or post; the rest are summed up in none and only counted."""
MOST_SITES = 300
BEST_SITES = 10

_Minutes = Annotated[tuple[Annotated[float, Field(gt=0, le=120)], ...], Field(min_length=1, max_length=4)]


class CoverageGapsParams(DemandSelection, PostChoice):
    """Whom the posts have to reach, and in which time."""

    rings_min: _Minutes | None = Field(default=None, json_schema_extra={"unit": "min"})
    """Response rings in minutes; a place beyond the last one is a gap. Without a value, those of the policy (1, 3 and
    5)."""


COVERAGE_GAPS = FrameSpec(
    "coverage_gaps",
    Text("覆盖盲区", "Coverage gaps"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("kind", "code", Text("类别", "Kind")),
        Column(
            "coverage_class",
            "code",
            Text("响应圈", "Response ring"),
            required=True,
            codebook="coverage_classes",
            description="The ring within which the nearest post is; beyond the last one it is a gap.",
        ),
        Column("is_covered", "boolean", Text("已覆盖", "Covered"), required=True),
        Column("minutes", "real", Text("到达时间", "Time from the nearest post"), minimum=0, unit="min"),
        Column("post_code", "code", Text("最近巡防点", "Nearest post")),
        Column("second_min", "real", Text("次近点到达时间", "Time from the second nearest"), minimum=0, unit="min"),
        Column("second_post_code", "code", Text("次近巡防点", "Second nearest post")),
        Column("posts_count", "integer", Text("及时可达的点数", "Posts in time"), required=True, minimum=0),
        Column("weight", "real", Text("户数或数量", "Households or count"), required=True, minimum=0),
        Column("gap_rank", "integer", Text("盲区名次", "Rank among the gaps"), minimum=1),
        Column(
            "staff_per_1000",
            "real",
            Text("每千户岗位", "Positions per 1,000"),
            required=True,
            minimum=0,
            description="Two-step floating catchment: staff positions for a thousand of the weight, longer ways less.",
        ),
        Column("minutes_now", "real", Text("现状到达时间", "Time as it is now"), minimum=0, unit="min"),
        Column("grid_code", "code", Text("网格", "Grid")),
        Column("community_code", "code", Text("社区", "Community")),
    ),
    ANY_GEOMETRY,
    key="code",
    mandate="Art. 18, 22",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    """The question with everything that answers it."""

    demand: Demand
    goals: Places
    posts: Posts
    found: Times
    rings_min: tuple[float, ...]

    @property
    def minutes(self) -> np.ndarray:
        return self.found.first_s / 60

    @property
    def is_covered(self) -> np.ndarray:
        return self.found.reached.within_count > 0


def coverage_gaps(
    params: CoverageGapsParams,
    context: Context,
    *,
    posts: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    **frames: gpd.GeoDataFrame | None,
) -> Findings:
    """Return each place with its time from the posts, the worst gaps first."""
    demand = find_demand(params, context, frames)
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    rings_min = tuple(sorted(set(params.rings_min or trips.policy.rings_min)))
    limit_s = rings_min[-1] * 60
    goals = goals_of(trips, demand, params)
    now, then = choose_posts(posts, params, trips, context.profile.metric_crs)
    context.progress(0.2, f"{len(demand)} places, {len(then)} posts")
    is_change = bool(params.closed_posts or params.added_posts)
    before = _Looked(demand, goals, now, times(trips, now, goals, limit_s), rings_min)
    after = before
    if is_change:
        context.progress(0.5, "the posts as they would be")
        after = _Looked(demand, goals, then, times(trips, then, goals, limit_s), rings_min)
    context.progress(0.8, "what each post means")
    features = _features(after, before.minutes if is_change else None, posts.crs)
    summary = {
        **_totals(after),
        "by_ring": _by_ring(features),
        "by_post": list(_by_post(after)),
        "by_community": _by_area(features, "community_code"),
        "by_grid": _by_area(features, "grid_code"),
        "best_sites": _best_sites(after, trips, posts.crs),
    }
    if is_change:
        summary["change"] = _change(before, after)
    off = int((~then.places.found).sum())
    return Findings(
        features,
        summary,
        used={
            demand.frame: demand.used_count(len(demand)),
            "posts": len(then) - off,
            "segments": trips.streets.segments_count,
        },
        choices={"rings_min": list(rings_min), "demand": params.demand, **trips.choices(params, goals, then.places)},
        left_out=(
            *demand.left_out,
            *LeftOut.some("posts", "too_far_from_street", off),
            *LeftOut.some("segments", "closed_to_mode", len(segments) - trips.streets.segments_count),
        ),
    )


def _features(looked: _Looked, minutes_now: np.ndarray | None, crs: Any) -> gpd.GeoDataFrame:
    demand, found, posts = looked.demand, looked.found, looked.posts
    ring = np.searchsorted(np.array(looked.rings_min), looked.minutes, side="left")
    names = np.array([*(RINGS[: len(looked.rings_min)]), "gap"], dtype=object)
    # Found by the pairs and not by the division above: on the very limit both say the same.
    classes = np.where(looked.is_covered, names[np.minimum(ring, len(looked.rings_min) - 1)], "gap")
    classes[~looked.goals.found] = "no_street"
    table = gpd.GeoDataFrame(
        {
            "code": demand.codes,
            "name_zh": demand.names_zh,
            "name_en": demand.names_en,
            "kind": demand.kinds,
            "coverage_class": classes,
            "is_covered": looked.is_covered,
            "minutes": _finite(looked.minutes),
            "post_code": _named(posts, found.first),
            "second_min": _finite(found.second_s / 60),
            "second_post_code": _named(posts, found.second),
            "posts_count": found.reached.within_count,
            "weight": demand.weight,
            "staff_per_1000": PER_STAFF
            * two_step_access(found.reached, demand.weight, posts.supply, limit_s=looked.rings_min[-1] * 60),
            "minutes_now": _finite(minutes_now) if minutes_now is not None else np.nan,
            "grid_code": demand.grid_code,
            "community_code": demand.community_code,
        },
        geometry=demand.shapes,
        crs=crs,
    )
    # The gaps first, those of most weight first, of equal weight the one that waits longest.
    wait = np.nan_to_num(looked.minutes, posinf=np.inf)
    order = np.lexsort((table["code"].astype(str), -wait, -demand.weight, looked.is_covered))
    table = table.iloc[order].reset_index(drop=True)
    gaps = int((~looked.is_covered).sum())
    table["gap_rank"] = pd.array([*range(1, gaps + 1), *([None] * (len(table) - gaps))], dtype="Int64")
    return table[[*COVERAGE_GAPS.names, "geometry"]]


def _totals(looked: _Looked) -> dict[str, Any]:
    weight, covered = looked.demand.weight, looked.is_covered
    total, twice = float(weight.sum()), looked.found.reached.within_count > 1
    reachable = np.isfinite(looked.minutes)
    half, most = weighted_quantiles(looked.minutes[reachable], weight[reachable], np.array([0.5, 0.9]))
    return {
        "places_count": len(weight),
        "demand_weight": total,
        "covered_weight": float(weight[covered].sum()),
        "covered_share": float(weight[covered].sum() / total),
        "twice_share": float(weight[twice].sum() / total),
        "gap_weight": float(weight[~covered].sum()),
        "gaps_count": int((~covered).sum()),
        "no_street_count": int((~looked.goals.found).sum()),
        "unreachable_count": int((looked.goals.found & ~reachable).sum()),
        "median_min": _or_none(half),
        "p90_min": _or_none(most),
        "mean_min": _or_none(_mean(looked.minutes, weight)),
        "posts_count": len(looked.posts),
    }


def _by_ring(features: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    total = float(features["weight"].sum())
    rows = features.groupby("coverage_class", sort=False)["weight"].agg(["size", "sum"])
    return [
        {
            "coverage_class": name,
            "places_count": int(rows["size"].get(name, 0)),
            "demand_weight": float(rows["sum"].get(name, 0.0)),
            "demand_share": float(rows["sum"].get(name, 0.0) / total),
        }
        for name in (*RINGS, "gap", "no_street")
        if name in rows.index
    ]


def _by_post(looked: _Looked) -> Iterator[dict[str, Any]]:
    """Yield what each post means, the one whose closing would uncover most first."""
    posts, found = looked.posts, looked.found
    change = post_changes(found.reached, looked.demand.weight, found.first, found.first_s, found.second_s)
    longer = np.divide(change.slower_s, change.nearest, out=np.zeros(len(posts)), where=change.nearest > 0) / 60
    order = np.lexsort((posts.codes.astype(str), -change.nearest, -change.only))[:MOST_AREAS]
    for i in order.tolist():
        yield {
            "post_code": posts.codes[i],
            "name_zh": posts.names_zh[i],
            "name_en": posts.names_en[i],
            "on_street": bool(posts.places.found[i]),
            "is_new": bool(posts.is_new[i]),
            "positions_count": int(posts.supply[i]),
            "covered_weight": float(change.covers[i]),
            "nearest_weight": float(change.nearest[i]),
            "only_weight": float(change.only[i]),
            "slower_min": _or_none(longer[i]),
        }


def _by_area(features: gpd.GeoDataFrame, column: str) -> list[dict[str, Any]]:
    """Return the areas with a gap, those of most uncovered weight first."""
    table = pd.DataFrame(
        {
            "area": features[column],
            "weight": features["weight"],
            "gap_weight": features["weight"].where(~features["is_covered"], 0.0),
            "moment": features["weight"] * features["minutes"],
            "timed": features["weight"].where(features["minutes"].notna(), 0.0),
        }
    )
    sums = table.groupby("area", sort=True).sum()
    worst = sums[sums["gap_weight"] > 0].sort_values("gap_weight", ascending=False, kind="stable")
    return [
        {
            column: str(row.Index),
            "demand_weight": float(row.weight),
            "gap_weight": float(row.gap_weight),
            "covered_share": float(1 - row.gap_weight / row.weight),
            "mean_min": float(row.moment / row.timed) if row.timed > 0 else None,
        }
        for row in worst.head(MOST_AREAS).itertuples()
    ]


def _best_sites(looked: _Looked, trips: Travel, crs: Any) -> list[dict[str, Any]]:
    """Return where one more post would cover most that nobody covers: at the heaviest gaps themselves."""
    gaps = np.flatnonzero(~looked.is_covered & looked.goals.found)
    sites = gaps[np.lexsort((gaps, -looked.demand.weight[gaps]))][:MOST_SITES]
    if not sites.size:
        return []
    limit_s = looked.rings_min[-1] * 60
    reached = reached_pairs(trips, looked.goals.take(sites), looked.goals, limit_s)
    gained = gains(reached, looked.demand.weight, looked.is_covered)
    lonlat = gpd.GeoSeries.from_xy(*looked.demand.points[sites].T, crs=crs).to_crs(LONLAT)
    best = np.lexsort((sites, -gained))[:BEST_SITES]
    return [
        {
            "code": looked.demand.codes[sites[i]],
            "name_zh": looked.demand.names_zh[sites[i]],
            "name_en": looked.demand.names_en[sites[i]],
            "lon": float(lonlat.iloc[i].x),
            "lat": float(lonlat.iloc[i].y),
            "gained_weight": float(gained[i]),
        }
        for i in best.tolist()
    ]


def _change(before: _Looked, after: _Looked) -> dict[str, Any]:
    """Return what closing and adding the posts changes."""
    weight = before.demand.weight
    was, now = before.is_covered, after.is_covered
    both = np.isfinite(before.minutes) & np.isfinite(after.minutes)
    difference = after.minutes[both] - before.minutes[both]
    return {
        "covered_weight_before": float(weight[was].sum()),
        "covered_weight_after": float(weight[now].sum()),
        "gained_weight": float(weight[now & ~was].sum()),
        "lost_weight": float(weight[was & ~now].sum()),
        "faster_weight": float(weight[both][difference < 0].sum()),
        "slower_weight": float(weight[both][difference > 0].sum()),
        "mean_min_before": _or_none(_mean(before.minutes, weight)),
        "mean_min_after": _or_none(_mean(after.minutes, weight)),
    }


def _mean(minutes: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted mean over those who are reached at all; who is not, is counted apart."""
    has = np.isfinite(minutes)
    return float(np.average(minutes[has], weights=weight[has])) if has.any() else np.nan


def _named(posts: Posts, which: np.ndarray) -> np.ndarray:
    return np.asarray(np.where(which >= 0, posts.codes[which], None))


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


SERVICE = Service(
    id="coverage_gaps",
    version=2,
    title=COVERAGE_GAPS.title,
    abstract=Text(
        "按道路行程时间逐点计算每处（户、重点单位、出租房、事件）到最近与次近巡防点的时间，划分响应圈，列出盲区，并给出增设或"
        "关闭一个点的影响。",
        "Travel time along the streets from the nearest and second nearest post to every place (households, key units, "
        "rentals, incidents), response rings, the list of gaps, and what one post more or less would change.",
    ),
    card=Text(
        "显示每个地点从最近巡防点出发几分钟可达，超过最后一圈即为盲区。时间为政策速度下的行车时间，不含红绿灯、转弯与出警准备。",
        "Shows within how many minutes each place is reached from its nearest post; beyond the last ring it is a gap. "
        "Times follow the policy's speeds, without lights, turns or getting ready.",
    ),
    mandate="Art. 18, 22",
    params=CoverageGapsParams,
    inputs=(
        Input(POSTS),
        Input(SEGMENTS),
        Input(BLOCKS, required=False),
        Input(KEY_UNITS, required=False),
        Input(RENTALS, required=False),
        Input(INCIDENTS, required=False),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=COVERAGE_GAPS,
    compute=coverage_gaps,
    tells=tuple(Tells(frame, when=("demand", frame)) for frame in ("key_units", "rentals", "incidents")),
    policies=("travel",),
)
