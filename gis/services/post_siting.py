"""Where further posts would do most: fewest posts that reach all, most reached with so many, or the least mean time."""

from __future__ import annotations

from typing import Annotated, Literal

import geopandas as gpd
import numpy as np
from pydantic import Field

from gis.city.candidate_sites import Candidates, candidate_sites
from gis.city.demand import Demand, DemandSelection, find_demand
from gis.city.frames import (
    BLOCKS,
    COMMUNITIES,
    DISTRICTS,
    GRIDS,
    INCIDENTS,
    KEY_UNITS,
    POSTS,
    RENTALS,
    SEGMENTS,
    WATER_AREAS,
)
from gis.city.siting_question import SitingQuestion, Standing, WantedPost, siting_question
from gis.city.travel import TravelParams, travel
from gis.contract.frame import POINTS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.errors import Infeasible
from gis.kernels.median import Backup, p_median
from gis.kernels.mixed_integer import Watch
from gis.kernels.siting import cover_within, lscp_backup, mclp
from gis.kernels.siting_answer import Siting

MOST_NAMED = 20
"""Places out of reach that are named; all are counted."""


class PostSitingParams(TravelParams, DemandSelection):
    """What is asked for."""

    goal: Literal["most_covered", "fewest_posts", "least_mean_time"] = "most_covered"
    """The most reached in time with so many new posts, the fewest posts that reach all that can be reached, or the
    least mean time with so many new posts."""
    new_posts_count: int = Field(default=3, ge=0, le=200)
    """New posts beside those kept and those wanted; plays no part where the fewest are looked for."""
    reach_min: float = Field(default=5.0, gt=0, le=120, json_schema_extra={"unit": "min"})
    """Within how many minutes of a post a place counts as reached."""
    keep_existing: bool = True
    """The posts that are there stay; otherwise the city is planned anew."""
    wanted_posts: Annotated[tuple[WantedPost, ...], Field(max_length=50)] = ()
    """New posts at these very places, whatever they reach: what one more here would change."""
    candidates: Candidates = "junctions"
    """Where a new post could be: at junctions, at key protection units, in the middle of communities, or anywhere on a
    lattice near a street."""
    candidates_count: int = Field(default=300, ge=1, le=2_000)
    """Candidates at most; of more, so many are taken that are spread evenly."""
    lattice_m: float = Field(default=500.0, ge=50, le=10_000, json_schema_extra={"unit": "m"})
    """Distance of the points of a lattice of candidates, in metres."""
    backup_share: float = Field(default=0.0, ge=0, le=1)
    """Share of what can be reached that two posts must reach in time."""
    farthest_min: float = Field(default=60.0, gt=0, le=600, json_schema_extra={"unit": "min"})
    """In a mean time a place that is farther, or not reached at all, counts as so many minutes."""
    answer: Literal["proven", "at_once"] = "proven"
    """Proven to be the best, within the time limit; or at once, for trying things out on the map. Both tell how far
    from the best the answer may be."""
    time_limit_s: float = Field(default=60.0, ge=1, le=600, json_schema_extra={"unit": "s"})
    """Seconds that a proof may take."""


POST_SITING = FrameSpec(
    "post_siting",
    Text("布点方案", "Siting of posts"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column(
            "order_number",
            "integer",
            Text("次序", "Order"),
            required=True,
            minimum=1,
            description="Existing posts first, then wanted ones, then new ones, the most useful first.",
        ),
        Column("standing", "code", Text("状态", "Standing"), required=True, codebook="siting_standings"),
        Column(
            "site_code",
            "code",
            Text("所在地编码", "Site"),
            description="Source id of an existing post or a key unit, code of a community; empty elsewhere.",
        ),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "gain_count",
            "real",
            Text("新增覆盖", "Newly reached"),
            required=True,
            minimum=0,
            description="What it reaches in time that those before it do not.",
        ),
        Column(
            "reached_count",
            "real",
            Text("可达数量", "Reached from here"),
            required=True,
            minimum=0,
            description="What it reaches in time, whoever else does.",
        ),
        Column(
            "only_count",
            "real",
            Text("唯一覆盖", "Reached only from here"),
            required=True,
            minimum=0,
            description="What would be out of reach without it, all others being there.",
        ),
        Column(
            "covered_share",
            "real",
            Text("累计覆盖率", "Reached so far"),
            required=True,
            minimum=0,
            maximum=1,
            description="Share of all that it and those before it reach in time.",
        ),
        Column(
            "mean_min",
            "real",
            Text("累计平均用时", "Mean time so far"),
            minimum=0,
            unit="min",
            description="Of what any of these reaches at all; empty where that is nothing.",
        ),
    ),
    POINTS,
    key="code",
    mandate="Art. 18",
)


def post_siting(
    params: PostSitingParams,
    context: Context,
    *,
    segments: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame | None,
    blocks: gpd.GeoDataFrame | None,
    key_units: gpd.GeoDataFrame | None,
    rentals: gpd.GeoDataFrame | None,
    incidents: gpd.GeoDataFrame | None,
    communities: gpd.GeoDataFrame | None,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None = None,
    water_areas: gpd.GeoDataFrame | None = None,
) -> Findings:
    """Choose sites, and say what each adds and how far from the best the choice may be."""
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    snap_m = trips.snap_limit_m(params)
    frames = {
        "blocks": blocks, "key_units": key_units, "rentals": rentals, "incidents": incidents, "grids": grids,
        "communities": communities, "districts": districts, "water_areas": water_areas,
    }  # fmt: skip
    demand = find_demand(params, context, frames)
    places = trips.snap(demand.points, snap_m)
    sites = candidate_sites(
        params.candidates, params.candidates_count, trips, frames, snap_m=snap_m, lattice_m=params.lattice_m
    )
    context.progress(0.1, f"{len(sites.points)} candidates, {len(demand)} places")
    standing = Standing(posts if params.keep_existing else None, params.wanted_posts, sites, segments.crs)
    asked = siting_question(standing, trips, demand, places, snap_m=snap_m)
    context.progress(0.3, "travel times known")
    limit_min = params.farthest_min if params.goal == "least_mean_time" else params.reach_min
    reachable = np.asarray((asked.seconds <= limit_min * 60).any(axis=0))
    if not reachable.any():
        raise Infeasible(f"no place lies within {limit_min:g} min of any post or candidate")
    chosen, proof = _choose(params, context, asked, reachable)
    order, reach_s, total = _ordered(params, asked, chosen), params.reach_min * 60, float(demand.weight.sum())
    return Findings(
        _features(asked, order, reach_s, total, segments.crs),
        {
            **_numbers(asked, order, reach_s, total),
            **proof,
            **_out_of_reach(demand, places.found, reachable),
            "candidates_count": len(sites.points),
        },
        used={
            demand.frame: demand.used_count(int(places.found.sum())),
            "segments": trips.streets.segments_count,
            "posts": int((asked.standing == "existing").sum()),
        },
        choices={"candidates_found_count": sites.found_count, **trips.choices(params, places)},
        left_out=(
            *demand.left_out,
            *LeftOut.some(demand.frame, "too_far_from_street", int((~places.found).sum())),
            *LeftOut.some("posts", "too_far_from_street", asked.lost_posts_count),
            *LeftOut.some("segments", "closed_to_mode", len(segments) - trips.streets.segments_count),
            *sites.left_out,
        ),
    )


def _choose(
    params: PostSitingParams, context: Context, asked: SitingQuestion, reachable: np.ndarray
) -> tuple[np.ndarray, dict[str, object]]:
    """Return the sites that are open, and the proof of how good they are."""
    weight, seconds, must = asked.weight[reachable], asked.seconds[:, reachable], asked.must
    p = int(must.sum()) + params.new_posts_count
    limit_s = params.time_limit_s if params.answer == "proven" else 0.0
    cover = cover_within(seconds, params.reach_min * 60)
    watch = _watch(context, limit_s)
    if params.goal != "fewest_posts" and p == 0:
        raise Infeasible("no post is kept, wanted or new: new_posts_count has to be at least 1")
    if params.goal == "fewest_posts":
        fewest, backed = lscp_backup(
            cover, weight, must=must, backup_share=params.backup_share, time_limit_s=limit_s, watch=watch
        )
        more = {"backup_bound_count": backed.bound, "backup_proven": backed.status == "optimal"}
        return backed.sites, {**_proof(fewest, 1.0), **more}
    if params.goal == "most_covered":
        found = mclp(cover, weight, p, must=must, backup_share=params.backup_share, time_limit_s=limit_s, watch=watch)
        return found.sites, _proof(found, 1.0)
    backup = Backup(cover, params.backup_share) if params.backup_share else None
    capped = np.minimum(seconds, params.farthest_min * 60)
    found = p_median(capped, weight, p, must=must, backup=backup, time_limit_s=limit_s, watch=watch)
    return found.sites, _proof(found, 60 * float(weight.sum()))


def _proof(found: Siting, unit: float) -> dict[str, object]:
    return {
        "objective_value": found.value / unit,
        "objective_bound": found.bound / unit,
        "gap_share": found.gap,
        "proven": found.status == "optimal",
    }


def _watch(context: Context, limit_s: float) -> Watch:
    def watch(seconds: float, value: float, bound: float) -> None:
        told = f"best {value:,.0f}, bound {bound:,.0f}" if np.isfinite([value, bound]).all() else "looking for a bound"
        context.progress(0.3 + 0.6 * min(seconds / max(limit_s, 1.0), 1.0), told)

    return watch


def _ordered(params: PostSitingParams, asked: SitingQuestion, chosen: np.ndarray) -> np.ndarray:
    """Return the sites as they would best be opened: what is there, what is wanted, then what adds most each time."""
    order = [int(j) for j in np.flatnonzero(asked.must)]
    left = [int(j) for j in chosen if not asked.must[j]]
    reach_s, farthest_s = params.reach_min * 60, params.farthest_min * 60
    nearest = np.minimum(asked.seconds[order].min(axis=0, initial=np.inf), np.inf)
    while left:
        gains = []
        for j in left:
            after = np.minimum(nearest, asked.seconds[j])
            covered = float(asked.weight[(after <= reach_s) & (nearest > reach_s)].sum())
            saved = float(asked.weight @ (np.minimum(nearest, farthest_s) - np.minimum(after, farthest_s)))
            gains.append((saved, covered) if params.goal == "least_mean_time" else (covered, saved))
        best = max(range(len(left)), key=lambda i: (*gains[i], -left[i]))
        order.append(left.pop(best))
        nearest = np.minimum(nearest, asked.seconds[order[-1]])
    return np.array(order, np.int64)


def _features(asked: SitingQuestion, order: np.ndarray, reach_s: float, total: float, crs: object) -> gpd.GeoDataFrame:
    seconds = asked.seconds[order]
    reached = seconds <= reach_s
    times = reached.sum(axis=0)
    before = np.cumsum(reached, axis=0) - reached
    nearest = np.minimum.accumulate(seconds, axis=0)
    gain = (reached & (before == 0)) @ asked.weight
    numbers = np.arange(1, order.size + 1)
    return gpd.GeoDataFrame(
        {
            "code": [f"site-{i:03d}" for i in numbers],
            "order_number": numbers,
            "standing": asked.standing[order],
            "site_code": asked.codes[order],
            "name_zh": asked.names_zh[order],
            "name_en": asked.names_en[order],
            "gain_count": gain,
            "reached_count": reached @ asked.weight,
            "only_count": (reached & (times == 1)) @ asked.weight,
            "covered_share": np.minimum(np.cumsum(gain) / total, 1.0),
            "mean_min": [_mean_min(row, asked.weight) for row in nearest],
        },
        geometry=gpd.points_from_xy(*asked.points[order].T),
        crs=crs,
    )


def _mean_min(seconds: np.ndarray, weight: np.ndarray) -> float | None:
    """Return the mean minutes of what is reached at all."""
    there = np.isfinite(seconds)
    return float(weight[there] @ seconds[there] / weight[there].sum() / 60) if there.any() else None


def _numbers(asked: SitingQuestion, order: np.ndarray, reach_s: float, total: float) -> dict[str, object]:
    def told(sites: np.ndarray) -> tuple[float, float, float | None]:
        times = (asked.seconds[sites] <= reach_s).sum(axis=0)
        nearest = asked.seconds[sites].min(axis=0, initial=np.inf)
        once, twice = (float(asked.weight[times >= least].sum()) for least in (1, 2))
        return once, twice, _mean_min(nearest, asked.weight)

    standing = asked.standing[order]
    before, after = told(order[standing == "existing"]), told(order)
    return {
        "demand_count": total,
        "existing_posts_count": int((standing == "existing").sum()),
        "wanted_posts_count": int((standing == "wanted").sum()),
        "proposed_posts_count": int((standing == "proposed").sum()),
        "covered_before_count": before[0],
        "covered_before_share": before[0] / total,
        "covered_count": after[0],
        "covered_share": after[0] / total,
        "twice_share": after[1] / total,
        "mean_before_min": before[2],
        "mean_min": after[2],
    }


def _out_of_reach(demand: Demand, on_street: np.ndarray, reachable: np.ndarray) -> dict[str, object]:
    """Return what no post and no candidate reaches, and which places that are, the largest first."""
    lost = np.flatnonzero(on_street)[~reachable]
    named = lost[np.lexsort((demand.codes[lost].astype(str), -demand.weight[lost]))][:MOST_NAMED]
    return {
        "uncoverable_count": float(demand.weight[lost].sum()),
        "uncoverable_places_count": int(lost.size),
        "off_street_count": float(demand.weight[~on_street].sum()),
        "uncoverable_places": [{"code": str(demand.codes[i]), "demand_count": float(demand.weight[i])} for i in named],
    }


SERVICE = Service(
    id="post_siting",
    version=1,
    title=POST_SITING.title,
    abstract=Text(
        "在候选地点中选址：以最少的点覆盖全部（LSCP，并优先后备覆盖）、以给定点数覆盖最多（MCLP）或平均用时最短"
        "（p-中位），保留现有点；由 HiGHS 证明最优，否则给出界与差距。",
        "Chooses among candidate sites: the fewest posts that reach all (LSCP, with the most backup), the most reached "
        "with so many (MCLP) or the least mean time (p-median), existing posts kept; proven by HiGHS, or with bound "
        "and gap.",
    ),
    card=Text(
        "显示新增巡防点设在何处作用最大，以及每个点新增多少覆盖。只按行车等用时计算，不看场地能否使用、人员是否足够。",
        "Shows where further posts would do most, and what each adds. It knows travel times only: not whether a site "
        "can be had, nor whether there is staff for it.",
    ),
    mandate="Art. 18",
    params=PostSitingParams,
    inputs=(
        Input(SEGMENTS),
        Input(POSTS, required=False),
        Input(BLOCKS, required=False),
        Input(KEY_UNITS, required=False),
        Input(RENTALS, required=False),
        Input(INCIDENTS, required=False),
        Input(COMMUNITIES, required=False),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=POST_SITING,
    compute=post_siting,
    # No row is a rental, but the places out of reach are named, and anybody can choose a post that reaches one house.
    tells=(
        Tells("rentals", when=("demand", "rentals"), in_rows=False),
        Tells("key_units", when=("candidates", "key_units")),
    ),
    policies=("travel",),
)
