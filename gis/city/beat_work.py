"""How much work each grid is: its incidents and its households, and the place where its incidents are."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.grid_graph import grids_at, inner_points
from gis.city.periods import days_between
from gis.city.selection import IncidentSelection, Selected
from gis.errors import InvalidParams, Problem
from gis.kernels.block_graph import Floats, Ints

YEAR_DAYS = 365.25
MINUTES = 1_440


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The work of grids (n,).

    Attributes
    ----------
    load : (n,)
        Share of the work of all; adds up to 1.
    counts, households : (n,)
    rate_per_min : (n,)
        Incidents a minute, in the hours chosen.
    per_year : (n,)
        Incidents a year.
    points : (n, 2)
        Where each grid's incidents are on average, or where that is outside of it, or there are none, a point inside.
    days
        Length of the period, of the hours and weekdays chosen.
    outside_count
        Incidents in no grid.
    """

    load: Floats
    counts: Ints
    households: Ints
    rate_per_min: Floats
    per_year: Floats
    points: np.ndarray
    days: float
    outside_count: int


def work_of(
    selected: Selected,
    grids: gpd.GeoDataFrame,
    params: IncidentSelection,
    *,
    time_zone: str,
    incidents_share: float,
) -> Work:
    """Return the work of grids (n rows, in metres).

    The period is the one asked for; an end that is not given is the first or last incident.

    Raises
    ------
    InvalidParams
        There is neither an incident nor a household in any grid that would count.
    """
    held = grids_at(grids.geometry.to_numpy(), selected.points)
    inside = held >= 0
    counts = np.bincount(held[inside], minlength=len(grids))
    households = np.zeros(len(grids))
    if "households_count" in grids.columns:
        households = grids["households_count"].fillna(0).to_numpy(float)
    load = np.zeros(len(grids))
    for values, share in ((counts, incidents_share), (households, 1 - incidents_share)):
        if values.sum() > 0:
            load += share * values / values.sum()
    if load.sum() <= 0:
        why = "no grid has an incident or a household that counts: choose other incidents, or let households count"
        raise InvalidParams("beats: no work", [Problem("no_work", why, "incidents_share")])
    days, whole_days = _days(selected, params, time_zone)
    return Work(
        load=load / load.sum(),
        counts=counts,
        households=households.astype(np.int64),
        rate_per_min=counts / (days * MINUTES),
        per_year=counts / whole_days * YEAR_DAYS,
        points=_middles(grids, selected.points[inside], held[inside]),
        days=days,
        outside_count=int((~inside).sum()),
    )


def _days(selected: Selected, params: IncidentSelection, time_zone: str) -> tuple[float, float]:
    """Return the days of the hours chosen, and all days from end to end; one at least."""
    if selected.period is None:
        return 1.0, 1.0
    start = pd.Timestamp(params.occurred_from or selected.period[0])
    end = pd.Timestamp(params.occurred_before or selected.period[1])
    whole = float((end - start) / pd.Timedelta(days=1))
    if whole < 1.0:
        end, whole = start + pd.Timedelta(days=1), 1.0
    return max(days_between(start, end, params, time_zone), 1 / 24), whole


def _middles(grids: gpd.GeoDataFrame, points: np.ndarray, held: Ints) -> np.ndarray:
    middle = inner_points(grids)
    count = np.bincount(held, minlength=len(grids))
    mean = np.column_stack([np.bincount(held, points[:, i], minlength=len(grids)) for i in (0, 1)])
    mean = np.divide(mean, count[:, None], out=middle.copy(), where=count[:, None] > 0)
    inside = shapely.intersects_xy(grids.geometry.to_numpy(), mean[:, 0], mean[:, 1])
    return np.where(inside[:, None], mean, middle)
