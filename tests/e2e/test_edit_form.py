"""A desk adds, changes and removes a place on the pages of its layer: in a real browser on the demo city."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.map_page import watched_page

pytestmark = pytest.mark.browser


def test_a_desk_adds_changes_and_removes_a_post(browser: Browser, server: str) -> None:
    desk = watched_page(browser, server, width=1280, height=800, role="supervisor")
    page = desk.page
    page.goto(f"{server}/collections/posts/items?f=html&lang=en")
    page.get_by_text("Add a feature").click()
    assert desk.violations() == []
    page.get_by_role("button", name="Save").click()
    alarm = page.get_by_role("alert")
    expect(alarm).to_contain_text("a place is needed")
    expect(alarm).to_contain_text("Kind")
    page.get_by_label("Kind").select_option("guard_post")
    page.get_by_label("Name (Chinese)").fill("试用岗")
    page.get_by_label("Positions").fill("3")
    page.get_by_label("Latitude").fill("31.2989")
    page.get_by_label("Longitude").fill("120.5853")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Change or remove it")).to_be_visible()
    expect(page.locator("dl")).to_contain_text("试用岗")

    page.get_by_text("Change or remove it").click()
    page.get_by_label("Positions").fill("-1")
    page.get_by_role("button", name="Save").click()
    expect(alarm).to_contain_text("Positions: must be at least 0")
    expect(page.get_by_label("Positions")).to_be_focused()
    page.get_by_label("Positions").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("dl")).to_contain_text("5")

    # Somebody else has changed it since: what is on this page is no longer what there is.
    other = watched_page(browser, server, width=1280, height=800, role="planner")
    other.page.goto(page.url)
    other.page.get_by_text("Change or remove it").click()
    other.page.get_by_label("Positions").fill("7")
    other.page.get_by_role("button", name="Save").click()
    expect(other.page.locator("dl")).to_contain_text("7")
    page.get_by_text("Change or remove it").click()
    page.get_by_label("Positions").fill("9")
    page.get_by_role("button", name="Save").click()
    expect(alarm).to_contain_text("changed since it was read")
    # Chromium itself says of the three refusals that they failed.
    desk.complaints[:] = [said for said in desk.complaints if "status of 4" not in said]

    page.reload()
    page.get_by_text("Change or remove it").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Press again to remove").click()
    page.wait_for_url("**/collections/posts/items?f=html*")
    analyst = watched_page(browser, server, width=1280, height=800, role="analyst")
    analyst.page.goto(page.url)
    expect(analyst.page.get_by_text("Add a feature")).to_have_count(0)
    for visited in (desk, other, analyst):
        visited.close()
        assert (visited.foreign, visited.complaints) == ([], [])
