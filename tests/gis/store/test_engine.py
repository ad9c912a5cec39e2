"""The one door: scope and limits hold for one transaction, and failure has one name."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading

import asyncpg
import psycopg
import pytest
import sqlalchemy as sa

from gis.errors import StoreUnavailable
from gis.store import engine
from gis.store.engine import NO_CITY, Scope, Store
from gis.store.settings import settings

AT = dt.datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
CITY = "SELECT current_setting('wangge.city', true)"


def test_the_scope_holds_for_its_transaction_only(store: Store) -> None:
    with store.transaction(Scope(7), timeout_s=2) as connection:
        backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        assert connection.exec_driver_sql(CITY).scalar() == "7"
        assert connection.exec_driver_sql("SELECT current_setting('statement_timeout')").scalar() == "2s"
        assert connection.exec_driver_sql("SELECT current_setting('lock_timeout')").scalar() == "3s"
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() == backend, "the pool gives it again"
        assert connection.exec_driver_sql(CITY).scalar() == ""
        assert connection.exec_driver_sql("SELECT current_setting('statement_timeout')").scalar() == "0"


def test_the_scope_of_a_reading_holds_for_it_only(store: Store) -> None:
    async def read() -> None:
        async with store.reading(Scope(7)) as connection:
            backend = await connection.fetchval("SELECT pg_backend_pid()")
            assert await connection.fetchval(CITY) == "7"
        pool = await store._asynchronous_pool()
        async with pool.acquire() as connection:
            assert await connection.fetchval("SELECT pg_backend_pid()") == backend, "the pool gives it again"
            assert await connection.fetchval(CITY) == ""
            assert await connection.fetchval("SELECT current_setting('statement_timeout')") == "0"
        await store.aclose()

    asyncio.run(read())


def test_what_is_committed_stays_and_what_fails_goes(store: Store) -> None:
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("CREATE TABLE results.t (n int)")
        connection.exec_driver_sql("INSERT INTO results.t VALUES (1)")

    def fail() -> None:
        with store.transaction(NO_CITY, as_owner=True) as connection:
            connection.exec_driver_sql("INSERT INTO results.t VALUES (2)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        assert connection.exec_driver_sql("SELECT array_agg(n) FROM results.t").scalar() == [1]


def test_a_read_only_transaction_cannot_write_and_the_next_one_can(store: Store) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="read-only"),
        store.transaction(NO_CITY, read_only=True, as_owner=True) as connection,
    ):
        connection.exec_driver_sql("CREATE TABLE results.t (n int)")
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql("CREATE TABLE results.t (n int)")


@pytest.mark.asvs("3.5.3", "13.2.2")
def test_a_reading_cannot_write(store: Store) -> None:
    async def write() -> None:
        async with store.reading(NO_CITY) as connection:
            await connection.execute("CREATE TABLE results.t (n int)")

    with pytest.raises(Exception, match="read-only"):
        asyncio.run(write())


def test_a_statement_that_takes_too_long_makes_the_store_unavailable(store: Store) -> None:
    with (
        pytest.raises(StoreUnavailable, match="took too long"),
        store.transaction(NO_CITY, timeout_s=0.05) as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(30)")

    async def read() -> None:
        async with store.reading(NO_CITY, timeout_s=0.05) as connection:
            await connection.fetchval("SELECT pg_sleep(30)")

    with pytest.raises(StoreUnavailable, match="took too long"):
        asyncio.run(read())


def test_a_limit_below_a_millisecond_is_still_a_limit(store: Store) -> None:
    with pytest.raises(StoreUnavailable), store.transaction(NO_CITY, timeout_s=0.0001) as connection:
        connection.exec_driver_sql("SELECT pg_sleep(30)")


def test_a_copy_that_takes_too_long_makes_the_store_unavailable(store: Store) -> None:
    with (
        pytest.raises(StoreUnavailable, match="took too long"),
        store.transaction(NO_CITY, timeout_s=0.05) as connection,
        connection.connection.cursor() as cursor,
        cursor.copy("COPY (SELECT pg_sleep(30)) TO STDOUT") as copy,
    ):
        list(copy)


def test_a_wrong_statement_is_no_unavailable_store(store: Store) -> None:
    with pytest.raises(sa.exc.ProgrammingError), store.transaction(NO_CITY) as connection:
        connection.exec_driver_sql("SELECT no_such_column")
    with pytest.raises(psycopg.ProgrammingError), store.transaction(NO_CITY) as connection:
        connection.connection.cursor().execute("SELECT no_such_column")


def test_an_error_of_the_caller_passes_through_a_reading(store: Store) -> None:
    async def read() -> None:
        async with store.reading(NO_CITY):
            raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        asyncio.run(read())


def test_postgis_away_makes_the_store_unavailable() -> None:
    nowhere = Store("postgresql://nobody:nothing@127.0.0.1:1/nothing")
    with pytest.raises(StoreUnavailable, match="cannot be reached"), nowhere.transaction(NO_CITY):
        pass

    async def read() -> None:
        async with nowhere.reading(NO_CITY):
            pass

    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        asyncio.run(read())


def test_a_connection_cut_within_a_transaction_makes_the_store_unavailable(store: Store) -> None:
    def cut_off() -> None:
        with store.transaction(NO_CITY) as connection:
            backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            with store.transaction(NO_CITY, as_owner=True) as other:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (backend,))
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreUnavailable):
        cut_off()
    with store.transaction(NO_CITY) as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1, "the next transaction has a new connection"


def test_no_connection_free_makes_the_store_unavailable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "POOL_TIMEOUT_S", 0.05)
    crowded = Store(store.url)
    everybody_in = threading.Barrier(settings().pool_size + 1)
    home_time = threading.Event()

    def hold() -> None:
        with crowded.transaction(NO_CITY):
            everybody_in.wait()
            home_time.wait()

    threads = [threading.Thread(target=hold) for _ in range(settings().pool_size)]
    for thread in threads:
        thread.start()
    everybody_in.wait()
    try:
        with pytest.raises(StoreUnavailable, match="came free"), crowded.transaction(NO_CITY):
            pass
    finally:
        home_time.set()
        for thread in threads:
            thread.join()
        crowded.close()


def test_one_store_serves_several_event_loops(store: Store) -> None:
    async def read() -> int:
        async def one() -> int:
            async with store.reading(NO_CITY) as connection:
                return int(await connection.fetchval("SELECT 1"))

        total = sum(await asyncio.gather(*(one() for _ in range(20))))
        await store.aclose()
        return total

    assert [asyncio.run(read()) for _ in range(3)] == [20, 20, 20]


def test_a_reading_that_was_cancelled_or_failed_leaves_nothing_to_the_next(store: Store) -> None:
    async def read() -> None:
        async def sleep() -> None:
            async with store.reading(Scope(7, areas=(1, 2))) as connection:
                await connection.fetch("SELECT pg_sleep(30)")

        sleeping = asyncio.create_task(sleep())
        await asyncio.sleep(0.2)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        with pytest.raises(asyncpg.UndefinedColumnError):
            async with store.reading(Scope(8)) as connection:
                await connection.fetch("SELECT nothing")
        for city in (9, 10):
            async with store.reading(Scope(city)) as connection:
                row = await connection.fetchrow(
                    "SELECT current_setting('wangge.city') AS city, current_setting('wangge.areas') AS areas, "
                    "current_setting('transaction_read_only') AS read_only, current_user::text AS role"
                )
            assert tuple(row) == (str(city), "*", "on", "wangge_ro")
        await store.aclose()

    asyncio.run(read())


STATE = (
    "SELECT concat_ws(' ', current_setting('wangge.city', true), current_setting('wangge.areas', true), current_user, "
    "current_setting('transaction_read_only'), current_setting('statement_timeout'))"
)


def test_a_single_value_is_read_in_its_scope_and_leaves_none(store: Store) -> None:
    async def read() -> None:
        scopes = [Scope(7), Scope(8, areas=(1, 2)), Scope(9)] * 10
        found = await asyncio.gather(*(store.value(scope, STATE, (), timeout_s=2) for scope in scopes))
        assert found == ["7 * wangge_ro on 2s", "8 1,2 wangge_ro on 2s", "9 * wangge_ro on 2s"] * 10
        pool = await store._asynchronous_pool(engine._Single(engine.READING_ROLE, 2, "each"))
        async with pool.acquire() as connection:
            assert await connection.fetchval(CITY) == ""
        assert await store.value(Scope(7), "SELECT $1::int + $2::int", (1, 2), timeout_s=2) == 3
        mode = "SELECT current_setting('plan_cache_mode')"
        assert await store.value(Scope(7), mode, ()) == "force_custom_plan"
        assert await store.value(Scope(7), mode, (), plan="once") == "force_generic_plan"
        await store.aclose()

    asyncio.run(read())


def test_a_single_value_that_failed_or_was_too_slow_leaves_nothing_to_the_next(store: Store) -> None:
    async def read() -> None:
        with pytest.raises(StoreUnavailable, match="too long"):
            await store.value(Scope(7), "SELECT pg_sleep(5)::text", (), timeout_s=0.1)
        with pytest.raises(asyncpg.UndefinedColumnError):
            await store.value(Scope(7), "SELECT nothing", (), timeout_s=0.1)
        sleeping = asyncio.create_task(store.value(Scope(7), "SELECT pg_sleep(30)::text", (), timeout_s=60))
        await asyncio.sleep(0.2)
        sleeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sleeping
        for limit_s in (0.1, 60):
            assert await store.value(Scope(9), STATE, (), timeout_s=limit_s) is not None
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await store.value(Scope(9), "SELECT pg_read_file('/etc/hostname')", (), timeout_s=0.1)
        await store.aclose()

    asyncio.run(read())


def test_instants_are_told_alike_whatever_the_database_likes(store: Store) -> None:
    name = store.url.database
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql(f"ALTER DATABASE \"{name}\" SET DateStyle = 'German, DMY'")

    async def read() -> object:
        told = await store.value(NO_CITY, "SELECT timezone('UTC', $1::timestamptz)::text", (AT,), timeout_s=1)
        async with store.reading(NO_CITY) as connection:
            assert await connection.fetchval("SELECT timezone('UTC', $1::timestamptz)::text", AT) == told
        await store.aclose()
        return told

    assert asyncio.run(read()) == "2024-01-02 03:04:05.000678"


@pytest.mark.parametrize("areas", [("1'; DROP TABLE x; --",), ("1) ",)])
def test_what_is_no_value_of_a_scope_reaches_no_statement(areas: tuple[str]) -> None:
    with pytest.raises(ValueError, match="not a value of a scope"):
        engine._opening(Scope(1, areas=areas), 1.0)  # type: ignore[arg-type]
