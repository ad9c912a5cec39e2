"""One headless Chromium for a file of tests.

While Playwright runs, the main thread counts as inside its event loop, and no other test could run one of its own; so
it ends with the file.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

EXECUTABLE = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--no-first-run",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]
"""Draws WebGL in software, and asks nothing of the network by itself."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver of the browsers of a file."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser that draws WebGL."""
    launched = playwright.chromium.launch(executable_path=EXECUTABLE, args=FLAGS)
    yield launched
    launched.close()
