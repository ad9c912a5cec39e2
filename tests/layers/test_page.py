"""The saved page in a real browser, with the network watched."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from playwright.sync_api import Page

from gis.contract.profile import CityProfile
from layers.engine.catalog import catalog
from layers.engine.legend import entries
from layers.engine.notebook import folium_map
from layers.engine.palettes import THEMES
from tests.layers.cam02 import linear_rgb

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
Town = dict[str, gpd.GeoDataFrame]


def visit(page: Page, path: Path, made: Any) -> list[str]:
    """Open a saved map; return what it asked of the network and what went wrong."""
    made.save(path)
    trouble: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(("file://", "data:")) else trouble.append(r.url))
    page.on("pageerror", lambda e: trouble.append(str(e)))
    page.on("console", lambda m: trouble.append(m.text) if m.type in {"error", "warning"} else None)
    page.goto(path.as_uri())
    page.wait_for_selector(".leaflet-container canvas")
    return trouble


def pixel(page: Page, lat: float, lng: float) -> list[int]:
    """Return the colour (r, g, b) that the map shows at a place, over the land's own colour."""
    return page.evaluate(
        """([lat, lng]) => {
            const at = map_city.latLngToLayerPoint([lat, lng]);
            const canvas = document.querySelector(".leaflet-overlay-pane canvas");
            const scale = canvas.width / parseFloat(canvas.style.width);
            const origin = L.DomUtil.getPosition(canvas);
            const x = Math.round((at.x - origin.x) * scale), y = Math.round((at.y - origin.y) * scale);
            const [r, g, b, a] = canvas.getContext("2d").getImageData(x, y, 1, 1).data;
            const land = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number);
            return [r, g, b].map((c, i) => Math.round(c * a / 255 + land[i] * (1 - a / 255)));
        }""",
        [lat, lng],
    )


@pytest.mark.parametrize("theme", THEMES)
def test_no_request_and_the_colours_of_the_legend(
    page: Page, town: Town, profile: CityProfile, tmp_path: Path, theme: Any
) -> None:
    layer = catalog()["blocks"]
    context = {name: town[name] for name in ("segments", "key_units")}
    trouble = visit(
        page,
        tmp_path / "blocks.html",
        folium_map(layer, town["blocks"], profile=profile, theme=theme, context=context, language="en"),
    )
    assert trouble == []
    assert page.locator(".wg-legend fieldset").count() == 3
    swatches = page.locator(".wg-legend fieldset").first.locator(".wg-swatch")
    shown = [
        swatches.nth(i).evaluate("e => getComputedStyle(e).backgroundColor.match(/[0-9]+/g).map(Number)")
        for i in range(5)
    ]
    legend = [[int(e.color[i : i + 2], 16) for i in (1, 3, 5)] for e in entries(layer, theme)[:5]]
    assert shown == legend
    seen = town["blocks"][town["blocks"]["households_count"].notna()]
    for _, block in seen.iloc[::5].iterrows():
        color = layer.symbol.color_of({"households_count": float(block["households_count"])}, theme)
        expected = [
            e for e, s in zip(legend, layer.symbol.swatches(layer.title, theme), strict=False) if s.color == color
        ]
        middle = block.geometry.representative_point()
        drawn = pixel(page, middle.y + 0.001, middle.x + 0.001)
        assert max(abs(a - b) for a, b in zip(drawn, expected[0], strict=True)) <= 2
    assert linear_rgb(entries(layer, theme)[0].color).max() > 0


def test_a_hostile_name_stays_text(page: Page, town: Town, profile: CityProfile, tmp_path: Path) -> None:
    made = folium_map(catalog()["key_units"], town["key_units"], profile=profile, language="en")
    trouble = visit(page, tmp_path / "units.html", made)
    unit = town["key_units"].geometry.iloc[8]
    at = page.evaluate("([lat, lng]) => map_city.latLngToContainerPoint([lat, lng])", [unit.y, unit.x])
    page.mouse.move(at["x"] - 30, at["y"] - 30)
    # Leaflet looks at the pointer once in 32 ms.
    page.wait_for_timeout(100)
    page.mouse.move(at["x"], at["y"])
    page.wait_for_selector(".leaflet-tooltip")
    assert "onerror" in page.locator(".leaflet-tooltip").inner_text()
    page.mouse.click(at["x"], at["y"])
    page.wait_for_selector(".leaflet-popup")
    assert page.locator(".leaflet-popup").inner_text().count("<img src=x onerror=window.__xss=1>") == 4
    page.click("#wg-table-button")
    assert page.locator("#wg-table tbody tr").count() == len(town["key_units"])
    assert page.locator("img").count() == 0
    assert page.evaluate("window.__xss") is None
    assert trouble == []


def test_the_table_finds_a_feature_by_key(page: Page, town: Town, profile: CityProfile, tmp_path: Path) -> None:
    trouble = visit(page, tmp_path / "grids.html", folium_map(catalog()["grids"], town["grids"], profile=profile))
    page.focus("#wg-table-button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#wg-table-button", "aria-expanded") == "true"
    page.locator("#wg-table tbody button").nth(7).press("Enter")
    page.wait_for_selector(".leaflet-popup")
    assert town["grids"]["name_zh"].iloc[7] in page.locator(".leaflet-popup").inner_text()
    assert trouble == []


def test_a_layer_can_be_hidden_and_comes_back(page: Page, town: Town, profile: CityProfile, tmp_path: Path) -> None:
    visit(page, tmp_path / "map.html", folium_map(catalog()["blocks"], town["blocks"], profile=profile))
    spot = (31.3251, 120.6351)
    before = pixel(page, *spot)
    page.uncheck(".wg-legend input")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    hidden = pixel(page, *spot)
    page.check(".wg-legend input")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert hidden != before
    assert pixel(page, *spot) == before


def test_labels_are_drawn_where_they_fit(page: Page, town: Town, profile: CityProfile, tmp_path: Path) -> None:
    visit(page, tmp_path / "map.html", folium_map(catalog()["grids"], town["grids"], profile=profile))
    page.evaluate("map_city.setZoom(15, {animate: false})")
    labels = page.locator(".wg-label")
    assert labels.count() > 0
    assert set(labels.all_inner_texts()) <= set(town["grids"]["name_zh"])


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_no_barrier(page: Page, town: Town, profile: CityProfile, tmp_path: Path, theme: Any) -> None:
    if not AXE.is_file():
        pytest.skip("the npm packages of web/ are not installed (./setup.sh does)")
    context = {"grids": town["grids"], "segments": town["segments"]}
    made = folium_map(catalog()["key_units"], town["key_units"], profile=profile, theme=theme, context=context)
    visit(page, tmp_path / "units.html", made)
    page.click("#wg-table-button")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert [(v["id"], [n["html"] for n in v["nodes"][:2]]) for v in found["violations"]] == []
    assert len(found["passes"]) > 15
