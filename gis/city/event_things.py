"""What is at a place where something happens or is planned, or a short way off, and who is soonest there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.codebook import codebook
from gis.city.travel import Places, Travel
from gis.kernels.street_graph import Floats

ROUND = 64
"""Pieces of a quarter circle: the ground of a zone is then right to 0.04 %."""
LEAST_SHARE = 1e-6
"""A block with less of its ground in the zone only touches it."""
BOOKS: Mapping[str, str] = {
    "key_unit": "key_unit_kinds",
    "rental": "rental_kinds",
    "post": "post_kinds",
    "resource": "resource_kinds",
    "closure": "road_classes",
    "raised_crossing": "road_classes",
}
HELPERS = ("post", "resource")
"""Their time is that of the way to the place; of everything else, that of the way from it."""
_CAPACITY = {"post": "positions_count", "resource": "quantity_count", "rental": "beds_count"}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A place with its zone, and how one gets there and away.

    Attributes
    ----------
    place, zone
        In metres; the zone is the place with `around_m` around it.
    ways
        Where one comes to the place or leaves it, on the streets.
    limit_min
        What is reached from the place in so many minutes counts as well; None for the zone alone.
    """

    place: shapely.Geometry
    zone: shapely.Geometry
    around_m: float
    trips: Travel
    ways: Places
    snap_m: float
    limit_min: float | None

    @classmethod
    def of(
        cls,
        place: shapely.Geometry,
        around_m: float,
        travel: tuple[Travel, float],
        ways_in: np.ndarray,
        limit_min: float | None,
    ) -> Scene:
        """Return a scene; `travel` goes with its limit of how far from a street a place may lie."""
        trips, snap_m = travel
        zone = shapely.buffer(place, around_m, quad_segs=ROUND) if around_m > 0 else place
        return cls(place, zone, around_m, trips, trips.snap(ways_in, snap_m), snap_m, limit_min)

    def minutes(self, points: np.ndarray, away_m: Floats, *, coming: bool) -> tuple[Floats, np.ndarray]:
        """Return the minutes (k,) from the place to points (k, 2), or back, and which points are on a street.

        NaN where there is no way; what lies on the place itself takes no time.
        """
        trips = self.trips.turned() if coming else self.trips
        goals = trips.snap(points, self.snap_m)
        seconds = trips.nearest_two(self.ways, goals).first_s
        minutes = np.where(np.isfinite(seconds), seconds / 60, np.nan)
        return np.where(away_m == 0, 0.0, minutes), goals.found

    def reaches(self, minutes: Floats) -> np.ndarray:
        """Return which times lie within the limit; none without a limit."""
        return np.asarray(minutes <= self.limit_min) if self.limit_min is not None else np.zeros(len(minutes), bool)


def things(scene: Scene, role: str, frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return all rows of a frame as things of a role: where they are, how far, how long, whether inside or reached.

    Columns are those of the output of ``event_impact`` with ``geometry`` (a point) and ``on_street``.
    """
    rows = frame.sort_values("source_id", kind="stable", ignore_index=True)
    shapes = rows.geometry.to_numpy()
    inner = shapely.point_on_surface(shapes)
    away = shapely.distance(shapes, scene.place)
    minutes, on_street = scene.minutes(shapely.get_coordinates(inner), away, coming=role in HELPERS)
    table = pd.DataFrame(
        {
            "role": role,
            "source_code": rows["source_id"].to_numpy(object),
            **kind_words(role, _texts(rows, "kind")),
            "name_zh": _texts(rows, "name_zh"),
            "name_en": _texts(rows, "name_en"),
            "inside": away <= scene.around_m,
            "reached": scene.reaches(minutes),
            "minutes": minutes,
            "distance_m": away,
            "capacity_count": _numbers(rows, _CAPACITY.get(role, "")),
            "on_street": on_street,
        }
    )
    return table.assign(geometry=inner)


def households(scene: Scene, blocks: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the blocks that the zone touches or that are reached, with the share of each that counts.

    A block that is reached counts whole; of any other, the share of its ground in the zone.
    """
    rows = blocks.sort_values("source_id", kind="stable", ignore_index=True)
    shapes = rows.geometry.to_numpy()
    common = shapely.intersection(shapes, scene.zone)
    share = shapely.area(common) / shapely.area(shapes)
    # Cut by the zone's outline, a block that lies in it whole may miss the last bit of one.
    share = np.where(share > 1 - LEAST_SHARE, 1.0, np.where(share < LEAST_SHARE, 0.0, share))
    away = shapely.distance(shapes, scene.place)
    touched = share > 0
    inner = shapely.point_on_surface(shapes)
    minutes, on_street = scene.minutes(shapely.get_coordinates(inner), away, coming=False)
    reached = scene.reaches(minutes)
    counted = np.where(reached, 1.0, share)
    held, residents = _numbers(rows, "households_count"), _numbers(rows, "residents_count")
    shown = np.where(touched, shapely.point_on_surface(common), inner)
    table = pd.DataFrame(
        {
            "role": "block",
            "source_code": _texts(rows, "code"),
            **kind_words("block", np.full(len(rows), None, dtype=object)),
            "name_zh": None,
            "name_en": None,
            "inside": touched,
            "reached": reached,
            "minutes": minutes,
            "distance_m": away,
            "households_count": held * counted,
            "residents_count": residents * counted,
            "counted_share": counted,
            "households_whole_count": held,
            "on_street": on_street,
        }
    )
    return table.assign(geometry=shown)[touched | reached]


def soonest(table: pd.DataFrame, count: int, *, by_kind: bool) -> pd.Index:
    """Return which rows are soonest at the place, as many as asked for, or as many of each kind."""
    order = table[table["minutes"].notna()].sort_values(["minutes", "distance_m", "source_code"], kind="stable")
    return (order.groupby("kind", sort=False).head(count) if by_kind else order.head(count)).index


def with_codes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a code of their own: two frames, or two sources of one, may use the same."""
    plain = rows["role"] + "-" + rows["source_code"].astype(str)
    again = plain.groupby(plain).cumcount()
    return rows.assign(code=np.where(again > 0, plain + "#" + (again + 1).astype(str), plain))


def kinds_of(rows: pd.DataFrame) -> Iterator[dict[str, object]]:
    """Yield each kind with how many there are inside and in all, in the order of its book."""
    for kind, some in rows.groupby("kind", sort=True):
        yield {"kind": kind, "inside_count": int(some["inside"].sum()), "listed_count": len(some)}


def kind_words(role: str, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """Return the kinds with what they are called."""
    book = codebook(BOOKS[role]) if role in BOOKS else {}
    said = [book.get(kind) for kind in kinds]
    return {
        "kind": kinds,
        "kind_zh": np.array([text.zh if text else None for text in said], dtype=object),
        "kind_en": np.array([text.en if text else None for text in said], dtype=object),
    }


def _texts(rows: gpd.GeoDataFrame, *names: str) -> np.ndarray:
    name = next((name for name in names if name in rows.columns), None)
    if name is None:
        return np.full(len(rows), None, dtype=object)
    values = rows[name].astype(object)
    return np.array(values.where(values.notna(), None), dtype=object)


def _numbers(rows: gpd.GeoDataFrame, name: str) -> Floats:
    """Return a column of counts, NaN where nothing is told."""
    if name not in rows.columns:
        return np.full(len(rows), np.nan)
    return np.asarray(rows[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan))
