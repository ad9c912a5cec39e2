"""The administrators' pages in a real browser: by keyboard and by pointer, in both languages, light, dark and small."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.map_page import MapPage, watched_page

pytestmark = pytest.mark.browser

PAGES = ("", "/users", "/users/demo-officer", "/imports", "/jobs", "/health", "/audit?check=true", "/cities")
PASSWORD = "a good long password"


@pytest.fixture
def admin(browser: Browser, server: str) -> Iterator[MapPage]:
    """A browser in which an administrator has signed in."""
    page = watched_page(browser, server, width=1280, height=800, role="admin")
    yield page
    page.close()
    assert page.foreign == []
    assert page.complaints == []


@pytest.mark.parametrize(("language", "scheme", "width"), [("zh", "light", 1280), ("en", "dark", 390)])
def test_every_page_is_for_everybody(admin: MapPage, language: str, scheme: str, width: int) -> None:
    """axe finds nothing, nothing runs out of the window, in the reader's language and colours."""
    page = admin.page
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    for path in (*(f"/admin{path}" for path in PAGES), "/audit"):
        joint = "&" if "?" in path else "?"
        page.goto(f"{admin.server}{path}{joint}lang={language}&f=html")
        expect(page.locator("html")).to_have_attribute("lang", "zh-CN" if language == "zh" else "en")
        assert admin.violations() == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_desk_is_set_up_by_keyboard_and_comes_in_by_its_link(browser: Browser, admin: MapPage) -> None:
    page, server = admin.page, admin.server
    page.goto(f"{server}/admin/users?lang=en&f=html")
    page.locator("input[name=name]").focus()
    page.keyboard.type("night-desk")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/admin/users/night-desk"))
    page.goto(f"{server}/admin/users/night-desk?lang=en&f=html")
    page.locator("form[action*='/grants'] select[name=role]").select_option("officer")
    page.locator("select[name=areas]").select_option(index=0)
    page.get_by_role("button", name="Grant").click()
    page.goto(f"{server}/admin/users/night-desk?lang=en&f=html")
    expect(page.get_by_role("row", name=re.compile("Officer.*district:"))).to_be_visible()
    page.get_by_role("button", name="Give a one-time code").click()
    link = page.locator("pre").first.inner_text().strip()
    assert "#" in link
    assert admin.violations() == []

    desk = watched_page(browser, server, width=1280, height=800, role="public")
    desk.page.goto(link)
    expect(desk.page.get_by_label(re.compile("code|验证码"))).to_have_value(link.split("#")[1])
    assert "#" not in desk.page.url, "the code does not stay in the address"
    assert desk.violations() == []
    desk.page.locator("#password").fill(PASSWORD)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(re.compile("/map"))
    desk.close()

    page.goto(f"{server}/audit?lang=en&f=html")
    rows = page.locator("tbody tr")
    expect(rows.filter(has_text="accounts/night-desk").first).to_be_visible()
    assert link.split("#")[1] not in page.content()


def test_the_way_there_is_in_the_menu_of_the_account(browser: Browser, server: str) -> None:
    of_desks = {"admin": ["Audit log", "Administration"], "supervisor": ["Audit log"], "analyst": []}
    for role, names in of_desks.items():
        page = watched_page(browser, server, width=1280, height=800, role=role)
        page.open("#lang=en&theme=light")
        page.page.locator("details.signed-in summary").click()
        assert page.page.locator(".signed-in-card a").all_inner_texts() == ["My logins", *names]
        assert page.violations() == []
        page.close()


def test_an_administrator_cannot_shut_the_last_one_out(admin: MapPage) -> None:
    page = admin.page
    page.goto(f"{admin.server}/admin/users/demo-admin?lang=en&f=html")
    page.get_by_role("button", name="Disable the account").click()
    expect(page.get_by_role("alert")).to_contain_text("only administrator")
    admin.complaints.clear()  # the browser's own, of an answer that is a refusal
    assert admin.violations() == []
    page.get_by_role("link", name="Back").click()
    expect(page.get_by_role("heading", name="demo-admin")).to_be_visible()
