"""The embedded PostGIS: a private PostgreSQL cluster in the project's data folder.

It is made with Debian's PostgreSQL and PostGIS programs and belongs to the caller; root's belongs to ``postgres``,
because PostgreSQL refuses to run as root. It answers on 127.0.0.1 and a unix socket inside its own folder, to one
password that is kept in a file of mode 0600.

Two locks guard the folder. ``start.lock`` lets one process at a time start or stop it. ``running.lock`` is inherited by
the server and all its children, so the kernel knows whether any of them is left, whatever ``postmaster.pid`` says.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

from sqlalchemy.engine import URL

from gis.errors import StoreUnavailable
from gis.store import archive, postmaster, programs

NAME: Final = "wangge"
"""The database, its owner and the first account of the cluster."""
SYSTEM_STATE: Final = Path("/var/lib/wangge")
"""Where root's cluster goes when the account that runs it cannot enter the project's folder."""
SOCKET_PATH_LIMIT: Final = 107
"""Bytes that a unix socket address holds; PostgreSQL does not start beyond it."""
WAIT_S: Final = 60.0
ORPHANS_S: Final = 3.0

OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "shared_buffers": "512MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        "effective_cache_size": "4GB",
        # Parallel joins take their memory from here, not from /dev/shm, which is 64 MB in most containers.
        "min_dynamic_shared_memory": "256MB",
        "random_page_cost": "1.1",
        "max_wal_size": "4GB",
        "wal_compression": "on",
        "jit": "off",
        "restart_after_crash": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        # A client that was killed must not keep its locks while its statement runs on.
        "client_connection_check_interval": "2s",
        "idle_in_transaction_session_timeout": "15s",
        "lock_timeout": "3s",
    }
)
TEST_OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **OPTIONS,
        "shared_buffers": "64MB",
        "min_dynamic_shared_memory": "0",
        "max_wal_size": "1GB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
    }
)
"""For tests that may lose everything; never for the ones that kill the server."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """What the cluster is doing.

    Attributes
    ----------
    port
        On 127.0.0.1; 0 unless it runs.
    version
        PostgreSQL's major version that made the folder, empty when absent.
    """

    state: Literal["absent", "stopped", "starting", "running"]
    folder: Path
    account: str
    version: str
    pid: int
    port: int


class Cluster:
    """The PostgreSQL cluster below one data folder; nothing is touched before `start`."""

    def __init__(self, data_dir: Path, *, options: Mapping[str, str] = OPTIONS) -> None:
        self.data_dir = data_dir.absolute()
        self.options = options

    @cached_property
    def folder(self) -> Path:
        """The folder that holds everything of the cluster, ``postgres`` in the data folder.

        Root's cluster moves to ``/var/lib/wangge/<hash of the data folder>`` when the account that runs it cannot
        enter the data folder, as below root's own home.
        """
        home = self.data_dir / "postgres"
        if os.geteuid() != 0 or _can_enter(self.data_dir, programs.account_of(home)):
            return home
        return SYSTEM_STATE / hashlib.sha256(str(self.data_dir).encode()).hexdigest()[:12]

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.folder / "log"

    @property
    def url(self) -> URL:
        """Address of the running cluster's database, with its password; `StoreUnavailable` when it does not run."""
        server = postmaster.find(self.data)
        if server is None or not server.is_ready:
            raise StoreUnavailable("the embedded database does not run; start it with: wangge db start")
        password = (self.folder / "password").read_text().strip()
        return URL.create("postgresql", NAME, password, "127.0.0.1", server.port, NAME)

    def status(self) -> ClusterStatus:
        """Return what the cluster is doing."""
        account = programs.account_of(self.folder)
        if not self.data.exists():
            return ClusterStatus("absent", self.folder, account.name, "", 0, 0)
        server = postmaster.find(self.data)
        version = self._version()
        if server is None:
            return ClusterStatus("stopped", self.folder, account.name, version, 0, 0)
        state: Literal["running", "starting"] = "running" if server.is_ready else "starting"
        return ClusterStatus(state, self.folder, account.name, version, server.pid, server.port)

    def start(self) -> URL:
        """Make the cluster if there is none, start it unless it runs, and return its address.

        Processes that start it at once all end up with the one running cluster.

        Raises
        ------
        StoreUnavailable
            It cannot run here; the message says why and what to do.
        """
        self._make_folder()
        account = programs.account_of(self.folder)
        with _locked(self.folder / "start.lock", WAIT_S, "another process has been starting or stopping the database"):
            if not self._runs():
                if not self.data.exists():
                    self._initialise(account)
                self._launch(programs.server_programs(self._version()), account)
            return self.url

    def stop(self) -> bool:
        """Stop the cluster and return whether it was running; open transactions are rolled back.

        Raises
        ------
        StoreUnavailable
            It did not end in time.
        """
        if not self.data.exists():
            return False
        with _locked(self.folder / "start.lock", WAIT_S, "another process has been starting or stopping the database"):
            server = postmaster.find(self.data)
            if server is None:
                return False
            postmaster.signal_(server.pid, signal.SIGINT)
            if not postmaster.wait_until_gone(self.data, WAIT_S):
                raise StoreUnavailable(f"the database (process {server.pid}) did not stop within {WAIT_S:.0f} s")
            return True

    def destroy(self) -> None:
        """Stop the cluster and remove its folder with everything in it."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _version(self) -> str:
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise StoreUnavailable(
                f"{self.data} is not a data folder of PostgreSQL (no PG_VERSION): move it away, a new one will be made"
            ) from None
        except PermissionError as error:
            raise StoreUnavailable(f"the database folder cannot be read: {error}") from error

    def _runs(self) -> bool:
        """Return whether our server runs, waiting for one that is still starting.

        Raises
        ------
        StoreUnavailable
            A server that is not ours has the folder.
        """
        deadline = time.monotonic() + WAIT_S
        while (server := postmaster.find(self.data)) is not None:
            if _is_free(self.folder / "running.lock"):
                raise StoreUnavailable(
                    f"the database folder {self.data} is in use by a PostgreSQL server that wangge did not start "
                    f"(process {server.pid}): stop that one first"
                )
            if server.is_ready:
                return True
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"the database (process {server.pid}) is still {server.status} after {WAIT_S:.0f} s; its log is "
                    f"{self.log}"
                )
            time.sleep(0.05)
        return False

    def _make_folder(self) -> None:
        if not self.data_dir.exists():
            self.data_dir.mkdir(parents=True)
            self.data_dir.chmod(0o755)
        account = programs.account_of(self.folder)
        if not self.folder.exists():
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
        if account.switch:
            os.chown(self.folder, account.uid, account.gid)

    def _initialise(self, account: programs.Account) -> None:
        """Make a new cluster beside its final place and move it there when it is whole."""
        binaries = programs.server_programs()
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        _write_secret(self.folder / "password", secrets.token_urlsafe(24), account)
        durable = self.options.get("fsync") != "off"
        self._must(
            [
                binaries / "initdb",
                f"--pgdata={unfinished}",
                f"--username={NAME}",
                f"--pwfile={self.folder / 'password'}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--data-checksums",
                *([] if durable else ["--no-sync"]),
            ],
            account,
        )
        with (unfinished / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'wangge.conf'  # written by wangge at each start\n")
        (unfinished / "wangge.conf").touch()
        self._must(
            [binaries / "postgres", "--single", "-D", unfinished, *([] if durable else ["-F"]), "postgres"],
            account,
            text_in=f"CREATE DATABASE {NAME}\n",
        )
        unfinished.rename(self.data)

    def _launch(self, binaries: Path, account: programs.Account) -> None:
        # What is left of a killed server holds the lock until its last process ends.
        with self._claimed() as lock:
            postmaster.clear_remains(self.data, self.folder)
            for attempt in range(3):
                port = _free_port(self._last_port() if attempt == 0 else 0)
                self._configure(port, account)
                done = programs.run(
                    [binaries / "pg_ctl", "start", "-w", f"-t{WAIT_S:.0f}", f"-D{self.data}", f"-l{self.log}"],
                    account=account,
                    cwd=self.folder,
                    pass_fds=[lock],
                )
                if done.returncode == 0:
                    return
                if "Address already in use" not in self._end_of_log():
                    break
        raise StoreUnavailable(
            f"PostgreSQL did not start ({programs.last_words(done)}); its log {self.log} ends: {self._end_of_log()}"
        )

    @contextmanager
    def _claimed(self) -> Iterator[int]:
        """Hold the lock that the server will inherit."""
        path = self.folder / "running.lock"
        if not _is_free(path, within_s=ORPHANS_S):
            postmaster.end_orphans(self.data)
        busy = f"the database folder {self.folder} is in use by a process that cannot be seen here (another container?)"
        with _locked(path, ORPHANS_S, busy) as lock:
            yield lock

    def _configure(self, port: int, account: programs.Account) -> None:
        longest = self.folder / ".s.PGSQL.65535.lock"
        has_socket = len(os.fsencode(longest)) <= SOCKET_PATH_LIMIT
        values = {
            **self.options,
            **archive.options(self.folder),
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self.folder) if has_socket else "",
        }
        lines = [f"{key} = '{value.replace(chr(39), chr(39) * 2)}'\n" for key, value in values.items()]
        path = self.data / "wangge.conf"
        path.write_text("# Written by wangge at each start.\n" + "".join(lines))
        if account.switch:
            os.chown(path, account.uid, account.gid)

    def _last_port(self) -> int:
        """Return the port of the last start, so that processes that were connected find the server again."""
        for line in (self.data / "wangge.conf").read_text().splitlines():
            if line.startswith("port = "):
                return int(line.removeprefix("port = ").strip("'"))
        return 0

    def _end_of_log(self) -> str:
        return " / ".join(self.log.read_text(errors="replace").splitlines()[-4:]) if self.log.exists() else ""

    def _must(self, command: list[str | Path], account: programs.Account, text_in: str | None = None) -> None:
        done = programs.run(command, account=account, cwd=self.folder, text_in=text_in)
        if done.returncode != 0:
            raise StoreUnavailable(f"the database could not be made in {self.folder}: {programs.last_words(done)}")


@contextmanager
def _locked(path: Path, timeout_s: float, busy: str) -> Iterator[int]:
    """Hold an exclusive lock on a file; yields its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.geteuid() == 0:
            # Root may start what its owner stops: the lock belongs to whom the folder belongs to.
            owner = path.parent.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreUnavailable(busy) from None
                time.sleep(0.02)
        yield descriptor
    finally:
        os.close(descriptor)


def _is_free(path: Path, *, within_s: float = 0.0) -> bool:
    """Return whether nobody holds the lock, waiting for that a while."""
    if not path.exists():
        return True
    descriptor = os.open(path, os.O_RDWR)
    deadline = time.monotonic() + within_s
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.02)
            else:
                return True
    finally:
        os.close(descriptor)


def _can_enter(folder: Path, account: programs.Account) -> bool:
    """Return whether the account reaches the folder, or the nearest one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return programs.run(["/usr/bin/test", "-x", folder], account=account, cwd=Path("/")).returncode == 0


def _write_secret(path: Path, text: str, account: programs.Account) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
    if account.switch:
        os.chown(path, account.uid, account.gid)


def _free_port(wish: int) -> int:
    """Return a free port on 127.0.0.1, the one wished for when it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wish))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
