"""A change in any process is told to all others when it is committed, and only then."""

import asyncio
import time

import pytest
import sqlalchemy as sa

from api.watch import Watch
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import changes, cities, frames
from gis.store.engine import Store

WAIT_S = 10


class Ears:
    """Counts what it hears."""

    def __init__(self):
        self.count = 0
        self._news = asyncio.Event()

    def __call__(self):
        self.count += 1
        self._news.set()

    async def more_than(self, count):
        async with asyncio.timeout(WAIT_S):
            while self.count <= count:
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def other(store):
    """The same database, as another process has it."""
    other = Store(store.url)
    yield other
    other.close()


def raise_version(store, city):
    with store.transaction(city.scope) as connection:
        frames.raise_version(connection, city.id, "incidents")


def raise_version_and_fail(store, city):
    with store.transaction(city.scope) as connection:
        frames.raise_version(connection, city.id, "incidents")
        raise ZeroDivisionError


def test_a_commit_is_heard_and_a_rollback_is_not(store, other, city):
    async def story():
        ears = Ears()
        async with changes.heard(store, ears):
            await ears.more_than(0)
            with pytest.raises(ZeroDivisionError):
                raise_version_and_fail(other, city)
            with other.transaction(city.scope) as connection:
                frames.raise_version(connection, city.id, "incidents")
                frames.raise_version(connection, city.id, "rentals")
                await asyncio.sleep(0.2)
                assert ears.count == 1
            await ears.more_than(1)
            cities.create(other, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))
            await ears.more_than(2)
            await asyncio.sleep(0.2)
            assert ears.count == 3

    asyncio.run(story())


def test_who_could_not_hear_for_a_while_forgets_everything(store, other, city, monkeypatch):
    monkeypatch.setattr(changes, "AGAIN_S", 0.01)

    async def story():
        ears = Ears()
        async with changes.heard(store, ears):
            await ears.more_than(0)
            with store.transaction(city.scope, as_owner=True) as connection:
                connection.execute(
                    sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"),
                    {"name": "wangge, listening"},
                )
            await ears.more_than(2)  # when it was lost, and when there was one again
            before = ears.count
            raise_version(other, city)
            await ears.more_than(before)

    asyncio.run(story())


def test_what_another_process_committed_is_seen_at_once(store, other, city, monkeypatch):
    monkeypatch.setattr("api.watch.FRESH_S", 3600.0)  # it would last for an hour, if nobody told

    async def story():
        watch, ears = Watch(store), Ears()

        def hear():
            watch.forget()
            ears()

        async with changes.heard(store, hear):
            await ears.more_than(0)
            stale = 0
            for round_ in range(20):
                assert (await watch.moment()).versions["incidents"] == round_
                before = ears.count
                raise_version(other, city)
                await ears.more_than(before)
                stale += (await watch.moment()).versions["incidents"] != round_ + 1
            assert stale == 0

    asyncio.run(story())


def test_a_change_during_a_look_is_not_looked_over(store, other, city, monkeypatch):
    """A look that began before the commit is no answer to who asks after it."""
    looks = []

    def slow(store):
        found = original(store)
        looks.append(found)
        if len(looks) == 1:
            raise_version(other, city)
            time.sleep(0.1)
        return found

    from api import watch as module

    original = module.look
    monkeypatch.setattr(module, "look", slow)
    monkeypatch.setattr(module, "FRESH_S", 3600.0)

    async def story():
        watch, ears = Watch(store), Ears()

        def hear():
            watch.forget()
            ears()

        async with changes.heard(store, hear):
            await ears.more_than(0)
            first = asyncio.create_task(watch.moment())
            await ears.more_than(1)
            assert (await watch.moment()).versions["incidents"] == 1
            assert (await first).versions["incidents"] == 0

    asyncio.run(story())
