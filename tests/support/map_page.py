"""The map page as the tests see it: what it draws, what it asks for, what it complains of."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route

from tests.support.served import signed_in

PATIENCE_S = 60.0
AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"

TAKE_DEMO_ACCOUNT = """async (role) => (await fetch("/auth/demo", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ role }),
})).ok"""

PIXELS = """([x, y, width, height]) => new Promise((resolve) => {
  const { map } = window.wangge;
  map.once("render", () => {
    // Within the frame the drawing is still there to be read.
    const copy = document.createElement("canvas");
    const scale = map.getPixelRatio();
    Object.assign(copy, { width, height });
    const context = copy.getContext("2d");
    context.drawImage(map.getCanvas(), x * scale, y * scale, width * scale, height * scale, 0, 0, width, height);
    resolve(Array.from(context.getImageData(0, 0, width, height).data));
  });
  map.triggerRepaint();
})"""


class MapPage:
    """One open map page."""

    def __init__(self, page: Page, server: str) -> None:
        self.page = page
        self.server = server
        self.asked: list[str] = []
        self.foreign: list[str] = []
        self.complaints: list[str] = []

    def open(self, hash_: str = "", path: str = "/map") -> None:
        """Open a page with a map and wait until it is drawn."""
        self.page.goto(f"{self.server}{path}{hash_}")
        self.settle()

    def settle(self) -> None:
        """Wait until style and tiles are here and drawn."""
        self.until("window.wangge && window.wangge.map.loaded() && window.wangge.map.areTilesLoaded()")
        self.until("document.querySelector('.status-line').dataset.busy === 'false'")

    def until(self, condition: str, argument: object = None) -> None:
        """Wait until a JavaScript condition holds; polled, for the page forbids strings as code."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.page.evaluate(condition if argument is None else f"(a) => ({condition})", argument):
                return
            time.sleep(0.1)
        raise AssertionError(f"never came true: {condition}; the page says: {self.complaints}")

    def rendered(self, layer: str) -> list[dict[str, Any]]:
        """Return id and properties of the features of a layer that are drawn now."""
        return self.page.evaluate(
            """(layer) => window.wangge.map.queryRenderedFeatures()
                .filter((feature) => feature.layer.metadata?.["wangge:layer"] === layer)
                .map(({ id, properties }) => ({ id, properties }))""",
            layer,
        )

    def screen_point(self, lon: float, lat: float) -> tuple[float, float]:
        """Return where a place lies on the page, in pixels."""
        return tuple(
            self.page.evaluate(
                """([lon, lat]) => {
                  const { map } = window.wangge;
                  const { x, y } = map.project([lon, lat]);
                  const box = map.getCanvas().getBoundingClientRect();
                  return [box.left + x, box.top + y];
                }""",
                [lon, lat],
            )
        )

    def pixels(self) -> list[int]:
        """Return the red, green, blue and alpha of the middle of the map."""
        canvas = self.page.locator(".maplibregl-canvas").bounding_box()
        assert canvas
        width, height = 300, 300
        corner = [canvas["width"] / 2 - width / 2, canvas["height"] / 2 - height / 2]
        return self.page.evaluate(PIXELS, [*corner, width, height])

    def toggle_layer(self, layer: str) -> None:
        """Turn a layer's checkbox and wait for the map."""
        self.page.locator(f"[data-layer={layer}] input").click()
        self.settle()

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def open_service(self, service: str) -> None:
        """Open a service's form in the panel; where it is the only one, it is open already."""
        self.until("document.querySelector('#panel-services .service, #panel-services form') !== null")
        entry = self.page.locator(f"#panel-services [data-service={service}]")
        if entry.count():
            entry.click()
        self.page.locator("#panel-services form").wait_for()

    def close(self) -> None:
        """Close the page and its context."""
        self.page.context.close()


def sign_in(context: BrowserContext, server: str, role: str) -> None:
    """Let a browser be signed in: with a demo account, or by a token where the server is no demo."""
    said = signed_in(server, role)
    if "Cookie" not in said:
        context.set_extra_http_headers(said)
        return
    # The browser takes the cookies from the server itself; Playwright cannot put any of this name into it.
    page = context.new_page()
    page.goto(f"{server}/signin")
    assert page.evaluate(TAKE_DEMO_ACCOUNT, role)
    page.close()


def watched_page(browser: Browser, server: str, *, width: int, height: int, role: str = "analyst") -> MapPage:
    """Return a new page on which nothing may leave the machine and nothing goes unheard, with somebody signed in."""
    opened = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", locale="zh-CN")
    watched = MapPage(opened.new_page(), server)

    def route(route: Route, request: Request) -> None:
        if urlsplit(request.url).hostname == "127.0.0.1":
            watched.asked.append(request.url)
            route.continue_()
        else:
            watched.foreign.append(request.url)
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(message.text)

    sign_in(opened, server, role)
    opened.route("**/*", route)
    watched.page.on("console", hear)
    watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    return watched
