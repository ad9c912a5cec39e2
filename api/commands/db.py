"""``wangge db``: the database, embedded or given."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.console import Commands, err, facts, out, progress
from gis.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from gis.store.cluster import Cluster

app = typer.Typer(
    cls=Commands,
    help="The database: the embedded PostGIS, or the one of WANGGE_DATABASE_URL.",
    no_args_is_help=True,
)


@app.command()
def start() -> None:
    """Start the embedded PostGIS; make it first where there is none.

    **Example:** `wangge db start`
    """
    from api.opening import opened

    with progress("Starting PostGIS"), opened() as store:
        address = store.url.render_as_string(hide_password=True)
    out.print(f"running: {address}", soft_wrap=True)


@app.command()
def stop() -> None:
    """Stop the embedded PostGIS cleanly.

    **Example:** `wangge db stop`
    """
    from gis.store.connect import embedded_cluster
    from gis.store.settings import settings

    if settings().database_url is not None:
        raise Conflict("WANGGE_DATABASE_URL is set: that database is not ours to stop")
    out.print("stopped" if embedded_cluster().stop() else "was not running")


@app.command()
def status() -> None:
    """Tell whether the database runs, where, and with which schema; exit 1 when it does not run.

    **Example:** `wangge db status`
    """
    from gis.store import migrate
    from gis.store.connect import embedded_cluster, open_store
    from gis.store.settings import settings

    told: dict[str, object] = {}
    if settings().database_url is None:
        cluster = embedded_cluster().status()
        told = {
            "state": cluster.state,
            "folder": cluster.folder,
            "account": cluster.account,
            "PostgreSQL": cluster.version or None,
            "port": cluster.port or None,
        }
        if cluster.state != "running":
            facts("Embedded PostGIS", told)
            raise typer.Exit(1)
    store = open_store()
    told["address"] = store.url.render_as_string(hide_password=True)
    told["schema"] = f"{migrate.current(store)} (newest {migrate.head()})"
    told["fast area scope"] = "yes" if migrate.current(store) and migrate.is_leakproof(store) else "no"
    store.close()
    facts("Embedded PostGIS" if "state" in told else "PostGIS of WANGGE_DATABASE_URL", told)


@app.command("migrate")
def migrate_() -> None:
    """Bring the database to the schema of this version; changes nothing when it is there.

    **Example:** `wangge db migrate`
    """
    from gis.store import migrate
    from gis.store.connect import open_store

    store = open_store()
    before = migrate.current(store)
    with progress("Migrating"):
        migrate.upgrade(store)
    store.close()
    out.print(f"schema {migrate.head()}" + (" (was there already)" if before == migrate.head() else ""))


@app.command()
def archive(
    folder: Annotated[Path | None, typer.Argument(help="Folder for copies and changes, best on another disk.")] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="Archive no longer.")] = False,
) -> None:
    """Keep every change of the embedded database in a folder too, so that any moment can be gone back to.

    The database is restarted. Without a folder, tell which one it is.

    **Example:** `wangge db archive /mnt/backup/wangge`
    """
    from gis.store import recovery
    from gis.store.archive import folder_of

    cluster = _embedded()
    if folder is not None or off:
        with progress("Restarting PostGIS"):
            recovery.archive_to(cluster, None if off else folder)
    kept = folder_of(cluster.folder)
    out.print("changes are not archived" if kept is None else f"changes are archived in {kept}", soft_wrap=True)


@app.command()
def backup(
    file: Annotated[Path | None, typer.Argument(help="File to write; it must not exist yet.")] = None,
    *,
    base: Annotated[
        Path | None, typer.Option("--base", help="Copy the whole embedded cluster into a new folder below this one.")
    ] = None,
) -> None:
    """Write everything into one file, or copy the cluster as the beginning of a way back to any later moment.

    **Examples:** `wangge db backup city-2026-01-31.dump`, `wangge db backup --base /mnt/backup/wangge`
    """
    from api.opening import opened
    from gis.store.backup import backup as write
    from gis.store.recovery import base_backup

    if (file is None) == (base is None):
        raise InvalidInput("name either a file, or a folder with --base")
    if base is not None:
        with progress("Copying the cluster"):
            made = base_backup(_embedded(), base)
        out.print(f"copied: {made}", soft_wrap=True)
    if file is not None:
        if file.exists():
            raise Conflict(f"{file} exists already; backups are never written over")
        with opened() as store, progress("Writing the backup"):
            write(store, file)
        out.print(f"written: {file} ({file.stat().st_size / 1e6:,.1f} MB)")


@app.command()
def restore(
    file: Annotated[
        Path | None, typer.Argument(help="A file of 'wangge db backup'.", exists=True, dir_okay=False)
    ] = None,
    *,
    at: Annotated[
        str | None, typer.Option("--at", help="Moment to go back to, with its zone, such as 2026-11-25T10:00:00Z.")
    ] = None,
    base: Annotated[
        Path | None, typer.Option("--base", help="Where the copies of the cluster are; by default with the changes.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to replace what is there.")] = False,
) -> None:
    """Replace everything in the database by a backup, or go back to what it was at a moment.

    **Examples:** `wangge db restore city-2026-01-31.dump`, `wangge db restore --at 2026-11-25T10:00:00Z`
    """
    from gis.store.backup import restore as read
    from gis.store.connect import open_store

    if (file is None) == (at is None):
        raise InvalidInput("name either a file, or a moment with --at")
    moment = None if at is None else _moment(at)
    if not yes:
        typer.confirm("This replaces every city in the database. Go on?", abort=True)
    if moment is not None:
        _go_back(moment, base)
    if file is not None:
        store = open_store()
        with progress("Restoring"):
            read(store, file)
        store.close()
        out.print("restored")


def _go_back(moment: dt.datetime, base: Path | None) -> None:
    from gis.store import recovery
    from gis.store.archive import folder_of

    cluster = _embedded()
    folder = base or folder_of(cluster.folder)
    if folder is None:
        raise Conflict("changes are not archived, so there is no way back but the last dump")
    with progress("Going back"):
        done = recovery.restore_at(cluster, folder, moment)
    out.print(f"back at {moment.isoformat()}, {done.replay_s:.1f} s after {done.base.name} was laid out")
    out.print(f"what was there before: {done.aside} (remove it when it is no longer needed)", soft_wrap=True)


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"'{text}' is no moment such as 2026-11-25T10:00:00Z") from None
    if moment.tzinfo is None:
        raise InvalidInput(f"'{text}' names no zone: add Z for UTC, or +08:00")
    return moment


def _embedded() -> Cluster:
    """Return the embedded cluster; `Conflict` where another database is in use."""
    from gis.store.connect import embedded_cluster
    from gis.store.settings import settings

    if settings().database_url is not None:
        raise Conflict("WANGGE_DATABASE_URL is set: that database is archived and copied by whoever runs it")
    return embedded_cluster()


@app.command()
def drill() -> None:
    """Restore a backup beside the database, compare every row, try it, and throw it away; exit 1 when it is not good.

    Meant for every night: a backup that was never restored is a hope. It needs as much room again as the database.

    **Example:** `wangge db drill`
    """
    from api.opening import opened
    from gis.store.drill import drill as run

    with opened() as store, progress("Drilling"):
        found = run(store)
    facts(
        "Backup drill",
        {
            **{step: f"{seconds:,.1f} s" for step, seconds in found.seconds.items()},
            "size": f"{found.size_bytes / 1e6:,.1f} MB",
            "compared": f"{found.tables_count:,} tables, {found.rows_count:,} rows",
            "changed meanwhile": ", ".join(found.changed) or None,
        },
    )
    for fault in found.faults:
        err.print(fault, soft_wrap=True)
    if found.faults:
        raise typer.Exit(1)
    out.print("the backup is good")


@app.command()
def url() -> None:
    """Print the address of the database, with its password, for other programs.

    **Example:** `psql $(wangge db url)`
    """
    from gis.store.connect import embedded_cluster
    from gis.store.settings import settings

    given = settings().database_url
    typer.echo(given or embedded_cluster().url.render_as_string(hide_password=False))
