"""Strokes that the server does not have yet, when the network is down and when the planner goes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.editor_page import Editor, borders

pytestmark = pytest.mark.browser


def test_strokes_wait_for_a_server_that_is_away(stormy: Editor) -> None:
    page = stormy.page
    border = next(borders(stormy.board))
    stormy.go(border, tool="block")
    page.context.set_offline(True)
    stormy.click(border)
    expect(stormy.saved).to_have_attribute("data-saved", "cutOff")
    expect(stormy.saved).to_contain_text("1 笔待发")
    expect(page.locator("#tab-moved .tab-badge")).to_have_text("1")
    # The way out would take them along.
    page.locator("details.signed-in summary").click()
    page.locator("[data-action=sign-out]").click()
    expect(stormy.status).to_contain_text("尚有修改未保存")
    page.context.set_offline(False)
    stormy.is_saved()
    assert stormy.assignment[border.block] == border.target
    assert "/edit/" in page.url


@pytest.mark.asvs("14.3.1")
def test_signing_out_sends_what_is_on_its_way_and_leaves_nothing_in_the_browser(stormy: Editor) -> None:
    page = stormy.page
    border = next(borders(stormy.board))
    stormy.go(border, tool="block")
    kept = "() => [...Object.keys(sessionStorage), ...Object.keys(localStorage)]"
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.context.route("**/assignment", hold)
    stormy.click(border)
    expect(stormy.saved).to_have_attribute("data-saved", "saving")
    assert f"wangge-unsent-{stormy.plan}" in page.evaluate(kept)
    page.locator("details.signed-in summary").click()
    page.locator("[data-action=sign-out]").click()
    assert stormy.assignment[border.block] == border.home
    held.pop().continue_()
    page.wait_for_url(re.compile("/signin"))
    assert stormy.assignment[border.block] == border.target
    assert page.evaluate(kept) == []
    assert page.context.cookies() == []
