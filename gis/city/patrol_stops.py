"""The stops of a patrol, wherever they come from, and the visits to them: windows, intervals, who is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import shapely

from gis.city.codebook import codebook
from gis.city.hot_places import HotPlaces
from gis.city.patrol_params import AskedStop, PatrolParams
from gis.city.shift_clock import window
from gis.crs import LONLAT

PASSING_MIN: Final = 2.0
"""How long a halt at a checkpoint takes that only has to be passed."""

StopKind = Literal["hotspot", "checkpoint", "picked"]


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to halt at, in the metres of the city."""

    code: str
    kind: StopKind
    name_zh: str | None
    name_en: str | None
    easting: float
    northing: float
    weight: float
    dwell_min: float
    visits_count: int
    must_visit: bool
    window_from: str | None = None
    window_to: str | None = None
    kinds: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Visit:
    """One halt at a stop, with the span of minutes in which it begins."""

    stop: int
    number: int
    opens_min: float
    closes_min: float


def picked_stops(asked: tuple[AskedStop, ...], params: PatrolParams, metric_crs: str) -> list[Stop]:
    """Return the stops that were asked for."""
    points = gpd.points_from_xy([stop.lon for stop in asked], [stop.lat for stop in asked], crs=LONLAT)
    xy = shapely.get_coordinates(points.to_crs(metric_crs))
    return [
        Stop(
            code=stop.code or f"S{number}",
            kind="picked",
            name_zh=stop.name,
            name_en=None,
            easting=float(x),
            northing=float(y),
            weight=stop.weight,
            dwell_min=stop.dwell_min or params.dwell_min,
            visits_count=stop.visits_count,
            must_visit=stop.must_visit,
            window_from=stop.window_from,
            window_to=stop.window_to,
            kinds=stop.kinds,
        )
        for number, (stop, (x, y)) in enumerate(zip(asked, xy, strict=True), 1)
    ]


def hotspot_stops(hot: HotPlaces, params: PatrolParams) -> list[Stop]:
    """Return a stop for each hot place, worth its incidents."""
    return [
        Stop(
            code=f"H-{code}",
            kind="hotspot",
            name_zh=hot.names_zh[i],
            name_en=hot.names_en[i],
            easting=float(hot.points[i, 0]),
            northing=float(hot.points[i, 1]),
            weight=float(hot.incidents_count[i]),
            dwell_min=params.dwell_min,
            visits_count=params.visits_count,
            must_visit=False,
        )
        for i, code in enumerate(hot.codes)
    ]


def checkpoint_stops(checkpoints: gpd.GeoDataFrame, params: PatrolParams, weight: float) -> list[Stop]:
    """Return a stop for each checkpoint, in the order of their source ids; each is worth `weight`."""
    rows = checkpoints.sort_values("source_id", kind="stable")
    xy = shapely.get_coordinates(rows.geometry.to_numpy())
    plain = rows.drop(columns="geometry").to_dict("records")
    return [
        Stop(
            code=str(row["source_id"]),
            kind="checkpoint",
            name_zh=_text(row.get("name_zh")),
            name_en=_text(row.get("name_en")),
            easting=float(x),
            northing=float(y),
            weight=weight,
            dwell_min=max(_number(row.get("dwell_min"), 0.0), PASSING_MIN),
            visits_count=max(int(_number(row.get("visits_count"), 1.0)), 1),
            must_visit=params.checkpoints_use == "must",
            window_from=_text(row.get("window_from")),
            window_to=_text(row.get("window_to")),
        )
        for row, (x, y) in zip(plain, xy, strict=True)
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object, default: float) -> float:
    number = np.nan if value is None else float(value)  # type: ignore[arg-type]
    return float(number) if np.isfinite(number) else default


def visits_of(
    stops: list[Stop], spans_min: list[tuple[float, float]], least_interval_min: float
) -> tuple[list[Visit], dict[int, str]]:
    """Return the visits to all stops, and why a stop has none in this shift.

    Several visits to one stop get spans of equal length, one after another and the least interval apart: whoever makes
    them, and however late in their span, they are never closer.

    Parameters
    ----------
    spans_min
        For each stop, from the first start to the last end of the units that may go there.

    Returns
    -------
    visits, without : list of Visit, dict stop -> reason
        ``outside_shift`` or ``interval_too_long``.
    """
    visits: list[Visit] = []
    without: dict[int, str] = {}
    for i, (stop, span_min) in enumerate(zip(stops, spans_min, strict=True)):
        part = window(stop.window_from, stop.window_to, *span_min)
        if part is None:
            without[i] = "outside_shift"
            continue
        opens, closes = part[0], min(part[1], span_min[1] - stop.dwell_min)
        pause = stop.dwell_min + least_interval_min
        length = (closes - opens - (stop.visits_count - 1) * pause) / stop.visits_count
        if length < 0:
            without[i] = "outside_shift" if stop.visits_count == 1 else "interval_too_long"
            continue
        for number in range(stop.visits_count):
            begins = opens + number * (length + pause)
            visits.append(Visit(i, number + 1, begins, begins + length))
    return visits, without


def kind_bits(kinds: tuple[str, ...]) -> int:
    """Return a bit for each kind of unit."""
    return sum(1 << i for i, code in enumerate(codebook("patrol_kinds")) if code in kinds)
