"""The workload of a block and of a grid: one declared model whose weights anybody can see and change.

Work is counted in households. The sum over a city is the number of its households, whatever the weights: they only say
how the same work is spread, so that a load band in households holds for every model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import geopandas as gpd
import numpy as np
import pandas as pd

from gis.errors import InvalidInput, Problem
from gis.kernels.block_graph import Floats, Ints
from gis.plans.graph import Blocks
from gis.plans.places import block_of
from gis.plans.plan import NONE, Plan
from gis.plans.policy import WorkloadWeights

M2_PER_KM2 = 1e6
DAYS_PER_YEAR = 365.25
LOAD = "load"
PLACES = ("rentals", "key_units", "incidents_per_year")
"""Amounts that are counted from frames of places."""


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """What each block (n,) holds, and the load that follows.

    Attributes
    ----------
    amounts
        Columns ``households, rentals, key_units, incidents_per_year, area_km2`` and `LOAD`, one row a block, by code.
    weights
        What the load is made with.
    outside
        Column -> how many places lie in no block, or have no location.
    """

    amounts: pd.DataFrame
    weights: WorkloadWeights
    outside: Mapping[str, int]

    @property
    def load(self) -> Floats:
        """Load of each block (n,), in households."""
        return np.asarray(self.amounts[LOAD], dtype=np.float64)

    def of_grids(self, plan: Plan) -> pd.DataFrame:
        """Return the sums over each grid, by code; blocks without a grid are left out."""
        held = plan.grid != NONE
        sums = np.zeros((plan.grids_count, self.amounts.shape[1]))
        np.add.at(sums, plan.grid[held], self.amounts.to_numpy(dtype=np.float64)[held])
        codes = pd.Index([grid.code for grid in plan.grids], name="code")
        return pd.DataFrame(sums, index=codes, columns=self.amounts.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What each block (n,) holds, whatever it weighs.

    Attributes
    ----------
    amounts
        Columns ``households, rentals, key_units, incidents_per_year, area_km2``, one row a block, by code.
    outside
        Column -> how many places lie in no block, or have no location; only columns that were given.
    """

    amounts: pd.DataFrame
    outside: Mapping[str, int]

    def weighed(self, weights: WorkloadWeights) -> Workload:
        """Return the workload of every block.

        Raises
        ------
        InvalidInput
            A frame that has a weight is missing, or nothing in the city makes work.
        """
        missing = [name for name in PLACES if name not in self.outside and getattr(weights, name) > 0]
        if missing:
            problems = [
                Problem("missing_frame", "the city has no such places", name, zh="城市没有这类数据") for name in missing
            ]
            raise InvalidInput(
                f"the workload counts {', '.join(missing)}, but no such frame was given",
                problems,
                zh=f"工作量计入了 {', '.join(missing)}，但城市没有这些数据",
            )
        raw = sum(getattr(weights, f.name) * self.amounts[f.name] for f in fields(weights))
        total = float(raw.sum())
        if total <= 0:
            raise InvalidInput(
                "nothing in these blocks makes work: no load can be balanced", zh="这些单元网格没有任何工作量，无法均衡"
            )
        households = float(self.amounts["households"].sum())
        load = raw * (households / total if households > 0 else 1.0)
        return Workload(self.amounts.assign(**{LOAD: load}), weights, self.outside)


def counts_of(
    blocks: Blocks,
    *,
    rentals: gpd.GeoDataFrame | None = None,
    key_units: gpd.GeoDataFrame | None = None,
    incidents: gpd.GeoDataFrame | None = None,
    incident_weights: dict[str, float] | None = None,
) -> Counts:
    """Return what every block holds; parameters as of `workload_of`."""
    amounts = pd.DataFrame(index=pd.Index(blocks.codes, name="code"))
    outside: dict[str, int] = {}
    amounts["households"] = blocks.households.astype(np.float64)
    for name, frame in zip(PLACES, (rentals, key_units, incidents), strict=True):
        if frame is None:
            amounts[name] = 0.0
            continue
        held = block_of(blocks, frame)
        outside[name] = int((held == NONE).sum())
        counts = _per_year(frame, incident_weights or {}) if name == "incidents_per_year" else np.ones(len(frame))
        amounts[name] = _summed(held, counts, len(blocks))
    amounts["area_km2"] = np.where(blocks.watery, 0.0, blocks.graph.area_m2 / M2_PER_KM2)
    return Counts(amounts, outside)


def workload_of(
    blocks: Blocks,
    weights: WorkloadWeights,
    *,
    rentals: gpd.GeoDataFrame | None = None,
    key_units: gpd.GeoDataFrame | None = None,
    incidents: gpd.GeoDataFrame | None = None,
    incident_weights: dict[str, float] | None = None,
) -> Workload:
    """Return the workload of every block.

    Parameters
    ----------
    rentals, key_units, incidents
        Rows of the frames of these names; a frame with a weight above 0 has to be given.
    incident_weights
        Category -> how many incidents one of it counts as; 1 for a category that is not named.

    Raises
    ------
    InvalidInput
        A frame that has a weight is missing, or nothing in the city makes work.
    """
    counts = counts_of(
        blocks, rentals=rentals, key_units=key_units, incidents=incidents, incident_weights=incident_weights
    )
    return counts.weighed(weights)


def _summed(held: Ints, counts: Floats, n: int) -> Floats:
    there = held != NONE
    return np.bincount(held[there], counts[there], minlength=n).astype(np.float64)


def _per_year(incidents: gpd.GeoDataFrame, by_category: dict[str, float]) -> Floats:
    """Return how many incidents a year each row stands for, over the period of all of them."""
    if incidents.empty:
        return np.zeros(0)
    times = incidents["occurred_at"]
    years = max((times.max() - times.min()) / pd.Timedelta(days=DAYS_PER_YEAR), 1 / 12)
    if not by_category:
        return np.full(len(incidents), 1 / years)
    weight = incidents["category"].map(by_category).fillna(1.0).to_numpy(dtype=np.float64)
    return np.asarray(weight / years)
