"""The places that are compared, with what they hold and how much ground they cover, for every service of Gi*."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from gis.city.ground import ground_m2
from gis.city.selection import IncidentSelection, Selected
from gis.city.study_area import Units, grid_units, grids_in_force, lattice_units, study_area
from gis.contract.result import LeftOut
from gis.contract.service import Context
from gis.errors import InvalidParams, Problem
from gis.kernels.cell_size import cell_size
from gis.kernels.lattice import Lattice

MIN_PLACES = 8
"""Fewer places than this have no chance of a significant one among them."""
LEAST_SHARE = 0.01
"""A cell with less of its ground in the study area is left out when nothing happened there, and counts as having so
much when something did: a bridge, or a corner on the border."""


class PlaceSelection(IncidentSelection):
    """Which places are compared, and which of them are neighbours."""

    unit: Literal["lattice", "grids"] = "lattice"
    """What is compared: cells of the city's lattice, or its grids."""
    cell: Literal["square", "hexagon"] = "square"
    """Shape of a lattice cell."""
    lattice_m: float | None = Field(default=300.0, ge=10, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, or width of a hexagon, in metres; when not given, found from how close incidents lie."""
    reach: Literal["contiguity", "auto"] = "contiguity"
    """Neighbours are places that touch, or those within the distance at which incidents cluster most (auto)."""
    reach_m: float | None = Field(default=None, gt=0, le=50_000, json_schema_extra={"unit": "m"})
    """Neighbours are places whose centres are at most this far, in metres, whatever `reach` says."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places with the incidents they hold.

    Attributes
    ----------
    counts : (n,)
        Incidents in each.
    ground_m2 : (n,)
        Ground of each inside the study area, without water.
    share : (n,)
        That ground as a share of a whole cell; None for grids, which were drawn to be compared as they are.
    grids
        The grids in force, in the order of the places; None for cells.
    cell_m
        Size of a cell; None for grids.
    choices, left_out
        What was decided on the way, and which rows have no place among these.
    """

    units: Units
    counts: np.ndarray
    ground_m2: np.ndarray
    share: np.ndarray | None
    grids: gpd.GeoDataFrame | None
    cell_m: float | None
    choices: dict[str, Any]
    left_out: tuple[LeftOut, ...]

    @property
    def shapes(self) -> np.ndarray:
        """Outlines (n,), in metres; of a cell, all of it."""
        return np.asarray(self.units.features.geometry.to_numpy())

    @property
    def centres(self) -> np.ndarray:
        """Centres (n, 2), in metres."""
        return np.asarray(shapely.get_coordinates(shapely.centroid(self.shapes)))

    @property
    def beyond_ground(self) -> np.ndarray:
        """Incidents (n,) less what the ground of each would make usual."""
        if self.share is None:
            return self.counts
        return np.asarray(self.counts - self.share * (self.counts.sum() / self.share.sum()))

    def only(self, kept: np.ndarray, reason: str) -> Places:
        """Return some of the places, by a mask (n,); incidents of the others are left out for the reason."""
        if kept.all():
            return self
        gone = int(self.counts[~kept].sum())
        grids = None if self.grids is None else self.grids[kept]
        left_out = [] if grids is None else [LeftOut("grids", reason, int((~kept).sum()))]
        left_out += [LeftOut("incidents", reason, gone)] if gone else []
        return replace(
            self,
            units=self.units.only(kept),
            counts=self.counts[kept],
            ground_m2=self.ground_m2[kept],
            share=None if self.share is None else self.share[kept],
            grids=grids,
            left_out=(*self.left_out, *left_out),
        )

    def enough(self) -> Places:
        """Return the places as they are; `InvalidParams` where they are too few to compare."""
        if (n := len(self.counts)) < MIN_PLACES:
            why = f"only {n} places to compare, {MIN_PLACES} are needed; make the cells smaller or the area larger"
            field = "lattice_m" if self.grids is None else "unit"
            raise InvalidParams("too few places", [Problem("too_few_places", why, field)])
        return self


def find_places(
    params: PlaceSelection,
    context: Context,
    selected: Selected,
    *,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Places:
    """Return the places that a service compares, with the incidents selected counted in them."""
    if params.unit == "grids":
        places = _grids(params, context, selected, grids, water_areas)
    else:
        places = _cells(params, context, selected, districts, water_areas)
    if outside := int((places.units.held < 0).sum()):
        places = replace(places, left_out=(*places.left_out, LeftOut("incidents", "outside_study_area", outside)))
    return places.enough()


def _cells(
    params: PlaceSelection,
    context: Context,
    selected: Selected,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Places:
    size_m, choices = params.lattice_m, {}
    if size_m is None:
        known = selected.points[np.isfinite(selected.points).all(axis=1)]
        found = cell_size(known, study_area(known, districts)[0].area)
        size_m = float(np.clip(found.size_m, 10.0, 10_000.0))
        choices = {"lattice_m": size_m, "lattice_m_why": found.why}
        if np.isfinite(found.nearest_m):
            choices["nearest_place_m"] = round(found.nearest_m, 1)
    profile = context.profile
    lattice = Lattice(params.cell, size_m, profile.lattice_origin)
    units = lattice_units(lattice, selected.points, districts=districts, reach_m=params.reach_m, crs=profile.metric_crs)
    counts = np.bincount(units.held[units.held >= 0], minlength=len(units.features))
    ground = ground_m2(units.features.geometry.to_numpy(), area=units.area, water_areas=water_areas)
    share = ground / lattice.cell_area_m2
    kept = (share >= LEAST_SHARE) | (counts > 0)
    if not kept.all():
        choices["cells_without_ground_count"] = int((~kept).sum())
    places = Places(
        units,
        counts,
        ground,
        share=np.maximum(share, LEAST_SHARE),
        grids=None,
        cell_m=size_m,
        choices={**units.choices, **choices},
        left_out=(),
    )
    return places.only(kept, "outside_study_area")


def _grids(
    params: PlaceSelection,
    context: Context,
    selected: Selected,
    grids: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Places:
    if grids is None or grids.empty:
        raise InvalidParams("no grids", [Problem("missing_frame", "the city has no grids", "unit")])
    last = selected.period and selected.period[1].tz_convert(context.profile.time_zone)
    current = grids_in_force(grids, last)
    ended = len(grids) - len(current)
    units = grid_units(current, selected.points, reach_m=params.reach_m)
    return Places(
        units,
        np.bincount(units.held[units.held >= 0], minlength=len(units.features)),
        ground_m2(units.features.geometry.to_numpy(), water_areas=water_areas),
        share=None,
        grids=current.sort_values("code").reset_index(drop=True),
        cell_m=None,
        choices=dict(units.choices),
        left_out=(LeftOut("grids", "not_in_force", ended),) if ended else (),
    )
