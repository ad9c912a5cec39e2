"""A backup comes back row for row, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gis.errors import InvalidInput, NotFound, StoreUnavailable
from gis.store import backup, cities, frames, migrate
from gis.store.cities import CityRow
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Store
from tests.support.databases import fresh_database
from tests.support.rows import fill

DIGESTS = {
    "incidents": "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM city.incidents t",
    "profiles": "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM city.profiles t",
    "results": "SELECT md5(string_agg(t::text, '' ORDER BY n)) FROM results.t",
}


@pytest.fixture
def elsewhere(cluster: Cluster) -> Iterator[Store]:
    with fresh_database(cluster) as url:
        store = Store(url)
        yield store
        store.close()


@pytest.fixture
def filled(store: Store, city: CityRow) -> Store:
    fill(store, city, "incidents", (incident(i) for i in range(500)))
    with store.transaction(city.scope, as_owner=True) as connection:
        connection.exec_driver_sql("CREATE TABLE results.t AS SELECT generate_series(1, 10) AS n")
    return store


def incident(i: int) -> dict[str, Any]:
    return {
        "occurred_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=i),
        "category": "theft",
        "origin": "import",
        "address": f"人民路 {i} 号\t\\N" if i % 2 else None,
        "location_withheld": i % 50 == 0,
        "geom": None if i % 50 == 0 else f"POINT ({120 + i / 7919} {31 + i / 6007})",
    }


def digests(store: Store) -> dict[str, object]:
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return {name: connection.exec_driver_sql(query).scalar() for name, query in DIGESTS.items()}


def test_a_backup_comes_back_row_for_row_in_an_empty_database(filled: Store, elsewhere: Store, tmp_path: Path) -> None:
    backup.backup(filled, tmp_path / "city.dump")
    backup.restore(elsewhere, tmp_path / "city.dump")
    assert digests(elsewhere) == digests(filled)
    assert None not in digests(elsewhere).values()
    assert migrate.current(elsewhere) == migrate.head()
    assert migrate.is_leakproof(elsewhere), "a dump loses the flag, the restore puts it back"
    row = cities.current(elsewhere)
    assert frames.read_frame(elsewhere, row, "incidents").equals(frames.read_frame(filled, row, "incidents"))


def test_a_restore_replaces_what_was_there(filled: Store, city: CityRow, tmp_path: Path) -> None:
    backup.backup(filled, tmp_path / "city.dump")
    before = digests(filled)
    with filled.transaction(city.scope, as_owner=True) as connection:
        connection.exec_driver_sql("DELETE FROM city.incidents WHERE city_id = %s", (city.id,))
        connection.exec_driver_sql("CREATE TABLE results.later AS SELECT 1 AS n")
    backup.restore(filled, tmp_path / "city.dump")
    assert digests(filled) == before
    with filled.transaction(NO_CITY, as_owner=True) as connection:
        assert connection.exec_driver_sql("SELECT to_regclass('results.later')").scalar() is None
    fill(filled, city, "incidents", [incident(1)])


def test_a_damaged_backup_changes_nothing(filled: Store, tmp_path: Path) -> None:
    whole = tmp_path / "city.dump"
    backup.backup(filled, whole)
    before = digests(filled)
    content = whole.read_bytes()
    for share in (0.3, 0.7, 0.95):
        damaged = tmp_path / "damaged.dump"
        damaged.write_bytes(content[: int(len(content) * share)])
        with pytest.raises((InvalidInput, StoreUnavailable)):
            backup.restore(filled, damaged)
        assert digests(filled) == before


def test_a_restore_that_meets_a_lock_changes_nothing(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "LOCK_WAIT", "200ms")
    backup.backup(filled, tmp_path / "city.dump")
    before = digests(filled)
    with filled.transaction(NO_CITY, as_owner=True) as busy:
        busy.exec_driver_sql("LOCK TABLE city.incidents IN SHARE MODE")
        with pytest.raises(StoreUnavailable, match=r"nothing has changed.*lock"):
            backup.restore(filled, tmp_path / "city.dump")
    assert digests(filled) == before


def test_files_that_are_no_backups_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="no backup"):
        backup.restore(store, tmp_path / "letter.txt")
    with pytest.raises(NotFound):
        backup.restore(store, tmp_path / "nothing.dump")
    with pytest.raises(NotFound):
        backup.backup(store, tmp_path / "nowhere" / "city.dump")


def test_a_backup_of_a_newer_wangge_is_refused(filled: Store, elsewhere: Store, tmp_path: Path) -> None:
    with filled.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("UPDATE city.schema_version SET version_num = '9999'")
    backup.backup(filled, tmp_path / "city.dump")
    with pytest.raises(InvalidInput, match="9999"):
        backup.restore(elsewhere, tmp_path / "city.dump")


def test_a_failed_backup_leaves_the_older_one(
    elsewhere: Store, filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "LOCK_WAIT", "200ms")
    path = tmp_path / "city.dump"
    path.write_text("older")
    with pytest.raises(InvalidInput, match="nothing to back up"):
        backup.backup(elsewhere, path)
    with filled.transaction(NO_CITY, as_owner=True) as busy:
        busy.exec_driver_sql("LOCK TABLE city.incidents IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable, match=r"backup failed.*LOCK TABLE"):
            backup.backup(filled, path)
    assert path.read_text() == "older"
    assert [file.name for file in tmp_path.iterdir()] == ["city.dump"]
    backup.backup(filled, path)
    assert path.stat().st_mode & 0o777 == 0o600
