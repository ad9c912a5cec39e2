"""What else the planner has in hand: today beside the plan, corners, weights, drawings of others, refusals in words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.support.editor_page import PATIENCE_MS, OpenEditor, borders, corners
from tests.support.map_page import MapPage
from tests.support.served import get_json

pytestmark = pytest.mark.browser

OpenMap = Callable[..., MapPage]


def test_today_lies_at_the_left_of_a_divider_and_the_plan_at_its_right(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    moved, kept = list(borders(opened.board))[:2]
    opened.go(moved, tool="block", tint="moved")
    opened.click(moved)
    opened.is_saved()
    page.keyboard.press("Escape")
    page.mouse.move(5, 5)
    page.locator("[data-view=swipe]").click()
    divider = page.get_by_role("slider", name="现行与方案的分界")
    expect(divider).to_have_attribute("aria-valuenow", "50")
    opened.watched.until("document.querySelectorAll('.maplibregl-canvas').length === 2")

    # Moved by the keyboard from end to end: the block is drawn as moved, or as it is today.
    divider.focus()
    page.keyboard.press("Home")
    expect(divider).to_have_attribute("aria-valuenow", "0")
    plan = opened.pixels(moved.lon, moved.lat)
    page.keyboard.press("End")
    expect(divider).to_have_attribute("aria-valuetext", "左侧 100% 为现行网格")
    opened.watched.until("document.querySelector('.swipe-current').dataset.drawn === 'true'")
    assert opened.pixels(moved.lon, moved.lat) != plan
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    expect(divider).to_have_attribute("aria-valuenow", "88")
    assert "divider=88" in page.url
    assert opened.watched.violations() == []

    # Dragged by the mouse.
    box = divider.bounding_box()
    pane = page.locator(".map-pane").bounding_box()
    assert box
    assert pane
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(pane["x"] + pane["width"] * 0.75, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(divider).to_have_attribute("aria-valuenow", "75")

    # Nothing is painted on today's side.
    page.locator("[data-tool=block]").click()
    opened.click(kept if opened.watched.screen_point(kept.lon, kept.lat)[0] < pane["x"] + pane["width"] / 2 else moved)
    expect(opened.status).to_contain_text("分界左侧是现行网格")
    expect(page.locator("#tab-moved .tab-badge")).to_have_text("1")
    page.locator("#map .map .maplibregl-canvas").first.focus()
    page.keyboard.press("w")
    expect(divider).to_have_count(0)


def test_a_corner_moves_in_every_block_that_has_it_as_one_step(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    corner = next(corners(opened.server, opened.board))
    page.evaluate(
        "(hash) => { location.hash = hash }", f"#map=17.5/{corner.lat}/{corner.lon}&tool=corner&lang=zh&theme=light"
    )
    opened.watched.settle()

    def moved() -> set[str]:
        return {feature["id"] for feature in get_json(f"{opened.server}/plans/{opened.plan}/shapes")["features"]}

    # By the mouse.
    x, y = opened.watched.screen_point(corner.lon, corner.lat)
    page.mouse.move(x + 4, y + 2)
    page.mouse.down()
    page.mouse.move(x + 30, y + 12, steps=5)
    page.mouse.up()
    undo = page.get_by_role("button", name=re.compile("撤销：移动角点"))
    expect(undo).to_be_enabled(timeout=PATIENCE_MS)
    opened.is_saved()
    assert moved() == set(corner.blocks)
    before = sum(opened.board["blocks"]["households"])
    page.keyboard.press("Control+z")
    opened.is_saved()
    expect(undo).to_have_count(0)
    assert moved() == set()
    assert sum(opened.board["blocks"]["households"]) == before

    # By the keyboard: to the next corner, up, two steps, down.
    page.locator("#map .map .maplibregl-canvas").first.focus()
    page.keyboard.press("ArrowRight")
    expect(opened.status).to_contain_text("回车拿起")
    page.keyboard.press("Enter")
    expect(opened.status).to_contain_text("已拿起角点")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Enter")
    expect(undo).to_be_enabled(timeout=PATIENCE_MS)
    opened.is_saved()
    assert len(moved()) >= 2


def test_weights_are_changed_for_the_plan_and_the_balance_follows(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    page.locator(".weights > summary").click()
    rentals = page.locator("[data-term=rentals] input")
    expect(rentals).to_have_value("0")
    assert opened.watched.violations() == []
    expect(page.locator(".balance [data-column=load]")).to_have_count(0)
    rentals.fill("12")
    page.get_by_role("button", name="应用").click()
    expect(page.locator(".balance [data-column=load]")).to_have_count(1, timeout=PATIENCE_MS)
    opened.is_saved()
    board = opened.board
    assert board["weights"]["rentals"] == 12
    # Weights spread the work, they do not add to it.
    assert sum(board["blocks"]["load"]) == pytest.approx(sum(board["blocks"]["households"]), rel=1e-4)
    expect(page.locator(".weights-own")).to_be_visible()
    page.locator("[data-term=rentals] input").fill("0")
    page.locator("[data-term=households] input").fill("0")
    expect(page.locator(".weights .field-problem")).to_be_visible()
    page.get_by_role("button", name="恢复政策值").click()
    expect(page.locator(".balance [data-column=load]")).to_have_count(0, timeout=PATIENCE_MS)
    opened.is_saved()
    page.keyboard.press("Control+z")
    expect(page.locator(".balance [data-column=load]")).to_have_count(1, timeout=PATIENCE_MS)


def test_a_drawing_from_elsewhere_becomes_a_draft_with_an_account_of_its_fit(map_page: OpenMap, server: str) -> None:
    watched = map_page("#lang=zh&theme=light", role="planner")
    page = watched.page
    page.get_by_role("link", name="网格调整").click()
    page.locator(".drawing > summary").click()
    grids = get_json(f"{server}/collections/grids/items?limit=10000")
    drawn = {
        "type": "FeatureCollection",
        "features": [{**one, "properties": {"code": one["properties"]["code"]}} for one in grids["features"]],
    }
    payload = {"name": "外来图.geojson", "mimeType": "application/geo+json", "buffer": json.dumps(drawn).encode()}
    page.get_by_label("文件", exact=True).set_input_files(payload)  # type: ignore[arg-type]
    page.get_by_role("button", name="导入为草案").click()
    report = page.locator(".fit")
    expect(report).to_contain_text("外来图", timeout=PATIENCE_MS)
    expect(report.locator("[data-fit=fitGrids]")).to_have_text(f"{len(drawn['features']):,}")
    assert watched.violations() == []
    report.get_by_role("link", name="打开草案").click()
    expect(page.locator(".plan-title")).to_have_text("外来图", timeout=PATIENCE_MS)


def test_what_the_server_refuses_it_says_in_the_reader_s_language(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    border = next(borders(opened.board))
    opened.go(border, tool="merge")
    page.get_by_role("button", name="锁定网格").click()
    opened.is_saved()
    opened.click(border)
    opened.watched.complaints.clear()
    page.get_by_role("button", name="合并", exact=True).last.click()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("锁定", timeout=PATIENCE_MS)
    # Beside the number of the request, which is of digits and letters.
    assert not re.search("[g-zG-Z]{2,}|[A-Z]", notice.inner_text())
    # The refused request is the one thing that the console tells of.
    assert all("422" in complaint for complaint in opened.watched.complaints)
    opened.watched.complaints.clear()
