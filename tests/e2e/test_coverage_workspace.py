"""The workspace of coverage in a real browser: who is too far away, and what would be if posts stood otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.map_page import MapPage
from tests.support.served import get_json

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


class Coverage:
    """The workspace, and what it says."""

    def __init__(self, watched: MapPage) -> None:
        self.watched = watched
        self.page = watched.page
        self.server = watched.server
        self.answer = self.page.locator("#panel-answer")
        self.question = self.page.locator("#panel-question")

    def answered(self) -> None:
        """Wait until the open question has its answer, and the map draws it."""
        self.watched.until("!!document.querySelector('.map-caption .hint, .job-failed')")
        self.watched.until("!document.querySelector('.map-caption progress')")
        self.watched.settle()

    def changed(self, act: Callable[[], object]) -> None:
        """Do what changes the question, and wait for the answer to it."""
        shown = "document.querySelector('.exports a')?.getAttribute('href')"
        before = self.page.evaluate(shown)
        act()
        self.watched.until(f"{shown} !== a || !!document.querySelector('.job-failed')", before)
        self.answered()

    @property
    def run(self) -> dict[str, Any]:
        """The run whose answer is shown, as the server has it."""
        link = self.answer.locator(".exports a").first.get_attribute("href") or ""
        return get_json(f"{self.server}/runs/{link.split('run_id=')[1]}")

    def list(self, name: str) -> None:
        """Open one of the lists."""
        self.answer.locator(f"[data-list={name}]").click()


OpenCoverage = Callable[..., Coverage]


@pytest.fixture
def coverage(map_page: Callable[..., MapPage]) -> OpenCoverage:
    """Open the workspace at a question, and wait for its first answer."""

    def open_coverage(hash_: str = "#lang=en&theme=light", **size: int) -> Coverage:
        opened = Coverage(map_page(hash_, path="/coverage", **size))
        opened.answered()
        return opened

    return open_coverage


def number(text: str) -> int:
    """Return the first number in a text."""
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def test_gaps_are_read_by_weight_and_shown_on_the_map(coverage: OpenCoverage) -> None:
    page = coverage("#lang=en&theme=light&by=walk")
    run = page.run
    assert run["provenance"]["parameters"]["travel_mode"] == "walk"
    summary = run["summary"]
    assert number(page.answer.locator("[data-number=gap]").inner_text()) == round(summary["gap_weight"])
    assert page.watched.rendered("coverage_gaps")
    expect(page.answer.locator(".rings tbody tr")).to_have_count(len(summary["by_ring"]))
    gaps = page.answer.locator("[data-place]")
    expect(gaps.first).to_be_visible()
    weights = [number(text) for text in gaps.locator(".place-count").all_inner_texts()]
    assert weights == sorted(weights, reverse=True)
    assert summary["gaps_count"] > gaps.count()
    zoom = page.page.evaluate("window.wangge.map.getZoom()")
    gaps.first.click()
    page.watched.settle()
    assert page.page.evaluate("window.wangge.map.getZoom()") > zoom
    assert "feature=coverage_gaps:" in page.page.url
    page.list("areas")
    rows = page.answer.locator("table").nth(1).locator("tbody tr")
    assert rows.count() > 0
    assert "list=areas" in page.page.url


def test_the_best_site_is_added_a_post_closed_and_the_link_asks_the_same(coverage: OpenCoverage) -> None:
    page = coverage("#lang=en&theme=light&by=walk&list=sites")
    before = page.run["summary"]
    best = before["best_sites"][0]
    row = page.answer.locator(".gap-row").first
    assert number(row.locator(".place-finding").inner_text()) == round(best["gained_weight"])
    page.changed(row.get_by_role("button", name="Add a post here").click)
    after = page.run["summary"]
    assert after["covered_weight"] == pytest.approx(before["covered_weight"] + best["gained_weight"], rel=1e-6)
    change = page.answer.locator(".change")
    expect(change).to_contain_text(f"{round(best['gained_weight']):,} households newly reached in time")
    expect(page.page.locator(".post-marker")).to_have_text("1")
    expect(page.question.locator(".tried li")).to_have_count(1)

    page.list("posts")
    post = page.answer.locator(".posts .gap-row").filter(has=page.page.get_by_role("button", name="Close it")).first
    name = post.locator("strong").inner_text()
    page.changed(post.get_by_role("button", name="Close it").click)
    parameters = page.run["provenance"]["parameters"]
    assert len(parameters["closed_posts"]) == len(parameters["added_posts"]) == 1
    expect(page.question.locator(".tried li").last).to_contain_text(f"Closed: {name}")
    expect(change).to_contain_text("no longer reached in time")

    again = coverage(f"#{page.page.url.split('#')[1]}")
    assert again.run["run_id"] == page.run["run_id"]
    expect(again.page.locator(".post-marker")).to_have_count(1)
    page.changed(page.question.get_by_role("button", name="Back to how it is").click)
    expect(change).to_have_count(0)
    assert page.run["summary"]["covered_weight"] == pytest.approx(before["covered_weight"])


def test_a_post_is_added_on_the_map_by_keyboard_and_by_mouse(coverage: OpenCoverage) -> None:
    page = coverage("#lang=en&theme=light&by=walk")
    page.question.get_by_role("button", name="Add on the map").click()
    canvas = page.page.locator("#map canvas")
    expect(canvas).to_be_focused()
    page.changed(lambda: page.page.keyboard.press("Enter"))
    page.question.get_by_role("button", name="Add on the map").click()
    box = canvas.bounding_box()
    assert box
    page.changed(lambda: page.page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4))
    added = page.run["provenance"]["parameters"]["added_posts"]
    assert len(added) == 2
    middle = page.page.evaluate("window.wangge.map.getCenter().toArray()")
    assert (added[0]["lon"], added[0]["lat"]) == pytest.approx(tuple(middle), abs=1e-3)
    page.changed(page.question.get_by_role("button", name=re.compile("Remove.*Added post 2|Added post 2.*")).last.click)
    assert len(page.run["provenance"]["parameters"]["added_posts"]) == 1


def test_sitings_are_compared_and_one_is_taken(coverage: OpenCoverage) -> None:
    page = coverage("#lang=en&theme=light&by=walk&list=sites")
    page.answer.get_by_label("New posts").fill("2")
    page.answer.get_by_label("New posts").press("Tab")
    page.answer.get_by_role("button", name="Compare", exact=True).click()
    rows = page.answer.locator(".sitings tbody tr")
    expect(rows).to_have_count(3, timeout=60_000)
    most, mean = rows.nth(0), rows.nth(1)
    expect(most.locator("td").first).to_have_text("2")
    share = float(most.locator("td").nth(1).inner_text().rstrip("%"))
    minutes = [float(row.locator("td").nth(2).inner_text()) for row in (most, mean)]
    assert minutes[1] <= minutes[0]
    page.changed(most.get_by_role("button", name="Take").click)
    # What the siting promised is what coverage then counts.
    told = page.run["summary"]
    assert 100 * told["covered_share"] == pytest.approx(share, abs=0.11)
    assert len(page.run["provenance"]["parameters"]["added_posts"]) == 2
    expect(page.page.locator(".post-marker")).to_have_count(2)


def test_what_the_rings_and_posts_are_is_asked(coverage: OpenCoverage) -> None:
    page = coverage()
    rings = page.question.get_by_label("Response rings (minutes)")
    rings.fill("soon")
    rings.press("Tab")
    expect(page.question.get_by_role("alert")).to_contain_text("One to four numbers")

    def shorter() -> None:
        rings.fill("2; 1")
        rings.press("Tab")

    page.changed(shorter)
    assert page.run["provenance"]["parameters"]["rings_min"] == [1, 2]
    assert "within=1,2" in page.page.url
    page.changed(page.question.get_by_role("button", name="Volunteer post").click)
    kinds = page.run["provenance"]["parameters"]["post_kinds"]
    assert kinds
    assert "volunteer_post" not in kinds
    page.changed(page.question.get_by_role("button", name="Key units").click)
    assert page.watched.rendered("coverage_places")
    for name, content in (("CSV", b"coverage_class"), ("GeoPackage", b"SQLite format 3")):
        link = page.answer.get_by_role("link", name=name).get_attribute("href")
        answer = page.page.request.get(f"{page.server}{link}", headers={"Wangge-Purpose": "tests"})
        assert answer.ok, answer.text()
        assert content in answer.body()[:2000]


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(coverage: OpenCoverage, language: str, theme: str) -> None:
    page = coverage(f"#lang={language}&theme={theme}&by=walk&plus=120.58:31.33")
    page.page.locator(".legend-layers > summary").click()
    for name in ("gaps", "posts", "areas", "sites"):
        page.list(name)
        assert page.watched.violations() == []
    page.answer.locator(".ask-row .primary").click()
    expect(page.answer.locator(".sitings tbody tr")).to_have_count(3, timeout=60_000)
    assert page.watched.violations() == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_question_and_answer_are_sheets_over_the_map(coverage: OpenCoverage, language: str) -> None:
    page = coverage(f"#lang={language}&theme=light&by=walk", **PHONE)
    assert page.watched.rendered("coverage_gaps")
    for panel in ("question", "answer"):
        page.page.locator(f".panel-bar [aria-controls=panel-{panel}]").click()
        expect(page.page.locator(f"#panel-{panel}")).to_be_visible()
        assert page.watched.violations() == []
        assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.answer.locator("[data-place]").first.click()
    expect(page.answer).to_have_count(0)


def test_every_word_is_in_the_readers_language(coverage: OpenCoverage) -> None:
    page = coverage("#lang=zh&theme=light&by=walk")
    selector = "h2, h3, h4, label > span, dt, th, .hint, .segments button, .kind, .button, caption, .place-finding"
    said: list[str] = []
    for name in ("gaps", "posts", "areas", "sites"):
        page.list(name)
        said += page.page.locator(f":is(.question, .answer, .map-caption) :is({selector})").all_inner_texts()
    assert len(said) > 80
    own = re.compile(r"[\u4e00-\u9fff]|^(CSV|GeoPackage)$|^\d{15}$")
    assert [words for words in said if not own.search(words)] == []
