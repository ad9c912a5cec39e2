"""A PostGIS of a benchmark's own, thrown away at its end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gis.store import migrate
from gis.store.cluster import Cluster
from gis.store.engine import Store


@contextmanager
def own_store() -> Iterator[Store]:
    """Give a migrated database without a city, on a cluster as durable as a user's."""
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as another account
        cluster = Cluster(Path(folder))
        store = Store(cluster.start())
        try:
            migrate.upgrade(store)
            yield store
        finally:
            store.close()
            cluster.destroy()
