"""A worker in a process of its own, which also knows the small service: ``python -m tests.support.worker URL``."""

import logging
import sys

from gis import runs
from gis.store.engine import Store
from tests.support.cell_counts import register

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    register()
    store = Store(sys.argv[1])
    print("ready", flush=True)  # noqa: T201 - the test waits for this line
    runs.work(store)
    store.close()
