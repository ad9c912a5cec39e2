"""Which incidents take part in a computation, and which do not and why: the same rules for every service of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import AwareDatetime, Field, model_validator

from gis.city.codebook import codebook
from gis.contract.result import LeftOut
from gis.contract.service import Params


class IncidentSelection(Params):
    """Parameters that choose incidents."""

    categories: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Only these categories; all when not given."""
    origins: tuple[str, ...] = Field(
        default=("public_report", "import"), min_length=1, json_schema_extra={"codebook": "incident_origins"}
    )
    """Only incidents that were found this way. What patrols and inspections find is left out by default: they find
    where they look, and sending them where they found closes a loop."""
    occurred_from: AwareDatetime | None = None
    """First instant of the period, included; with its time zone."""
    occurred_before: AwareDatetime | None = None
    """End of the period, not included; with its time zone."""

    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] | None = Field(default=None, min_length=1)
    """Only incidents on these days of the week, 1 is Monday and 7 Sunday, by the city's clock; all when not given."""
    hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] | None = Field(default=None, min_length=1)
    """Only incidents in these hours of the day, 8 is from 8:00 to 8:59, by the city's clock; all when not given."""

    @model_validator(mode="after")
    def _check(self) -> IncidentSelection:
        unknown = sorted(set(self.origins) - set(codebook("incident_origins")))
        if unknown:
            raise ValueError(f"origins: no such origin {', '.join(unknown)}")
        if self.occurred_from and self.occurred_before and self.occurred_from >= self.occurred_before:
            raise ValueError("occurred_from must be before occurred_before")
        return self


@dataclass(frozen=True, slots=True)
class Selected:
    """Incidents with a place, as points, and the account of the others.

    Attributes
    ----------
    incidents
        The rows that take part, index as given.
    points : (n, 2)
        Easting and northing of each; of a line or area, a point on it.
    moved_count
        How many were lines or areas.
    """

    incidents: gpd.GeoDataFrame
    points: np.ndarray
    moved_count: int
    left_out: tuple[LeftOut, ...]

    @property
    def period(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """First and last instant of the incidents, None when there are none."""
        if self.incidents.empty:
            return None
        times = self.incidents["occurred_at"]
        return times.min(), times.max()


def select_incidents(incidents: gpd.GeoDataFrame, params: IncidentSelection, *, time_zone: str) -> Selected:
    """Choose incidents; each row that does not take part is counted once, under the first reason that applies.

    Parameters
    ----------
    incidents : (n,) rows of the frame ``incidents``, in metres
    time_zone
        IANA name of the city's clock, by which weekdays and hours are meant.
    """
    times, origins = incidents["occurred_at"], _column(incidents, "origin", "import")
    shapes = incidents.geometry
    withheld = _column(incidents, "location_withheld", default=False).astype(bool)
    reasons: list[tuple[str, pd.Series]] = [("other_origin", ~origins.isin(params.origins))]
    if params.occurred_from is not None:
        reasons.append(("outside_period", times < pd.Timestamp(params.occurred_from)))
    if params.occurred_before is not None:
        reasons.append(("outside_period", times >= pd.Timestamp(params.occurred_before)))
    if params.weekdays is not None or params.hours is not None:
        local = times.dt.tz_convert(time_zone)
        if params.weekdays is not None:
            reasons.append(("outside_clock", ~(local.dt.day_of_week + 1).isin(params.weekdays)))
        if params.hours is not None:
            reasons.append(("outside_clock", ~local.dt.hour.isin(params.hours)))
    if params.categories is not None:
        reasons.append(("other_category", ~incidents["category"].isin(params.categories)))
    reasons += [("location_withheld", withheld), ("no_location", shapes.isna() | shapes.is_empty)]
    taking_part = np.ones(len(incidents), dtype=bool)
    counts: dict[str, int] = {}
    for reason, rows in reasons:
        leaving = taking_part & rows.to_numpy(dtype=bool)
        counts[reason] = counts.get(reason, 0) + int(leaving.sum())
        taking_part &= ~leaving
    chosen = incidents[taking_part]
    placed = chosen.geometry.to_numpy(dtype=object).copy()
    extended = shapely.get_type_id(placed) != shapely.GeometryType.POINT
    placed[extended] = shapely.point_on_surface(placed[extended])
    return Selected(
        incidents=chosen,
        points=shapely.get_coordinates(placed),
        moved_count=int(extended.sum()),
        left_out=tuple(LeftOut("incidents", reason, n) for reason, n in counts.items() if n),
    )


def _column(frame: gpd.GeoDataFrame, name: str, default: Any) -> pd.Series:
    """Return a column, or its default where the frame does not have it or a row leaves it empty."""
    if name not in frame.columns:
        return pd.Series(default, index=frame.index)
    return frame[name].where(frame[name].notna(), default)
