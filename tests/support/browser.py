"""One headless Chromium for a test run: Playwright starts only once in a process."""

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


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """The driver of every browser of this run."""
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser that draws WebGL."""
    launched = playwright.chromium.launch(executable_path=EXECUTABLE, args=FLAGS)
    yield launched
    launched.close()
