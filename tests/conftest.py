"""Fixtures of every test: the real data, a private PostGIS, a migrated database, a small city in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities
from gis.store.cities import CityRow
from gis.store.cluster import Cluster
from gis.store.engine import Store
from tests.support.browser import browser, playwright
from tests.support.databases import fresh_database, make_template, started_cluster

PROJECT = Path(__file__).parents[1]
BROWSER = "tests/e2e/"
LONGEST = (BROWSER, "tests/notebooks/")

__all__ = ["browser", "playwright"]

# A property is about what comes out, not how fast: a busy machine must not break it.
settings.register_profile("wangge", deadline=None)
settings.load_profile("wangge")


class ByServer(LoadFileScheduling):
    """Keeps a file's tests in one process, and those of the browser in one together: they share a server and a city."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes in one process, so that it is not the last to end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByServer:
    """Spread the tests over the processes by what they share."""
    return ByServer(config, log)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data, which is no part of the repository."""
    folder = Path(os.environ.get("WANGGE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; WANGGE_SHARED_DATA names another folder")
    return folder


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostGIS of this test run alone; fast, not durable."""
    with started_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """The name of a database of the newest schema, to copy from."""
    return make_template(cluster)


@pytest.fixture
def store(cluster: Cluster, template: str) -> Iterator[Store]:
    """A database of the newest schema for this test alone."""
    with fresh_database(cluster, template) as url:
        store = Store(url)
        yield store
        store.close()


@pytest.fixture
def city(store: Store) -> CityRow:
    """A small city that measures in metres and lives by the clock of Shanghai."""
    profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
    return cities.create(store, profile)
