"""The officer's workspace in a real browser: ask, read, compare, look closer, take a sheet along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.support.browser import EXECUTABLE, FLAGS
from tests.support.map_page import MapPage, watched_page
from tests.support.served import get_json

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
HALF_A_YEAR = "time=2026-01-01/2026-06-30"
POINTS_PER_MM = 72 / 25.4


class Workspace:
    """The workspace, and what it says."""

    def __init__(self, watched: MapPage) -> None:
        self.watched = watched
        self.page = watched.page
        self.server = watched.server
        self.answer = self.page.locator("#panel-answer")
        self.clock = self.page.locator(".clock")

    def answered(self) -> None:
        """Wait until the open question has its answer, and the map draws it."""
        told = "document.querySelector('.map-caption')?.textContent.includes('n = ')"
        self.watched.until(f"{told} || !!document.querySelector('.job-failed')")
        self.watched.until("!document.querySelector('.map-caption progress')")
        self.watched.settle()

    def changed(self, act: Callable[[], object]) -> None:
        """Do what changes the question, and wait for the answer to it."""
        shown = "(document.querySelector('.print-link')?.dataset.run ?? '')"
        before = self.page.evaluate(shown)
        act()
        self.watched.until(f"![a, ''].includes({shown})", before)
        self.answered()

    @property
    def run(self) -> dict[str, Any]:
        """The run whose answer is shown, as the server has it."""
        return get_json(f"{self.server}/runs/{self.page.locator('.print-link').get_attribute('data-run')}")

    def choose_method(self, service: str) -> None:
        """Choose a method and wait for its answer."""
        self.changed(lambda: self.page.locator(f".method input[value={service}]").check(force=True))


OpenWorkspace = Callable[..., Workspace]


@pytest.fixture
def workspace(map_page: Callable[..., MapPage]) -> OpenWorkspace:
    """Open the workspace at a hash, and wait for its first answer."""

    def open_workspace(hash_: str = "#lang=en&theme=light", **size: int) -> Workspace:
        opened = Workspace(map_page(hash_, path="/hotspots", **size))
        opened.answered()
        return opened

    return open_workspace


def number(text: str) -> int:
    """Return the first number in a text."""
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def test_hotspots_are_on_the_map_with_what_they_rest_on(workspace: OpenWorkspace) -> None:
    page = workspace()
    run = page.run
    assert run["service"] == "hotspots"
    assert page.watched.rendered("hotspots")
    assert any(f"run_id={run['run_id']}" in address for address in page.watched.asked if "/tiles/" in address)
    expect(page.page.locator(".map-caption")).to_contain_text(f"n = {run['provenance']['n']:,}")
    left_out = sum(row["count"] for row in run["provenance"]["left_out"] if row["frame"] == "incidents")
    expect(page.answer.locator(".account summary")).to_have_text(f"{left_out:,} left out")
    hot = run["summary"]["by_significance"]
    expected = sum(count for code, count in hot.items() if code.startswith("hot_"))
    expect(page.answer.locator(".places-head + .hint")).to_contain_text(f"of {expected} listed")
    assert not page.watched.rendered("grids")


def test_a_kind_of_incident_asks_anew_and_going_back_is_the_same_run(workspace: OpenWorkspace) -> None:
    page = workspace()
    everything = page.run
    chips = page.page.locator(".chips")
    page.changed(lambda: chips.get_by_role("button", name="Burglary").click())
    burglary = page.run
    assert burglary["provenance"]["parameters"]["categories"] == ["burglary"]
    assert burglary["provenance"]["n"] < everything["provenance"]["n"]
    assert "kinds=burglary" in page.page.url
    page.changed(page.page.go_back)
    assert page.run["run_id"] == everything["run_id"]
    expect(chips.get_by_role("button", name="All", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_clock_filters_by_keyboard_alone(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}")
    everything = page.run
    expect(page.clock.locator("tbody td")).to_have_count(7 * 24)
    # The whole table is one stop of the Tab key.
    expect(page.clock.locator("[tabindex='0']")).to_have_count(1)
    page.clock.locator("[tabindex='0']").focus()
    keyboard = page.page.keyboard
    for key in ["ArrowDown"] * 4 + ["End"]:
        keyboard.press(key)

    def choose() -> None:
        keyboard.press("Space")
        keyboard.press("Shift+ArrowDown")
        for _ in range(5):
            keyboard.press("Shift+ArrowLeft")

    page.changed(choose)
    chosen = page.run["provenance"]
    assert chosen["parameters"]["weekdays"] == [5, 6]
    assert chosen["parameters"]["hours"] == [18, 19, 20, 21, 22, 23]
    assert chosen["n"] < everything["provenance"]["n"]
    assert re.search(r"days=5-6&hours=18-23", page.page.url)
    expect(page.clock.locator("td[aria-selected=true]")).to_have_count(2 * 6)
    expect(page.page.locator(".map-caption")).to_contain_text("Fri, Sat 18:00–24:00")
    page.changed(lambda: keyboard.press("Escape"))
    assert page.run["run_id"] == everything["run_id"]


def test_the_clock_is_drawn_upon_and_knows_the_shifts(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}")
    first = page.clock.locator("[data-day='0'][data-hour='8']").bounding_box()
    last = page.clock.locator("[data-day='4'][data-hour='15']").bounding_box()
    assert first
    assert last

    def draw() -> None:
        page.page.mouse.move(first["x"] + 3, first["y"] + 3)
        page.page.mouse.down()
        page.page.mouse.move(last["x"] + 3, last["y"] + 3, steps=4)
        page.page.mouse.up()

    page.changed(draw)
    parameters = page.run["provenance"]["parameters"]
    assert (parameters["weekdays"], parameters["hours"]) == ([1, 2, 3, 4, 5], [8, 9, 10, 11, 12, 13, 14, 15])
    expect(page.page.get_by_role("button", name="Day 8–16")).to_have_attribute("aria-pressed", "true")
    page.changed(lambda: page.page.get_by_role("button", name="Night 0–8").click())
    assert page.run["provenance"]["parameters"]["hours"] == list(range(8))
    page.changed(lambda: page.clock.locator("th[scope=row]").nth(0).click())
    assert page.run["provenance"]["parameters"]["weekdays"] == [2, 3, 4, 5]


def test_the_clock_counts_the_incidents_of_the_question(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}&kinds=burglary")
    counts = page.clock.locator("tbody td .unseen").all_inner_texts()
    total = sum(float(text.rsplit(": ", 1)[1].split()[0].replace(",", "")) for text in counts)
    # Each cell is told to one decimal.
    assert total == pytest.approx(page.run["provenance"]["n"], abs=7 * 24 * 0.05)


def test_another_method_is_another_map_and_another_card(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}&kinds=burglary")
    card = page.answer.locator(".card-text").inner_text()
    page.choose_method("near_repeat")
    run = page.run
    assert run["service"] == "near_repeat"
    assert run["provenance"]["parameters"]["categories"] == ["burglary"]
    assert page.watched.rendered("near_repeat")
    assert not page.watched.rendered("hotspots")
    assert page.answer.locator(".card-text").inner_text() != card
    table = page.answer.locator(".matrix")
    expect(table.locator("tbody tr")).to_have_count(len({row["distance_band"] for row in run["summary"]["table"]}))
    assert "method=near_repeat" in page.page.url


def test_two_periods_are_compared_side_by_side_and_by_their_difference(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&method=incident_density&{HALF_A_YEAR}")
    assert page.watched.rendered("incident_density")
    expect(page.page.locator(".sides")).to_have_count(0)
    page.changed(lambda: page.page.get_by_role("button", name="Year before").click())
    assert page.watched.rendered("density_change")
    assert not page.watched.rendered("incident_density")
    sides = page.page.locator(".sides")
    periods = {}
    for name in ("Period A", "Period B"):
        page.changed(lambda name=name: sides.get_by_role("button", name=name).click())
        assert page.watched.rendered("incident_density")
        assert not page.watched.rendered("density_change")
        periods[name] = page.run["provenance"]["parameters"]["occurred_from"]
    assert periods == {"Period A": "2025-12-31T16:00:00Z", "Period B": "2024-12-31T16:00:00Z"}
    assert "with=year&show=b" in page.page.url
    expect(page.page.locator(".map-caption")).to_contain_text("1 Jan 2025 to 30 Jun 2025")


def test_without_an_earlier_time_there_is_no_comparison_and_the_page_says_why(workspace: OpenWorkspace) -> None:
    page = workspace("#lang=en&theme=light&method=incident_density&with=previous")
    expect(page.page.get_by_text("there is nothing before all of the time")).to_be_visible()
    expect(page.page.locator(".sides")).to_have_count(0)
    assert page.watched.rendered("incident_density")


def test_a_hotspot_opens_with_exactly_the_incidents_it_counts(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}&hours=16-23")
    row = page.answer.locator(".place").first
    counted = number(row.locator(".place-count").inner_text())
    before = page.page.url
    row.focus()
    page.page.keyboard.press("Enter")
    incidents = page.answer.locator("#title-incidents")
    expect(incidents).to_contain_text(f"{counted} incident")
    expect(page.page.locator("#title-place")).to_be_focused()
    assert "feature=hotspots:" in page.page.url
    page.watched.settle()
    zoom = [float(re.search(r"map=([\d.]+)/", address)[1]) for address in (before, page.page.url)]
    assert zoom[1] > zoom[0]
    shown = page.answer.locator(".incidents tbody tr")
    assert shown.count() == min(counted, 20)
    hours = [int(re.search(r"(\d\d):\d\d", text)[1]) for text in shown.locator("td:first-child").all_inner_texts()]
    assert all(16 <= hour <= 23 for hour in hours)
    bars = page.answer.locator(".bars rect title").all_text_contents()
    assert sum(number(text.rsplit(": ", 1)[1]) for text in bars) == counted
    page.answer.get_by_role("button", name="Back to the list").click()
    expect(page.answer.locator(".place").first).to_be_focused()


def test_a_click_on_the_map_opens_the_place_in_the_panel(workspace: OpenWorkspace) -> None:
    page = workspace()
    found = get_json(f"{page.server}/collections/hotspots/items?run_id={page.run['run_id']}&limit=1")["features"][0]
    lon, lat = (sum(side) / 2 for side in zip(*found["geometry"]["coordinates"][0][:3:2], strict=True))
    page.page.mouse.click(*page.watched.screen_point(lon, lat))
    expect(page.answer.locator("#title-incidents")).to_be_visible()
    assert f"feature=hotspots:{found['id']}" in page.page.url
    expect(page.page.get_by_role("dialog")).to_have_count(0)


def test_a_slow_run_is_cancelled_and_asked_again(workspace: OpenWorkspace) -> None:
    page = workspace()
    page.page.locator(".method input[value=near_repeat]").check(force=True)
    page.answer.get_by_role("button", name="Cancel").click()
    expect(page.answer.get_by_role("alert")).to_contain_text("Cancelled")
    page.changed(lambda: page.answer.get_by_role("button", name="Ask again").click())
    assert page.run["service"] == "near_repeat"


def test_what_the_server_refuses_is_told_with_the_name_of_the_field(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}&set=lattice_m:10")
    alert = page.answer.get_by_role("alert")
    expect(alert).to_contain_text(re.compile("Cell size: 10 m gives about"))
    page.page.locator(".settings > summary").click()
    side = page.page.locator("[data-field=lattice_m] input")
    expect(side).to_have_value("10")
    page.changed(lambda: side.fill("400"))
    expect(alert).to_have_count(0)
    assert page.run["provenance"]["parameters"]["lattice_m"] == 400


def test_a_link_asks_what_its_sender_asked_and_the_tabs_keep_what_is_shared(workspace: OpenWorkspace) -> None:
    first = workspace(f"#lang=en&theme=dark&{HALF_A_YEAR}&kinds=theft&days=6-7&method=incident_density")
    second = workspace(f"#{first.page.url.split('#')[1]}")
    assert second.page.url == first.page.url
    assert second.run["run_id"] == first.run["run_id"]
    second.page.get_by_role("link", name="Map", exact=True).click()
    second.watched.settle()
    assert "/map#" in second.page.url
    assert HALF_A_YEAR in second.page.url
    assert "kinds" not in second.page.url
    expect(second.page.locator("html")).to_have_attribute("data-theme", "dark")
    second.page.get_by_role("link", name="Hotspots", exact=True).click()
    second.answered()
    assert "/hotspots#" in second.page.url
    assert HALF_A_YEAR in second.page.url


def test_the_result_is_had_as_files_as_a_picture_and_as_a_link(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=en&theme=light&{HALF_A_YEAR}")
    for name, content in (("CSV", b"significance"), ("GeoPackage", b"SQLite format 3")):
        link = page.answer.get_by_role("link", name=name).get_attribute("href")
        assert f"run_id={page.run['run_id']}" in link
        assert page.page.request.get(f"{page.server}{link}").status == 400, "nothing is taken along without a purpose"
        answer = page.page.request.get(f"{page.server}{link}", headers={"Wangge-Purpose": "tests"})
        assert answer.ok, answer.text()
        assert content in answer.body()[:2000]
    page.answer.get_by_role("link", name="CSV").click()
    asked = page.page.get_by_role("dialog", name="What is the file for?")
    said = asked.get_by_role("textbox")
    said.fill("ask 13812345678")
    page.page.keyboard.press("Enter")
    expect(asked.get_by_role("alert")).to_contain_text("mobile number")
    assert page.watched.violations() == []
    assert all("400" in complaint for complaint in page.watched.complaints)
    page.watched.complaints.clear()
    said.fill("monthly review")
    with page.page.expect_download() as table:
        asked.get_by_role("button", name="Download").click()
    assert b"significance" in table.value.path().read_bytes()[:2000]
    assert table.value.suggested_filename.endswith(".csv")
    expect(asked).to_be_hidden()
    page.answer.get_by_role("link", name="GeoPackage").click()
    expect(said).to_have_value("monthly review")
    page.page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    with page.page.expect_download() as saved:
        page.answer.get_by_role("button", name="Picture of the map").click()
    picture = saved.value
    assert picture.suggested_filename == "wangge-hotspots.png"
    head = picture.path().read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert int.from_bytes(head[16:20]) == 2 * page.page.locator(".maplibregl-canvas").bounding_box()["width"]


@pytest.fixture
def sheet(browser: Browser, server: str) -> Iterator[Callable[[str], MapPage]]:
    """Open the sheet at a hash, and wait until it may be printed."""
    opened: list[MapPage] = []

    def open_sheet(hash_: str) -> MapPage:
        watched = watched_page(browser, server, width=900, height=1200)
        opened.append(watched)
        watched.page.goto(f"{server}/print/hotspots{hash_}")
        watched.until("document.querySelector('.sheet')?.dataset.ready === 'true'")
        return watched

    yield open_sheet
    for watched in opened:
        watched.close()
        assert watched.foreign == []
        assert watched.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheet_is_one_page_of_a4(sheet: Callable[[str], MapPage], language: str) -> None:
    watched = sheet(
        f"#lang={language}&theme=dark&{HALF_A_YEAR}&kinds=theft,burglary&hours=16-23&set=alpha:0.1&list=all"
    )
    page = watched.page
    assert page.locator(".sheet-places tbody tr").count() == 12
    expect(page.locator(".sheet-synthetic")).to_be_visible()
    expect(page.locator(".sheet-map img")).to_be_visible()
    box = page.locator(".sheet-map").bounding_box()
    assert box
    assert box["width"] == pytest.approx(190 * 96 / 25.4, abs=1)
    assert watched.violations() == []
    # Nothing is cut off at the foot of the page.
    foot, paper = page.locator(".sheet-foot").bounding_box(), page.locator(".sheet").bounding_box()
    assert foot
    assert paper
    assert foot["y"] + foot["height"] <= paper["y"] + paper["height"]
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    media = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    assert media
    assert float(media[1]) == pytest.approx(210 * POINTS_PER_MM, abs=1)
    assert float(media[2]) == pytest.approx(297 * POINTS_PER_MM, abs=1)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(workspace: OpenWorkspace, language: str, theme: str) -> None:
    page = workspace(f"#lang={language}&theme={theme}&{HALF_A_YEAR}&kinds=burglary&days=1-5&hours=8-15")
    for folded in (".account > summary", ".settings > summary", ".legend-layers > summary"):
        page.page.locator(folded).click()
    assert page.watched.violations() == []
    page.choose_method("near_repeat")
    assert page.watched.violations() == []
    page.choose_method("incident_density")
    page.answer.locator(".place").first.click()
    expect(page.answer.locator("#title-incidents")).to_be_visible()
    page.page.locator(".ask .segments button").nth(5).click()
    expect(page.page.locator(".sides")).to_be_visible()
    page.answered()
    assert page.watched.violations() == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_question_and_answer_are_sheets_over_the_map(workspace: OpenWorkspace, language: str) -> None:
    page = workspace(f"#lang={language}&theme=light&{HALF_A_YEAR}", **PHONE)
    assert page.watched.rendered("hotspots")
    for panel in ("question", "answer"):
        page.page.locator(f".panel-bar [aria-controls=panel-{panel}]").click()
        expect(page.page.locator(f"#panel-{panel}")).to_be_visible()
        assert page.watched.violations() == []
        assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.answer.locator(".place").first.click()
    expect(page.answer).to_have_count(0)
    assert "feature=hotspots:" in page.page.url


def test_grids_are_picked_on_the_map_for_what_asks_for_them(map_page: Callable[..., MapPage]) -> None:
    watched = map_page("#lang=en&theme=light&method=before_after&map=15.5/31.32/120.60", path="/hotspots")
    page = watched.page
    treated = page.get_by_role("textbox", name="Treated grids")
    pick = page.get_by_role("button", name="Pick on the map: Treated grids")
    pick.click()
    watched.until("window.wangge.map.queryRenderedFeatures().some(({ layer }) => layer.id === 'wangge-picked')")
    watched.settle()
    canvas = page.locator(".maplibregl-canvas")
    box = canvas.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8)
    expect(treated).to_have_value(re.compile(r"^\d{15}$"))
    by_mouse = treated.input_value()

    # By the keyboard: what lies in the middle of the map; once more takes it out.
    canvas.focus()
    page.keyboard.press("Enter")
    expect(treated).to_have_value(re.compile(rf"^{by_mouse}\n\d{{15}}$"))
    assert watched.violations() == []
    page.keyboard.press("Enter")
    expect(treated).to_have_value(by_mouse)
    page.get_by_role("button", name="Done: Treated grids").click()
    watched.settle()
    assert not page.evaluate("!!window.wangge.map.getLayer('wangge-picked')")


def test_every_word_is_in_the_readers_language(workspace: OpenWorkspace) -> None:
    page = workspace(f"#lang=zh&theme=light&{HALF_A_YEAR}")
    page.page.locator(".account > summary").click()
    page.page.locator(".settings > summary").click()
    selector = "h2, h3, label, legend, dt, th, .hint, .chip, .segments button, summary, caption"
    said = page.page.locator(f":is(.question, .answer, .map-pane, .methods) :is({selector})").all_inner_texts()
    assert len(said) > 80
    own = re.compile(r"[\u4e00-\u9fff]|^[\d\s–-]*$|^Gi\*?$|^(PAI|PEI|RRI|SER)\b")
    assert [words for words in said if not own.search(words)] == []


def test_without_webgl_list_and_clock_stand_beside_the_plain_map(playwright: Playwright, server: str) -> None:
    browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=[*FLAGS, "--disable-3d-apis"])
    watched = watched_page(browser, server, width=1280, height=800)
    watched.page.goto(f"{server}/hotspots#lang=en")
    expect(watched.page.locator(".place").first).to_be_visible(timeout=30_000)
    expect(watched.page.frame_locator("iframe").locator(".leaflet-container")).to_be_visible(timeout=30_000)
    run = watched.page.locator(".print-link").get_attribute("data-run")
    expect(watched.page.locator("iframe")).to_have_attribute("src", f"/maps/hotspots.html?lang=en&run_id={run}")
    expect(watched.page.locator(".clock tbody td")).to_have_count(7 * 24)
    watched.page.locator(".place").first.click()
    expect(watched.page.locator(".incidents tbody tr").first).to_be_visible()
    assert watched.violations() == []
    assert watched.foreign == []
    browser.close()
