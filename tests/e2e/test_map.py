"""The map of the demo city in a real browser: drawn, clicked, computed with, shared."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.map_page import MapPage
from tests.support.served import get_json, signed_in

pytestmark = pytest.mark.browser

OpenMap = Callable[..., MapPage]


def changed_share(before: list[int], after: list[int]) -> float:
    """Return the share of pixels that differ."""
    pairs = zip(zip(*[iter(before)] * 4, strict=True), zip(*[iter(after)] * 4, strict=True), strict=True)
    different = [one != other for one, other in pairs]
    return sum(different) / len(different)


def feature_of(server: str, layer: str) -> dict[str, Any]:
    return get_json(f"{server}/collections/{layer}/items?limit=1")["features"][0]


def test_hotspots_are_drawn(map_page: OpenMap) -> None:
    page = map_page()
    assert page.rendered("hotspots")
    assert page.rendered("segments")
    assert not page.rendered("rentals")
    with_hotspots = page.pixels()
    page.toggle_layer("hotspots")
    assert not page.rendered("hotspots")
    assert changed_share(with_hotspots, page.pixels()) > 0.01
    page.toggle_layer("hotspots")
    assert changed_share(with_hotspots, page.pixels()) == 0


def test_the_legend_has_the_colours_of_the_map(map_page: OpenMap) -> None:
    page = map_page("#theme=light")
    legend = get_json(f"{page.server}/styles/hotspots/legend?theme=light")["legend"]
    shown = page.page.locator("[data-layer=hotspots] .legend li")
    expect(shown).to_have_count(len(legend))
    for index, row in enumerate(legend):
        expect(shown.nth(index)).to_have_text(row["label"]["zh"])
        assert page.page.locator("[data-layer=hotspots] .legend rect").nth(index).get_attribute("fill") == row["color"]


def test_language_and_theme_change_the_words_and_colours_and_nothing_else(map_page: OpenMap) -> None:
    page = map_page("#lang=zh&theme=light&layers=grids,segments")
    city = get_json(f"{page.server}/?f=json")["city"]["title"]
    view = page.page.url.split("&lang")[0]
    title, root = page.page.title(), page.page.locator("html")
    assert city["zh"] in title
    expect(root).to_have_attribute("lang", "zh-CN")
    expect(page.page.get_by_role("heading", name="图层")).to_be_visible()

    page.page.get_by_role("button", name="English").click()
    expect(root).to_have_attribute("lang", "en")
    expect(page.page).to_have_title(re.compile(re.escape(city["en"])))
    expect(page.page.get_by_role("heading", name="Layers")).to_be_visible()
    page.until("window.wangge.map.getStyle().metadata['wangge:language'] === 'en'")
    page.settle()
    before = page.pixels()

    page.page.get_by_role("button", name="Dark").click()
    page.until("window.wangge.map.getStyle().metadata['wangge:theme'] === 'dark'")
    page.settle()
    assert changed_share(before, page.pixels()) > 0.5
    assert page.page.url.split("&lang")[0] == view
    assert page.rendered("grids")
    assert not page.rendered("hotspots")


def test_a_service_runs_from_the_panel_and_its_result_is_drawn(map_page: OpenMap) -> None:
    page = map_page("#lang=en")
    before = {run["id"] for run in get_json(f"{page.server}/runs?service=hotspots")["runs"]}
    page.open_service("hotspots")
    panel = page.page.locator("#panel-services")
    side = panel.locator("[data-field=lattice_m] input")
    side.fill("-1")
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel.locator(".field-problem")).to_be_visible()
    expect(side).to_be_focused()

    side.fill("500")
    panel.get_by_role("button", name="Run", exact=True).click()
    expect(panel.get_by_text("Done")).to_be_visible(timeout=120_000)
    run = int(re.search(r"run=hotspots:(\d+)", page.page.url).group(1))
    assert run not in before
    page.settle()
    assert any(f"run_id={run}" in address for address in page.asked if "/tiles/" in address)
    assert page.rendered("hotspots")
    expect(panel.locator(".numbers").first).to_be_visible()
    panel.get_by_text("How it was computed").click()
    expect(panel.get_by_text("Based on")).to_be_visible()


def test_form_and_result_speak_the_readers_language(map_page: OpenMap) -> None:
    page = map_page("#lang=zh")
    page.open_service("hotspots")
    panel = page.page.locator("#panel-services")
    panel.get_by_text("如何算出").click()
    panel.get_by_text("更多参数").click()
    words = panel.locator("label, legend, .hint, th, dt").all_inner_texts()
    assert len(words) > 30
    # The names of statistics are the same everywhere.
    assert [said for said in words if said and not re.search(r"[\u4e00-\u9fff]|^Gi\*?$", said)] == []


def test_a_click_opens_what_the_layer_declares(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=key_units")
    unit = feature_of(page.server, "key_units")
    lon, lat = unit["geometry"]["coordinates"]
    page.open(f"#lang=en&layers=key_units&map=17/{lat}/{lon}")
    page.page.reload()
    page.settle()
    page.page.mouse.click(*page.screen_point(lon, lat))
    card = page.page.get_by_role("dialog")
    expect(card).to_contain_text(unit["properties"]["name_en"] or unit["properties"]["name_zh"])
    expect(card).to_contain_text("Kind")
    assert f"feature=key_units:{unit['id']}" in page.page.url
    card.get_by_role("button", name="Close").click()
    expect(card).to_have_count(0)
    assert "feature=" not in page.page.url


def test_the_list_does_without_a_mouse_what_a_click_does(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=key_units")
    keyboard = page.page.keyboard
    page.page.get_by_role("button", name="List", exact=True).focus()
    keyboard.press("Enter")
    panel = page.page.locator("#panel-list")
    row = panel.locator(".feature").first
    expect(row).to_be_visible()
    row.focus()
    name = row.locator("strong").inner_text()
    keyboard.press("Enter")
    card = page.page.get_by_role("dialog", name=name)
    expect(card).to_be_visible()
    expect(card.get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(row).to_be_focused()


def test_the_map_itself_works_by_keyboard(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=grids")
    page.page.get_by_role("link", name="Skip to the map").focus()
    page.page.keyboard.press("Enter")
    canvas = page.page.locator(".maplibregl-canvas")
    expect(canvas).to_be_focused()
    assert "Enter" in canvas.get_attribute("aria-label")
    before = page.page.url
    page.page.keyboard.press("ArrowRight")
    page.until("location.href !== a", before)
    page.page.keyboard.press("ArrowLeft")
    page.settle()
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_role("dialog")).to_contain_text("Grid")
    page.page.keyboard.press("Escape")
    expect(canvas).to_be_focused()


def test_the_time_filter_reaches_tiles_list_and_address(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=incidents")
    everything = len(page.rendered("incidents"))
    page.page.get_by_role("button", name="7 days").click()
    page.settle()
    week = re.search(r"time=([\d-]+)/([\d-]+)", page.page.url)
    assert week
    assert any(f"datetime={week[1]}%2F{week[2]}" in address for address in page.asked if "/incidents/tiles/" in address)
    assert 0 < len(page.rendered("incidents")) < everything
    page.page.get_by_role("button", name="List", exact=True).click()
    expect(page.page.locator("#panel-list .feature").first).to_be_visible()
    assert any(f"datetime={week[1]}%2F{week[2]}" in address for address in page.asked if "/incidents/items" in address)


def test_a_shared_address_shows_what_its_sender_saw_and_back_goes_back(map_page: OpenMap) -> None:
    first = map_page("#lang=en&theme=dark")
    first.toggle_layer("beats")
    first.page.get_by_role("button", name="30 days").click()
    first.page.get_by_role("button", name="Zoom in").click()
    first.settle()
    address = first.page.url
    second = map_page(f"#{address.split('#')[1]}")
    assert second.page.url == address
    assert second.rendered("beats")
    expect(second.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(second.page.get_by_role("button", name="30 days")).to_have_attribute("aria-pressed", "true")

    first.page.go_back()
    expect(first.page.get_by_role("button", name="All", exact=True)).to_have_attribute("aria-pressed", "true")
    first.page.go_back()
    expect(first.page.locator("[data-layer=beats] input")).not_to_be_checked()
    first.page.go_forward()
    expect(first.page.locator("[data-layer=beats] input")).to_be_checked()


def test_a_hostile_name_stays_text(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=key_units")
    hostile = "<img src=x onerror=window.__xss=1>"
    city = get_json(f"{page.server}/?f=json")["city"]
    west, south, east, north = city["bounds"]
    middle = f"{(west + east) / 2},{(south + north) / 2}"
    rows = f"id,name_zh,name_en,address,kind,lon,lat\nhostile,{hostile},{hostile},{hostile},school,{middle}\n"
    answer = page.page.request.post(
        f"{page.server}/imports/key_units",
        headers=signed_in(page.server, "admin"),
        multipart={
            "file": {"name": "hostile.csv", "mimeType": "text/csv", "buffer": rows.encode()},
            "crs": "wgs84",
            "source": "hostile",
        },
    )
    assert answer.ok, answer.text()
    found = get_json(f"{page.server}/collections/key_units/items?limit=10000")["features"]
    key = next(one["id"] for one in found if hostile in one["properties"].values())
    page.open(f"#lang=en&layers=key_units&feature=key_units:{key}")
    page.page.reload()
    card = page.page.get_by_role("dialog")
    expect(card.get_by_role("heading")).to_have_text(hostile)
    page.page.get_by_role("button", name="List", exact=True).click()
    expect(page.page.locator("#panel-list .feature").first).to_be_visible()
    assert page.page.evaluate("window.__xss") is None
    assert page.page.locator("img[src=x]").count() == 0


def test_a_refused_request_is_told_to_the_reader(map_page: OpenMap) -> None:
    page = map_page("#lang=en&layers=hotspots&feature=grids:999999999")
    alert = page.page.locator(".notices")
    expect(alert).to_contain_text("404")
    alert.get_by_role("button", name="Dismiss the notice").click()
    expect(alert.locator(".notice")).to_have_count(0)
    # The browser itself also notes a 404 on its console.
    page.complaints = [said for said in page.complaints if "404" not in said]
