"""Copies of the whole embedded cluster, and the way back to any moment after one.

A dump (`gis.store.backup`) holds a database as it was when it was written. A copy of the cluster and the archive of all
changes since (`gis.store.archive`) hold every moment, with everything that a dump leaves out: roles, rights, flags.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import URL

from gis.errors import Conflict, InvalidInput, StoreUnavailable
from gis.store import archive, programs
from gis.store.cluster import NAME, Cluster
from gis.store.engine import NO_CITY, Store

_NAMED: Final = "base-%Y%m%dT%H%M%SZ"
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
REPLAY_S: Final = 3600.0
"""How long the changes of an archive may take to be done again."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a way back came to.

    Attributes
    ----------
    base
        The copy it began with.
    aside
        Where the data are that were there before.
    replay_s
        From the start of the server to the moment that was asked for.
    """

    base: Path
    aside: Path
    replay_s: float


def archive_to(cluster: Cluster, folder: Path | None) -> None:
    """Let a cluster keep all its changes below `folder` from now on, or no longer when it is None; restarts it.

    Raises
    ------
    InvalidInput
        The folder has a name that cannot be used, or the cluster's account cannot write there.
    """
    note = cluster.folder / archive.NOTE
    cluster.start()
    if folder is None:
        note.unlink(missing_ok=True)
    else:
        path = archive.checked(folder)
        account = programs.account_of(cluster.folder)
        for each in (path, path / archive.CHANGES):
            each.mkdir(parents=True, exist_ok=True)
            if account.switch:
                os.chown(each, account.uid, account.gid)
            each.chmod(0o700)
        if programs.run(["/usr/bin/test", "-w", path / archive.CHANGES], account=account, cwd=Path("/")).returncode:
            raise InvalidInput(f"the account '{account.name}', under which the database runs, cannot write to {path}")
        note.write_text(f"{path}\n", encoding="utf-8")
        if account.switch:
            os.chown(note, account.uid, account.gid)
    cluster.stop()
    cluster.start()


def base_backup(cluster: Cluster, folder: Path) -> Path:
    """Copy a running cluster into a new folder below `folder`, named after the moment it was whole; return where.

    Raises
    ------
    Conflict
        The cluster keeps no archive: its changes after the copy would be lost.
    StoreUnavailable
        It could not be copied; the message says why.
    """
    if archive.folder_of(cluster.folder) is None:
        raise Conflict("changes are not archived; switch that on first: wangge db archive DIR")
    url = cluster.start()
    account = programs.account_of(cluster.folder)
    path = folder.absolute()
    path.mkdir(parents=True, exist_ok=True)
    if account.switch:
        os.chown(path, account.uid, account.gid)
    unfinished = path / ".base.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    address = URL.create("postgresql", url.username, None, url.host, url.port).render_as_string()
    done = programs.run(
        [
            programs.server_programs(cluster.status().version) / "pg_basebackup",
            f"--pgdata={unfinished}",
            f"--dbname={address}",
            "--checkpoint=fast",
            "--wal-method=stream",
        ],
        account=account,
        cwd=path,
        variables={"PGPASSWORD": str(url.password)},
    )
    if done.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StoreUnavailable(f"the copy failed: {programs.last_words(done)}")
    # A second later all that the copy needs is older than its name.
    whole = path / f"{dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1):{_NAMED}}"
    unfinished.rename(whole)
    return whole


def bases(folder: Path) -> dict[dt.datetime, Path]:
    """Return the copies below a folder by the moment they were whole, the oldest first."""
    found = {}
    for path in sorted(folder.glob("base-*")):
        try:
            found[dt.datetime.strptime(path.name, _NAMED).replace(tzinfo=dt.UTC)] = path
        except ValueError:
            continue
    return found


def restore_at(cluster: Cluster, folder: Path, at: dt.datetime) -> Recovered:
    """Bring a cluster back to what it was at a moment; the data that it has are moved aside and kept.

    Parameters
    ----------
    folder
        Where `base_backup` has put its copies.
    at
        With its zone. What was committed until then is there afterwards, and nothing later.

    Raises
    ------
    InvalidInput
        No copy is older than the moment, or it lies in the future.
    Conflict
        The cluster keeps no archive.
    StoreUnavailable
        The changes until that moment are not all there; the cluster is then as it was.
    """
    kept = archive.folder_of(cluster.folder)
    if kept is None:
        raise Conflict("changes are not archived, so there is no way back but the last dump")
    now = dt.datetime.now(dt.UTC)
    if at > now:
        raise InvalidInput(f"{at.isoformat()} is in the future")
    usable = [path for moment, path in bases(folder.absolute()).items() if moment <= at]
    if not usable:
        raise InvalidInput(f"no copy in {folder} is older than {at.isoformat()}; there are {len(bases(folder))}")
    cluster.stop()  # this archives the last changes
    aside = cluster.folder / f"data.before-{now:%Y%m%dT%H%M%S.%fZ}"
    _lay_out(cluster, usable[-1], kept / archive.CHANGES)
    cluster.data.rename(aside)
    (cluster.folder / "data.new").rename(cluster.data)
    recovering = Cluster(
        cluster.data_dir,
        options={
            **cluster.options,
            "restore_command": f'cp "{kept / archive.CHANGES}/%f" "%p"',
            "recovery_target_time": at.astimezone(dt.UTC).isoformat(),
            "recovery_target_action": "promote",
        },
    )
    started = time.monotonic()
    try:
        recovering.start()
        _wait_until_there(recovering)
    except StoreUnavailable as error:
        recovering.stop()
        shutil.rmtree(cluster.data)
        aside.rename(cluster.data)
        cluster.start()
        raise StoreUnavailable(
            f"there is no way to {at.isoformat()}, nothing has changed; are all changes until then in {kept}? ({error})"
        ) from error
    replay_s = time.monotonic() - started
    cluster.stop()
    cluster.start()  # without the words of the recovery in its options
    return Recovered(usable[-1], aside, replay_s)


def _lay_out(cluster: Cluster, base: Path, changes: Path) -> None:
    """Put a copy beside the data, with the changes that no archive has yet, ready to be recovered."""
    account = programs.account_of(cluster.folder)
    new = cluster.folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    copied = programs.run(["/bin/cp", "-a", "--reflink=auto", base, new], account=account, cwd=cluster.folder)
    if copied.returncode != 0:
        raise StoreUnavailable(f"the copy {base} cannot be read: {programs.last_words(copied)}")
    added = [new / "recovery.signal"]
    added[0].touch()
    added += [
        Path(shutil.copy(segment, new / "pg_wal" / segment.name))
        for segment in (cluster.data / "pg_wal").iterdir()
        if _SEGMENT.fullmatch(segment.name) and not (changes / segment.name).exists()
    ]
    if account.switch:
        for path in added:
            os.chown(path, account.uid, account.gid)


def _wait_until_there(cluster: Cluster) -> None:
    deadline = time.monotonic() + REPLAY_S
    while cluster.status().state in ("starting", "running") and time.monotonic() < deadline:
        store = Store(cluster.url)
        try:
            with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
                if not connection.scalar(sa.select(sa.func.pg_is_in_recovery())):
                    return
        except StoreUnavailable:
            pass  # it is starting, or has found that the moment cannot be reached
        finally:
            store.close()
        time.sleep(0.1)
    raise StoreUnavailable(f"the database '{NAME}' did not come up; its log {cluster.log} says why")
