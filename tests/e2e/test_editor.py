"""The planner's workspace in a real browser: from the list of plans to the day on which the map shows new grids."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.support.editor_page import PATIENCE_MS, Border, Editor, OpenEditor, borders, send
from tests.support.map_page import MapPage, sign_in
from tests.support.served import get_json

pytestmark = pytest.mark.browser

OpenMap = Callable[..., MapPage]
PHONE = {"width": 390, "height": 844}


def test_the_planner_redraws_the_grids_and_on_the_day_the_map_shows_them(map_page: OpenMap) -> None:
    lists = open_list(map_page)
    lists.page.get_by_label("方案名称").fill("年度调整")
    lists.page.get_by_role("button", name="从现行网格起草").click()
    editor = arrived(lists)
    expect(editor.page.locator(".plan-title")).to_have_text("年度调整")
    board = editor.board
    sees_which_grids_break_the_band(editor, board)
    paints_by_mouse_and_steps_back_by_keyboard(editor, next(borders(board)))
    takes_a_proposal(editor)
    compares_hands_in_and_publishes(editor)
    sees_the_new_grids_on_the_map(editor, board)


def sees_which_grids_break_the_band(editor: Editor, board: dict[str, Any]) -> None:
    page, band = editor.page, board["band"]
    loads: defaultdict[int, float] = defaultdict(float)
    for grid, load in zip(board["blocks"]["grid"], board["blocks"]["load"], strict=True):
        loads[grid] += load
    judged = [loads[at] for at, grid in enumerate(board["grids"]) if grid["kind"] != "dedicated"]
    under, over = sum(load < band["low"] for load in judged), sum(load > band["high"] for load in judged)
    expect(page.locator(".balance-summary .load-under")).to_contain_text(str(under))
    expect(page.locator(".balance-summary .load-over")).to_contain_text(str(over))
    page.get_by_label("只列超出范围的").check()
    expect(page.locator(".balance [data-load=in][data-grid]")).to_have_count(0)
    expect(page.locator(".balance table")).to_have_attribute("aria-rowcount", str(under + over + 1))


def paints_by_mouse_and_steps_back_by_keyboard(editor: Editor, border: Border) -> None:
    page = editor.page
    badge = page.locator("#tab-moved .tab-badge")
    editor.go(border, tool="brush", brush="4", list="out")
    editor.click(border)
    editor.is_saved()
    assert editor.assignment[border.block] == border.target
    expect(badge).to_have_text("1")
    page.keyboard.press("Control+z")
    expect(badge).to_have_count(0)
    editor.is_saved()
    assert editor.assignment[border.block] == border.home
    page.keyboard.press("Control+Shift+Z")
    expect(badge).to_have_text("1")
    editor.is_saved()
    assert editor.assignment[border.block] == border.target
    editor.show("moved")
    expect(page.locator(".moved-total")).to_have_attribute("data-households", str(border.households))


def takes_a_proposal(editor: Editor) -> None:
    page = editor.page
    editor.show("proposal")
    for other in ("工作量均衡", "边界紧凑"):
        page.get_by_label(other).uncheck()
    page.get_by_role("button", name="计算建议").click()
    out = page.locator(".alternatives [data-number=out_of_band_count] td")
    expect(out).to_have_count(2, timeout=2 * PATIENCE_MS)
    drafted, proposed = (int(text) for text in out.all_inner_texts())
    assert proposed < drafted
    page.get_by_role("button", name=re.compile("预览")).click()
    banner = page.locator(".shown-banner")
    expect(banner).to_contain_text("预览：变动最少")
    banner.get_by_role("button", name="采用").click()
    expect(banner).to_have_count(0)
    editor.is_saved()
    assert get_json(f"{editor.server}/plans/{editor.plan}/edits")["edits"][-1]["action"] == "proposal"
    editor.show("balance")
    expect(page.locator(".balance table")).to_have_attribute("aria-rowcount", str(proposed + 1))


def compares_hands_in_and_publishes(editor: Editor) -> None:
    page = editor.page
    editor.show("review")
    moved = get_json(f"{editor.server}/plans/{editor.plan}/compare")["totals"]["households_moved_count"]
    expect(page.locator("[data-total=households_moved_count] td")).to_have_text(f"{moved:,}", timeout=PATIENCE_MS)
    mends_what_the_proposal_left(editor)
    page.get_by_role("button", name="提交审核").click()
    editor.is_in("review")
    expect(page.get_by_role("button", name="撤回")).to_be_visible()
    expect(page.get_by_role("button", name="批准", exact=True)).to_have_count(0)
    sign_in(page.context, editor.server, "supervisor")
    page.reload()
    editor.watched.settle()
    editor.show("review")
    page.get_by_role("button", name="批准", exact=True).click()
    editor.is_in("approved")
    page.get_by_role("button", name="发布").click()
    editor.is_in("effective")


def mends_what_the_proposal_left(editor: Editor) -> None:
    """By hand: a grid that was in pieces before and that the proposal changed must be whole before it is handed in."""
    pieces = editor.page.locator(".blocking .link")
    hand_in = editor.page.get_by_role("button", name="提交审核")
    for _ in range(5):
        editor.watched.until("!document.querySelector('.checking')")
        if hand_in.is_enabled():
            return
        pieces.first.click()
        editor.is_saved()
    raise AssertionError("the plan could not be mended")


def sees_the_new_grids_on_the_map(editor: Editor, before: dict[str, Any]) -> None:
    now = editor.assignment
    border = next(border for border in borders(before) if now[border.block] not in {None, border.home})
    lists = editor.watched
    lists.open(f"#map=17/{border.lat}/{border.lon}&layers=grids&lang=zh&theme=light")
    drawn = editor.page.evaluate(
        """([x, y]) => {
          const { left, top } = window.wangge.map.getCanvas().getBoundingClientRect();
          return window.wangge.map.queryRenderedFeatures([x - left, y - top])
            .filter(({ layer }) => layer.metadata?.["wangge:layer"] === "grids")
            .map(({ properties }) => properties.code);
        }""",
        list(lists.screen_point(border.lon, border.lat)),
    )
    assert now[border.block] in drawn
    assert border.home not in drawn


def open_list(map_page: OpenMap) -> MapPage:
    """Open the list of plans; it has no map to wait for, so it is come to from one."""
    page = map_page("#lang=zh&theme=light", role="planner")
    page.page.get_by_role("link", name="网格调整").click()
    page.page.locator(".plan-list").wait_for()
    return page


def arrived(watched: MapPage, *, other_than: int = 0) -> Editor:
    """Wait for the workspace of a plan that the page goes to by itself."""
    watched.page.wait_for_url(lambda url: "/edit/" in url and f"/edit/{other_than}#" not in url)
    watched.page.locator(".plan-title").wait_for(timeout=PATIENCE_MS)
    watched.settle()
    return Editor(watched, int(watched.page.url.split("/edit/")[1].split("#")[0]))


def test_the_list_copies_and_throws_away(map_page: OpenMap, server: str) -> None:
    plan = send(server, "POST", "/plans", {"title": "要删除的草案"})["id"]
    page = open_list(map_page).page
    row = page.locator(f"[data-plan='{plan}']")
    row.get_by_role("button", name="复制“要删除的草案”").click()
    expect(page.locator(".plan-title")).to_have_text("要删除的草案（副本）")
    page.get_by_role("link", name="全部方案").click()
    row.get_by_role("button", name="删除“要删除的草案”").click()
    row.get_by_role("button", name="保留").click()
    row.get_by_role("button", name="删除“要删除的草案”").click()
    row.get_by_role("button", name="删除草案").click()
    expect(row).to_have_count(0)
    assert plan not in [found["id"] for found in get_json(f"{server}/plans")["plans"]]


def test_everything_is_done_by_keyboard_too(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    border = next(borders(opened.board))
    opened.go(border, tool="pan")
    canvas = page.locator(".maplibregl-canvas")
    canvas.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".crosshair")).to_have_count(1)
    assert "方向键" in (canvas.get_attribute("aria-label") or "")

    # Where the crosshair is, Enter aims; a letter takes the brush; elsewhere Enter paints.
    page.keyboard.press("Enter")
    expect(opened.status).to_contain_text("目标：")
    target = page.evaluate("new URLSearchParams(location.hash.slice(1)).get('grid')")
    assert target == border.home
    page.keyboard.press("b")
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
        page.keyboard.press("Enter")
    opened.is_saved()
    moved = [block for block, grid in opened.assignment.items() if grid == target]
    assert len(moved) > opened.board["blocks"]["base"].count(index_of(opened.board, target))
    page.keyboard.press("Control+z")
    opened.is_saved()
    page.keyboard.press("]")
    expect(opened.status).to_contain_text("目标：")
    assert page.evaluate("new URLSearchParams(location.hash.slice(1)).get('grid')") > target
    page.keyboard.press("[")
    page.keyboard.press("Escape")
    assert "tool=" not in page.url

    # The grids in force, for as long as they are asked for.
    page.keyboard.press("c")
    expect(page.locator(".shown-banner")).to_have_text("正在显示现行网格")
    page.keyboard.press("c")
    expect(page.locator(".shown-banner")).to_have_count(0)

    # A lasso: corners by Enter, closed with Shift.
    page.keyboard.press("l")
    for key, times in (("ArrowRight", 6), ("ArrowDown", 6), ("ArrowLeft", 6)):
        page.keyboard.press("Enter")
        for _ in range(times):
            page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator(".tool-options")).to_contain_text("已画 4 点")
    page.keyboard.press("Escape")
    expect(page.locator(".tool-options")).not_to_contain_text("已画")


def index_of(board: dict[str, Any], code: str) -> int:
    """Return the place of a grid on a board."""
    return [grid["code"] for grid in board["grids"]].index(code)


def test_a_proposal_is_given_up_when_the_planner_wishes(editor: OpenEditor) -> None:
    opened = editor(choices={"tab": "proposal"})
    page = opened.page
    page.get_by_role("button", name="计算建议").click()
    job = page.locator(".side .job")
    expect(job).to_contain_text("变动最少", timeout=PATIENCE_MS)
    job.get_by_role("button", name="取消").click()
    expect(job).to_have_count(0)
    expect(opened.status).to_have_text("已取消")
    expect(page.locator(".alternatives")).to_have_count(0)


def test_what_is_locked_stays_and_says_so(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    border = next(borders(opened.board))
    opened.go(border, tool="block")
    page.get_by_role("button", name="锁定网格").click()
    opened.is_saved()
    assert opened.board["locks"]["grids"] == [border.target]
    opened.click(border)
    expect(opened.status).to_contain_text("已锁定，未作更改")
    page.keyboard.press("Control+z")
    opened.is_saved()
    assert opened.board["locks"]["grids"] == []
    opened.click(border)
    opened.is_saved()
    assert opened.assignment[border.block] == border.target


def test_grids_are_merged_and_blocks_cut_and_each_is_one_step(editor: OpenEditor) -> None:
    opened = editor()
    page, start = opened.page, opened.board
    border = next(borders(start))
    opened.go(border, tool="merge")
    opened.click(border)
    expect(page.locator(".tool-count")).to_contain_text("并入")
    page.get_by_role("button", name="合并", exact=True).last.click()
    expect(page.get_by_role("button", name=re.compile("撤销：合并网格"))).to_be_enabled(timeout=PATIENCE_MS)
    opened.is_saved()
    assert opened.assignment[border.block] == border.target
    assert border.home not in [grid["code"] for grid in opened.board["grids"]]

    opened.go(border, tool="split")
    x, y = opened.watched.screen_point(border.lon, border.lat)
    # Ends within the block: it is cut right through all the same.
    page.mouse.click(x - 6, y)
    page.mouse.click(x + 6, y)
    page.get_by_role("button", name=re.compile("切分单元网格")).click()
    expect(page.get_by_role("button", name=re.compile("撤销：切分单元网格"))).to_be_enabled(timeout=PATIENCE_MS)
    opened.is_saved()
    halves = [code for code in opened.assignment if code.startswith(f"{border.block}-")]
    assert len(halves) == 2
    cut = opened.board["blocks"]
    assert sum(cut["households"]) == sum(start["blocks"]["households"])
    ids = [1 + cut["code"].index(half) for half in halves]
    assert len(opened.page.evaluate(
        "(ids) => window.wangge.map.querySourceFeatures('edit-blocks').filter(({ id }) => ids.includes(id))", ids
    )) >= 2  # fmt: skip

    for _ in range(2):
        page.keyboard.press("Control+z")
        opened.is_saved()
    assert opened.board["blocks"]["code"] == start["blocks"]["code"]
    assert opened.board["grids"] == start["grids"]
    assert opened.assignment[border.block] == border.home


def test_a_place_gets_a_grid_of_its_own(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    border = next(borders(opened.board))
    opened.go(border, tool="select")
    opened.click(border)
    expect(page.locator(".tool-count")).to_contain_text("已选 1 块")
    page.get_by_role("button", name="新建专属网格…").click()
    page.get_by_label("中文名称").fill("市民医院")
    page.get_by_label("英文名称").fill("City Hospital")
    page.get_by_role("button", name="新建", exact=True).click()
    expect(page.locator(".target")).to_contain_text("市民医院", timeout=PATIENCE_MS)
    opened.is_saved()
    made = next(grid for grid in opened.board["grids"] if grid["name_zh"] == "市民医院")
    assert made["kind"] == "dedicated"
    assert opened.assignment[border.block] == made["code"]


def test_a_reload_keeps_all_strokes_and_undoes_those_of_earlier_visits(editor: OpenEditor) -> None:
    opened = editor()
    page = opened.page
    first, second = list(borders(opened.board))[:20:10]
    for border in (first, second):
        opened.go(border, tool="block")
        opened.click(border)
        opened.is_saved()
    address = page.url
    page.reload()
    opened.watched.settle()
    assert page.url == address
    expect(page.locator("#tab-moved .tab-badge")).to_have_text("2")
    for count in ("1", None):
        page.keyboard.press("Control+z")
        badge = page.locator("#tab-moved .tab-badge")
        expect(badge).to_have_text(count) if count else expect(badge).to_have_count(0)
        opened.is_saved()
    assert opened.assignment[first.block] == first.home
    assert opened.assignment[second.block] == second.home


def test_who_was_slower_chooses(stormy: Editor) -> None:
    page = stormy.page
    mine, theirs = list(borders(stormy.board))[:20:10]

    def clash() -> None:
        revision = stormy.board["revision"]
        home = stormy.assignment[theirs.block]
        moves = {theirs.block: theirs.target if home == theirs.home else theirs.home}
        path = f"/plans/{stormy.plan}/assignment"
        send(stormy.server, "PATCH", path, {"revision": revision, "moves": moves, "action": "brush"})
        stormy.click(mine)
        expect(page.get_by_role("dialog")).to_contain_text("规划岗 · 画笔")

    stormy.go(mine, tool="block")
    clash()
    assert stormy.watched.violations() == []
    page.get_by_role("button", name="采用对方的").click()
    stormy.is_saved()
    assert (stormy.assignment[mine.block], stormy.assignment[theirs.block]) == (mine.home, theirs.target)
    expect(page.locator("#tab-moved .tab-badge")).to_have_text("1")

    clash()
    page.get_by_role("button", name="在其上再做我的修改").click()
    stormy.is_saved()
    assert (stormy.assignment[mine.block], stormy.assignment[theirs.block]) == (mine.target, theirs.home)

    page.keyboard.press("Control+z")
    stormy.is_saved()
    clash()
    page.get_by_role("button", name="另存为副本").click()
    copy = arrived(stormy.watched, other_than=stormy.plan)
    assert stormy.assignment[mine.block] == mine.home
    assert (copy.assignment[mine.block], copy.assignment[theirs.block]) == (mine.target, theirs.target)


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_axe_finds_nothing(editor: OpenEditor, language: str, theme: str) -> None:
    opened = editor(choices={"lang": language, "theme": theme, "tint": "load", "trace": "current"})
    border = next(borders(opened.board))
    opened.go(border, tool="block", lang=language, theme=theme)
    opened.click(border)
    opened.is_saved()
    for tab in ("balance", "warnings", "moved", "proposal", "review"):
        opened.show(tab)
        if tab == "review":
            expect(opened.page.locator("[data-total]")).not_to_have_count(0)
        assert opened.watched.violations() == [], tab
    for tool in ("select", "merge", "split"):
        opened.page.locator(f"[data-tool={tool}]").click()
        opened.click(border)
        assert opened.watched.violations() == [], tool
    opened.page.locator(".plan-back").click()
    opened.page.locator(".plans").wait_for()
    assert opened.watched.violations() == []


def test_on_a_phone_the_panels_lie_over_the_map(editor: OpenEditor) -> None:
    opened = editor(**PHONE)
    page = opened.page
    body = page.locator(".side-body")
    expect(body).to_have_count(0)
    for tab in ("balance", "warnings", "moved", "proposal", "review"):
        opened.show(tab)
        expect(body).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert opened.watched.violations() == []
    opened.show("review")
    expect(body).to_have_count(0)
