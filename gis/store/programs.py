"""The programs of PostgreSQL: where Debian keeps them, under whose account they run, what they answer.

PostgreSQL refuses to run as root, so root's cluster belongs to another account and every program is started under it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gis.errors import StoreUnavailable

SERVERS: Final = Path("/usr/lib/postgresql")
EXTENSIONS: Final = Path("/usr/share/postgresql")
SERVICE_ACCOUNT: Final = "postgres"
INSTALL_HINT: Final = "install it with: apt-get install postgresql-15 postgresql-15-postgis-3"


@dataclass(frozen=True, slots=True)
class Account:
    """Who the programs run as.

    Attributes
    ----------
    switch
        True when the caller is root and must become this account.
    """

    name: str
    uid: int
    gid: int
    switch: bool


def account_of(folder: Path) -> Account:
    """Return the account that a cluster in `folder` runs under.

    It is the caller's own; for root it is the owner of a folder that is already there, else ``postgres``.

    Raises
    ------
    StoreUnavailable
        The account has no entry in the password file, or the folder belongs to somebody else.
    """
    me = os.geteuid()
    owner = folder.stat().st_uid if folder.exists() else None
    if me == 0:
        entry = _entry(owner) if owner else _service_entry()
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
    entry = _entry(me)
    if owner is not None and owner != me:
        raise StoreUnavailable(
            f"the database folder {folder} belongs to account {owner}, not to '{entry.pw_name}': run the command as "
            "that account or as root, or give wangge another data folder with WANGGE_DATA_DIR"
        )
    return Account(entry.pw_name, me, os.getegid(), switch=False)


def _entry(uid: int) -> pwd.struct_passwd:
    try:
        return pwd.getpwuid(uid)
    except KeyError:
        raise StoreUnavailable(
            f"account number {uid} has no entry in /etc/passwd, and PostgreSQL does not start without one: run as a "
            "named user, or point WANGGE_DATABASE_URL to a PostGIS that is already running"
        ) from None


def _service_entry() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        raise StoreUnavailable(
            f"PostgreSQL does not run as root, and the account '{SERVICE_ACCOUNT}' is missing; {INSTALL_HINT}"
        ) from None


def server_programs(version: str | None = None) -> Path:
    """Return the folder of a server's programs: of that major version, or of the newest one that has PostGIS.

    Raises
    ------
    StoreUnavailable
        There is none; the message says what to install.
    """
    found = {
        folder.name: folder / "bin"
        for folder in SERVERS.glob("*")
        if (folder / "bin" / "postgres").exists() and (EXTENSIONS / folder.name / "extension/postgis.control").exists()
    }
    if version is not None and version not in found:
        have = ", ".join(sorted(found)) or "none"
        raise StoreUnavailable(
            f"the database folder was made by PostgreSQL {version}, which is not installed with PostGIS (installed: "
            f"{have}): install postgresql-{version} and postgresql-{version}-postgis-3, or move the folder away and "
            "restore a backup into a new one"
        )
    if not found:
        raise StoreUnavailable(f"no PostgreSQL server with PostGIS is installed; {INSTALL_HINT}")
    return found[version or max(found, key=float)]


def client_program(name: str) -> Path:
    """Return a client program such as ``pg_dump``: of the newest installed version, which reads all older ones.

    Raises
    ------
    StoreUnavailable
        It is not installed.
    """
    found = sorted(SERVERS.glob(f"*/bin/{name}"), key=lambda path: float(path.parents[1].name))
    anywhere = shutil.which(name)
    if not found and anywhere is None:
        raise StoreUnavailable(
            f"the program {name} is not installed; install it with: apt-get install postgresql-client"
        )
    return found[-1] if found else Path(str(anywhere))


def environment(**more: str) -> dict[str, str]:
    """Return the caller's environment for a program: without its ``PG...`` variables, with English messages."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**clean, "LC_ALL": "C", **more}


def run(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    cwd: Path | None = None,
    text_in: str | None = None,
    variables: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, under `account` when root must become it, and return what it said."""
    switch = account if account is not None and account.switch else None
    return subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        input=text_in if text_in is not None else "",
        cwd=cwd,
        env=environment(**(variables or {})),
        pass_fds=pass_fds,
        user=switch.uid if switch else None,
        group=switch.gid if switch else None,
        extra_groups=[] if switch else None,
    )


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last lines of what a failed program said."""
    return " / ".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-3:])
