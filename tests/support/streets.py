"""Small street networks for the tests of densities and of services of streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gis.kernels.street_graph import StreetGraph
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, WEST


def star(*lengths_m: float) -> StreetGraph:
    """Streets that start at one junction, node 0."""
    n = len(lengths_m)
    return StreetGraph(np.column_stack([np.zeros(n, int), np.arange(1, n + 1)]), np.array(lengths_m, float))


def chain(*lengths_m: float) -> StreetGraph:
    """One straight street of several edges."""
    n = len(lengths_m)
    return StreetGraph(np.column_stack([np.arange(n), np.arange(1, n + 1)]), np.array(lengths_m, float))


def random_streets(rng: np.random.Generator, edges: int, nodes: int, lengths_m: tuple[float, float]) -> StreetGraph:
    """Any graph: loops, double edges and separate parts too."""
    ends = np.unique(rng.integers(0, nodes, (edges, 2)), return_inverse=True)[1].reshape(-1, 2)
    return StreetGraph(ends, rng.uniform(*lengths_m, edges))


def segments_of(*paths: list[tuple[float, float]], **columns: object) -> gpd.GeoDataFrame:
    """Return segments from paths in metres from the south-west corner of the test city."""
    lines = [shapely.LineString(np.array(path) + np.array([WEST, SOUTH])) for path in paths]
    frame = gpd.GeoDataFrame(
        {"source_id": [f"s{i:04}" for i in range(len(paths))], "road_class": "local", "oneway": False, **columns},
        geometry=lines,
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def street_grid(step_m: float = 200.0) -> gpd.GeoDataFrame:
    """Return a grid of streets over the whole test city, one segment a side of a block."""
    n = round(SIDE_M / step_m)
    at = np.arange(n + 1) * step_m
    across = [[(at[i], at[j]), (at[i + 1], at[j])] for j in range(n + 1) for i in range(n)]
    along = [[(at[i], at[j]), (at[i], at[j + 1])] for i in range(n + 1) for j in range(n)]
    return segments_of(*across, *along)
