"""Back the database up into one file, and restore it from there.

A backup holds every schema but ``public``, which belongs to the extensions. A restore replaces them in one transaction:
it happens as a whole or not at all, whatever is killed meanwhile.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import URL

from gis.errors import InvalidInput, NotFound, StoreUnavailable
from gis.store import migrate, policies, programs
from gis.store.engine import EVERYTHING, NO_CITY, Store
from gis.store.tables import CITY_SCHEMA

FOREIGN_SCHEMAS: Final = frozenset({"public", "information_schema", "topology", "tiger", "tiger_data"})
"""Schemas of the system and of extensions."""
LOCK_WAIT: Final = "10s"
"""How long a backup or restore waits for somebody else's change."""


def backup(store: Store, path: Path) -> None:
    """Write everything in `store` to one file, in the compressed format of ``pg_dump``.

    The file appears when it is whole; an older one of that name is then replaced. Only its owner can read it.

    Raises
    ------
    NotFound
        The folder of `path` does not exist.
    InvalidInput
        The database has no schema yet, or the file cannot be written.
    StoreUnavailable
        The backup failed; the message says why.
    """
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent}")
    schemas = _own_schemas(store)
    if CITY_SCHEMA not in schemas:
        raise InvalidInput("there is nothing to back up: the database has no city schema")
    role, variables = _reader(store)
    with _appearing(path) as unfinished:
        done = programs.run(
            [
                programs.client_program("pg_dump"),
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                *role,
                f"--lock-wait-timeout={LOCK_WAIT}",
                *(f'--schema="{schema}"' for schema in schemas),
                f"--file={unfinished}",
                _address(store),
            ],
            variables={**_password(store), **variables},
        )
        if done.returncode != 0:
            raise StoreUnavailable(f"the backup failed: {programs.last_words(done)}")


def restore(store: Store, path: Path) -> None:
    """Replace everything in `store` by a backup, and bring it to the newest schema.

    Raises
    ------
    NotFound
        There is no such file.
    InvalidInput
        The file is no backup of wangge, or one of a newer wangge.
    StoreUnavailable
        The restore failed and nothing has changed; the message says why.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    schemas = _schemas_in(path)
    revision = _revision_in(path)
    if not migrate.knows(revision):
        raise InvalidInput(f"{path} has schema {revision}, newer than this wangge knows ({migrate.head()})")
    migrate.install_extensions(store)
    _replace(store, path, sorted({*schemas, *_own_schemas(store)}))
    migrate.upgrade(store)


def _replace(store: Store, path: Path, schemas: Iterable[str]) -> None:
    """Drop the schemas and play the backup in one transaction.

    Its end is sent only when the reading of the backup has ended well; otherwise the connection closes without it.
    """
    reader: list[str | Path] = [
        programs.client_program("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--file=-",
        path,
    ]
    player: list[str | Path] = [
        programs.client_program("psql"),
        "--quiet",
        "--no-psqlrc",
        "--set=ON_ERROR_STOP=1",
        "--output=/dev/null",
        _address(store),
    ]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            player,
            stdin=subprocess.PIPE,
            stderr=complaints,
            env=programs.environment(**_password(store), PGOPTIONS=f"-c lock_timeout={LOCK_WAIT}"),
        ) as playing,
        subprocess.Popen(reader, stdout=subprocess.PIPE, stderr=complaints, env=programs.environment()) as reading,
    ):
        try:
            if playing.stdin is not None and reading.stdout is not None:
                playing.stdin.write(b"BEGIN;\n" + _dropping(schemas))
                shutil.copyfileobj(reading.stdout, playing.stdin)
                if reading.wait() == 0:
                    playing.stdin.write(b"COMMIT;\n")
                playing.stdin.close()
        except BrokenPipeError:
            # The player stopped at an error; its complaint is told below.
            reading.kill()
        reading.wait()
        playing.wait()
        if reading.returncode != 0 or playing.returncode != 0:
            complaints.seek(0)
            reason = complaints.read().decode(errors="replace").strip().splitlines()
            raise StoreUnavailable(f"the restore failed, nothing has changed: {' / '.join(reason[-3:])}")


def _dropping(schemas: Iterable[str]) -> bytes:
    postgres: sa.Dialect = pg.psycopg.dialect()  # type: ignore[no-untyped-call]
    drops = (sa.schema.DropSchema(schema, cascade=True, if_exists=True) for schema in schemas)
    return "".join(f"{drop.compile(dialect=postgres)};\n" for drop in drops).encode()


def _reader(store: Store) -> tuple[list[str], dict[str, str]]:
    """Return the options and variables by which ``pg_dump`` reads every row, whatever the policies say.

    It does so as a role that reads everything and writes nothing. Where the login could not make one, the policies let
    through what their own word for all cities lets through.
    """
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        role = policies.backup_role(connection)
    if role is not None:
        return [f"--role={role}"], {}
    return ["--enable-row-security"], {"PGOPTIONS": f"-c wangge.city={EVERYTHING}"}


def _own_schemas(store: Store) -> list[str]:
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        names = sa.inspect(connection).get_schema_names()
    return sorted(set(names) - FOREIGN_SCHEMAS)


def _schemas_in(path: Path) -> set[str]:
    listed = programs.run([programs.client_program("pg_restore"), "--list", path])
    schemas = set(re.findall(r"^\d+; \d+ \d+ SCHEMA - (\S+) ", listed.stdout, flags=re.MULTILINE))
    if listed.returncode != 0 or CITY_SCHEMA not in schemas:
        raise InvalidInput(f"{path} is no backup of wangge")
    return schemas


def _revision_in(path: Path) -> str:
    table = [f"--schema={CITY_SCHEMA}", f"--table={migrate.VERSION_TABLE}"]
    read = programs.run([programs.client_program("pg_restore"), "--data-only", *table, "--file=-", path])
    found = re.search(r"^COPY [^\n]*\n([^\n\\]+)\n", read.stdout, flags=re.MULTILINE)
    if read.returncode != 0 or found is None:
        raise InvalidInput(f"{path} is damaged, or no backup of wangge")
    return found.group(1)


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Give the name of a file beside `path` that takes its place when the block ends well."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _address(store: Store) -> str:
    """Return the address without the password, which other users of the machine could read in the process list."""
    url = store.url
    return URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query).render_as_string()


def _password(store: Store) -> dict[str, str]:
    return {} if store.url.password is None else {"PGPASSWORD": str(store.url.password)}
