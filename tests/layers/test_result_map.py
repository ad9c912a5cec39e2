"""The map of a result: drawn from its layer, with its origin on the page."""

import re
from html import unescape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

import gis
from gis.contract.profile import CityProfile
from gis.contract.result import Result
from layers.engine.catalog import catalog


@pytest.fixture(scope="module")
def result(profile: CityProfile) -> Result:
    """Hotspots of a town in which one corner sees most events."""
    source = np.random.default_rng(3)
    spread = source.uniform(0, 0.05, (1500, 2))
    corner = source.normal(0.012, 0.002, (500, 2))
    where = np.vstack([spread, corner]) + np.array([120.6, 31.3])
    rows = pd.DataFrame(
        {
            "source_id": [str(i) for i in range(len(where))],
            "occurred_at": pd.date_range("2024-01-01T17:00Z", periods=len(where), freq="1h"),
            "category": "theft",
            "origin": "public_report",
            "location_withheld": False,
        }
    )
    events = gpd.GeoDataFrame(rows, geometry=[Point(*xy) for xy in where], crs="EPSG:4326")
    return gis.service("hotspots")(events, profile=profile, lattice_m=400)


def test_the_page_says_where_the_result_comes_from(result: Result) -> None:
    page = unescape(result.map(language="en").get_root().render())
    assert "n = 2,000 · 2024-01-02 – " in page, "days are those of the city's own clock"
    assert result.provenance.inputs[0].digest in page
    assert "<dt>lattice_m</dt><dd>400" in page
    assert "Synthetic data" in page
    note = catalog()["hotspots"].note
    assert note
    assert note.en in page


def test_the_map_opens_in_the_citys_first_language(result: Result) -> None:
    assert '<html lang="zh-CN"' in result.map().get_root().render()


def test_streets_around_are_drawn_with_it(result: Result, town: dict[str, gpd.GeoDataFrame]) -> None:
    page = result.map(context={"segments": town["segments"]}).get_root().render()
    assert re.findall(r'type="checkbox" value="(\w+)"', page) == ["hotspots", "segments"]
