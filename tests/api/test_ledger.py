"""The server's hand in the audit log: rows written together, and counts that wait for it."""

import asyncio
import json

import sqlalchemy as sa

from api.ledger import Ledger
from gis.store import audit
from gis.store.audit import Asker, Entry, Trail


def test_rows_that_wait_together_are_written_together(store):
    ledger = Ledger(store)

    async def write(count):
        await asyncio.gather(*(ledger.write(Entry("view", f"x/{n}"), Trail(Asker("officer", n))) for n in range(count)))

    with asyncio.Runner() as runner:
        runner.run(write(60))
    written = audit.read(store)
    assert {row.object for row in written} == {f"x/{n}" for n in range(60)}
    assert all(row.account_id == int(row.object.split("/")[1]) for row in written), "each on its own asker's behalf"
    assert audit.verify(store).is_whole


def test_a_row_that_cannot_be_written_is_nobody_elses(store):
    ledger = Ledger(store)
    entries = [
        Entry("view", "collections/grids/items"),
        Entry("retention", "x"),  # which the log takes from nobody
        Entry("denied", "admin/users/\x00\ud800"),
        Entry("view", "collections/posts/items"),
    ]

    async def write():
        waiting = (ledger.write(entry, Trail(Asker("officer", 1))) for entry in entries)
        return await asyncio.gather(*waiting, return_exceptions=True)

    with asyncio.Runner() as runner:
        said = runner.run(write())
    assert [error is None for error in said] == [True, False, True, True]
    assert {row.object for row in audit.read(store)} == {
        "collections/grids/items",
        "collections/posts/items",
        "admin/users/\ufffd?",
    }
    assert audit.verify(store).is_whole


def test_counts_outlast_whatever_the_database_says(store):
    ledger = Ledger(store)
    engine = sa.create_engine(store.url)

    def rename(before, after):
        with engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER FUNCTION audit.{before} RENAME TO {after}")

    with asyncio.Runner() as runner:
        ledger.count(Entry("view", "collections/grids/tiles", 1), Trail(Asker("officer", 1)))
        rename("append", "gone")
        runner.run(ledger._flush_or_say())
        rename("gone", "append")
        runner.run(ledger._flush_or_say())
    engine.dispose()
    assert [json.loads(row.detail)["requests"] for row in audit.read(store)] == [1]
