"""The real server on the demo city, and a browser whose every request and complaint is watched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.databases import kept_folder
from tests.support.editor_page import Editor, OpenEditor, send
from tests.support.map_page import MapPage, watched_page
from tests.support.served import served


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of `wangge demo`: the demo city, its default runs, a worker."""
    with kept_folder() as folder:
        command = [sys.executable, "-m", "api.cli", "demo"]
        with served(command, environment={"WANGGE_DATA_DIR": str(folder)}, log=folder / "demo.log") as address:
            yield address


@pytest.fixture
def map_page(browser: Browser, server: str) -> Iterator[Callable[..., MapPage]]:
    """Open a page with a map at a hash; whatever it complains of, or asks of another machine, fails the test."""
    opened: list[MapPage] = []

    def open_map(
        hash_: str = "", *, path: str = "/map", width: int = 1280, height: int = 800, role: str | None = None
    ) -> MapPage:
        usual = "planner" if path.startswith("/edit") else "analyst"
        page = watched_page(browser, server, width=width, height=height, role=role or usual)
        opened.append(page)
        page.open(hash_, path)
        return page

    yield open_map
    for page in opened:
        page.close()
        assert page.foreign == []
        assert page.complaints == []


@pytest.fixture
def editor(map_page: Callable[..., MapPage], server: str) -> OpenEditor:
    """Open a new draft in the planner's workspace."""

    def open_draft(*, choices: dict[str, str] | None = None, width: int = 1280, height: int = 800) -> Editor:
        plan = send(server, "POST", "/plans", {"title": "草案"})["id"]
        named = {"lang": "zh", "theme": "light", **(choices or {})}
        hash_ = "#" + "&".join(f"{name}={value}" for name, value in named.items())
        return Editor(map_page(hash_, path=f"/edit/{plan}", width=width, height=height), plan)

    return open_draft


@pytest.fixture
def stormy(browser: Browser, server: str) -> Iterator[Editor]:
    """A draft on a page that may complain: of refusals and of a network that is down."""
    plan = send(server, "POST", "/plans", {"title": "同时修改"})["id"]
    watched = watched_page(browser, server, width=1280, height=800, role="planner")
    watched.open("#lang=zh&theme=light", f"/edit/{plan}")
    yield Editor(watched, plan)
    watched.close()
    assert watched.foreign == []
    assert all("Failed to load resource" in complaint for complaint in watched.complaints)
