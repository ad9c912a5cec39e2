"""The embedded PostGIS lives through what happens to it."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gis.errors import StoreUnavailable
from gis.store import postmaster, programs
from gis.store.cluster import TEST_OPTIONS, Cluster
from tests.support.databases import DURABLE_OPTIONS, kept_folder

START = """
import sys
from pathlib import Path
from gis.store.cluster import Cluster, TEST_OPTIONS
print(Cluster(Path(sys.argv[1]), options=TEST_OPTIONS).start().render_as_string(hide_password=False))
"""


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A cluster of this test alone, not started."""
    with kept_folder() as folder:
        yield Cluster(folder, options=TEST_OPTIONS)


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A running cluster that keeps what it has acknowledged."""
    with kept_folder() as folder:
        cluster = Cluster(folder, options=DURABLE_OPTIONS)
        cluster.start()
        yield cluster


def connect(cluster: Cluster) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(cluster.url.render_as_string(hide_password=False))


def ask(cluster: Cluster, question: str) -> object:
    with connect(cluster) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return row[0]


def kill_postmaster(cluster: Cluster) -> int:
    pid = cluster.status().pid
    os.kill(pid, signal.SIGKILL)
    assert postmaster.wait_until_gone(cluster.data, 10)
    return pid


def test_a_new_cluster_is_what_it_should_be(durable: Cluster) -> None:
    wanted = {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "lc_collate": "C.UTF-8",
        "password_encryption": "scram-sha-256",
        "fsync": "on",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "15s",
        "client_connection_check_interval": "2s",
        "restart_after_crash": "on",
        "listen_addresses": "127.0.0.1",
    }
    assert {name: ask(durable, f"SELECT current_setting('{name}')") for name in wanted} == wanted


@pytest.mark.asvs("13.2.3")
def test_nobody_enters_without_the_password(durable: Cluster) -> None:
    server = durable.status()
    rules = (durable.data / "pg_hba.conf").read_text()
    assert "trust" not in [word for line in rules.splitlines() if not line.startswith("#") for word in line.split()]
    for host in ("127.0.0.1", str(durable.folder)):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(host=host, port=server.port, user="wangge", dbname="wangge", password="wrong")
    password = durable.folder / "password"
    assert password.stat().st_mode & 0o777 == 0o600
    with psycopg.connect(
        host=str(durable.folder),
        port=server.port,
        user="wangge",
        dbname="wangge",
        password=password.read_text().strip(),
    ) as by_socket:
        assert by_socket.execute("SELECT 1").fetchone() == (1,)


def test_it_never_runs_as_root(durable: Cluster) -> None:
    owner = Path(f"/proc/{durable.status().pid}").stat().st_uid
    assert owner != 0
    assert pwd.getpwuid(owner).pw_name == durable.status().account


def test_its_states(own: Cluster) -> None:
    assert own.status().state == "absent"
    with pytest.raises(StoreUnavailable, match="wangge db start"):
        _ = own.url
    assert own.stop() is False
    first = own.start()
    assert own.status().state == "running"
    assert own.status().version == ask(own, "SELECT split_part(current_setting('server_version'), '.', 1)")
    pid = own.status().pid
    assert own.start() == first, "started twice is started once"
    assert own.status().pid == pid
    assert own.stop() is True
    assert (own.status().state, own.status().port) == ("stopped", 0)
    assert own.stop() is False
    assert own.start() == first, "the port is kept while it is free"
    own.destroy()
    assert own.status().state == "absent"


def test_another_port_is_taken_when_the_last_one_is_not_free(own: Cluster) -> None:
    port = own.start().port
    own.stop()
    assert port is not None
    with socket.create_server(("127.0.0.1", port)):
        assert own.start().port != port


@pytest.mark.chaos
def test_committed_rows_outlive_a_killed_postmaster(durable: Cluster) -> None:
    with connect(durable) as connection:
        connection.execute("CREATE TABLE t AS SELECT generate_series(1, 100000) AS n")
    uncommitted = connect(durable)
    uncommitted.execute("INSERT INTO t VALUES (0)")
    for _ in range(3):
        kill_postmaster(durable)
        durable.start()
        assert ask(durable, "SELECT count(*) FROM t") == 100_000
        assert ask(durable, "SELECT sum(n) FROM t") == 100_000 * 100_001 // 2
    uncommitted.close()


@pytest.mark.chaos
def test_a_backend_deep_in_a_computation_does_not_keep_the_next_server_out(durable: Cluster) -> None:
    busy = connect(durable)
    backend = busy.execute("SELECT pg_backend_pid()").fetchone()
    assert backend is not None
    os.kill(int(str(backend[0])), signal.SIGSTOP)  # like a GEOS call: does not notice that the postmaster is gone
    old = kill_postmaster(durable)
    durable.start()
    assert durable.status().pid != old
    assert ask(durable, "SELECT 1") == 1
    busy.close()


@pytest.mark.chaos
def test_it_outlives_the_program_that_started_it(own: Cluster) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", START + "import time; time.sleep(60)", str(own.data_dir)], start_new_session=True
    )
    try:
        while own.status().state != "running":
            assert starter.poll() is None
            time.sleep(0.05)
        pid = own.status().pid
    finally:
        os.killpg(starter.pid, signal.SIGKILL)
        starter.wait()
    own.start()
    assert own.status().pid == pid
    assert ask(own, "SELECT 1") == 1


@pytest.mark.chaos
def test_a_start_that_was_killed_halfway_is_done_again(own: Cluster) -> None:
    starter = subprocess.Popen([sys.executable, "-c", START, str(own.data_dir)], start_new_session=True)
    unfinished = own.folder / "data.new" / "base"
    while not unfinished.exists():
        assert starter.poll() is None
        time.sleep(0.005)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    assert not own.data.exists()
    own.start()
    assert ask(own, "SELECT current_database()") == "wangge"


def test_processes_that_start_it_at_once_get_the_same_one(own: Cluster) -> None:
    starters = [
        subprocess.Popen([sys.executable, "-c", START, str(own.data_dir)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    addresses = {starter.communicate()[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert addresses == {own.url.render_as_string(hide_password=False) + "\n"}


def test_a_pid_that_now_belongs_to_another_program_is_no_server(own: Cluster) -> None:
    own.start()
    mine = (own.data / "postmaster.pid").read_text()
    kill_postmaster(own)
    for other in (os.getpid(), 1):
        (own.data / "postmaster.pid").write_text("\n".join([str(other), *mine.splitlines()[1:]]) + "\n")
        assert own.status().state == "stopped"
    own.start()
    assert ask(own, "SELECT 1") == 1


def test_a_folder_that_another_server_uses_is_refused(own: Cluster) -> None:
    own.start()
    own.stop()
    pg_ctl = programs.server_programs("15") / "pg_ctl"
    account = programs.account_of(own.folder)
    by_hand = [pg_ctl, "-w", "-D", own.data, "-l", own.log]
    assert programs.run([*by_hand, "start"], account=account, cwd=own.folder).returncode == 0
    try:
        with pytest.raises(StoreUnavailable, match="did not start"):
            own.start()
        assert postmaster.find(own.data) is not None, "the other server is left alone"
    finally:
        programs.run([*by_hand, "stop"], account=account, cwd=own.folder)
    own.start()
    assert ask(own, "SELECT 1") == 1


def test_a_folder_held_by_an_unseen_process_is_refused(own: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    own.start()
    own.stop()
    monkeypatch.setattr("gis.store.cluster.ORPHANS_S", 0.1)
    holder = ["/usr/bin/flock", str(own.folder / "running.lock"), "/bin/sh", "-c", "echo held; cat"]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StoreUnavailable, match="another container"):
            own.start()
    own.start()


def test_a_folder_of_another_version_is_refused(own: Cluster) -> None:
    own.start()
    own.stop()
    (own.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(StoreUnavailable, match=r"PostgreSQL 9.*install postgresql-9"):
        own.start()


def test_a_folder_that_holds_something_else_is_refused(own: Cluster) -> None:
    own.data.mkdir(parents=True)
    (own.data / "letters.txt").write_text("mine")
    with pytest.raises(StoreUnavailable, match="PG_VERSION"):
        own.start()
    assert (own.data / "letters.txt").read_text() == "mine"


def test_a_long_path_leaves_the_socket_out(own: Cluster) -> None:
    deep = Cluster(own.data_dir / ("long" * 30), options=TEST_OPTIONS)
    deep.start()
    assert ask(deep, "SELECT current_setting('unix_socket_directories')") == ""
    deep.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the cluster under another account")
def test_below_a_folder_only_root_may_enter_it_moves_to_the_system_state(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    hidden = Cluster(tmp_path / "project", options=TEST_OPTIONS)
    assert hidden.folder.parent == Path("/var/lib/wangge")
    try:
        hidden.start()
        assert ask(hidden, "SELECT 1") == 1
    finally:
        hidden.destroy()
    assert not hidden.folder.exists()


def test_an_account_without_a_name_is_told_so(own: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(StoreUnavailable, match="54321 has no entry in /etc/passwd"):
        own.start()


def test_a_folder_of_another_account_is_refused(own: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    own.start()
    monkeypatch.setattr(os, "geteuid", lambda: pwd.getpwnam("nobody").pw_uid)
    with pytest.raises(StoreUnavailable, match="not to 'nobody'"):
        own.start()
