"""``wangge db``: the database, embedded or given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.console import Commands, facts, out, progress
from gis.errors import Conflict

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
def backup(file: Annotated[Path, typer.Argument(help="File to write; it must not exist yet.")]) -> None:
    """Write everything into one file.

    **Example:** `wangge db backup city-2026-01-31.dump`
    """
    from api.opening import opened
    from gis.store.backup import backup as write

    if file.exists():
        raise Conflict(f"{file} exists already; backups are never written over")
    with opened() as store, progress("Writing the backup"):
        write(store, file)
    out.print(f"written: {file} ({file.stat().st_size / 1e6:,.1f} MB)")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of 'wangge db backup'.", exists=True, dir_okay=False)],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to replace what is there.")] = False,
) -> None:
    """Replace everything in the database by a backup.

    **Example:** `wangge db restore city-2026-01-31.dump`
    """
    from gis.store.backup import restore as read
    from gis.store.connect import open_store

    if not yes:
        typer.confirm("This replaces every city in the database. Go on?", abort=True)
    store = open_store()
    with progress("Restoring"):
        read(store, file)
    store.close()
    out.print("restored")


@app.command()
def url() -> None:
    """Print the address of the database, with its password, for other programs.

    **Example:** `psql $(wangge db url)`
    """
    from gis.store.connect import embedded_cluster
    from gis.store.settings import settings

    given = settings().database_url
    typer.echo(given or embedded_cluster().url.render_as_string(hide_password=False))
