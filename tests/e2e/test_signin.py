"""Signing in, taking another role and going out again, in a real browser over plain HTTP on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.map_page import MapPage, watched_page

pytestmark = pytest.mark.browser

PATIENCE_MS = 60_000


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[MapPage]:
    """Somebody who has not signed in."""
    page = watched_page(browser, server, width=1280, height=800, role="public")
    yield page
    page.close()
    assert page.foreign == []


def settled(page: MapPage) -> None:
    page.until("window.wangge && window.wangge.map.loaded()")


@pytest.mark.asvs("7.4.4", "3.3.1")
def test_a_visitor_takes_a_demo_account_comes_back_to_where_they_were_and_goes(visitor: MapPage) -> None:
    page, server = visitor.page, visitor.server
    page.goto(f"{server}/map?lang=en#lang=en&theme=light")
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    assert visitor.violations() == []
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    analyst = page.locator("[data-role=analyst]")
    analyst.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/map"))
    settled(visitor)
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert kept["__Host-wangge"]["httpOnly"]
    assert kept["__Host-wangge"]["secure"]
    assert kept["__Host-wangge"]["sameSite"] == "Lax"
    assert kept["__Host-wangge"]["value"] not in page.content()
    menu = page.locator("details.signed-in")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(menu.locator(".signed-in-name")).to_have_text("demo-analyst")
    assert visitor.violations() == []
    page.keyboard.press("Escape")
    expect(menu.locator(".signed-in-name")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    expect(page.locator(".tabs a[href^='/edit']")).to_have_count(0)
    menu.locator("summary").click()
    menu.locator("[data-action=sign-out]").click()
    page.wait_for_url(re.compile(r"/signin"))
    assert [cookie["name"] for cookie in page.context.cookies()] == []
    page.goto(f"{server}/edit?lang=en")
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


@pytest.mark.asvs("3.4.3")
@pytest.mark.parametrize("role", ["officer", "planner", "supervisor", "admin"])
def test_the_map_opens_in_every_role_without_a_complaint(browser: Browser, server: str, role: str) -> None:
    page = watched_page(browser, server, width=1280, height=800, role=role)
    page.open("#lang=zh&theme=light")
    expect(page.page.locator("details.signed-in")).to_be_visible()
    assert page.complaints == []
    page.close()


def test_a_page_whose_login_has_ended_leads_to_sign_in_and_back(visitor: MapPage) -> None:
    page, server = visitor.page, visitor.server
    page.goto(f"{server}/signin?lang=en")
    page.locator("[data-role=planner]").click()
    page.wait_for_url(re.compile(r"/map"))
    page.goto(f"{server}/edit#lang=en")
    page.locator(".plan-list").wait_for(timeout=PATIENCE_MS)
    page.context.clear_cookies()
    page.wait_for_timeout(1_100)
    page.get_by_role("button", name="New draft from today").click()
    page.wait_for_url(re.compile(r"/signin\?next=%2Fedit"))
    page.locator("[data-role=planner]").click()
    page.wait_for_url(re.compile(r"/edit#lang=en"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wrong_password_is_said_so_and_axe_finds_nothing(visitor: MapPage, language: str) -> None:
    page = visitor.page
    page.goto(f"{visitor.server}/signin?lang={language}")
    assert visitor.violations() == []
    page.locator("#name").fill("nobody-here")
    page.locator("#password").fill("not the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    assert visitor.violations() == []


@pytest.mark.asvs("7.5.2")
@pytest.mark.parametrize(("language", "scheme", "width"), [("zh", "light", 1280), ("en", "dark", 390)])
def test_somebody_ends_their_login_in_another_browser(
    browser: Browser, server: str, language: str, scheme: str, width: int
) -> None:
    here, there = (watched_page(browser, server, width=width, height=844, role="supervisor") for _ in range(2))
    page = here.page
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{server}/audit?f=html&lang={language}")
    page.get_by_role("link", name=re.compile("demo-supervisor")).click()
    expect(page.get_by_role("heading", name={"zh": "我的登录", "en": "My logins"}[language])).to_be_visible()
    assert here.violations() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    others = page.get_by_role("checkbox")
    before_count = others.count()
    others.first.check()
    page.get_by_role("button", name={"zh": "结束所选登录", "en": "End those chosen"}[language]).click()
    expect(others).to_have_count(before_count - 1)
    # The demo's accounts are everybody's here: other tests have begun logins of this one.
    page.get_by_role("button", name={"zh": "结束其他所有登录", "en": "End all others"}[language]).click()
    expect(others).to_have_count(0)
    there.page.wait_for_timeout(1_100)
    there.page.goto(f"{server}/audit?f=html&lang={language}")
    expect(there.page.locator("input[name=password]")).to_be_visible()
    for opened in (here, there):
        opened.close()
        assert opened.foreign == []
