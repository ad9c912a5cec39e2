"""Tiles in memory: bounded, computed once, never poisoned."""

import asyncio

import pytest

from api.cache import ENTRY_BYTES, Cache, etag, weigh_bytes


def test_many_requests_compute_a_tile_once():
    async def story():
        cache, calls, gate = Cache(10_000, weigh_bytes), [], asyncio.Event()

        async def make():
            calls.append(1)
            await gate.wait()
            return b"tile"

        waiting = [asyncio.create_task(cache.get("key", make)) for _ in range(20)]
        await asyncio.sleep(0)
        gate.set()
        assert set(await asyncio.gather(*waiting)) == {b"tile"}
        assert len(calls) == 1
        assert cache.peek("key") == b"tile"

    asyncio.run(story())


def test_a_leaving_client_does_not_take_the_tile_from_the_others():
    async def story():
        cache, gate = Cache(10_000, weigh_bytes), asyncio.Event()

        async def make():
            await gate.wait()
            return b"tile"

        first, second = (asyncio.create_task(cache.get("key", make)) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        gate.set()
        assert await second == b"tile"
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(story())


def test_the_last_client_to_leave_ends_the_work():
    async def story():
        cache, ended = Cache(10_000, weigh_bytes), asyncio.Event()

        async def make():
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            return b"never"

        waiting = [asyncio.create_task(cache.get("key", make)) for _ in range(2)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.wait_for(ended.wait(), 1)

        async def again():
            return b"fresh"

        assert await cache.get("key", again) == b"fresh"

    asyncio.run(story())


def test_an_error_reaches_everyone_and_is_not_kept():
    async def story():
        cache = Cache(10_000, weigh_bytes)

        async def broken():
            await asyncio.sleep(0)
            raise ValueError

        async def whole():
            return b"tile"

        answers = await asyncio.gather(*(cache.get("key", broken) for _ in range(3)), return_exceptions=True)
        assert [type(a) for a in answers] == [ValueError] * 3
        assert len(cache) == 0
        assert await cache.get("key", whole) == b"tile"

    asyncio.run(story())


def test_the_least_recently_used_tile_goes_first():
    async def story():
        cache = Cache(2 * (100 + ENTRY_BYTES), weigh_bytes)

        async def make():
            return b"x" * 100

        await cache.get("a", make)
        await cache.get("b", make)
        await cache.get("a", make)
        await cache.get("c", make)
        assert [key for key in "abc" if cache.peek(key)] == ["a", "c"]
        assert cache.weight <= cache.limit

    asyncio.run(story())


def test_a_tile_larger_than_the_cache_is_served_and_not_kept():
    async def story():
        cache = Cache(100, weigh_bytes)

        async def make():
            return b"x" * 1000

        assert len(await cache.get("a", make)) == 1000
        assert len(cache) == 0
        assert cache.weight == 0

    asyncio.run(story())


def test_an_etag_is_the_name_of_its_key():
    assert etag(("grids", 1, 2)) == etag(("grids", 1, 2)) != etag(("grids", 1, 3))
