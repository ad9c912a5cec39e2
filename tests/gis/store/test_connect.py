"""The settings name the database; what is wrong with them is told in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gis.errors import StoreUnavailable
from gis.store import migrate
from gis.store.cluster import Cluster
from gis.store.connect import embedded_cluster, open_store
from gis.store.settings import settings
from tests.support.databases import kept_folder


@pytest.fixture(autouse=True)
def _settings_read_again() -> Iterator[None]:
    settings.cache_clear()
    embedded_cluster.cache_clear()
    yield
    settings.cache_clear()
    embedded_cluster.cache_clear()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with kept_folder() as path:
        monkeypatch.setenv("WANGGE_DATA_DIR", str(path))
        monkeypatch.delenv("WANGGE_DATABASE_URL", raising=False)
        yield path


def test_the_given_database_is_opened(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANGGE_DATABASE_URL", cluster.url.render_as_string(hide_password=False))
    store = open_store()
    assert migrate.current(store) is None
    store.close()


def test_without_one_the_embedded_cluster_is_started(folder: Path) -> None:
    store = open_store()
    assert Cluster(folder).status().state == "running"
    migrate.upgrade(store)
    assert migrate.current(store) == migrate.head()
    store.close()
    again = open_store()
    assert again.url == store.url
    assert migrate.current(again) == migrate.head()
    again.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://someone:secret@127.0.0.1:1/city", "someone.*127.0.0.1.*cannot be reached"),
        ("not an address", "not an address such as"),
    ],
)
def test_a_database_that_is_away_is_named_without_its_password(
    url: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANGGE_DATABASE_URL", url)
    with pytest.raises(StoreUnavailable, match=words) as refused:
        open_store()
    assert "secret" not in str(refused.value)
