"""The map for everybody: by axe, on a phone, in both languages and lights, without WebGL2, without a city."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.support.browser import EXECUTABLE, FLAGS
from tests.support.databases import fresh_database
from tests.support.map_page import MapPage, watched_page
from tests.support.served import served

pytestmark = pytest.mark.browser

OpenMap = Callable[..., MapPage]
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(map_page: OpenMap, language: str, theme: str) -> None:
    page = map_page(f"#lang={language}&theme={theme}&layers=hotspots,incidents,key_units,grids,segments")
    page.open_service("hotspots")
    for folded in page.page.locator("#panel-services details summary").all():
        folded.click()
    assert page.violations() == []
    page.page.locator(".panel-bar button").nth(3).click()
    page.page.locator("#panel-list .feature").first.click()
    expect(page.page.get_by_role("dialog")).to_be_visible()
    assert page.violations() == []


@pytest.mark.parametrize("panel", ["layers", "time", "services", "list"])
def test_on_a_phone_a_panel_lies_over_the_map_and_axe_finds_nothing(map_page: OpenMap, panel: str) -> None:
    page = map_page("#lang=zh&theme=light", **PHONE)
    sheet = page.page.locator(f"#panel-{panel}")
    expect(sheet).to_have_count(0)
    button = page.page.locator(f".panel-bar [aria-controls=panel-{panel}]")
    button.click()
    expect(sheet).to_be_visible()
    assert page.violations() == []
    assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    button.click()
    expect(sheet).to_have_count(0)


def test_without_webgl_the_plain_page_stands_in(playwright: Playwright, server: str) -> None:
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=[*FLAGS, "--disable-3d-apis"])
    page = watched_page(browser, server, width=1280, height=800)
    page.page.goto(f"{server}/map#lang=en")
    expect(page.page.get_by_text("This browser has no WebGL2")).to_be_visible()
    plain = page.page.frame_locator("iframe")
    expect(plain.locator(".leaflet-container")).to_be_visible()
    page.page.get_by_label("Layer").select_option("grids")
    expect(page.page.locator("iframe")).to_have_attribute("src", "/maps/grids.html?lang=en")
    assert page.foreign == []
    browser.close()


@pytest.fixture
def empty_server(cluster, template: str, tmp_path) -> Iterator[str]:
    with fresh_database(cluster, template) as url:
        environment = {"WANGGE_DATABASE_URL": url.render_as_string(hide_password=False)}
        command = [sys.executable, "-m", "api.cli", "serve"]
        with served(command, environment=environment, log=tmp_path / "serve.log") as address:
            yield address


def test_without_a_city_the_page_says_how_to_make_one(browser: Browser, empty_server: str) -> None:
    page = watched_page(browser, empty_server, width=1280, height=800)
    page.page.goto(f"{empty_server}/map#lang=en")
    expect(page.page.get_by_role("heading", name="There is no city yet")).to_be_visible()
    expect(page.page.get_by_text("wangge city create")).to_be_visible()
    assert page.violations() == []
    assert page.complaints == []
    page.close()
