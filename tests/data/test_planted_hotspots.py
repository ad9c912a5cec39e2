"""The statistics find what was planted, where and when it is, and nothing where there is nothing."""

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from scipy import sparse

from gis.city.city import City
from gis.kernels.getis_ord import local_test

CELL_M = 300.0
Q = 0.05
"""Share of false alarms among the places called hot (Benjamini and Hochberg)."""


class Lattice:
    """Square cells from the city's own origin, each with the eight around it."""

    def __init__(self, city: City) -> None:
        self.city = city
        reports = self.reports(city)
        self.cells = np.unique(self._cell(reports), axis=0)
        number = {tuple(cell): i for i, cell in enumerate(self.cells)}
        pairs = [
            (i, number[near])
            for (x, y), i in number.items()
            for near in [(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
            if near in number
        ]
        n = len(self.cells)
        self.weights = sparse.csr_array((np.ones(len(pairs)), np.array(pairs).T), shape=(n, n))
        self.centres = (self.cells + 0.5) * CELL_M + self.city.profile.lattice_origin

    @staticmethod
    def reports(city: City) -> gpd.GeoDataFrame:
        rows = city.incidents
        rows = rows[rows.geometry.notna() & (rows["origin"] == "public_report")]
        local = rows["occurred_at"].dt.tz_convert(city.profile.time_zone).dt.strftime("%Y-%m")
        return rows.assign(month=local).to_crs(city.profile.metric_crs)

    def _cell(self, rows: gpd.GeoDataFrame) -> np.ndarray:
        xy = shapely.get_coordinates(rows.geometry.to_numpy())
        return np.floor((xy - self.city.profile.lattice_origin) / CELL_M).astype(int)

    def counts(self, rows: gpd.GeoDataFrame) -> np.ndarray:
        _, number = np.unique(np.vstack([self.cells, self._cell(rows)]), axis=0, return_inverse=True)
        return np.bincount(number.ravel()) - 1

    def hot(self, counts: np.ndarray) -> np.ndarray:
        found = local_test(counts, self.weights)
        return (found.q <= Q) & (found.z > 0)

    def distance(self, spot: dict[str, Any]) -> np.ndarray:
        centre = gpd.GeoSeries.from_xy([spot["lon"]], [spot["lat"]], crs=4326).to_crs(self.city.profile.metric_crs)
        return np.hypot(self.centres[:, 0] - centre.x.iloc[0], self.centres[:, 1] - centre.y.iloc[0])


@pytest.fixture(scope="module")
def lattice(demo) -> Lattice:
    return Lattice(demo)


@pytest.fixture(scope="module")
def reports(lattice, demo) -> gpd.GeoDataFrame:
    return lattice.reports(demo)


@pytest.fixture(scope="module")
def spots(truth) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for spot in truth["hotspots"]:
        kinds.setdefault(spot["kind"], []).append(spot)
    return kinds


def test_every_permanent_one_is_found_and_nothing_elsewhere(lattice, reports, spots, truth) -> None:
    hot = lattice.hot(lattice.counts(reports))
    for spot in spots["permanent"]:
        away = lattice.distance(spot)
        assert hot[away.argmin()], spot["id"]
        assert hot[away < spot["radius_m"]].mean() > 0.5, spot["id"]
    far = np.all([lattice.distance(spot) > spot["radius_m"] + 2 * CELL_M for spot in truth["hotspots"]], axis=0)
    assert far.mean() > 0.7
    assert not hot[far].any()


def test_the_emerging_one_is_hot_only_in_its_months(lattice, reports, spots) -> None:
    (spot,) = spots["emerging"]
    here = lattice.distance(spot).argmin()
    now = reports["month"] >= spot["first_month"]
    assert lattice.hot(lattice.counts(reports[now]))[here]
    assert not lattice.hot(lattice.counts(reports[~now]))[here]


def test_the_vanished_one_is_hot_only_in_its_months(lattice, reports, spots) -> None:
    (spot,) = spots["vanished"]
    here = lattice.distance(spot).argmin()
    then = reports["month"] <= spot["last_month"]
    assert lattice.hot(lattice.counts(reports[then]))[here]
    assert not lattice.hot(lattice.counts(reports[~then]))[here]


def test_a_place_patrols_look_at_is_no_hotspot_of_public_reports(lattice, reports, spots, demo) -> None:
    (spot,) = spots["patrol_only"]
    here = lattice.distance(spot).argmin()
    assert not lattice.hot(lattice.counts(reports))[here]
    rows = demo.incidents
    patrols = rows[rows.geometry.notna() & (rows["origin"] == "patrol")].to_crs(demo.profile.metric_crs)
    inside = patrols[lattice_cells_known(lattice, patrols)]
    assert lattice.hot(lattice.counts(inside))[here]


def lattice_cells_known(lattice: Lattice, rows: gpd.GeoDataFrame) -> np.ndarray:
    known = {tuple(cell) for cell in lattice.cells}
    return np.array([tuple(cell) in known for cell in lattice._cell(rows)])


def test_a_shuffled_city_is_quiet(lattice, reports) -> None:
    # The same cells with the same counts, in another order: nothing is near anything, so whatever is called hot is a
    # false alarm. More than 12 of 40 such cities with any would come by chance less than once in ten million runs.
    counts = lattice.counts(reports)
    alarms = [lattice.hot(np.random.default_rng(seed).permutation(counts)).sum() for seed in range(40)]
    assert np.count_nonzero(alarms) <= 12
    assert np.mean(alarms) < 0.01 * len(counts)
