"""Who or what is to be reached: the places of a city as points with a weight, for every service of coverage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.city.hot_places import hot_places
from gis.city.places import PlaceSelection
from gis.city.selection import IncidentSelection, select_incidents
from gis.contract.result import LeftOut
from gis.contract.service import Context
from gis.errors import InvalidParams, Problem

Demanded = Literal["households", "residents", "key_units", "rentals", "incidents", "hotspots"]

HOT_ALPHA = 0.05
MOST_HOTSPOTS = 500
_FRAME: Mapping[str, str] = {"households": "blocks", "residents": "blocks", "hotspots": "incidents"}
_OF_BLOCKS: Mapping[str, str] = {"households": "households_count", "residents": "residents_count"}


class DemandSelection(IncidentSelection):
    """What is to be reached."""

    demand: Demanded = "households"
    """What is to be reached: the households or the residents of each block, key protection units, rental properties,
    incidents, or hotspots of incidents, each weighing the incidents in it."""


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Places to be reached, n of them.

    Attributes
    ----------
    frame
        Id of the frame that they come from.
    codes, names_zh, names_en, kinds : (n,)
        None where there is none.
    points : (n, 2)
        Where one has to come to, in metres: the place itself, or a point inside a block.
    weight : (n,)
        Households or residents; 1 for all others.
    shapes : (n,)
        The places as the frame has them.
    grid_code, community_code : (n,)
        None where a place lies in no grid.
    members_count
        Rows of the frame that the places were made of, where a place stands for several; None where each is one.
    """

    frame: str
    codes: np.ndarray
    names_zh: np.ndarray
    names_en: np.ndarray
    kinds: np.ndarray
    points: np.ndarray
    weight: np.ndarray
    shapes: np.ndarray
    grid_code: np.ndarray
    community_code: np.ndarray
    left_out: tuple[LeftOut, ...]
    members_count: int | None = None

    def __len__(self) -> int:
        """Return how many places."""
        return len(self.codes)

    def used_count(self, places: int) -> int:
        """Return how many rows of the frame took part, when so many places did."""
        return places if self.members_count is None else self.members_count


def find_demand(params: DemandSelection, context: Context, frames: Mapping[str, gpd.GeoDataFrame | None]) -> Demand:
    """Return the places to be reached.

    Parameters
    ----------
    frames
        Id -> frame in metres, None where the city has none: ``blocks``, ``key_units``, ``rentals``, ``incidents`` and
        ``grids``, which say where a place belongs; for hotspots ``districts`` and ``water_areas`` too.

    Raises
    ------
    InvalidParams
        The frame that is asked for is not there or holds nobody.
    """
    frame_id = (
        "blocks" if params.demand in _OF_BLOCKS else "incidents" if params.demand == "hotspots" else params.demand
    )
    frame = frames.get(frame_id)
    if frame is None or frame.empty:
        raise _nothing(params.demand, f"the city has no {frame_id}")
    if params.demand == "hotspots":
        return _hotspots(params, context, frames, frame)
    left_out: tuple[LeftOut, ...] = ()
    if frame_id == "incidents":
        selected = select_incidents(frame, params, time_zone=context.profile.time_zone)
        rows, left_out = selected.incidents, selected.left_out
    else:
        placed = frame.geometry.notna() & ~frame.geometry.is_empty
        rows, left_out = frame[placed], LeftOut.some(frame_id, "no_location", int((~placed).sum()))
    weight = _weight(rows, params.demand)
    inhabited = weight > 0
    left_out += LeftOut.some(frame_id, "nobody_there", int((~inhabited).sum()))
    rows, weight = rows[inhabited], weight[inhabited]
    if rows.empty:
        raise _nothing(params.demand, f"no row of {frame_id} holds any {params.demand}")
    order = np.argsort(rows["source_id"].to_numpy(dtype=object), kind="stable")
    rows, weight = rows.iloc[order], weight[order]
    shapes = rows.geometry.to_numpy()
    is_point = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    inside = np.where(is_point, shapes, shapely.point_on_surface(shapes))
    points = shapely.get_coordinates(inside)
    grid, community = _belonging(rows, inside, frames.get("grids"))
    return Demand(
        frame=frame_id,
        codes=_unique(_column(rows, "code" if frame_id == "blocks" else "source_id")),
        # A rental has an address for a name, which not everybody sees who sees where it is.
        names_zh=_column(rows, *(("name_zh",) if frame_id == "rentals" else ("name_zh", "address"))),
        names_en=_column(rows, "name_en"),
        kinds=_column(rows, "kind", "category"),
        points=points,
        weight=weight,
        shapes=shapes,
        grid_code=grid,
        community_code=community,
        left_out=left_out,
    )


def _hotspots(
    params: DemandSelection,
    context: Context,
    frames: Mapping[str, gpd.GeoDataFrame | None],
    incidents: gpd.GeoDataFrame,
) -> Demand:
    """Return the places hot beyond chance on the usual lattice, at the middle of their incidents."""
    chosen = {name: getattr(params, name) for name in IncidentSelection.model_fields}
    hot = hot_places(
        PlaceSelection(**chosen),
        context,
        incidents=incidents,
        grids=None,
        districts=frames.get("districts"),
        water_areas=frames.get("water_areas"),
        alpha=HOT_ALPHA,
        most=MOST_HOTSPOTS,
    )
    if not hot.codes:
        raise _nothing("hotspots", "no place is hot beyond chance")
    shapes = shapely.points(hot.points)
    rows = gpd.GeoDataFrame({"code": hot.codes}, geometry=shapes, crs=incidents.crs)
    grid, community = _belonging(rows, shapes, frames.get("grids"))
    none = np.full(len(rows), None, dtype=object)
    return Demand(
        frame="incidents",
        codes=_column(rows, "code"),
        names_zh=np.array(hot.names_zh, dtype=object),
        names_en=np.array(hot.names_en, dtype=object),
        kinds=none,
        points=hot.points,
        weight=hot.incidents_count.astype(float),
        shapes=shapes,
        grid_code=grid,
        community_code=community,
        left_out=hot.selected.left_out,
        members_count=len(hot.selected.incidents),
    )


def _weight(rows: gpd.GeoDataFrame, demand: Demanded) -> np.ndarray:
    if demand not in _OF_BLOCKS:
        return np.ones(len(rows))
    name = _OF_BLOCKS[demand]
    if name not in rows.columns:
        raise _nothing(demand, f"the blocks have no column {name}")
    return np.asarray(rows[name].astype("Float64").fillna(0.0), dtype=float)


def _belonging(
    rows: gpd.GeoDataFrame, inside: np.ndarray, grids: gpd.GeoDataFrame | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the grid and the community (n,) of each place: by its own code where it has one, else by where it lies."""
    grid = _column(rows, "grid_code") if "community_code" in rows.columns else np.full(len(rows), None, dtype=object)
    community = _column(rows, "community_code")
    if grids is None or grids.empty:
        return grid, community
    current = grids[grids["valid_to"].isna()] if "valid_to" in grids.columns else grids
    codes, over = _column(current, "code"), _column(current, "community_code")
    missing = np.flatnonzero(pd.isna(grid))
    if missing.size:
        place, area = shapely.STRtree(current.geometry.to_numpy()).query(inside[missing], predicate="intersects")
        # On a border between two the one with the lowest code: each place counts once.
        order = np.lexsort((codes[area].astype(str), place))
        place, first = np.unique(place[order], return_index=True)
        grid[missing[place]] = codes[area[order][first]]
    of_grid = dict(zip(codes, over, strict=True))
    unknown = pd.isna(community)
    community[unknown] = [of_grid.get(code) for code in grid[unknown]]
    return grid, community


def _column(rows: gpd.GeoDataFrame, *names: str) -> np.ndarray:
    """Return the first of some columns that is there, as objects (n,) with None where it is empty."""
    name = next((name for name in names if name in rows.columns), None)
    if name is None:
        return np.full(len(rows), None, dtype=object)
    values = rows[name].astype(object)
    return np.array(values.where(values.notna(), None), dtype=object)


def _unique(codes: np.ndarray) -> np.ndarray:
    """Return the codes with a number behind each that is there again: two sources may use the same one."""
    again = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    return np.array([code if n == 0 else f"{code}#{n + 1}" for code, n in zip(codes, again, strict=True)], dtype=object)


def _nothing(demand: str, why: str) -> InvalidParams:
    return InvalidParams(f"there are no {demand} to be reached", [Problem("nothing_to_reach", why, "demand")])
