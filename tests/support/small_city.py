"""A small invented city of 6 by 6 km for the tests of services: incidents, areas and grids where a test wants them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.contract.profile import CityProfile
from gis.contract.result import Result
from gis.contract.text import Text

PROFILE = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai", (550_000.0, 3_460_000.0))
WEST, SOUTH, SIDE_M = 550_000.0, 3_460_000.0, 6_000.0
START = pd.Timestamp("2025-01-01", tz="Asia/Shanghai")


def incidents_at(points: np.ndarray, **columns: object) -> gpd.GeoDataFrame:
    """Return incidents at metres (n, 2) of the test city."""
    n = len(points)
    frame = gpd.GeoDataFrame(
        {
            "source_id": [f"i{i}" for i in range(n)],
            "occurred_at": START + pd.to_timedelta(np.arange(n) % 365, unit="D"),
            "category": "theft",
            "origin": "public_report",
        },
        geometry=gpd.points_from_xy(*points.T),
        crs=PROFILE.metric_crs,
    )
    return frame.assign(**columns).to_crs("EPSG:4326")


def anywhere(seed: int, n: int = 3_000) -> np.ndarray:
    return np.array([WEST, SOUTH]) + np.random.default_rng(seed).uniform(0, SIDE_M, (n, 2))


def areas(*boxes: tuple[float, float, float, float], **columns: object) -> gpd.GeoDataFrame:
    """Return areas from boxes in metres from the south-west corner of the test city."""
    shapes = [shapely.box(WEST + a, SOUTH + b, WEST + c, SOUTH + d) for a, b, c, d in boxes]
    frame = gpd.GeoDataFrame(
        {"source_id": [f"a{i}" for i in range(len(boxes))], **columns}, geometry=shapes, crs=PROFILE.metric_crs
    )
    return frame.to_crs("EPSG:4326")


def grid_of(side: int, **columns: object) -> gpd.GeoDataFrame:
    step = SIDE_M / side
    boxes = [(i * step, j * step, (i + 1) * step, (j + 1) * step) for j in range(side) for i in range(side)]
    codes = [f"g{i:03}" for i in range(side * side)]
    frame = areas(*boxes, code=codes, kind="comprehensive", name_zh=[f"网格{c}" for c in codes], **columns)
    return frame.assign(valid_from=pd.Timestamp("2020-01-01"))


def left_out(result: Result) -> dict[str, int]:
    return {entry.reason: entry.count for entry in result.provenance.left_out if entry.frame == "incidents"}


def account_is_complete(result: Result, n: int) -> bool:
    record = next(r for r in result.provenance.inputs if r.frame == "incidents")
    placed = int(result.features["incidents_count"].sum())
    return record.n_given == n and record.n_used == placed and placed + sum(left_out(result).values()) == n
