"""Take the pictures of the README from a running server: ``python docs/screenshots.py http://127.0.0.1:8000``.

Nothing is retouched: what the pictures show is what `wangge demo` shows. They are written to ``docs/images``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

IMAGES: Final = Path(__file__).parent / "images"
FLAGS: Final = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PATIENCE_S: Final = 90.0
DRAWN: Final = """(() => {
  const sheet = document.querySelector('.sheet');
  if (sheet) return sheet.dataset.ready === 'true';
  const idle = window.wangge?.map.loaded() && document.querySelector('.status-line')?.dataset.busy === 'false';
  const answered = document.querySelector('.place') && !document.querySelector('.map-caption progress');
  const balanced = document.querySelectorAll('table tbody tr').length > 10;
  const swiped = document.querySelector('.swipe-current')?.dataset.drawn ?? 'true';
  const told = document.querySelector('.headline') && !document.querySelector('.map-caption progress');
  const listed = document.querySelector('.place, #panel-answer [data-stale=false] .halt');
  if (location.pathname.startsWith('/edit')) return idle && balanced && swiped === 'true';
  if (location.pathname === '/patrol/route') return idle && document.querySelector('.stop-marker');
  if (['/coverage', '/patrol'].includes(location.pathname)) return idle && told && listed;
  return idle && (location.pathname !== '/hotspots' || answered);
})()"""


class Picture(NamedTuple):
    """One picture: its name, the state of the page, its size, a panel to open first, and which page."""

    name: str
    state: str
    width: int = 1440
    height: int = 900
    panel: str | None = None
    path: str = "/map"


PICTURES: Final = (
    Picture("map-zh", "#lang=zh&theme=light"),
    Picture("map-en-dark", "#lang=en&theme=dark"),
    Picture("map-phone", "#lang=zh&theme=light", 390, 844, "layers"),
    Picture("hotspots-zh", "#lang=zh&theme=light&time=2026-01-01/2026-06-30&days=5-6&hours=16-23", path="/hotspots"),
    Picture("hotspots-en", "#lang=en&theme=dark&time=2025-07-01/2026-06-30&kinds=burglary", path="/hotspots"),
    Picture(
        "hotspots-change",
        "#lang=zh&theme=light&method=incident_density&time=2026-01-01/2026-06-30&with=year",
        path="/hotspots",
    ),
    Picture("hotspots-sheet", "#lang=zh&time=2026-01-01/2026-06-30&kinds=theft", 900, 1240, path="/print/hotspots"),
    Picture("coverage-zh", "#lang=zh&theme=light&within=1,2,3&plus=120.5672:31.3502", path="/coverage"),
    Picture("patrol-zh", "#lang=zh&theme=light&n=3&long=240", path="/patrol"),
    Picture("patrol-sheet", "#lang=zh&n=3&long=240", 900, 1240, path="/print/patrol"),
    Picture("edit-zh", "#lang=zh&theme=light", path="/edit/{plan}"),
    Picture("edit-swipe", "#lang=en&theme=dark&map=14.4/31.318/120.622&show=swipe&tint=moved", path="/edit/{plan}"),
)


SAY = """async ([method, path, body]) => {
  const csrf = /__Host-wangge-csrf=([^;]*)/.exec(document.cookie)[1];
  const headers = { "Content-Type": "application/json", "X-CSRF-Token": csrf };
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.text();
}"""


def wait_until_drawn(page: Page) -> None:
    """Return when every tile is on the map; TimeoutError after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not page.evaluate(DRAWN):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{page.url} was not drawn within {PATIENCE_S:.0f} s")
        time.sleep(0.2)


def desk(browser: Browser, server: str, role: str, *, width: int = 1280, height: int = 800) -> Page:
    """Return a page on which the demo account of a role is signed in."""
    size = ViewportSize(width=width, height=height)
    page = browser.new_context(viewport=size, reduced_motion="reduce", locale="zh-CN").new_page()
    page.goto(f"{server}/signin")
    page.locator(f"[data-role={role}]").click()
    page.wait_for_url("**/map**")
    return page


def draft(browser: Browser, server: str) -> int:
    """Return the number of a draft that has taken what the server proposes for the grids in force."""
    page = desk(browser, server, "planner")
    plan = json.loads(page.evaluate(SAY, ["POST", "/plans", {"title": "春季调整"}]))
    at = f"/plans/{plan['id']}"
    told = page.evaluate(SAY, ["POST", f"{at}/proposals", {"ways": ["fewest_moves"]}])
    (proposed,) = json.loads(told.splitlines()[-1])["alternatives"]
    moves = {
        "revision": plan["revision"],
        "moves": proposed["moves"],
        "grids": {
            **{grid["code"]: {"community_code": grid["community_code"]} for grid in proposed["grids"]},
            **dict.fromkeys(proposed["ended"]),
        },
        "action": "proposal",
    }
    page.evaluate(SAY, ["PATCH", f"{at}/assignment", moves])
    page.context.close()
    return int(plan["id"])


def take(browser: Browser, server: str, picture: Picture, plan: int) -> Path:
    """Take one picture and return where it was written."""
    role = "planner" if picture.path.startswith("/edit") else "analyst"
    page = desk(browser, server, role, width=picture.width, height=picture.height)
    page.goto(f"{server}{picture.path.format(plan=plan)}{picture.state}")
    wait_until_drawn(page)
    if picture.panel:
        page.locator(f".panel-bar [aria-controls=panel-{picture.panel}]").click()
        page.locator(f"#panel-{picture.panel}").wait_for()
    wait_until_drawn(page)
    path = IMAGES / f"{picture.name}.png"
    page.screenshot(path=path)
    page.context.close()
    return path


def main(server: str) -> None:
    """Take every picture of a running server."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        plan = draft(browser, server.rstrip("/"))
        for picture in PICTURES:
            print(take(browser, server.rstrip("/"), picture, plan))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000")
