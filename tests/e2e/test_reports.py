"""The public reports on a phone, a desk decides, and the token tells: in a real browser on the demo city."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.map_page import watched_page

pytestmark = pytest.mark.browser

PLACE = {"latitude": 31.2989, "longitude": 120.5853}


def test_a_report_goes_from_a_phone_to_a_desk_and_back(browser: Browser, server: str) -> None:
    phone = watched_page(browser, server, width=390, height=844, role="public")
    desk = watched_page(browser, server, width=1280, height=800, role="officer")
    page = phone.page
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation(PLACE)
    page.goto(f"{server}/report?lang=en")
    assert phone.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("alert").filter(has_text="Choose what it is.")).to_be_visible()
    page.get_by_role("radio", name="Fire hazard").check()
    page.get_by_role("button", name="Use where I am now").click()
    expect(page.get_by_label("Latitude (north)")).to_have_value("31.29890")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_role("heading", name="Received")).to_be_visible()
    token = page.locator("#token").inner_text()
    assert phone.violations() == []

    # By keyboard alone: the first waiting report is turned down for its reason.
    desk.page.goto(f"{server}/reports?lang=zh")
    assert desk.violations() == []
    row = desk.page.locator("tbody tr").first
    row.get_by_role("button", name="不予受理").focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#told")).to_have_text("请先选择不受理的原因。")
    row.get_by_label("原因").select_option("nothing_found")
    row.get_by_role("button", name="不予受理").press("Enter")
    expect(desk.page.locator("#told")).to_contain_text("不予受理。")
    expect(desk.page.get_by_role("cell", name="没有此类上报。")).to_be_visible()

    # The link that the page offers holds the token where no server sees it.
    page.goto(f"{server}/report?lang=zh#{token}")
    page.reload()
    expect(page.locator("#standing")).to_contain_text("未予受理：现场未发现")
    assert not any(token in address for address in phone.asked if "/open311/" not in address)
    for visited in (phone, desk):
        visited.close()
        assert (visited.foreign, visited.complaints) == ([], [])
