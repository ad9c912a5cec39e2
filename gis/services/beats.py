"""Police beats as unions of whole grids: even workloads, short ways, few changes; who answers, and how soon."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.beat_division import BeatCity, Division, continued_beats, divided, search_limit_s
from gis.city.beat_params import BeatsParams
from gis.city.beat_regions import NO_BEAT, posts_in_grids, regions_of
from gis.city.beat_report import BeatFigures, beat_rows, compared_row, figures, unit_rows
from gis.city.beat_work import work_of
from gis.city.frames import BEATS, COMMUNITIES, GRIDS, INCIDENTS, POSTS, SEGMENTS
from gis.city.grid_graph import grid_graph
from gis.city.selection import select_incidents
from gis.city.study_area import grids_in_force
from gis.city.travel import travel
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.kernels.block_graph import Ints

PROPOSED_BEATS = FrameSpec(
    "proposed_beats",
    Text("警格建议", "Proposed beats"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("street_code", "code", Text("所属街道", "Street")),
        Column("is_new", "boolean", Text("新警格", "New beat"), required=True),
        Column("post_code", "code", Text("巡防点", "Post"), description="Of several, the first."),
        Column("load_class", "code", Text("工作量等级", "Workload class"), required=True, codebook="beat_load_classes"),
        Column(
            "load_ratio",
            "real",
            Text("工作量（平均为 1）", "Workload (mean = 1)"),
            required=True,
            minimum=0,
            description="Of the mean of all beats; made of incidents and households.",
        ),
        Column("grids_count", "integer", Text("网格数", "Grids"), required=True, minimum=1),
        Column("moved_grids_count", "integer", Text("划入的网格", "Grids that join it"), required=True, minimum=0),
        Column("households_count", "integer", Text("户数", "Households"), required=True, minimum=0),
        Column("incidents_per_year", "real", Text("年事件数", "Incidents a year"), required=True, minimum=0),
        Column("area_km2", "real", Text("面积", "Area"), required=True, minimum=0, unit="km²"),
        Column(
            "travel_min",
            "real",
            Text("到事发地时间", "Way to incidents"),
            minimum=0,
            unit="min",
            description="Mean travel time of its own unit; empty where no unit of its own gets there.",
        ),
        Column(
            "response_min",
            "real",
            Text("预期响应时间", "Expected response"),
            minimum=0,
            unit="min",
            description="Mean time until whichever unit is free is there, waiting included.",
        ),
        Column("busy_share", "real", Text("忙碌占比", "Unit busy"), minimum=0, maximum=1),
        Column("outside_share", "real", Text("外警格出动占比", "Answered from outside"), minimum=0, maximum=1),
        Column("all_busy_share", "real", Text("全忙占比", "All units busy"), minimum=0, maximum=1),
    ),
    AREAS,
    key="code",
    mandate="Art. 18",
)


def proposed_beats(
    params: BeatsParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame | None,
    communities: gpd.GeoDataFrame | None,
    beats: gpd.GeoDataFrame | None,
) -> Findings:
    """Divide the grids into beats, and compare them with those in force."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    chosen = grids_in_force(grids, selected.period and selected.period[1])
    chosen = chosen.sort_values("code", kind="stable").reset_index(drop=True)
    work = work_of(
        selected, chosen, params, time_zone=context.profile.time_zone, incidents_share=params.incidents_share
    )
    regions = regions_of(chosen, communities, params.inside)
    graph, ties_count = grid_graph(chosen.geometry.to_numpy(), regions.of)
    context.progress(0.1, f"{len(chosen)} grids in {len(regions.names)} parts")
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    places = trips.snap(work.points, trips.snap_limit_m(params))
    codes, present = _beats_in_force(chosen)
    on_posts = posts_in_grids(posts, params.post_kinds, chosen, regions) if params.centres == "posts" else None
    limit_s = search_limit_s(params, graph.area_m2, len(codes) if on_posts is None else len(on_posts.frame))
    city = BeatCity(chosen, regions, graph, work, present, codes, on_posts, trips, places, limit_s)
    new, old = divided(params, city, lambda share, part: context.progress(0.15 + 0.65 * share, part))
    continued = continued_beats(city, new)
    context.progress(0.85, "who answers")
    proposed = _figures(params, city, new)
    before = None if old is None else _figures(params, city, old)
    features = _features(params, city, new, continued, proposed, beats)
    moved = np.flatnonzero(city.present != continued[new.beat]) if len(codes) else np.empty(0, np.int64)
    names = features["code"].to_numpy()
    off = int((~places.found).sum())
    return Findings(
        features.sort_values("code", kind="stable", ignore_index=True),
        {
            "beats_count": len(features),
            "grids_count": len(chosen),
            "moved_grids_count": len(moved),
            "moved_load_share": float(work.load[moved].sum()),
            "calls_per_day": float(work.rate_per_min.sum() * 1_440),
            "calls_at_once": float(work.rate_per_min.sum() * params.mean_service_min),
            "compared": [
                compared_row(division, found, tolerance=params.tolerance)
                for division, found in (("present", before), ("proposed", proposed))
                if found is not None
            ],
            "units": unit_rows(proposed, names, _unit_names(city, names)),
            "present_beats": [] if before is None else beat_rows(before, codes),
            "moved_grids": _moved_rows(city, moved, names[new.beat]),
        },
        used={
            "incidents": int(work.counts.sum()),
            "grids": len(chosen),
            "segments": trips.streets.segments_count,
            "posts": 0 if on_posts is None else len(on_posts.frame),
        },
        period=selected.period,
        choices={
            "inside": regions.inside,
            "model": "exact" if proposed.answers.exact else "approximate",
            "tied_pieces_count": ties_count,
            "period_days": round(work.days, 3),
            **trips.choices(params, places),
        },
        left_out=(
            *selected.left_out,
            *LeftOut.some("incidents", "outside_grids", work.outside_count),
            *LeftOut.some("grids", "not_in_force", len(grids) - len(chosen)),
            *LeftOut.some("grids", "too_far_from_street", off),
            *LeftOut.some("segments", "closed_to_mode", len(segments) - trips.streets.segments_count),
            *LeftOut.some("posts", "outside_grids", 0 if on_posts is None else on_posts.outside_count),
        ),
    )


def _beats_in_force(grids: gpd.GeoDataFrame) -> tuple[np.ndarray, Ints]:
    """Return the codes (b,) of the beats in force, and the beat (n,) of each grid."""
    if "beat_code" not in grids.columns:
        return np.empty(0, dtype=object), np.full(len(grids), NO_BEAT)
    place, codes = pd.factorize(grids["beat_code"], sort=True)
    return np.asarray(codes, dtype=object), place.astype(np.int64)


def _figures(params: BeatsParams, city: BeatCity, division: Division) -> BeatFigures:
    """Return what the beats of one division are worth."""
    if city.posts is None:
        units, unit_beat = city.places.take(division.centre), np.arange(len(division.centre))
    else:
        xy = np.column_stack([city.posts.frame.geometry.x, city.posts.frame.geometry.y])
        units = city.trips.snap(xy, city.trips.snap_limit_m(params))
        unit_beat = division.beat[city.posts.grid]
    seconds = city.trips.matrix_s(units, city.places, limit_s=1.5 * city.limit_s)
    return figures(
        division.beat,
        unit_beat,
        seconds,
        city.work,
        city.graph,
        beats_count=len(division.centre),
        service_min=params.mean_service_min,
        when_busy=params.when_busy,
    )


def _features(  # noqa: PLR0917 - called once
    params: BeatsParams,
    city: BeatCity,
    new: Division,
    continued: Ints,
    found: BeatFigures,
    beats: gpd.GeoDataFrame | None,
) -> gpd.GeoDataFrame:
    shapes, order = city.grids.geometry.to_numpy(), np.argsort(new.beat, kind="stable")
    parts = np.split(shapes[order], np.searchsorted(new.beat[order], np.arange(1, len(new.centre))))
    street = np.array([city.regions.names[r] for r in city.regions.of[new.centre]], dtype=object)
    code = np.where(continued >= 0, city.codes[continued] if len(city.codes) else "", "").astype(object)
    fresh = np.flatnonzero(continued < 0)
    code[fresh] = _new_codes(street[fresh], set(city.codes.tolist()))
    names = {name: np.full(len(code), None, dtype=object) for name in ("name_zh", "name_en")}
    if beats is not None:
        known = beats.drop_duplicates("code").set_index("code")
        for name in names:
            if name in known.columns:
                names[name] = known[name].reindex(code).to_numpy(object)
    ratio = found.load_ratio
    post = np.full(len(code), None, dtype=object)
    if city.posts is not None:
        post[found.unit_beat[::-1]] = city.posts.frame["source_id"].to_numpy(object)[::-1]
    moved = np.bincount(new.beat, city.present != continued[new.beat], minlength=len(code)) if len(city.codes) else 0
    tolerance = params.tolerance + 1e-9
    return gpd.GeoDataFrame(
        {
            "code": code,
            **names,
            "street_code": [name or None for name in street],
            "is_new": continued < 0,
            "post_code": post,
            "load_class": np.select([ratio > 1 + tolerance, ratio < 1 - tolerance], ["heavy", "light"], "within"),
            "load_ratio": ratio,
            "grids_count": np.bincount(new.beat),
            "moved_grids_count": np.broadcast_to(moved, len(code)).astype(np.int64),
            "households_count": np.bincount(new.beat, city.work.households).astype(np.int64),
            "incidents_per_year": np.bincount(new.beat, city.work.per_year),
            "area_km2": np.bincount(new.beat, city.graph.area_m2) / 1e6,
            "travel_min": found.travel_s / 60,
            "response_min": found.response_s / 60,
            "busy_share": np.clip(found.busy_share, 0.0, 1.0),
            "outside_share": np.clip(found.outside_share, 0.0, 1.0),
            "all_busy_share": np.clip(found.all_busy_share, 0.0, 1.0),
        },
        geometry=[shapely.union_all(part) for part in parts],
        crs=city.grids.crs,
    )


def _new_codes(streets: np.ndarray, taken: set[str]) -> list[str]:
    """Return a code for each new beat: its street's, N and the lowest number that is free."""
    codes = []
    for street in streets.tolist():
        number = 1
        while (code := f"{street}N{number:02d}") in taken:
            number += 1
        taken.add(code)
        codes.append(code)
    return codes


def _moved_rows(city: BeatCity, moved: Ints, to: np.ndarray) -> list[dict[str, object]]:
    """Return the grids that change beat; `to` (n,) is the code of each grid's proposed beat."""
    codes, grid = [*city.codes.tolist(), None], city.grids["code"].to_numpy(object)
    return [{"grid_code": grid[i], "from_beat": codes[city.present[i]], "to_beat": str(to[i])} for i in moved.tolist()]


def _unit_names(city: BeatCity, beats: np.ndarray) -> np.ndarray:
    """Return what units (u,) are called: after their posts, or their beats."""
    return beats if city.posts is None else city.posts.frame["source_id"].to_numpy(object)


SERVICE = Service(
    id="beats",
    version=1,
    title=PROPOSED_BEATS.title,
    abstract=Text(
        "以完整网格组成警格：工作量均衡、到事发地快、少变动；并以超立方体排队模型估算忙碌程度、响应时间和跨警格出动。",
        "Makes beats of whole grids with even workloads, short ways and few changes, and estimates by hypercube "
        "queueing how busy each unit is, how soon it comes, and how often it answers for another beat.",
    ),
    card=Text(
        "建议的警格，以及与现有警格相比的均衡程度和预期响应时间。按平均到警率估算，高峰时段更忙；不含未上报的事件，也不替代现场判断。",
        "Proposed beats, and how even and how quick they are against those in force. Estimates for average call rates: "
        "peak hours are busier, and what nobody reports is not in it.",
    ),
    mandate="Art. 18",
    params=BeatsParams,
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS),
        Input(SEGMENTS),
        Input(POSTS, required=False),
        Input(COMMUNITIES, required=False),
        Input(BEATS, required=False),
    ),
    output=PROPOSED_BEATS,
    compute=proposed_beats,
    policies=("travel",),
)
