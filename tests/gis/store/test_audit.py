"""The log can only be added to, and whatever else is done to it shows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InvalidInput, StoreUnavailable
from gis.store import audit
from gis.store.audit import Anchor, Asker, Entry, Fault, Row, asking
from gis.store.engine import NO_CITY, Store
from gis.store.settings import settings

DESK = Asker("analyst", 7, "night-desk", (3, 4), "r1", "evaluation of 2025")


def fill(store: Store, count: int) -> list[Row]:
    """Write so many rows, and return the chain."""
    with asking(DESK):
        for number in range(count):
            audit.record(store, Entry("view", f"collections/layer{number % 3}", 1, rows_count=number))
    return chain(store)


def chain(store: Store) -> list[Row]:
    """Return all rows in their order."""
    return list(reversed(audit.read(store, limit=100_000)))


def as_owner(store: Store, statement: str, **values: object) -> None:
    """Do what only somebody who owns the database can: go round the triggers."""
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit.entries DISABLE TRIGGER ALL")
        connection.execute(sa.text(statement), values)
        connection.exec_driver_sql("ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER no_update")
        connection.exec_driver_sql("ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER no_delete")
    engine.dispose()


def anchor_of(row: Row) -> Anchor:
    return Anchor(row.seq, row.hash, row.at)


def kinds(report: audit.Report) -> list[tuple[str, int]]:
    return [(fault.kind, fault.seq) for fault in report.faults]


def rewritten(rows: list[Row], first: int, **changes: object) -> list[Row]:
    """Return a chain that holds together and says something else from row `first` on."""
    made = rows[: first - 1]
    for row in rows[first - 1 :]:
        changed = dataclasses.replace(row, **(changes if row.seq == first else {}))
        changed = dataclasses.replace(changed, previous=made[-1].hash if made else audit.GENESIS)
        made.append(dataclasses.replace(changed, hash=audit.digest(changed)))
    return made


def put_back(store: Store, rows: list[Row]) -> None:
    as_owner(store, "DELETE FROM audit.entries WHERE seq >= :first", first=rows[0].seq)
    names = [column.name for column in dataclasses.fields(Row)]
    values = [{**dataclasses.asdict(row), "areas": None if row.areas is None else list(row.areas)} for row in rows]
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        places = ", ".join(f":{name}" for name in names)
        connection.execute(sa.text(f"INSERT INTO audit.entries ({', '.join(names)}) VALUES ({places})"), values)
    engine.dispose()


@pytest.mark.asvs("16.2.1")
def test_a_row_says_who_did_what_to_what(store: Store) -> None:
    with asking(DESK) as trail:
        audit.record(
            store,
            Entry("export", "collections/rentals", 2, audit.rounded((120.617, 31.284, 120.62, 31.29)), "rooms_count >",
                  12, {"b": 1, "a": "房"}),
        )  # fmt: skip
    assert trail.written == 1
    (row,) = chain(store)
    assert row.seq == 1
    assert row.previous == audit.GENESIS
    assert abs((dt.datetime.now(dt.UTC) - row.at).total_seconds()) < 60
    told = (row.account_id, row.account, row.role, row.areas, row.request_id, row.purpose)
    assert told == (7, "night-desk", "analyst", (3, 4), "r1", "evaluation of 2025")
    assert (row.action, row.object, row.city_id, row.rows_count) == ("export", "collections/rentals", 2, 12)
    assert (row.bbox, row.filter) == ("120.61,31.28,120.62,31.29", "rooms_count >")
    assert row.detail == '{"a":"房","b":1}'


@pytest.mark.asvs("11.4.3", "16.4.2")
def test_audit_chain(store: Store) -> None:
    """An edit, a deletion, a cut tail and a rewritten chain are each found; the last two by the anchor alone."""
    rows = fill(store, 12)
    anchors = [anchor_of(rows[5]), anchor_of(rows[-1])]
    whole = audit.verify(store, anchors)
    assert whole.is_whole
    assert (whole.rows_count, whole.first, whole.last, whole.anchors_count) == (12, 1, 12, 2)

    as_owner(store, "UPDATE audit.entries SET rows_count = 700 WHERE seq = 7")
    assert kinds(audit.verify(store)) == [("hash", 7)]
    part = audit.verify(store, anchors, newest=5)
    assert part.is_whole, "what is before is not looked at"
    assert (part.rows_count, part.first, part.anchors_count) == (5, 8, 1)
    as_owner(store, "UPDATE audit.entries SET rows_count = 6 WHERE seq = 7")
    assert audit.verify(store, anchors).is_whole

    as_owner(store, "DELETE FROM audit.entries WHERE seq = 4")
    assert kinds(audit.verify(store)) == [("gap", 5)]
    put_back(store, rows)

    as_owner(store, "DELETE FROM audit.entries WHERE seq > 9")
    assert audit.verify(store).is_whole, "a chain does not know its own end"
    assert kinds(audit.verify(store, anchors)) == [("tail", 12)]
    put_back(store, rows)

    put_back(store, rewritten(rows, 3, account="somebody-else"))
    assert audit.verify(store).is_whole, "it holds together"
    assert kinds(audit.verify(store, anchors)) == [("rewritten", 6), ("rewritten", 12)]
    put_back(store, rows)

    as_owner(store, "DELETE FROM audit.entries WHERE seq < 3")
    assert kinds(audit.verify(store)) == [("beginning", 3)]
    as_owner(store, "DELETE FROM audit.entries")
    assert kinds(audit.verify(store, anchors)) == [("tail", 6), ("tail", 12)]


def test_a_row_that_follows_another_one_is_a_broken_link(store: Store) -> None:
    rows = fill(store, 3)
    second = dataclasses.replace(rows[1], previous=bytes(range(32)))
    second = dataclasses.replace(second, hash=audit.digest(second))
    assert audit.check([rows[0], second, rows[2]]).faults == (Fault("link", 2), Fault("link", 3))


def test_python_and_the_database_compute_the_same(store: Store) -> None:
    """The rows were hashed by the database; Python does it again from what it reads."""
    texts = ["", "-", "3:abc", "网格 🚓", "a\nb", "'\"\\", "x" * 300]
    for text in texts:
        with asking(Asker("r" + text[:20], None, text or None, (), text[:90], text[:150] or None)):
            audit.record(
                store, Entry("view", text or "x", None, filter=text or None, detail={"t": text, "n": [1, None]})
            )
    for row in chain(store):
        assert audit.digest(row) == row.hash
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        again = connection.exec_driver_sql("SELECT bool_and(audit.digest(e) = e.hash), count(*) FROM audit.entries e")
        assert tuple(again.one()) == (True, len(texts))
    engine.dispose()


@given(st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=4, max_size=4, unique=False), st.data())
def test_no_two_rows_have_the_same_text(values: list[str | None], data: st.DataObject) -> None:
    """What stands in one column cannot be moved into the next one."""
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def row(given: list[str | None]) -> Row:
        bbox, filter_, purpose, request = given
        return Row(1, at, None, None, "r", "a", "o", None, None, bbox, filter_, None, purpose, request, "{}",
                   audit.GENESIS, audit.GENESIS)  # fmt: skip

    other = data.draw(st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=4, max_size=4))
    assert (audit.digest(row(values)) == audit.digest(row(other))) == (values == other)


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.entries SET role = 'x' WHERE seq = 1",
        "UPDATE audit.entries SET role = 'x' WHERE false",
        "DELETE FROM audit.entries WHERE seq = 2",
        "DELETE FROM audit.entries",
        "TRUNCATE audit.entries",
        "SELECT audit.append(1, 'a', 'r', 'retention', 'audit', 1, NULL, NULL, NULL, 0, NULL, NULL, '{\"up_to\": 9}')",
    ],
)
@pytest.mark.parametrize("replica", [False, True])
def test_the_owner_too_can_only_add(store: Store, statement: str, replica: bool) -> None:  # noqa: FBT001
    before = fill(store, 3)
    engine = sa.create_engine(store.url)
    with pytest.raises(sa.exc.DBAPIError, match=r"only added to|audit\.retain alone"), engine.begin() as connection:  # noqa: PT012
        if replica:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert chain(store) == before


def test_what_fails_leaves_no_row_and_no_gap(store: Store) -> None:
    fill(store, 2)

    def fail() -> None:
        with store.transaction(NO_CITY, as_owner=True) as connection:
            audit.record(connection, Entry("change", "plans/1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    fill(store, 1)
    assert [row.seq for row in chain(store)] == [1, 2, 3]
    assert audit.verify(store).is_whole


def test_a_reading_transaction_reads_and_cannot_write(store: Store) -> None:
    fill(store, 1)
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection, pytest.raises(sa.exc.DBAPIError):
        audit.record(connection, Entry("view", "x"))
    assert len(audit.read(store)) == 1


def test_eight_writers_make_one_chain(store: Store) -> None:
    def write(number: int) -> None:
        mine = Store(store.url)
        with asking(Asker("analyst", number, f"desk-{number}")):
            for _ in range(50):
                audit.record(mine, Entry("view", "collections/grids"))
        mine.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = chain(store)
    assert [row.seq for row in rows] == list(range(1, 401))
    assert {row.account for row in rows} == {f"desk-{number}" for number in range(8)}
    assert audit.verify(store).is_whole
    assert sorted(rows, key=lambda row: row.at) == rows


WRITER = """
import sys
from gis.store import audit
from gis.store.engine import Store
store = Store(sys.argv[1])
for number in range(100_000):
    audit.record(store, audit.Entry("view", f"x/{number}"))
    print(number, flush=True)
"""


@pytest.mark.chaos
def test_a_killed_writer_loses_nothing_it_was_told_of(store: Store) -> None:
    told = 0
    for seed in range(3):
        command = [sys.executable, "-c", WRITER, store.url.render_as_string(hide_password=False)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            heard = 0
            end = 5 + random.Random(seed).randrange(40)  # noqa: S311 - when to kill
            for _ in process.stdout:
                heard += 1
                if heard == end:
                    os.kill(process.pid, signal.SIGKILL)
            told += heard
    time.sleep(0.5)
    report = audit.verify(store)
    assert report.is_whole
    assert told <= report.rows_count <= told + 3, "each was killed between two rows, or with one that nobody heard of"


def test_reading_goes_by_time_actor_action_city_and_area(store: Store) -> None:
    for number, (areas, action) in enumerate([(None, "view"), ((1, 2), "view"), ((2,), "export"), ((), "sign_in")]):
        with asking(Asker("analyst", number, f"desk-{number}", areas)):
            audit.record(store, Entry(action, "x", None if action == "sign_in" else 5))
    rows = chain(store)

    def found(**more: object) -> list[int]:
        return [row.seq for row in audit.read(store, **more)]

    assert found() == [4, 3, 2, 1]
    assert found(limit=2) == [4, 3]
    assert found(before=3, limit=2) == [2, 1]
    assert found(actions=["view", "export"]) == [3, 2, 1]
    assert found(actor="desk-1") == [2]
    assert found(city_id=5) == [3, 2, 1]
    assert found(city_id=5, areas=[1, 2, 9]) == [3, 2], "what was done in all of the city is not theirs to see"
    assert found(city_id=5, areas=[2]) == [3]
    assert found(since=rows[2].at) == [4, 3]
    assert found(until=rows[2].at) == [2, 1]


def old_chain(months: float, count: int = 6) -> list[Row]:
    """Return a chain whose rows are a month apart from one another, the last one so many months old."""
    end = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=30.5 * months)
    made: list[Row] = []
    for seq in range(1, count + 1):
        at, before = end - dt.timedelta(days=30.5 * (count - seq)), made[-1].hash if made else audit.GENESIS
        row = Row(seq, at, 7, "old-desk", "analyst", "view", "x", 1, None, None, None, 3, None, "r", "{}", before, b"")
        made.append(dataclasses.replace(row, hash=audit.digest(row)))
    return made


def test_what_is_old_enough_goes_from_the_front_alone(store: Store) -> None:
    rows = old_chain(4.5)
    put_back(store, rows)
    assert audit.verify(store).is_whole
    with pytest.raises(InvalidInput, match=r"Art\. 21"):
        audit.retain(store, months=5)
    with asking(Asker("console")):
        assert audit.retain(store, months=6) == 4
    kept = chain(store)
    assert [row.seq for row in kept] == [5, 6, 7]
    told = kept[-1]
    assert (told.action, told.role, told.rows_count) == ("retention", "console", 4)
    assert json.loads(told.detail) == {"up_to": 4, "hash": rows[3].hash.hex()}
    report = audit.verify(store, [anchor_of(rows[1]), anchor_of(rows[4])])
    assert report.is_whole
    assert report.anchors_count == 1, "of what has gone there is nothing to compare"
    assert audit.retain(store, months=6) == 0
    as_owner(store, "DELETE FROM audit.entries WHERE seq = 5")
    assert kinds(audit.verify(store)) == [("beginning", 6)]


def test_all_rows_may_be_old(store: Store) -> None:
    put_back(store, old_chain(9))
    assert audit.retain(store, months=6) == 6
    assert [row.action for row in chain(store)] == ["retention"]
    assert audit.verify(store).is_whole
    fill(store, 2)
    assert audit.verify(store).is_whole


@pytest.fixture
def anchor_file(tmp_path, monkeypatch) -> Iterator:
    """Where anchors are kept, for this test; the machine's settings are read anew."""
    path = tmp_path / "elsewhere" / "anchors"
    monkeypatch.setenv("WANGGE_AUDIT_ANCHOR", str(path))
    settings.cache_clear()
    yield path
    settings.cache_clear()


@pytest.mark.asvs("16.4.3")
def test_the_end_is_kept_outside_once_an_hour(store: Store, anchor_file) -> None:
    rows = fill(store, 2)
    assert audit.anchor_hourly(store)
    assert not audit.anchor_hourly(store)
    assert stat.S_IMODE(anchor_file.stat().st_mode) == 0o600
    hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    line = json.loads(anchor_file.read_text())
    anchor_file.write_text(json.dumps({**line, "time": hour_ago.isoformat()}) + "\n")
    os.utime(anchor_file, (hour_ago.timestamp(),) * 2)
    rows = fill(store, 1)
    assert audit.anchor_hourly(store)
    first, second = audit.anchors_of(anchor_file)
    assert (first.seq, second.seq) == (2, 3)
    assert second.hash == rows[2].hash
    assert audit.verify(store, [first, second]).is_whole
    as_owner(store, "DELETE FROM audit.entries WHERE seq = 3")
    assert kinds(audit.verify(store, [first, second])) == [("tail", 3)]


def test_an_end_that_cannot_be_kept_is_said_so(store: Store, anchor_file) -> None:
    anchor_file.parent.write_text("no folder")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        audit.anchor_hourly(store)


def test_signed_anchors_show_who_wrote_them(store: Store, anchor_file, monkeypatch) -> None:
    monkeypatch.setenv("WANGGE_AUDIT_ANCHOR_KEY", "a secret of the house")
    settings.cache_clear()
    rows = fill(store, 3)
    lines, before = [], ""
    for row in rows:
        lines.append(audit.anchored(anchor_of(row), before=before))
        before = json.loads(lines[-1])["mac"]
    assert [anchor.seq for anchor in audit.read_anchors(lines)] == [1, 2, 3]
    for wrong in ([*lines[:1], *lines[2:]], [lines[0], lines[1].replace('"sequence": 2', '"sequence": 1'), lines[2]]):
        with pytest.raises(InvalidInput) as refused:
            audit.read_anchors(wrong)
        assert "line 2" in str(refused.value)
    monkeypatch.setenv("WANGGE_AUDIT_ANCHOR_KEY", "another")
    settings.cache_clear()
    with pytest.raises(InvalidInput) as refused:
        audit.read_anchors([*lines, "{", "[]"])
    assert len(refused.value.problems) == 5
    assert anchor_file


def test_a_log_that_is_away_is_said_so(store: Store) -> None:
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(33627154661962081)")
        with pytest.raises(StoreUnavailable):
            audit.record(store, Entry("view", "x"))
    engine.dispose()
    audit.record(store, Entry("view", "x"))


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ((120.61, 31.28, 120.62, 31.29), "120.61,31.28,120.62,31.29"),
        ((-0.005, -0.005, 0.0, 0.001), "-0.01,-0.01,0.00,0.01"),
        ((179.999, 1.0, -179.999, 1.001), "179.99,1.00,-179.99,1.01"),
        (None, None),
    ],
)
def test_boxes_are_kept_to_a_kilometre(bounds: tuple[float, float, float, float] | None, text: str | None) -> None:
    assert audit.rounded(bounds) == text
