"""Is a backup worth anything? It is restored into a database beside the real one, compared row for row, and tried."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL

from gis.city import FRAMES
from gis.errors import StoreUnavailable
from gis.store import audit, backup, cities, frames, migrate, programs
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Store
from gis.store.jobs.queue import SCHEMA as QUEUE_SCHEMA

_R = TypeVar("_R")
_DIGITS: Final = 15
"""Of the digest of a row, in base 16: so many that their sum is a number of PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill found.

    Attributes
    ----------
    seconds
        Step -> how long it took.
    faults
        What is not as it should be, as sentences; empty when the backup is good.
    changed
        Tables that somebody changed meanwhile, and that could therefore not be compared.
    """

    seconds: dict[str, float]
    tables_count: int
    rows_count: int
    size_bytes: int
    faults: tuple[str, ...]
    changed: tuple[str, ...]


def digests(store: Store) -> dict[str, tuple[int, int]]:
    """Return how many rows each table has, and a sum over the digests of all of them, whatever their order.

    The queue is left out: it holds nothing that the jobs do not say.
    """
    with store.transaction(NO_CITY, read_only=True, as_owner=True, timeout_s=WORKER_TIMEOUT_S) as connection:
        inspector = sa.inspect(connection)
        found = {}
        for schema in sorted(set(inspector.get_schema_names()) - backup.FOREIGN_SCHEMAS - {QUEUE_SCHEMA}):
            for name in sorted(inspector.get_table_names(schema)):
                row = sa.table(name, schema=schema).alias("whole")
                digest = sa.func.md5(sa.cast(row.table_valued(), sa.Text))
                bits = sa.cast(sa.func.concat("x", sa.func.left(digest, _DIGITS)), _Bits())
                total = sa.func.coalesce(sa.func.sum(sa.cast(sa.cast(bits, sa.BigInteger), sa.Numeric)), 0)
                count, found_sum = connection.execute(sa.select(sa.func.count(), total).select_from(row)).one()
                found[f"{schema}.{name}"] = (int(count), int(found_sum))
    return found


class _Bits(sa.types.UserDefinedType[str]):
    """A string of bits as long as a digest."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return f"bit({4 * _DIGITS})"


def smoke(store: Store) -> list[str]:
    """Return what a restored database cannot do that every one of wangge can: read each frame, hold its chain."""
    faults = []
    if migrate.current(store) != migrate.head():
        faults.append(f"the schema is {migrate.current(store)}, not {migrate.head()}")
    if not migrate.is_leakproof(store):
        faults.append("&& is not leakproof: area scope would be slow")
    if not migrate.has_row_security(store):
        faults.append("row-level security is not in force")
    for city in cities.all_(store):
        for frame in FRAMES:
            frames.read_frame(store, city, frame)
    faults += [f"the audit log: {fault}" for fault in audit.verify(store).faults]
    return faults


def drill(store: Store) -> Drilled:
    """Back a database up, restore the backup into a new one, compare, try, and throw the new one away.

    Raises
    ------
    StoreUnavailable
        The backup or the restore failed, or no database could be made beside the real one.
    """
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], _R]) -> _R:
        started = time.perf_counter()
        done = work()
        seconds[step] = time.perf_counter() - started
        return done

    with tempfile.TemporaryDirectory(prefix="wangge-drill-") as folder, _beside(store) as scratch:
        file = Path(folder) / "drill.dump"
        before = timed("digest", lambda: digests(store))
        timed("dump", lambda: backup.backup(store, file))
        after = digests(store)
        timed("restore", lambda: backup.restore(scratch, file))
        timed("ensure", lambda: migrate.ensure(scratch))
        found = timed("compare", lambda: digests(scratch))
        faults = timed("try", lambda: smoke(scratch))
        size = file.stat().st_size
    changed = tuple(name for name in before if before[name] != after.get(name))
    lost = [f"{name} is not as it was" for name in before if name not in changed and found.get(name) != before[name]]
    more = [f"{name} has come from nowhere" for name in found if name not in before and name not in after]
    rows = sum(count for count, _ in found.values())
    return Drilled(seconds, len(found), rows, size, (*lost, *more, *faults), changed)


@contextmanager
def _beside(store: Store) -> Iterator[Store]:
    """Give a new, empty database on the server of another one; it is dropped at the end."""
    name = f"wangge_drill_{secrets.token_hex(4)}"
    url = store.url
    address = URL.create("postgresql", url.username, None, url.host, url.port, "postgres", url.query)
    variables = {} if url.password is None else {"PGPASSWORD": str(url.password)}

    def ask(program: str, *more: str) -> None:
        command: list[str | Path] = [
            programs.client_program(program),
            f"--maintenance-db={address.render_as_string()}",
            *more,
            name,
        ]
        done = programs.run(command, variables=variables)
        if done.returncode != 0:
            raise StoreUnavailable(f"{program} failed: {programs.last_words(done)}")

    ask("createdb", "--template=template0")
    scratch = Store(url.set(database=name))
    try:
        yield scratch
    finally:
        scratch.close()
        ask("dropdb", "--force", "--if-exists")
