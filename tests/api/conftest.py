"""A server on a real PostGIS, a small city in it, and a client that speaks HTTP to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from api.app import create_app
from api.cli import app
from api.ledger import FLUSH_S
from api.purpose import HEADER
from api.settings import ServerSettings
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities, jobs
from gis.store.cities import CityRow
from gis.store.cluster import Cluster
from gis.store.engine import Store
from gis.store.settings import settings
from gis.store.tables import FRAME_TABLES
from tests.support.databases import fresh_database
from tests.support.desks import Desks, role_for
from tests.support.rows import fill

HOME = "http://127.0.0.1:8000"
WEST, SOUTH = 120.60, 31.28
START = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
CATEGORIES = ("theft", "burglary", "assault")
CODES = [f"32050800100{i:04d}" for i in range(4)]
"""Of the grids of the test city."""


class Client:
    """Requests to the application, without a socket.

    Each is made in a role: the one that is said, else one that the matrix lets in.
    """

    def __init__(self, store: Store, **limits: Any) -> None:
        self._runner = asyncio.Runner()
        self.app = create_app(store, ServerSettings(**limits))
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url=HOME)
        self._desks = Desks(store)
        self._flushed = time.monotonic()

    def __call__(
        self, method: str, path: str, *, role: str | None = None, headers: Any = None, **more: Any
    ) -> httpx.Response:
        mine = self._desks.headers(role or role_for(method, path))
        said = {**mine, HEADER: "tests", **(headers or {})}
        if time.monotonic() - self._flushed > FLUSH_S:
            # No lifespan runs here; without its flush, a file of tests that takes minutes finds the log overdue.
            self._runner.run(self.app.state.ledger.flush())
            self._flushed = time.monotonic()
        return self._runner.run(self._http.request(method, path, headers=said, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self("POST", path, **more)

    def json(self, path: str, **more: Any) -> Any:
        """Return the JSON of a page that must be there."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def forget(self) -> None:
        """Let the server look at the database again at once, not within a second."""
        self.app.state.watch.forget()

    def close(self) -> None:
        self._runner.run(self.app.state.store.aclose())
        self._runner.close()


def square(column: int, row: int, size: float = 0.01) -> str:
    """Return one cell of a chessboard over the test city."""
    w, s = WEST + column * size, SOUTH + row * size
    e, n = w + size, s + size
    return f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"


def populate(store: Store, city: CityRow) -> None:
    """Put four grids into a city, and 250 incidents in them, one every six hours."""
    fill(
        store,
        city,
        "grids",
        [
            {
                "source_id": f"g{i}",
                "code": f"32050800100{i:04d}",
                "kind": "comprehensive",
                "name_zh": f"第{i}网格",
                "valid_from": dt.date(2020, 1, 1),
                "geom": square(i % 2, i // 2),
            }
            for i in range(4)
        ],
    )
    fill(
        store,
        city,
        "incidents",
        [
            {
                "source_id": f"i{i}",
                "occurred_at": START + dt.timedelta(hours=6 * i),
                "category": CATEGORIES[i % 3],
                "origin": "public_report",
                "location_withheld": False,
                "geom": f"POINT({WEST + 0.02 * (i % 25) / 25 + 1e-4} {SOUTH + 0.02 * (i // 25) / 10 + 1e-4})",
            }
            for i in range(250)
        ],
    )


@pytest.fixture
def filled(store: Store, city: CityRow) -> CityRow:
    """A city with data."""
    populate(store, city)
    return city


@pytest.fixture(scope="session")
def shared(cluster: Cluster, template: str) -> Iterator[Client]:
    """A client of one server for all tests that only read; whoever changes anything takes `served`."""
    with fresh_database(cluster, template) as url:
        store = Store(url)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        populate(store, cities.create(store, profile))
        jobs.ensure_queue(store)
        client = Client(store)
        yield client
        client.close()


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    """A client of a server on this test's database."""
    jobs.ensure_queue(store)
    client = Client(store)
    yield client
    client.close()


@pytest.fixture
def served(filled: CityRow, client: Client) -> Client:
    """A client of a server whose city has data."""
    del filled
    return client


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Uploads of a test go into a folder of its own."""
    monkeypatch.setenv("WANGGE_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def wangge(store, tmp_path, monkeypatch):
    """Run a command on this test's database; it must end without a traceback."""
    jobs.ensure_queue(store)
    address = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("WANGGE_DATABASE_URL", address)
    monkeypatch.setenv("WANGGE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("WANGGE_DEBUG", raising=False)
    settings.cache_clear()

    def run(*words, code=0, answer=None):
        result = CliRunner().invoke(app, [str(word) for word in words], input=answer)
        assert "Traceback" not in result.output
        assert result.exit_code == code, result.output
        return result.output

    yield run
    settings.cache_clear()


def count(store: Store, city: CityRow, frame: str) -> int:
    """Return how many rows of a frame the database holds."""
    with store.transaction(city.scope, read_only=True) as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(FRAME_TABLES[frame])) or 0)


@pytest.fixture
def blocks(filled, store, city):
    """A city whose four grids have a block each, and one more block below them."""
    assert filled == city
    return fill(
        store,
        city,
        "blocks",
        [
            {"code": f"b{i}", "grid_code": CODES[i], "households_count": 100, "geom": square(i % 2, i // 2)}
            for i in range(4)
        ]
        + [{"code": "b4", "grid_code": CODES[0], "households_count": 50, "geom": square(0, -1)}],
    )


@pytest.fixture
def planned(served, blocks):
    """The server of that city."""
    assert len(blocks) == 5
    return served


def draft(client, **more):
    """Write down a draft, and return it."""
    answer = client.post("/plans", json={"title": "调整", **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/plans/{answer.json()['id']}"
    return answer.json()


def say(client, plan, what, desk=None, method="POST", **body):
    """Change a plan as it is now, and return it as it is then."""
    answer = client(
        method,
        f"/plans/{plan['id']}/{what}",
        json={"revision": plan["revision"], **body},
        role=desk,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()
