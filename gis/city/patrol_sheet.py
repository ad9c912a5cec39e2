"""What a night of patrols looks like: one row a halt with the streets that lead to it, a timetable, the dose."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.patrol_plan import Night, Planned
from gis.city.shift_clock import clock_text, instant
from gis.city.travel import Places, Travel

GUIDANCE_MIN: Final = (10.0, 16.0)
"""Minutes of a halt after which a place stays quiet longest (Koper 1995, Justice Quarterly 12, 649-672)."""
ROUTE_CLASSES: Final = 6
SAME_M: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Halt:
    """One row of the sheet; minutes from the midnight before the shift.

    Attributes
    ----------
    place, before
        Where it is in the matrix of the night, and where the unit was before.
    visit
        Its number in the night's visits, None for start, break and end.
    """

    unit: int
    kind: str
    place: int
    before: int
    arrive_min: float
    begin_min: float
    leave_min: float
    visit: int | None = None

    @property
    def wait_min(self) -> float:
        """Minutes from being there to beginning."""
        return self.begin_min - self.arrive_min


def halts(night: Night, planned: Planned) -> list[Halt]:
    """Return the halts of all units in order: start, stops and breaks, end."""
    return [halt for u in range(len(night.units)) for halt in _halts_of(night, planned, u)]


def _halts_of(night: Night, planned: Planned, u: int) -> list[Halt]:
    seconds, n, unit = planned.problem.instance.seconds, len(night.visits), night.units[u]
    at = len(night.stops) + u
    rows: list[Halt] = []
    left = unit.begins_min
    nodes = planned.routes.nodes[u].tolist()
    for node, begin_s in zip(nodes, planned.routes.begin_s[u].tolist(), strict=True):
        place = night.visits[node].stop if node < n else at
        begin = begin_s / 60
        if not rows:
            # Nobody waits outside for a stop that opens later: the unit leaves when it has to.
            left = begin - seconds[at, place] / 60 if node < n else left
            rows.append(Halt(u, "start", at, at, left, left, left))
        arrive = left + seconds[at, place] / 60
        left = begin + planned.problem.instance.dwell[node] / 60
        kind = night.stops[place].kind if node < n else "break"
        rows.append(Halt(u, kind, place, at, arrive, begin, left, node if node < n else None))
        at = place
    if not rows:
        rows.append(Halt(u, "start", at, at, left, left, left))
    end = len(night.stops) + len(night.units) + u
    back = left + seconds[at, end] / 60
    rows.append(Halt(u, "end", end, at, back, back, back))
    return rows


def lines_of(rows: list[Halt], travel: Travel, places: Places, xy: np.ndarray) -> np.ndarray:
    """Return the way to each halt along the streets, with the legs from and to them; a point where nobody moves.

    Parameters
    ----------
    places, xy : (p,), (p, 2)
        The places of the night on the streets and as they are.
    """
    before, after = np.array([row.before for row in rows]), np.array([row.place for row in rows])
    ways = travel.paths(places.take(before), places.take(after))
    drawn = []
    for a, b, way in zip(before, after, ways, strict=True):
        middle = np.zeros((0, 2)) if way is None or a == b else shapely.get_coordinates(way)
        path = np.vstack([xy[[a]], middle, xy[[b]]])
        steps = np.concatenate([[True], (np.abs(np.diff(path, axis=0)) > SAME_M).any(axis=1)])
        path = path[steps]
        drawn.append(shapely.Point(xy[b]) if len(path) == 1 else shapely.LineString(path))
    return np.array(drawn, dtype=object)


def sheet(
    night: Night,
    planned: Planned,
    rows: list[Halt],
    *,
    lines: np.ndarray,
    lonlat: np.ndarray,
    day: dt.date | None,
    time_zone: str,
    crs: str,
) -> gpd.GeoDataFrame:
    """Return one row a halt, as the contract of ``patrol_routes`` says.

    Parameters
    ----------
    lines : (m,)
        Of the rows.
    lonlat : (p, 2)
        Of the places of the night.
    day
        On which the shift begins; None where times of day alone are meant.
    """
    start = min(unit.begins_min for unit in night.units)
    sequence = 0
    records: list[dict[str, Any]] = []
    for row, line in zip(rows, lines, strict=True):
        sequence = 0 if row.kind == "start" else sequence + 1
        visit = None if row.visit is None else night.visits[row.visit]
        stop = None if visit is None else night.stops[visit.stop]
        unit = night.units[row.unit]
        arrives, leaves = row.kind != "start", row.kind != "end"
        times = {"arrive": row.arrive_min if arrives else None, "leave": row.leave_min if leaves else None}
        instants = {
            name: None if day is None or minute is None else instant(day, start, minute, time_zone)
            for name, minute in times.items()
        }
        post = {"start": unit.start_name, "end": unit.end_name}.get(row.kind)
        records.append(
            {
                "code": f"{row.unit + 1}-{sequence:02}",
                "unit_label": unit.label,
                "unit_kind": unit.kinds[0],
                "unit_kinds": "+".join(unit.kinds),
                "route_class": f"route_{row.unit % ROUTE_CLASSES + 1}",
                "sequence": sequence,
                "stop_kind": row.kind,
                "stop_code": stop.code if stop else post or None,
                "name_zh": stop.name_zh if stop else None,
                "name_en": stop.name_en if stop else None,
                "arrive_clock": _clock(times["arrive"], instants["arrive"], time_zone),
                "leave_clock": _clock(times["leave"], instants["leave"], time_zone),
                "arrive_at": instants["arrive"],
                "leave_at": instants["leave"],
                "wait_min": max(round(row.wait_min, 2), 0.0),
                "dwell_min": round(row.leave_min - row.begin_min, 2),
                "leg_m": float(shapely.length(line)),
                "leg_min": round(float(planned.problem.instance.seconds[row.before, row.place]) / 60, 2),
                "weight": stop.weight if stop else None,
                "visit_number": visit.number if visit else None,
                "must_visit": bool(stop and stop.must_visit),
                "kept": bool(planned.fixed[row.unit]),
                "lon": float(lonlat[row.place, 0]),
                "lat": float(lonlat[row.place, 1]),
            }
        )
    frame = gpd.GeoDataFrame(records, geometry=lines, crs=crs)
    for name in ("arrive_at", "leave_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame.astype({"visit_number": "Int64"})


def _clock(minute: float | None, at: dt.datetime | None, time_zone: str) -> str | None:
    if minute is None:
        return None
    if at is None:
        return clock_text(minute)
    local = at.astimezone(ZoneInfo(time_zone))
    return clock_text(local.hour * 60 + local.minute)


def timetable(night: Night, rows: list[Halt], lines: np.ndarray) -> list[dict[str, object]]:
    """Return one line a unit: when it goes, what it does with its time, what it visits."""
    table = []
    for u, unit in enumerate(night.units):
        own = [i for i, row in enumerate(rows) if row.unit == u]
        mine = [rows[i] for i in own]
        stops = [row for row in mine if row.visit is not None]
        travel = sum(after.arrive_min - before.leave_min for before, after in pairwise(mine))
        table.append(
            {
                "unit_label": unit.label,
                "unit_kinds": "+".join(unit.kinds),
                "leave_clock": clock_text(mine[0].leave_min),
                "back_clock": clock_text(mine[-1].arrive_min),
                "stops_count": len(stops),
                "dwell_min": round(sum(row.leave_min - row.begin_min for row in stops), 1),
                "travel_min": round(travel, 1),
                "wait_min": max(round(sum(row.wait_min for row in mine), 1), 0.0),
                "distance_km": round(float(shapely.length(lines[own]).sum()) / 1_000, 3),
                "profit": float(sum(night.stops[row.place].weight for row in stops)),
            }
        )
    return table


def dose(night: Night, planned: Planned) -> list[dict[str, object]]:
    """Return one line a hotspot: visits asked for and planned, minutes a shift, and how that is by the guidance."""
    made = np.zeros(len(night.stops), dtype=np.int64)
    for h, visit in enumerate(night.visits):
        made[visit.stop] += planned.routes.unit[h] >= 0
    table = []
    for i, stop in enumerate(night.stops):
        if stop.kind == "checkpoint":
            continue
        low, high = GUIDANCE_MIN
        by_length = "short" if stop.dwell_min < low else "long" if stop.dwell_min > high else "within"
        table.append(
            {
                "stop_code": stop.code,
                "weight": stop.weight,
                "visits_count": stop.visits_count,
                "planned_count": int(made[i]),
                "dwell_min": stop.dwell_min,
                "dose_min": round(float(made[i]) * stop.dwell_min, 1),
                "dose": "none_planned" if not made[i] else by_length,
            }
        )
    return table


def dose_share(table: list[dict[str, Any]]) -> float:
    """Return the share of the weight whose hotspots get all visits asked for, each at least as long as advised."""
    total = sum(row["weight"] for row in table)
    met = sum(
        row["weight"]
        for row in table
        if row["planned_count"] >= row["visits_count"] and row["dwell_min"] >= GUIDANCE_MIN[0]
    )
    return float(met / total) if total else 0.0


def unserved(night: Night, planned: Planned, lonlat: np.ndarray) -> list[dict[str, object]]:
    """Return one line a stop that is visited less often than asked for, where it is and why it is not.

    Parameters
    ----------
    lonlat : (p, 2)
        Of the places of the night: nothing is drawn for a stop without a visit, so that its line has to say it.
    """
    lost: dict[tuple[int, str], int] = {(i, why): night.stops[i].visits_count for i, why in night.without.items()}
    for visit, why in zip(night.visits, planned.why, strict=True):
        if why is not None:
            lost[visit.stop, why] = lost.get((visit.stop, why), 0) + 1
    return [
        {
            "stop_code": night.stops[i].code,
            "name": night.stops[i].name_zh or night.stops[i].name_en,
            "stop_kind": night.stops[i].kind,
            "weight": night.stops[i].weight,
            "lon": round(float(lonlat[i, 0]), 6),
            "lat": round(float(lonlat[i, 1]), 6),
            "visits_missing_count": count,
            "reason": why,
        }
        for (i, why), count in sorted(lost.items())
    ]
