"""The hottest places of a period, as places to send somebody to: Gi* over the cells of a city, and where in each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
from scipy import sparse

from gis.city.places import Places, PlaceSelection, find_places
from gis.city.selection import Selected, select_incidents
from gis.contract.service import Context
from gis.kernels.getis_ord import local_test
from gis.kernels.neighbour_distance import neighbour_distance


@dataclass(frozen=True, slots=True, eq=False)
class HotPlaces:
    """Places hot beyond chance, the hottest first.

    Attributes
    ----------
    codes, names_zh, names_en : (m,)
        Of the cell or grid; the names are None where it has none.
    points : (m, 2)
        In metres: the middle of the incidents there.
    incidents_count : (m,)
    selected
        The incidents that took part, and the account of the others.
    places
        Everything that was compared.
    hot_count
        How many places are hot; those without an incident of their own are not returned.
    """

    codes: list[str]
    names_zh: list[str | None]
    names_en: list[str | None]
    points: np.ndarray
    incidents_count: np.ndarray
    selected: Selected
    places: Places
    hot_count: int


def hot_places(
    params: PlaceSelection,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
    alpha: float,
    most: int,
) -> HotPlaces:
    """Return at most `most` places whose neighbourhood is hot beyond chance, by the test of the service ``hotspots``.

    Parameters
    ----------
    alpha
        Expected share of false ones among them (false discovery rate).
    """
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    places = find_places(params, context, selected, grids=grids, districts=districts, water_areas=water_areas)
    if params.reach == "auto" and params.reach_m is None:
        clustered = places.counts if places.share is None else places.beyond_ground
        found = neighbour_distance(places.centres, clustered, cell_m=places.cell_m)
        places = replace(places, units=places.units.within(found.reach_m))
    n = places.counts.size
    whole = places.units.near + sparse.eye_array(n, format="csr")
    test = local_test(places.counts, whole, exposure=places.share, alternative="greater", seed=0)
    hot = test.q <= alpha
    order = np.lexsort((np.arange(n), -places.counts, -np.nan_to_num(test.z)))
    chosen = [int(i) for i in order if hot[i] and places.counts[i] > 0][:most]
    features = places.units.features
    sums = np.zeros((n, 2))
    held = places.units.held
    np.add.at(sums, held[held >= 0], selected.points[held >= 0])
    names = [
        [None if name not in features.columns else _text(features[name].iloc[i]) for i in chosen]
        for name in ("name_zh", "name_en")
    ]
    return HotPlaces(
        codes=[str(features["code"].iloc[i]) for i in chosen],
        names_zh=names[0],
        names_en=names[1],
        points=sums[chosen] / np.maximum(places.counts[chosen], 1)[:, None],
        incidents_count=places.counts[chosen],
        selected=selected,
        places=places,
        hot_count=int(hot.sum()),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
