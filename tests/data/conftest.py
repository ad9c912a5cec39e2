"""The demo city as its files hold it."""

import json
from typing import Any

import geopandas as gpd
import pytest

from gis.city.city import DEMO, City


@pytest.fixture(scope="session")
def demo() -> City:
    return City.demo()


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    return json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def metric(demo: City) -> dict[str, gpd.GeoDataFrame]:
    """Every frame in metres."""
    return {name: frame.to_crs(demo.profile.metric_crs) for name, frame in demo.frames.items()}
