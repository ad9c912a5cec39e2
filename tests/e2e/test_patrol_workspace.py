"""The patrol planner's workspace in a real browser: take the proposal, change it by hand, take it along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Request, Route, expect

from tests.support.map_page import MapPage, watched_page
from tests.support.served import get_json

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
SMALL = "n=2&long=120&most=12&checkpoints=none"
"""Two units for two hours and some hotspots: they can visit some of them."""
FULL = "n=2&long=60&most=30&checkpoints=none"
"""No unit has time for another stop."""
POINTS_PER_MM = 72 / 25.4
LEAST_TARGET_PX = 44


class Planner:
    """The workspace, and what it says."""

    def __init__(self, watched: MapPage) -> None:
        self.watched = watched
        self.page = watched.page
        self.server = watched.server
        self.answer = self.page.locator("#panel-answer")

    def answered(self) -> None:
        """Wait until the open question has its answer, and the map draws it."""
        here = "!!document.querySelector('#panel-answer [data-stale=false]')"
        self.watched.until(f"{here} || !!document.querySelector('.job-failed')")
        self.watched.until("!document.querySelector('.map-caption progress')")
        self.watched.settle()

    def changed(self, act: Callable[[], object]) -> None:
        """Do what changes the question, and wait for the answer to it."""
        before = self.run_id
        act()
        shown = "document.querySelector('.print-link')?.dataset.run"
        self.watched.until(f"{shown} !== a || !!document.querySelector('.job-failed')", str(before))
        self.answered()

    @property
    def run_id(self) -> int:
        """Number of the run whose answer is shown."""
        return int(self.page.locator(".print-link").get_attribute("data-run") or 0)

    @property
    def run(self) -> dict[str, Any]:
        """The run whose answer is shown, as the server has it."""
        return get_json(f"{self.server}/runs/{self.run_id}")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The halts of the run, in order."""
        found = get_json(f"{self.server}/collections/patrol_routes/items?run_id={self.run_id}&limit=1000")
        return [feature["properties"] for feature in found["features"]]

    def stops(self, unit: str) -> Locator:
        """The rows of a unit's stops in its timetable."""
        return self.answer.locator(f"[data-unit='{unit}'] .halt[data-stop]")

    def order(self, unit: str) -> list[str]:
        """Codes of the stops in a unit's timetable."""
        return self.stops(unit).evaluate_all("rows => rows.map((row) => row.dataset.stop)")


OpenPlanner = Callable[..., Planner]


def enter(field: Locator, text: str) -> None:
    """Write into a field and leave it."""
    field.fill(text)
    field.press("Tab")


@pytest.fixture
def planner(map_page: Callable[..., MapPage]) -> OpenPlanner:
    """Open the workspace at a question, and wait for its first answer."""

    def open_planner(hash_: str = f"#lang=en&theme=light&{SMALL}", **size: int) -> Planner:
        opened = Planner(map_page(hash_, path="/patrol", **size))
        if not size or size["width"] > PHONE["width"]:
            opened.answered()
        return opened

    return open_planner


def test_the_proposal_is_on_the_map_and_in_the_timetables(planner: OpenPlanner) -> None:
    page = planner("#lang=en&theme=light")
    run, rows = page.run, page.rows
    parameters = run["provenance"]["parameters"]
    assert len(parameters["units"]) == 4
    posts = get_json(f"{page.server}/collections/posts/items?limit=1000&kind=police_post")["features"]
    places = {tuple(round(degrees, 6) for degrees in post["geometry"]["coordinates"]) for post in posts}
    assert {(unit["lon"], unit["lat"]) for unit in parameters["units"]} <= places
    assert run["summary"]["must_visit_count"] > 0
    assert page.watched.rendered("patrol_routes")
    for unit in ("1", "2", "3", "4"):
        own = [row for row in rows if row["unit_label"] == unit and row["stop_kind"] in ("hotspot", "checkpoint")]
        assert page.order(unit) == [row["stop_code"] for row in own]
        assert page.stops(unit).first.locator(".halt-clock").inner_text().startswith(own[0]["arrive_clock"])
    expect(page.page.locator(".stop-marker")).to_have_count(run["summary"]["visits_planned_count"])
    expect(page.page.locator(".start-marker")).to_have_count(4)
    visited = f"{run['summary']['visited_count']} of {run['summary']['stops_count']}"
    expect(page.answer.locator("[data-number=visited]")).to_have_text(visited)
    # A row of the timetable shows its place on the map.
    row = page.stops("1").nth(1)
    row.hover()
    expect(page.page.locator(".stop-marker[data-pointed=true]")).to_have_text("2")
    page.answer.locator("[data-list=unserved]").click()
    expect(page.answer.locator("[data-unserved]")).to_have_count(len(run["summary"]["unserved"]))


def test_a_stop_goes_to_another_unit_by_keyboard_and_nothing_else_moves(planner: OpenPlanner) -> None:
    page = planner("#lang=en&theme=light&n=3&most=6&checkpoints=none&long=240")
    proposed = page.run_id
    before = {unit: page.order(unit) for unit in ("1", "2", "3")}
    giver = max(before, key=lambda unit: len(before[unit]))
    taker = next(unit for unit in before if unit != giver)
    code = before[giver][0]
    keyboard = page.page.keyboard
    page.stops(giver).first.locator("summary").focus()
    keyboard.press("Enter")
    page.stops(giver).first.locator(f"[data-to='{taker}']").focus()
    page.changed(lambda: keyboard.press("Enter"))
    expect(page.answer.get_by_role("alert")).to_have_count(0)
    assert code in page.order(taker)
    assert page.order(giver) == before[giver][1:]
    (other,) = set(before) - {giver, taker}
    assert page.order(other) == before[other]
    fixed = {kept["unit"]: kept["stops"] for kept in page.run["provenance"]["parameters"]["fixed"]}
    assert fixed == {unit: page.order(unit) for unit in before}
    assert all(row["kept"] for row in page.rows)
    # The keyboard stays with the stop.
    expect(page.stops(taker).nth(page.order(taker).index(code)).locator("summary")).to_be_focused()
    assert "order=" in page.page.url

    # Its place in the list, by the same menu.
    if len(page.order(taker)) > 1:
        at = page.order(taker).index(code)
        row = page.stops(taker).nth(at)
        keyboard.press("Enter")
        step = "Earlier" if at else "Later"
        page.changed(row.get_by_role("button", name=step).click)
        assert abs(page.order(taker).index(code) - at) == 1
    page.changed(page.answer.get_by_role("button", name="Plan all anew").click)
    assert page.run_id == proposed


def test_a_stop_is_dragged_to_another_place_and_the_answer_is_that_of_the_link(planner: OpenPlanner) -> None:
    page = planner("#lang=en&theme=light&n=1&most=5&checkpoints=none&long=240")
    before = page.order("1")
    page.changed(lambda: page.stops("1").first.drag_to(page.stops("1").nth(2), target_position={"x": 60, "y": 40}))
    assert page.order("1") == [*before[1:3], before[0], *before[3:]]
    again = planner(f"#{page.page.url.split('#')[1]}")
    assert again.run_id == page.run_id
    assert again.order("1") == page.order("1")


def test_what_cannot_be_is_told_by_name_and_undone(planner: OpenPlanner) -> None:
    page = planner(f"#lang=zh&theme=light&{FULL}")
    before = page.run_id
    page.answer.locator("[data-list=unserved]").click()
    row = page.answer.locator("[data-unserved]").filter(has=page.page.locator(".move")).first
    row.locator("summary").click()
    page.changed(row.get_by_role("button").last.click)
    alert = page.answer.get_by_role("alert")
    expect(alert).to_contain_text("这样安排不成立")
    said = alert.locator("li").all_inner_texts()
    assert said
    assert all(re.search("[\u4e00-\u9fff]", line) for line in said)
    assert not any("H-s" in line for line in said)
    # The last plan that holds is still there.
    assert page.run_id == before
    page.answer.get_by_role("button", name="撤销上一步").click()
    expect(alert).to_have_count(0)
    page.answered()
    assert page.run_id == before
    assert "order=" not in page.page.url


def test_units_and_stops_of_ones_own(planner: OpenPlanner) -> None:
    page = planner()
    question = page.page.locator("#panel-question")
    question.get_by_role("button", name="Set each unit").click()
    page.answered()
    first = question.get_by_role("listitem", name="Unit 1", exact=True)
    page.changed(lambda: first.get_by_label("Kind").select_option("police+grid_staff"))
    page.changed(lambda: enter(first.get_by_label("Shift begins"), "19:30"))
    page.changed(lambda: enter(first.get_by_label("Label"), "Old town"))
    page.changed(question.get_by_role("button", name="Add a unit").click)
    page.changed(question.get_by_role("button", name="Remove unit 2").click)
    units = page.run["provenance"]["parameters"]["units"]
    assert [unit["label"] for unit in units] == ["Old town", "3"]
    assert units[0]["kinds"] == ["police", "grid_staff"]
    assert units[0]["shift_start"] == "19:30"
    clock = page.answer.locator("[data-unit='Old town'] .halt-clock").first.inner_text()
    assert clock == "19:30"
    assert page.watched.rendered("posts")

    page.changed(question.get_by_role("button", name="Picked").click)
    stops = page.run["provenance"]["parameters"]["stops"]
    listed = question.locator(".stop-list").first.locator("li")
    expect(listed).to_have_count(len(stops))
    page.changed(listed.first.get_by_role("button", name="Must be visited").click)
    page.changed(listed.nth(1).get_by_role("button", name="Remove").click)
    question.get_by_role("button", name="Add a stop on the map").click()
    # By the keyboard: the middle of the map.
    expect(page.page.locator("#map canvas")).to_be_focused()
    page.changed(lambda: page.page.keyboard.press("Enter"))
    now = page.run["provenance"]["parameters"]["stops"]
    assert [stop["code"] for stop in now] == [*[stop["code"] for i, stop in enumerate(stops) if i != 1], "S1"]
    assert [stop["code"] for stop in now if stop["must_visit"]] == [stops[0]["code"], "S1"]
    question.get_by_text("Pick from the latest hotspots").click()
    offered = question.locator(".stop-list").last.get_by_role("button", name=re.compile("^Add "))
    expect(offered.first).to_be_visible()
    again = planner(f"#{page.page.url.split('#')[1]}")
    assert again.run_id == page.run_id


def test_a_better_answer_comes_as_a_job_and_the_first_one_stays_meanwhile(planner: OpenPlanner) -> None:
    page = planner()
    first = page.run
    held: list[Route] = []

    def hold(route: Route, request: Request) -> None:
        if "longer" in (request.post_data or ""):
            held.append(route)
        else:
            route.fallback()

    page.page.route("**/processes/patrol_routes/execution", hold)
    # The page says that it asks a moment before it does.
    with page.page.expect_request(lambda request: "longer" in (request.post_data or "")):
        page.answer.get_by_role("button", name="Better answer").click()
    expect(page.answer.locator(".better progress")).to_be_visible()
    while not held:
        page.page.wait_for_timeout(20)
    assert page.run_id == first["run_id"]
    held[0].fallback()
    expect(page.answer.locator(".better-told")).to_be_visible(timeout=60_000)
    page.answered()
    assert "better=1" in page.page.url
    better = page.run
    assert better["summary"]["profit_share"] >= first["summary"]["profit_share"]
    page.changed(lambda: enter(page.page.get_by_label("Halt (min)"), "11"))
    assert "better" not in page.page.url
    expect(page.answer.get_by_role("button", name="Better answer")).to_be_visible()


def test_minutes_at_hotspots_are_judged_against_the_advice(planner: OpenPlanner) -> None:
    page = planner(f"#lang=en&theme=light&{SMALL}&stay=8&list=dose")
    rows = page.answer.locator(".dose tbody tr")
    table = page.run["summary"]["dose_table"]
    expect(rows).to_have_count(len(table))
    judged = {"short": "Shorter than advised", "none_planned": "None planned"}
    assert rows.locator("td:last-child").all_inner_texts() == [judged[row["dose"]] for row in table]


def test_routes_are_taken_along_as_gpx_and_other_files(planner: OpenPlanner) -> None:
    page = planner(f"#lang=en&theme=light&{SMALL}&on=2026-07-03")
    with page.page.expect_download() as saved:
        page.answer.get_by_role("link", name="GPX").click()
    assert saved.value.suggested_filename.endswith(".gpx")
    gpx = saved.value.path().read_text(encoding="utf-8")
    assert gpx.count("<trk>") == gpx.count("<rte>") == 2
    halts = sum(len(page.order(unit)) for unit in ("1", "2"))
    assert gpx.count("<wpt ") == halts
    # Evening in the city is morning in GPX.
    assert "<time>2026-07-03T10:" in gpx
    for name, content in (("CSV", b"unit_label"), ("GeoPackage", b"SQLite format 3")):
        link = page.answer.get_by_role("link", name=name).get_attribute("href")
        answer = page.page.request.get(f"{page.server}{link}", headers={"Wangge-Purpose": "tests"})
        assert answer.ok, answer.text()
        assert content in answer.body()[:2000]


@pytest.fixture
def paper(browser: Browser, server: str) -> Iterator[Callable[..., MapPage]]:
    """Open a page without a map of its own, and wait for what it has instead."""
    opened: list[MapPage] = []

    def open_paper(path: str, ready: str, *, width: int = 900, height: int = 1200) -> MapPage:
        watched = watched_page(browser, server, width=width, height=height)
        opened.append(watched)
        watched.page.goto(f"{server}{path}")
        watched.until(ready)
        return watched

    yield open_paper
    for watched in opened:
        watched.close()
        assert watched.foreign == []
        assert watched.complaints == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_sheets_are_one_page_of_a4_a_unit(paper: Callable[..., MapPage], language: str) -> None:
    hash_ = f"#lang={language}&theme=dark&n=3&long=300&on=2026-07-03"
    watched = paper(f"/print/patrol{hash_}", "document.querySelector('.sheet')?.dataset.ready === 'true'")
    page = watched.page
    sheets = page.locator(".sheet")
    expect(sheets).to_have_count(3)
    expect(page.locator(".sheet .sheet-synthetic")).to_have_count(3)
    for i in range(3):
        sheet = sheets.nth(i)
        expect(sheet.locator(".sheet-map img")).to_be_visible()
        stops = sheet.locator("tbody tr th").count()
        assert stops > 3
        expect(sheet.locator(".route-mark")).to_have_count(stops)
        # Nothing is cut off at the foot of the page.
        foot, whole = sheet.locator(".sheet-foot").bounding_box(), sheet.bounding_box()
        assert foot
        assert whole
        assert foot["y"] + foot["height"] <= whole["y"] + whole["height"]
    pictures = page.locator(".sheet-map img").evaluate_all("images => images.map(({ src }) => src)")
    assert len(set(pictures)) == 3
    assert watched.violations() == []
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 3
    media = re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)", pdf)
    assert media
    assert float(media[1]) == pytest.approx(210 * POINTS_PER_MM, abs=1)
    assert float(media[2]) == pytest.approx(297 * POINTS_PER_MM, abs=1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_officer_ticks_off_stops_on_a_narrow_phone(
    planner: OpenPlanner, paper: Callable[..., MapPage], language: str
) -> None:
    page = planner(f"#lang={language}&theme=light&{SMALL}")
    codes, run = page.order("2"), page.run_id
    path = f"/patrol/route#run=patrol_routes:{run}&unit=2&lang={language}&theme=light"
    stops = f"document.querySelectorAll('.phone-row input').length === {len(codes)}"
    watched = paper(path, f"{stops} && document.querySelector('.stop-marker')", width=360, height=740)
    phone = watched.page
    expect(phone.locator(".phone-next .halt-number")).to_have_text("1")
    targets = phone.locator(":is(.phone-head a, .phone-head button, .phone-acts button, label.phone-row)")
    assert all(
        box["height"] >= LEAST_TARGET_PX for i in range(targets.count()) if (box := targets.nth(i).bounding_box())
    )
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    asked = len(watched.asked)
    phone.locator(".phone-acts .primary").click()
    expect(phone.locator(".phone-next .halt-number")).to_have_text("2")
    phone.locator("label.phone-row input").nth(1).check()
    expect(phone.locator("[data-done=true]")).to_have_count(2)
    # Nothing of it leaves the phone.
    assert [address for address in watched.asked[asked:] if "/tiles/" not in address] == []
    watched.until("document.querySelector('.status-line').dataset.busy === 'false'")
    assert watched.violations() == []
    phone.reload()
    watched.until(stops)
    expect(phone.locator("[data-done=true]")).to_have_count(2)
    phone.locator("label.phone-row input").nth(0).uncheck()
    expect(phone.locator(".phone-next .halt-number")).to_have_text("1")
    # The page stands in the order in which it is used: what is next, the list, the map.
    tops = [phone.locator(part).bounding_box()["y"] for part in (".phone-next", ".phone-stops", ".map-pane")]
    assert tops == sorted(tops)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(planner: OpenPlanner, language: str, theme: str) -> None:
    page = planner(f"#lang={language}&theme={theme}&{FULL}")
    page.stops("1").first.locator("summary").click()
    for folded in (".stop-list > summary", ".legend-layers > summary"):
        page.page.locator(folded).first.click()
    assert page.watched.violations() == []
    for one in ("unserved", "dose"):
        page.answer.locator(f"[data-list={one}]").click()
        assert page.watched.violations() == []
    page.page.locator("#title-units + span + *, #panel-question .ask-row .button").first.click()
    expect(page.page.locator(".units")).to_be_visible()
    page.answered()
    assert page.watched.violations() == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_question_and_answer_are_sheets_over_the_map(planner: OpenPlanner, language: str) -> None:
    page = planner(f"#lang={language}&theme=light&{SMALL}", **PHONE)
    page.watched.until("document.querySelector('.stop-marker')")
    for panel in ("question", "answer"):
        page.page.locator(f".panel-bar [aria-controls=panel-{panel}]").click()
        expect(page.page.locator(f"#panel-{panel}")).to_be_visible()
        assert page.watched.violations() == []
        assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_word_is_in_the_readers_language(planner: OpenPlanner) -> None:
    page = planner(f"#lang=zh&theme=light&{FULL}")
    selector = (
        "h2, h3, h4, label > span, dt, th, .hint, .segments button, .button, summary[title], .halt-name, .halt-more"
    )
    where = f":is(.question, .answer, .map-caption) :is({selector})"
    said = page.page.locator(where).all_inner_texts()
    page.answer.locator("[data-list=unserved]").click()
    said += page.answer.locator(".place-text > *").all_inner_texts()
    assert len(said) > 50
    own = re.compile(r"[\u4e00-\u9fff]|^$|^⋯$|^(GPX|CSV|GeoPackage)$")
    assert [words for words in said if not own.search(words)] == []
