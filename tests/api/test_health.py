"""What a monitor is told: each part by its name, and 503 where the server cannot serve."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from api import health
from gis import runs
from gis.store import jobs, migrate
from gis.store.engine import NO_CITY

PARTS = {"database", "extensions", "row_security", "spatial_index", "worker", "disk"}


def told(client, status):
    answer = client.get("/readyz")
    assert answer.status_code == status, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert ("retry-after" in answer.headers) == (status == 503)
    return answer.json()["status"], {name: check["good"] for name, check in answer.json()["checks"].items()}


def alter(store, statement):
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql(statement)


def test_a_server_without_a_worker_serves_and_says_so(served):
    status, parts = told(served, 200)
    assert (status, {name for name, good in parts.items() if not good}) == ("degraded", {"worker"})
    assert set(parts) == PARTS


def test_everything_is_well_with_a_worker(served, store):
    stop = threading.Event()
    thread = threading.Thread(target=runs.work, args=(store,), kwargs={"stop": stop})
    thread.start()
    try:
        while not jobs.has_worker(store):
            pass
        assert told(served, 200) == ("ok", dict.fromkeys(PARTS, True))
    finally:
        stop.set()
        thread.join()


@pytest.mark.asvs("16.5.2")
@pytest.mark.parametrize(
    ("statement", "part", "status"),
    [
        (f"ALTER FUNCTION {migrate.BOX_TEST} NOT LEAKPROOF", "spatial_index", 200),
        ("ALTER TABLE city.incidents NO FORCE ROW LEVEL SECURITY", "row_security", 503),
        ("DROP POLICY scope ON city.incidents", "row_security", 503),
        ("DROP EXTENSION btree_gist CASCADE", "extensions", 503),
        ("UPDATE city.schema_version SET version_num = '0001'", "database", 503),
    ],
)
def test_what_is_missing_is_named(served, store, statement, part, status):
    alter(store, statement)
    assert told(served, status)[1][part] is False
    if part not in ("database", "extensions"):
        migrate.ensure(store)
        assert told(served, 200)[1][part] is True


def test_a_full_disk_is_no_place_to_serve_from(served, monkeypatch):
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: SimpleNamespace(free=health.LEAST_DISK_BYTES - 1))
    assert told(served, 503)[1]["disk"] is False
