"""Chicago's 156,385 incidents of 2018 and its police beats, from the real data that are no part of the repository."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from gis.contract.profile import CityProfile
from gis.contract.text import Text

CHICAGO = CityProfile("chicago", Text("芝加哥", "Chicago"), "EPSG:26916", "America/Chicago", open_categories=True)


def chicago_incidents(shared_data: Path) -> gpd.GeoDataFrame:
    """Return the incidents; the clock times of the file are local."""
    rows = pd.read_parquet(shared_data / "chicago/incidents_2018.parquet")
    times = rows["occurred_at"].dt.tz_localize("America/Chicago", ambiguous=True, nonexistent="shift_forward")
    return gpd.GeoDataFrame(
        {
            "source_id": rows["incident_id"].astype(str),
            "occurred_at": times,
            "category": rows["category"].astype(str),
        },
        geometry=gpd.points_from_xy(rows["lon"], rows["lat"]),
        crs="EPSG:4326",
    )


def chicago_beats(shared_data: Path) -> gpd.GeoDataFrame:
    """Return the 275 beats as grids; two of them are stored in two pieces."""
    beats = gpd.read_file(shared_data / "chicago/police_beats.geojson").dissolve("beat_num").reset_index()
    return gpd.GeoDataFrame(
        {"source_id": beats["beat_num"], "code": beats["beat_num"], "kind": "comprehensive"},
        geometry=beats.geometry,
        crs="EPSG:4326",
    ).assign(valid_from=pd.Timestamp("2012-01-01"))
