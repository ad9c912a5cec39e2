"""What reaches a page: the declared columns only, placed rows only, light enough to be carried about."""

import json
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

import gis
from gis.contract.profile import CityProfile
from gis.errors import InvalidParams
from layers.engine import drawing as module
from layers.engine.catalog import catalog
from layers.engine.drawing import Drawing, drawing
from layers.engine.maplibre import draw as draw_layer
from layers.engine.notebook import folium_map

Town = dict[str, gpd.GeoDataFrame]


def draw(town: Town, id_: str, language: Any = "en") -> tuple[Drawing, dict[str, Any]]:
    made = drawing(catalog()[id_], town[id_], language=language, theme="light", time_zone="Asia/Shanghai")
    return made, json.loads(made.json)


def test_a_withheld_or_missing_place_is_never_drawn(town: Town) -> None:
    made, content = draw(town, "incidents")
    assert made.n_given == 1
    assert len(content["features"]) == 1
    assert content["features"][0][1] == {"type": "Point", "coordinates": [120.61, 31.31]}


def test_values_are_written_for_people(town: Town) -> None:
    assert draw(town, "incidents")[1]["features"][0][2][1:4] == ["2024-05-02 00:30", "", "Theft"]
    assert draw(town, "incidents", "zh")[1]["features"][0][2][3] == "扒窃与盗窃"


def test_only_declared_columns_reach_the_page(town: Town) -> None:
    rows = town["grids"].assign(owner="Zhang San", phone="13800000000")
    made = drawing(catalog()["grids"], rows, language="zh", theme="light", time_zone="UTC")
    assert "Zhang" not in made.json
    assert "13800000000" not in made.json


def test_styles_stand_in_the_order_of_the_legend(town: Town) -> None:
    styles = draw(town, "blocks")[1]["about"]["styles"]
    symbol = catalog()["blocks"].symbol
    order = [swatch.color for swatch in symbol.swatches(catalog()["blocks"].title, "light")]
    ranks = [order.index(style["fillColor"]) for style in styles]
    assert ranks == sorted(ranks)
    assert [style.get("hatch", False) for style in styles] == [False] * (len(styles) - 1) + [True]


def test_any_reference_system_lands_in_the_same_place(town: Town) -> None:
    turned = {"grids": town["grids"].to_crs("EPSG:4549")}
    assert draw(turned, "grids")[1]["features"] == draw(town, "grids")[1]["features"]


def test_many_vertices_are_simplified_without_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two neighbours with one wriggling border keep it in common."""
    y = np.linspace(0, 1, 2001)
    border = np.column_stack([120.5 + 1e-5 * np.sin(40 * y), 31 + y])
    left = shapely.Polygon([(120, 31), *border, (120, 32)])
    right = shapely.Polygon([(121, 31), *border, (121, 32)])
    monkeypatch.setattr(module, "MAX_VERTICES", 1000)
    texts = module._shapes(np.array([left, right]))
    a, b = (shapely.from_geojson(text) for text in texts)
    assert shapely.get_num_coordinates(a) < 500
    assert a.intersection(b).area == pytest.approx(0, abs=1e-12)
    assert a.union(b).area == pytest.approx(1, rel=1e-6)


def test_a_sample_is_drawn_of_very_many_and_the_page_says_so(
    town: Town, profile: CityProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FEATURES", 10)
    made, content = draw(town, "grids")
    assert (made.n_given, made.n_drawn) == (36, 9)
    assert len(content["features"]) == 9
    page = folium_map(catalog()["grids"], town["grids"], profile=profile, language="en").get_root().render()
    assert "Grids: 9 of 36 drawn" in page


def test_an_empty_frame_gives_an_empty_map(town: Town, profile: CityProfile) -> None:
    page = folium_map(catalog()["grids"], town["grids"].iloc[:0], profile=profile).get_root().render()
    assert '"features":[]' in page


def test_context_must_be_known_and_a_city_must_be_named(town: Town, profile: CityProfile) -> None:
    with pytest.raises(InvalidParams, match="no layer is called moon"):
        folium_map(catalog()["grids"], town["grids"], profile=profile, context={"moon": town["grids"]})
    with pytest.raises(InvalidParams, match="profile"):
        folium_map(catalog()["grids"], town["grids"])


def test_halts_are_points_among_the_lines_of_a_patrol() -> None:
    """MapLibre's circles would stand on every corner of a line: only points get one."""
    drawn = {one["id"]: one for _, one in draw_layer(catalog()["patrol_runs"], language="en", theme="light")}
    assert (drawn["patrol_runs"]["type"], drawn["patrol_runs_point"]["type"]) == ("line", "circle")
    assert drawn["patrol_runs_point"]["filter"] == ["==", ["geometry-type"], "Point"]
    assert drawn["patrol_runs_point"]["metadata"] == drawn["patrol_runs"]["metadata"]
    assert {one["type"] for _, one in draw_layer(catalog()["segments"], language="en", theme="light")} == {
        "line",
        "symbol",
    }
    runs = gis.City.demo().patrol_runs
    mixed = runs[runs["shift_label"] == "2026-06-20 late"]
    made = drawing(catalog()["patrol_runs"], mixed, language="en", theme="light", time_zone="Asia/Shanghai")
    content = json.loads(made.json)
    assert {feature[1]["type"] for feature in content["features"]} == {"Point", "LineString"}
    assert all(style["radius"] > 0 for style in content["about"]["styles"])
