"""``wangge db``: the database, embedded or given."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.console import Commands, facts, out, progress
from gis.store import backup as backups
from gis.store import migrate as migrations
from gis.store.cluster import Cluster
from gis.store.connect import open_store
from gis.store.settings import settings

app = typer.Typer(cls=Commands, help="The database: the embedded PostGIS, or the one of WANGGE_DATABASE_URL.")


@app.command()
def start() -> None:
    """Start the embedded PostGIS; make it first where there is none.

    **Example:** `wangge db start`
    """
    store = open_store()
    out.print(f"running: {store.url.render_as_string(hide_password=True)}")
    store.close()


@app.command()
def stop() -> None:
    """Stop the embedded PostGIS cleanly.

    **Example:** `wangge db stop`
    """
    if settings().database_url is not None:
        out.print("WANGGE_DATABASE_URL is set: that database is not ours to stop")
        return
    Cluster(settings().data_dir).stop()
    out.print("stopped")
