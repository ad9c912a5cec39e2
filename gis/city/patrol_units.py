"""The units of a patrol: where each starts and ends, its shift and its break."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gis.city.patrol_params import AskedUnit, PatrolParams
from gis.city.shift_clock import minutes, near, window
from gis.crs import LONLAT
from gis.errors import InvalidParams, Problem


@dataclass(frozen=True, slots=True)
class Unit:
    """Who goes; places in the metres of the city, times in minutes from the midnight before the shift.

    Attributes
    ----------
    start, end
        Easting and northing.
    start_name, end_name
        Source ids of the posts; empty for a place that is none.
    break_min
        0 for none; it then begins between `break_from_min` and `break_to_min`.
    """

    label: str
    kinds: tuple[str, ...]
    start: tuple[float, float]
    end: tuple[float, float]
    start_name: str
    end_name: str
    begins_min: float
    ends_min: float
    break_min: float
    break_from_min: float
    break_to_min: float


def asked_units(params: PatrolParams, posts: gpd.GeoDataFrame, metric_crs: str) -> list[Unit]:
    """Return the units that were asked for; `InvalidParams` names every post, label and break that cannot be."""
    asked = params.units or ()
    where = dict(zip(posts["source_id"].tolist(), shapely.get_coordinates(posts.geometry.to_numpy()), strict=True))
    problems = list(_problems(asked, params, where))
    if problems:
        raise InvalidParams("patrol_routes: the units cannot go as asked", problems)
    units = []
    for one in asked:
        start = where[one.post] if one.post is not None else _metric(one, metric_crs)
        end = start if one.end_post is None else where[one.end_post]
        begins, ends = _shift(one, params)
        first, last = _break_span(one, begins, ends) or (begins, ends)
        units.append(
            Unit(
                label=one.label,
                kinds=one.kinds,
                start=(float(start[0]), float(start[1])),
                end=(float(end[0]), float(end[1])),
                start_name=one.post or "",
                end_name=one.end_post or one.post or "",
                begins_min=begins,
                ends_min=ends,
                break_min=_break_min(one, params),
                break_from_min=first,
                break_to_min=last,
            )
        )
    return units


def _problems(asked: tuple[AskedUnit, ...], params: PatrolParams, where: dict[str, np.ndarray]) -> Iterator[Problem]:
    seen: set[str] = set()
    for i, one in enumerate(asked):
        if one.label in seen:
            yield Problem("label_twice", f"two units are called '{one.label}'", f"units.{i}.label")
        seen.add(one.label)
        for name in ("post", "end_post"):
            post = getattr(one, name)
            if post is not None and post not in where:
                yield Problem("no_such_post", f"there is no post '{post}'", f"units.{i}.{name}")
        begins, ends = _shift(one, params)
        length = _break_min(one, params)
        if not length:
            continue
        span = _break_span(one, begins, ends)
        if span is None or span[0] + length > ends:
            why = f"a break of {length:g} minutes does not begin and end within the shift"
            yield Problem("break_outside_shift", why, f"units.{i}.break_from")


def _shift(one: AskedUnit, params: PatrolParams) -> tuple[float, float]:
    usual = minutes(params.shift_start)
    begins = usual if one.shift_start is None else near(one.shift_start, usual)
    return begins, begins + (params.shift_min if one.shift_min is None else one.shift_min)


def _break_min(one: AskedUnit, params: PatrolParams) -> float:
    return params.break_min if one.break_min is None else one.break_min


def _break_span(one: AskedUnit, begins: float, ends: float) -> tuple[float, float] | None:
    if one.break_from is None and one.break_to is None:
        return _middle(begins, ends)
    return window(one.break_from, one.break_to, begins, ends)


def _middle(begins: float, ends: float) -> tuple[float, float]:
    third = (ends - begins) / 3
    return begins + third, ends - third


def _metric(one: AskedUnit, metric_crs: str) -> np.ndarray:
    point = gpd.points_from_xy([one.lon], [one.lat], crs=LONLAT).to_crs(metric_crs)
    return np.asarray(shapely.get_coordinates(point)[0])


def spread_units(params: PatrolParams, posts: gpd.GeoDataFrame, nearest: np.ndarray, weight: np.ndarray) -> list[Unit]:
    """Return as many units as asked for, from the posts that are nearest to most weight, round and round.

    Parameters
    ----------
    posts
        By source id.
    nearest : (s,)
        The row of the post nearest to each stop, -1 where none is.
    weight : (s,)
        Of each stop.
    """
    total = np.bincount(nearest[nearest >= 0], weights=weight[nearest >= 0], minlength=len(posts))
    order = np.argsort(-total, kind="stable")
    useful = order[total[order] > 0] if (total > 0).any() else order[:1]
    xy = shapely.get_coordinates(posts.geometry.to_numpy())
    begins = minutes(params.shift_start)
    ends = begins + params.shift_min
    first, last = _middle(begins, ends)
    names = posts["source_id"].tolist()
    digits = len(str(params.units_count))
    units = []
    for i in range(params.units_count):
        post = int(useful[i % len(useful)])
        place = (float(xy[post, 0]), float(xy[post, 1]))
        units.append(
            Unit(
                label=f"{i + 1:0{digits}}",
                kinds=("police",),
                start=place,
                end=place,
                start_name=names[post],
                end_name=names[post],
                begins_min=begins,
                ends_min=ends,
                break_min=params.break_min,
                break_from_min=first,
                break_to_min=last,
            )
        )
    return units
