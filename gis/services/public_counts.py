"""Public counts: incidents a year and month, and rentals, by cells of one fixed lattice, small ones withheld."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

from gis.city.frames import INCIDENTS, RENTALS
from gis.city.selection import IncidentSelection, select_incidents
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Params, Service
from gis.contract.text import Text
from gis.errors import Infeasible
from gis.kernels.lattice import Lattice
from gis.kernels.suppression import with_totals, withhold

CELL_M = 1_000.0
"""Side of a cell. Not a parameter: of two lattices one could be subtracted from the other."""
LEAST_INCIDENTS = 5
LEAST_RENTALS = 10
MONTHS = tuple(range(1, 13))
SOME, MANY = 50, 200


class PublicCountsParams(Params):
    """Which year is published."""

    year: int | None = Field(default=None, ge=1900, le=2200)
    """A whole calendar year of the city's clock that the data have left behind; the newest one when not given."""


def _month(month: int) -> Column:
    return Column(
        month_name(month), "integer", Text(f"{month}月事件", f"Incidents in month {month}"), minimum=0,
        description="Empty where it is withheld.",
    )  # fmt: skip


def month_name(month: int) -> str:
    """Return the column of a month.

    Examples
    --------
    >>> month_name(3)
    'incidents_03_count'
    """
    return f"incidents_{month:02d}_count"


PUBLIC_COUNTS = FrameSpec(
    "public_counts",
    Text("公开统计", "Public counts"),
    (
        Column("code", "code", Text("统计格", "Cell"), required=True),
        Column("year", "integer", Text("年份", "Year"), required=True),
        Column(
            "count_class",
            "code",
            Text("全年事件", "Incidents of the year"),
            required=True,
            codebook="public_count_classes",
        ),
        Column(
            "incidents_count",
            "integer",
            Text("全年事件数", "Incidents of the year, in all"),
            minimum=0,
            description="Empty where it is withheld.",
        ),
        *(_month(month) for month in MONTHS),
        Column(
            "withheld_count",
            "integer",
            Text("不公布的月数", "Months withheld"),
            required=True,
            minimum=0,
            maximum=12,
        ),
        Column(
            "rentals_count",
            "integer",
            Text("出租房屋数", "Rental properties"),
            minimum=0,
            description="Empty where it is withheld.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 44",
)


def public_counts(
    params: PublicCountsParams, context: Context, *, incidents: gpd.GeoDataFrame, rentals: gpd.GeoDataFrame | None
) -> Findings:
    """Count a year of reported incidents, and the rentals, by cells, and withhold what must not be told."""
    selected = select_incidents(incidents, IncidentSelection(), time_zone=context.profile.time_zone)
    local = selected.incidents["occurred_at"].dt.tz_convert(context.profile.time_zone)
    year = _year(params.year, local)
    wanted = (local.dt.year == year).to_numpy()
    points, months = selected.points[wanted], local.dt.month.to_numpy()[wanted]
    homes = _points(rentals)
    lattice = Lattice("square", CELL_M, context.profile.lattice_origin)
    cells, place = np.unique(lattice.cells_of(np.vstack([points, homes])), axis=0, return_inverse=True)
    place = place.reshape(-1)
    events = np.zeros((len(cells), len(MONTHS)), dtype=np.int64)
    np.add.at(events, (place[: len(points)], months - 1), 1)
    houses = np.bincount(place[len(points) :], minlength=len(cells)).astype(np.int64)
    context.progress(0.3, "incidents counted")
    hidden_events = _withheld(events, LEAST_INCIDENTS, "incidents")
    hidden_houses = _withheld(houses[:, None], LEAST_RENTALS, "rentals")
    context.progress(0.9, "small counts withheld")
    features = _features(
        lattice, cells, year, (events, hidden_events), (houses, np.asarray(hidden_houses[:-1].any(axis=1)))
    )
    features = features.set_crs(context.profile.metric_crs)
    left_out = list(selected.left_out)
    if outside := int((~wanted).sum()):
        left_out.append(LeftOut("incidents", "outside_period", outside))
    return Findings(
        features,
        {
            "year": year,
            "cells_count": len(features),
            "incidents_count": int(events.sum()),
            "withheld_counts_count": int(features["withheld_count"].sum()),
            "withheld_years_count": int(features["incidents_count"].isna().sum()),
            "cell_size_m": CELL_M,
        },
        used={"incidents": len(points), "rentals": len(homes)},
        period=None if not wanted.any() else (local[wanted].min(), local[wanted].max()),
        choices={"least_incidents": LEAST_INCIDENTS, "least_rentals": LEAST_RENTALS},
        left_out=tuple(left_out),
    )


def _year(asked: int | None, local: pd.Series) -> int:
    """Return the year to publish; one that may still grow is refused, for its months could be subtracted later."""
    if local.empty:
        return asked or 1970
    last = int(local.dt.year.max())
    if asked is not None and asked >= last:
        raise Infeasible(f"the year {asked} has not ended in the data: the newest whole one is {last - 1}")
    return last - 1 if asked is None else asked


def _points(rentals: gpd.GeoDataFrame | None) -> np.ndarray:
    """Return a point (n, 2) in metres of each rental that has a place."""
    if rentals is None or rentals.empty:
        return np.empty((0, 2))
    shapes = rentals.geometry.to_numpy(dtype=object)
    placed = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(placed)))


def _withheld(counts: np.ndarray, least: int, what: str) -> np.ndarray:
    """Return what to withhold of a table (r, c) and its totals, (r + 1, c + 1)."""
    if not counts.any():
        return np.zeros((len(counts) + 1, counts.shape[1] + 1), dtype=bool)
    hidden = withhold(counts, least=least)
    if hidden is None:
        raise Infeasible(f"there are too few {what}: their total alone would give a small count away")
    return hidden


def _features(
    lattice: Lattice,
    cells: np.ndarray,
    year: int,
    incidents: tuple[np.ndarray, np.ndarray],
    rentals: tuple[np.ndarray, np.ndarray],
) -> gpd.GeoDataFrame:
    events, hidden = with_totals(incidents[0])[:-1], incidents[1][:-1]
    shown = {
        month_name(month): pd.array(np.where(hidden[:, month - 1], 0, events[:, month - 1]), dtype="Int64")
        for month in MONTHS
    }
    for month, values in zip(MONTHS, shown.values(), strict=True):
        values[hidden[:, month - 1]] = pd.NA
    totals = pd.array(events[:, -1], dtype="Int64")
    totals[hidden[:, -1]] = pd.NA
    houses = pd.array(rentals[0], dtype="Int64")
    houses[rentals[1]] = pd.NA
    classes = np.select(
        [hidden[:, -1], events[:, -1] == 0, events[:, -1] < SOME, events[:, -1] < MANY],
        ["withheld", "none", "few", "some"],
        "many",
    )
    table = pd.DataFrame(
        {
            "code": lattice.codes(cells),
            "year": np.full(len(cells), year),
            "count_class": classes,
            "incidents_count": totals,
            **shown,
            "withheld_count": hidden[:, :-1].sum(axis=1),
            "rentals_count": houses,
        }
    )
    shapes = shapely.polygons(lattice.corners(cells)) if len(cells) else []
    return gpd.GeoDataFrame(table, geometry=shapes)


SERVICE = Service(
    id="public_counts",
    version=1,
    title=PUBLIC_COUNTS.title,
    abstract=Text(
        "按固定的一公里统计格公布一整年逐月的上报事件数和出租房屋数；过小的数，以及能推算出它们的数，不予公布。",
        "Publishes how many incidents were reported in each month of a whole year, and how many rentals there are, by "
        "cells of one kilometre that never change; small counts, and whatever would give them away, are withheld.",
    ),
    card=Text(
        "显示一整年上报的事件按一公里格的数量，可供公众查看。少于5起（出租房屋少于10处）的数不公布，也无法由合计推算。",
        "Shows how many incidents were reported in a whole year, by cells of one kilometre, for everybody. Counts "
        "below 5 (rentals: below 10) are withheld and cannot be worked out from the totals.",
    ),
    mandate="Art. 44",
    params=PublicCountsParams,
    inputs=(Input(INCIDENTS), Input(RENTALS, required=False)),
    output=PUBLIC_COUNTS,
    compute=public_counts,
)
