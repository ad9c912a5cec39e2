"""What a choice of sites is about: posts that are there, wanted ones and candidates, and how far each is from whom."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from gis.city.candidate_sites import Sites, texts_of
from gis.city.demand import Demand
from gis.city.travel import Places, Travel
from gis.contract.service import Params
from gis.crs import LONLAT
from gis.errors import InvalidParams, Problem


class WantedPost(Params):
    """A place where a post is wanted."""

    lon: float = Field(ge=-180, le=180)
    """Degrees east, WGS84."""
    lat: float = Field(ge=-90, le=90)
    """Degrees north, WGS84."""


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Where posts are, are wanted and could be.

    Attributes
    ----------
    posts
        The frame ``posts``, in metres; None where none are kept.
    crs
        Of the metres.
    """

    posts: gpd.GeoDataFrame | None
    wanted: tuple[WantedPost, ...]
    sites: Sites
    crs: object


@dataclass(frozen=True, slots=True, eq=False)
class SitingQuestion:
    """Sites and the places that they are for.

    Attributes
    ----------
    points : (m, 2)
        Existing posts, then wanted ones, then candidates; all on streets.
    standing : (m,)
        ``existing``, ``wanted`` or ``proposed``.
    codes, names_zh, names_en : (m,)
    seconds : (m, n)
        From each site to each place on a street, whole; inf where there is no way.
    weight : (n,)
    lost_posts_count
        Existing posts that are on no street.
    """

    points: np.ndarray
    standing: np.ndarray
    codes: np.ndarray
    names_zh: np.ndarray
    names_en: np.ndarray
    seconds: np.ndarray
    weight: np.ndarray
    lost_posts_count: int

    @property
    def must(self) -> np.ndarray:
        """Which sites (m,) are there whatever is chosen."""
        return np.asarray(self.standing != "proposed")


def siting_question(
    standing: Standing, trips: Travel, demand: Demand, places: Places, *, snap_m: float
) -> SitingQuestion:
    """Return the sites on streets with their travel times to all places on streets.

    Raises
    ------
    InvalidParams
        A wanted post is on no street; all such are named.
    """
    rows = (
        gpd.GeoDataFrame({"source_id": []}, geometry=[], crs=standing.crs)
        if standing.posts is None
        else standing.posts.sort_values("source_id", kind="stable")
    )
    wanted = _wanted(standing, trips, snap_m)
    post_points = shapely.get_coordinates(rows.geometry.to_numpy()).reshape(-1, 2)
    kept = np.flatnonzero(trips.snap(post_points, snap_m).found)
    sites, none = standing.sites, np.full(len(wanted), None, dtype=object)
    points = np.concatenate([post_points[kept], wanted, sites.points])
    codes, names_zh, names_en = (
        np.concatenate([texts_of(rows, name)[kept], none, of_sites])
        for name, of_sites in (
            ("source_id", sites.codes), ("name_zh", sites.names_zh), ("name_en", sites.names_en),
        )
    )  # fmt: skip
    kinds = np.array(["existing", "wanted", "proposed"], dtype=object)
    return SitingQuestion(
        points=points,
        standing=np.repeat(kinds, (len(kept), len(wanted), len(sites.points))),
        codes=codes,
        names_zh=names_zh,
        names_en=names_en,
        seconds=np.rint(trips.matrix_s(trips.snap(points, snap_m), places.take(places.found))),
        weight=demand.weight[places.found],
        lost_posts_count=len(rows) - len(kept),
    )


def _wanted(standing: Standing, trips: Travel, snap_m: float) -> np.ndarray:
    points = gpd.points_from_xy([w.lon for w in standing.wanted], [w.lat for w in standing.wanted], crs=LONLAT)
    metres = shapely.get_coordinates(points.to_crs(standing.crs)).reshape(-1, 2)
    problems = [
        Problem("too_far_from_street", f"number {i + 1} is farther than {snap_m:g} m from every street", "wanted_posts")
        for i in np.flatnonzero(~trips.snap(metres, snap_m).found)
    ]
    if problems:
        raise InvalidParams("a wanted post is on no street", problems)
    return np.asarray(metres)
