"""A database that is slow, cut off, silent, crowded or locked: 503 with a time to wait, and nothing is lost."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from api.cache import Cache, weigh_bytes
from gis.errors import StoreUnavailable
from gis.store import engine, patience, tiles
from gis.store.engine import NO_CITY, Store
from gis.store.settings import settings
from tests.api.conftest import CODES, Client, count, draft
from tests.support.desks import Desks
from tests.support.flaky import between

ROOM = 3
"""Connections of either kind."""
ITEMS = "/collections/grids/items"
TILE = "/collections/incidents/tiles/WebMercatorQuad/0/0/0"


@pytest.fixture
def network(store, planned, monkeypatch):
    """The network between a client's server and its database, and that client; neither waits long for an answer."""
    assert planned
    monkeypatch.setattr(patience, "ANSWER_S", 0.3)
    monkeypatch.setattr(patience.PatientConnection, "patience_s", 0.3)
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT_S", 1)
    monkeypatch.setattr(engine, "POOL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(tiles, "TILE_TIMEOUT_S", 0.5)
    monkeypatch.setenv("WANGGE_POOL_SIZE", str(ROOM))
    settings.cache_clear()
    with between(store.url) as (network, url):
        client = Client(Store(url))
        client._desks = Desks(store)
        for path in (ITEMS, TILE):
            assert client.get(path).status_code == 200
        yield network, client
        network.silent = network.refusing = False
        client.close()
    settings.cache_clear()


@contextmanager
def soon(what, after_s=0.1):
    """Do something while the block runs."""
    timer = threading.Timer(after_s, what)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def unavailable(answer):
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "application/problem+json"
    assert "postgresql" not in answer.text.lower()
    return True


def test_a_slow_network_changes_nothing_but_the_time(network):
    wire, client = network
    fast = client.json(ITEMS)["features"], client.get(f"{TILE}?category=theft").content
    wire.delay_s = 0.02
    client.app.state.cache = Cache(0, weigh_bytes)
    assert (client.json(ITEMS)["features"], client.get(f"{TILE}?category=theft").content) == fast


def test_a_connection_that_is_cut_is_a_503_and_the_next_request_has_another(network):
    wire, client = network
    for path in (ITEMS, "/plans", "/jobs"):
        wire.delay_s = 0.02
        with soon(wire.cut, 0.03):
            answer = client.get(path)
        # One that was idle when it was cut is found out by the pool, which makes another.
        assert answer.status_code == 200 or unavailable(answer)
        wire.delay_s = 0.0
        assert client.get(path).status_code == 200


@pytest.mark.asvs("16.5.2")
def test_a_database_that_refuses_everybody_is_a_503_until_it_no_longer_does(network):
    wire, client = network
    wire.refusing = True
    wire.cut()
    for path in (ITEMS, "/plans", "/readyz"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert client.get("/livez").status_code == 200
    wire.refusing = False
    for path in (ITEMS, "/plans", "/readyz"):
        assert client.get(path).status_code == 200


def test_a_silent_database_keeps_nobody_and_fills_no_pool(network):
    wire, client = network
    wire.silent = True
    unavailable(client.get("/plans"))
    unavailable(client.get(f"{TILE}?category=theft"))
    wire.silent = False
    for path in (ITEMS, "/plans", TILE):
        assert client.get(path).status_code == 200


@pytest.mark.asvs("1.4.3")
def test_no_connection_is_left_waiting_for_an_answer(network, store):
    """One more than a pool has room for fall silent, in both ways to the database; then both still have room."""
    wire, client = network
    behind = client.app.state.store

    def ask():
        with behind.transaction(NO_CITY, timeout_s=0.05) as connection:
            wire.silent = True
            connection.execute(sa.select(sa.literal(1)))

    async def read():
        async with behind.reading(NO_CITY, timeout_s=0.05) as connection:
            wire.silent = True
            await connection.fetchval("SELECT 1")

    for _ in range(ROOM + 1):
        wire.silent = False
        with pytest.raises(StoreUnavailable):
            ask()
        wire.silent = False
        with pytest.raises(StoreUnavailable):
            client._runner.run(read())
    wire.silent = False
    assert client.get(ITEMS).status_code == 200
    assert client.get("/plans").status_code == 200
    assert behind.engine.pool.checkedout() == 0
    assert store.engine.pool.checkedout() == 0


@pytest.mark.parametrize("fault", ["cut", "silent"])
def test_an_edit_that_a_fault_hits_is_done_once_or_not_at_all(network, planned, fault, monkeypatch):
    wire, client = network
    monkeypatch.setattr(patience, "ANSWER_S", 0.5 - engine.API_TIMEOUT_S)
    plan = draft(client)
    done = 0
    for turn in range(4):
        now = planned.json(f"/plans/{plan['id']}")["revision"]
        wire.delay_s = 0.02
        body = {"revision": now, "moves": {"b4": CODES[1 - done % 2]}}  # where it is not yet

        def spoil():
            if fault == "cut":
                wire.cut()
            else:
                wire.silent = True

        with soon(spoil, 0.05 + 0.05 * turn):
            answer = client("PATCH", f"/plans/{plan['id']}/assignment", json=body)
        wire.delay_s, wire.silent = 0.0, False
        wire.cut()
        assert answer.status_code in (200, 503), answer.text
        after = until_settled(planned, plan, now)
        assert after - now in ((1,) if answer.status_code == 200 else (0, 1))
        done += after - now
    assert len(planned.json(f"/plans/{plan['id']}/edits")["edits"]) == done


def until_settled(client, plan, revision):
    """Return the revision of a plan once nobody holds it any more."""
    for _ in range(60):
        answer = client("PATCH", f"/plans/{plan['id']}/workload", json={"revision": 10**6, "weights": {}})
        if answer.status_code != 503:
            break
    assert revision
    return client.json(f"/plans/{plan['id']}")["revision"]


def test_an_import_that_a_fault_hits_is_done_once_or_not_at_all(network, store, filled, tmp_path, monkeypatch):
    monkeypatch.setenv("WANGGE_DATA_DIR", str(tmp_path))
    settings.cache_clear()
    wire, client = network
    rows = "".join(f"n{i},2026-01-01T08:00:00+08:00,theft,120.6{i:03},31.29\n" for i in range(1, 900))
    file = {"file": ("a.csv", f"source_id,occurred_at,category,lon,lat\n{rows}".encode())}
    for after_s in (0.3, 0.9, 1.2):
        with soon(wire.cut, after_s):
            answer = client.post("/imports/incidents", files=file, data={"crs": "wgs84"})
        assert answer.status_code in (200, 201, 409, 503), answer.text
        assert count(store, filled, "incidents") in (250, 250 + 899)
    for _ in range(50):
        answer = client.post("/imports/incidents", files=file, data={"crs": "wgs84"})
        if answer.status_code in (200, 201):
            break
        assert answer.status_code in (409, 503), answer.text
    assert count(store, filled, "incidents") == 250 + 899
    settings.cache_clear()


def test_a_pool_without_room_is_a_503(network):
    _, client = network
    behind = client.app.state.store
    inside, out = threading.Barrier(ROOM + 1), threading.Event()

    def hold():
        with behind.transaction(NO_CITY):
            inside.wait()
            out.wait()

    threads = [threading.Thread(target=hold) for _ in range(ROOM)]
    for thread in threads:
        thread.start()
    inside.wait()
    try:
        unavailable(client.get("/plans"))
    finally:
        out.set()
        for thread in threads:
            thread.join()
    assert client.get("/plans").status_code == 200


def test_a_statement_beyond_its_limit_and_a_lock_of_somebody_else_are_a_503(served, store, city, monkeypatch):
    monkeypatch.setattr(tiles, "TILE_TIMEOUT_S", 0.4)
    with store.transaction(city.scope) as connection:
        connection.execute(sa.schema.DDL("LOCK TABLE city.incidents IN ACCESS EXCLUSIVE MODE"))
        unavailable(served.get("/collections/incidents/tiles/WebMercatorQuad/0/0/0"))
    assert served.get("/collections/incidents/tiles/WebMercatorQuad/0/0/0").status_code == 200


@pytest.mark.asvs("15.2.2")
def test_an_answer_that_does_not_begin_in_time_is_a_503(planned, store, city):
    hasty = Client(store, max_request_s=1.0)
    assert hasty.get("/plans").status_code == 200
    with store.transaction(city.scope) as connection:
        connection.execute(sa.schema.DDL("LOCK TABLE city.plans IN ACCESS EXCLUSIVE MODE"))
        late = hasty.get("/plans")
        assert unavailable(late)
        assert late.json()["detail"] == "the answer took too long"
        assert hasty.get("/livez").status_code == 200
    assert hasty.get("/plans").json() == planned.json("/plans")

    async def endless():
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    assert unavailable(hasty.post("/plans", content=endless()))
    hasty.close()
