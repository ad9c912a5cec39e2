"""Areas reached from the posts within the response rings: drawings, while every number of coverage is per place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from gis.city.frames import POSTS, SEGMENTS
from gis.city.street_parts import Stretches, runs
from gis.city.travel import Places, Travel, TravelParams, travel
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.isolines import Rings, lateness_s, rings

CELL_M = 25.0
STEP_M = 12.5
"""Streets are told to the raster as places so far apart at most."""
MOST_AREAS = 6_000
MOST_CELLS = 40_000_000
LEAST_M2 = 1.0
"""A ring around less ground than this is no area."""
LAST_S = 1e-3
RINGS = ("first", "second", "third", "further")


_Minutes = Annotated[tuple[Annotated[float, Field(gt=0, le=120)], ...], Field(min_length=1, max_length=8)]


class ReachAreasParams(TravelParams):
    """What is drawn."""

    rings_min: _Minutes | None = Field(default=None, json_schema_extra={"unit": "min"})
    """Within how many minutes; without a value, the response rings of the policy (1, 3 and 5)."""
    drawn: Literal["each_post", "all_posts"] = "each_post"
    """An area for each post, or one for all posts together: what any of them reaches."""
    beside_m: float = Field(default=50.0, ge=25, le=500, json_schema_extra={"unit": "m"})
    """How far beside a reached street, in metres, is drawn too, as far as one walks there in what is left of the
    time."""


REACH_AREAS = FrameSpec(
    "reach_areas",
    Text("可达范围", "Reached areas"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("post_code", "code", Text("巡防点编码", "Post"), description="Empty for all posts together."),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("kind", "code", Text("类别", "Kind"), codebook="post_kinds"),
        Column("ring", "code", Text("响应圈", "Response ring"), required=True, codebook="response_rings"),
        Column("ring_min", "real", Text("时间", "Within"), required=True, minimum=0, unit="min"),
        Column(
            "streets_km",
            "real",
            Text("可达街道", "Streets reached"),
            required=True,
            minimum=0,
            unit="km",
            description="Length of the streets reached in time; cut where the time ends, each counted once.",
        ),
        Column(
            "area_km2",
            "real",
            Text("图上面积", "Area as drawn"),
            required=True,
            minimum=0,
            unit="km2",
            description="Of the drawing only: it says nothing of who lives or works there.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18",
)


def reach_areas(
    params: ReachAreasParams, context: Context, *, posts: gpd.GeoDataFrame, segments: gpd.GeoDataFrame
) -> Findings:
    """Draw what is reached from each post, or from any, within each ring."""
    posts = posts.sort_values("source_id", kind="stable").reset_index(drop=True)
    trips = travel(segments, mode=params.travel_mode, hour=params.depart_hour)
    limits_min = tuple(sorted(set(params.rings_min or trips.policy.rings_min)))
    points = shapely.get_coordinates(posts.geometry.to_numpy())
    origins = trips.snap(points, trips.snap_limit_m(params))
    found = np.flatnonzero(origins.found)
    if (asked := len(found) * len(limits_min)) > MOST_AREAS and params.drawn == "each_post":
        why = f"{len(found):,} posts in {len(limits_min)} rings are {asked:,} areas, at most {MOST_AREAS:,} are drawn"
        raise InvalidParams("reach_areas: too many areas", [Problem("too_many_areas", why, "rings_min")])
    context.progress(0.1, f"{len(found)} posts on streets")
    rows = list(_drawn(params, context, _Posts(posts, points, origins, trips), limits_min))
    features = gpd.GeoDataFrame(rows, columns=[*REACH_AREAS.names, "geometry"], geometry="geometry", crs=posts.crs)
    # The widest first: what is drawn later lies on top.
    features = features.sort_values(["ring_min", "code"], ascending=[False, True], kind="stable", ignore_index=True)
    off = len(posts) - len(found)
    return Findings(
        features,
        {
            "posts_count": len(found),
            "areas_count": len(features),
            "by_ring": [_ring_row(features, limit) for limit in limits_min],
        },
        used={"posts": len(found), "segments": trips.streets.segments_count},
        choices={"rings_min": list(limits_min), "cell_m": CELL_M, **trips.choices(params, origins)},
        left_out=(
            *LeftOut.some("posts", "too_far_from_street", off),
            *LeftOut.some("segments", "closed_to_mode", len(segments) - trips.streets.segments_count),
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Posts:
    """The posts, where they are and where on the streets, and how one travels from them."""

    frame: gpd.GeoDataFrame
    points: np.ndarray
    places: Places
    trips: Travel

    def told(self, one: int) -> dict[str, object]:
        """Return what is said of one post."""
        row = self.frame.iloc[one]
        return {"post_code": row["source_id"], **{name: row.get(name) for name in ("name_zh", "name_en", "kind")}}


_ALL: dict[str, object] = {"post_code": None, "name_zh": "全部巡防点", "name_en": "All posts", "kind": None}


def _drawn(
    params: ReachAreasParams, context: Context, posts: _Posts, limits_min: tuple[float, ...]
) -> Iterator[dict[str, object]]:
    """Yield the row of each area."""
    found = np.flatnonzero(posts.places.found)
    reached = posts.trips.reached(posts.places, limits_min[-1] * 60)
    context.progress(0.3, f"{len(reached.edge)} stretches of street reached")
    groups = [(posts.told(one), np.array([one])) for one in found.tolist()]
    if params.drawn == "all_posts":
        groups = [(_ALL, np.asarray(found))] if len(found) else []
    order = np.argsort(reached.origin, kind="stable")
    for done, (told, members) in enumerate(groups, start=1):
        low, high = np.searchsorted(reached.origin[order], [members[0], members[-1] + 1])
        mine = reached.take(order[low:high])
        drawing = _Drawing(posts.trips, params, mine, posts.points[members])
        for number, limit in enumerate(limits_min):
            area = drawing.within(limit * 60)
            yield {
                "code": f"{told['post_code'] or 'all'}-{limit:g}",
                **told,
                "ring": RINGS[min(number, len(RINGS) - 1)],
                "ring_min": float(limit),
                "streets_km": _length_m(mine, limit * 60) / 1_000,
                "area_km2": float(shapely.area(area) / 1e6),
                "geometry": area,
            }
        context.progress(0.3 + 0.65 * done / len(groups), "drawing")


class _Drawing:
    """The streets reached and the posts, as points on a raster whose places lie at whole multiples of its step."""

    def __init__(self, trips: Travel, params: ReachAreasParams, reached: Stretches, posts: np.ndarray) -> None:
        points, seconds = _along(trips, reached)
        points, seconds = np.concatenate([posts, points]), np.concatenate([np.zeros(len(posts)), seconds])
        low, high = (np.round(edge / CELL_M).astype(int) for edge in (points.min(axis=0), points.max(axis=0)))
        margin = int(np.ceil(params.beside_m / CELL_M)) + 3
        low, columns_rows = low - margin, high - low + 2 * margin + 1
        if (cells := int(np.prod(columns_rows))) > MOST_CELLS:
            why = f"the drawing would need {cells:,} cells, at most {MOST_CELLS:,} are computed"
            raise InvalidParams("reach_areas: too wide", [Problem("too_many_cells", why, "rings_min")])
        self.corner_m = low * CELL_M
        self.points, self.seconds = (points - self.corner_m) / CELL_M, seconds
        self.shape = (int(columns_rows[1]), int(columns_rows[0]))
        self.reach_cells = params.beside_m / CELL_M
        self.cell_s = CELL_M / (trips.policy.leg_kmh / 3.6)

    def within(self, limit_s: float) -> shapely.Geometry:
        """Return the area that is reached in time, with its holes."""
        late_s = lateness_s(
            self.points, self.seconds, self.shape, limit_s=limit_s, reach_cells=self.reach_cells, cell_s=self.cell_s
        )
        # Rings touch where one is there in the very last moment, and only there.
        late_s[np.abs(late_s) < LAST_S] = -LAST_S
        around = rings(late_s, 0.0)
        return _area(replace(around, corners=self.corner_m + around.corners * CELL_M))


def _along(trips: Travel, reached: Stretches) -> tuple[np.ndarray, np.ndarray]:
    """Return places (k, 2) along all stretches, their ends among them, and when one is there (k,)."""
    counts = np.ceil((reached.to_m - reached.from_m) / STEP_M).astype(int) + 1
    which = np.repeat(np.arange(len(counts)), counts)
    share = runs(np.zeros(len(counts), int), counts) / np.maximum(counts - 1, 1)[which]
    along = reached.from_m[which] + share * (reached.to_m - reached.from_m)[which]
    seconds = reached.from_s[which] + share * (reached.to_s - reached.from_s)[which]
    return trips.streets.network.points(reached.edge[which], along), seconds


def _area(around: Rings) -> shapely.Geometry:
    """Return the area inside of rings, the inner ones as holes; rings do not cross."""
    line = np.repeat(np.arange(len(around.begins) - 1), np.diff(around.begins))
    lines = shapely.linearrings(around.corners, indices=line) if len(line) else np.empty(0, dtype=object)
    lines = lines[shapely.area(shapely.polygons(lines)) >= LEAST_M2]
    if not len(lines):
        return shapely.MultiPolygon()
    outside = shapely.is_ccw(lines)
    shells, holes = lines[outside], lines[~outside]
    ground = shapely.polygons(shells)
    # A hole belongs to the smallest outline around it.
    shell, hole = shapely.STRtree(shapely.get_point(holes, 0)).query(ground, predicate="intersects")
    order = np.lexsort((shapely.area(ground)[shell], hole))
    hole, first = np.unique(hole[order], return_index=True)
    owner = np.concatenate([np.arange(len(shells)), shell[order][first]])
    every = np.concatenate([shells, holes[hole]])[np.argsort(owner, kind="stable")]
    begins = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(every))])
    polygons = np.concatenate([[0], np.cumsum(np.bincount(owner))])
    area = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON,
        shapely.get_coordinates(every),
        (begins, polygons, np.array([0, len(shells)])),
    )
    return area[0]


def _length_m(reached: Stretches, limit_s: float) -> float:
    """Return the length of all streets that are reached by then, each piece once, whoever reaches it."""
    length, delay = reached.to_m - reached.from_m, reached.to_s - reached.from_s
    soonest = np.minimum(reached.from_s, reached.to_s)
    share = np.clip((limit_s - soonest) / np.maximum(np.abs(delay), 1e-12), 0.0, 1.0)
    low = np.where(delay >= 0, reached.from_m, reached.to_m - share * length)
    high = np.where(delay >= 0, reached.from_m + share * length, reached.to_m)
    order = np.lexsort((low, reached.edge))
    edge, low, high = reached.edge[order], low[order], high[order]
    # One axis for all edges, so that the highest end so far is one of the same edge.
    start = edge * (reached.to_m.max(initial=0.0) + 1.0)
    before = np.concatenate([[-np.inf], np.maximum.accumulate(start + high)[:-1]]) if len(edge) else start
    return float(np.maximum(start + high - np.maximum(start + low, before), 0.0).sum())


def _ring_row(features: gpd.GeoDataFrame, limit_min: float) -> dict[str, object]:
    """Return what is told of one ring."""
    mine = features[features["ring_min"] == limit_min]
    return {
        "ring_min": float(limit_min),
        "areas_count": len(mine),
        "streets_km": float(mine["streets_km"].median()) if len(mine) else 0.0,
        "area_km2": float(mine["area_km2"].median()) if len(mine) else 0.0,
    }


SERVICE = Service(
    id="reach_areas",
    version=1,
    title=REACH_AREAS.title,
    abstract=Text(
        "从各巡防点出发，按道路行程时间（单行、速度、时刻）画出各响应圈内可达的范围，保留不可达的空洞。",
        "Draws what is reached from each post within the response rings, by travel times along the streets (one-way "
        "streets, speeds, hour of day); holes that are not reached stay holes.",
    ),
    card=Text(
        "画出从巡防点沿街道在规定时间内能到的范围。仅为示意图：是否覆盖须按每个地点的行程时间判断，不能按此面判断。",
        "Draws where one gets in time from a post along the streets. Drawings only: whether a place is covered is told "
        "by its own travel time, never by these areas.",
    ),
    mandate="Art. 18",
    params=ReachAreasParams,
    inputs=(Input(POSTS), Input(SEGMENTS)),
    output=REACH_AREAS,
    compute=reach_areas,
    policies=("travel",),
)
