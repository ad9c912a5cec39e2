"""Places and the posts that reach them: travel times from every post, with posts closed and posts added."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field

from gis.city.demand import Demand
from gis.city.travel import Places, Travel, TravelParams
from gis.crs import LONLAT
from gis.errors import InvalidParams, Problem
from gis.kernels.coverage import Reached

MOST_AT_ONCE = 20_000_000
"""Times in memory at once: places are looked at in portions of so many trips."""
ADDED = "added-{}"


class AddedPost(BaseModel):
    """A post that is not there yet."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    lon: float = Field(ge=-180, le=180)
    """Degrees east, WGS84."""
    lat: float = Field(ge=-90, le=90)
    """Degrees north, WGS84."""
    positions_count: int = Field(default=1, ge=1, le=1_000)
    """Staff positions there."""


class PostChoice(TravelParams):
    """From which posts one sets out."""

    post_kinds: tuple[str, ...] | None = Field(default=None, min_length=1, json_schema_extra={"codebook": "post_kinds"})
    """Only posts of these kinds; all when not given."""
    closed_posts: tuple[str, ...] = Field(default=(), max_length=1_000)
    """Posts that are closed, by their source id: what would be if they were."""
    added_posts: tuple[AddedPost, ...] = Field(default=(), max_length=100)
    """Posts that are not there yet: what would be if they were."""


@dataclass(frozen=True, slots=True, eq=False)
class Posts:
    """Posts on the streets, m of them.

    Attributes
    ----------
    codes, names_zh, names_en, kinds : (m,)
    points : (m, 2)
        In metres.
    places
        On the streets.
    supply : (m,)
        Staff positions; 1 where the frame says nothing.
    is_new : (m,)
        Added for this question.
    """

    codes: np.ndarray
    names_zh: np.ndarray
    names_en: np.ndarray
    kinds: np.ndarray
    points: np.ndarray
    places: Places
    supply: np.ndarray
    is_new: np.ndarray

    def __len__(self) -> int:
        """Return how many posts."""
        return len(self.codes)

    def take(self, which: np.ndarray) -> Posts:
        """Return some of the posts."""
        return Posts(
            self.codes[which],
            self.names_zh[which],
            self.names_en[which],
            self.kinds[which],
            self.points[which],
            self.places.take(which),
            self.supply[which],
            self.is_new[which],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """When one is at each place (n,), and which posts reach it in time.

    Attributes
    ----------
    first, second : (n,)
        Nearest and second nearest post, -1 where there is none.
    first_s, second_s : (n,)
        Seconds from them; inf where there is none.
    reached
        All pairs within the limit.
    """

    first: np.ndarray
    second: np.ndarray
    first_s: np.ndarray
    second_s: np.ndarray
    reached: Reached


def choose_posts(posts: gpd.GeoDataFrame, params: PostChoice, trips: Travel, metric_crs: str) -> tuple[Posts, Posts]:
    """Return the posts as they are, and as they would be: without the closed ones, with those added.

    Raises
    ------
    InvalidParams
        Names every closed post that is not there, every added one that lies on no street, and says when none is left.
    """
    rows = posts.sort_values("source_id", kind="stable")
    if params.post_kinds is not None:
        rows = rows[rows["kind"].isin(params.post_kinds)]
    given = len(rows)
    added = gpd.points_from_xy([p.lon for p in params.added_posts], [p.lat for p in params.added_posts], crs=LONLAT)
    points = np.concatenate(
        [shapely.get_coordinates(rows.geometry.to_numpy()), shapely.get_coordinates(added.to_crs(metric_crs))]
    )
    new = len(params.added_posts)
    supply = rows["positions_count"].astype("Float64") if "positions_count" in rows.columns else None
    every = Posts(
        codes=np.array([*rows["source_id"], *(ADDED.format(i) for i in range(1, new + 1))], dtype=object),
        names_zh=_texts(rows, "name_zh", new),
        names_en=_texts(rows, "name_en", new),
        kinds=_texts(rows, "kind", new),
        points=points,
        places=trips.snap(points, trips.snap_limit_m(params)),
        supply=np.concatenate(
            [
                np.ones(given) if supply is None else supply.fillna(1.0).to_numpy(dtype=float),
                [float(p.positions_count) for p in params.added_posts],
            ]
        ),
        is_new=np.arange(given + new) >= given,
    )
    closed = np.isin(every.codes.astype(str), params.closed_posts)
    _refuse(every, params, closed)
    return every.take(np.flatnonzero(~every.is_new)), every.take(np.flatnonzero(~closed))


def _refuse(every: Posts, params: PostChoice, closed: np.ndarray) -> None:
    there = set(every.codes[~every.is_new])
    problems = [
        Problem("no_such_post", f"there is no post '{code}' among those that are asked for", "closed_posts")
        for code in params.closed_posts
        if code not in there
    ]
    problems += [
        Problem("too_far_from_street", f"the post number {i} lies too far from every street", "added_posts")
        for i, found in enumerate(every.places.found[every.is_new], start=1)
        if not found
    ]
    if not problems and not (~closed).any():
        problems = [Problem("no_posts", "no post is left to set out from", "closed_posts")]
    if problems:
        raise InvalidParams("these posts cannot be looked at", problems)


def times(trips: Travel, posts: Posts, goals: Places, limit_s: float) -> Times:
    """Return from which posts the places are reached, and when."""
    nearest = trips.nearest_two(posts.places, goals)
    reached = reached_pairs(trips, posts.places, goals, limit_s)
    return Times(nearest.first, nearest.second, nearest.first_s, nearest.second_s, reached)


def reached_pairs(trips: Travel, posts: Places, goals: Places, limit_s: float) -> Reached:
    """Return which posts, or sites for one, reach which places within a time."""
    parts = list(_portions(trips, posts, goals, limit_s))
    post, place, seconds = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return Reached(post, place, seconds, len(posts), len(goals))


def _portions(
    trips: Travel, posts: Places, goals: Places, limit_s: float
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    step = max(1, MOST_AT_ONCE // max(len(posts), 1))
    for low in range(0, len(goals), step):
        some = goals.take(np.arange(low, min(low + step, len(goals))))
        seconds = trips.matrix_s(posts, some, limit_s=limit_s)
        post, place = np.nonzero(np.isfinite(seconds))
        yield post, place + low, seconds[post, place]


def goals_of(trips: Travel, demand: Demand, params: TravelParams) -> Places:
    """Return where the places to be reached lie on the streets."""
    return trips.snap(demand.points, trips.snap_limit_m(params))


def _texts(rows: gpd.GeoDataFrame, name: str, more: int) -> np.ndarray:
    if name not in rows.columns:
        return np.full(len(rows) + more, None, dtype=object)
    values = rows[name].astype(object)
    return np.array([*values.where(values.notna(), None), *([None] * more)], dtype=object)
